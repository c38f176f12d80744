"""A small sign-in service with real keys, and somebody who goes there and comes back."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://sso.centre.example"
CLIENT, SECRET = "hotline-desk", "a secret of the test: with /"


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Service:
    """Answers as an OpenID provider does. ``claims`` are laid over the right ones; None takes a claim out."""

    clock: Callable[[], datetime]
    key: RSAKey = field(default_factory=lambda: new_key("first"))
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    signed_by: RSAKey | None = None
    algorithm: str = "RS256"
    error: Exception | None = None
    token_status: int = 200
    calls: list[str] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def authorize(self, address: str) -> str:
        """The member signs in there; the query the browser comes back with."""
        asked = urlsplit(address)
        assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{ISSUER}/authorize"
        self.asked = dict(parse_qsl(asked.query))
        assert self.asked["response_type"] == "code"
        assert self.asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}-{self.asked['state'][:8]}"
        self.codes.add(code)
        return str(httpx.QueryParams({"code": code, "state": self.asked["state"], "iss": ISSUER}))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        if self.error:
            raise self.error
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self._document())
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        return self._tokens(request)

    def _document(self) -> dict[str, Any]:
        found = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        return {name: value for name, value in {**found, **self.metadata}.items() if value is not None}

    def _tokens(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        basic = base64.b64encode(f"{CLIENT}:a%20secret%20of%20the%20test%3A%20with%20%2F".encode()).decode()
        known = request.headers.get("authorization") == f"Basic {basic}" or form.get("client_secret") == SECRET
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        )
        right = known and form["code"] in self.codes and challenge == self.asked["code_challenge"]
        if not right or form["redirect_uri"] != self.asked["redirect_uri"] or self.token_status != 200:
            return httpx.Response(
                self.token_status if self.token_status != 200 else 400, json={"error": "invalid_grant"}
            )
        self.codes.discard(form["code"])
        return httpx.Response(200, json={"token_type": "Bearer", "access_token": "at", "id_token": self._id_token()})

    def _id_token(self) -> str:
        now = int(self.clock().timestamp())
        right = {
            "iss": ISSUER,
            "sub": "4711",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": self.asked["nonce"],
            "preferred_username": "alice",
        }
        claims = {name: value for name, value in {**right, **self.claims}.items() if value is not None}
        if self.algorithm == "none":
            parts = ({"alg": "none"}, claims)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
                + "."
            )
        key = self.signed_by or self.key
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, key, algorithms=[self.algorithm])
