"""Run by Rasa's interpreter (test_rasa_side.py): prints one JSON object with what was seen."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot import lean
from bot.gateway_input import GatewayInput, TurnOutput
from bot.tracker_store import SqliteTrackerStore

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
    }
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
