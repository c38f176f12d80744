"""Twilio's side of a relay over real sockets on loopback, signed as Twilio signs.

The signature is computed here from its description (https://www.twilio.com/docs/usage/security), not by the library
that checks it.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from channels.voice.channel import VoiceChannel
from channels.voice.relay.documents import ticket_of
from channels.voice.relay.saying import Pace
from channels.voice.session import (
    AgentGone,
    Final,
    Keys,
    Listening,
    Target,
    Transferred,
    VoiceEvent,
    VoiceSession,
)
from hotline.domain.messages import ChannelName
from hotline.settings import GatewaySettings, TwilioRelaySettings, TwilioSettings
from tests.core_kit import core_kit
from tests.twiml_rules import wrong_with
from web import webhooks
from web.voice_relay import Times, VoiceRelay

PUBLIC = "https://hotline.example"
CALL = "CA0123456789abcdef0123456789abcdef"
TWILIO = TwilioSettings(
    mode="relay",
    api_base="http://127.0.0.1:9",
    relay=TwilioRelaySettings(agents="sip:{extension}@pbx.example.cn"),
)
TOKEN = TWILIO.auth_token.get_secret_value()
RELAY = "/channels/voice/relay"
PACE = Pace(characters_per_s=200.0, lead_s=0.02, settle_s=0.05, adrift_s=1.0, back_s=1.0, connect_s=1.0, end_s=0.5)
LISTENING = Listening(silence_s=10)


def sign(url: str, form: dict[str, str] | None = None, *, token: str = TOKEN) -> str:
    text = url + "".join(name + (form or {})[name] for name in sorted(form or {}))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


@dataclass
class Dialogue:
    """Leads every call by a script of its own: says a greeting, then repeats, and transfers on 0."""

    calls: list[VoiceSession] = field(default_factory=list)
    seen: list[VoiceEvent] = field(default_factory=list)
    became: list[Transferred] = field(default_factory=list)

    async def run(self, session: VoiceSession) -> None:
        self.calls.append(session)
        await session.say(["您好。"], LISTENING)
        async for event in session.events():
            self.seen.append(event)
            match event:
                case Final(text=text):
                    await session.say([f"您说：{text}。"], LISTENING)
                case Keys(keys="0"):
                    target = Target(
                        extension="8001", headers={"X-Hotline-Conversation": "c1"}, whisper="租房。", ring_s=20
                    )
                    became = await session.transfer(target)
                    self.became.append(became)
                    if became is not Transferred.ANSWERED:
                        await session.say(["没有接通。"], LISTENING)
                case Keys(keys="9"):
                    await session.say(["再见。"], None)
                    await session.hang_up()
                case AgentGone():
                    await session.say(["还有问题吗？"], LISTENING)

    async def until(self, kind: type[VoiceEvent]) -> VoiceEvent:
        for _ in range(200):
            found = [event for event in self.seen if isinstance(event, kind)]
            if found:
                return found[-1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind.__name__} in {self.seen}")


@dataclass
class Twilio:
    """Twilio's side: signed requests to the gateway behind a proxy that ends TLS."""

    port: int
    dialogue: Dialogue
    relay: VoiceRelay

    def connect(self, *, signature: str | None = None, path: str = RELAY) -> connect:
        headers = {"X-Twilio-Signature": sign(f"wss://hotline.example{RELAY}") if signature is None else signature}
        if not headers["X-Twilio-Signature"]:
            headers = {}
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, proxy=None)

    async def talks(self, socket: ClientConnection, *, call: str = CALL, **change: Any) -> None:
        """Sends the first message."""
        setup = {
            "type": "setup",
            "sessionId": "VX" + "1" * 32,
            "accountSid": TWILIO.account_sid,
            "callSid": call,
            "from": "+8613800138000",
            "to": "+8612329",
            "customParameters": {"ticket": ticket_of(call, TWILIO)} | change.pop("given", {}),
        }
        await socket.send(json.dumps(setup | change))

    async def posts(self, path: str, *, url: str = "", token: str = TOKEN, **form: str) -> httpx.Response:
        full = {"AccountSid": TWILIO.account_sid, "CallSid": CALL, "CallStatus": "in-progress"} | form
        signature = sign(url or PUBLIC + path, full, token=token)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False) as client:
            return await client.post(path, content=urlencode(full), headers=headers)

    async def document(self, path: str, **form: str) -> ElementTree.Element:
        answer = await self.posts(path, **form)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert wrong_with(answer.text) == []
        assert "13800138000" not in answer.text
        return ElementTree.fromstring(answer.text)  # noqa: S314


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        return dict(json.loads(await socket.recv()))


async def closed(socket: ClientConnection) -> int:
    async with asyncio.timeout(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 1006


def given(document: ElementTree.Element) -> dict[str, str]:
    return {each.get("name", ""): each.get("value", "") for each in document.iter("Parameter")}


@asynccontextmanager
async def gateway(directory: Path) -> AsyncIterator[Twilio]:
    """A gateway with the relay alone, on a port of loopback, behind a proxy that ends TLS."""
    async with made(directory, TWILIO, PUBLIC) as (app, dialogue, relay), served(app) as port:
        yield Twilio(port, dialogue, relay)


@asynccontextmanager
async def made(
    directory: Path, twilio: TwilioSettings, public: str
) -> AsyncIterator[tuple[FastAPI, Dialogue, VoiceRelay]]:
    """The application of a gateway."""
    async with core_kit(directory) as kit:
        update = {"twilio": twilio, "gateway": GatewaySettings(public_url=public)}
        channels = dict(kit.core.channels) | {ChannelName.VOICE: VoiceChannel(twilio, public, centre="广州公积金")}
        settings = kit.core.settings.model_copy(update=update)
        core = dataclasses.replace(kit.core, settings=settings, channels=channels)
        dialogue = Dialogue()
        relay = VoiceRelay(core, dialogue.run, times=Times(setup_s=2.0, idle_s=4.0, pace=PACE))
        app = FastAPI()
        app.include_router(relay.router)
        app.include_router(webhooks.router(core, {"voice": ChannelName.VOICE}))
        try:
            yield app, dialogue, relay
        finally:
            await relay.close()


@asynccontextmanager
async def served(app: FastAPI, port: int = 0) -> AsyncIterator[int]:
    """The port of loopback on which the application is served."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="websockets-sansio", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has nothing else to wait for
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving
