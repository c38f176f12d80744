"""The command line's way into a running gateway."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from hotline import supervisor
from hotline.errors import ConfigError, TemporaryError
from hotline.settings import ROOT, Settings

START_LIMIT_S = 1200
IDLE_EXIT_S = 900


class GatewayClient:
    """Asks the gateway over loopback. Use as a context manager."""

    def __init__(self, settings: Settings, *, timeout_s: float = 30.0) -> None:
        gateway = settings.gateway
        self._client = httpx.Client(
            base_url=f"http://{gateway.host}:{gateway.port}",
            headers={"Authorization": f"Bearer {gateway.internal_token.get_secret_value()}"},
            timeout=timeout_s,
            trust_env=False,
        )

    def __enter__(self) -> GatewayClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def answers(self) -> bool:
        """True when the gateway is there (Rasa may be down: citizens are answered all the same)."""
        with contextlib.suppress(httpx.HTTPError):
            return self._client.get("/ready", timeout=3).status_code == 200
        return False

    def turn(self, text: str, **fields: Any) -> dict[str, Any]:
        """One turn through the whole chain. Raises TemporaryError with the gateway's reason."""
        return dict(self._asked("POST", "/internal/turn", json={"text": text, **fields}))

    def handovers(self) -> list[dict[str, Any]]:
        """Open requests for a person, oldest first."""
        return list(self._asked("GET", "/internal/handovers"))

    def close_handover(self, number: int) -> None:
        """Raises TemporaryError when there is no such open request."""
        self._asked("POST", f"/internal/handovers/{number}/close")

    def counts(self) -> dict[str, int]:
        """Waiting messages, due deliveries, open requests for a person."""
        return dict(self._asked("GET", "/internal/counts"))

    def _asked(self, method: str, path: str, **options: Any) -> Any:
        """What the gateway answered. Raises TemporaryError when it is away or says no."""
        try:
            response = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise TemporaryError(f"the gateway does not answer ({type(error).__name__})") from error
        if response.status_code != 200:
            raise TemporaryError(f"gateway answered {response.status_code}: {response.text[:200]}")
        return response.json()


def ensure_running(settings: Settings, report: Callable[[str], None]) -> None:
    """Every process is up afterwards; what this starts ends by itself after a quarter of an hour unused.

    Raises ConfigError with one sentence when it cannot be started."""
    process = None
    if supervisor.running(settings) is None:
        report("starting what is not running (it stops by itself when unused; `make up` keeps it) …")
        process = _start(settings)
    began = time.monotonic()
    while not _ready(settings):
        if process is not None and process.poll() is not None:
            said = _log_path(settings).read_text(encoding="utf-8", errors="replace").strip()
            raise ConfigError(f"could not start: {said.splitlines()[-1] if said else 'no reason given'}")
        if process is None and supervisor.running(settings) is None:
            raise ConfigError("the processes that were starting have stopped; try again")
        if time.monotonic() - began > START_LIMIT_S:
            raise ConfigError(f"did not start in {START_LIMIT_S} s (see {_log_path(settings)})")
        time.sleep(0.2)


def _ready(settings: Settings) -> bool:
    found = supervisor.running(settings)
    if found is None or not found.ready:
        return False
    with GatewayClient(settings) as client:
        return client.answers()


def _log_path(settings: Settings) -> Path:
    return settings.state_dir / "log" / "up.log"


def _start(settings: Settings) -> subprocess.Popen[bytes]:
    """`hotline up` on its own, with its words in a log."""
    _log_path(settings).parent.mkdir(parents=True, exist_ok=True)
    with _log_path(settings).open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "hotline.cli", "up", "--idle-exit", str(IDLE_EXIT_S)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
