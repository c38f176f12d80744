"""``python -m tests.load.speech``: how well the local recogniser understands questions on a telephone line.

Golden questions are read out, carried as A-law at 8 kHz, clean and with noise, and recognised. Counted: characters that
are wrong (CER), syllables that are wrong whatever their tone, and how often the published knowledge gives the right
entry and matter for what was recognised, beside the same for the typed question.

The voice decides as much as the recogniser: espeak-ng, the default, is hardly Mandarin to a recogniser. ``--list``
writes the questions with a file name each; ``--recordings`` takes such files, whoever has spoken them,
``--voice-command`` any program that writes one.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hashlib
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from channels.voice.audio import alaw
from channels.voice.hearing.local import model_files, whisper
from channels.voice.hearing.local.guard import plain
from channels.voice.hearing.local.whisper import Transcriber
from channels.voice.line import RATE
from channels.voice.resampling import Samples
from channels.voice.sounding import pcm, wav
from channels.voice.sounding.espeak import EspeakVoice
from channels.voice.sounding.prompts import file_name
from channels.voice.wording import wording
from hotline.errors import ConfigError, HotlineError
from hotline.settings import get_settings
from knowledge_base.errors import KnowledgeError
from knowledge_base.published import Published
from tests.load.figures import percentile
from tests.measure import noise
from tests.measure.questions import Golden, golden
from tests.measure.systems import Ours, Ranking

LONGEST: Final = 30
COUNT: Final = 220
CLEAN: Final = "clean"
AROUND_S: Final = 0.3
"""Of the line before and after the words, as endpointing leaves it."""
COMMAND_LIMIT_S: Final = 60

Speaks = Callable[[str], bytes]
"""PCM at 8 kHz. Raises ConfigError where the text cannot be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``q`` as typed, ``said``: its numbers in words."""

    q: str
    said: str
    entries: tuple[str, ...]
    matters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question in one condition. ``wrong`` of ``size`` characters, ``missounded`` of as many syllables."""

    condition: str
    said: str
    heard: str
    confidence: float
    seconds: float
    took_s: float
    size: int
    wrong: int
    missounded: int
    entry: bool = False
    matter: bool = False
    as_typed: bool = False
    """The same entry as for the typed question, right or wrong."""


def questions(count: int) -> list[Question]:
    """The same ones in every run: short golden questions, in the order of their hashes."""
    short = [each for each in golden() if len(each.q) <= LONGEST]
    return [_question(each) for each in sorted(short, key=lambda each: _hash(each.q))[:count]]


def _question(of: Golden) -> Question:
    return Question(q=of.q, said=noise.spoken(of.q), entries=of.entries, matters=of.matters)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- sound -----------------------------------------------------------------------------------------------------------


def by_espeak() -> Speaks:
    voice = EspeakVoice(limit_s=COMMAND_LIMIT_S)
    if not voice.is_here:
        raise ConfigError("espeak-ng is not installed; use --recordings or --voice-command")
    return lambda text: asyncio.run(voice.speak(text))


def by_recordings(folder: Path) -> Speaks:
    return lambda text: _sound_in(folder / file_name(text))


def by_command(command: str) -> Speaks:
    """``{text}`` and ``{wav}`` in it are filled in."""
    parts = shlex.split(command)

    def speak(text: str) -> bytes:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "said.wav"
            filled = [part.replace("{text}", text).replace("{wav}", str(path)) for part in parts]
            try:
                subprocess.run(filled, check=True, capture_output=True, timeout=COMMAND_LIMIT_S)
            except (OSError, subprocess.SubprocessError) as error:
                raise ConfigError(f"the voice command failed: {type(error).__name__}") from error
            return _sound_in(path)

    return speak


