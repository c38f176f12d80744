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
OWN_AT = 0.30
"""From this probability on a wish for one's own data or business is believed, where the entry found is near to it."""
SURELY_OWN_AT = 0.80
"""The same against an entry that has nothing to do with it, or one that is surely meant and answers by itself."""
SURELY_MATCHED_AT = 0.90
"""From this probability on an entry is surely meant."""
LOOK_UP = "query-"
"""How the codes of matters begin that tell how to look up what a wish for own data looks up at once."""
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

    def save(self, folder: Path, name: str) -> None:
        np.savez(folder / f"{name}.npz", mean=self.scaling.mean, weights=self.linear.weights, bias=self.linear.bias)
        facts = {"classes": self.linear.classes, "deviation": self.scaling.deviation}
        (folder / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, name: str) -> LinearModel:
        facts = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            scaling = Scaling(arrays["mean"], facts["deviation"])
            return cls(scaling, Linear(tuple(facts["classes"]), arrays["weights"], arrays["bias"]))


@dataclass(frozen=True, slots=True)
class Habits:
    """What the project tells the classifier in config.yml.

    ``kin`` names the matters that mean the same as a control intent, so that they do not speak against it;
    ``own_words`` are words of the fund that small talk never contains. ``own_data`` names the intents that ask for
    the citizen's own data or business, and the matters whose policy answers are near to each.
    """

    kin: Mapping[str, Sequence[str]] = field(default_factory=dict)
    own_words: Sequence[str] = ()
    own_data: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntentModel:
    """Everything the classifier learnt. ``kind`` names the embedding the linear models were fitted on.

    ``linear`` tells all intents apart but wishes for one's own data; ``own`` tells these from everything else, policy
    questions above all (None: the project has none).
    """

    examples: Mapping[str, str]
    linear: LinearModel
    own: LinearModel | None = None
    kind: str = ""
    habits: Habits = field(default_factory=Habits)

    def judge(self, text: str, vector: Array | None, knowledge: Mapping[str, Any]) -> Verdict:
        """The intent of ``text``. ``vector`` None: no usable embedding, only examples and matcher speak."""
        key = lookup_key(text)
        exact = self.examples.get(key)
        if exact is not None:
            return Verdict(exact, 1.0, ((exact, 1.0),))
        evidence = Evidence.read(knowledge)
        if vector is None:
            return settle({ASK: 1.0}, evidence, text=key, habits=self.habits)
        own = self.own.probabilities(vector) if self.own else {}
        return settle(self.linear.probabilities(vector), evidence, text=key, habits=self.habits, own=own)

    def save(self, folder: Path) -> None:
        facts = {"kind": self.kind, "examples": dict(self.examples)}
        (folder / "examples.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        self.linear.save(folder, "linear")
        if self.own:
            self.own.save(folder, "own")

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        facts = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
        own = LinearModel.load(folder, "own") if (folder / "own.json").exists() else None
        return cls(facts["examples"], LinearModel.load(folder, "linear"), own, facts["kind"])


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
    probabilities: Mapping[str, float],
    evidence: Evidence,
    *,
    text: str,
    habits: Habits | None = None,
    own: Mapping[str, float] | None = None,
) -> Verdict:
    """A wish for one's own data wins where it is clear, then a control intent, then the matcher, then the linear model
    among the rest.

    ``text`` is the message's lookup key; ``own`` are the probabilities of wishes for own data (and of all else).
    """
    habits, length = habits or Habits(), len(text)
    ranking = tuple(sorted(probabilities.items(), key=lambda item: -item[1]))
    matched = OUTSIDE if evidence.scope == "outside" else ASK
    if evidence.exact:
        return Verdict(matched, 1.0, ranking)
    wish = _wish(own or {}, evidence, habits=habits)
    if wish is not None:
        return Verdict(*wish, ranking)
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


def _wish(own: Mapping[str, float], evidence: Evidence, *, habits: Habits) -> tuple[str, float] | None:
    """The likeliest wish for own data, where wishes together are likelier than the entry found lets pass."""
    wishes = {intent: p for intent, p in own.items() if intent in habits.own_data}
    if not wishes or (evidence.scope == "outside" and evidence.best >= MATCHED_AT):
        return None
    intent = max(wishes, key=lambda each: wishes[each])
    is_near = evidence.best < MATCHED_AT or _is_near(evidence, habits.own_data[intent])
    together = sum(wishes.values())
    return (intent, together) if together >= (OWN_AT if is_near else SURELY_OWN_AT) else None


def _is_near(evidence: Evidence, matters: Sequence[str]) -> bool:
    """Whether the entry found leaves the wish open: one that tells how to look it up, or a near one that is unsure."""
    unsure = evidence.best < SURELY_MATCHED_AT or evidence.code.startswith(LOOK_UP)
    return evidence.code in matters and unsure


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
