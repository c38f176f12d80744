"""What is done with an order on its page, and how it is refused."""

from __future__ import annotations

import json
import re

import pytest

from hotline.domain.desk import Group
from hotline.domain.work_orders import OrderType, Upheld, WorkOrder
from tests.fake_desk import FakeDesk
from tests.unit.web.work_orders.orders_kit import CHEN, LIN, WANG, Clerk, clerk_at
from tests.work_order_kit import HE, OPENID, OrderKit

pytestmark = pytest.mark.anyio

NASTY = '<script>alert("x")</script><img src=x onerror=alert(1)>" onmouseover="alert(2)'
ACTS = (
    *("notes", "files", "accept", "start", "wait", "conclude", "visit", "close", "take", "assign", "priority"),
    *("confidential", "open_up", "extend", "merge", "reopen", "reject", "cancel", "reveal"),
)
DONE = {"finding": "查了监控", "done": "已致歉", "upheld": "partly"}


async def standing(kit: OrderKit, number: str) -> WorkOrder:
    return (await kit.services.desk.view(number, by=LIN)).order


async def offered(clerk: Clerk, number: str) -> list[str]:
    return re.findall(r'data-does="(\w+)"', (await clerk.get(f"/{number}", page=True)).text)


@pytest.mark.parametrize("act", ACTS)
async def test_nothing_is_done_without_the_token_of_the_session(lin: Clerk, kit: OrderKit, act: str) -> None:
    order = await kit.open()
    answer = await lin.post(f"/{order.number}/{act}?version=1", token="another", text="x", reason="够长的原因")
    assert answer.status_code == 403
    assert await standing(kit, order.number) == order


@pytest.mark.parametrize("act", [*ACTS, ""])
async def test_whoever_is_not_signed_in_does_and_sees_nothing(desk: FakeDesk, kit: OrderKit, act: str) -> None:
    order = await kit.open("谁也不该看到")
    async with clerk_at(desk, kit, "") as nobody:
        assert (await nobody.post(f"/{order.number}/{act}".rstrip("/"))).status_code in (401, 405)
        for path in ("", f"/{order.number}", f"/{order.number}/body", "/new", "/events", "/beside/c-rent"):
            answer = await nobody.get(path)
            assert answer.status_code == 401
            assert "谁也不该看到" not in answer.text


async def test_order_goes_all_the_way(wang: Clerk, kit: OrderKit) -> None:
    number = (await kit.open("柜员态度差", person_id=HE)).number
    steps: list[tuple[str, dict[str, str], str]] = [
        ("accept", {}, "accepted"),
        ("start", {}, "in_progress"),
        ("wait", {"asked": "请补租赁备案"}, "waiting_citizen"),
        ("start", {}, "in_progress"),
        ("conclude", DONE, "concluded"),
        ("visit", {"rating": "5"}, "concluded"),
        ("close", {}, "closed"),
    ]
    for version, (act, form, state) in enumerate(steps, start=1):
        assert act in await offered(wang, number)
        answer = await wang.post(f"/{number}/{act}?version={version}", **form)
        assert json.loads(answer.headers["hx-trigger"])["orders:done"] == {"act": act, "version": version + 1}
        assert await wang.state(number) == state
    order = await standing(kit, number)
    assert (order.owner, order.rating) == ("wang", 5)
    assert order.conclusion is not None
    assert order.conclusion.upheld is Upheld.PARTLY
    html = (await wang.get(f"/{number}", page=True)).text
    for told in ("部分属实", "查了监控", "已致歉", "5 分，非常满意", "请补租赁备案", "已经办完"):
        assert told in html


@pytest.mark.parametrize(
    ("act", "form"),
    [("accept", {}), ("take", {}), ("priority", {"priority": "urgent"}), ("reject", {"reason": "不归我们管"})],
)
async def test_who_was_slower_is_told_and_changes_nothing(
    wang: Clerk, kit: OrderKit, act: str, form: dict[str, str]
) -> None:
    order = await kit.open()
    taken = await kit.services.desk.accept(order.number, version=1, by=CHEN)
    answer = await wang.post(f"/{order.number}/{act}?version=1", **form)
    assert (answer.status_code, answer.json()["code"]) == (409, "changed")
    assert "同事刚改过" in answer.json()["message"]
    assert await standing(kit, order.number) == taken


