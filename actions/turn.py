"""One turn between Rasa and the services: slots and message in, messages and slots out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.counter import counter
from actions.knowledge import answering
from hotline.dialogue.wire import to_messages
from hotline.domain.clock import today
from hotline.domain.messages import ChannelName, TurnResult
from hotline.services.core_time import core_time
from hotline.services.offers import Context, Question
from knowledge_base.match import Match

log = structlog.get_logger(__name__)


class Turn(Action):  # type: ignore[misc]  # rasa-sdk is not typed
    """Base of every action: the wrapper that never lets a citizen go without an answer."""

    intent: str
    """The skill this action serves, whatever led to it."""

    def name(self) -> str:
        return f"action_{self.intent}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[Any]:
        """What is said goes to ``dispatcher``, what to remember comes back as slots. Never raises."""
        try:
            context = Context.from_slots(tracker.slots)
            question = read_question(tracker, self.intent)
            with core_time() as waited:
                decision = await counter().decide(answering(), question, context, conversation_id=tracker.sender_id)
        except Exception as error:
            log.error("action.failed", action=self.name(), error=type(error).__name__)
            _utter(dispatcher, answering().sorry(read_channel(tracker)))
            return []
        ms = {"core": waited.ms} if waited.waits else {}
        _utter(dispatcher, replace(decision.result, ms=ms, facts=decision.context.facts))
        before, after = context.to_slots(), decision.context.to_slots()
        return [SlotSet(slot, value) for slot, value in after.items() if value != before[slot]]


def read_question(tracker: Tracker, intent: str) -> Question:
    """The latest message as the services see it."""
    message = tracker.latest_message
    knowledge, about = message.get("knowledge"), message.get("knowledge_about")
    return Question(
        text=str(message.get("text") or ""),
        intent=intent,
        confidence=float((message.get("intent") or {}).get("confidence") or 0.0),
        channel=read_channel(tracker),
        today=_today(message.get("metadata") or {}),
        match=Match.from_dict(knowledge) if knowledge else None,
        parts=tuple(Match.from_dict(part) for part in message.get("knowledge_parts") or ()),
        about=Match.from_dict(about) if about else None,
    )


def read_channel(tracker: Tracker) -> ChannelName:
    """The citizen's channel, which the gateway passes as Rasa's input channel."""
    name = tracker.get_latest_input_channel()
    return ChannelName(name) if name in set(ChannelName) else ChannelName.WEB


def _today(metadata: dict[str, Any]) -> date:
    as_of = metadata.get("as_of")
    return date.fromisoformat(as_of) if as_of else today()


def _utter(dispatcher: CollectingDispatcher, result: TurnResult) -> None:
    for message in to_messages(result):
        dispatcher.utter_message(text=message["text"], json_message=message["custom"])
