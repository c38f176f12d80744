"""The command line's way into a running gateway."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
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

    def healthy(self) -> bool:
        """True when the gateway answers and reaches Rasa."""
        with contextlib.suppress(httpx.HTTPError, ValueError):
            return bool(self._client.get("/health", timeout=3).json().get("rasa"))
        return False

    def turn(self, text: str, **fields: Any) -> dict[str, Any]:
        """One turn through the whole chain. Raises TemporaryError with the gateway's reason."""
        try:
            response = self._client.post("/internal/turn", json={"text": text, **fields})
        except httpx.HTTPError as error:
            raise TemporaryError(f"gateway: {type(error).__name__}") from error
        if response.status_code != 200:
            raise TemporaryError(f"gateway answered {response.status_code}: {response.text[:200]}")
        answer: dict[str, Any] = response.json()
        return answer

    def counts(self) -> dict[str, int]:
        """Waiting messages, due deliveries, open requests for a person."""
        counted: dict[str, int] = self._client.get("/internal/counts").json()
        return counted


def ensure_running(settings: Settings, report: Callable[[str], None]) -> None:
    """Every process is up afterwards; what this starts ends by itself after a quarter of an hour unused."""
    with GatewayClient(settings) as client:
        if client.healthy():
            return
    supervisor.stop_running(settings)
    report("starting what is not running (it stops by itself when unused; `make up` keeps it) …")
    log_path = settings.state_dir / "log" / "up.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "hotline.cli", "up", "--idle-exit", str(IDLE_EXIT_S)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    began = time.monotonic()
    with GatewayClient(settings) as client:
        # The state file is written only when every process is healthy.
        while not (supervisor.running(settings) and client.healthy()):
            if process.poll() is not None:
                raise ConfigError(f"could not start: {log_path.read_text(errors='replace').strip()[-600:]}")
            if time.monotonic() - began > START_LIMIT_S:
                raise ConfigError(f"did not start in {START_LIMIT_S} s (see {log_path})")
            time.sleep(0.3)
