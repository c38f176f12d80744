"""The pipeline's second component: the intent of a message."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Optional

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.intents import Habits, IntentModel, LinearModel, lookup_key
from bot.components.knowledge_matcher import KNOWLEDGE
from bot.published import embedder
from knowledge_base.linear import Array
from knowledge_base.normalise import normalise

logger = logging.getLogger(__name__)
RANKED = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class VectorIntentClassifier(GraphComponent):
    """Learns data/nlu; at run time it uses the vector the matcher has just computed."""

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: Optional[IntentModel] = None,
    ) -> None:
        self._config = {**self.get_default_config(), **config}
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """``regularisation``: scikit-learn's C; the rest as in Habits."""
        return {"regularisation": 10.0, "kin": {}, "own_words": []}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> VectorIntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> VectorIntentClassifier:
        with model_storage.read_from(resource) as folder:
            habits = Habits(config.get("kin", {}), tuple(config.get("own_words", ())))
            model = replace(IntentModel.load(folder), habits=habits)
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Fits on every example of data/nlu and stores arrays and JSON, no pickle."""
        pairs = [(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples if m.get(TEXT)]
        vectors = embedder().embed_many([normalise(text).core for text, _ in pairs])
        linear = LinearModel.fit(
            vectors, [intent for _, intent in pairs], regularisation=float(self._config["regularisation"])
        )
        model = IntentModel({lookup_key(text): intent for text, intent in pairs}, linear, embedder().kind)
        with self._model_storage.write_to(self._resource) as folder:
            model.save(folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets ``intent`` and ``intent_ranking``."""
        if self._model is None:
            return messages
        for message in messages:
            knowledge = message.get(KNOWLEDGE) or {}
            verdict = self._model.judge(message.get(TEXT) or "", self._vector(knowledge), knowledge)
            ranking = [{"name": name, "confidence": p} for name, p in verdict.ranking[:RANKED]]
            message.set(INTENT, {"name": verdict.intent, "confidence": verdict.confidence}, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _vector(self, knowledge: dict[str, Any]) -> Optional[Array]:
        if self._model is None or embedder().kind != self._model.kind:
            logger.error("bot.intents.other_embedding: the model was trained on another embedding; train again")
            return None
        return embedder().embed(knowledge["normalised"]["core"])