async def test_dialog_asks_for_the_version_the_page_showed(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    await kit.services.desk.accept(order.number, version=1, by=CHEN)
    html = (await wang.get(f"/{order.number}/forms/reject", version="1")).text
    assert f'hx-post="/work-orders/{order.number}/reject?version=1"' in html


async def test_act_sent_twice_is_done_once(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    for _ in range(2):
        assert (await wang.post(f"/{order.number}/accept?version=1")).status_code == 204
    assert (await standing(kit, order.number)).version == 2


async def test_note_sent_twice_stands_once(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    for text in ("打过电话", "打过电话", NASTY):
        assert (await wang.post(f"/{order.number}/notes", text=text)).status_code == 204
    notes = [each.note for each in (await kit.services.desk.view(order.number, by=LIN)).events if each.note]
    assert notes == ["打过电话", NASTY]


async def test_same_words_of_somebody_else_are_another_note(wang: Clerk, lin: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    for clerk in (wang, lin):
        await clerk.post(f"/{order.number}/notes", text="已联系")
    assert (await wang.get(f"/{order.number}", page=True)).text.count("已联系</p>") == 2


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("extend", {"workdays": "2", "reason": "等外地协查"}),
        ("open_up", {}),
        ("reveal", {"reason": "要上门核实"}),
    ],
)
async def test_supervisors_acts_are_hidden_from_agents_and_refused_to_them(
    wang: Clerk, lin: Clerk, kit: OrderKit, act: str, form: dict[str, str]
) -> None:
    order = await kit.open(confidential=True)
    order = await kit.services.desk.assign(order.number, version=1, by=LIN, owner="wang", group=Group.COMPLAINT)
    answer = await wang.post(f"/{order.number}/{act}?version=2", **form)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert f"/{act}" not in (await wang.get(f"/{order.number}", page=True)).text
    assert f"/{act}" in (await lin.get(f"/{order.number}", page=True)).text
    assert (await lin.post(f"/{order.number}/{act}?version=2", **form)).status_code in (200, 204)


async def test_supervisor_reopens_once(wang: Clerk, lin: Clerk, kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    path = f"/{done.number}/reopen?version={done.version}"
    assert (await wang.post(path, reason="群众又来电")).status_code == 403
    assert "reopen" not in await offered(wang, done.number)
    assert "reopen" in await offered(lin, done.number)
    assert (await lin.post(path, reason="短")).json()["code"] == "empty"
    assert (await lin.post(path, reason="群众又来电")).status_code == 204
    assert await lin.state(done.number) == "reopened"


async def test_confidential_order_shows_nobody_and_is_closed_to_colleagues(
    desk: FakeDesk, wang: Clerk, lin: Clerk, kit: OrderKit
) -> None:
    order = await kit.open("举报", confidential=True, person_id=HE)
    order = await kit.services.desk.assign(order.number, version=1, by=LIN, owner="wang", group=Group.COMPLAINT)
    html = (await wang.get(f"/{order.number}", page=True)).text
    assert "保密" in html
    assert OPENID.address not in html
    async with clerk_at(desk, kit, "chen") as chen:
        page = await chen.get(f"/{order.number}", page=True)
        assert (page.status_code, "举报" in page.text) == (403, False)
        assert (await chen.get(f"/{order.number}/forms/assign")).status_code == 403
    shown = await lin.post(f"/{order.number}/reveal?version=2", reason="要上门核实")
    assert OPENID.address in shown.text
    assert 'data-hides-after="20"' in shown.text
    assert ("lin", "work_order.revealed", order.number) in await kit.trail()


async def test_order_is_passed_to_a_colleague_who_is_not_there(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    html = (await wang.get(f"/{order.number}/forms/assign", version="1")).text
    assert "1050 周晓彤" in html
    path = f"/{order.number}/assign?version=1"
    assert (await wang.post(path, owner="nobody-here", group="loan")).json()["code"] == "choose_member"
    assert (await wang.post(path, owner="zhou", group="withdrawal")).status_code == 204
    assert (await standing(kit, order.number)).owner == "zhou"
    assert "转给提取组 · 1050 周晓彤" in (await wang.get(f"/{order.number}", page=True)).text


async def test_order_is_taken_and_stays_its_groups(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    await wang.post(f"/{order.number}/take?version=1")
    taken = await standing(kit, order.number)
    assert (taken.owner, taken.group) == ("wang", order.group)
    assert "take" not in await offered(wang, order.number)


async def test_complaint_is_not_concluded_without_saying_whether_it_was_true(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open())
    html = (await wang.get(f"/{order.number}/forms/conclude")).text
    assert 'name="upheld" value="yes" required' in html
    answer = await wang.post(f"/{order.number}/conclude?version=3", finding="一", done="二")
    assert (answer.status_code, answer.json()["code"]) == (422, "upheld_missing")


async def test_consultation_is_concluded_without_it(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.in_progress(await kit.open(type=OrderType.CONSULT))
    assert "upheld" not in (await wang.get(f"/{order.number}/forms/conclude")).text
    assert (await wang.post(f"/{order.number}/conclude?version=3", finding="一", done="二")).status_code == 204


async def test_dissatisfied_citizen_has_his_order_reopened(wang: Clerk, kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    path = f"/{done.number}/visit?version={done.version}"
    assert (await wang.post(path, rating="9")).json()["code"] == "choose_rating"
    assert (await wang.post(path, rating="1")).json()["code"] == "bad_rating"
    assert (await wang.post(path, rating="1", reason="没有解决")).status_code == 204
    assert await wang.state(done.number) == "reopened"
    assert "评分 1（非常不满意） · 没有解决" in (await wang.get(f"/{done.number}", page=True)).text


async def test_nobody_reached_is_on_record(wang: Clerk, kit: OrderKit) -> None:
    done = await kit.concluded(await kit.open())
    await wang.post(f"/{done.number}/visit?version={done.version}", rating="none")
    html = (await wang.get(f"/{done.number}", page=True)).text
    assert "没有联系上" in html
    assert "已有 1 次没联系上" in html


async def test_order_is_merged_with_one_that_is_alike(wang: Clerk, kit: OrderKit) -> None:
    kept = await kit.open("天河管理部的柜员态度很差，排队一小时")
    gone = await kit.open("天河管理部的柜员态度很差，排队一小时！")
    html = (await wang.get(f"/{gone.number}/forms/merge", version="1")).text
    assert f'value="{kept.number}:1"' in html
    answer = await wang.post(f"/{gone.number}/merge?version=1", into=f"{kept.number}:1")
    assert json.loads(answer.headers["hx-trigger"]) == {"orders:opened": {"number": kept.number}}
    page = (await wang.get(f"/{gone.number}", page=True)).text
    assert f'已合并到 <a href="/work-orders/{kept.number}"' in page
    assert "/notes" not in page
    assert f"并入的 {gone.number}" in (await wang.get(f"/{kept.number}", page=True)).text


async def test_order_to_merge_with_is_found_by_its_number(wang: Clerk, kit: OrderKit) -> None:
    other = await kit.open("另一件")
    html = (await wang.get("/other", other=other.number.lower())).text
    assert f'value="{other.number}:1"' in html
    assert (await wang.get("/other", other="GD1")).status_code == 404
    assert (await wang.get("/other", other="")).text.strip() == ""


async def test_merging_with_what_has_changed_since_is_refused(wang: Clerk, kit: OrderKit) -> None:
    kept, gone = await kit.open("一"), await kit.open("二")
    await kit.services.desk.accept(kept.number, version=1, by=CHEN)
    answer = await wang.post(f"/{gone.number}/merge?version=1", into=f"{kept.number}:1")
    assert (answer.status_code, answer.json()["code"]) == (409, "changed")
    assert (await wang.post(f"/{gone.number}/merge?version=1", into="")).json()["code"] == "choose_order"


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("accept?version=", {}),
        ("accept?version=x", {}),
        ("assign?version=1", {"group": "x"}),
        ("priority?version=1", {}),
        ("conclude?version=1", {"upheld": "maybe"}),
    ],
)
async def test_what_no_form_of_ours_sends_is_refused(
    wang: Clerk, kit: OrderKit, act: str, form: dict[str, str]
) -> None:
    order = await kit.open()
    answer = await wang.post(f"/{order.number}/{act}", **form)
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable")
    assert await standing(kit, order.number) == order


async def test_extension_takes_a_number_of_days(lin: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    path = f"/{order.number}/extend?version=1"
    assert (await lin.post(path, workdays="x", reason="等外地协查")).json()["code"] == "choose_days"
    assert (await lin.post(path, workdays="99", reason="等外地协查")).json()["code"] == "bad_days"
    assert (await lin.post(path, workdays="2", reason="等外地协查")).status_code == 204
    assert (await standing(kit, order.number)).due_at > order.due_at
    assert "延期到" in (await lin.get(f"/{order.number}", page=True)).text


async def test_unknown_order_is_told_as_a_page_or_as_data(wang: Clerk) -> None:
    page = await wang.get("/GD20261125-000018", page=True)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "没有这个工单" in page.text
    assert (await wang.get("/GD20261125-000018/body")).json()["code"] == "not_found"
    assert (await wang.get("/x/forms/no-such")).status_code == 404


@pytest.mark.parametrize(
    "path", ["", "/new", "/{number}", "/{number}/body", "/{number}/forms/conclude", "/{number}/forms/assign"]
)
async def test_nothing_a_strict_policy_forbids_is_in_any_page(lin: Clerk, kit: OrderKit, path: str) -> None:
    order = await kit.open(NASTY)
    await kit.services.desk.note(order.number, by=WANG, text=NASTY)
    answer = await lin.get(path.format(number=order.number), page=True)
    assert answer.status_code == 200
    html = re.sub(r'<script type="application/json".*?</script>', "", answer.text, flags=re.S)
    assert re.search(r"<[^>]*\sstyle=|<[^>]*\son\w+=|javascript:|<style|<script(?![^>]*\ssrc=)", html) is None
