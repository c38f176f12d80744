"""A real Chromium and something for it to look at.

``GJJ_TEST_STACK_URL`` names a running gateway; without it the citizen page runs over an in-memory core.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "no Chromium; enable with: apt-get install -y --no-install-recommends chromium fonts-wqy-microhei"
TIME_LIMIT_MS = 10_000
START_LIMIT_S = 20


@pytest.fixture(scope="session")
def stack_url() -> Iterator[str]:
    """The address of a gateway that serves the pages."""
    given = os.environ.get("GJJ_TEST_STACK_URL")
    if given:
        yield given.rstrip("/")
        return
    port = _free_port()
    process = _start_page(port)
    try:
        _wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


# Not longer than a module: Playwright's loop stays running in this thread, and asynchronous tests need their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chromium_page(chromium: Browser) -> Iterator[Page]:
    """A page of a phone's size in a browser profile of its own."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    context.set_default_timeout(TIME_LIMIT_MS)
    page = context.new_page()
    yield page
    context.close()


def _start_page(port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "uvicorn", "--factory", "dev_app:create_app", "--port", str(port)]
    folder = ROOT / "tests" / "unit" / "web" / "citizen"
    return subprocess.Popen([*command, "--app-dir", str(folder), "--log-level", "warning"], cwd=ROOT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the page's process did not open port {port}")
