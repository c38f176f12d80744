"""Entries that come again, out of order or too late, and calls beside one another."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.domain.clock import utc_now
from hotline.domain.identity import Contact, Level
from hotline.domain.messages import ChannelName, InboundKind
from hotline.storage.channel_store import PASSING, SqlChannelStore
from hotline.storage.tables import channel_states, codes, inbox
from tests.fake_fund import ID_NUMBER, PASSWORD
from tests.unit.web.keypad_kit import BALANCE, NUMBER, WRONG, Caller, Line, a_line, level_in, rows

pytestmark = pytest.mark.anyio


async def test_every_entry_delivered_again_changes_nothing_and_says_the_same(line: Line, caller: Caller) -> None:
    async def twice(keys: str) -> None:
        address = caller.address
        first = await caller.does(Digits=keys)
        again = await caller.post(address, Digits=keys)
        assert again.text == first.text

    await caller.asks()
    for keys in ("1", ID_NUMBER, WRONG, ID_NUMBER, PASSWORD):
        await twice(keys)
    await twice(line.phone.wrong_code)
    await twice(line.phone.code)
    assert line.fund.calls == ["identify", "identify"]
    assert len(line.phone.texts) == 1
    assert [row["tries"] for row in await rows(line, codes)] == [2]
    assert line.kinds == [InboundKind.TEXT, InboundKind.PROVED]


async def test_an_entry_that_comes_twice_at_once_is_worked_once(line: Line, caller: Caller) -> None:
    await caller.until_factor()
    line.fund.slow_s = 0.1
    both = await asyncio.gather(*(caller.post(caller.address, Digits=PASSWORD) for _ in range(2)))
    assert both[0].text == both[1].text
    assert line.fund.calls == ["identify"]
    assert len(line.phone.texts) == 1


async def test_a_slow_core_system_is_waited_for_with_a_word_of_patience(tmp_path: Path) -> None:
    async with a_line(tmp_path, wait_s=0.2) as line:
        caller = Caller(line)
        await caller.until_factor()
        line.fund.slow_s = 0.5
        document = await caller.does(follow=False, Digits=PASSWORD)
        assert "请稍候" in document.said
        assert document.gather["input"] == "dtmf"
        while document.redirect:
            document = await caller.post(document.redirect)
        assert "请输入六位验证码" in document.said
        assert line.fund.calls == ["identify"]


async def test_what_never_gets_ready_ends_in_an_apology(tmp_path: Path) -> None:
    async with a_line(tmp_path, wait_s=0.05) as line:
        caller = Caller(line)
        await caller.until_factor()
        line.fund.slow_s = 2
        assert "抱歉" in (await caller.does(Digits=PASSWORD)).said


async def test_a_forged_request_does_nothing(line: Line, caller: Caller) -> None:
    await caller.until_factor()
    before = await rows(line, channel_states)
    forged = await caller.send(caller.address, signed_as=caller.address.replace("keypad/3", "keypad/2"), Digits=WRONG)
    assert forged.status_code == 403
    assert (await line.client.get(caller.address)).status_code == 405
    assert (await caller.send(caller.address, Digits="12a4")).status_code == 400
    assert (await caller.send(caller.address.replace("keypad/3", "keypad/x"), Digits="1")).status_code == 404
    assert await rows(line, channel_states) == before
    assert line.fund.calls == []


@pytest.mark.parametrize("moved", [("keypad/3", "keypad/9"), ("turn=2", "turn=7"), ("turn=2", "turn=1")])
async def test_an_entry_out_of_order_leads_back(line: Line, caller: Caller, moved: tuple[str, str]) -> None:
    await caller.until_factor()
    document = await caller.post(caller.address.replace(*moved), Digits=PASSWORD)
    assert "请再说一遍您要查什么" in document.said
    assert line.fund.calls == []


async def test_nothing_is_collected_that_no_answer_asked_for(line: Line, caller: Caller) -> None:
    await caller.does()
    await caller.does(SpeechResult="贷款利率")
    document = await caller.post("http://127.0.0.1:8000/channels/voice/keypad/0?turn=2&of=1")
    assert "请再说一遍您要查什么" in document.said


async def test_two_calls_of_one_number_are_apart_and_a_proof_counts_in_its_own(line: Line, caller: Caller) -> None:
    other = Caller(line, call="CA" + "2" * 32)
    await caller.until_factor()
    first = line.conversation
    assert "同意请按1" in (await other.asks()).said
    second = line.conversation
    await caller.does(Digits=PASSWORD)
    assert (await caller.does(Digits=line.phone.code)).said == BALANCE
    assert "身份证号" in (await other.does(Digits="1")).said
    assert await level_in(line, first) is Level.PROVEN
    assert await level_in(line, second) is Level.BOUND
    known = await line.core.identification.known(Contact(channel=ChannelName.VOICE, address=NUMBER))
    assert getattr(known, "level", None) is Level.BOUND


async def test_a_second_proof_in_one_call_begins_anew(line: Line, caller: Caller) -> None:
    await caller.asks()
    await caller.does(Digits="2")
    assert "同意请按1" in (await caller.does(SpeechResult="我的余额是多少")).said
    await caller.does(Digits="1")
    await caller.does(Digits=ID_NUMBER)
    await caller.does(Digits=PASSWORD)
    assert (await caller.does(Digits=line.phone.code)).said == BALANCE


async def test_who_hangs_up_in_the_middle_leaves_nothing_behind(line: Line, caller: Caller) -> None:
    await caller.until_factor()
    gone = await caller.post("http://127.0.0.1:8000/channels/voice/keypad/3?turn=2&of=1", CallStatus="completed")
    assert gone.root.find("Gather") is None
    await line.core.turns.idle()
    assert (await rows(line, inbox))[-1]["kind"] == "leave"
    states = [row for row in await rows(line, channel_states) if row["scope"] == PASSING]
    assert len(states) == 1
    assert not re.search(r"\d{6}", json.dumps(states[0]["value"]).replace(states[0]["value"]["sealed_id"], ""))
    later = SqlChannelStore(line.core.storage.database, clock=lambda: utc_now() + timedelta(minutes=31))
    assert await later.purge() >= 1
    assert await rows(line, channel_states) == []
