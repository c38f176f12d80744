"""Callers at the gateway's own routes: real identity on SQLite, a fund core system in memory, a scripted dialogue."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree

import httpx
from sqlalchemy import RowMapping, Table, select

from channels.voice.channel import VoiceChannel
from hotline.bootstrap import Core, build_core
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from hotline.identification import Identification
from hotline.ports import Channel
from hotline.settings import TwilioSettings
from tests.core_kit import CATALOGUE, FakeDialogue, core_kit, settings_in
from tests.fake_fund import ID_NUMBER, PASSWORD, FakeFundSystem, a_person
from web.app import create_app

BALANCE = "您的公积金余额是一万二千元。"
ASKED = "账户余额要先核实身份，请按键输入，转人工请按0。"
NUMBER = "+8613900000009"
WRONG = "000000"
TWILIO = TwilioSettings(reply_wait_s=3.0)


@dataclass
class Phone:
    """Everybody's phone."""

    texts: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def send(self, mobile: str, text: str) -> None:
        if self.error:
            raise self.error
        self.texts.append(text)

    @property
    def code(self) -> str:
        found = re.search(r"[0-9]{6}", self.texts[-1])
        assert found
        return found[0]

    @property
    def wrong_code(self) -> str:
        return f"{(int(self.code) + 1) % 1_000_000:06}"


@dataclass
class Document:
    """TwiML as Twilio follows it."""

    text: str

    @property
    def root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.text)  # noqa: S314 - our own document

    @property
    def said(self) -> str:
        return "".join(say.text or "" for say in self.root.iter("Say"))

    @property
    def gather(self) -> dict[str, str]:
        found = self.root.find("Gather")
        assert found is not None, self.text
        return dict(found.attrib)

    @property
    def redirect(self) -> str:
        found = self.root.find("Redirect")
        return (found.text or "") if found is not None else ""

    @property
    def collects(self) -> bool:
        """Whether it waits for keys alone."""
        return self.gather["input"] == "dtmf" and not self.redirect


@dataclass
class Caller:
    """One call. Each step goes to the address that the last document named, and redirections are followed."""

    line: Line
    number: str = NUMBER
    call: str = "CA" + "1" * 32
    address: str = "http://127.0.0.1:8000/channels/voice"
    heard: list[Document] = field(default_factory=list)

    async def does(self, *, follow: bool = True, **given: str) -> Document:
        """What is heard after words (``SpeechResult``) or keys (``Digits``); silence when neither is given."""
        document = await self.post(self.address, **given)
        while follow and document.redirect:
            document = await self.post(document.redirect)
        if document.root.find("Gather") is not None:
            self.address = document.gather["action"]
        return document

    async def post(self, address: str, *, signed_as: str = "", **given: str) -> Document:
        response = await self.send(address, signed_as=signed_as, **given)
        assert response.status_code == 200, response.text
        self.heard.append(Document(response.text))
        return self.heard[-1]

    async def send(self, address: str, *, signed_as: str = "", **given: str) -> httpx.Response:
        form = {
            "AccountSid": TWILIO.account_sid,
            "CallSid": self.call,
            "From": self.number,
            "CallStatus": "in-progress",
        }
        form |= given
        text = (signed_as or address) + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new(TWILIO.auth_token.get_secret_value().encode(), text.encode(), hashlib.sha1).digest()
        signature = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
        return await self.line.client.post(address, data=form, headers=signature)

    async def asks(self) -> Document:
        """The call has been answered and the balance asked for."""
        await self.does()
        return await self.does(SpeechResult="我的余额是多少", Confidence="0.9")

    async def until_factor(self, id_number: str = ID_NUMBER) -> Document:
        await self.asks()
        await self.does(Digits="1")
        return await self.does(Digits=id_number.replace("X", "*"))

    async def until_code(self, factor: str = PASSWORD) -> Document:
        await self.until_factor()
        return await self.does(Digits=factor)

    async def signs_in(self) -> Document:
        await self.until_code()
        return await self.does(Digits=self.line.phone.code)


@dataclass
class Line:
    core: Core
    client: httpx.AsyncClient
    dialogue: FakeDialogue
    phone: Phone
    fund: FakeFundSystem
    file: Path

    @property
    def kinds(self) -> list[InboundKind]:
        """What the dialogue was asked."""
        return [request.kind for request in self.dialogue.asked]

    @property
    def conversation(self) -> str:
        return self.dialogue.asked[-1].conversation_id


def _script(request: TurnRequest) -> TurnResult:
    if request.kind is InboundKind.PROVED:
        return TurnResult(replies=(Reply(text=BALANCE),), intent="prove")
    if request.text == "转人工":
        return TurnResult(replies=(Reply(text="好的。"),), outcome=Outcome.HANDOFF, hand_over="requested")
    if "余额" in request.text:
        return TurnResult(replies=(Reply(text=ASKED, keypad="bind"),), intent="ask_balance")
    return TurnResult(replies=(Reply(text=f"您说：{request.text}"),), intent="echo")


@asynccontextmanager
async def a_line(
    directory: Path, *, wait_s: float = 3.0, identification: Identification | None = None, **identity: int
) -> AsyncIterator[Line]:
    """A gateway that can be called. ``identity`` are its settings; ``identification`` takes its place."""
    settings = settings_in(directory, identity=identity)
    phone, fund, dialogue = Phone(), FakeFundSystem(), FakeDialogue(_script)
    fund.add(a_person())
    async with core_kit(directory) as kit:
        voice = VoiceChannel(TWILIO.model_copy(update={"reply_wait_s": wait_s}), settings.gateway.public_url)
        channels: dict[ChannelName, Channel] = {**kit.channels, ChannelName.VOICE: voice}
        core = build_core(
            settings, kit.storage, catalogue=CATALOGUE, channels=channels, dialogue=dialogue, codes=phone, fund=fund
        )
        core = replace(core, identification=identification) if identification else core
        transport = httpx.ASGITransport(create_app(settings, core))
        async with httpx.AsyncClient(transport=transport) as client:
            yield Line(core, client, dialogue, phone, fund, directory / "hotline.db")
        await core.turns.idle()


async def rows(line: Line, table: Table) -> list[RowMapping]:
    """All rows of a table."""
    async with line.core.storage.database.read() as connection:
        return list((await connection.execute(select(table))).mappings().all())


async def level_in(line: Line, conversation_id: str) -> Level | None:
    """How surely the caller of that conversation is known."""
    known = await line.core.identification.known_in(conversation_id)
    return known.level if known else None
