"""The three forms of the identity pages: numbers, another code, and the code itself.

What is typed goes to the identity port and nowhere else: not into a page, an address, a cookie or a log.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.responses import Response

from hotline.domain.fund import Factor, FactorKind
from hotline.domain.identity import CodeSent, IdentityRefused, Refusal
from hotline.errors import TemporaryError
from hotline.identification import Identification
from web.citizen.guard import is_same_origin
from web.citizen.identity_once import Once
from web.citizen.identity_session import PageSession, Problem, Step
from web.citizen.identity_site import IdentityLimits, IdentitySite, address_of
from web.citizen.limits import Buckets

MAX_BODY_BYTES = 8 * 1024
_ENDING = frozenset({Refusal.LINK_EXPIRED, Refusal.LINK_USED, Refusal.OTHER_BROWSER})
_FROM_THE_START = frozenset(
    {Refusal.MISMATCH, Refusal.MALFORMED_ID, Refusal.MALFORMED_FACTOR, Refusal.NO_CONSENT, Refusal.ANOTHER_PERSON}
)

Form = Mapping[str, str]
Act = Callable[[PageSession, Form, str], Coroutine[Any, Any, PageSession]]
"""Does one step for a page's sign-in with a form from a network address. Raises IdentityRefused, TemporaryError."""


class IdentityForms:
    """The three forms. Each answer is a way back to the page, which then shows what has become of it."""

    def __init__(self, identification: Identification, site: IdentitySite, limits: IdentityLimits) -> None:
        self._identification = identification
        self._site = site
        self._of_session = Buckets(limits.posts_of_session)
        self._of_address = Buckets(limits.posts_of_address)
        self._once: Once[PageSession] = Once()

    def handler(self, act: Act) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route of a form that does ``act``."""

        async def receive(request: Request) -> Response:
            if _is_foreign(request, self._site.public_url):
                return self._site.end("foreign", request)
            try:
                form = await _form(request)
            except _BadForm as bad:
                return self._site.end(str(bad), request)
            page = self._site.cookies.read(request)
            if page is None:
                return self._site.end("expired", request)
            if not self._site.cookies.is_form_of(page, form.get("form", "")):
                return self._site.end("stale", request)
            if wait_s := self._wait_s(page, address_of(request)):
                return self._site.end("too_fast", request, wait_s=wait_s)
            response = self._site.pages.to()
            self._site.cookies.write(response, await self._done(act, page, form, address_of(request)))
            return response

        return receive

    async def prove(self, page: PageSession, form: Form, address: str) -> PageSession:
        kind = FactorKind.QUERY_PASSWORD if form.get("factor") == FactorKind.QUERY_PASSWORD else FactorKind.BANK_CARD
        sent = await self._identification.prove(
            page.session,
            browser=page.browser,
            address=address,
            id_number=form.get("id_number", ""),
            factor=Factor(kind=kind, value=form.get(kind.value, "")),
            consent=form.get("consent") == "yes",
        )
        return _sent(page, sent)

    async def again(self, page: PageSession, form: Form, address: str) -> PageSession:
        return _sent(page, await self._identification.send_again(page.session, browser=page.browser))

    async def confirm(self, page: PageSession, form: Form, address: str) -> PageSession:
        known = await self._identification.confirm(page.session, browser=page.browser, code=form.get("code", ""))
        proven_until = int(known.proven_until.timestamp()) if known.proven_until else 0
        return page.after(step=Step.DONE, name=known.name_masked, proven_until=proven_until, mobile="")

    async def _done(self, act: Act, page: PageSession, form: Form, address: str) -> PageSession:
        """The page after the form. The same form again (a double click, a browser's repetition) changes nothing."""
        if page.step is Step.DONE:
            return page

        async def work() -> PageSession:
            try:
                return await act(page, form, address)
            except IdentityRefused as refused:
                return _refused(page, refused)
            except TemporaryError:
                return _refused(page, IdentityRefused(Refusal.CORE_AWAY))

        return await self._once.run(f"{page.session} {form.get('turn', '')[:64]}", work)

    def _wait_s(self, page: PageSession, address: str) -> int:
        return math.ceil(self._of_session.wait_s(page.session) or self._of_address.wait_s(address))


def _sent(page: PageSession, sent: CodeSent) -> PageSession:
    return page.after(
        step=Step.CODE,
        mobile=sent.mobile_masked,
        code_until=int(sent.expires_at.timestamp()),
        again_at=int(time.time()) + sent.again_after_s,
    )


def _refused(page: PageSession, refused: IdentityRefused) -> PageSession:
    until = int(time.time()) + refused.wait_s if refused.wait_s else 0
    problem = Problem(reason=refused.reason, until=until, tries=refused.attempts_left)
    if refused.reason in _ENDING:
        return page.after(step=Step.ENDED, problem=problem)
    step = Step.PROVE if refused.reason in _FROM_THE_START else page.step
    again_at = until if refused.reason is Refusal.TOO_MANY_CODES else page.again_at
    return page.after(step=step, problem=problem, again_at=again_at)


def _is_foreign(request: Request, public_url: str) -> bool:
    """True when the browser says that another site's page sends the form.

    These pages send no referrer, for which older browsers write ``null`` as their origin; the form's token decides
    then, as it does everywhere else too."""
    if "sec-fetch-site" not in request.headers and request.headers.get("origin", "null") == "null":
        return False
    return not is_same_origin(request.headers, public_url=public_url)


class _BadForm(Exception):
    """Not a form of ours; the text names the page that says so."""


async def _form(request: Request) -> Form:
    """The fields, read no further than a form may be long. Raises _BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise _BadForm("unreadable")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _BadForm("too_large")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        # Without its cause, which quotes what was typed.
        raise _BadForm("unreadable") from None
