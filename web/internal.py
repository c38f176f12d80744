"""For our own command line: one turn on any channel, and how the gateway does. Bearer token, loopback."""

from __future__ import annotations

import hmac
import time
import uuid
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from hotline.bootstrap import Core
from hotline.domain.messages import ChannelName, Inbound
from hotline.errors import TemporaryError
from hotline.services.turns import INTERNAL

WAIT_S = 20.0


class TurnBody(BaseModel):
    """One question. Without ``conversation`` it opens a new one; the same name goes on with it."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=20000)
    channel: ChannelName = ChannelName.WEB
    conversation: str = Field(default="", max_length=60)
    as_of: date | None = None


def router(core: Core) -> APIRouter:
    """``POST /internal/turn``, ``GET /internal/counts`` and the open requests for a person."""
    token = core.settings.gateway.internal_token.get_secret_value()

    def only_us(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "bearer token required")

    routes = APIRouter(prefix="/internal", dependencies=[Depends(only_us)])

    @routes.post("/turn")
    async def turn(body: TurnBody) -> dict[str, Any]:
        return await _turn(core, body)

    @routes.get("/counts")
    async def counts() -> dict[str, int]:
        return dict(await core.storage.store.counts())

    @routes.get("/handovers")
    async def handovers(limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[dict[str, Any]]:
        return [asdict(found) for found in await core.storage.handovers.open_handovers(limit=limit)]

    @routes.post("/handovers/{number}/close")
    async def close(number: int) -> dict[str, bool]:
        if not await core.storage.handovers.close_handover(number):
            raise HTTPException(404, f"no open request with number {number}")
        return {"closed": True}

    return routes


async def _turn(core: Core, body: TurnBody) -> dict[str, Any]:
    started = time.perf_counter()
    inbound = Inbound(
        channel=body.channel,
        external_id=f"internal-{uuid.uuid4()}",
        contact_key=f"internal-{body.conversation or uuid.uuid4()}",
        text=body.text,
        as_of=body.as_of,
        meta={"origin": INTERNAL},
    )
    try:
        await core.intake.answer(inbound, wait_s=WAIT_S)
        record = await core.storage.store.record(inbound.channel, inbound.external_id)
    except TemporaryError as error:
        raise HTTPException(503, str(error)) from error
    if record is None:
        raise HTTPException(503, "no answer in time")
    result = record.result
    return {
        "answer": "\n".join(reply.text for reply in record.replies),
        "matter": result.matter,
        "aspect": result.aspect,
        "intent": result.intent,
        "confidence": result.confidence,
        "outcome": result.outcome,
        "choices": [asdict(choice) for reply in record.replies for choice in reply.choices],
        "sources": [asdict(source) for source in result.sources],
        "candidates": list(result.candidates),
        "conversation_id": record.conversation_id,
        "hand_over": result.hand_over,
        "degraded": result.degraded,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "hops": dict(result.ms),
    }
