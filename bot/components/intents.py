"""Which intent a message has: exact examples, a linear model on its vector, and what the knowledge matcher found.

Needs neither Rasa nor a published index, so that it can be tested and measured on its own.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base.linear import Array, Linear, Scaling, softmax
from knowledge_base.normalise import normalise

ASK = "ask_knowledge"
OUTSIDE = "out_of_scope"
UNCLEAR = "fallback"
BUSINESS = frozenset({ASK, OUTSIDE, UNCLEAR})

CONTROL_AT = 0.60
"""From this probability on a control intent is believed."""
LONG_CONTROL_AT = 0.85
"""The same for messages longer than small talk."""
SURE_AT = 0.95
"""From this probability on a short control message wins against an entry it happens to be near to."""
MATCHED_AT = 0.50
"""From this probability of the best entry on the matcher decides between the fund's business and others'."""
OUTSIDE_AT = 0.60
"""From this mean of the linear model's and the matcher's doubt on a question without an entry is not the fund's."""
SMALL_TALK_CHARS = 24
"""No longer message is a greeting, thanks or a wish to hear it again; complaints and calls for a person may be long."""
SURELY_OUTSIDE_AT = 0.80
"""From this doubt of the matcher on a message is no complaint about the fund; and from this probability of what is not
the fund's on even letters alone say something."""
WORD_CHARS = 5
"""So short a message says too little to be turned away."""
COMPLAINT = "complaint"
LONG_CONTROL = frozenset({"human_request", COMPLAINT})


