"""Tries a core system against docs/fund-core-api.yaml with Schemathesis: ``scripts/check-fund-contract [URL]``.

Without an address the sandbox's is started. FUND_CONTRACT_CLIENT and FUND_CONTRACT_SECRET are what a core system knows
the client by. Applications are filed there: never point it at a system with real people.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import typer

ROOT = Path(__file__).resolve().parents[3]
CONTRACT = ROOT / "docs/fund-core-api.yaml"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,positive_data_acceptance,missing_required_header,"
    "unsupported_method,ignored_auth"
)
CONFIG = """\
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 401, 404, 409, 422]
negative_data_rejection.expected-statuses = [400, 401, 404, 405, 422]
missing_required_header.expected-statuses = [400, 401]
"""
ALL = "examples,coverage,fuzzing"
START_LIMIT_S = 60.0


@contextlib.contextmanager
def running_sandbox(folder: Path, *, people: int = 0) -> Iterator[str]:
    """The address of a core system of its own with the cast and ``people`` more, gone at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {"STATE_DIR": folder, "SANDBOX__FUND_PORT": port, "SANDBOX__FUND_PEOPLE": people}
    mine = {f"GJJ_{name}": str(value) for name, value in told.items()}
    others = {name: value for name, value in os.environ.items() if not name.startswith("GJJ_")}
    process = subprocess.Popen([sys.executable, "-m", "sandbox.fund"], cwd=ROOT, env=others | mine)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/health", trust_env=False).raise_for_status()
            return
        time.sleep(0.1)
    raise RuntimeError("the core system does not answer")


def run(url: str, folder: Path, *, examples: int, seed: int | None, phases: str = ALL) -> tuple[int, int]:
    """Exit code of Schemathesis and how many requests it made; what it says is printed."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    told = {
        "--url": url,
        "--checks": CHECKS,
        "--phases": phases,
        "--max-examples": str(examples),
        "--warnings": "off",
        "--request-timeout": "10",
        "--generation-with-security-parameters": "false",
        "--generation-database": "none",
    } | ({} if seed is None else {"--seed": str(seed)})
    options = [word for option in told.items() for word in option]
    env = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.contract.fund.signing_hooks",
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1,localhost",
    }
    command = [*schemathesis, "run", str(CONTRACT), "--no-color", "--continue-on-failure", *options]
    said = ""
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            said += line
            typer.echo(line, nl=False)
    found = re.search(r"(\d[\d,]*) generated", said)
    return process.returncode, int(found[1].replace(",", "")) if found else 0


def main(
    url: Annotated[str, typer.Argument()] = "", examples: int = 100, least: int = 2000, seed: int | None = None
) -> None:
    """URL: the core system's address; without one the sandbox's is started. EXAMPLES is per operation; fewer than
    LEAST requests in all are a failure."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        at = url or stack.enter_context(running_sandbox(folder))
        code, made = run(at, folder, examples=examples, seed=seed)
    if code == 0 and made < least:
        typer.echo(f"only {made} requests were made, {least} are wanted")
        code = 1
    raise typer.Exit(code)


if __name__ == "__main__":
    app = typer.Typer()
    app.command()(main)
    app()
