"""The pipeline's second component: the intent of a message."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Optional

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.intents import ASK, Habits, IntentModel, LinearModel, lookup_key
from bot.components.knowledge_matcher import KNOWLEDGE
from bot.components.own_data import example_vectors, policy_vectors
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
        """``regularisation``, ``own_regularisation``: scikit-learn's C; the rest as in Habits."""
        return {"regularisation": 10.0, "kin": {}, "own_words": [], "own_data": {}, "own_regularisation": 0.3}

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
            own_data = config.get("own_data", {})
            habits = Habits(config.get("kin", {}), tuple(config.get("own_words", ())), own_data)
            model = replace(IntentModel.load(folder), habits=habits)
        return cls(config, model_storage, resource, model)

    def train(self, training_data: TrainingData) -> Resource:
        """Fits on every example of data/nlu, and on published phrasings for what they are not, and stores arrays and
        JSON, no pickle."""
        pairs = [(m.get(TEXT), m.get(INTENT)) for m in training_data.intent_examples if m.get(TEXT)]
        vectors = example_vectors([normalise(text).core for text, _ in pairs])
        intents = [intent for _, intent in pairs]
        others = [at for at, intent in enumerate(intents) if intent not in self._config["own_data"]]
        linear = LinearModel.fit(
            vectors[others], [intents[at] for at in others], regularisation=float(self._config["regularisation"])
        )
        own = self._own([text for text, _ in pairs], intents, vectors)
        model = IntentModel({lookup_key(text): intent for text, intent in pairs}, linear, own, embedder().kind)
        with self._model_storage.write_to(self._resource) as folder:
            model.save(folder)
        return self._resource

    def _own(self, texts: list[str], intents: list[str], vectors: Array) -> Optional[LinearModel]:
        """What tells wishes for own data from each other and from all else, the published phrasings included."""
        own_data = self._config["own_data"]
        if not own_data:
            return None
        wishes = [text for text, intent in zip(texts, intents, strict=True) if intent in own_data]
        policy = policy_vectors(wishes)
        labels = [intent if intent in own_data else ASK for intent in intents] + [ASK] * len(policy)
        regularisation = float(self._config["own_regularisation"])
        return LinearModel.fit(np.concatenate([vectors, policy]), labels, regularisation=regularisation)

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
