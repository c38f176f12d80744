"""The whole product on ports of its own: Rasa, action server, gateway, sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hotline import supervisor
from hotline.settings import ROOT, Settings

START_LIMIT_S = 180
PEOPLE = "200"
"""In the core system, besides its cast: tests of these processes need few."""
STAGE_S = "3600"
"""An application stays where it is once it is reviewed, until a test moves it on."""
CODES = {f"GJJ_IDENTITY__CODES_PER_{unit}": "1000" for unit in ("MINUTE", "HOUR", "DAY")}
"""The same few people prove who they are again and again; the limits on codes have tests of their own."""
LIMITS = {f"GJJ_LIMITS__WECHAT__{most}_YUAN": "1000000" for most in ("SINGLE", "DAILY")}
"""On WeChat as much may be filed as anybody of the cast has; on the page only what is set for everybody."""


@dataclass(frozen=True)
class Stack:
    """A running product. ``env`` is what its processes and `hotline` commands on it are started with."""

    settings: Settings
    env: dict[str, str]

    @property
    def gateway(self) -> str:
        return self.settings.gateway.public_url

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.settings.sandbox.port}"

    @property
    def core_system(self) -> str:
        return self.settings.fund.base_url

    def hotline(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A `hotline` command against this stack."""
        command = [sys.executable, "-m", "hotline.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120, check=False)

    def turn(self, text: str, **fields: object) -> dict[str, object]:
        """One internal turn."""
        token = self.settings.gateway.internal_token.get_secret_value()
        response = httpx.post(
            f"{self.gateway}/internal/turn",
            json={"text": text, **fields},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        )
        response.raise_for_status()
        answer: dict[str, object] = response.json()
        return answer

    def stop(self, name: str) -> None:
        """Freeze one process (a hung service); `go_on` wakes it."""
        os.kill(self._pid(name), signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        os.kill(self._pid(name), signal.SIGCONT)

    def wait_until_well(self, seconds: float = 90) -> None:
        """Returns when a question goes through Rasa again."""
        deadline = time.monotonic() + seconds
        while self.turn("公积金贷款利率多少")["degraded"]:
            assert time.monotonic() < deadline, "Rasa did not come back"
            time.sleep(0.5)

    def log(self, name: str) -> str:
        path = self.settings.state_dir / "log" / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _pid(self, name: str) -> int:
        found = supervisor.running(self.settings)
        assert found is not None
        return found.pids[name]


def free_ports(count: int) -> list[int]:
    """Ports nobody holds now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def stack_env(state_dir: Path, **more: str) -> dict[str, str]:
    """Settings of a stack in ``state_dir`` on free ports, with the knowledge and model of the checkout."""
    made = ROOT / "var"
    for name in ("knowledge", "models", "made"):
        source = made / name
        if not source.exists():
            pytest.skip("nothing is trained yet: run `hotline train`")
        (state_dir / name).symlink_to(source, target_is_directory=True)
    gateway, rasa, actions, sandbox, fund = free_ports(5)
    return {
        **{key: value for key, value in os.environ.items() if not re.match("GJJ_", key)},
        "PYTHONPATH": str(ROOT),
        "GJJ_STATE_DIR": str(state_dir),
        "GJJ_GATEWAY__PORT": str(gateway),
        "GJJ_GATEWAY__PUBLIC_URL": f"http://127.0.0.1:{gateway}",
        "GJJ_RASA__URL": f"http://127.0.0.1:{rasa}",
        "GJJ_ACTIONS__PORT": str(actions),
        "GJJ_SANDBOX__PORT": str(sandbox),
        "GJJ_WECHAT__API_BASE": f"http://127.0.0.1:{sandbox}/wechat",
        "GJJ_TWILIO__API_BASE": f"http://127.0.0.1:{sandbox}/twilio",
        "GJJ_CITY_HOTLINE__BASE_URL": f"http://127.0.0.1:{sandbox}/city-hotline",
        "GJJ_IDENTITY__WECHAT_OAUTH_URL": f"http://127.0.0.1:{sandbox}/connect/oauth2/authorize",
        "GJJ_SANDBOX__FUND_PORT": str(fund),
        "GJJ_SANDBOX__FUND_PEOPLE": PEOPLE,
        "GJJ_SANDBOX__FUND_STAGE_S": STAGE_S,
        **CODES,
        **LIMITS,
        "GJJ_FUND__BASE_URL": f"http://127.0.0.1:{fund}",
        **more,
    }


@contextlib.contextmanager
def running_stack(state_dir: Path, **more: str) -> Iterator[Stack]:
    """Everything up, and stopped at the end; a port left behind fails the test that used it."""
    env = stack_env(state_dir, **more)
    settings = _settings(env)
    log = state_dir / "up.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hotline.cli", "up"],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        began = time.monotonic()
        while not ((found := supervisor.running(settings)) and found.ready):
            assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
            assert time.monotonic() - began < START_LIMIT_S, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.2)
        yield Stack(settings, env)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    supervisor.check_ports(supervisor.services(settings))


def _settings(env: dict[str, str]) -> Settings:
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(env)
        return Settings()
    finally:
        os.environ.clear()
        os.environ.update(before)
