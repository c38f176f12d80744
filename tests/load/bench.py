"""``hotline bench``: encrypted WeChat pushes against our own processes, beside a stock Rasa in the same run."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from hotline import training
from hotline.errors import HotlineError
from hotline.evaluation import read_questions
from hotline.settings import Settings, get_settings
from knowledge_base.errors import KnowledgeError
from knowledge_base.model import Catalogue
from knowledge_base.published import Published
from tests.load import our_training, report
from tests.load.figures import Ratio, System, mean, ratios
from tests.load.measure import Plan, Tools, measure_baseline, measure_ours
from tests.load.questions import ZIPF_EXPONENT, distinct, popular, ranked
from tests.load.stack import stop_on_signals

SEED = 12329
WARM_UP = 20
QUICK_TURNS = 60
WIDTH = 160

notes = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False, soft_wrap=True)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the operator asked for."""

    concurrency: int
    turns: int
    with_baseline: bool
    retrain_baseline: bool
    questions: Path | None


@app.command(help=__doc__)
def bench(
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="citizens asking at the same time")] = 8,
    turns: Annotated[int, typer.Option(min=1, max=50_000, help="questions in each of the two loads")] = 400,
    quick: Annotated[bool, typer.Option("--quick", help=f"{QUICK_TURNS} questions in each load")] = False,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="our own system alone")] = False,
    retrain_baseline: Annotated[bool, typer.Option("--retrain-baseline", help="train it even if unchanged")] = False,
    questions: Annotated[
        Path | None, typer.Option(help="JSONL of citizens' questions: scores the topics of both systems")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")] = False,
) -> None:
    """Measure turns per second, latency, memory, training and start, and print both systems side by side."""
    wishes = Wishes(
        concurrency=concurrency,
        turns=QUICK_TURNS if quick else turns,
        with_baseline=not no_baseline,
        retrain_baseline=retrain_baseline,
        questions=questions,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        systems, facts = _run(get_settings(), wishes)
    except (HotlineError, KnowledgeError) as error:
        notes.print(f"hotline bench: {error}", markup=False)
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, asyncio.CancelledError):
        notes.print("hotline bench: stopped; nothing is left running")
        raise typer.Exit(130) from None
    _show(systems, facts, as_json=as_json)


def _run(settings: Settings, wishes: Wishes) -> tuple[list[System], dict[str, Any]]:
    lines = read_questions(wishes.questions) if wishes.questions else []
    home = settings.state_dir / "bench"
    record = home / "training.json"
    with _stage("training what has changed"):
        training.train(settings, _say)
    trained = our_training.known(settings, record)
    fresh = wishes.with_baseline and trained is None
    if fresh:
        with _stage("training from nothing, to measure it"):
            trained = our_training.measured(settings, record, _say, directory=home / "training")
    catalogue = Published.open(settings.knowledge_dir).catalogue
    plan = _plan(catalogue, wishes, lines)
    started = time.strftime("%Y%m%d-%H%M%S")
    facts = {**_machine(), "load": _described(catalogue, wishes, plan)}
    tools = Tools(home=home, run=home / started, say=_say, stage=_stage, progress=_progress)
    try:
        systems = asyncio.run(_measure(settings, plan, tools, wishes=wishes))
    except (KeyboardInterrupt, asyncio.CancelledError):
        shutil.rmtree(tools.run, ignore_errors=True)
        raise
    if trained:
        note = "this run" if fresh else f"from the run of {trained.measured_at}"
        systems[0] = replace(systems[0], training_s=trained.seconds, training_note=note)
    facts["load average after"] = _load_average()
    _save(home / f"{started}.json", systems, facts)
    shutil.rmtree(tools.run)  # after a failure it stays, with the logs
    return systems, facts


async def _measure(settings: Settings, plan: Plan, tools: Tools, *, wishes: Wishes) -> list[System]:
    stop_on_signals(asyncio.current_task())
    systems = [await measure_ours(settings, plan, tools)]
    if wishes.with_baseline:
        systems.append(await measure_baseline(settings, plan, tools, again=wishes.retrain_baseline))
    return systems


def _plan(catalogue: Catalogue, wishes: Wishes, lines: list[dict[str, Any]]) -> Plan:
    new = distinct(catalogue, 2 * WARM_UP + wishes.turns, seed=SEED)
    return Plan(
        catalogue=catalogue,
        concurrency=wishes.concurrency,
        loads={
            "every text new": (new[:WARM_UP], new[2 * WARM_UP :]),
            "popular repeat": (new[WARM_UP : 2 * WARM_UP], popular(catalogue, wishes.turns, seed=SEED)),
        },
        first=ranked(catalogue)[0],
        questions=lines,
    )


def _described(catalogue: Catalogue, wishes: Wishes, plan: Plan) -> str:
    mixed = plan.loads["popular repeat"][1]
    return (
        f"{wishes.concurrency} citizens at a time, {wishes.turns} turns a load after {WARM_UP} to warm up;"
        " every text new: published phrasings varied so that no two are embedded alike;"
        f" popular repeat: Zipf with exponent {ZIPF_EXPONENT:g} over {len(ranked(catalogue))} published phrasings"
        f" ({len(set(mixed))} different ones drawn, mean {mean([len(text) for text in mixed]):.1f} characters)"
    )


def _machine() -> dict[str, Any]:
    return {
        "measured at": datetime.now().astimezone().isoformat(" ", "seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load average before": _load_average(),
    }


def _load_average() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def _save(path: Path, systems: list[System], facts: Mapping[str, Any]) -> None:
    text = json.dumps(report.as_json(systems, _ratios(systems), facts), ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
    _say(f"kept in {path}")


def _show(systems: list[System], facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(
            json.dumps(report.as_json(systems, _ratios(systems), facts), ensure_ascii=False, indent=2) + "\n"
        )
        return
    shown = report.tables(systems, _ratios(systems), facts)
    # Not a terminal: a fixed width keeps the columns apart.
    if out.is_terminal:
        out.print(shown, markup=False)
    else:
        sys.stdout.write(report.plain(WIDTH, shown))


def _ratios(systems: list[System]) -> list[Ratio]:
    return ratios(systems[0], systems[1]) if len(systems) > 1 else []


def _say(line: str) -> None:
    notes.print(line, markup=False)


@contextmanager
def _stage(what: str) -> Iterator[None]:
    """A line that moves while something of unknown length goes on, and stays with its seconds afterwards."""
    began = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with _moving(*columns) as shown:
        shown.add_task(what, total=None)
        yield
    _say(f"{what}: {time.monotonic() - began:.1f} s")


def _moving(*columns: ProgressColumn) -> Progress:
    # In a file or a pipe it would leave nothing but empty lines.
    return Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _moving(*columns) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    app()
