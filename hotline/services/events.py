"""What happens to a citizen without his saying anything: told to the dialogue like a message, answered like one."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

from hotline.domain.identity import Contact, Known
from hotline.domain.messages import ChannelName, Inbound, InboundKind
from hotline.identity_store import Bindings
from hotline.private_store import Submission

PUSHED = (ChannelName.WECHAT, ChannelName.WEB)
"""Channels on which somebody can be told something by himself: an SMS names no business, a call is over."""


class Events:
    """Brings events into conversations."""

    def __init__(self, submit: Callable[[Inbound], Awaitable[bool]], bindings: Bindings) -> None:
        self._submit = submit
        self._bindings = bindings

    async def proved(self, conversation_id: str, known: Known) -> None:
        """The conversation goes on with what waited for the proof. A caller's keypad goes on by itself."""
        contact = await self._bindings.contact_of(conversation_id)
        if contact is not None and contact.channel in PUSHED:
            await self._submit(_event(contact, InboundKind.PROVED, f"proved-{uuid.uuid4()}"))

    async def verified(self, submission: Submission) -> None:
        """The person is told what became of his filing, where he was bound last."""
        contacts = await self._bindings.contacts_of(submission.person_id)
        for contact in [each for each in contacts if each.channel in PUSHED][:1]:
            await self._submit(_event(contact, InboundKind.VERIFIED, f"verified-{submission.key}"))


def _event(contact: Contact, kind: InboundKind, external_id: str) -> Inbound:
    return Inbound(channel=contact.channel, external_id=external_id, contact_key=contact.address, kind=kind)
