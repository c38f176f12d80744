"""Puts one load on a running system and reads what it did to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hotline.errors import ConfigError
from hotline.settings import ROOT
from tests.load.figures import Phase, mean, percentile
from tests.load.pusher import Job
from tests.load.stack import Running, Usage

LINE_LIMIT = 2**24
"""Bytes in one line of the pusher: all latencies of a long run."""


async def put(running: Running, job: Job, *, name: str, progress: Callable[[int], None]) -> tuple[Phase, int]:
    """The figures of one phase, and how many answers said that the question was not understood."""
    before, after, result = await running.during(_push(running, job, progress))
    asked = len(job.questions)
    ms: list[float] = result["ms"]
    phase = Phase(
        name=name,
        turns=asked,
        seconds=result["seconds"],
        p50_ms=percentile(ms, 50),
        p95_ms=percentile(ms, 95),
        p99_ms=percentile(ms, 99),
        mean_chars=mean([len(text) for text in job.questions]),
        errors=result["errors"],
        cpu_ms_per_turn=(after.cpu_s - before.cpu_s) * 1000 / asked if asked else 0.0,
    )
    return phase, result["unsure"]


async def _push(running: Running, job: Job, progress: Callable[[int], None]) -> tuple[Usage, Usage, dict[str, Any]]:
    """Raises ConfigError when the pusher ends without a result."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.load.pusher"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the bench alone, which then ends this
        limit=LINE_LIMIT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    before = running.usage()
    try:
        process.stdin.write(json.dumps(asdict(job)).encode())
        process.stdin.close()
        async for line in process.stdout:
            said = json.loads(line)
            if "measuring" in said:
                before = running.usage()
            elif "done" in said:
                progress(said["done"])
            elif "result" in said:
                return before, running.usage(), said["result"]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
    raise ConfigError("the load generator ended without a result")
