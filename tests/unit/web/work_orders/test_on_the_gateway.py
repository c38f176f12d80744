"""Work orders through the whole gateway: the staff's own sign-in, the core's own services, a conversation that was
held."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pyotp
import pytest

from hotline.domain.clock import utc_now
from hotline.domain.messages import ChannelName, Inbound
from hotline.domain.staff import Role
from hotline.services.staff.members import Accounts, NewStaff
from hotline.services.staff.sign_in import Browser
from tests.core_kit import Kit, core_kit
from tests.staff_kit import PASSWORD, cheap_passwords
from web.app import create_app
from web.desk.entrance import CSRF_HEADER

pytestmark = pytest.mark.anyio

HERE = Browser(address="127.0.0.1", name="test")
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path) as made:
        made.core.sign_in._passwords = cheap_passwords()
        yield made


async def token_of(kit: Kit, name: str, work_no: str, role: Role) -> str:
    """Somebody is hired and has signed in for the first time."""
    accounts = Accounts(kit.storage.members, passwords=cheap_passwords(), actor="test")
    one_time = await accounts.add(NewStaff(name=name, display_name=name, work_no=work_no, roles=[role]))
    opened = await kit.core.sign_in.with_password(name, one_time, browser=HERE)
    address = await kit.core.sign_in.begin_enrolment(opened.token)
    code = pyotp.parse_uri(address).at(utc_now())
    opened, _ = await kit.core.sign_in.enrol(opened.token, code, browser=HERE)
    opened = await kit.core.sign_in.change_password(opened.token, old=one_time, new=PASSWORD, browser=HERE)
    return opened.token


def browser(kit: Kit, token: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(kit.core.settings, kit.core))
    cookies = {"staff": token} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", cookies=cookies)


async def conversation_of(kit: Kit, text: str) -> str:
    """Somebody writes on the web page."""
    inbound = Inbound(channel=ChannelName.WEB, external_id="m1", contact_key="visitor-1", text=text)
    await kit.core.intake.submit(inbound)
    await kit.core.turns.idle()
    return kit.dialogue.asked[0].conversation_id


async def test_supervisor_opens_an_order_of_a_conversation_and_it_knows_its_contact(kit: Kit) -> None:
    token = await token_of(kit, "boss", "1", Role.SUPERVISOR)
    conversation = await conversation_of(kit, "柜员态度差")
    async with browser(kit, token) as page:
        new = await page.get("/work-orders/new", params={"conversation": conversation}, headers={"Accept": "text/html"})
        assert "柜员态度差</textarea>" in new.text
        csrf = re.search(r'name="csrf-token" content="([^"]+)"', new.text)
        assert csrf
        form = {"key": "k1", "type": "complaint", "priority": "normal", "text": "柜员态度差", "matter": "other"}
        answer = await page.post(
            "/work-orders", data={**form, "conversation": conversation}, headers={**SAME, CSRF_HEADER: csrf[1]}
        )
        number = json.loads(answer.headers["hx-trigger"])["orders:opened"]["number"]
        shown = await page.get(f"/work-orders/{number}", headers={"Accept": "text/html"})
    assert "网页" in shown.text
    order = await kit.core.orders.orders.find(number)
    assert order is not None
    assert order.contact is not None
    assert (order.contact.address, order.conversation_id) == ("visitor-1", conversation)


async def test_change_without_the_sessions_token_is_refused(kit: Kit) -> None:
    token = await token_of(kit, "wang", "2", Role.AGENT)
    form = {"key": "k1", "type": "complaint", "priority": "normal", "text": "x", "matter": "other"}
    async with browser(kit, token) as page:
        answer = await page.post("/work-orders", data=form, headers=SAME)
    assert answer.status_code == 403


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER, Role.OPERATOR, Role.AUDITOR])
async def test_other_roles_see_no_orders(kit: Kit, role: Role) -> None:
    token = await token_of(kit, "other", "3", role)
    async with browser(kit, token) as page:
        for path in ("", "/new", "/GD20261125-000018", "/beside/c1", "/events"):
            assert (await page.get(f"/work-orders{path}")).status_code == 403


async def test_whoever_is_not_signed_in_is_sent_to_the_sign_in(kit: Kit) -> None:
    async with browser(kit) as page:
        answer = await page.get("/work-orders?state=all", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/staff/sign-in?next=%2Fwork-orders%3Fstate%3Dall"


async def test_order_can_be_passed_to_those_who_may_own_one_alone(kit: Kit) -> None:
    token = await token_of(kit, "wang", "2", Role.AGENT)
    await token_of(kit, "editor", "4", Role.EDITOR)
    await token_of(kit, "chen", "5", Role.AGENT)
    async with browser(kit, token) as page:
        new = await page.get("/work-orders/new", headers={"Accept": "text/html"})
        csrf = re.search(r'name="csrf-token" content="([^"]+)"', new.text)
        assert csrf
        form = {"key": "k1", "type": "praise", "priority": "normal", "text": "很好", "matter": "other"}
        answer = await page.post("/work-orders", data=form, headers={**SAME, CSRF_HEADER: csrf[1]})
        number = json.loads(answer.headers["hx-trigger"])["orders:opened"]["number"]
        dialog = (await page.get(f"/work-orders/{number}/forms/assign")).text
    assert "5 chen" in dialog
    assert "4 editor" not in dialog
