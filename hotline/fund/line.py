"""The line to the core system: one call, within its time, signed, guarded, and its status told in the port's errors."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from math import inf

import httpx
import stamina
import structlog

from hotline.domain.redaction import Mask, redact
from hotline.errors import ConfigError
from hotline.fund import codec
from hotline.fund.guard import Guard
from hotline.fund.signing import Signature
from hotline.fund_system import FundRefused, FundUnavailable, FundUnknown
from hotline.services.core_time import note_core_call
from hotline.settings import FundSettings

log = structlog.get_logger()

REFUSALS: Mapping[int, frozenset[str]] = {
    404: frozenset({"not_found"}),
    409: frozenset({"open_application", "key_reused", "wrong_state"}),
    422: frozenset({"not_eligible", "frozen", "amount_limit", "daily_limit", "no_card", "invalid_field"}),
}
"""The closed list of codes, by status (docs/fund-core-api.yaml)."""

NUMBER = re.compile(r"[0-9A-Za-z]{1,32}")
"""What numbers of persons and records look like: nothing that would turn a path into another one."""
_KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,63}")

_HEALTH_S = 1.0
_PAUSE_S = 0.05
"""Before a read is repeated; as much again at random."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_MASK = Mask(id_number="***", card="***", phone="***", email="***")
_LONG_NUMBER = re.compile(r"\d{7,}")
_LONGEST_DETAIL = 200


class Kind(Enum):
    READ = auto()
    """Repeated once."""
    ONCE = auto()
    """A read the core system counts, never repeated."""
    WRITE = auto()
    """Never repeated here, and its outcome may remain unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``path`` is a template, which may be logged; ``numbers`` fill it, which may not."""

    method: str
    path: str
    numbers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    key: str = field(default="", repr=False)
    """Idempotency-Key of a write."""
    kind: Kind = Kind.READ
    refusals: frozenset[str] = frozenset({"not_found"})
    """What the core system may say no with; any other code is as good as no answer."""

    @property
    def address(self) -> str:
        """The path with its numbers. Raises FundRefused ``not_found`` for one that cannot be anybody's."""
        if not all((_KEY if name == "key" else NUMBER).fullmatch(value) for name, value in self.numbers.items()):
            raise FundRefused("not_found")
        return self.path.format_map(self.numbers)


