"""Running systems: started on ports of their own, watched while they are measured, gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil  # type: ignore[import-untyped]
from pydantic import SecretStr

from hotline.errors import ConfigError
from hotline.settings import Settings
from hotline.storage.migrate import migrate
from hotline.supervisor import Service, Supervisor, services
from tests.load.lines import Line, WeChatLine
from tests.load.pusher import TIMEOUT_S
from tests.load.wechat import Account, NoAnswer

T = TypeVar("T")

FIRST_ANSWER_LIMIT_S = 60.0
LOOK_EVERY_S = 0.25
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of all processes of a system: processor seconds so far, and resident memory now."""

    cpu_s: float
    memory_mib: float


class Running:
    """A started system."""

    def __init__(self, boss: Supervisor, life: asyncio.Task[None], logs: Path) -> None:
        self._boss = boss
        self._life = life
        self._logs = logs

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``. Raises ConfigError when a process ends meanwhile, even if it is started again."""
        task, pids = asyncio.ensure_future(work), self._boss.pids
        try:
            while not task.done() and not self._life.done():
                await asyncio.wait([task, self._life], timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                self._same_processes(pids)
            if not task.done():
                self._life.result()
                raise ConfigError("the measured processes were stopped from outside")
            return task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _same_processes(self, pids: Mapping[str, int]) -> None:
        """Figures taken across a restart would be nobody's."""
        now = self._boss.pids
        for name, pid in pids.items():
            if now[name] != pid or not _alive(pid):
                raise ConfigError(f"{name} ended by itself while it was measured (see {self._logs / name}.log)")

    def usage(self) -> Usage:
        """Counted over every process and what it started."""
        cpu_s, rss = 0.0, 0
        for process in _family(self._boss.pids.values()):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                cpu_s += times.user + times.system
                rss += process.memory_info().rss
        return Usage(cpu_s=cpu_s, memory_mib=rss / 2**20)


@asynccontextmanager
async def started(
    settings: Settings, wanted: Sequence[Service], report: Callable[[str], None]
) -> AsyncIterator[Running]:
    """Every service is healthy inside, and none is left behind, however the block is left. Raises ConfigError."""
    ready = asyncio.Event()
    boss = Supervisor(settings, report)
    life = asyncio.create_task(boss.run(wanted, ready.set))
    running = Running(boss, life, settings.state_dir / "log")
    try:
        await asyncio.sleep(0)  # the supervisor has taken the signals now; while measuring they are ours
        stop_on_signals(asyncio.current_task())
        await running.during(ready.wait())
        yield running
    finally:
        boss._stop.set()
        with contextlib.suppress(ConfigError):  # told already, where it was what ended the measurement
            await life


def stop_on_signals(task: asyncio.Task[Any] | None) -> None:
    """The first Ctrl-C (or SIGTERM) cancels ``task``; further ones wait with it until everything has stopped."""
    loop = asyncio.get_running_loop()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping and task is not None:
            stopping = True
            task.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)


async def first_answer(running: Running, line: Line, text: str) -> None:
    """Returns when ``text`` has been answered; asks again and again until then. Raises ConfigError."""

    async def asking() -> None:
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                try:
                    await line.ask(client, text, citizen=f"o{secrets.token_hex(13)}")
                    return
                except (NoAnswer, httpx.HTTPError) as error:
                    if time.monotonic() - began > FIRST_ANSWER_LIMIT_S:
                        reason = str(error) or type(error).__name__
                        raise ConfigError(
                            f"no answer within {FIRST_ANSWER_LIMIT_S:.0f} s of starting: {reason}"
                        ) from error
                await asyncio.sleep(0.2)

    await running.during(asking())


def bench_settings(chosen: Settings, directory: Path) -> Settings:
    """These settings with a state directory, database, ports and secrets of their own, and without the sandbox.

    The knowledge and the model are those of ``chosen``."""
    directory.mkdir(parents=True)
    for name in ("knowledge", "models"):
        (directory / name).symlink_to((chosen.state_dir / name).resolve())
    gateway, rasa, actions, nobody = free_ports(4)
    made = chosen.model_copy(
        update={
            "state_dir": directory,
            "database_url": f"sqlite+aiosqlite:///{directory / 'hotline.db'}",
            "log_level": "WARNING",
            "gateway": chosen.gateway.model_copy(
                update={"host": "127.0.0.1", "port": gateway, "public_url": f"http://127.0.0.1:{gateway}"}
            ),
            "rasa": chosen.rasa.model_copy(update={"url": f"http://127.0.0.1:{rasa}"}),
            "actions": chosen.actions.model_copy(update={"host": "127.0.0.1", "port": actions}),
            "sandbox": chosen.sandbox.model_copy(update={"enabled": False}),
            "wechat": chosen.wechat.model_copy(
                update={
                    "token": SecretStr(secrets.token_hex(16)),
                    "aes_key": SecretStr(secrets.token_hex(21) + "A"),
                    # Answers that come too late are pushed; here they must fail at once instead of leaving.
                    "api_base": f"http://127.0.0.1:{nobody}",
                }
            ),
        }
    )
    return Settings.model_validate(made.model_dump())


def our_services(settings: Settings) -> list[Service]:
    """Gateway, Rasa and action server, each told these settings through its environment."""
    given = environment(settings)
    return [replace(service, env={**service.env, **given}) for service in services(settings)]


def our_line(settings: Settings) -> WeChatLine:
    """The WeChat door of the gateway."""
    return WeChatLine(f"{settings.gateway.public_url}/channels/wechat", Account.of(settings.wechat))


def prepare_database(settings: Settings) -> None:
    """The schema is in place."""
    migrate(settings.resolved_database_url)


def environment(settings: Settings) -> dict[str, str]:
    """Everything in which ``settings`` may differ from what the processes would read by themselves."""
    nested = settings.model_dump()
    given = {
        f"GJJ_{section}__{name}".upper(): _written(value)
        for section in ("gateway", "rasa", "actions", "sandbox", "wechat")
        for name, value in nested[section].items()
        if value is not None
    }
    return {
        **given,
        "GJJ_STATE_DIR": str(settings.state_dir),
        "GJJ_DATABASE_URL": settings.resolved_database_url,
        "GJJ_LOG_LEVEL": settings.log_level,
        "GJJ_ACTIONS_URL": f"http://{settings.actions.host}:{settings.actions.port}/webhook",
        "GJJ_TRACKER_DB": str(settings.state_dir / "rasa.db"),
    }


def free_ports(count: int) -> list[int]:
    """Different ports of this machine that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _written(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def _family(pids: Iterable[int]) -> Iterable[psutil.Process]:
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            yield process
            yield from process.children(recursive=True)
