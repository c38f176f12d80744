"""One utterance recognised by Whisper, in one window as long as the utterance needs.

Whisper was taught windows of 30 seconds, and faster-whisper always fills them up; its encoder takes most of the time.
What callers say is a few seconds long, and a shorter window gives the same words in a third of the time, if it is not
much shorter than what Whisper was taught (docs/speech.md has the figures).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import yaml
from numpy.typing import NDArray

from channels.voice.hearing.local import guard
from channels.voice.hearing.local.guard import Written
from channels.voice.hearing.local.slips import put_right
from channels.voice.line import RATE
from channels.voice.resampling import resampled
from hotline.errors import ConfigError

Samples: TypeAlias = NDArray[np.float32]

WHISPER_RATE: Final = 16_000
LONGEST_S: Final = 29.0
_SHORTEST_WINDOW_S: Final = 10.0
_AFTER_S: Final = 2.0
_FRAMES_A_SECOND: Final = 100
_MOST_TOKENS: Final = 60
"""About forty characters. Without a limit one bad sound takes minutes."""
_BEAM: Final = 3
_PROMPT_TOKENS: Final = 60
"""A longer prompt costs more than it brings."""
_SHORT_S: Final = 1.0
"""From the first loud moment to the last; a question takes longer."""
_LOUD: Final = 0.25
"""Of the loudest moment: noise at 10 dB below the words is less."""
_MOMENT: Final = WHISPER_RATE // 25
_QUIET: Final = 0.002
"""Effective value below which there is nothing to recognise: -54 dBFS."""
_WIDE_DIGITS: Final = re.compile("[\uff10-\uff19]+")
"""Whisper writes them in place of punctuation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """``text`` empty: no words could be made out."""

    text: str
    confidence: float


class Transcriber(Protocol):
    """Called from threads, one call at a time in each."""

    def __call__(self, pcm: bytes, hints: Sequence[str]) -> Heard:
        """``pcm``: 8 kHz, 16 bit, mono, at most `LONGEST_S` of it counts."""
        ...


def load(folder: Path, *, threads: int) -> Transcriber:
    """The model in ``folder``. Raises ConfigError where it or what runs it is missing."""
    try:
        from faster_whisper import WhisperModel
        from opencc import OpenCC
    except ImportError as error:
        raise ConfigError(f"the recogniser is not installed ({error.name}): run `make telephone`") from error
    try:
        model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=1, local_files_only=True
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ConfigError(f"the recogniser's model cannot be loaded: {error}") from error
    whisper = Whisper(model, simplified=OpenCC("t2s").convert)
    whisper.written(np.zeros(WHISPER_RATE, dtype=np.float32), ())  # the first time is the slowest
    return whisper


class Whisper:
    """See `Transcriber`."""

    def __init__(self, model: Any, *, simplified: Callable[[str], str]) -> None:
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        self._model = model
        self._tokens = Tokenizer(model.hf_tokenizer, True, task="transcribe", language="zh")
        self._suppressed = get_suppressed_tokens(self._tokens, [-1])
        self._simplified = simplified

    def __call__(self, pcm: bytes, hints: Sequence[str]) -> Heard:
        samples = widened(pcm)
        if not samples.size or float(np.sqrt(np.mean(samples**2))) < _QUIET:
            return Heard(text="", confidence=0.0)
        expected = commands() if spoken_s(samples) < _SHORT_S else self._expected(hints)
        written = self.written(samples, expected)
        text = put_right(guard.said(written, prompt=expected), (*hints, *commands()))
        return Heard(text=text, confidence=guard.confidence(written) if text else 0.0)

    def written(self, samples: Samples, expected: Sequence[str]) -> Written:
        """What Whisper writes, and how sure it is; ``samples`` at 16 kHz."""
        import ctranslate2

        features = self._model.feature_extractor(_windowed(samples), padding=0)
        encoded = self._model.model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None])))
        before = self._tokens.encode(" " + _prompt(expected)) if expected else []
        prompt = self._model.get_prompt(self._tokens, before, without_timestamps=True)
        found = self._model.model.generate(
            encoded,
            [prompt],
            beam_size=_BEAM,
            max_length=len(prompt) + _MOST_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
        )[0]
        return Written(
            text=self._clean(self._tokens.decode(found.sequences_ids[0])),
            log=float(found.scores[0]),
            no_speech=float(found.no_speech_prob),
            seconds=samples.size / WHISPER_RATE,
        )

    def _expected(self, hints: Sequence[str]) -> tuple[str, ...]:
        """As many of the first hints as the prompt takes."""
        kept: list[str] = []
        for hint in hints:
            if len(self._tokens.encode(" " + _prompt([*kept, hint]))) > _PROMPT_TOKENS:
                break
            kept.append(hint)
        return tuple(kept)

    def _clean(self, text: str) -> str:
        text = unicodedata.normalize("NFKC", _WIDE_DIGITS.sub(" ", text))
        return " ".join(self._simplified(text).replace("\ufffd", "").split())


@cache
def commands() -> tuple[str, ...]:
    """What callers say in one word."""
    return tuple(yaml.safe_load(Path(__file__).with_name("commands.yml").read_text(encoding="utf-8")))


def widened(pcm: bytes) -> Samples:
    """At 16 kHz, from -1 to 1."""
    narrow = np.frombuffer(pcm[: len(pcm) // 2 * 2], dtype="<i2")[: int(LONGEST_S * RATE)] / 32768
    return resampled(narrow, RATE, WHISPER_RATE).astype(np.float32)


def spoken_s(samples: Samples) -> float:
    """How long the words are, without the silence or noise around them; ``samples`` at 16 kHz."""
    moments = samples[: samples.size // _MOMENT * _MOMENT].reshape(-1, _MOMENT)
    levels = np.sqrt(np.mean(moments**2, axis=1))
    loud = np.flatnonzero(levels > _LOUD * levels.max(initial=0.0))
    return float(loud[-1] - loud[0] + 1) * _MOMENT / WHISPER_RATE if loud.size else 0.0


def _windowed(samples: Samples) -> Samples:
    """With silence after it, a whole number of frames."""
    seconds = min(30.0, max(_SHORTEST_WINDOW_S, samples.size / WHISPER_RATE + _AFTER_S))
    size = round(seconds * _FRAMES_A_SECOND) * WHISPER_RATE // _FRAMES_A_SECOND
    return np.pad(samples, (0, size - samples.size))


def _prompt(expected: Sequence[str]) -> str:
    return "\uff0c".join(expected) + "\u3002"
