"""Who wants a person: queued where somebody is at the desk, noted where nobody is, and told so truthfully."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from hotline.domain.conversations import Owner
from hotline.domain.desk import AgentState, Group, HandoverState, Reason
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from hotline.services.desk.hours import desk_hours
from hotline.services.desk.sensitive import sensitive_reason
from hotline.services.desk.telling import Tellings
from tests.core_kit import AGENT, Kit, core_kit

pytestmark = pytest.mark.anyio

WORKDAY_10 = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""A Wednesday, ten in the morning in China."""


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path, agent=AGENT) as kit:
        kit.dialogue.script = wants_person
        yield kit


def wants_person(request: TurnRequest) -> TurnResult:
    if "人工" in request.text:
        return TurnResult(replies=(Reply(text="好的"),), outcome=Outcome.HANDOFF, hand_over="requested")
    if "投诉" in request.text:
        return TurnResult(replies=(Reply(text="好的"),), outcome=Outcome.HANDOFF, hand_over="complaint")
    return TurnResult(replies=(Reply(text=f"答：{request.text}"),), intent="ask_knowledge", facts={"payer": "employer"})


def said(text: str, number: str, *, channel: ChannelName = ChannelName.WECHAT, who: str = "o1") -> Inbound:
    return Inbound(channel=channel, external_id=number, contact_key=who, kind=InboundKind.TEXT, text=text)


async def ask(kit: Kit, text: str, number: str, *, channel: ChannelName = ChannelName.WECHAT, who: str = "o1") -> str:
    answer = await kit.core.intake.answer(said(text, number, channel=channel, who=who), wait_s=3)
    return "\n".join(reply.text for reply in answer.replies or ())


async def test_a_wish_waits_with_everything_said_before(kit: Kit) -> None:
    await ask(kit, "租房能提多少", "m1")
    assert "第一位" in await ask(kit, "转人工", "m2")
    (waiting,) = await kit.storage.desks.queue()
    assert (waiting.owner, waiting.owner_version) == (Owner.QUEUED, 1)
    assert waiting.handover is not None
    packet = waiting.handover.packet
    assert [line["text"] for line in packet["last"]] == ["租房能提多少", "答：租房能提多少", "转人工"]
    assert (packet["level"], packet["turns"], packet["said"]) == (0, 2, "转人工")


async def test_what_is_said_while_waiting_is_kept_and_answered_with_the_place(kit: Kit) -> None:
    await ask(kit, "人工", "m1")
    await ask(kit, "人工", "m2", who="o2")
    assert "前面还有1位" in await ask(kit, "我是问离职的", "m3", who="o2")
    assert len(kit.dialogue.asked) == 2
    conversation = (await kit.storage.desks.queue())[1]
    lines = await kit.storage.desks.lines(conversation.id, after=0, limit=50)
    assert "我是问离职的" in [line.text for line in lines]


async def test_who_does_not_want_to_wait_is_the_bots_again_at_once(kit: Kit) -> None:
    await ask(kit, "人工", "m1")
    assert "取消排队" in await ask(kit, "不等了", "m2")
    assert await ask(kit, "租房", "m3") == "答：租房"
    assert await kit.storage.desks.queue() == []


async def test_that_he_left_is_delivered_where_the_webhook_did_not_wait(kit: Kit) -> None:
    await ask(kit, "人工", "m1")
    await kit.core.intake.answer(said("不等了", "m2"), wait_s=0.0)
    await kit.core.turns.idle()

    def sent() -> list[str]:
        return [reply.text for each in kit.channels[ChannelName.WECHAT].sent for reply in each.replies]

    await kit.housekeep(until=lambda: bool(sent()))
    assert [text for text in sent() if "取消排队" in text]


async def test_a_complaint_goes_to_its_group_in_front_of_all_others(kit: Kit) -> None:
    await ask(kit, "人工", "m1")
    told = await ask(kit, "我要投诉", "m2", who="o2")
    assert told.startswith("很抱歉让您不满意，马上为您转人工。")
    first, second = await kit.storage.desks.queue()
    assert first.handover is not None
    assert (first.handover.group, first.handover.reason) == (Group.COMPLAINT, Reason.COMPLAINT)
    assert second.handover is not None
    assert second.handover.reason is Reason.REQUESTED


async def test_an_estimate_is_given_only_once_there_is_something_to_make_it_from(kit: Kit) -> None:
    await ask(kit, "人工", "m1")
    assert "大约要等" not in await ask(kit, "人工", "m2", who="o2")
    for number in range(3):
        await served(kit, f"p{number}", seconds=240)
    await ask(kit, "人工", "m3", who="o3")
    assert "大约要等" in await ask(kit, "人工", "m4", who="o4")


