"""A new order from the desk."""

from __future__ import annotations

import json

import pytest

from hotline.domain.desk import Group
from hotline.domain.work_orders import OrderType, Priority, Source, WorkOrder
from tests.fake_desk import FakeDesk
from tests.unit.web.work_orders.orders_kit import CHEN, LIN, RENTER, Clerk
from tests.work_order_kit import HE, OrderKit

pytestmark = pytest.mark.anyio

FORM = {"key": "k1", "type": "complaint", "matter": "withdraw-rent", "priority": "normal", "text": "柜员态度差"}


async def opened(clerk: Clerk, **form: str) -> WorkOrder:
    answer = await clerk.post("", **{**FORM, **form})
    assert answer.status_code == 204, answer.text
    number = json.loads(answer.headers["hx-trigger"])["orders:opened"]["number"]
    return (await clerk.kit.services.desk.view(number, by=LIN)).order


async def test_form_begins_with_what_the_citizen_said_last(desk: FakeDesk, wang: Clerk) -> None:
    await desk.citizen_says("c-rent", "我要<b>投诉</b>天河管理部")
    html = (await wang.get("/new", page=True, conversation="c-rent")).text
    assert "我要&lt;b&gt;投诉&lt;/b&gt;天河管理部</textarea>" in html
    assert 'name="matter" value="withdraw-rent"' in html
    assert 'name="conversation" value="c-rent"' in html


async def test_bots_answers_are_not_taken_for_the_citizens_words(desk: FakeDesk, wang: Clerk) -> None:
    html = (await wang.get("/new", page=True, conversation="c-rent")).text
    prefilled = html.partition("required>")[2]
    said = {line.author: line.text for line in desk.talks["c-rent"].lines}
    assert said["bot"][:12] not in prefilled


async def test_long_talk_is_cut_to_its_last_lines(desk: FakeDesk, wang: Clerk) -> None:
    for number in range(30):
        await desk.citizen_says("c-rent", f"第{number}句" + "话" * 100)
    html = (await wang.get("/new", page=True, conversation="c-rent")).text
    assert "第29句" in html
    assert "第1句" not in html


async def test_form_without_a_conversation_is_empty(wang: Clerk) -> None:
    html = (await wang.get("/new", page=True)).text
    assert 'maxlength="2000" required></textarea>' in html
    assert 'name="conversation" value=""' in html


async def test_colleagues_conversation_is_not_opened_in_a_form(wang: Clerk, kit: OrderKit) -> None:
    page = await wang.get("/new", page=True, conversation="c-chen-1")
    assert page.status_code == 403
    assert "不能看" in page.text
    assert (await wang.post("", **FORM, conversation="c-chen-1")).status_code == 403
    assert await wang.numbers() == []


async def test_order_of_a_conversation_knows_whom_to_tell(wang: Clerk) -> None:
    order = await opened(wang, conversation="c-rent", priority="urgent")
    assert (order.source, order.type, order.priority) == (Source.AGENT, OrderType.COMPLAINT, Priority.URGENT)
    assert (order.contact, order.person_id, order.conversation_id) == (RENTER, HE, "c-rent")
    assert order.title == "投诉：租房提取"


async def test_same_form_sent_again_is_the_same_order(wang: Clerk) -> None:
    first, again = await opened(wang, group="loan"), await opened(wang, group="loan")
    assert first == again
    assert (first.group, first.version) == (Group.LOAN, 2)
    assert len(await wang.numbers()) == 1


async def test_another_members_key_is_another_order(wang: Clerk, lin: Clerk) -> None:
    await opened(wang)
    await opened(lin)
    assert len(await lin.numbers()) == 2


async def test_repeated_form_does_not_undo_what_a_colleague_did_since(wang: Clerk, kit: OrderKit) -> None:
    first = await opened(wang, group="loan")
    moved = await kit.services.desk.assign(
        first.number, version=first.version, by=CHEN, owner="chen", group=Group.DEPOSIT
    )
    assert await opened(wang, group="loan") == moved


async def test_changed_form_with_a_used_key_opens_nothing(wang: Clerk) -> None:
    await opened(wang)
    answer = await wang.post("", **{**FORM, "text": "另一件事"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert "已经建好" in answer.json()["message"]


async def test_order_may_be_about_no_matter_and_confidential(lin: Clerk) -> None:
    order = await opened(lin, matter="other", confidential="1", type="fraud_report")
    assert (order.matter, order.confidential, order.group) == ("", True, Group.COMPLAINT)


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"text": "  "}, 422, "empty"),
        ({"text": "长" * 5000}, 422, "too_long"),
        ({"matter": "withdraw-moon"}, 422, "unknown_matter"),
        ({"type": "x"}, 422, "unreadable"),
        ({"priority": ""}, 422, "unreadable"),
        ({"key": ""}, 422, "unreadable"),
        ({"key": "k" * 65}, 422, "unreadable"),
        ({"text": "长" * 20_000}, 413, "too_large"),
        ({"conversation": "c-none"}, 410, "gone"),
    ],
)
async def test_what_cannot_be_opened_is_told_in_plain_words(
    wang: Clerk, form: dict[str, str], status: int, code: str
) -> None:
    answer = await wang.post("", **{**FORM, **form})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.json()["message"]) > 4
    assert await wang.numbers() == []


async def test_unknown_group_leaves_no_order_behind(wang: Clerk) -> None:
    assert (await wang.post("", **FORM, group="x")).status_code == 422
    assert await wang.numbers() == []


async def test_personal_numbers_are_masked_before_they_are_kept(wang: Clerk) -> None:
    order = await opened(wang, text="我是11010519491231002X，柜员态度差")
    assert "11010519491231002X" not in order.text
