"""The one contract every channel keeps, run over tables of cases.

A channel registers by a module ``test_<channel>.py`` beside this file::

    from kit import ChannelContract, IncomingCase, OutgoingCase, Subject

    class TestSms(ChannelContract):
        incoming = (IncomingCase(name=..., request=..., inbound={...}),)
        outgoing = (OutgoingCase(name=..., replies=(Reply(text=...),), texts=(...)),)

        def subject(self) -> Subject: ...

Every table row becomes a test, and the built-in checks below run on top. All requests must be correctly
signed for the channel that `subject` builds, with its clock at the moment they were signed.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from hotline.domain.messages import InboundKind, Reply
from hotline.ports import Channel, Delivery, Received, RefusedRequest, WebhookRequest, WebhookResponse

ACKNOWLEDGED = frozenset({InboundKind.IGNORED, InboundKind.LEAVE})
GARBAGE = (
    b"",
    b"\x00\xff\xfe",
    b"{",
    b"[1,2]",
    b"<xml>",
    b"<" * 5000,
    "\ud800".encode("utf-8", "surrogatepass"),
    b"%ZZ&=&",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCase:
    """One request and what must come of it: ``inbound`` fields, or an immediate ``response``, or a refusal."""

    name: str
    request: WebhookRequest
    inbound: Mapping[str, Any] | None = None
    """Expected attributes of the Inbound, by name; those not named are free."""
    response_body: str | None = None
    """The body answered at once when nothing came in (handshake, status callback)."""
    refused: int | None = None
    """The status of the RefusedRequest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCase:
    """One answer and the texts the citizen must see, in order; exactly, or by ``check``."""

    name: str
    replies: tuple[Reply, ...]
    texts: tuple[str, ...] | None = None
    check: Callable[[Sequence[str]], None] | None = None
    inline: bool = False
    """True: the answer goes back in the webhook's response. False: it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A fresh channel in front of a vendor that remembers what reached the citizen."""

    channel: Channel
    contact_key: str
    seen: Callable[[], Sequence[str]]
    """Texts the vendor took through `send`, oldest first."""
    read: Callable[[WebhookResponse], Sequence[str]]
    """Texts in a webhook response, as the vendor would show them; () for an acknowledgement."""
    forge: Callable[[WebhookRequest], WebhookRequest]
    """The same request as somebody without the secret would make it."""
    secrets: Sequence[str] = ()
    """Values that must never appear in a log."""
    piece_limit: int | None = None
    """Greatest size of one sent text in ``piece_size`` units; None: the channel does not split."""
    piece_size: Callable[[str], int] = field(default=len)


