"""The own account: password, recovery codes, and where one is signed in."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from hotline.domain.staff import SignInRefused, Stage
from web.staff.cookies import browser_of
from web.staff.handling import Handling
from web.staff.site import SIGN_IN, home_of, local_path
from web.staff.wording import staff_words

ACCOUNT = "/staff/account"


class Account:
    """Handlers."""

    def __init__(self, handling: Handling) -> None:
        self._handling = handling
        self._site = handling.site

    async def account(self, request: Request) -> Response:
        here = await self._handling.at(request, Stage.FULL)
        return self._site.page(
            "account",
            me=here.staff,
            here=here,
            csrf=here.csrf,
            sessions=await self._site.sign_in.sessions(here),
            codes_left=await self._site.sign_in.recovery_codes_left(here),
            home=home_of(here.staff.roles),
        )

    async def password(self, request: Request) -> Response:
        here = await self._handling.at(request, Stage.PASSWORD, Stage.FULL)
        first, wanted = here.session.stage is Stage.PASSWORD, local_path(request.query_params.get("next", ""))
        return self._handling.form("password", me=here.staff, csrf=here.csrf, first=first, next=wanted)

    async def password_changed(self, request: Request) -> Response:
        here, form = await self._handling.sent(request, Stage.PASSWORD, Stage.FULL)
        first, wanted = here.session.stage is Stage.PASSWORD, local_path(form.get("next", ""))
        values = {"me": here.staff, "csrf": here.csrf, "first": first, "next": wanted}
        if form.get("new", "") != form.get("again", ""):
            return self._site.page("password", status=422, problem=staff_words()["refusals"]["differ"], **values)
        token, old, new = self._site.cookies.read(request), form.get("old", ""), form.get("new", "")
        try:
            opened = await self._site.sign_in.change_password(token, old=old, new=new, browser=browser_of(request))
        except SignInRefused as refused:
            return self._handling.form("password", refused, **values)
        return self._handling.onward(opened, here, wanted if first else ACCOUNT)

    async def recovery(self, request: Request) -> Response:
        await self._handling.sent(request, Stage.FULL)
        codes = await self._site.sign_in.new_recovery_codes(self._site.cookies.read(request))
        return self._site.page("recovery", codes=codes, onward=ACCOUNT, next="")

    async def end_session(self, request: Request) -> Response:
        """One of his sessions has ended; that of this browser by `sign_out` only."""
        here, form = await self._handling.sent(request, Stage.FULL)
        if form.get("session", "") != here.session.token_hash:
            await self._site.sign_in.end(here.staff, form.get("session", ""))
        return self._site.to(ACCOUNT)

    async def sign_out(self, request: Request) -> Response:
        _, form = await self._handling.sent(request, Stage.FULL, Stage.CODE, Stage.ENROL, Stage.PASSWORD)
        everywhere = form.get("everywhere") == "1"
        await self._site.sign_in.sign_out(self._site.cookies.read(request), everywhere=everywhere)
        response: RedirectResponse = self._site.to(SIGN_IN)
        self._site.cookies.clear(response)
        return response
