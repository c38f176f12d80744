"""Run by Rasa's interpreter (test_rasa_side.py): prints one JSON object with what was seen."""

from __future__ import annotations

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot import lean
from bot.components import knowledge_matcher
from bot.gateway_input import GatewayInput, TurnOutput, event_of
from bot.tracker_store import SqliteTrackerStore
from bot.turns import Turn
from tests.unit.answering.content import CATALOGUE, match

ANSWERS: list[Any] = [
    {"events": [], "responses": []},
    {"events": [{"event": "slot", "name": "matter", "value": "x"}], "responses": [{"text": "a"}]},
    {"events": [], "responses": ["no object"]},
    {"events": [{"no": "event"}], "responses": []},
    [],
]


def verdicts() -> list[bool]:
    action, found = RemoteAction("action_x", None), []
    for answer in ANSWERS:
        try:
            found.append(action._validate_action_result(answer))
        except ValidationError:
            found.append(False)
    return found


def resolved(name: str) -> str:
    try:
        return str(Event.resolve_by_type(name))
    except ValueError as error:
        return f"refused: {error}"


async def survives(path: str) -> list[Any]:
    tracker = DialogueStateTracker("c1", [])
    tracker.update(UserUttered("a"))
    tracker.update(SlotSet("matter", "rent"))
    await SqliteTrackerStore(domain=Domain.empty(), host=None, db=path).save(tracker)
    again = await SqliteTrackerStore(domain=Domain.empty(), host=None, db=path).retrieve("c1")
    return [event.type_name for event in again.events] if again else []


async def said() -> list[Any]:
    output = TurnOutput("sms")
    await output.send_response("c1", {"text": "a", "buttons": [], "custom": {"turn": {}}, "image": None})
    await output.send_response("c1", {"image": "http://a.invalid/"})
    return [output.name(), output.messages]


def knowledge() -> list[Any]:
    """What travels with a message that has several questions, and with one that has not."""
    everything = match("租房", dict.fromkeys(CATALOGUE.matters, 0.1), also={"rent/amount": 0.1, "rent/materials": 0.1})
    matcher = SimpleNamespace(
        match=lambda text: everything, parts=lambda text: [everything, everything] if "?" in text else []
    )
    with mock.patch.object(knowledge_matcher, "published", return_value=SimpleNamespace(matcher=matcher)):
        messages = [Message({TEXT: "a?b?"}), Message({TEXT: "a"}), Message({})]
        knowledge_matcher.KnowledgeMatcher().process(messages)
    many, one, none = messages
    found = many.get("knowledge")
    return [
        [len(found[name]) for name in ("candidates", "aspects", "entries")],
        len(many.get("knowledge_parts")),
        one.get("knowledge_parts"),
        none.get("knowledge") == found,
        many.output_properties >= {"knowledge", "knowledge_parts"},
    ]


async def about(channel: GatewayInput, matter: str | None, intent: str, found: Any) -> list[Any]:
    """Whether a message is matched once more as one about ``matter``, and what came of it."""
    asked: list[Any] = []

    async def get_tracker(sender: str) -> Any:
        return SimpleNamespace(get_slot=lambda name: matter)

    def find(text: str, code: str) -> Any:
        asked.append([text, code])
        return found

    agent = SimpleNamespace(processor=SimpleNamespace(get_tracker=get_tracker))
    message = UserMessage(text="几天到账", sender_id="c1", parse_data={"intent": {"name": intent}})
    with mock.patch("bot.gateway_input.about", find):
        await channel._add_about(agent, message)
    matched = message.parse_data.get("knowledge_about")
    return [asked, matched and matched["candidates"][0]["code"]]


def followed(channel: GatewayInput) -> list[Any]:
    rent = match("租房提取,几天到账", {"rent": 0.9})
    return [
        asyncio.run(about(channel, "rent", "ask_knowledge", rent)),
        asyncio.run(about(channel, "rent", "fallback", None)),
        asyncio.run(about(channel, None, "ask_knowledge", rent)),
        asyncio.run(about(channel, "rent", "thanks", rent)),
    ]


def happened() -> dict[str, Any]:
    """The intent of what happens without words, and that words are left to be understood."""
    turn = {"conversation_id": "c1", "message_id": "m1", "channel": "web"}
    kinds = {kind: event_of(Turn.read({**turn, "kind": kind})) for kind in ("start", "proved", "verified")}
    seen = {kind: event and [event["intent"]["name"], event["intent"]["confidence"]] for kind, event in kinds.items()}
    return {**seen, "text": event_of(Turn.read({**turn, "text": "/verify"}))}


def main() -> None:
    names = ["slot", "user", "action", "session_started", "eaten", "topic"]
    before = [verdicts(), [resolved(name) for name in names]]
    channel = GatewayInput.from_credentials({"token": "right", "timeout_s": 1.0})
    lean.install()
    twice = [resolved(name) for name in names]
    seen = {
        "channel": channel.name(),
        "same": before == [verdicts(), twice],
        "verdicts": before[0],
        "survived": asyncio.run(survives(sys.argv[1])),
        "said": asyncio.run(said()),
        "knowledge": knowledge(),
        "followed": followed(channel),
        "happened": happened(),
    }
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