class ChannelContract:
    """Inherit, fill the tables, say how to build the subject."""

    incoming: ClassVar[Sequence[IncomingCase]] = ()
    outgoing: ClassVar[Sequence[OutgoingCase]] = ()
    pytestmark = pytest.mark.anyio

    def subject(self) -> Subject:
        raise NotImplementedError

    async def test_incoming_is_read_as_the_table_says(self, incoming_case: IncomingCase) -> None:
        channel = self.subject().channel
        if incoming_case.refused is not None:
            with pytest.raises(RefusedRequest) as caught:
                await channel.receive(incoming_case.request)
            assert caught.value.status == incoming_case.refused
            return
        received = await channel.receive(incoming_case.request)
        _check_received(incoming_case, received, channel)

    async def test_forged_request_is_refused(self, signed_case: IncomingCase) -> None:
        subject = self.subject()
        with pytest.raises(RefusedRequest) as caught:
            await subject.channel.receive(subject.forge(signed_case.request))
        assert caught.value.status in {401, 403}

    async def test_repeated_delivery_is_read_as_the_same_message(self, message_case: IncomingCase) -> None:
        channel = self.subject().channel
        first = await channel.receive(message_case.request)
        again = await channel.receive(message_case.request)
        assert first.inbound is not None
        assert first.inbound == again.inbound

    async def test_every_message_can_be_acknowledged_without_an_answer(self, message_case: IncomingCase) -> None:
        subject = self.subject()
        received = await subject.channel.receive(message_case.request)
        response = subject.channel.respond(received, None)
        assert 200 <= response.status < 300
        assert not subject.read(response)

    async def test_messages_of_a_table_have_ids_of_their_own(self) -> None:
        channel = self.subject().channel
        received = [await channel.receive(case.request) for case in self.incoming if case.inbound is not None]
        ids = [one.inbound.external_id for one in received if one.inbound is not None]
        assert ids
        assert len(set(ids)) == len(ids)
        assert all(1 <= len(one) <= 64 for one in ids)

    @pytest.mark.parametrize("body", GARBAGE)
    async def test_unreadable_body_is_refused_and_nothing_else_is_raised(self, body: bytes) -> None:
        channel = self.subject().channel
        posts = [case.request for case in self.incoming if case.request.method == "POST"]
        assert posts
        with pytest.raises(RefusedRequest):
            await channel.receive(dataclasses.replace(posts[0], body=body))

    async def test_query_without_its_fields_is_refused(self) -> None:
        channel = self.subject().channel
        post = next(case.request for case in self.incoming if case.inbound is not None)
        bare = dataclasses.replace(post, query={}, headers={}, url=post.url.partition("?")[0])
        with pytest.raises(RefusedRequest):
            await channel.receive(bare)

    async def test_outgoing_reaches_the_citizen_as_the_table_says(self, outgoing_case: OutgoingCase) -> None:
        subject = self.subject()
        if outgoing_case.inline:
            asked = next(c for c in self.incoming if c.inbound is not None and _kind(c) not in ACKNOWLEDGED)
            received = await subject.channel.receive(asked.request)
            shown = subject.read(subject.channel.respond(received, outgoing_case.replies))
        else:
            await subject.channel.send(_delivery(subject, outgoing_case.replies))
            shown = subject.seen()
        if outgoing_case.texts is not None:
            assert tuple(shown) == outgoing_case.texts
        if outgoing_case.check is not None:
            outgoing_case.check(shown)

    async def test_long_answer_is_split_without_loss(self) -> None:
        subject = self.subject()
        if subject.piece_limit is None or not subject.channel.capabilities.can_push:
            pytest.skip("this channel does not split what it sends")
        sentences = [f"第{number}条：职工可以提取住房公积金账户内的存储余额。" for number in range(1, 41)]
        await subject.channel.send(_delivery(subject, (Reply(text="".join(sentences)),)))
        shown = subject.seen()
        assert len(shown) > 1
        assert max(subject.piece_size(text) for text in shown) <= subject.piece_limit
        together = "".join(shown)
        places = [together.index(sentence) for sentence in sentences]
        assert places == sorted(places)

    async def test_secrets_stay_out_of_logs(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        subject = self.subject()
        reasons = [await _read_and_answer(subject.channel, case.request) for case in self.incoming]
        if subject.channel.capabilities.can_push:
            # A fresh one: the table may have ended with the citizen's leaving.
            sender = self.subject()
            await sender.channel.send(_delivery(sender, (Reply(text="好的。"),)))
        logged = "\n".join([*reasons, *(f"{record.getMessage()} {record.exc_info}" for record in caplog.records)])
        assert subject.secrets
        assert not [secret for secret in subject.secrets if secret in logged]


def _check_received(case: IncomingCase, received: Received, channel: Channel) -> None:
    if case.inbound is None:
        assert received.inbound is None
        assert received.response is not None
        assert case.response_body is None or received.response.body == case.response_body
        return
    assert received.inbound is not None
    assert received.inbound.channel is channel.name
    found = {name: getattr(received.inbound, name) for name in case.inbound}
    assert found == dict(case.inbound)


async def _read_and_answer(channel: Channel, request: WebhookRequest) -> str:
    """The reason of a refusal, which the web layer may log; empty when there was none."""
    try:
        received = await channel.receive(request)
    except RefusedRequest as refusal:
        return refusal.reason
    if received.inbound is not None:
        channel.respond(received, (Reply(text="好的。"),))
    return ""


def _kind(case: IncomingCase) -> InboundKind:
    return InboundKind((case.inbound or {}).get("kind", InboundKind.TEXT))


def _delivery(subject: Subject, replies: Sequence[Reply]) -> Delivery:
    return Delivery(delivery_id="delivery-0001", contact_key=subject.contact_key, replies=replies)
