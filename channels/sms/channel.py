"""SMS through Twilio's webhooks and REST API."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

import anyio.to_thread
import httpx

from channels.sms import codec
from channels.sms.rest import MessageSender
from channels.sms.wording import wording
from channels.twilio_signature import path_of, verified_form
from hotline.domain.messages import ChannelName, InboundKind, Reply
from hotline.ports import (
    Capabilities,
    Delivery,
    Receipt,
    Received,
    RefusedRequest,
    SendError,
    SendReason,
    WebhookRequest,
    WebhookResponse,
)
from hotline.settings import TwilioSettings

WEBHOOK = "/channels/sms"
STATUS = "/channels/sms/status"
# Twilio gives a webhook 15 s in all (https://www.twilio.com/docs/api/errors/11205).
_LONGEST_WAIT_S = 12.0
_XML = "text/xml; charset=utf-8"


class SmsChannel:
    """A citizen's short messages. Implements hotline.ports.Channel."""

    name = ChannelName.SMS

    def __init__(
        self,
        settings: TwilioSettings,
        public_url: str,
        *,
        signature: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """``signature`` is the approved name that stands in front of every message, without its brackets."""
        self.capabilities = Capabilities(
            reply_wait_s=min(settings.reply_wait_s, _LONGEST_WAIT_S), replies_inline=True, can_push=True
        )
        self._settings = settings
        self._status_url = public_url.rstrip("/") + STATUS
        self._signature = signature or wording().default_signature
        self._sender = MessageSender(settings, transport=transport)

    async def receive(self, request: WebhookRequest) -> Received:
        """A citizen's message, or a delivery report, which is answered at once."""
        path = path_of(request)
        if not path.endswith((WEBHOOK, STATUS)):
            raise RefusedRequest(404, "no such webhook")
        form = verified_form(request, self._settings)
        if path.endswith(STATUS):
            return Received(response=WebhookResponse(status=204))
        inbound = codec.decode(form)
        return Received(inbound=inbound, context={"confirmed": "1"} if codec.confirms_itself(form) else {})

    def respond(self, received: Received, replies: Sequence[Reply] | None) -> WebhookResponse:
        """TwiML with the answer in it, or empty TwiML when it comes later or not at all."""
        if received.response is not None:
            return received.response
        return WebhookResponse(body=codec.twiml(self._body(received, replies or ())), media_type=_XML)

    def fits_inline(self, replies: Sequence[Reply]) -> bool:
        """Every answer is cut to two parts before it goes out, here or later."""
        return True

    async def send(self, delivery: Delivery) -> Receipt:
        """One message of at most two parts is handed to Twilio. Raises SendError."""
        most = codec.PERSONS_PARTS if delivery.by_person else codec.MAX_PARTS
        body = codec.compose(delivery.replies, self._signature, max_parts=most)
        if not body:
            raise SendError(SendReason.CONTENT, "nothing to say", retryable=False)
        create = partial(
            self._sender.create,
            delivery.contact_key,
            body=body,
            status_callback=f"{self._status_url}?delivery={quote(delivery.delivery_id, safe='')}",
        )
        return Receipt(vendor_id=await anyio.to_thread.run_sync(create))

    def close(self) -> None:
        """Connections to Twilio are closed."""
        self._sender.close()

    def _body(self, received: Received, replies: Sequence[Reply]) -> str:
        opted_out = received.inbound is not None and received.inbound.kind is InboundKind.LEAVE
        if opted_out:
            return "" if received.context.get("confirmed") else codec.fit(wording().opted_out, self._signature)
        return codec.compose(replies, self._signature)
