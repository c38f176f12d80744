"""What Whisper wrote, unless nobody said it: pure functions.

Where there is no speech, or none it understands, Whisper goes on writing: credits of subtitles, the words it was told
to expect, the same again and again. A caller had better be asked once more than be answered to that.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import Final

import yaml

_NO_SPEECH: Final = 0.5
_SURE: Final = -0.3
"""Noise has more than the first, and speech at 10 dB above noise at most 0.3; words Whisper is sure of are kept."""
_PERHAPS_NO_SPEECH: Final = 0.3
_MOST_COMPRESSED: Final = 2.0
_MOST_CHARACTERS_A_SECOND: Final = 12.0
"""Twice what a fast speaker says."""
_RUN: Final = re.compile(r"(.{1,8}?)\1{4,}")
"""The same five times in a row."""
_LONGEST_NUMBER: Final = 11
"""Digits may repeat in a number, which is no longer."""
_WORD: Final = re.compile(r"[^\W_]+")
_LEAST_ECHOED: Final = 6

_SLOPE: Final = 4.5
_MIDDLE: Final = -0.55
"""Of the logistic curve from Whisper's mean log-probability to our confidence; see `confidence`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """``log``: the mean log-probability of a token; ``no_speech``: Whisper's probability that nobody spoke;
    ``seconds``: of sound."""

    text: str
    log: float
    no_speech: float
    seconds: float


def said(written: Written, *, prompt: Sequence[str] = ()) -> str:
    """The text, empty where it is none of the caller's. ``prompt``: the words it was told to expect."""
    bare = plain(written.text)
    nobody = (
        not bare
        or (written.no_speech > _NO_SPEECH and written.log < _SURE)
        or len(bare) > _MOST_CHARACTERS_A_SECOND * max(written.seconds, 0.5)
        or _repeats(bare)
        or _is_phantom(bare)
        or _echoes(written, prompt)
    )
    return "" if nobody else written.text


def confidence(written: Written) -> float:
    """0-1: about how likely the knowledge takes the text for the same as what was said.

    A logistic curve over Whisper's mean log-probability, fitted to 660 synthesised utterances (docs/speech.md); lower
    where Whisper doubts that anybody spoke.
    """
    likely = 1 / (1 + exp(-_SLOPE * (written.log - _MIDDLE)))
    return round(likely * (1 - max(0.0, written.no_speech - 0.5)), 3)


def plain(text: str) -> str:
    """Letters, characters and digits alone, letters in small."""
    return "".join(_WORD.findall(text)).casefold()


def _repeats(bare: str) -> bool:
    if any(not run[0].isdigit() or len(run[0]) > _LONGEST_NUMBER for run in _RUN.finditer(bare)):
        return True
    raw = bare.encode()
    return len(raw) / len(zlib.compress(raw)) > _MOST_COMPRESSED


def _is_phantom(bare: str) -> bool:
    anywhere, alone = _phantoms()
    return bare in alone or any(phantom in bare for phantom in anywhere)


def _echoes(written: Written, prompt: Sequence[str]) -> bool:
    """Expected words and nothing else: several in the order they were given, or one twice, or several where perhaps
    nobody spoke."""
    words, bare = [word.casefold() for word in _WORD.findall(written.text)], plain(written.text)
    if len(bare) >= _LEAST_ECHOED and bare not in prompt and bare in plain("".join(prompt)):
        return True
    listed = len(words) > 1 and set(words) <= set(prompt)
    return listed and (len(set(words)) < len(words) or written.no_speech > _PERHAPS_NO_SPEECH)


@cache
def _phantoms() -> tuple[tuple[str, ...], frozenset[str]]:
    words = yaml.safe_load(Path(__file__).with_name("phantoms.yml").read_text(encoding="utf-8"))
    return tuple(map(plain, words["anywhere"])), frozenset(map(plain, words["alone"]))
