"""What the telephone always says in the same words, and the list of it that a studio records from."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import yaml

from channels.voice import keypad, speech
from channels.voice.keypad import KeypadState, Stage
from channels.voice.line import RATE
from channels.voice.sounding import wav
from channels.voice.wording import Wording, wording
from hotline.errors import ConfigError
from hotline.settings import ROOT

INDEX: Final = "prompts.csv"
_COLUMNS: Final = ("text", "file")
_PLACES: Final = range(1, 10)
"""Longer queues are told by the voice that is no recording."""
_LONGEST_S: Final = 60.0
_PLAIN: Final = (
    "late go_on go_on_or_text texted not_texted no_voice_at_all no_more patient busy failed parted listening".split()
)


def centre_name(code: str) -> str:
    """What the centre calls itself in a greeting. Raises ConfigError for one that is not known."""
    path = ROOT / "knowledge_base" / "centres" / f"{code}.yml"
    try:
        return str(yaml.safe_load(path.read_text(encoding="utf-8"))["sms_signature"]).strip("【】")
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"GJJ_CENTRE: nothing is known of the centre {code}") from error


def fixed_prompts(centre: str) -> tuple[str, ...]:
    """Each once, as the voice is given them; ``centre``: its name in the greeting."""
    said = [*_greetings(centre), *_dialogue(wording()), *_keypad()]
    return tuple(dict.fromkeys(spoken for text in said if (spoken := speech.speakable(text))))


def key(text: str) -> str:
    """The same for texts that differ in blanks alone."""
    return "".join(text.split())


def file_name(text: str) -> str:
    """The file a text is recorded in unless the index says otherwise."""
    return hashlib.sha256(key(text).encode()).hexdigest()[:16] + ".wav"


def _greetings(centre: str) -> Iterator[str]:
    words = wording()
    for text, recorded in product((words.greeting, words.greeting_keys), (words.recorded, "")):
        yield text.format(centre=centre, recorded=recorded, menu=words.menu)


def _dialogue(words: Wording) -> Iterator[str]:
    yield from (str(getattr(words, name)) for name in _PLAIN)
    for text in (*words.silence, *words.no_match, words.keys_alone):
        yield text.format(menu=words.menu)
    yield from words.waiting
    places = [words.place_first, *(words.place.format(before=before) for before in _PLACES)]
    yield from (words.waiting_for_person.format(place=place) for place in places)


def _keypad() -> Iterator[str]:
    """Everything said during the proof that has no name or number in it."""
    words = wording().keypad
    told = {"", *(name for name, text in {**words["told"], **words["ended"]}.items() if "{" not in text)}
    for stage, name in product(Stage, sorted(told)):
        if _is_said(stage, name):
            yield from keypad.says(KeypadState(turn=0, stage=stage, told=name))


def _is_said(stage: Stage, told: str) -> bool:
    words = wording().keypad
    if stage not in keypad.KEYS:
        return told in words["ended"]
    if told:
        return told in words["told"] and stage in words["again"]
    return stage is Stage.CONSENT or "{" not in words["ask"][stage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Of the texts in an index: which files can be used, which are still missing, and why others are refused."""

    good: Mapping[str, Path]
    missing: tuple[str, ...]
    refused: Mapping[str, str]
    """File → why."""


def write_index(folder: Path, texts: Iterable[str]) -> int:
    """`INDEX` lists ``texts`` besides all it listed before, whose file names stay. How many are new. Raises ConfigError
    for an index that cannot be read, OSError where it cannot be written."""
    listed = read_index(folder)
    known = {key(text) for text in listed}
    new = {text: file_name(text) for text in texts if key(text) not in known}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([_COLUMNS, *listed.items(), *new.items()])
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{INDEX}.{os.getpid()}.part"
    part.write_text(out.getvalue(), encoding="utf-8-sig")  # spreadsheets take it for UTF-8 only so
    part.replace(folder / INDEX)
    return len(new)


def read_index(folder: Path) -> dict[str, str]:
    """Text → file name, in order; empty where there is no index. Raises ConfigError for one that cannot be used."""
    path = folder / INDEX
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV in UTF-8: {type(error).__name__}") from error
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        text, file = (str(row.get(column) or "").strip() for column in _COLUMNS)
        if not text or not file or Path(file).name != file:
            raise ConfigError(f"{path}, line {number}: needs a text and the name of a file beside it")
        found[text] = file
    return found


def check(folder: Path, *, texts: Iterable[str] = ()) -> Checked:
    """What there is of the index, and of ``texts`` that it does not list. Raises ConfigError for an unusable index."""
    listed = {text: file_name(text) for text in texts} | read_index(folder)
    good: dict[str, Path] = {}
    missing, refused = [], {}
    for text, file in listed.items():
        path = folder / file
        if not path.exists():
            missing.append(text)
        elif reason := _wrong_with(path):
            refused[file] = reason
        else:
            good[text] = path
    return Checked(good=good, missing=tuple(missing), refused=refused)


def _wrong_with(path: Path) -> str:
    """Empty where the recording can be used."""
    try:
        found = wav.read(path.read_bytes())
    except OSError as error:
        return f"cannot be read: {type(error).__name__}"
    except ValueError as error:
        return str(error)
    if found.rate != RATE:
        return f"has {found.rate} samples a second; {RATE} are needed"
    if not 0.1 <= found.seconds <= _LONGEST_S:
        return f"is {found.seconds:.1f} s long; 0.1 to {_LONGEST_S:.0f} s are allowed"
    return "" if abs(found.samples).max() > 0.01 else "is silent"
