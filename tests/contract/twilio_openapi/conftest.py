"""Twilio's REST API as its own description says it is, served on loopback by prism."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INSTALL_S = 300
START_S = 120
_PRISM = "node_modules/@stoplight/prism-cli/dist/index.js"
_DESCRIPTION = "node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"


@pytest.fixture(scope="session")
def twilio_api() -> Iterator[str]:
    """Its address. A request that the description does not allow is answered with 422."""
    node, folder = shutil.which("node"), _installed()
    assert node is not None
    port = _free_port()
    command = [node, _PRISM, "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), _DESCRIPTION]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _installed() -> Path:
    try:
        done = subprocess.run(
            ["scripts/prism"], cwd=ROOT, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"scripts/prism did not end within {INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"no prism: {done.stderr.strip().splitlines()[-1]}")
    return Path(done.stdout.strip())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("prism did not open its port")
