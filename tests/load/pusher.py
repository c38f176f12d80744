"""``python -m tests.load.pusher``: the citizens, in a process of their own so that they cost the system nothing.

Reads one JSON job on standard input; writes ``{"done": n}`` lines while it asks and one ``{"result": …}`` line.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.load.lines import Line, line_of
from tests.load.wechat import NoAnswer

TIMEOUT_S = 10.0
CONVERSATION_TURNS = 3
"""So many questions a citizen asks before the next citizen takes the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to ask, by how many at once, and which openings of an answer mean what."""

    line: Mapping[str, Any]
    concurrency: int
    warm_up: list[str]
    questions: list[str]
    failures: list[str] = field(default_factory=list)
    """Sentences that say that something went wrong: an answer that starts so is an error."""
    unsure: list[str] = field(default_factory=list)
    """Sentences that say that the question was not understood: counted, not an error."""


@dataclass(slots=True)
class Result:
    """``ms`` holds answered turns only, in the order they ended."""

    seconds: float = 0.0
    ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    unsure: int = 0


class Citizens:
    """Ask closed-loop: each waits for the answer, then asks the next question of the common list."""

    def __init__(self, job: Job, line: Line, client: httpx.AsyncClient) -> None:
        self._job = job
        self._line = line
        self._client = client
        self._run = secrets.token_hex(4)

    async def ask_all(self, questions: Iterable[str], progress: Callable[[int], None]) -> Result:
        """Every question is asked once afterwards."""
        result, waiting = Result(), iter(questions)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for place in range(self._job.concurrency):
                group.create_task(self._citizen(place, waiting, result, progress))
        result.seconds = time.perf_counter() - began
        return result

    async def _citizen(
        self, place: int, waiting: Iterator[str], result: Result, progress: Callable[[int], None]
    ) -> None:
        series = secrets.token_hex(3)
        for asked, text in enumerate(waiting):
            citizen = f"o{self._run}{series}{place:03d}{asked // CONVERSATION_TURNS:06d}"
            began = time.perf_counter()
            try:
                answer = await self._line.ask(self._client, text, citizen=citizen)
                self._judge(answer, (time.perf_counter() - began) * 1000, result)
            except NoAnswer as error:
                result.errors[str(error)] += 1
            except httpx.HTTPError as error:
                result.errors[type(error).__name__] += 1
            progress(len(result.ms) + result.errors.total())

    def _judge(self, answer: str, took_ms: float, result: Result) -> None:
        if answer.startswith(tuple(self._job.failures)):
            raise NoAnswer("error sentence")
        result.ms.append(took_ms)
        result.unsure += answer.startswith(tuple(self._job.unsure))


async def run(job: Job, progress: Callable[[int], None]) -> Result:
    """Warm-up, then the measured questions; only the latter are in the result."""
    limits = httpx.Limits(max_connections=job.concurrency, max_keepalive_connections=job.concurrency)
    async with httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits, trust_env=False) as client:
        citizens = Citizens(job, line_of(job.line), client)
        await citizens.ask_all(job.warm_up, lambda _: None)
        _say({"measuring": True})
        return await citizens.ask_all(job.questions, progress)


def _say(value: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> None:
    """One job from standard input to standard output."""
    job = Job(**json.load(sys.stdin))
    result = asyncio.run(run(job, lambda done: _say({"done": done})))
    # Not asdict: it cannot copy a Counter.
    errors = dict(result.errors)
    _say({"result": {"seconds": result.seconds, "ms": result.ms, "errors": errors, "unsure": result.unsure}})


if __name__ == "__main__":
    main()
