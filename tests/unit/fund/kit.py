"""A core system whose HTTP side is played, and answers as it would write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx
from pydantic import SecretStr

from hotline.fund.codec import moment
from hotline.fund.http import HttpFundSystem
from hotline.settings import FundSettings

SECRET = "the-signing-secret"

Play = Callable[[httpx.Request], httpx.Response]


def settings(**changes: object) -> FundSettings:
    return FundSettings.model_validate(
        {"base_url": "http://core.invalid/gjj", "client_id": "us", "secret": SecretStr(SECRET), **changes}
    )


def played(play: Any, **changes: object) -> HttpFundSystem:
    """``play`` answers each request, or is the one answer to all of them."""
    handler = (lambda request: play) if isinstance(play, httpx.Response) else play
    return HttpFundSystem(settings(**changes), transport=httpx.MockTransport(handler))


def wire(record: Any) -> dict[str, Any]:
    """A record of hotline/domain/fund.py as the core system writes it."""
    written: dict[str, Any] = json.loads(json.dumps(asdict(record), default=_text))
    return written


def answer(status: int = 200, **content: Any) -> httpx.Response:
    return httpx.Response(status, json=content)


def refusal(status: int, code: str, *, detail: str = "", reference: str | None = None) -> httpx.Response:
    return answer(status, code=code, detail=detail, reference=reference)


def changed(record: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, **changes}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return value.isoformat() if isinstance(value, date) else str(Decimal(str(value)))