class _Broken(Exception):
    """An attempt without a usable answer; ``sent``: the core system may have got it."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent


class Line:
    """Connections to the core system. Writes never travel on a connection that was idle: the core system may be just
    closing it, and the outcome would be unknown without need."""

    def __init__(self, settings: FundSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._guard = Guard(settings)
        trust = _trust(settings)
        self._reading = _client(settings, trust, transport=transport, idle=settings.concurrent_calls)
        self._writing = _client(settings, trust, transport=transport, idle=0)

    async def close(self) -> None:
        """No connection stays open."""
        await self._reading.aclose()
        await self._writing.aclose()

    async def healthy(self) -> bool:
        """Whether the core system answers ``GET /health`` within a second, whatever the circuit breaker thinks."""
        try:
            async with asyncio.timeout(_HEALTH_S):
                response = await self._reading.get("/health")
        except (TimeoutError, httpx.HTTPError):
            return False
        return response.status_code == HTTPStatus.OK

    async def send(self, call: Call) -> bytes:
        """The body of an answer 200 or 201. Raises what FundSystem's methods raise."""
        address = call.address
        try:
            async with self._guard.place():
                response = await (self._read if call.kind is Kind.READ else self._attempt)(call, address)
        except _Broken as broken:
            unknown, reason = call.kind is Kind.WRITE and broken.sent, str(broken)
        else:
            return self._accepted(call, response)
        # Raised here, with no error chained to it: a library's text may quote what was sent or received.
        raise (FundUnknown if unknown else FundUnavailable)(f"the fund core system: {reason}")

    async def _read(self, call: Call, address: str) -> httpx.Response:
        ends = time.monotonic() + self._settings.read_budget_s

        def worth_repeating(error: Exception) -> bool:
            return isinstance(error, _Broken) and time.monotonic() + 2 * _PAUSE_S < ends

        attempts = stamina.retry_context(
            worth_repeating, attempts=2, timeout=None, wait_initial=_PAUSE_S, wait_jitter=_PAUSE_S
        )
        async for attempt in attempts:
            with attempt:
                return await self._attempt(call, address, ends=ends)
        raise AssertionError("unreachable")

    async def _attempt(self, call: Call, address: str, *, ends: float = inf) -> httpx.Response:
        started = time.monotonic()
        status, reason = 0, ""
        try:
            async with self._guard.attempt():
                response = await self._exchange(call, address, seconds=min(self._limit_s(call), ends - started))
                status = response.status_code
                if status not in (HTTPStatus.OK, HTTPStatus.CREATED) and not 400 <= status < 500:
                    raise _Broken(f"http {status}")
                return response
        except (_Broken, FundUnavailable) as error:
            reason = str(error)
            raise
        finally:
            ended = time.monotonic()
            note_core_call(started, ended)
            ms = round((ended - started) * 1000, 1)
            log.info("fund.call", kind=call.method, path=call.path, status=status, ms=ms, reason=reason)

    def _limit_s(self, call: Call) -> float:
        """For a write connecting comes on top, so that its own limit tells first that nothing was sent."""
        if call.kind is Kind.WRITE:
            return self._settings.connect_timeout_s + self._settings.write_timeout_s
        return self._settings.read_timeout_s

    async def _exchange(self, call: Call, address: str, *, seconds: float) -> httpx.Response:
        """The whole answer."""
        client = self._writing if call.kind is Kind.WRITE else self._reading
        headers = {"Content-Type": "application/json"} if call.body else {}
        if call.key:
            headers["Idempotency-Key"] = call.key
        try:
            async with asyncio.timeout(seconds):
                return await client.request(
                    call.method, address, params=call.query or None, content=call.body or None, headers=headers
                )
        except TimeoutError as error:
            raise _Broken("time limit") from error
        except _NOT_SENT as error:
            raise _Broken(type(error).__name__, sent=False) from error
        except httpx.HTTPError as error:
            raise _Broken(type(error).__name__) from error

    def _accepted(self, call: Call, response: httpx.Response) -> bytes:
        status = response.status_code
        if status < 400:
            return response.content
        if status == HTTPStatus.UNAUTHORIZED:
            log.error("fund.signature.refused", path=call.path)
            raise FundUnavailable("the fund core system does not accept our signature")
        try:
            code, detail, reference = codec.refusal(response.content)
        except codec.Untrue:
            code = detail = reference = ""
        if code in call.refusals & REFUSALS.get(status, frozenset()):
            raise FundRefused(code, _without_numbers(detail), reference=reference)
        log.error("fund.refusal.unexpected", path=call.path, status=status)
        raise FundUnavailable(f"the fund core system: http {status} instead of an answer")


def _client(
    settings: FundSettings, trust: ssl.SSLContext, *, transport: httpx.AsyncBaseTransport | None, idle: int
) -> httpx.AsyncClient:
    connect = settings.connect_timeout_s
    rest = max(settings.read_timeout_s, settings.write_timeout_s)
    return httpx.AsyncClient(
        base_url=settings.base_url,
        auth=Signature(settings),
        timeout=httpx.Timeout(rest, connect=connect, pool=connect),
        limits=httpx.Limits(max_connections=settings.concurrent_calls, max_keepalive_connections=idle),
        verify=trust,
        transport=transport,
        trust_env=False,  # personal data takes no way through a proxy of the machine
    )


def _trust(settings: FundSettings) -> ssl.SSLContext:
    certificate, key = settings.client_certificate, settings.client_key
    if (certificate is None) != (key is None):
        raise ConfigError("GJJ_FUND__CLIENT_CERTIFICATE and GJJ_FUND__CLIENT_KEY belong together: set both or none.")
    if not settings.base_url.startswith("https://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not asked
    try:
        trust = ssl.create_default_context(cafile=settings.ca_bundle)
        if certificate:
            trust.load_cert_chain(certificate, key)
    except OSError as error:
        raise ConfigError(f"A PEM file of GJJ_FUND__… cannot be used: {error.strerror or 'not PEM'}.") from error
    return trust


def _without_numbers(detail: str) -> str:
    """The detail, should the core system have put a person into it against the contract."""
    return _LONG_NUMBER.sub("***", redact(detail, _MASK).text)[:_LONGEST_DETAIL]
