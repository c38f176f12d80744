"""The web page as a channel: requests come from our own page, answers wait in storage until it reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlsplit

from channels.webchat.codec import STATUS, BadMessage, decode_message, external_id
from channels.webchat.visitors import Visitors
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Reply
from hotline.ports import Capabilities, Delivery, Receipt, Received, RefusedRequest, WebhookRequest, WebhookResponse

START_PATH = "/chat/start"
MESSAGES_PATH = "/chat/messages"


class WebChatChannel:
    """Implements `hotline.ports.Channel` for the page that `web.citizen` serves."""

    name: ChannelName = ChannelName.WEB
    capabilities: Capabilities = Capabilities(
        reply_wait_s=0.0, replies_inline=False, can_push=True, stored_is_delivered=True
    )

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors

    async def receive(self, request: WebhookRequest) -> Received:
        """The visitor's message, or START for the page's first call, by the path asked for.

        Raises RefusedRequest: 401 ``no_visitor``, 404 ``unknown_path``, and the codec's problems by name."""
        visitor = self._visitors.recognise(request.headers.get("cookie", ""))
        if visitor is None:
            raise RefusedRequest(401, "no_visitor")
        path = urlsplit(request.url).path
        if path.endswith(START_PATH):
            return Received(inbound=_start(visitor))
        if path.endswith(MESSAGES_PATH):
            return Received(inbound=_message(visitor, request.body))
        raise RefusedRequest(404, "unknown_path")

    def respond(self, received: Received, replies: Sequence[Reply] | None) -> WebhookResponse:
        """An acknowledgement. Replies are never in it: the page reads them from its event stream."""
        return WebhookResponse(body=json.dumps({"accepted": True}), status=202, media_type="application/json")

    def fits_inline(self, replies: Sequence[Reply]) -> bool:
        """Only nothing fits: the acknowledgement carries no reply."""
        return not replies

    async def send(self, delivery: Delivery) -> Receipt:
        """Delivered by being stored: the page's stream reads the conversation from storage, now or on its return."""
        return Receipt(vendor_id=delivery.delivery_id)


def _start(visitor: str) -> Inbound:
    # One start per visitor for ever, so that reloading the page does not greet twice.
    return Inbound(
        channel=ChannelName.WEB,
        external_id=external_id(visitor, "start"),
        contact_key=visitor,
        kind=InboundKind.START,
    )


def _message(visitor: str, body: bytes) -> Inbound:
    try:
        message = decode_message(body)
    except BadMessage as bad:
        raise RefusedRequest(STATUS[bad.problem], bad.problem.value) from bad
    return Inbound(
        channel=ChannelName.WEB,
        external_id=external_id(visitor, message.id),
        contact_key=visitor,
        text=message.text,
    )
