"""The telephone through Twilio's webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from channels.twilio_signature import path_of, verified_form
from channels.voice import acts, codec
from channels.voice.call_state import CallState
from channels.voice.plan import Manner, plan
from channels.voice.relay.documents import Documents
from channels.voice.twiml import render
from channels.voice.wording import wording
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

WEBHOOK = "/channels/voice"
STATUS = "/channels/voice/status"
# Twilio gives a webhook 15 s in all (https://www.twilio.com/docs/api/errors/11205).
_LONGEST_WAIT_S = 12.0
_XML = "text/xml; charset=utf-8"
_NO_CONTENT = WebhookResponse(status=204)


class VoiceChannel:
    """Calls, one webhook for each thing the caller does. Implements hotline.ports.Channel."""

    name = ChannelName.VOICE

    def __init__(self, settings: TwilioSettings, public_url: str, *, centre: str = "") -> None:
        """``centre`` is the centre's short name, as the greeting says it."""
        self.capabilities = Capabilities(
            reply_wait_s=min(settings.reply_wait_s, _LONGEST_WAIT_S),
            replies_inline=True,
            can_push=False,
            greets_itself=True,
        )
        self._settings = settings
        self._webhook = public_url.rstrip("/") + WEBHOOK
        self._centre = centre or wording().default_centre
        self._documents = Documents(settings, public_url)

    async def receive(self, request: WebhookRequest) -> Received:
        """Something the caller did, or a report on the call; the end of the call is a LEAVE. In mode ``relay`` the
        start of a call is answered with the address of a WebSocket, over which it goes on (web/voice_relay.py)."""
        path = path_of(request)
        if not path.endswith((WEBHOOK, STATUS)):
            raise RefusedRequest(404, "no such webhook")
        form = verified_form(request, self._settings)
        if path.endswith(STATUS):
            return self._reported(form)
        heard = codec.decode(form, CallState.parse(request.query))
        if heard.inbound.kind is InboundKind.START and self._settings.mode == "relay":
            document = self._documents.relay(heard.inbound.session_key)
            return Received(response=WebhookResponse(body=document, media_type=_XML))
        return Received(inbound=heard.inbound, context=heard.state.query())

    def respond(self, received: Received, replies: Sequence[Reply] | None) -> WebhookResponse:
        """TwiML: the answer and listening, or (None) a word of patience that asks for the same answer again.

        The greeting and what is said into a silence are the telephone's own words.
        """
        if received.response is not None or received.inbound is None:
            return received.response or _NO_CONTENT
        step = plan(
            received.inbound.kind, CallState.parse(received.context), replies, manner=Manner(centre=self._centre)
        )
        return WebhookResponse(body=render(step, self._webhook, voice=self._settings.voice), media_type=_XML)

    def fits_inline(self, replies: Sequence[Reply]) -> bool:
        """What is too long for one turn is read in pages."""
        return True

    async def send(self, delivery: Delivery) -> Receipt:
        """Nothing can be said outside a caller's turn: always raises SendError, never to be tried again."""
        raise SendError(SendReason.REJECTED, "the telephone answers within its webhook", retryable=False)

    @staticmethod
    def _reported(form: dict[str, str]) -> Received:
        inbound = acts.left(codec.caller_of(form))
        return Received(inbound=inbound) if codec.is_over(form) else Received(response=_NO_CONTENT)
