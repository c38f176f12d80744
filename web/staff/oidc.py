"""The centre's own sign-in service (OpenID Connect): authorization code flow with PKCE, state and nonce.

OpenID Connect Core 1.0, 3.1; Discovery 1.0, 4; PKCE by RFC 7636; who answers by RFC 9207.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hotline.settings import OidcSettings

CALLBACK_PATH: Final = "/staff/oidc/callback"
TIME_LIMIT_S: Final = 5.0
"""For everything that is asked of the service in one step."""
LEEWAY_S: Final = 60
"""How far its clock may be off."""
KEPT: Final = timedelta(hours=1)
"""How long its addresses and keys are believed."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by public keys alone: neither none at all nor one made with the secret we know too."""
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")

log = structlog.get_logger()


class OidcProblem(StrEnum):
    """Why it is not known who signs in; each is worded under ``problems`` of that name."""

    AWAY = "oidc_away"
    """The service is slow, away, or says what cannot be."""
    REFUSED = "oidc"
    """It did not confirm who it is, or not to us, or not just now."""


class OidcFailed(Exception):
    """Carries neither code nor token. ``reason`` is for the log: the kind of error, never a value."""

    def __init__(self, problem: OidcProblem, reason: str) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sign-in under way, which the browser keeps: what has to come back, and what proves that we began it."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class OidcProvider:
    """The service of the settings. ``transport`` leads to it, for tests."""

    def __init__(
        self,
        settings: OidcSettings,
        *,
        public_url: str,
        clock: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._callback = public_url.rstrip("/") + CALLBACK_PATH
        self._clock = clock
        self._transport = transport
        self._kept: dict[str, tuple[datetime, Any]] = {}

    async def begin(self) -> tuple[str, Flow]:
        """Where the browser is sent, and what it has to bring back. Raises OidcFailed."""
        flow = Flow(
            state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48)
        )
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._callback,
            "scope": self._settings.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": create_s256_code_challenge(flow.verifier),
            "code_challenge_method": "S256",
        }
        async with _asking(self._transport) as client:
            address = (await self._metadata(client))["authorization_endpoint"]
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", flow

    async def member(self, code: str, flow: Flow, *, issuer: str = "") -> str:
        """The name the service knows the member by; ``issuer``: who says that the code is its own, where it said so.

        Raises:
            OidcFailed: the code or the token is not good, not for us, or does not belong to this flow.
        """
        if issuer and issuer != self._settings.issuer:
            raise OidcFailed(OidcProblem.REFUSED, "issuer")
        async with _asking(self._transport) as client:
            metadata = await self._metadata(client)
            tokens = await self._exchange(client, metadata, code, verifier=flow.verifier)
            claims = await self._verified(client, metadata, tokens, nonce=flow.nonce)
        name = claims.get(self._settings.claim)
        if not isinstance(name, str) or not name.strip():
            raise OidcFailed(OidcProblem.REFUSED, "claim")
        return name

    async def _metadata(self, client: httpx.AsyncClient) -> Mapping[str, Any]:
        """Raises OidcFailed where the document is not that of the issuer in settings."""
        issuer = self._settings.issuer
        found = await self._remembered(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise OidcFailed(OidcProblem.AWAY, "metadata of another issuer")
        for name in _ENDPOINTS:
            address = found.get(name)
            if not isinstance(address, str) or urlsplit(address).scheme not in ("https", urlsplit(issuer).scheme):
                raise OidcFailed(OidcProblem.AWAY, f"metadata without {name}")
        return found

    async def _exchange(
        self, client: httpx.AsyncClient, metadata: Mapping[str, Any], code: str, *, verifier: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": verifier,
        }
        name, secret = self._settings.client_id, self._settings.client_secret.get_secret_value()
        auth: httpx.BasicAuth | None = None
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret and "client_secret_basic" in methods:
            auth = httpx.BasicAuth(quote(name, safe=""), quote(secret, safe=""))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": name} | ({"client_secret": secret} if secret else {})
        response = await client.post(metadata["token_endpoint"], data=form, auth=auth or httpx.USE_CLIENT_DEFAULT)
        if 400 <= response.status_code < 500:
            raise OidcFailed(OidcProblem.REFUSED, f"token endpoint: {response.status_code}")
        return _object(response)

    async def _verified(
        self, client: httpx.AsyncClient, metadata: Mapping[str, Any], tokens: Mapping[str, Any], *, nonce: str
    ) -> Mapping[str, Any]:
        """What the token says, once it is known to be the service's, for us, of this flow and of now."""
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise OidcFailed(OidcProblem.REFUSED, "no id_token")
        decoded = await self._decoded(client, metadata["jwks_uri"], token)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": self._settings.issuer},
                "aud": {"essential": True, "value": self._settings.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": self._settings.client_id,
                "access_token": tokens.get("access_token"),
            },
        )
        try:
            claims.validate(now=int(self._clock().timestamp()), leeway=LEEWAY_S)
        except JoseError as error:
            raise OidcFailed(OidcProblem.REFUSED, type(error).__name__) from None
        return dict(claims)

    async def _decoded(self, client: httpx.AsyncClient, address: str, token: str) -> jwt.Token:
        """Keys may have been changed since they were fetched: they are fetched once more where none fits."""
        for again in (False, True):
            try:
                keys = KeySet.import_key_set(await self._remembered(client, address, anew=again))  # type: ignore[arg-type]
                return jwt.decode(token, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError, TypeError, KeyError) as error:
                reason = type(error).__name__
        raise OidcFailed(OidcProblem.REFUSED, reason)

    async def _remembered(self, client: httpx.AsyncClient, address: str, *, anew: bool = False) -> dict[str, Any]:
        now = self._clock()
        kept = self._kept.get(address)
        if kept and not anew and abs(now - kept[0]) < KEPT:
            return dict(kept[1])
        found = _object(await client.get(address))
        self._kept[address] = (now, found)
        return found


@asynccontextmanager
async def _asking(transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[httpx.AsyncClient]:
    """A client for one step within its time limit. What goes wrong on the way is OidcFailed."""
    try:
        async with (
            asyncio.timeout(TIME_LIMIT_S),
            httpx.AsyncClient(transport=transport, trust_env=False, timeout=TIME_LIMIT_S) as client,
        ):
            yield client
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        # Without its cause, which may quote the code.
        raise OidcFailed(OidcProblem.AWAY, type(error).__name__) from None


def _object(response: httpx.Response) -> dict[str, Any]:
    """Raises OidcFailed for anything but a JSON object with 200."""
    try:
        found = response.json() if response.status_code == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise OidcFailed(OidcProblem.AWAY, f"{response.status_code} without an object")
    return found
