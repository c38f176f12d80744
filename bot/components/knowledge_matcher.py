"""The pipeline's first component: what the published knowledge says about a message."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.published import published
from knowledge_base.match import Match

KNOWLEDGE = "knowledge"
PARTS = "knowledge_parts"
ABOUT = "knowledge_about"
CARRIED = 5
"""Candidates that travel with a message: every later turn of the conversation carries them along."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class KnowledgeMatcher(GraphComponent):
    """Puts the matcher's result into the message, so that it reaches the tracker and the action server."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> KnowledgeMatcher:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """``knowledge``: the whole message matched; ``knowledge_parts``: its sentences, where it has several."""
        matcher = published().matcher
        for message in messages:
            text = message.get(TEXT) or ""
            message.set(KNOWLEDGE, carried(matcher.match(text)), add_to_output=True)
            parts = [carried(part) for part in matcher.parts(text)]
            if parts:
                message.set(PARTS, parts, add_to_output=True)
        return messages


def carried(match: Match) -> dict[str, Any]:
    """A match as it travels with a message: its first candidates."""
    data = match.to_dict()
    return {**data, **{name: data[name][:CARRIED] for name in ("candidates", "aspects", "entries")}}
