"""How well people are understood: golden questions, noise and conversations, beside baselines asked the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from hotline.domain.clock import today
from hotline.errors import ConfigError, HotlineError
from hotline.settings import get_settings
from knowledge_base.errors import KnowledgeError
from tests.load.report import plain
from tests.measure import diet, measuring, noise, questions, report
from tests.measure.measuring import PARTS, Report, Tools, Wishes

WIDTH = 160

notes = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Set(StrEnum):
    """What is asked: our golden questions, or citizens' questions of which only the topic is known."""

    GOLDEN = "golden"
    TOPICS = "topics"


Part = StrEnum("Part", {part.upper(): part for part in PARTS})  # type: ignore[misc]


@app.command(help=__doc__)
def measure(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE.jsonl", help="instead of the shipped golden questions; with --set topics needed"),
    ] = None,
    which: Annotated[Set, typer.Option("--set", help="what the files hold")] = Set.GOLDEN,
    topics: Annotated[
        Path | None, typer.Option(help="JSONL of citizens' questions with a topic, asked as well")
    ] = None,
    skip: Annotated[list[Part] | None, typer.Option(help="leave a part out; may be given several times")] = None,
    seed: Annotated[int, typer.Option(help="of the noise: another one spoils the questions otherwise")] = noise.SEED,
    confusions: Annotated[int, typer.Option(min=0, help="so many pairs of entries that are mixed up")] = 15,
    show: Annotated[bool, typer.Option("--show", help="every failing turn of the conversations")] = False,
    live: Annotated[bool, typer.Option("--live", help="conversations also through the running gateway")] = False,
    with_diet: Annotated[bool, typer.Option("--diet", help="stock Rasa as a baseline, too; trains it first")] = False,
    phrasings: Annotated[int, typer.Option(min=1, help="that DIET is trained on, an entry at most")] = 4,
    epochs: Annotated[int, typer.Option(min=1, help="that DIET is trained for")] = 30,
    speed: Annotated[
        bool, typer.Option("--speed", help="also how long it takes on one core, and with more entries")
    ] = False,
    use_only_index: Annotated[
        Path | None, typer.Option(help="folder of knowledge published with the small embedding alone, for --speed")
    ] = None,
    knowledge: Annotated[
        Path | None, typer.Option(help="folder of published knowledge; by default that in use")
    ] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="answer as on this date")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")] = False,
) -> None:
    """Ask everything, count, and print all systems side by side."""
    with one_sentence():
        settings = get_settings()
        golden, citizens = _files(which, tuple(files or ()), topics)
        wishes = Wishes(
            knowledge=knowledge or settings.knowledge_dir,
            golden=golden,
            topics=citizens,
            skipped=_skipped(which, {str(part.value) for part in skip or ()}),
            seed=seed,
            confusions=confusions,
            live=live,
            diet=diet.Wish(phrasings=phrasings, epochs=epochs) if with_diet else None,
            speed=speed,
            use_only=use_only_index,
            on=as_of.date() if as_of else today(),
        )
        found = measuring.measure(settings, wishes, Tools(say=_say, progress=_progress))
    _show(found, as_json=as_json, show=show)


def _files(which: Set, given: tuple[Path, ...], topics: Path | None) -> tuple[tuple[Path, ...], Path | None]:
    """The golden files, and the file of citizens' questions if any. Raises ConfigError when they do not fit."""
    if which is Set.GOLDEN:
        return given or questions.IN_SCOPE, topics
    if topics is not None or len(given) != 1:
        raise ConfigError("--set topics needs one FILE.jsonl, and no --topics beside it")
    return questions.IN_SCOPE, given[0]


def _skipped(which: Set, skip: set[str]) -> frozenset[str]:
    """Citizens' questions alone: nothing is known but their topics."""
    return frozenset(skip | ({"golden", "noise", "conversations"} if which is Set.TOPICS else set()))


@contextmanager
def one_sentence() -> Iterator[None]:
    """Expected failures end the command with one sentence and exit code 1; Ctrl-C with 130."""
    try:
        yield
    except KnowledgeError as error:
        _say(f"hotline measure: no knowledge can be used, run `hotline train`: {error.problems[0]}")
        raise typer.Exit(1) from error
    except ValidationError as error:
        _say("hotline measure: the settings cannot be used: run `hotline check-config`")
        raise typer.Exit(1) from error
    except HotlineError as error:
        _say(f"hotline measure: {error}")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        _say("hotline measure: stopped")
        raise typer.Exit(130) from None


def _show(found: Report, *, as_json: bool, show: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(found), ensure_ascii=False, indent=2) + "\n")
        return
    shown = report.tables(found, show=show)
    # Not a terminal: a fixed width keeps the columns apart.
    if out.is_terminal:
        out.print(shown, markup=False)
    else:
        sys.stdout.write(plain(WIDTH, shown))


def _say(line: str) -> None:
    notes.print(Text(line))


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, nothing in a file or a pipe."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as shown:
        task = shown.add_task(what, total=total)
        yield lambda: shown.advance(task)
