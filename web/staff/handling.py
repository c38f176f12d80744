"""What the handlers of the staff's own pages share: reading forms, and telling what was wrong."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.responses import Response

from hotline.domain.staff import SignInRefusal, SignInRefused, Stage
from hotline.errors import TemporaryError
from hotline.services.staff.sign_in import Here, Opened
from web.citizen.identity_site import address_of
from web.citizen.limits import Buckets, Rate
from web.staff.site import CSRF_FIELD, StaffSite, home_of
from web.staff.wording import staff_words

LONGEST_FORM: Final = 8 * 1024
POSTS_OF_ADDRESS: Final = Rate(burst=60, per_s=2)
"""A whole office may begin its day at one address. Wrong attempts are counted elsewhere; this keeps passwords from
being checked all day."""
STAGE_PAGES: Final[Mapping[Stage, str]] = {
    Stage.CODE: "/staff/code",
    Stage.ENROL: "/staff/enrol",
    Stage.PASSWORD: "/staff/password",
}
STATUS: Final[Mapping[SignInRefusal, int]] = {SignInRefusal.LOCKED: 429}
"""Everything else is 422: what was typed has to be changed."""

Form = Mapping[str, str]
Handler = Callable[[Request], Awaitable[Response]]


class Turned(Exception):
    """The request gets this response instead."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Handling:
    """One for all of these pages."""

    def __init__(self, site: StaffSite) -> None:
        self.site = site
        self._posts = Buckets(POSTS_OF_ADDRESS)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, with everything that may stand against it as a page."""

        async def guard(request: Request) -> Response:
            try:
                return await handler(request)
            except Turned as turned:
                return turned.response
            except SignInRefused:
                return self.site.away(request)  # what was just possible is not any more: the session has ended
            except TemporaryError:
                return self.site.problem("busy", 503, request)

        return guard

    async def at(self, request: Request, *stages: Stage) -> Here:
        """Who is signed in, as far as one of ``stages``. Raises Turned."""
        for stage in stages:
            if here := await self.site.here(request, stage=stage):
                return here
        raise Turned(self.site.away(request))

    async def sent(self, request: Request, *stages: Stage) -> tuple[Here, Form]:
        """Who sends a form of ours, and the form. Raises Turned."""
        here, form = await self.at(request, *stages), await self.read(request)
        if not self.site.is_ours(request, here, form.get(CSRF_FIELD, "")):
            raise Turned(self.site.problem("foreign", 403, request))
        return here, form

    async def read(self, request: Request) -> Form:
        """The fields, read no further than a form may be long. Raises Turned."""
        if self._posts.wait_s(address_of(request)):
            raise Turned(self.site.problem("too_fast", 429, request))
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_FORM:
                raise Turned(self.site.problem("too_large", 413, request))
        try:
            return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20))
        except ValueError:
            # Without its cause, which quotes what was typed.
            raise Turned(self.site.problem("unreadable", 400, request)) from None

    def form(self, name: str, refused: SignInRefused | None = None, **values: object) -> Response:
        """The page with its form, and what was wrong with it."""
        status, problem = 200, ""
        if refused is not None:
            status = STATUS.get(refused.refusal, 422)
            problem = str(staff_words()["refusals"][refused.refusal.value]).replace("{wait}", _wait(refused.wait_s))
        return self.site.page(name, status=status, problem=problem, **values)

    def onward(self, opened: Opened, here: Here | None, wanted: str) -> Response:
        """The way to what comes next, with the new session's secret."""
        if opened.stage in STAGE_PAGES:
            response: Response = self.site.to(STAGE_PAGES[opened.stage], wanted=wanted)
        else:
            response = self.site.to(wanted or home_of(here.staff.roles if here else frozenset()))
        self.site.cookies.write(response, opened, now=self.site.clock())
        return response


def _wait(seconds: int) -> str:
    """In the largest unit that fits, rounded up."""
    words = staff_words()["wait"]
    units = (("seconds", 1, 60), ("minutes", 60, 3600), ("hours", 3600, math.inf))
    unit, size = next((unit, size) for unit, size, limit in units if seconds < limit)
    return str(words[unit]).replace("{count}", str(max(1, math.ceil(seconds / size))))
