"""Which orders the list shows, to whom, and how urgent they look."""

from __future__ import annotations

import re

import pytest

from hotline.domain.desk import Group
from hotline.domain.work_orders import OrderType, Priority, Source
from tests.fake_desk import FakeDesk
from tests.unit.web.work_orders.orders_kit import CHEN, LIN, RENTER, STRANGER, WANG, Clerk, clerk_at
from tests.work_order_kit import HE, SHE, OrderKit
from web.work_orders.asked import Asked
from web.work_orders.reading import PAGE

pytestmark = pytest.mark.anyio

NASTY = '<script>alert("x")</script><img src=x onerror=alert(1)>" onmouseover="alert(2)'


async def test_list_begins_with_everything_open_the_newest_first(wang: Clerk, kit: OrderKit) -> None:
    first, second, gone = [await kit.open(f"第{number}件") for number in range(3)]
    await kit.services.desk.cancel(gone.number, version=1, by=WANG, reason="不用了")
    assert await wang.numbers() == [second.number, first.number]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "accepted"}, ["mine"]),
        ({"state": "all"}, ["gone", "praise", "mine", "plain"]),
        ({"type": "praise"}, ["praise"]),
        ({"owner": "mine"}, ["mine"]),
        ({"owner": "nobody"}, ["praise", "plain"]),
        ({"group": "complaint"}, ["mine", "plain"]),
        ({"group": "employer"}, []),
        ({"q": "大厅"}, ["praise"]),
        ({"q": "大厅", "state": "rejected"}, []),
        ({"state": "visits"}, []),
        ({"state": "no-such", "type": "x", "owner": "x", "group": "x", "before": "x"}, ["praise", "mine", "plain"]),
    ],
)
async def test_filters_narrow_the_list(wang: Clerk, kit: OrderKit, query: dict[str, str], found: list[str]) -> None:
    made = {"plain": await kit.open("普通"), "mine": await kit.open("我的")}
    made["praise"] = await kit.open("大厅服务好", type=OrderType.PRAISE)
    made["gone"] = await kit.open("不要了")
    await kit.services.desk.accept(made["mine"].number, version=1, by=WANG)
    await kit.services.desk.cancel(made["gone"].number, version=1, by=WANG, reason="不用了")
    assert await wang.numbers(**query) == [made[name].number for name in found]


