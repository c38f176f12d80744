"""Through the whole core: the turn worker, the real work orders, the queue, two channels."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.domain.messages import ChannelName, Inbound, Outcome, Reply, TurnRequest, TurnResult
from hotline.domain.work_order_numbers import is_number
from tests.core_kit import AGENT, Kit, core_kit

pytestmark = pytest.mark.anyio

PHONE = "+8613800138000"


def dialogue(request: TurnRequest) -> TurnResult:
    if request.text == "再见":
        return TurnResult(replies=(Reply(text="祝您生活愉快"),), intent="goodbye")
    if request.text == "转人工":
        return TurnResult(replies=(Reply(text="好的"),), outcome=Outcome.HANDOFF, hand_over="requested")
    return TurnResult(replies=(Reply(text=f"答：{request.text}"),), intent="ask_knowledge", matter="withdraw-rent")


@pytest.fixture(params=[True, False], ids=["an agent is there", "nobody is there"])
async def kit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path, agent=AGENT if request.param else None) as kit:
        kit.dialogue.script = dialogue
        yield kit


async def tell(kit: Kit, *texts: str, who: str = "o1", channel: ChannelName = ChannelName.WECHAT) -> tuple[Reply, ...]:
    """The answer to the last of them."""
    replies: tuple[Reply, ...] | None = ()
    for text in texts:
        number = f"{who}-{len(await kit.storage.store.lines(channel, who, after=0, limit=999))}"
        inbound = Inbound(channel=channel, external_id=number, contact_key=who, text=text)
        replies = (await kit.core.intake.answer(inbound, wait_s=5)).replies
    return replies or ()


async def test_who_wanted_a_person_leaves_word_and_asks_how_it_stands(kit: Kit) -> None:
    wanted = (await tell(kit, "转人工"))[-1]
    assert "留言" in [choice.text for choice in wanted.choices]
    (told,) = await tell(kit, "留言", "我的提取申请一周了没人理", "在天河办的", "好了")
    found = re.search(r"GD\d{8}-\d{6}", told.text)
    assert found is not None
    assert is_number(found[0])
    (standing,) = await tell(kit, f"{found[0]}到哪一步了")
    assert found[0] in standing.text
    assert kit.dialogue.asked[-1].text == "转人工"


async def test_who_wanted_a_person_is_called_back(kit: Kit) -> None:
    sms = {"who": PHONE, "channel": ChannelName.SMS}
    (asked,) = await tell(kit, "转人工", "回电", **sms)  # type: ignore[arg-type]
    assert "138****8000" in asked.text
    (told,) = await tell(kit, "1", **sms)  # type: ignore[arg-type]
    assert re.search(r"GD\d{8}-\d{6}", told.text)
    assert await kit.storage.desks.queue() == []


async def test_a_conversation_with_the_bot_is_rated_at_its_end(kit: Kit) -> None:
    goodbye, question = await tell(kit, "租房能提多少", "要什么材料", "再见")
    assert (goodbye.text, len(question.choices)) == ("祝您生活愉快", 5)
    (sorry,) = await tell(kit, "不满意")
    assert "一句话" in sorry.text
    (told,) = await tell(kit, "没有回答我的问题")
    assert re.search(r"GD\d{8}-\d{6}", told.text)
