"""The whole product with a telephone line by SIP, and telephones to call it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hotline.bootstrap import build_core, build_dialogue, read_catalogue
from hotline.desk_store import Line
from hotline.domain.messages import ChannelName
from hotline.ports import ChatLine
from hotline.storage_bootstrap import build_storage
from tests.stack import Stack, free_ports, running_stack
from tests.telephone.sip_caller import Phone, PhoneCall, SipCaller, free_port

NUMBER = "12329"


@dataclass(frozen=True)
class PhoneStack:
    """``phones``: the SIP address of whoever calls, and where agents' extensions are rung."""

    stack: Stack
    line: str
    phones: str

    @asynccontextmanager
    async def telephones(self) -> AsyncIterator[SipCaller]:
        async with SipCaller.started(self.phones) as caller:
            yield caller

    async def phone(self, caller: SipCaller, number: str) -> Phone:
        return await caller.phone(number, domain=self.phones)

    async def call(self, phone: Phone) -> PhoneCall:
        call = await phone.dial(f"sip:{NUMBER}@{self.line}")
        await call.established(20)
        return call

    async def lines(self, conversation_id: str) -> list[Line]:
        """The conversation's transcript."""
        storage = build_storage(self.stack.settings)
        try:
            return list(await storage.desks.lines(conversation_id, after=0, limit=200))
        finally:
            await storage.database.close()

    async def transcript(self, caller: str) -> list[ChatLine]:
        """Of all calls of a number, the oldest line first."""
        storage = build_storage(self.stack.settings)
        try:
            return list(await storage.store.lines(ChannelName.VOICE, caller, after=0, limit=500))
        finally:
            await storage.database.close()

    async def recording(self, conversation_id: str) -> bytes:
        """The recorded call as a WAV file."""
        settings = self.stack.settings
        storage = build_storage(settings)
        catalogue = read_catalogue(settings)
        core = build_core(
            settings, storage, catalogue=catalogue, channels={}, dialogue=build_dialogue(settings).dialogue
        )
        try:
            found = await core.calls.of_conversation(conversation_id)
            assert found is not None
            supervisor = await storage.members.by_name("supervisor1")
            assert supervisor is not None
            played = await core.recordings.read(found.id, by=supervisor.staff, purpose="quality")
            return b"".join([chunk async for chunk in played.content])
        finally:
            await core.close()


@contextmanager
def phone_stack(directory: Path, *, recogniser: str = "local", **more: str) -> Iterator[PhoneStack]:
    sip, phones = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    telephone, hearing = free_ports(2)
    settings = {
        "GJJ_TELEPHONE__LINE": "sip",
        "GJJ_TELEPHONE__PORT": str(telephone),
        "GJJ_TELEPHONE__RECOGNISER": recogniser,
        "GJJ_TELEPHONE__RECOGNISER_URL": f"ws://127.0.0.1:{hearing}",
        "GJJ_TELEPHONE__SIP__LISTEN": sip,
        "GJJ_TELEPHONE__SIP__AGENTS": f"sip:{{extension}}@{phones}",
        **more,
    }
    with running_stack(directory, **settings) as stack:
        yield PhoneStack(stack, sip, phones)
