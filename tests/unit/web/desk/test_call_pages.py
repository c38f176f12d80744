"""Calls at the desk: their state, what happens in them, and what the agent is told of his telephone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hotline.call_store import CallEnding, CallMark
from hotline.domain.conversations import Owner
from hotline.domain.desk import HandoverState
from tests.fake_calls import record
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.call_kit import Exchange
from tests.unit.web.desk.desk_kit import Visitor, visiting
from web.desk.calls import CallState, call_view
from web.desk.wording import desk_wording

pytestmark = pytest.mark.anyio
Detail = Mapping[str, str | int]
MARKS: dict[CallMark, tuple[dict[str, str | int], CallState]] = {
    CallMark.CONNECTED: ({}, CallState.MACHINE),
    CallMark.QUEUED: ({}, CallState.QUEUED),
    CallMark.AGENT_RINGS: ({"staff": "wang", "extension": "8001"}, CallState.RINGS),
    CallMark.AGENT_MISSED: ({"why": "no_answer"}, CallState.MISSED),
    CallMark.AGENT_ANSWERED: ({"staff": "wang"}, CallState.JOINED),
    CallMark.AGENT_GONE: ({}, CallState.APART),
    CallMark.QUEUE_LEFT: ({"why": "chosen"}, CallState.MACHINE),
}


@pytest.fixture
def exchange(desk: FakeDesk) -> Exchange:
    return Exchange(desk)


def strip(html: str) -> str:
    found = re.search(r'<section class="call-strip.*?</section>', html, re.S)
    assert found is not None
    return found[0]


def state_of(html: str) -> str:
    found = re.search(r'id="call-strip"[^>]*data-state="(\w+)"', html)
    return found[1] if found else ""


@pytest.mark.parametrize("mark", list(CallMark))
def test_every_mark_is_worded_with_what_it_tells(mark: CallMark) -> None:
    now = datetime.fromisoformat("2026-11-25T09:00:00+00:00")
    given: dict[str, str | int] = {"heard": 23, "why": "busy", "extension": "8001", "staff": "wang"}
    (_, said), *_ = call_view(record("c", now, (1, mark, given)), wording=desk_wording(), recorded=True).told
    assert said not in ("", mark.value)
    assert not re.search(r"[{}]|busy|wang", said)


@pytest.mark.parametrize("why", ["chosen", "expired", "busy", "no_answer", "failed"])
def test_every_reason_has_a_name(why: str) -> None:
    assert desk_wording().name("call_whys", why) != why


@pytest.mark.parametrize("kind", ["call_states", "call_endings"])
def test_every_state_and_ending_has_a_name(kind: str) -> None:
    codes = list(CallState) if kind == "call_states" else list(CallEnding)
    assert [code for code in codes if desk_wording().name(kind, code) == code] == []


async def test_call_goes_through_its_states_as_marks_come(exchange: Exchange, desk: FakeDesk) -> None:
    exchange.calls.records["c-call"] = record("c-call", desk.clock())
    async with exchange.visited_by("wang") as wang:
        assert state_of((await wang.get("/desk/c/c-call/call")).text) == CallState.COMING
        for mark, (detail, state) in MARKS.items():
            exchange.calls.marks("c-call", mark, desk.clock(), **detail)
            assert state_of((await wang.get("/desk/c/c-call/call")).text) == state
        exchange.calls.ends("c-call", desk.clock())
        html = (await wang.get("/desk/c/c-call/call")).text
    assert state_of(html) == CallState.ENDED
    assert "来电人挂断" in html
    assert "录音中" not in html


async def test_agent_sees_number_masked_line_time_and_that_it_is_recorded(exchange: Exchange) -> None:
    async with exchange.visited_by("wang") as wang:
        html = (await wang.get("/desk/c/c-call")).text
    shown = strip(html)
    assert "通话中" in shown
    assert "138****8093" in shown
    assert "交换机" in shown
    assert "录音中" in shown
    assert shown.count("data-since=") == 2
    assert "13800138044" not in html
    assert "结束通话" in html
    assert "转接来电" in html


async def test_withheld_number_is_said_to_be_withheld(exchange: Exchange) -> None:
    exchange.calls.records["c-call"] = replace(exchange.calls.records["c-call"], caller_masked="")
    async with exchange.visited_by("wang") as wang:
        assert "号码未显示" in strip((await wang.get("/desk/c/c-call")).text)


async def test_paused_recording_is_seen(exchange: Exchange, desk: FakeDesk) -> None:
    exchange.calls.marks("c-call", CallMark.RECORDING_PAUSED, desk.clock())
    async with exchange.visited_by("wang") as wang:
        shown = strip((await wang.get("/desk/c/c-call")).text)
    assert 'class="recording-paused"' in shown
    assert "录音中" not in shown


async def test_calls_are_not_said_to_be_recorded_where_they_are_not(exchange: Exchange) -> None:
    exchange.settings = exchange.settings.model_copy(update={"record": False})
    async with exchange.visited_by("wang") as wang:
        assert "录音中" not in strip((await wang.get("/desk/c/c-call")).text)


async def test_agent_is_told_whether_what_he_types_is_read_out(exchange: Exchange, desk: FakeDesk) -> None:
    async with exchange.visited_by("wang") as wang:
        assert "正在通话，文字不会读出" in (await wang.get("/desk/c/c-call")).text
        exchange.calls.marks("c-call", CallMark.AGENT_GONE, desk.clock())
        assert "输入的文字会读给来电人听" in (await wang.get("/desk/c/c-call/call")).text
        exchange.calls.ends("c-call", desk.clock())
        assert "文字不会送达" in (await wang.get("/desk/c/c-call/call")).text
        assert "读给来电人" not in (await wang.get("/desk/c/c-rent")).text


async def test_what_was_heard_of_an_answer_stands_with_it(exchange: Exchange) -> None:
    async with exchange.visited_by("wang") as wang:
        html = (await wang.get("/desk/c/c-call/lines")).text
    lines = html.split('<div class="line ')
    (cut,) = [line for line in lines if "只听到前 23 个字" in line]
    assert "不收违约金" in cut


async def test_ringing_names_the_agents_own_extension(exchange: Exchange, desk: FakeDesk) -> None:
    exchange.calls.marks("c-call", CallMark.AGENT_RINGS, desk.clock(), staff="wang", extension="8001")
    async with exchange.visited_by("wang") as wang, exchange.visited_by("lin") as lin:
        assert "正在呼叫您的分机" in strip((await wang.get("/desk/c/c-call")).text)
        assert "正在呼叫分机" in strip((await lin.get("/supervisor/c/c-call")).text)


async def test_offer_of_a_call_says_who_what_and_what_the_bot_said(exchange: Exchange) -> None:
    async with exchange.visited_by("wang") as wang:
        html = (await wang.get("/desk/mine")).text
    offers = html[: html.index('id="list"')]
    assert offers.index("138****8055") < offers.index("郑**"), "who is on the telephone comes first"
    assert "未验证" in offers
    assert "租房提取" in offers
    assert "智能客服答：<bdi>没有备案的，只要身份证和一类银行卡" in offers
    assert "13800138055" not in html


async def test_who_takes_a_call_is_told_that_his_telephone_rings(exchange: Exchange, desk: FakeDesk) -> None:
    handover = desk.talks["c-ring"].at.handover
    assert handover is not None
    async with exchange.visited_by("wang") as wang:
        taken = (await wang.post(f"/desk/requests/{handover.id}/accept")).json()
    assert taken == {"conversation": "c-ring", "calling": "正在呼叫您的分机 8001，请接听"}


async def test_who_has_no_extension_is_told_that_his_words_are_read_out(exchange: Exchange, desk: FakeDesk) -> None:
    handover_id = await desk.offer("c-ring", "zhou")
    async with exchange.visited_by("zhou") as zhou:
        taken = (await zhou.post(f"/desk/requests/{handover_id}/accept")).json()
    assert "没有登记分机" in taken["calling"]


async def test_call_is_seen_by_who_holds_it_and_by_supervisors_alone(exchange: Exchange) -> None:
    async with exchange.visited_by("chen") as chen, exchange.visited_by("lin") as lin, exchange.visited_by("") as none:
        assert (await chen.get("/desk/c/c-call/call")).status_code == 409
        assert (await none.get("/desk/c/c-call/call")).status_code == 401
        assert state_of((await lin.get("/desk/c/c-call/call")).text) == CallState.JOINED


async def test_marks_cannot_put_anything_into_the_page(exchange: Exchange, desk: FakeDesk) -> None:
    nasty = '<img src=x onerror=alert(1)>"\u202e'
    exchange.calls.records["c-call"] = replace(
        exchange.calls.records["c-call"], line=nasty, caller_masked=nasty, id=nasty, has_recording=True
    )
    exchange.calls.marks("c-call", CallMark.AGENT_RINGS, desk.clock(), staff=nasty, extension=nasty)
    async with exchange.visited_by("wang") as wang:
        pages = [await wang.get(f"/desk/c/c-call{path}") for path in ("", "/call", "/recording")]
    for page in pages:
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "\u202e" not in page.text


async def test_without_a_telephone_a_call_is_a_conversation_like_others(desk: FakeDesk) -> None:
    desk.talks |= desk.cast.callers()
    async with visiting(desk, "wang") as wang:
        page = await wang.get("/desk/c/c-call")
        assert page.status_code == 200
        assert "call-strip" not in page.text
        assert (await wang.get("/desk/c/c-call/recording")).status_code in (404, 410)


async def test_wrap_up_of_a_conversation_that_went_on_with_somebody_else_is_filed_from_it(
    desk: FakeDesk, wang: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = desk.talks["c-bye"]
    assert talk.at.handover is not None
    his = talk.at
    later = replace(
        talk.at.handover,
        id=77,
        agent_id="chen",
        state=HandoverState.HELD,
        queued_at=desk.clock() - timedelta(minutes=1),
    )
    talk.at = replace(talk.at, handover=later, owner=Owner.AGENT, holder="chen")

    async def mine(staff_id: str) -> list[object]:
        return [his] if staff_id == "wang" else []

    monkeypatch.setattr(desk, "mine", mine)
    page = (await wang.get("/desk/c/c-bye")).text
    assert "填小结" in page
    assert 'data-holds=""' in page
    form = await wang.get("/desk/c/c-bye/wrap-up")
    assert form.status_code == 200
    assert f"/desk/requests/{his.handover.id if his.handover else 0}/wrap-up" in form.text
    async with visiting(desk, "liang") as liang:
        assert (await liang.get("/desk/c/c-bye")).status_code == 409
