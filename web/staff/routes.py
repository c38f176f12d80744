"""Addresses where members of staff sign in and look after their account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO

import segno
from fastapi import APIRouter, Request
from starlette.responses import Response

from hotline.domain.staff import SignInRefusal, SignInRefused, Stage
from hotline.errors import TemporaryError
from hotline.services.staff.sign_in import Here, Opened
from web.staff.cookies import browser_of
from web.staff.site import CSRF_FIELD, SIGN_IN, StaffSite, home_of, local_path
from web.staff.wording import staff_words

LONGEST_FORM = 8 * 1024
STAGE_PAGES: Mapping[Stage, str] = {
    Stage.CODE: "/staff/code",
    Stage.ENROL: "/staff/enrol",
    Stage.PASSWORD: "/staff/password",
}
Handler = Callable[[Request], Awaitable[Response]]
STATUS: Mapping[SignInRefusal, int] = {SignInRefusal.LOCKED: 429, SignInRefusal.EXPIRED: 410}


class _Refused(Exception):
    """The request gets this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def staff_router(site: StaffSite, *, demo: bool) -> APIRouter:
    """Routes under ``/staff``. ``demo``: the sign-in page tells the sandbox's accounts."""
    pages = _Pages(site, demo=demo)
    routes = APIRouter(include_in_schema=False)
    for path, shown, done in (
        ("/staff/sign-in", pages.sign_in, pages.signed_in),
        ("/staff/code", pages.code, pages.code_given),
        ("/staff/enrol", pages.enrol, pages.enrolled),
        ("/staff/password", pages.password, pages.password_changed),
        ("/staff/account", pages.account, None),
        ("/staff/enrol.svg", pages.picture, None),
        ("/staff/recovery", None, pages.recovery),
        ("/staff/sign-out", None, pages.sign_out),
    ):
        if shown:
            routes.add_route(path, pages.guarded(shown), methods=["GET"])
        if done:
            routes.add_route(path, pages.guarded(done), methods=["POST"])
    return routes


