"""Where a citizen proves who he is: a link is opened, numbers are given, a code is confirmed."""

from __future__ import annotations

import hmac
import math
import secrets

from fastapi import APIRouter, Request
from starlette.responses import Response

from hotline.domain.identity import IdentityRefused
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.identification import Identification
from hotline.settings import Settings
from knowledge_base.model import Centre
from web.citizen.identity_forms import IdentityForms
from web.citizen.identity_pages import END_STATUS, PAGE
from web.citizen.identity_session import PageSession, WeChatFlow
from web.citizen.identity_site import IdentityLimits, IdentitySite, address_of
from web.citizen.limits import Buckets
from web.citizen.wechat_oauth import CALLBACK_PATH, OAuthFailed, WeChatOAuth


def identity_router(
    identification: Identification,
    settings: Settings,
    *,
    centre: Centre,
    limits: IdentityLimits | None = None,
    wechat: WeChatOAuth | None = None,
) -> APIRouter:
    """Routes under ``/id``. `web.citizen.assets.static_files` has to be mounted at ``/static``."""
    site = IdentitySite(settings, centre)
    limits = limits or IdentityLimits()
    asked = (wechat or WeChatOAuth(settings)) if settings.identity.wechat_oauth else None
    links = _Links(identification, site, asked, limits=limits)
    forms = IdentityForms(identification, site, limits)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(PAGE, site.page, methods=["GET"])
    routes.add_api_route(f"{PAGE}/notice", site.notice, methods=["GET"])
    routes.add_api_route(f"{PAGE}/ended/{{key}}", site.ended, methods=["GET"])
    for name, act in (("prove", forms.prove), ("again", forms.again), ("confirm", forms.confirm)):
        routes.add_api_route(f"{PAGE}/{name}", forms.handler(act), methods=["POST"])
        routes.add_api_route(f"{PAGE}/{name}", site.back, methods=["GET"])
    routes.add_api_route(CALLBACK_PATH, links.callback, methods=["GET"])
    routes.add_api_route(f"{PAGE}/{{token}}", links.open, methods=["GET"])
    return routes


class _Links:
    """Links as they are opened; with ``wechat`` those of WeChat by way of OAuth."""

    def __init__(
        self, identification: Identification, site: IdentitySite, wechat: WeChatOAuth | None, *, limits: IdentityLimits
    ) -> None:
        self._identification = identification
        self._site = site
        self._wechat = wechat
        self._opens = Buckets(limits.opens_of_address)

    async def open(self, token: str, request: Request) -> Response:
        """The sign-in of the link begins in this browser, and its token leaves the address."""
        if wait_s := math.ceil(self._opens.wait_s(address_of(request))):
            return self._site.end("too_fast", request, wait_s=wait_s)
        try:
            channel = await self._identification.link_channel(token)
        except (IdentityRefused, TemporaryError) as error:
            return self._not_opened(error)
        if channel is ChannelName.WECHAT and self._wechat is not None:
            return self._to(self._wechat, token)
        return await self._opened(request, token, channel=channel)

    async def callback(self, request: Request) -> Response:
        """WeChat sends the browser back here with a code, which tells the openid."""
        flow = self._site.cookies.read_flow(request)
        if flow is None and self._site.cookies.read(request) is not None:
            return self._site.pages.to()  # somebody went back to an address that has done its work
        code, state = request.query_params.get("code", ""), request.query_params.get("state", "")
        if self._wechat is None or flow is None or not code or not _same(flow.state, state):
            return self._site.pages.ended("wechat_again")
        try:
            openid = await self._wechat.openid(code)
        except OAuthFailed as failed:
            response = self._site.pages.ended(failed.problem.value)
        else:
            response = await self._opened(request, flow.token, channel=ChannelName.WECHAT, openid=openid)
        self._site.cookies.clear_flow(response)
        return response

    def _to(self, wechat: WeChatOAuth, token: str) -> Response:
        flow = WeChatFlow(state=secrets.token_hex(16), token=token)
        response = self._site.pages.to(wechat.address(flow.state))
        self._site.cookies.write_flow(response, flow)
        return response

    async def _opened(self, request: Request, token: str, *, channel: ChannelName, openid: str = "") -> Response:
        known = self._site.cookies.read(request)
        browser = self._browser(request, channel, known)
        try:
            sign_in = await self._identification.open_link(
                token, browser=browser, address=address_of(request), openid=openid
            )
        except (IdentityRefused, TemporaryError) as error:
            return self._not_opened(error)
        page = PageSession(
            session=sign_in.session,
            browser=browser,
            channel=sign_in.channel,
            purpose=sign_in.purpose,
            expires=int(sign_in.expires_at.timestamp()),
            asks_consent=sign_in.consent_needed,
        )
        response = self._site.pages.to()
        # The link of a sign-in under way goes on where that is.
        is_known = known is not None and known.session == page.session
        self._site.cookies.write(response, known if known is not None and is_known else page)
        return response

    def _browser(self, request: Request, channel: ChannelName, known: PageSession | None) -> str:
        visitor = self._site.visitor(request) if channel is ChannelName.WEB else None
        if visitor is not None:
            return visitor
        return known.browser if known is not None and known.channel is channel else secrets.token_urlsafe(32)

    def _not_opened(self, error: IdentityRefused | TemporaryError) -> Response:
        if isinstance(error, IdentityRefused) and error.reason in END_STATUS:
            return self._site.pages.ended(error.reason.value, wait_s=error.wait_s)
        return self._site.pages.ended("busy")


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
