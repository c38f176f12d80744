"""Signed requests, made without the library that checks them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from channels.sms.channel import SmsChannel
from hotline.ports import WebhookRequest
from hotline.settings import TwilioSettings

FIXTURES = Path(__file__).parents[3] / "fixtures" / "sms"


class FakeTwilio:
    """Takes REST calls; answers ``answers`` first, then success. An exception in it is raised."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response | Exception] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(201, json={"sid": "SM" + "9" * 32})
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def payload() -> dict[str, Any]:
    return json.loads((FIXTURES / "inbound_text.json").read_text(encoding="utf-8"))


@pytest.fixture
def published() -> dict[str, Any]:
    return json.loads((FIXTURES / "signature_published.json").read_text(encoding="utf-8"))


@pytest.fixture
def settings() -> TwilioSettings:
    return TwilioSettings(api_base="http://sandbox.example/twilio")


@pytest.fixture
def twilio() -> FakeTwilio:
    return FakeTwilio()


@pytest.fixture
def channel(settings: TwilioSettings, twilio: FakeTwilio) -> SmsChannel:
    transport = httpx.MockTransport(twilio)
    return SmsChannel(settings, "https://hotline.example/", signature="广州公积金", transport=transport)


@pytest.fixture
def signed(settings: TwilioSettings) -> Callable[..., WebhookRequest]:
    def make(
        form: dict[str, str], *, url: str, signed_url: str | None = None, body: bytes | None = None
    ) -> WebhookRequest:
        text = (signed_url or url) + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new(settings.auth_token.get_secret_value().encode(), text.encode(), hashlib.sha1).digest()
        headers = {
            "x-twilio-signature": base64.b64encode(digest).decode(),
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        return WebhookRequest(
            method="POST", url=url, headers=headers, query={}, body=urlencode(form).encode() if body is None else body
        )

    return make
