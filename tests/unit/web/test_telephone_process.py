"""The telephone process without its line."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from channels.voice.wording import wording
from hotline import supervisor
from hotline.errors import ConfigError
from tests.core_kit import core_kit, settings_in
from tests.telephone.fake_line import FakeLine
from tests.telephone.fake_speech import FakeVoice
from web.telephone.app import Line
from web.telephone.around import build_around
from web.telephone.calls import CallTaker
from web.telephone.lines import build_switch

pytestmark = pytest.mark.anyio


class DyingSwitch:
    async def run(self) -> None:
        raise OSError("the address is taken")


async def test_a_line_that_is_gone_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    line = Line(DyingSwitch())
    await line.run()
    assert raised == [signal.SIGTERM]
    assert not line.is_up


def test_processes_of_the_telephone_are_started_where_a_line_is_set(tmp_path: Path) -> None:
    names = [each.name for each in supervisor.services(settings_in(tmp_path))]
    assert "telephone" not in names
    with_line = settings_in(tmp_path, telephone={"line": "sip", "recogniser": "local"})
    names = [each.name for each in supervisor.services(with_line)]
    assert names[-2:] == ["hearing", "telephone"]


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="make install-all"):
        supervisor.services(settings_in(tmp_path, telephone={"line": "asterisk"}))


def test_no_line_is_no_switch(tmp_path: Path) -> None:
    async def on_call(_: object) -> None: ...

    with pytest.raises(ConfigError, match="LINE"):
        build_switch(settings_in(tmp_path).telephone, on_call)


async def test_who_calls_when_all_lines_are_busy_is_told_so(tmp_path: Path) -> None:
    async with core_kit(tmp_path) as kit:
        telephone = kit.core.settings.telephone.model_copy(update={"most_calls": 1})
        core = replace(kit.core, settings=kit.core.settings.model_copy(update={"telephone": telephone}))
        voice, line = FakeVoice(), FakeLine("c2")
        taker = CallTaker(core, build_around(core), voice, None, None, going_on=1)
        await asyncio.wait_for(taker(line), 30)
        assert voice.asked == [wording().busy]
        assert line.heard()
        assert taker.going_on == 1
        assert kit.dialogue.asked == []
