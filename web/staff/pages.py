"""All pages of staff, joined to the gateway's application."""

from __future__ import annotations

from fastapi import FastAPI

from hotline.bootstrap import Core
from hotline.domain.clock import utc_now
from hotline.domain.desk import Agent
from hotline.domain.staff import Role, StaffState
from hotline.settings import Settings
from web.desk.calls import Telephone
from web.desk.feed import DeskFeed
from web.desk.routes import desk_router
from web.desk.site import DeskSite
from web.staff.entrance import StaffEntrance
from web.staff.oidc import OidcProvider
from web.staff.oidc_routes import oidc_router
from web.staff.routes import staff_router
from web.staff.site import StaffSite
from web.supervisor.quality import quality_router
from web.supervisor.quality_site import Records
from web.supervisor.routes import supervisor_router
from web.supervisor.search import search_router
from web.work_orders.routes import order_router
from web.work_orders.site import OrderNeeds, OrderSite

OWNERS = frozenset({Role.AGENT, Role.SUPERVISOR})
"""Who may own a work order."""


def include_staff(app: FastAPI, settings: Settings, core: Core) -> None:
    """Sign-in, desk and the supervisors' pages."""
    gateway, oidc = settings.gateway, settings.staff.oidc
    by_centre = bool(oidc.issuer)
    staff = StaffSite(core.sign_in, centre=core.centre, public_url=gateway.public_url, clock=utc_now, oidc=by_centre)

    async def names() -> dict[str, tuple[str, str]]:
        return {each.id: (each.work_no, each.display_name) for each in await core.storage.members.all()}

    telephone = Telephone(calls=core.calls, recordings=core.recordings, settings=settings.telephone)
    desk = DeskSite(core.desk, StaffEntrance(staff), centre=core.centre, names=names, telephone=telephone)
    feed = DeskFeed(core.desk, utc_now)
    app.include_router(staff_router(staff, demo=settings.sandbox.enabled))
    if by_centre:
        provider = OidcProvider(oidc, public_url=gateway.public_url, clock=utc_now)
        app.include_router(oidc_router(staff, provider, session_secret=gateway.session_secret))
    app.include_router(desk_router(desk, feed))
    app.include_router(supervisor_router(desk, feed))
    app.include_router(order_router(OrderSite(desk, _order_needs(settings, core)), feed))
    records = Records(
        reviewing=core.reviewing,
        handover=core.storage.reviews.handover,
        counts=core.storage.ratings.counts,
        names=names,
    )
    app.include_router(quality_router(desk, records))
    app.include_router(search_router(desk, records))


def _order_needs(settings: Settings, core: Core) -> OrderNeeds:
    async def members() -> list[Agent]:
        everybody = await core.storage.members.all()
        return [each.agent() for each in everybody if each.state is StaffState.ACTIVE and each.roles & OWNERS]

    return OrderNeeds(
        orders=core.orders.desk,
        evidence=core.orders.evidence,
        citizens=core.storage.identity.bindings,
        members=members,
        most_bytes=settings.work_orders.evidence_bytes,
    )
