"""The own account: where one is signed in, the password, recovery codes."""

from __future__ import annotations

import re

import pytest

from hotline.services.staff.demo import DEMO_PASSWORD
from hotline.staff_store import Changes
from tests.staff_kit import HERE, PASSWORD
from tests.unit.web.staff.conftest import SAME, Visit, token

pytestmark = pytest.mark.anyio

NEW = "quite-another-phrase"
SESSION = re.compile(r'name="session" value="([0-9a-f]{64})"')


async def test_ones_own_sessions_are_listed_and_can_be_ended_one_by_one(visit: Visit) -> None:
    await visit.enter()
    other = await visit.office.signed_in()
    page = await visit.browser.get("/staff/account")
    assert page.text.count('class="tag tag-on"') == 1
    first, *others = SESSION.findall(page.text)
    ended = await visit.post("/staff/sessions/end", csrf=token(page), session=first)
    assert ended.headers["location"] == "/staff/account"
    assert await visit.office.sign_in.here(other.token) is None
    assert SESSION.findall((await visit.browser.get("/staff/account")).text) == others


async def test_nobody_ends_a_colleagues_session_or_his_own_unawares(visit: Visit) -> None:
    await visit.enter()
    await visit.office.accounts.ensure_demo()
    colleague = await visit.office.sign_in.with_password("agent2", DEMO_PASSWORD, browser=HERE)
    found = await visit.office.sessions.of(
        (await visit.office.members.by_name("agent2")).staff.id  # type: ignore[union-attr]
    )
    csrf = await visit.csrf("/staff/account")
    mine = await visit.office.sessions.of((await visit.office.members.by_name("alice")).staff.id)  # type: ignore[union-attr]
    for session in (found[0].token_hash, mine[0].token_hash, "", "x" * 5000):
        await visit.post("/staff/sessions/end", csrf=csrf, session=session)
    assert await visit.office.sign_in.here(colleague.token)
    assert (await visit.browser.get("/staff/account")).status_code == 200


@pytest.mark.parametrize("everywhere", ["", "1"])
async def test_signing_out_ends_this_session_or_all(visit: Visit, everywhere: str) -> None:
    await visit.enter()
    other = await visit.office.signed_in()
    csrf = await visit.csrf("/staff/account")
    await visit.post("/staff/sign-out", csrf=csrf, everywhere=everywhere)
    assert (await visit.browser.get("/staff/account")).status_code == 303
    assert (await visit.office.sign_in.here(other.token) is None) is bool(everywhere)
    assert (await visit.office.actions())[-1] == f"staff.signed_out{'_everywhere' if everywhere else ''}"


async def test_a_new_password_gives_this_browser_a_new_session_and_ends_the_others(visit: Visit) -> None:
    await visit.enter()
    other = await visit.office.signed_in()
    before = visit.browser.cookies["__Host-staff"]
    form = {"old": PASSWORD, "new": NEW, "again": NEW}
    changed = await visit.post("/staff/password", csrf=await visit.csrf("/staff/password"), **form)
    assert changed.headers["location"] == "/staff/account"
    assert visit.browser.cookies["__Host-staff"] != before
    assert (await visit.browser.get("/staff/account")).status_code == 200
    assert await visit.office.sign_in.here(other.token) is None


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old": "wrong", "new": NEW, "again": NEW}, "现在的密码不对"),
        ({"old": PASSWORD, "new": NEW, "again": "x"}, "两次输入的新密码不一样"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "新密码不能和现在的一样"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "新密码太短或太常见"),
        ({"old": PASSWORD, "new": "x" * 129, "again": "x" * 129}, "新密码太短或太常见"),
        ({}, "现在的密码不对"),
    ],
)
async def test_a_password_that_cannot_be_changed_says_why(visit: Visit, form: dict[str, str], said: str) -> None:
    await visit.enter()
    answer = await visit.post("/staff/password", csrf=await visit.csrf("/staff/password"), **form)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert not any(value in answer.text for value in form.values() if len(value) > 5)


async def test_recovery_codes_are_shown_once_counted_and_replaced(visit: Visit) -> None:
    await visit.enter()
    assert "还有 8 个没用过" in (await visit.browser.get("/staff/account")).text
    made = await visit.post("/staff/recovery", csrf=await visit.csrf("/staff/account"))
    codes = re.findall(r"<li>([0-9a-z]{5}-[0-9a-z]{5})</li>", made.text)
    assert len(codes) == 8
    assert made.headers["cache-control"] == "no-store"
    begun = await visit.office.sign_in.with_password("alice", PASSWORD, browser=HERE)
    await visit.office.sign_in.with_code(begun.token, codes[0], browser=HERE)
    account = await visit.browser.get("/staff/account")
    assert "还有 7 个没用过" in account.text
    assert not any(code in account.text for code in codes)


async def test_who_has_no_second_factor_has_no_recovery_codes(visit: Visit) -> None:
    await visit.office.accounts.ensure_demo()
    await visit.sign_in("agent1", DEMO_PASSWORD)
    page = await visit.browser.get("/staff/account")
    assert "/staff/recovery" not in page.text
    assert (await visit.post("/staff/recovery", csrf=token(page))).headers["location"] == "/staff/sign-in"


@pytest.mark.parametrize("path", ["/staff/password", "/staff/recovery", "/staff/sessions/end", "/staff/sign-out"])
async def test_a_change_needs_the_sessions_token_and_a_page_of_ours(visit: Visit, path: str) -> None:
    await visit.enter()
    right = await visit.csrf("/staff/account")
    for csrf, headers in (
        ("", SAME),
        ("0" * 64, SAME),
        ("密", SAME),
        (right, {"Sec-Fetch-Site": "same-site"}),
        (right, {}),
    ):
        answer = await visit.browser.post(path, data={"csrf": csrf}, headers=headers)
        assert answer.status_code == 403
        assert "<h1>" in answer.text
    assert (await visit.browser.get("/staff/account")).status_code == 200


async def test_a_name_with_marks_in_it_is_text_in_every_page(visit: Visit) -> None:
    await visit.enter()
    found = await visit.office.members.by_name("alice")
    assert found is not None
    changes = Changes(display_name="<img src=x>")
    await visit.office.members.change(found.staff, changes, entry=None, ends_sessions=False)
    page = await visit.browser.get("/staff/account", headers={"User-Agent": "<script>"})
    assert "<img src=x>" not in page.text
    assert "&lt;img src=x&gt;" in page.text
