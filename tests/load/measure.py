"""One system after the other: start, start again, two loads, memory, topics."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from hotline.settings import ROOT, Settings
from hotline.supervisor import Service
from knowledge_base.model import Catalogue
from tests.load import accuracy, baseline, load, record, stack
from tests.load.figures import Phase, System
from tests.load.lines import RestLine, WeChatLine, described
from tests.load.pusher import Job

OURS, BASELINE = "ours", "baseline"
FAILURE_WORDS = {
    "hotline/wording/core.yml": ("failed", "busy"),
    "hotline/services/wording/answering.yml": ("sorry",),
}
"""Where our own sentences for "something went wrong" stand, and their names there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What both systems are asked. ``loads``: name → warm-up questions and measured questions."""

    catalogue: Catalogue
    concurrency: int
    loads: Mapping[str, tuple[list[str], list[str]]]
    first: str
    questions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where a run keeps its files, and how it tells the operator what goes on."""

    home: Path
    run: Path
    say: Callable[[str], None]
    stage: Callable[[str], AbstractContextManager[None]]
    progress: Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A system that can be started and asked."""

    name: str
    settings: Settings
    services: Sequence[Service]
    line: WeChatLine | RestLine
    failures: list[str]
    unsure: list[str]


async def measure_ours(settings: Settings, plan: Plan, tools: Tools) -> System:
    """Gateway, Rasa and action server on their own ports and database, asked through WeChat's push."""
    own = stack.bench_settings(settings, tools.run / OURS)
    with tools.stage("preparing a database"):
        await asyncio.to_thread(stack.prepare_database, own)
    target = Target(
        name=OURS,
        settings=own,
        services=stack.our_services(own),
        line=stack.our_line(own),
        failures=failure_sentences(),
        unsure=[],
    )

    def topics(done: Callable[[], None]) -> dict[str, float]:
        return accuracy.ours(own, plan.catalogue, plan.questions, done)

    return await _measure(target, plan, tools, database=own.state_dir / "hotline.db", topics=topics)


async def measure_baseline(settings: Settings, plan: Plan, tools: Tools, *, again: bool) -> System:
    """A stock Rasa alone, asked through its REST channel."""
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
    made = baseline.project(plan.catalogue, baseline.control_examples(ROOT / "data" / "nlu"), on=today)
    with tools.stage("training the baseline"):
        model = await baseline.trained(made, tools.home / "baseline", again=again)
    (port,) = stack.free_ports(1)
    target = Target(
        name=BASELINE,
        settings=settings.model_copy(update={"state_dir": tools.run / BASELINE}),
        services=[baseline.service(model, port)],
        line=baseline.line(port),
        failures=[],
        unsure=baseline.unsure_sentences(),
    )

    def topics(done: Callable[[], None]) -> dict[str, float]:
        url = f"http://{baseline.HOST}:{port}"
        return accuracy.baseline(url, plan.catalogue, made.matters, questions=plan.questions, done=done)

    system = await _measure(target, plan, tools, database=None, topics=topics)
    note = "this run" if model.fresh else f"from the run of {model.trained_at}"
    return replace(system, training_s=model.seconds, training_note=note)


async def _measure(
    target: Target,
    plan: Plan,
    tools: Tools,
    *,
    database: Path | None,
    topics: Callable[[Callable[[], None]], dict[str, float]],
) -> System:
    """Started twice: the first start brings the files into memory, the second one counts."""
    with tools.stage(f"{target.name}: first start"):
        async with stack.started(target.settings, target.services, tools.say) as running:
            await stack.first_answer(running, target.line, plan.first)
    with contextlib.ExitStack() as starting:
        starting.enter_context(tools.stage(f"{target.name}: restart to first answer"))
        began = time.monotonic()
        async with stack.started(target.settings, target.services, lambda _: None) as running:
            await stack.first_answer(running, target.line, plan.first)
            start_s = time.monotonic() - began
            starting.close()
            phases = [
                await _load(target, plan, tools, running=running, name=name, database=database) for name in plan.loads
            ]
            memory_mib = running.usage().memory_mib
            scores = await _topics(target, plan, tools, running=running, topics=topics)
    return System(
        name=target.name,
        training_s=None,
        training_note="",
        start_s=start_s,
        memory_mib=memory_mib,
        phases=tuple(phases),
        accuracy=scores,
    )


async def _load(
    target: Target, plan: Plan, tools: Tools, *, running: stack.Running, name: str, database: Path | None
) -> Phase:
    warm_up, questions = plan.loads[name]
    job = Job(
        line=described(target.line),
        concurrency=plan.concurrency,
        warm_up=warm_up,
        questions=questions,
        failures=target.failures,
        unsure=target.unsure,
    )
    before = record.last_turn(database) if database else 0
    with tools.progress(f"{target.name}: {name}", len(questions)) as progress:
        phase, unsure = await load.put(running, job, name=name, progress=progress)
    if database is None:
        answered = phase.turns - sum(phase.errors.values()) - unsure
        return replace(phase, outcomes={"answered": answered, "not understood": unsure})
    noted = record.noted_since(database, before, skip=len(warm_up))
    return replace(phase, outcomes=noted.outcomes, hops_ms=noted.hops_ms)


async def _topics(
    target: Target,
    plan: Plan,
    tools: Tools,
    *,
    running: stack.Running,
    topics: Callable[[Callable[[], None]], dict[str, float]],
) -> dict[str, float] | None:
    """None where no questions were given."""
    if not plan.questions:
        return None
    with tools.progress(f"{target.name}: topics", len(plan.questions)) as progress:
        asked = itertools.count(1)
        return await running.during(asyncio.to_thread(topics, lambda: progress(next(asked))))


def failure_sentences() -> list[str]:
    """How our answers begin when something went wrong, up to the first figure in them."""
    found = []
    for file, names in FAILURE_WORDS.items():
        said = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["say"]
        for name in names:
            text = said[name] if isinstance(said[name], str) else said[name]["default"]
            found.append(text.split("{")[0])
    return found
