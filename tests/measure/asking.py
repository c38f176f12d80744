"""Who answers the golden conversations: knowledge search in this process, or a running gateway with everything."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from hotline.client import GatewayClient
from hotline.dialogue.fallback import KnowledgeDialogue
from hotline.domain.messages import ChannelName, InboundKind, TurnRequest
from hotline.errors import TemporaryError
from hotline.ports import Dialogue
from hotline.settings import Settings
from knowledge_base.model import Catalogue
from knowledge_base.render import render
from tests.measure.conversations import Ask, Conversation, Failure, Said, openings, play

CHANNEL = ChannelName.WEB


def in_process(dialogue: Dialogue, *, on: date) -> Ask:
    """Asks a dialogue directly, without Rasa, actions or storage."""
    numbers, run = itertools.count(1), uuid4().hex

    async def ask(conversation: str, text: str) -> Said:
        result = await dialogue.respond(
            TurnRequest(
                conversation_id=f"{run} {conversation}",
                message_id=f"{run} {next(numbers)}",
                text=text,
                kind=InboundKind.TEXT,
                channel=CHANNEL,
                as_of=on,
            )
        )
        return Said(
            text="\n".join(reply.text for reply in result.replies),
            entry=_entry(result.matter, result.aspect),
            outcome=result.outcome.value,
            candidates=result.candidates,
            choices=tuple(choice.label for reply in result.replies for choice in reply.choices),
        )

    return ask


def by_gateway(turn: Callable[..., Mapping[str, Any]], *, on: date) -> Ask:
    """Asks by `GatewayClient.turn` (or what is called alike), each conversation under a name of its own."""
    run = uuid4().hex

    async def ask(conversation: str, text: str) -> Said:
        name = f"golden-{uuid5(NAMESPACE_OID, run + conversation).hex}"  # the gateway takes 60 characters
        answer = await asyncio.to_thread(turn, text, conversation=name, channel=CHANNEL.value, as_of=on.isoformat())
        return Said(
            text=str(answer["answer"]),
            entry=_entry(answer["matter"], answer["aspect"]),
            outcome=str(answer["outcome"]),
            candidates=tuple(answer["candidates"]),
            choices=tuple(choice["label"] for choice in answer["choices"]),
            degraded=bool(answer["degraded"]),
        )

    return ask


def _entry(matter: str | None, aspect: str | None) -> str:
    return f"{matter}/{aspect}" if matter and aspect else ""


def play_in_process(
    written: Sequence[Conversation], knowledge: Path, catalogue: Catalogue, *, on: date, done: Callable[[], None]
) -> list[Failure]:
    """Failing turns with the knowledge published in the folder ``knowledge``."""
    return _play_all(written, in_process(KnowledgeDialogue(knowledge), on=on), catalogue, on=on, done=done)


def play_live(
    written: Sequence[Conversation], settings: Settings, catalogue: Catalogue, *, on: date, done: Callable[[], None]
) -> list[Failure]:
    """Failing turns of a running gateway. Raises TemporaryError when none answers."""
    with GatewayClient(settings) as client:
        if not client.answers():
            gateway = settings.gateway
            raise TemporaryError(f"no gateway answers at {gateway.host}:{gateway.port}: start it with `make up`")
        return _play_all(written, by_gateway(client.turn, on=on), catalogue, on=on, done=done)


def _play_all(
    written: Sequence[Conversation], ask: Ask, catalogue: Catalogue, *, on: date, done: Callable[[], None]
) -> list[Failure]:
    opening = openings(lambda entry: _rendered(catalogue, entry, on))

    async def all_of_them() -> list[Failure]:
        found = []
        for conversation in written:
            found += await play(conversation, ask, opening)
            done()
        return found

    return asyncio.run(all_of_them())


def _rendered(catalogue: Catalogue, entry: str, on: date) -> str:
    code, _, aspect = entry.partition("/")
    return render(catalogue, code, aspect, channel=CHANNEL.value, on=on).text
