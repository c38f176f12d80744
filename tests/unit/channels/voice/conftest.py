"""A caller: signed requests, made without the library that checks them, and TwiML read back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree import ElementTree

import pytest

from channels.voice.channel import VoiceChannel
from hotline.domain.messages import Reply
from hotline.ports import Received, WebhookRequest, WebhookResponse
from hotline.settings import TwilioSettings

FIXTURES = Path(__file__).parents[3] / "fixtures" / "voice"
SETTINGS = TwilioSettings()


def signed(form: dict[str, str], *, url: str, signed_url: str = "") -> WebhookRequest:
    text = (signed_url or url) + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(SETTINGS.auth_token.get_secret_value().encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "x-twilio-signature": base64.b64encode(digest).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    query = dict(parse_qsl(urlsplit(url).query))
    return WebhookRequest(method="POST", url=url, headers=headers, query=query, body=urlencode(form).encode())


@dataclass(slots=True)
class Document:
    """A TwiML answer as Twilio would follow it."""

    root: ElementTree.Element

    @property
    def says(self) -> list[str]:
        return [say.text or "" for say in self.root.iter("Say")]

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.root]

    def gather(self) -> ElementTree.Element:
        found = self.root.find("Gather")
        assert found is not None
        return found

    @property
    def action(self) -> str:
        return self.gather().attrib["action"]

    @property
    def redirect(self) -> str:
        found = self.root.find("Redirect")
        assert found is not None
        return found.text or ""


@dataclass(slots=True)
class Caller:
    """Plays one call: each step posts to the address the last answer named."""

    channel: VoiceChannel
    form: dict[str, str]
    address: str
    received: list[Received] = field(default_factory=list)

    async def does(self, *, at: str = "", **given: str) -> Received:
        one = await self.channel.receive(signed(self.form | given, url=at or self.address))
        self.received.append(one)
        return one

    def hears(self, replies: Sequence[Reply] | None) -> Document:
        response: WebhookResponse = self.channel.respond(self.received[-1], replies)
        assert response.media_type == "text/xml; charset=utf-8"
        document = Document(ElementTree.fromstring(response.body))  # noqa: S314 - our own document
        assert document.root.tag == "Response"
        if document.root.find("Gather") is not None:
            self.address = document.action
        return document

    async def greeted(self) -> Document:
        await self.does()
        return self.hears(())


@pytest.fixture
def caller() -> Caller:
    payload = json.loads((FIXTURES / "call.json").read_text(encoding="utf-8"))
    channel = VoiceChannel(SETTINGS, "https://hotline.example", centre="广州公积金")
    return Caller(channel, payload["form"], payload["url"])


@pytest.fixture
def sign_request() -> Callable[..., WebhookRequest]:
    return signed
