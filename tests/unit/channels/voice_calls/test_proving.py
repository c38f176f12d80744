"""Proof by keypad in a call: real identity on SQLite, a core system in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.voice.dialogue import proving
from channels.voice.dialogue.call import CallConversation
from channels.voice.session import Call, Final, HangUp, HungUp, Keys, Silence, VoiceEvent
from hotline.domain.messages import InboundKind
from tests.fake_fund import ID_NUMBER, PASSWORD
from tests.unit.channels.voice_calls.call_kit import FakeLine, until
from tests.unit.web.keypad_kit import ASKED, BALANCE, Line, a_line
from web.telephone.around import build_around

pytestmark = pytest.mark.anyio
KEYED_ID = ID_NUMBER.replace("X", "*")


class Proof:
    """A caller who is asked who he is."""

    def __init__(self, line: Line, session: FakeLine) -> None:
        self.line = line
        self.session = session

    async def does(self, event: VoiceEvent) -> str:
        before = len(self.session.said)
        self.session.queue.put_nowait(event)
        await until(lambda: len(self.session.said) > before)
        await asyncio.sleep(0.05)
        return "|".join(self.session.said[before:])

    async def keys(self, keys: str) -> str:
        return await self.does(Keys(keys=keys, by_finish_key=True))


@asynccontextmanager
async def proof(directory: Path) -> AsyncIterator[Proof]:
    async with a_line(directory) as line:
        session = FakeLine(Call(id="sip-proof", line="sip", caller="13900000009"))
        conversation = CallConversation(session, build_around(line.core))
        task = asyncio.create_task(conversation.run())
        await until(lambda: bool(conversation._conversation_id))
        try:
            yield Proof(line, session)
        finally:
            if not task.done():
                session.queue.put_nowait(HungUp(by=HangUp.CALLER))
            await asyncio.wait_for(task, 10)


async def test_a_caller_proves_who_he_is_and_gets_what_he_asked_for(tmp_path: Path) -> None:
    async with proof(tmp_path) as caller:
        asked = await caller.does(Final(text="我的余额"))
        assert ASKED.rstrip("。") in asked  # what for, and the notice after it in one go
        assert "同意请按1" in asked
        listening = caller.session.listenings[-1]
        assert listening is not None
        assert listening.secret
        assert not listening.speech
        assert "身份证号" in await caller.keys("1")
        assert f"尾号{ID_NUMBER[-4]}" in (await caller.keys(KEYED_ID)).replace(" ", "")
        assert "验证码已发到" in await caller.keys(PASSWORD)
        assert BALANCE in await caller.keys(caller.line.phone.code)
        assert caller.line.kinds[-1] is InboundKind.PROVED
        after = caller.session.listenings[-1]
        assert after is not None
        assert not after.secret
        whole = b"".join(path.read_bytes() for path in tmp_path.glob("hotline.db*"))
        assert ID_NUMBER.encode() not in whole
        assert caller.line.phone.code.encode() not in whole


async def test_three_failures_lead_to_a_person(tmp_path: Path) -> None:
    async with proof(tmp_path) as caller:
        await caller.does(Final(text="我的余额"))
        await caller.keys("1")
        assert "身份证号不对" in await caller.keys("123")
        assert "身份证号不对" in await caller.keys("123")
        assert "三次都没有核实成功" in await caller.keys("123")
        await until(lambda: any("登记号" in said for said in caller.session.said))


async def test_zero_leads_to_a_person_in_the_middle(tmp_path: Path) -> None:
    async with proof(tmp_path) as caller:
        await caller.does(Final(text="我的余额"))
        await caller.keys("1")
        assert "登记号" in await caller.keys("0")


async def test_somebody_who_keys_in_nothing_goes_on_without_proof(tmp_path: Path) -> None:
    async with proof(tmp_path) as caller:
        await caller.does(Final(text="我的余额"))
        assert "没有收到按键" in await caller.does(Silence())
        assert "先不核实了" in await caller.does(Silence())
        assert "您说：租房" in await caller.does(Final(text="租房"))


async def test_a_slow_core_system_is_excused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PATIENCE_S", 0.1)
    async with proof(tmp_path) as caller:
        await caller.does(Final(text="我的余额"))
        await caller.keys("1")
        await caller.keys(KEYED_ID)
        caller.line.fund.slow_s = 0.6
        assert "正在为您查询" in await caller.keys(PASSWORD)
        await until(lambda: any("验证码已发到" in said for said in caller.session.said))


async def test_the_core_system_away_ends_it_with_a_sentence(tmp_path: Path) -> None:
    async with proof(tmp_path) as caller:
        await caller.does(Final(text="我的余额"))
        await caller.keys("1")
        await caller.keys(KEYED_ID)
        caller.line.fund.away = True
        assert "业务系统现在很慢" in await caller.keys(PASSWORD)
        assert "您说：租房" in await caller.does(Final(text="租房"))
