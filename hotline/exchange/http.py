"""The city hotline as a port, over HTTP."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx
import structlog

from hotline.city_hotline import CityRefused, CityUpdate
from hotline.errors import TemporaryError
from hotline.exchange.signing import CitySignature
from hotline.settings import CityHotlineSettings

log = structlog.get_logger()

PATH: Final = "/v1/orders/{city_id}/updates/{sequence}"
_PASSING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Refusals that end when somebody has mended something: clocks, secrets, load."""


class HttpCityHotline:
    """Implements `hotline.city_hotline.CityHotline`. Nothing is repeated here: the outbox does that."""

    def __init__(self, settings: CityHotlineSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._limit_s = settings.timeout_s
        self._client = httpx.AsyncClient(
            base_url=settings.base_url,
            auth=CitySignature(settings),
            timeout=httpx.Timeout(settings.timeout_s, connect=settings.connect_timeout_s),
            transport=transport,
            trust_env=False,
        )

    async def close(self) -> None:
        """No connection stays open."""
        await self._client.aclose()

    async def tell(self, update: CityUpdate) -> None:
        path = PATH.format(city_id=quote(update.city_id, safe=""), sequence=update.sequence)
        started, status, reason = time.monotonic(), 0, ""
        try:
            async with asyncio.timeout(self._limit_s):
                response = await self._client.put(path, json=as_json(update))
            status = response.status_code
        except (TimeoutError, httpx.HTTPError) as error:
            reason = type(error).__name__
        log.info("city_hotline.call", path=PATH, status=status, ms=round((time.monotonic() - started) * 1000, 1))
        if reason:  # raised here, with no error chained to it: a library's text may quote what was sent
            raise TemporaryError(f"the city hotline: {reason}")
        _accept(status)


def as_json(update: CityUpdate) -> dict[str, Any]:
    """The news as the document has it."""
    conclusion = update.conclusion
    return {
        "number": update.number,
        "state": update.state.value,
        "at": update.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "reason": update.reason or None,
        "conclusion": None
        if conclusion is None
        else {
            "finding": conclusion.finding,
            "done": conclusion.done,
            "upheld": conclusion.upheld.value if conclusion.upheld else None,
        },
    }


def _accept(status: int) -> None:
    if status in (HTTPStatus.OK, HTTPStatus.CREATED):
        return
    if 400 <= status < 500 and status not in _PASSING:
        raise CityRefused(f"the city hotline: http {status}")
    raise TemporaryError(f"the city hotline: http {status}")