async def served(kit: Kit, who: str, *, seconds: int) -> None:
    """Somebody has been served for so long. Nothing routes here: the conversation is taken by hand."""
    await ask(kit, "人工", f"{who}-1", who=who)
    waiting = [each for each in await kit.storage.desks.queue() if each.address == who]
    assert waiting[0].handover is not None
    tellings = Tellings(kit.channels)
    await kit.storage.queue.pick(
        waiting[0].handover.id, staff_id="a1", telling=tellings.tell("greeting", agent="坐席1024")
    )
    clock = kit.storage.held._clock
    kit.storage.held._clock = lambda: clock() + timedelta(seconds=seconds)
    await kit.storage.held.end(waiting[0].id, staff_id="a1", telling=tellings.tell("farewell"))
    kit.storage.held._clock = clock


async def test_nobody_at_the_desk_means_a_number_and_the_truth(kit: Kit) -> None:
    await kit.storage.desks.set_state("a1", AgentState.BREAK)
    told = await ask(kit, "人工", "m1")
    assert "登记号" in told
    assert await kit.storage.desks.queue() == []
    (noted,) = await kit.storage.handovers.open_handovers(limit=9)
    assert f"登记号{noted.number}" in told
    assert await ask(kit, "租房", "m2") == "答：租房"


@pytest.mark.parametrize(
    ("moment", "open_now"),
    [
        (WORKDAY_10, True),
        (WORKDAY_10 + timedelta(hours=2, minutes=30), False),
        (WORKDAY_10 + timedelta(hours=8), False),
        (datetime(2026, 11, 28, 2, 0, tzinfo=UTC), False),
        (datetime(2026, 10, 1, 2, 0, tzinfo=UTC), False),
    ],
    ids=["morning", "noon", "evening", "saturday", "national day"],
)
def test_the_desk_is_open_on_working_days_in_its_hours(moment: datetime, open_now: bool) -> None:
    assert desk_hours("guangzhou").are_now(moment) is open_now


def test_a_make_up_saturday_is_a_working_day() -> None:
    saturday = datetime(2026, 10, 10, 2, 0, tzinfo=UTC)  # 国务院办公厅关于2026年部分节假日安排的通知
    assert desk_hours("guangzhou").are_now(saturday)


@pytest.mark.parametrize(
    ("words", "matter", "reason"),
    [
        ("你们就是个骗子公司", None, Reason.ANGER),
        ("我爸去世了公积金怎么取", None, Reason.INHERITANCE),
        ("我的公积金被法院冻结了", None, Reason.COURT),
        ("我现在公积金贷款逾期了怎么办", None, Reason.OVERDUE),
        ("我这边还不上房贷了", None, Reason.OVERDUE),
        ("我妈的怎么办", "withdraw-death", Reason.INHERITANCE),
        ("公积金贷款逾期会怎么样", "loan-overdue", None),
        ("死亡提取要什么材料", "withdraw-death", None),
        ("租房提取要什么材料", "withdraw-rent", None),
        ("垃圾分类费能用公积金吗", None, None),
    ],
)
def test_own_grave_cases_are_told_from_questions_about_the_rule(
    words: str, matter: str | None, reason: Reason | None
) -> None:
    assert sensitive_reason(words, TurnResult(replies=(), matter=matter)) is reason


async def test_a_grave_case_is_queued_at_once_with_fixed_words(kit: Kit) -> None:
    told = await ask(kit, "我爸去世了，他的公积金怎么取", "m1")
    assert told.startswith("请节哀。")
    (waiting,) = await kit.storage.desks.queue()
    assert waiting.handover is not None
    assert waiting.handover.reason is Reason.INHERITANCE


async def test_a_grave_case_is_answered_by_the_bot_where_nobody_is_at_the_desk(kit: Kit) -> None:
    await kit.storage.desks.set_state("a1", AgentState.BREAK)
    assert (await ask(kit, "我爸去世了，他的公积金怎么取", "m1")).startswith("答：")
    assert await kit.storage.handovers.open_handovers(limit=9) == []


async def test_who_had_the_citizen_last_is_wanted_again(kit: Kit) -> None:
    await served(kit, "o9", seconds=60)
    await ask(kit, "还有人工吗", "m2", who="o9")
    (waiting,) = await kit.storage.desks.queue()
    assert waiting.handover is not None
    async with kit.storage.database.read() as connection:
        wanted = await connection.scalar(
            text("SELECT wanted_agent FROM handovers WHERE id = :id"), {"id": waiting.handover.id}
        )
    assert wanted == "a1"


async def test_after_the_goodbye_the_bot_answers_and_the_wrap_up_stays_open(kit: Kit) -> None:
    await served(kit, "o9", seconds=60)
    assert await ask(kit, "租房", "m2", who="o9") == "答：租房"
    (mine,) = await kit.storage.desks.held_by("a1")
    assert mine.handover is not None
    assert (mine.owner, mine.handover.state) == (Owner.BOT, HandoverState.WRAP_UP)
    assert replace(mine.handover, packet={}).solved is None
