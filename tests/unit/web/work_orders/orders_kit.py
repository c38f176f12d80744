"""The pages of work orders over the real services on SQLite and a desk in memory, and somebody in front of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from sqlalchemy import insert

from hotline.domain.desk import Agent
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import Actor, By
from hotline.identity_store import Bound
from hotline.storage.tables import contacts, conversations
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_app import CENTRE, TOKEN, FakeEntrance, names_of
from tests.work_order_kit import HE, OrderKit
from web.citizen.assets import static_files
from web.desk.entrance import CSRF_HEADER
from web.desk.feed import DeskFeed
from web.desk.routes import desk_router
from web.desk.site import DeskSite
from web.work_orders.routes import order_router
from web.work_orders.site import OrderNeeds, OrderSite

WANG = Actor(by=By.STAFF, id="wang", name="王敏")
CHEN = Actor(by=By.STAFF, id="chen", name="陈思远")
LIN = Actor(by=By.STAFF, id="lin", name="林班长", supervises=True)
RENTER = Contact(channel=ChannelName.WECHAT, address="o-renter-7731")
"""Who speaks in c-rent, and is bound; who speaks in the other conversations is not."""
STRANGER = Contact(channel=ChannelName.SMS, address="+8613900000077")
"""Who speaks in c-overdue."""


class FakeCitizens:
    """Implements `web.work_orders.site.Citizens`."""

    async def bound_in(self, conversation_id: str) -> Bound | None:
        if conversation_id != "c-rent":
            return None
        return Bound(contact=RENTER, person_id=HE, person_no="1", name_masked="陈*")

    async def contact_of(self, conversation_id: str) -> Contact | None:
        return {"c-rent": RENTER, "c-overdue": STRANGER}.get(conversation_id)


async def add_conversation(kit: OrderKit, conversation_id: str = "c-rent") -> None:
    """Orders name conversations that exist."""
    now = kit.clock()
    async with kit.database.write() as tx:
        row = {"channel": RENTER.channel, "address": RENTER.address, "created_at": now}
        contact_id = await tx.scalar(insert(contacts).values(row).returning(contacts.c.id))
        times = {"opened_at": now, "last_at": now}
        values = {"id": conversation_id, "contact_id": contact_id, "channel": RENTER.channel, "owner": "agent"}
        await tx.execute(insert(conversations).values(**values, **times))


def build(desk: FakeDesk, kit: OrderKit) -> FastAPI:
    """The desk's pages and those of work orders."""

    async def members() -> Sequence[Agent]:
        return [each.agent for each in desk.presences.values()]

    app = FastAPI(openapi_url=None)
    site = DeskSite(desk, FakeEntrance(desk), centre=CENTRE, names=names_of(desk), clock=desk.clock)
    feed = DeskFeed(desk, desk.clock)
    needs = OrderNeeds(
        orders=kit.services.desk,
        evidence=kit.services.evidence,
        citizens=FakeCitizens(),
        members=members,
        most_bytes=kit.settings.work_orders.evidence_bytes,
    )
    app.include_router(desk_router(site, feed))
    app.include_router(order_router(OrderSite(site, needs), feed))
    app.mount("/static", static_files())
    return app


@dataclass
class Clerk:
    """A browser of one member of staff."""

    client: httpx.AsyncClient
    kit: OrderKit

    async def get(self, path: str, *, page: bool = False, **query: str) -> httpx.Response:
        headers = {"Accept": "text/html" if page else "application/json"}
        return await self.client.get(f"/work-orders{path}", params=query or None, headers=headers)

    async def post(self, path: str, *, token: str = TOKEN, **form: str) -> httpx.Response:
        return await self.client.post(f"/work-orders{path}", data=form, headers={CSRF_HEADER: token})

    async def upload(self, number: str, name: str, content: bytes, **headers: str) -> httpx.Response:
        given = {CSRF_HEADER: TOKEN, "X-File-Name": name, **headers}
        return await self.client.post(f"/work-orders/{number}/files", content=content, headers=given)

    async def state(self, number: str) -> str:
        return (await self.kit.services.desk.view(number, by=LIN)).order.state.value

    async def numbers(self, **query: str) -> list[str]:
        html = (await self.get("", page=True, **query)).text
        return re.findall(r'href="/work-orders/(GD[^"]+)" class="number"', html)


@asynccontextmanager
async def clerk_at(desk: FakeDesk, kit: OrderKit, staff_id: str) -> AsyncIterator[Clerk]:
    transport = httpx.ASGITransport(build(desk, kit))
    cookies = {"staff": staff_id} if staff_id else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk", cookies=cookies) as client:
        yield Clerk(client, kit)
