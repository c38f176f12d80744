"""Starting, loading and stopping real processes, with small servers in the place of the systems."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from hotline.errors import ConfigError
from hotline.settings import Settings
from hotline.supervisor import Service
from tests.load import load
from tests.load.lines import RestLine, WeChatLine, described
from tests.load.pusher import Job
from tests.load.stack import bench_settings, first_answer, free_ports, our_services, started, stop_on_signals
from tests.load.wechat import Account

pytestmark = pytest.mark.anyio

ECHO = textwrap.dedent("""
    import json, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._say([])

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._say([{"text": "" if asked["message"] == "mute" else "re: " + asked["message"]}])

        def _say(self, value):
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
""")


def echo(port: int, code: str = ECHO) -> Service:
    return Service(
        name="echo",
        command=[sys.executable, "-c", code, str(port)],
        host="127.0.0.1",
        port=port,
        health_url=f"http://127.0.0.1:{port}/",
        env=dict(os.environ),
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"state_dir": tmp_path})


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def job(port: int, questions: list[str]) -> Job:
    line = described(RestLine(f"http://127.0.0.1:{port}/"))
    return Job(line=line, concurrency=4, warm_up=["warm"] * 3, questions=questions, unsure=["re: unsure"])


async def test_a_load_is_measured_and_nothing_is_left_running(settings: Settings, port: int) -> None:
    told: list[int] = []
    async with started(settings, [echo(port)], lambda _: None) as running:
        await first_answer(running, RestLine(f"http://127.0.0.1:{port}/"), "hello")
        asked = ["what"] * 30 + ["mute"] * 2 + ["unsure"] * 8
        phase, unsure = await load.put(running, job(port, asked), name="x", progress=told.append)
        usage = running.usage()
    assert (phase.turns, dict(phase.errors), unsure) == (40, {"silent": 2}, 8)
    assert 0 < phase.p50_ms <= phase.p95_ms <= phase.p99_ms
    assert phase.turns_per_s > 1
    assert phase.cpu_ms_per_turn > 0
    assert 5 < usage.memory_mib < 500
    assert told[-1] == 40
    assert is_free(port)
    assert not [child for child in psutil.Process().children(recursive=True) if "-c" in child.cmdline()]


async def test_a_system_that_dies_under_load_ends_the_measurement_with_its_name(settings: Settings, port: int) -> None:
    dying = ECHO.replace("asked = json", "import os; os._exit(3)\n        asked = json")
    with pytest.raises(ConfigError, match="echo ended by itself"):
        async with started(settings, [echo(port, dying)], lambda _: None) as running:
            await load.put(running, job(port, ["what"] * 20), name="x", progress=lambda _: None)
    assert is_free(port)


async def test_a_taken_port_is_one_sentence(settings: Settings, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ConfigError, match=f"port {port} for echo is taken"):
            async with started(settings, [echo(port)], lambda _: None):
                pytest.fail("started on a taken port")


async def test_ctrl_c_while_measuring_stops_everything(settings: Settings, port: int) -> None:
    async def measuring() -> None:
        async with started(settings, [echo(port)], lambda _: None) as running:
            asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), signal.SIGINT)
            await load.put(running, job(port, ["what"] * 100_000), name="x", progress=lambda _: None)

    task = asyncio.create_task(measuring())
    with pytest.raises(asyncio.CancelledError):
        await task
    stop_on_signals(None)
    assert is_free(port)
    assert not [
        child for child in psutil.Process().children(recursive=True) if "tests.load" in " ".join(child.cmdline())
    ]


async def test_no_answer_ever_is_one_sentence(settings: Settings, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.load.stack.FIRST_ANSWER_LIMIT_S", 0.5)
    with pytest.raises(ConfigError, match="no answer within"):
        async with started(settings, [echo(port)], lambda _: None) as running:
            await first_answer(running, RestLine(f"http://127.0.0.1:{port}/"), "mute")


def test_the_measured_system_shares_nothing_but_what_was_trained(settings: Settings, tmp_path: Path) -> None:
    for name in ("knowledge", "models"):
        (tmp_path / name).mkdir()
    own = bench_settings(settings, tmp_path / "bench" / "run")
    assert own.knowledge_dir.resolve() == settings.knowledge_dir
    assert own.resolved_database_url != settings.resolved_database_url
    assert own.state_dir != settings.state_dir
    assert not own.sandbox.enabled
    assert len({own.gateway.port, own.actions.port, int(own.rasa.url.rsplit(":", 1)[1])}) == 3
    assert len(own.wechat.aes_key.get_secret_value()) == 43
    names = [service.name for service in our_services(own)]
    assert names == ["rasa", "actions", "gateway"]
    for service in our_services(own):
        assert service.env["GJJ_STATE_DIR"] == str(own.state_dir)
    assert isinstance(WeChatLine("", Account.of(own.wechat)).account.token, str)
