"""The pages on the way in: password, code of the authenticator, and binding one."""

from __future__ import annotations

from io import BytesIO

import segno
from fastapi import Request
from starlette.responses import Response

from hotline.domain.staff import SignInRefused, Stage
from hotline.services.staff.demo import DEMO_PASSWORD
from web.citizen.guard import DATA_HEADERS
from web.staff.cookies import browser_of
from web.staff.handling import STAGE_PAGES, Handling, Turned
from web.staff.site import home_of, local_path

LONGEST_SHOWN = 32


class SigningIn:
    """Handlers. ``demo``: the sign-in page tells the sandbox's accounts."""

    def __init__(self, handling: Handling, *, demo: bool) -> None:
        self._handling = handling
        self._site = handling.site
        self._demo = DEMO_PASSWORD if demo else ""

    async def sign_in(self, request: Request) -> Response:
        if here := await self._site.here(request):
            return self._site.to(_next(request) or home_of(here.staff.roles))
        return self._handling.form("sign_in", next=_next(request), demo=self._demo, typed="")

    async def signed_in(self, request: Request) -> Response:
        form = await self._handling.read(request)
        if not self._site.is_same_origin(request):
            raise Turned(self._site.problem("foreign", 403, request))
        wanted, name = local_path(form.get("next", "")), form.get("name", "")
        try:
            opened = await self._site.sign_in.with_password(name, form.get("password", ""), browser=browser_of(request))
        except SignInRefused as refused:
            typed = name[:LONGEST_SHOWN]
            return self._handling.form("sign_in", refused, next=wanted, demo=self._demo, typed=typed)
        here = await self._site.sign_in.here(opened.token)
        return self._handling.onward(opened, here, wanted)

    async def code(self, request: Request) -> Response:
        here = await self._handling.at(request, Stage.CODE)
        return self._handling.form("code", me=here.staff, csrf=here.csrf, next=_next(request))

    async def code_given(self, request: Request) -> Response:
        here, form = await self._handling.sent(request, Stage.CODE)
        wanted, token = local_path(form.get("next", "")), self._site.cookies.read(request)
        try:
            opened = await self._site.sign_in.with_code(token, form.get("code", ""), browser=browser_of(request))
        except SignInRefused as refused:
            return self._handling.form("code", refused, me=here.staff, csrf=here.csrf, next=wanted)
        return self._handling.onward(opened, here, wanted)

    async def enrol(self, request: Request) -> Response:
        here = await self._handling.at(request, Stage.ENROL)
        return self._handling.form("enrol", csrf=here.csrf, next=_next(request), secret=await self._secret(request))

    async def picture(self, request: Request) -> Response:
        """The QR code of the second factor, for this session alone."""
        await self._handling.at(request, Stage.ENROL)
        address = await self._site.sign_in.begin_enrolment(self._site.cookies.read(request))
        drawn = BytesIO()
        segno.make(address, error="m").save(drawn, kind="svg", scale=5, border=3, dark="#111", light="#fff")
        return Response(drawn.getvalue(), media_type="image/svg+xml", headers=dict(DATA_HEADERS))

    async def enrolled(self, request: Request) -> Response:
        here, form = await self._handling.sent(request, Stage.ENROL)
        wanted, token = local_path(form.get("next", "")), self._site.cookies.read(request)
        try:
            opened, codes = await self._site.sign_in.enrol(token, form.get("code", ""), browser=browser_of(request))
        except SignInRefused as refused:
            secret = await self._secret(request)
            return self._handling.form("enrol", refused, csrf=here.csrf, next=wanted, secret=secret)
        onward = STAGE_PAGES.get(opened.stage) or wanted or home_of(here.staff.roles)
        response = self._site.page("recovery", codes=codes, onward=onward, next=wanted)
        self._site.cookies.write(response, opened, now=self._site.clock())
        return response

    async def _secret(self, request: Request) -> str:
        """For those who cannot scan it, in groups of four."""
        address = await self._site.sign_in.begin_enrolment(self._site.cookies.read(request))
        secret = address.partition("secret=")[2].partition("&")[0]
        return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _next(request: Request) -> str:
    return local_path(request.query_params.get("next", ""))
