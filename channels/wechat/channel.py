"""The WeChat service account as a `Channel`."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx

from channels.wechat import codec
from channels.wechat.api import WeChatApi
from channels.wechat.envelope import Envelope, Opened
from channels.wechat.quota import Allowance, InMemoryQuotaStore, Quota, QuotaStore, grant_of
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Reply
from hotline.errors import TemporaryError
from hotline.ports import (
    Capabilities,
    Delivery,
    Receipt,
    Received,
    RefusedRequest,
    ReplayGuard,
    SendError,
    SendReason,
    WebhookRequest,
    WebhookResponse,
)
from hotline.settings import WeChatSettings

ACKNOWLEDGED: Final = WebhookResponse(body="success")
"""Tells WeChat that nothing is missing, so that it neither tries again nor shows its fault bubble."""
_TRIES: Final = 9
"""WeChat sends one message three times at most; each try may reach us more than once."""
_WRITE_TRIES: Final = 5

_log = logging.getLogger(__name__)


class WeChatChannel:
    """Implements `hotline.ports.Channel` for one account."""

    name = ChannelName.WECHAT

    def __init__(
        self,
        settings: WeChatSettings,
        replay_guard: ReplayGuard,
        *,
        client: httpx.AsyncClient,
        clock: Callable[[], float] = time.time,
        quotas: QuotaStore | None = None,
    ) -> None:
        """``clock`` gives epoch seconds. Without ``quotas`` this process counts by itself."""
        self.capabilities = Capabilities(reply_wait_s=settings.reply_wait_s, replies_inline=True, can_push=True)
        self._envelope = Envelope(settings)
        self._api = WeChatApi(settings, client, clock=clock)
        self._replay_guard = replay_guard
        self._remember_s = 2 * settings.freshness_s
        self._clock = clock
        self._quotas = quotas or InMemoryQuotaStore()

    async def receive(self, request: WebhookRequest) -> Received:
        if request.method == "GET":
            echo = self._envelope.greet(request, self._clock())
            return Received(response=WebhookResponse(body=echo))
        if request.method != "POST":
            raise RefusedRequest(405, "WeChat uses GET and POST")
        opened = self._envelope.open(request, self._clock())
        inbound = codec.decode(opened.fields)
        try:
            await self._refuse_replay(request, opened)
            await self._note_grant(inbound)
        except TemporaryError:
            # The signature holds; losing the message would be worse than losing a count. The core spools it.
            _log.warning("channel.guard.unavailable")
        context = {"to": inbound.contact_key, "sender": opened.fields.get("ToUserName", ""), "key": opened.key_name}
        return Received(inbound=inbound, context=context)

    def respond(self, received: Received, replies: Sequence[Reply] | None) -> WebhookResponse:
        """The sealed answer, or an acknowledgement when there is none or it does not fit (see `fits_inline`)."""
        if received.response is not None:
            return received.response
        if replies is None or not self.fits_inline(replies):
            return ACKNOWLEDGED
        now = self._clock()
        context = received.context
        xml = codec.passive_xml(codec.render(replies), to=context["to"], sender=context["sender"], created=int(now))
        sealed = self._envelope.seal(xml, context["key"], now)
        return WebhookResponse(body=sealed, media_type="text/xml; charset=utf-8")

    def fits_inline(self, replies: Sequence[Reply]) -> bool:
        """True when these go into one passive reply, which is one bubble of 2048 bytes.

        Cutting an answer would lose its end, so what is longer goes whole through `send`."""
        return len(codec.split(codec.render(replies))) == 1

    async def send(self, delivery: Delivery) -> Receipt:
        parts = codec.split(codec.render(delivery.replies))
        quota = await self._quotas.get(delivery.contact_key)
        done = quota.parts_done if quota and quota.delivery_id == delivery.delivery_id else 0
        if quota and quota.allowance(self._clock()).left < len(parts) - done:
            raise SendError(SendReason.THROTTLED, "all messages of this window are used", retryable=False)
        vendor_id = ""
        for number in range(done, len(parts)):
            vendor_id = await self._send_part(delivery, parts[number], number + 1)
        return Receipt(vendor_id=vendor_id)

    async def show_typing(self, contact_key: str, *, on: bool = True) -> None:
        """The citizen sees that somebody is writing. Raises SendError; costs no message."""
        await self._api.show_typing(contact_key, on=on)

    async def allowance(self, contact_key: str) -> Allowance | None:
        """What may still be pushed to this citizen; None when nothing is known of them."""
        quota = await self._quotas.get(contact_key)
        return quota.allowance(self._clock()) if quota else None

    async def _send_part(self, delivery: Delivery, text: str, number: int) -> str:
        contact = delivery.contact_key
        await self._change(contact, lambda quota: quota.spent(self._clock()))
        try:
            vendor_id = await self._api.send_text(contact, text)
        except SendError as error:
            await self._after_failure(contact, error)
            raise
        await self._change(contact, lambda quota: quota.progressed(delivery.delivery_id, number))
        return vendor_id

    async def _after_failure(self, contact_key: str, error: SendError) -> None:
        """WeChat's own count wins; what surely did not go out is not counted."""
        if error.reason is SendReason.THROTTLED and not error.retryable:
            await self._change(contact_key, Quota.emptied)
        elif not error.unknown:
            await self._change(contact_key, lambda quota: quota.refunded(self._clock()))

    async def _note_grant(self, inbound: Inbound) -> None:
        contact = inbound.contact_key
        if inbound.kind is InboundKind.LEAVE:
            await self._change(contact, Quota.emptied)
        elif grant := grant_of(inbound):
            at = inbound.sent_at.timestamp() if inbound.sent_at else self._clock()
            await self._change(contact, lambda quota: quota.granted(grant, at), create=True)

    async def _change(self, contact_key: str, change: Callable[[Quota], Quota | None], *, create: bool = False) -> None:
        """Applies ``change`` to what is stored, again when another writer was faster. Unknown contacts
        stay unknown unless ``create``: WeChat decides on them."""
        for _ in range(_WRITE_TRIES):
            quota = await self._quotas.get(contact_key)
            if quota is None and not create:
                return
            changed = change(quota or Quota())
            if changed is None or await self._quotas.put(contact_key, changed):
                return
        _log.warning("channel.quota.contended")

    async def _refuse_replay(self, request: WebhookRequest, opened: Opened) -> None:
        """Lets the tries of one delivery through, which the core answers from what is stored, and refuses
        a nonce that comes with another message. Compared is what was inside: a try may be sealed anew,
        which changes its signature."""
        stamp = f"{request.query['timestamp']}.{request.query['nonce']}"
        said = repr(sorted(opened.fields.items())).encode("utf-8", "replace")
        message = hashlib.sha256(said).hexdigest()[:40]
        uses = await self._replay_guard.uses("wechat", stamp, message, ttl_s=self._remember_s)
        if uses is None:
            raise RefusedRequest(403, "nonce was used for another message")
        if uses >= _TRIES:
            raise RefusedRequest(403, "repeated too often")
