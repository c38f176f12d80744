"""The desk's pages in a process of their own, and who sits in front of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.desk_page import DeskPage, Town

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_S = 60


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """The desk's pages in a process of their own."""
    with opened() as there:
        yield there


@contextmanager
def opened(**settings: str) -> Iterator[Town]:
    """The desk's pages in a process of their own, with ``settings`` in its environment."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "desk_app:create_app", "--port", str(port)]
    # Open pages hold a connection for ever; they must not keep the process from ending.
    command += ["--timeout-graceful-shutdown", "1", "--log-level", "warning"]
    command += ["--app-dir", str(ROOT / "tests" / "unit" / "web" / "desk")]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings, "PYTHONPATH": str(ROOT)})
    try:
        _wait_until_open(port, process)
        yield Town(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the page's process did not open port {port}")


@pytest.fixture
def wang(chromium: Browser, town: Town) -> Iterator[DeskPage]:
    town.play("reset")
    page = town.sit_down(chromium, "wang")
    desk = DeskPage(page, town.url)
    yield desk
    page.context.close()
    assert desk.problems == []


@pytest.fixture
def lin(chromium: Browser, town: Town) -> Iterator[Page]:
    page = town.sit_down(chromium, "lin")
    yield page
    page.context.close()
