"""Addresses where members of staff sign in and look after their account."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from hotline.domain.staff import Stage
from web.staff.account import ACCOUNT, Account
from web.staff.handling import Handling
from web.staff.signing_in import SigningIn
from web.staff.site import SIGN_IN, StaffSite, home_of


def staff_router(site: StaffSite, *, demo: bool) -> APIRouter:
    """Routes under ``/staff``; `web.citizen.assets.static_files` has to be mounted too. ``demo``: the sign-in
    page tells the sandbox's accounts."""
    handling = Handling(site)
    door, own = SigningIn(handling, demo=demo), Account(handling)

    async def begin(request: Request) -> Response:
        here = await handling.at(request, Stage.FULL)
        return site.to(home_of(here.staff.roles))

    routes = APIRouter(include_in_schema=False)
    for path, shown, done in (
        ("/staff", begin, None),
        (SIGN_IN, door.sign_in, door.signed_in),
        ("/staff/code", door.code, door.code_given),
        ("/staff/enrol", door.enrol, door.enrolled),
        ("/staff/enrol.svg", door.picture, None),
        ("/staff/password", own.password, own.password_changed),
        (ACCOUNT, own.account, None),
        ("/staff/recovery", None, own.recovery),
        ("/staff/sessions/end", None, own.end_session),
        ("/staff/sign-out", None, own.sign_out),
    ):
        if shown:
            routes.add_route(path, handling.guarded(shown), methods=["GET"])
        if done:
            routes.add_route(path, handling.guarded(done), methods=["POST"])
    return routes