def lookup_key(text: str) -> str:
    """Letters, digits and characters alone of the normalised text: what examples are compared by."""
    return "".join(c for c in normalise(text).text.casefold() if unicodedata.category(c)[0] in "LN")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``ranking``: all intents with their probabilities, best first; the verdict need not be its first."""

    intent: str
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Softmax regression on centred vectors."""

    scaling: Scaling
    linear: Linear

    @classmethod
    def fit(cls, vectors: Array, labels: Sequence[str], *, regularisation: float) -> LinearModel:
        """The model of ``labels`` over the rows of ``vectors``; ``regularisation`` is scikit-learn's C."""
        from sklearn.linear_model import LogisticRegression

        scaling = Scaling.of(vectors)
        model = LogisticRegression(C=regularisation, class_weight="balanced", max_iter=3000)
        model.fit(scaling.apply(vectors), list(labels))
        weights, bias = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
        return cls(scaling, Linear(tuple(map(str, model.classes_)), weights, bias))

    def probabilities(self, vector: Array) -> dict[str, float]:
        shares = softmax(self.linear.logits(self.scaling.apply(vector)))
        return dict(zip(self.linear.classes, shares.tolist(), strict=True))

    def save(self, folder: Path) -> None:
        np.savez(folder / "linear.npz", mean=self.scaling.mean, weights=self.linear.weights, bias=self.linear.bias)
        facts = {"classes": self.linear.classes, "deviation": self.scaling.deviation}
        (folder / "linear.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        facts = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        with np.load(folder / "linear.npz", allow_pickle=False) as arrays:
            scaling = Scaling(arrays["mean"], facts["deviation"])
            return cls(scaling, Linear(tuple(facts["classes"]), arrays["weights"], arrays["bias"]))


@dataclass(frozen=True, slots=True)
class Habits:
    """What the project tells the classifier in config.yml.

    ``kin`` names the matters that mean the same as a control intent, so that they do not speak against it;
    ``own_words`` are words of the fund that small talk never contains.
    """

    kin: Mapping[str, Sequence[str]] = field(default_factory=dict)
    own_words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Everything the classifier learnt. ``kind`` names the embedding the linear model was fitted on."""

    examples: Mapping[str, str]
    linear: LinearModel
    kind: str = ""
    habits: Habits = field(default_factory=Habits)

    def judge(self, text: str, vector: Array | None, knowledge: Mapping[str, Any]) -> Verdict:
        """The intent of ``text``. ``vector`` None: no usable embedding, only examples and matcher speak."""
        key = lookup_key(text)
        exact = self.examples.get(key)
        if exact is not None:
            return Verdict(exact, 1.0, ((exact, 1.0),))
        probabilities = {ASK: 1.0} if vector is None else self.linear.probabilities(vector)
        return settle(probabilities, Evidence.read(knowledge), text=key, habits=self.habits)

    def save(self, folder: Path) -> None:
        facts = {"kind": self.kind, "examples": dict(self.examples)}
        (folder / "examples.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        self.linear.save(folder)

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        facts = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
        return cls(facts["examples"], LinearModel.load(folder), facts["kind"])


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the matcher's result says about the intent."""

    best: float = 0.0
    scope: str = ""
    exact: bool = False
    named: bool = False
    asks_outside: float = 0.0
    code: str = ""
    cue: bool = False

    @classmethod
    def read(cls, knowledge: Mapping[str, Any]) -> Evidence:
        best = next(iter(knowledge.get("candidates") or ()), {})
        return cls(
            best=float(best.get("p", 0.0)),
            scope=str(best.get("scope", "")),
            exact=bool(knowledge.get("exact")),
            named=bool(knowledge.get("mentions")),
            asks_outside=float(knowledge.get("asks_outside", 0.0)),
            code=str(best.get("code", "")),
            cue=bool(knowledge.get("aspect_cue")),
        )


def settle(
    probabilities: Mapping[str, float], evidence: Evidence, *, text: str, habits: Habits | None = None
) -> Verdict:
    """Control intents win where they are clear, then the matcher, then the linear model among the rest.

    ``text`` is the message's lookup key.
    """
    habits, length = habits or Habits(), len(text)
    ranking = tuple(sorted(probabilities.items(), key=lambda item: -item[1]))
    matched = OUTSIDE if evidence.scope == "outside" else ASK
    if evidence.exact:
        return Verdict(matched, 1.0, ranking)
    intent, p = next(((i, p) for i, p in ranking if i not in BUSINESS), ("", 0.0))
    if _is_control(intent, p, evidence, text=text, habits=habits):
        return Verdict(intent, p, ranking)
    known_outside = evidence.scope == "outside" and evidence.best >= SURELY_OUTSIDE_AT
    if not _says_something(text) and not evidence.named and not known_outside:
        return Verdict(UNCLEAR, 1.0, ranking)
    if evidence.best >= MATCHED_AT:
        return Verdict(matched, evidence.best, ranking)
    p_outside, p_unclear = probabilities.get(OUTSIDE, 0.0), probabilities.get(UNCLEAR, 0.0)
    outside = (evidence.asks_outside + p_outside) / 2
    if outside >= OUTSIDE_AT and length > WORD_CHARS and not evidence.named:
        return Verdict(OUTSIDE, outside, ranking)
    if p_unclear >= CONTROL_AT and length <= SMALL_TALK_CHARS and not evidence.named:
        return Verdict(UNCLEAR, p_unclear, ranking)
    return Verdict(ASK, max(evidence.best, probabilities.get(ASK, 0.0)), ranking)


def _says_something(text: str) -> bool:
    """Whether there are at least two Chinese characters: the embedding finds a neighbour for any letters at all."""
    return sum("\u3400" <= char <= "\u9fff" for char in text) > 1


def _is_control(intent: str, p: float, evidence: Evidence, *, text: str, habits: Habits) -> bool:
    if p < CONTROL_AT:
        return False
    small = len(text) <= SMALL_TALK_CHARS
    sure = p >= SURE_AT and small and not evidence.named
    about_fund = evidence.scope == "fund" and evidence.best >= MATCHED_AT
    if about_fund and not sure and evidence.code not in habits.kin.get(intent, ()):
        return False
    if intent == COMPLAINT and evidence.asks_outside >= SURELY_OUTSIDE_AT:
        return False
    if intent in LONG_CONTROL:
        return small or p >= LONG_CONTROL_AT
    return small and not evidence.named and not evidence.cue and not any(word in text for word in habits.own_words)