class _Pages:
    """The handlers and what they share."""

    def __init__(self, site: StaffSite, *, demo: bool) -> None:
        self._site = site
        self._demo = demo

    def guarded(self, handler: Handler) -> Handler:
        """The handler, with refusals and an absent database as pages."""

        async def guard(request: Request) -> Response:
            try:
                return await handler(request)
            except _Refused as refused:
                return refused.response
            except TemporaryError:
                return self._site.problem("busy", 503, request)

        return guard

    # --- signing in ----------------------------------------------------------------------------------------------

    async def sign_in(self, request: Request) -> Response:
        here = await self._site.here(request)
        if here is not None:
            return self._site.to(home_of(here.staff.roles))
        return self._form("sign_in", next=_next(request), demo=self._demo)

    async def signed_in(self, request: Request) -> Response:
        form = await self._read(request)
        if not self._site.is_same_origin(request):
            return self._site.problem("foreign", 403, request)
        wanted = local_path(form.get("next", ""))
        try:
            opened = await self._site.sign_in.with_password(
                form.get("name", ""), form.get("password", ""), browser=browser_of(request)
            )
        except SignInRefused as refused:
            return self._form("sign_in", refused, next=wanted, demo=self._demo, typed=form.get("name", "")[:32])
        return await self._onward(opened, wanted)

    async def code(self, request: Request) -> Response:
        here = await self._at(request, Stage.CODE)
        return self._form("code", csrf=here.csrf, next=_next(request))

    async def code_given(self, request: Request) -> Response:
        here, form = await self._sent(request, Stage.CODE)
        wanted = local_path(form.get("next", ""))
        token = self._site.cookies.read(request)
        try:
            opened = await self._site.sign_in.with_code(token, form.get("code", ""), browser=browser_of(request))
        except SignInRefused as refused:
            return self._form("code", refused, csrf=here.csrf, next=wanted)
        return await self._onward(opened, wanted)

    async def enrol(self, request: Request) -> Response:
        here = await self._at(request, Stage.ENROL)
        return self._form("enrol", csrf=here.csrf, next=_next(request), secret=await self._secret(request))

    async def picture(self, request: Request) -> Response:
        """The QR code of the second factor, for this session alone."""
        await self._at(request, Stage.ENROL)
        address = await self._site.sign_in.begin_enrolment(self._site.cookies.read(request))
        drawn = BytesIO()
        segno.make(address, error="m").save(drawn, kind="svg", scale=5, border=3, dark="#111", light="#fff")
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(drawn.getvalue(), media_type="image/svg+xml", headers=headers)

    async def enrolled(self, request: Request) -> Response:
        here, form = await self._sent(request, Stage.ENROL)
        wanted = local_path(form.get("next", ""))
        token = self._site.cookies.read(request)
        try:
            opened, codes = await self._site.sign_in.enrol(token, form.get("code", ""), browser=browser_of(request))
        except SignInRefused as refused:
            secret = await self._secret(request)
            return self._form("enrol", refused, csrf=here.csrf, next=wanted, secret=secret)
        onward = await self._where(opened, wanted)
        response = self._site.page("recovery", codes=codes, onward=onward)
        self._site.cookies.write(response, opened, now=self._site.clock())
        return response

    # --- the account ---------------------------------------------------------------------------------------------

    async def password(self, request: Request) -> Response:
        here = await self._any(request)
        return self._form("password", csrf=here.csrf, first=here.session.stage is Stage.PASSWORD)

    async def password_changed(self, request: Request) -> Response:
        here = await self._any(request)
        form = await self._own_form(request, here)
        csrf, first = here.csrf, here.session.stage is Stage.PASSWORD
        if form.get("new", "") != form.get("again", ""):
            return self._form("password", problem=staff_words()["refusals"]["differ"], csrf=csrf, first=first)
        token, new = self._site.cookies.read(request), form.get("new", "")
        try:
            opened = await self._site.sign_in.change_password(
                token, old=form.get("old", ""), new=new, browser=browser_of(request)
            )
        except SignInRefused as refused:
            return self._form("password", refused, csrf=csrf, first=first)
        return await self._onward(opened, "")

    async def account(self, request: Request) -> Response:
        here = await self._at(request, Stage.FULL)
        sessions = await self._site.sign_in.sessions(here)
        home = home_of(here.staff.roles)
        return self._site.page("account", me=here.staff, here=here, sessions=sessions, csrf=here.csrf, home=home)

    async def recovery(self, request: Request) -> Response:
        await self._sent(request, Stage.FULL)
        codes = await self._site.sign_in.new_recovery_codes(self._site.cookies.read(request))
        return self._site.page("recovery", codes=codes, onward="/staff/account")

    async def sign_out(self, request: Request) -> Response:
        _, form = await self._sent(request, Stage.FULL)
        everywhere = form.get("everywhere") == "1"
        await self._site.sign_in.sign_out(self._site.cookies.read(request), everywhere=everywhere)
        response = self._site.to(SIGN_IN)
        self._site.cookies.clear(response)
        return response

    # --- how -----------------------------------------------------------------------------------------------------

    async def _onward(self, opened: Opened, wanted: str) -> Response:
        response = self._site.to(await self._where(opened, wanted))
        self._site.cookies.write(response, opened, now=self._site.clock())
        return response

    async def _where(self, opened: Opened, wanted: str) -> str:
        if opened.stage in STAGE_PAGES:
            return STAGE_PAGES[opened.stage]
        here = await self._site.sign_in.here(opened.token)
        return wanted or home_of(here.staff.roles if here else frozenset())

    async def _secret(self, request: Request) -> str:
        address = await self._site.sign_in.begin_enrolment(self._site.cookies.read(request))
        secret = address.partition("secret=")[2].partition("&")[0]
        return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))

    async def _at(self, request: Request, stage: Stage) -> Here:
        here = await self._site.here(request, stage=stage)
        if here is None:
            raise _Refused(self._site.to(SIGN_IN))
        return here

    async def _any(self, request: Request) -> Here:
        """Signed in, or on the way to it with a password to be changed."""
        return await self._site.here(request, stage=Stage.PASSWORD) or await self._at(request, Stage.FULL)

    async def _sent(self, request: Request, stage: Stage) -> tuple[Here, dict[str, str]]:
        here = await self._at(request, stage)
        return here, await self._own_form(request, here)

    async def _own_form(self, request: Request, here: Here) -> dict[str, str]:
        form = await self._read(request)
        if not self._site.is_ours(request, here, form.get(CSRF_FIELD, "")):
            raise _Refused(self._site.problem("foreign", 403, request))
        return form

    async def _read(self, request: Request) -> dict[str, str]:
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LONGEST_FORM:
            raise _Refused(self._site.problem("too_large", 413, request))
        async with request.form(max_fields=10, max_files=0) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}

    def _form(
        self, name: str, refused: SignInRefused | None = None, *, problem: str = "", **values: object
    ) -> Response:
        status = 200
        if refused is not None:
            status = STATUS.get(refused.refusal, 422)
            problem = str(staff_words()["refusals"][refused.refusal.value]).format(wait=_wait(refused.wait_s))
        elif problem:
            status = 422
        return self._site.page(name, status=status, problem=problem, **{"typed": "", **values})


def _next(request: Request) -> str:
    return local_path(request.query_params.get("next", ""))


def _wait(seconds: int) -> str:
    words = staff_words()["wait"]
    if seconds < 60:
        return str(words["seconds"]).format(count=max(1, seconds))
    if seconds < 3600:
        return str(words["minutes"]).format(count=-(-seconds // 60))
    return str(words["hours"]).format(count=-(-seconds // 3600))