async def test_filter_needs_no_script_and_texts_are_sent_by_nothing_else(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    for path, allowed in (("", "'self'"), ("/new", "'none'"), (f"/{order.number}", "'none'")):
        policy = (await wang.get(path, page=True)).headers["content-security-policy"]
        assert f"form-action {allowed}" in policy
        assert "script-src 'self'; style-src 'self';" in policy


async def test_order_is_found_by_its_number(wang: Clerk, kit: OrderKit) -> None:
    wanted, _ = await kit.open("一"), await kit.open("二")
    assert await wang.numbers(q=wanted.number.lower()) == [wanted.number]


async def test_return_visits_to_be_made_are_a_list_of_their_own(wang: Clerk, kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open("投诉", person_id=HE))
    await kit.open("别的")
    assert await wang.numbers(state="visits") == [done.number]


async def test_pages_follow_each_other_without_gap_or_overlap(wang: Clerk, kit: OrderKit) -> None:
    made = [(await kit.open(f"第{number}件")).number for number in range(PAGE + 5)]
    html = (await wang.get("", page=True, q="件")).text
    more = re.search(r'href="/work-orders(\?[^"]+)">更早的工单', html)
    assert more
    further = (await wang.client.get(f"/work-orders{more[1].replace('&amp;', '&')}")).text
    seen = re.findall(r'href="/work-orders/(GD[^"]+)" class="number"', html + further)
    assert seen == made[::-1]
    assert "更早的工单" not in further
    assert "回到最新" in further


async def test_due_time_turns_amber_with_the_reminder_and_red_when_it_has_passed(
    desk: FakeDesk, wang: Clerk, kit: OrderKit
) -> None:
    order = await kit.open("三天办完")
    colours = []
    for _ in range(48):
        html = (await wang.get("", page=True)).text
        colours.append("red" if "due-red" in html else "amber" if "due-amber" in html else "none")
        kit.clock.forward(hours=3)
        desk._now = kit.clock.now
    assert order.timer.at is not None
    assert list(dict.fromkeys(colours)) == ["none", "amber", "red"]


async def test_colour_stays_when_the_timer_has_rung(desk: FakeDesk, wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open("三天办完")
    assert order.timer.at is not None
    kit.clock.now = order.timer.at
    desk._now = kit.clock.now
    await kit.services.due.run_due()
    assert "due-amber" in (await wang.get("", page=True)).text


async def test_counts_stand_on_top(desk: FakeDesk, wang: Clerk, kit: OrderKit) -> None:
    late = await kit.open("早的")
    kit.clock.now = late.due_at
    kit.clock.forward(hours=1)
    desk._now = kit.clock.now
    await kit.open("新的", type=OrderType.PRAISE)
    html = re.sub(r"\s+", " ", (await wang.get("", page=True)).text)
    assert "待办 <b>2</b>" in html
    assert "已超时 <b>1</b>" in html
    assert re.search(r'group=complaint">投诉 <b>1</b><span class="late">超时 1</span>', html)
    assert await wang.numbers(overdue="1") == [late.number]


async def test_confidential_order_is_listed_for_its_owner_and_supervisors_alone(
    desk: FakeDesk, wang: Clerk, lin: Clerk, kit: OrderKit
) -> None:
    secret = await kit.open("不要让别人知道", confidential=True)
    taken = await kit.services.desk.assign(secret.number, version=1, by=LIN, owner="chen", group=Group.COMPLAINT)
    assert await wang.numbers() == []
    assert await lin.numbers() == [taken.number]
    async with clerk_at(desk, kit, "chen") as chen:
        html = (await chen.get("", page=True)).text
    assert "保密" in html
    assert taken.number in html


async def test_what_citizens_wrote_is_text(wang: Clerk, kit: OrderKit) -> None:
    await kit.open(NASTY, source=Source.LEAVE_WORD, priority=Priority.URGENT)
    html = (await wang.get("", page=True, q='"><script>x')).text
    html += (await wang.get("", page=True)).text
    assert "<script>alert" not in html
    assert "<script>x" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert" in html


async def test_orders_of_the_person_stand_beside_his_conversation(wang: Clerk, kit: OrderKit) -> None:
    his = await kit.open("他的", person_id=HE)
    other = await kit.open("别人的", person_id=SHE)
    html = (await wang.get("/beside/c-rent")).text
    assert his.number in html
    assert other.number not in html


async def test_of_somebody_unknown_those_of_his_address_are_told(wang: Clerk, kit: OrderKit) -> None:
    his = await kit.open("没有绑定的人", contact=STRANGER)
    secret = await kit.open("保密的", contact=STRANGER, confidential=True)
    other = await kit.open("别人的", contact=RENTER)
    html = (await wang.get("/beside/c-overdue")).text
    assert his.number in html
    assert other.number not in html
    assert secret.number not in html


async def test_orders_beside_a_colleagues_conversation_are_not_told(wang: Clerk, lin: Clerk) -> None:
    assert (await wang.get("/beside/c-chen-1")).status_code == 403
    assert (await lin.get("/beside/c-chen-1")).status_code == 200


async def test_conversation_asks_for_its_orders_when_something_happens_to_them(wang: Clerk) -> None:
    html = (await wang.client.get("/desk/c/c-rent")).text
    assert 'hx-get="/work-orders/beside/c-rent" hx-trigger="desk:orders from:body' in html
    assert 'href="/work-orders/new?conversation=c-rent"' in html


def test_address_of_a_list_says_no_more_than_what_narrows_it() -> None:
    assert Asked().link() == "/work-orders"
    asked = Asked.of({"state": "all", "owner": "mine", "overdue": "1", "q": " 租房&x ", "before": "7"})
    assert asked.before == 7
    assert asked.link() == "/work-orders?state=all&owner=mine&overdue=1&q=%E7%A7%9F%E6%88%BF%26x"
    assert Asked.of({"q": "长" * 500}).text == "长" * 60


async def test_every_look_at_the_list_is_in_the_audit_trail(wang: Clerk, kit: OrderKit) -> None:
    await wang.numbers(q="投诉")
    assert ("wang", "work_order.listed", "") in await kit.trail()
    assert "投诉" not in await kit.trail_text()


async def test_nothing_is_listed_as_ones_own_that_a_colleague_has(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open("同事的")
    await kit.services.desk.accept(order.number, version=1, by=CHEN)
    assert await wang.numbers(owner="mine") == []
