"""A channel, and requests sealed by the sandbox's own cipher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from channels.wechat.channel import WeChatChannel
from hotline.ports import WebhookRequest
from hotline.settings import WeChatSettings
from sandbox.config import SandboxConfig
from sandbox.wechat_push import sealed

NOW = 1767225600.0
Seal = Callable[..., WebhookRequest]


@dataclass(slots=True)
class Nonces:
    """A ReplayGuard that shows what it was asked."""

    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    fingerprints: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    async def uses(self, scope: str, nonce: str, fingerprint: str, *, ttl_s: int) -> int | None:
        self.seen.setdefault((scope, nonce), ttl_s)
        known = self.fingerprints.setdefault((scope, nonce), [])
        known.append(fingerprint)
        return len(known) - 1 if known[0] == fingerprint else None


@dataclass(slots=True)
class Time:
    """A clock that stands still until it is moved."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Vendor:
    """WeChat's server interface in as few lines as these tests need. ``errcodes`` are answered first."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    errcodes: list[int] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.calls.append((name, request.url.params.get("access_token", "")))
        if name == "stable_token":
            return httpx.Response(200, json={"access_token": f"token-{self.count(name)}", "expires_in": 7200})
        errcode = self.errcodes.pop(0) if self.errcodes else 0
        if name == "send" and not errcode:
            self.texts.append(request.read().decode())
        return httpx.Response(200, json={"errcode": errcode, "errmsg": "x"})

    def count(self, name: str) -> int:
        return sum(called == name for called, _ in self.calls)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def nonces() -> Nonces:
    return Nonces()


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def channel(vendor: Vendor, nonces: Nonces, clock: Time) -> WeChatChannel:
    client = httpx.AsyncClient(transport=httpx.MockTransport(vendor))
    return WeChatChannel(WeChatSettings(api_base="https://wechat.test"), nonces, client=client, clock=clock)


@pytest.fixture
def seal(clock: Time) -> Seal:
    """Makes the signed request for the fields of a message."""

    def make(
        fields: Mapping[str, str] | None = None,
        *,
        nonce: str = "1320562132",
        config: SandboxConfig = SandboxConfig(),  # noqa: B008 - frozen
        timestamp: float | None = None,
    ) -> WebhookRequest:
        message = {
            "ToUserName": "gh_sandbox12329",
            "FromUserName": "openid-1",
            "CreateTime": str(int(clock())),
            "MsgType": "text",
            "Content": "你好",
            "MsgId": "1001",
        } | dict(fields or {})
        xml = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in message.items())
        stamp = (str(int(clock() if timestamp is None else timestamp)), nonce)
        query, body = sealed(config, f"<xml>{xml}</xml>", openid=message["FromUserName"], stamp=stamp)
        return WebhookRequest(method="POST", url="http://gateway.test/", headers={}, query=query, body=body)

    return make
