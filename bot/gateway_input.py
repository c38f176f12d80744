"""The only door of the Rasa process: one turn in, what to say out. Spoken to by the gateway over loopback alone."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from bot import lean
from bot.components.intents import BUSINESS
from bot.components.knowledge_matcher import ABOUT, carried
from bot.published import about, published, warm
from bot.turns import EVENTS, MAX_BODY_BYTES, BadTurn, Turn, authorised

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "GJJ_RASA__TOKEN"  # noqa: S105  (the name of a variable, not a secret)


class TurnOutput(CollectingOutputChannel):
    """Collects whole messages, under the citizen's channel name so that responses take its variant."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self._channel = channel

    def name(self) -> str:  # type: ignore[override]
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        kept = {key: message[key] for key in ("text", "buttons", "custom") if message.get(key)}
        if kept:
            self.messages.append(kept)


class GatewayInput(InputChannel):
    """``POST /webhooks/gateway/turn`` and ``GET /webhooks/gateway/``."""

    def __init__(self, token: str, *, timeout_s: float = 2.8, embedders: int = 2, turns: int = 16) -> None:
        self._token = token
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(max_workers=embedders, thread_name_prefix="embed")
        self._turns = turns
        self._places: Optional[asyncio.Semaphore] = None

    @classmethod
    def name(cls) -> str:
        return "gateway"

    @classmethod
    def from_credentials(cls, credentials: Optional[dict[str, Any]]) -> GatewayInput:
        """``token`` from the environment, else from the file; ``timeout_s``, ``embedders``, ``turns`` as numbers."""
        lean.install()
        given = dict(credentials or {})
        token = os.environ.get(TOKEN_VARIABLE) or given.pop("token", "")
        given.pop("token", None)
        if not token:
            raise RasaException(f"Set {TOKEN_VARIABLE}, or token in the credentials file.")
        return cls(str(token), **given)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("gateway_turns", __name__)

        @routes.listener("before_server_start")
        async def load(app: Any, loop: Any) -> None:
            """Nothing is served before models and knowledge are loaded: the first citizen does not wait for them."""
            self._places = asyncio.Semaphore(self._turns)
            await loop.run_in_executor(self._threads, _warm_up)

        @routes.get("/")
        async def health(request: Request) -> HTTPResponse:
            agent = request.app.ctx.agent
            ready = agent is not None and agent.is_ready()
            facts = {"status": "ok" if ready else "loading", "model": getattr(agent, "model_id", None)}
            return response.json(facts, status=200 if ready else 503)

        @routes.post("/turn")
        async def turn(request: Request) -> HTTPResponse:
            if not authorised(request.headers.get("authorization"), self._token):
                return response.json({"error": "The token is missing or wrong."}, status=401)
            if len(request.body) > MAX_BODY_BYTES:
                return response.json({"error": f"The body is larger than {MAX_BODY_BYTES} bytes."}, status=413)
            try:
                asked = Turn.read(_decoded(request))
            except BadTurn as error:
                return response.json({"error": str(error)}, status=400)
            try:
                return response.json(
                    await asyncio.wait_for(self._answer(request, asked, on_new_message), self._timeout_s)
                )
            except TimeoutError:
                logger.error("bot.turn.timed_out")
                return response.json({"error": "The turn took too long."}, status=503)

        return routes

    async def _answer(
        self, request: Request, turn: Turn, on_new_message: Callable[[UserMessage], Awaitable[Any]]
    ) -> dict[str, Any]:
        """Embeds in a thread (the C call frees the interpreter), then lets Rasa handle the message."""
        agent = request.app.ctx.agent
        output = TurnOutput(turn.channel)
        event = event_of(turn)
        message = UserMessage(
            text=event["text"] if event else turn.text,
            output_channel=output,
            sender_id=turn.conversation_id,
            input_channel=turn.channel,
            message_id=turn.message_id,
            metadata=turn.metadata,
            parse_data=event,
        )
        async with self._places or asyncio.Semaphore(self._turns):
            started = time.perf_counter()
            if message.parse_data is None:
                await asyncio.get_running_loop().run_in_executor(self._threads, warm, turn.text)
                embedded = time.perf_counter()
                message.parse_data = await agent.processor.parse_message(message)
                await self._add_about(agent, message)
            else:
                embedded = started
            await on_new_message(message)
        handled = time.perf_counter()
        return {
            "messages": output.messages,
            "turn": _understood(message.parse_data),
            "ms": {"embed": _ms(started, embedded), "handle": _ms(embedded, handled)},
        }

    async def _add_about(self, agent: Any, message: UserMessage) -> None:
        """A message that names no matter is matched once more as one about the matter just discussed."""
        tracker = await agent.processor.get_tracker(message.sender_id)
        code = tracker.get_slot("matter")
        if code is None or message.parse_data["intent"]["name"] not in BUSINESS:
            return
        find = functools.partial(about, message.text or "", code)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, find)
        if found is not None:
            message.parse_data[ABOUT] = carried(found)


def event_of(turn: Turn) -> Optional[dict[str, Any]]:
    """What a turn without words is read as; None for one that has to be understood."""
    intent = EVENTS.get(turn.kind)
    return {"text": f"/{intent}", "intent": {"name": intent, "confidence": 1.0}, "entities": []} if intent else None


def _understood(parsed: dict[str, Any]) -> dict[str, Any]:
    return {"intent": parsed["intent"]["name"], "confidence": parsed["intent"]["confidence"]}


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1000, 2)


def _decoded(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise BadTurn("The body must be JSON.") from error


def _warm_up() -> None:
    """Whatever a first question would load: a doubled name is Chinese, and no exact hit that ends the search early."""
    matters = published().catalogue.matters.values()
    warm(next((matter.name for matter in matters), "") * 2)
