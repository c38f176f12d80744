"""One webhook route for every channel: verify, store, wait a little, answer."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request, Response

from hotline.bootstrap import Core
from hotline.domain.messages import ChannelName
from hotline.ports import Channel, Received, RefusedRequest, WebhookRequest, WebhookResponse

log = structlog.get_logger()


def router(core: Core, hooks: Mapping[str, ChannelName]) -> APIRouter:
    """Routes ``/channels/<name>`` (and below) for the channels in ``hooks``: path name to channel."""
    routes = APIRouter()

    @routes.api_route("/channels/{name}", methods=["GET", "POST"])
    @routes.api_route("/channels/{name}/{rest:path}", methods=["GET", "POST"])
    async def webhook(name: str, request: Request) -> Response:
        if name not in hooks:
            return Response(status_code=404)
        try:
            hook = await read_request(core, request)
            answer = await _answered(core, core.channels[hooks[name]], hook)
        except RefusedRequest as refusal:
            log.warning("channel.request.refused", channel=name, status=refusal.status, reason=refusal.reason)
            return Response(status_code=refusal.status, content=refusal.reason, media_type="text/plain")
        return Response(content=answer.body, status_code=answer.status, media_type=answer.media_type)

    return routes


async def _answered(core: Core, channel: Channel, hook: WebhookRequest) -> WebhookResponse:
    received: Received = await channel.receive(hook)
    if received.inbound is None:
        return received.response or WebhookResponse()
    if not channel.capabilities.replies_inline:
        await core.intake.submit(received.inbound)
        return channel.respond(received, None)
    answer = await core.intake.answer(received.inbound, wait_s=channel.capabilities.reply_wait_s)
    return channel.respond(received, answer.replies)


async def read_request(core: Core, request: Request) -> WebhookRequest:
    """The request without the framework. More than the allowed bytes is refused before it is read whole."""
    gateway = core.settings.gateway
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > gateway.max_body_bytes:
            raise RefusedRequest(413, "body too large")
    query = f"?{request.url.query}" if request.url.query else ""
    return WebhookRequest(
        method=request.method,
        # Vendors sign the address they called, which a proxy in front of us has rewritten.
        url=f"{gateway.public_url.rstrip('/')}{request.url.path}{query}",
        headers={key.lower(): value for key, value in request.headers.items()},
        query=dict(request.query_params),
        body=bytes(body),
        client_ip=request.client.host if request.client else "",
    )
