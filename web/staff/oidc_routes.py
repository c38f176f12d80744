"""Signing in by the centre's own sign-in service: away to it and back."""

from __future__ import annotations

import hmac
from typing import Final

import structlog
from fastapi import APIRouter, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import SecretStr
from starlette.responses import Response

from hotline.domain.staff import SignInRefused
from hotline.errors import TemporaryError
from web.staff.cookies import browser_of
from web.staff.oidc import CALLBACK_PATH, Flow, OidcFailed, OidcProblem, OidcProvider
from web.staff.site import StaffSite, home_of, local_path

BEGIN_PATH: Final = "/staff/oidc"
FLOW_S: Final = 600
"""How long somebody may take there."""
STATUS: Final = {OidcProblem.AWAY: 503, OidcProblem.REFUSED: 403}

log = structlog.get_logger()


def oidc_router(site: StaffSite, provider: OidcProvider, *, session_secret: SecretStr) -> APIRouter:
    """Two routes under ``/staff/oidc``. ``session_secret`` signs the cookie between them."""
    ways = _Ways(site, provider, session_secret)
    routes = APIRouter(include_in_schema=False)
    routes.add_route(BEGIN_PATH, ways.begin, methods=["GET"])
    routes.add_route(CALLBACK_PATH, ways.back, methods=["GET"])
    return routes


class _Ways:
    """There and back."""

    def __init__(self, site: StaffSite, provider: OidcProvider, secret: SecretStr) -> None:
        self._site = site
        self._provider = provider
        self._cookie = _FlowCookie(secret, secure=site.public_url.lower().startswith("https://"))

    async def begin(self, request: Request) -> Response:
        """The browser is sent to the service."""
        try:
            address, flow = await self._provider.begin()
        except OidcFailed as failed:
            return self._failed(failed, request)
        response = self._site.to(address)
        self._cookie.write(response, flow, local_path(request.query_params.get("next", "")))
        return response

    async def back(self, request: Request) -> Response:
        """Whom the service has confirmed is signed in, where he is a member of staff here. Nobody is made one."""
        try:
            response = await self._signed_in(request)
        except OidcFailed as failed:
            response = self._failed(failed, request)
        except SignInRefused:
            response = self._failed(OidcFailed(OidcProblem.REFUSED, "no member"), request)
        except TemporaryError:
            response = self._site.problem("busy", 503, request)
        self._cookie.clear(response)
        return response

    async def _signed_in(self, request: Request) -> Response:
        given = request.query_params
        flow, wanted = self._cookie.read(request)
        if not hmac.compare_digest(flow.state.encode(), given.get("state", "").encode("utf-8", "replace")):
            raise OidcFailed(OidcProblem.REFUSED, "state")
        if not given.get("code"):
            raise OidcFailed(OidcProblem.REFUSED, "no code")
        name = await self._provider.member(given["code"], flow, issuer=given.get("iss", ""))
        opened = await self._site.sign_in.trusted(name, browser=browser_of(request))
        here = await self._site.sign_in.here(opened.token)
        response = self._site.to(wanted or home_of(here.staff.roles if here else frozenset()))
        self._site.cookies.write(response, opened, now=self._site.clock())
        return response

    def _failed(self, failed: OidcFailed, request: Request) -> Response:
        log.warning("staff.oidc.failed", reason=failed.reason)
        return self._site.problem(failed.problem.value, STATUS[failed.problem], request)


class _FlowCookie:
    """A flow on its way, signed and hidden from scripts; the service's answer finds it, since it is Lax."""

    def __init__(self, secret: SecretStr, *, secure: bool) -> None:
        self._signed = URLSafeTimedSerializer(secret.get_secret_value(), salt="staff-oidc")
        self._secure = secure
        self._name = "__Host-staff_oidc" if secure else "staff_oidc"

    def write(self, response: Response, flow: Flow, wanted: str) -> None:
        value = self._signed.dumps([flow.state, flow.nonce, flow.verifier, wanted])
        response.set_cookie(
            self._name, str(value), max_age=FLOW_S, path="/", httponly=True, samesite="lax", secure=self._secure
        )

    def read(self, request: Request) -> tuple[Flow, str]:
        """Raises OidcFailed where this browser has begun none, or too long ago."""
        try:
            kept = self._signed.loads(request.cookies.get(self._name, ""), max_age=FLOW_S)
        except BadSignature:
            raise OidcFailed(OidcProblem.REFUSED, "no flow") from None
        state, nonce, verifier, wanted = kept
        return Flow(state=state, nonce=nonce, verifier=verifier), wanted

    def clear(self, response: Response) -> None:
        response.delete_cookie(self._name, path="/", httponly=True, samesite="lax", secure=self._secure)