def _sound_in(path: Path) -> bytes:
    try:
        return pcm.fit(wav.read(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


def on_the_line(words: bytes, condition: str, *, seed: str) -> bytes:
    """The words as they arrive: noise of the condition (``15dB``: so far below the words), then A-law."""
    speech = pcm.from_pcm(words)
    around = np.zeros(int(AROUND_S * RATE))
    sound = np.concatenate([around, speech, around])
    if condition != CLEAN:
        level = float(np.sqrt(np.mean(speech**2))) * 10 ** (-float(condition.removesuffix("dB")) / 20)
        sound = sound + level * _pink(sound.size, seed=seed)
    return alaw.decode(alaw.encode(pcm.to_pcm(sound)))


def _pink(size: int, *, seed: str) -> Samples:
    """Noise like that of a street: its energy falls with the frequency. Its effective value is 1."""
    white = np.random.default_rng(int(_hash(seed)[:8], 16)).normal(size=size)
    spectrum = np.fft.rfft(white)
    spectrum[0] = 0
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    found = np.fft.irfft(spectrum, size)
    scaled: Samples = found / np.sqrt(np.mean(found**2))
    return scaled


# --- counting --------------------------------------------------------------------------------------------------------


def row(question: Question, condition: str, words: bytes, transcribe: Transcriber) -> Row:
    sound = on_the_line(words, condition, seed=question.said)
    began = time.perf_counter()
    heard = transcribe(sound, wording().hints)
    took = time.perf_counter() - began
    wanted, found = plain(noise.spoken(question.said)), plain(noise.spoken(heard.text))
    return Row(
        condition=condition,
        said=question.said,
        heard=heard.text,
        confidence=heard.confidence,
        seconds=len(sound) / 2 / RATE,
        took_s=took,
        size=len(wanted),
        wrong=Levenshtein.distance(wanted, found),
        missounded=Levenshtein.distance(noise.sounds(wanted), noise.sounds(found)),
    )


def judged(row: Row, question: Question, typed: Ranking, heard: Ranking) -> Row:
    """The row with what the knowledge takes it for."""
    return replace(
        row,
        entry=right(heard.entries, question.entries),
        matter=right(heard.matters, question.matters),
        as_typed=heard.entries[:1] == typed.entries[:1],
    )


def right(found: Sequence[str], wanted: Sequence[str]) -> bool:
    return bool(found) and found[0] in wanted


def share(values: Sequence[bool]) -> float:
    """In percent."""
    return 100 * sum(values) / max(1, len(values))


def table(rows: Sequence[Row], asked: Sequence[Question], typed: Sequence[Ranking]) -> str:
    entry = share([right(found.entries, each.entries) for found, each in zip(typed, asked, strict=True)])
    matter = share([right(found.matters, each.matters) for found, each in zip(typed, asked, strict=True)])
    lines = [
        f"{len(asked)} questions of at most {LONGEST} characters, {len(rows)} utterances",
        f"{'':8}{'CER':>8}{'sounds':>8}{'none':>7}{'entry':>8}{'loss':>7}{'matter':>8}{'loss':>7}{'as typed':>10}"
        f"{'p50 s':>8}{'p95 s':>8}",
        f"{'typed':8}{'':23}{entry:8.1f}{'':7}{matter:8.1f}",
    ]
    return "\n".join([*lines, *(_line(name, rows, entry, matter) for name in dict.fromkeys(r.condition for r in rows))])


def _line(condition: str, rows: Sequence[Row], entry: float, matter: float) -> str:
    of = [each for each in rows if each.condition == condition]
    size = sum(each.size for each in of)
    entries, matters = share([each.entry for each in of]), share([each.matter for each in of])
    took = [each.took_s for each in of]
    return (
        f"{condition:8}{100 * sum(each.wrong for each in of) / size:7.1f}%"
        f"{100 * sum(each.missounded for each in of) / size:7.1f}%{share([not each.heard for each in of]):6.1f}%"
        f"{entries:8.1f}{entry - entries:7.1f}{matters:8.1f}{matter - matters:7.1f}"
        f"{share([each.as_typed for each in of]):9.1f}%{percentile(took, 50):8.2f}{percentile(took, 95):8.2f}"
    )


# --- the run ---------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> str:
    """The table. Raises HotlineError and KnowledgeError where it cannot be made."""
    settings = get_settings()
    asked = questions(options.count)
    speak = _voice(options)
    said = {each.said: speak(each.said) for each in asked}
    folder = model_files.ready(settings.state_dir / "models" / "whisper-base")
    transcribe = whisper.load(folder, threads=options.threads)
    knowledge = Ours(Published.open(options.knowledge or settings.knowledge_dir).matcher)
    typed = knowledge.rank([each.q for each in asked])
    rows: list[Row] = []
    for condition in options.conditions:
        of = [row(each, condition, said[each.said], transcribe) for each in asked]
        ranked = knowledge.rank([each.heard for each in of])
        rows += [judged(*all_) for all_ in zip(of, asked, typed, ranked, strict=True)]
        print(f"{condition}: done", file=sys.stderr)  # noqa: T201 - what the command is for
    if options.out:
        lines = [json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in rows]
        options.out.write_text("".join(lines), encoding="utf-8")
    return table(rows, asked, typed)


def _voice(options: argparse.Namespace) -> Speaks:
    if options.recordings:
        return by_recordings(options.recordings)
    return by_command(options.voice_command) if options.voice_command else by_espeak()


def write_list(path: Path, count: int) -> str:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "file"), *((each.said, file_name(each.said)) for each in questions(count))])
    return f"{path}: {count} questions"


def main() -> None:
    options = _options()
    try:
        done = write_list(options.list, options.count) if options.list else measure(options)
    except (HotlineError, KnowledgeError, OSError) as error:
        sys.exit(f"speech: {error}")
    print(done)  # noqa: T201 - what the command is for


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="questions")
    parser.add_argument(
        "--conditions", nargs="+", default=[CLEAN, "15dB", "10dB"], help="clean, or how far noise is below the words"
    )
    parser.add_argument("--recordings", type=Path, help="folder of WAV files, named as --list says")
    parser.add_argument("--voice-command", default="", help="such as 'CMD {text} {wav}'")
    parser.add_argument("--list", type=Path, help="write the questions and their files as CSV, and do no more")
    parser.add_argument("--out", type=Path, help="write every utterance, JSON lines")
    parser.add_argument("--threads", type=int, default=2, help="of the recogniser")
    parser.add_argument("--knowledge", type=Path, help="folder of published knowledge; by default that in use")
    return parser.parse_args()


if __name__ == "__main__":
    main()
