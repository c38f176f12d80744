"""The Asterisk that `scripts/asterisk start` has started, telephones, and a switch for each test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.telephone.sip_caller import SipCaller
from tests.voice_e2e.answering import FIGURES, SIP, Answering

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    if os.environ.get("HOTLINE_VOICE_E2E") == "1":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs an Asterisk: `make voice-e2e`"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("figures")
        for figure in FIGURES:
            terminalreporter.write_line(figure)


@pytest.fixture(scope="session", autouse=True)
def asterisk() -> Iterator[None]:
    """Runs; one that runs already is left running."""
    if os.environ.get("HOTLINE_VOICE_E2E") != "1":
        yield
        return
    runs_already = _asterisk("status") == 0
    assert runs_already or _asterisk("start") == 0, "Asterisk does not start"
    yield
    if not runs_already:
        _asterisk("stop")


def _asterisk(command: str) -> int:
    return subprocess.run(["scripts/asterisk", command], cwd=HERE.parents[1], timeout=600, check=False).returncode


@pytest.fixture
async def phones() -> AsyncIterator[SipCaller]:
    """Callers' and agents' telephones, at the address Asterisk rings agents on."""
    async with SipCaller.started(f"127.0.0.1:{os.environ.get('ASTERISK_AGENTS', '15075')}") as kit:
        yield kit


@pytest.fixture(params=["websocket", "audiosocket"])
async def answering(request: pytest.FixtureRequest) -> AsyncIterator[Answering]:
    """A switch that answers, by each way sound can come."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(Answering.started(request.param))


@pytest.fixture
def domain() -> str:
    return SIP
