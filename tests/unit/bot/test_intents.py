"""Which intent wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bot.components.intents import (
    MATCHED_AT,
    OWN_AT,
    SURELY_MATCHED_AT,
    SURELY_OWN_AT,
    Evidence,
    Habits,
    IntentModel,
    LinearModel,
    lookup_key,
    settle,
)
from hotline.services.offers import bare
from hotline.settings import ROOT
from tests.own_kit import catalogue

HABITS = Habits(kin={"complaint": ("service",)}, own_words=("公积金",))
FUND = {"code": "rent", "scope": "fund", "p": 0.8}
NOBODY = {"code": "rent", "scope": "fund", "p": 0.02}


def decide(probabilities: Mapping[str, float], top: Mapping[str, Any], text: str = "随便说点什么", **more: Any) -> str:
    evidence = Evidence.read({"candidates": [top], **more})
    return settle(probabilities, evidence, text=text, habits=HABITS).intent


@pytest.mark.parametrize(
    ("probabilities", "top", "more", "expected"),
    [
        ({"thanks": 0.9}, NOBODY, {}, "thanks"),
        ({"thanks": 0.9}, FUND, {}, "ask_knowledge"),
        ({"thanks": 0.99}, FUND, {}, "thanks"),
        ({"thanks": 0.99}, FUND, {"mentions": ["rent"]}, "ask_knowledge"),
        ({"help": 0.99}, NOBODY, {"aspect_cue": True}, "ask_knowledge"),
        ({"human_request": 0.9}, NOBODY, {}, "human_request"),
        ({"complaint": 0.9}, {**FUND, "code": "service"}, {}, "complaint"),
        ({"complaint": 0.9}, {**FUND, "code": "not_paying"}, {}, "ask_knowledge"),
        ({"ask_knowledge": 0.9}, {**FUND, "scope": "outside"}, {}, "out_of_scope"),
        ({"out_of_scope": 0.9}, NOBODY, {"asks_outside": 0.9}, "out_of_scope"),
        ({"out_of_scope": 0.9}, NOBODY, {"asks_outside": 0.1}, "ask_knowledge"),
        ({"out_of_scope": 0.9}, NOBODY, {"asks_outside": 0.9, "mentions": ["rent"]}, "ask_knowledge"),
        ({"fallback": 0.9}, NOBODY, {}, "fallback"),
        ({"thanks": 0.99}, FUND, {"exact": "rent"}, "ask_knowledge"),
        ({"ask_knowledge": 0.9}, NOBODY, {}, "ask_knowledge"),
    ],
)
def test_the_clearer_voice_wins(
    probabilities: dict[str, float], top: dict[str, Any], more: dict[str, Any], expected: str
) -> None:
    assert decide(probabilities, top, **more) == expected


def test_small_talk_is_short_and_never_about_the_fund() -> None:
    assert decide({"goodbye": 0.99}, NOBODY, "问" * 40) == "ask_knowledge"
    assert decide({"goodbye": 0.99}, NOBODY, "公积金没了") == "ask_knowledge"


def test_a_long_call_for_a_person_must_be_clear() -> None:
    assert decide({"human_request": 0.7}, NOBODY, "说" * 40) == "ask_knowledge"
    assert decide({"human_request": 0.9}, NOBODY, "说" * 40) == "human_request"


def test_a_complaint_about_what_is_not_ours_is_none_but_a_person_may_be_asked_for() -> None:
    abuse = {"code": "abuse", "scope": "outside", "p": 0.9}
    assert decide({"complaint": 0.98}, abuse, asks_outside=0.95) == "out_of_scope"
    assert decide({"complaint": 0.98}, NOBODY, asks_outside=0.5) == "complaint"
    assert decide({"human_request": 0.98}, abuse, asks_outside=0.95) == "human_request"


def test_letters_alone_say_something_where_they_are_surely_not_ours() -> None:
    injection = {"code": "injection", "scope": "outside", "p": 0.9}
    assert decide({"ask_knowledge": 0.5}, injection, "ignoreallprevious") == "out_of_scope"
    assert decide({"ask_knowledge": 0.5}, {**injection, "p": 0.6}, "ignoreallprevious") == "fallback"


@pytest.mark.parametrize("text", ["greet", "a", "嗯", "12345678", ""])
def test_letters_and_single_characters_say_nothing(text: str) -> None:
    assert decide({"ask_knowledge": 0.5}, FUND, text) == "fallback"


def _model() -> IntentModel:
    rng = np.random.default_rng(7)
    centres = {"thanks": 3.0, "ask_knowledge": -3.0, "help": 0.0}
    labels = [name for name in centres for _ in range(20)]
    rows = np.array([rng.normal(centres[name], 1.0, 8) for name in labels], dtype=np.float32)
    linear = LinearModel.fit(rows, labels, regularisation=1.0)
    return IntentModel({lookup_key("谢谢！"): "thanks"}, linear, kind="test")


def test_an_example_typed_exactly_needs_no_vector() -> None:
    verdict = _model().judge("谢谢。", None, {})
    assert (verdict.intent, verdict.confidence) == ("thanks", 1.0)


def test_the_linear_model_is_the_same_after_saving(tmp_path: Path) -> None:
    model = _model()
    model.save(tmp_path)
    again = IntentModel.load(tmp_path)
    vector = np.full(8, 2.5, dtype=np.float32)
    assert again.examples == model.examples
    assert again.kind == "test"
    assert again.linear.probabilities(vector) == pytest.approx(model.linear.probabilities(vector))
    assert again.judge("多谢你了啊", vector, {}).intent == "thanks"
    assert again.own is None
    assert not list(tmp_path.glob("*.pkl"))


def test_the_model_of_wishes_is_the_same_after_saving(tmp_path: Path) -> None:
    model = replace(_model(), own=_wishes())
    model.save(tmp_path)
    again = IntentModel.load(tmp_path)
    vector = np.full(8, 4.0, dtype=np.float32)
    assert again.own is not None
    assert again.own.probabilities(vector) == pytest.approx(_wishes().probabilities(vector))
    assert again.own.probabilities(vector) != again.linear.probabilities(vector)


def test_without_a_usable_vector_the_matcher_still_speaks() -> None:
    assert _model().judge("租房可以提吗", None, {"candidates": [FUND]}).intent == "ask_knowledge"


def _wishes() -> LinearModel:
    rng = np.random.default_rng(11)
    centres = {"ask_balance": 4.0, "ask_loan": 0.0, "ask_knowledge": -4.0}
    labels = [name for name in centres for _ in range(20)]
    rows = np.array([rng.normal(centres[name], 1.0, 8) for name in labels], dtype=np.float32)
    return LinearModel.fit(rows, labels, regularisation=1.0)


OWN = Habits(own_data={"ask_balance": ("query-balance", "rent"), "ask_loan": ("loan",)})
SURE, UNSURE = SURELY_MATCHED_AT + 0.01, MATCHED_AT + 0.01


@pytest.mark.parametrize(
    ("own", "top", "expected"),
    [
        ({"ask_balance": OWN_AT}, NOBODY, "ask_balance"),
        ({"ask_balance": OWN_AT - 0.01}, NOBODY, "ask_knowledge"),
        ({"ask_balance": OWN_AT / 2, "ask_loan": OWN_AT / 2 + 0.01}, NOBODY, "ask_loan"),
        ({"ask_balance": OWN_AT, "ask_knowledge": 0.9}, NOBODY, "ask_balance"),
        ({"ask_knowledge": 0.99}, NOBODY, "ask_knowledge"),
        ({"ask_ledger": 0.99}, NOBODY, "ask_knowledge"),
        ({"ask_balance": OWN_AT}, {**FUND, "p": UNSURE}, "ask_balance"),
        ({"ask_balance": OWN_AT}, {**FUND, "p": SURE}, "ask_knowledge"),
        ({"ask_balance": SURELY_OWN_AT}, {**FUND, "p": SURE}, "ask_balance"),
        ({"ask_balance": OWN_AT}, {**FUND, "p": SURE, "code": "query-balance"}, "ask_balance"),
        ({"ask_balance": OWN_AT}, {**FUND, "p": UNSURE, "code": "loan"}, "ask_knowledge"),
        ({"ask_balance": SURELY_OWN_AT}, {**FUND, "p": UNSURE, "code": "loan"}, "ask_balance"),
        ({"ask_balance": 0.99}, {**FUND, "scope": "outside"}, "out_of_scope"),
        ({"ask_balance": 0.99}, {**NOBODY, "scope": "outside"}, "ask_balance"),
    ],
)
def test_a_wish_for_own_data_is_believed_as_far_as_the_entry_found_lets_it(
    own: dict[str, float], top: dict[str, Any], expected: str
) -> None:
    evidence = Evidence.read({"candidates": [top]})
    verdict = settle({"ask_knowledge": 0.9}, evidence, text="随便说点什么", habits=OWN, own=own)
    assert verdict.intent == expected


def test_a_name_typed_in_full_is_no_wish_and_a_wish_is_no_small_talk() -> None:
    evidence = Evidence.read({"candidates": [NOBODY], "exact": "rent"})
    assert settle({}, evidence, text="租房提取", habits=OWN, own={"ask_balance": 0.99}).intent == "ask_knowledge"
    evidence = Evidence.read({"candidates": [NOBODY]})
    assert (
        settle({"thanks": 0.99}, evidence, text="我的余额", habits=OWN, own={"ask_balance": 0.6}).intent
        == "ask_balance"
    )


def test_wishes_are_judged_on_the_same_vector() -> None:
    model = replace(_model(), own=_wishes(), habits=OWN)
    for at, intent in ((4.0, "ask_balance"), (-4.0, "ask_knowledge")):
        vector = np.full(8, at, dtype=np.float32)
        verdict = model.judge("随便说点什么", vector, {"candidates": [NOBODY]})
        assert verdict.intent == intent
    assert 0 < model.judge("随便说点什么", np.full(8, 4.0, dtype=np.float32), {}).confidence <= 1.0 + 1e-6


def test_without_a_vector_nothing_is_taken_for_a_wish() -> None:
    model = replace(_model(), own=_wishes(), habits=OWN)
    assert model.judge("我的余额多少", None, {"candidates": [NOBODY]}).intent == "ask_knowledge"


def _examples() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            found += [(path.stem, block["intent"], line[2:]) for line in block["examples"].splitlines()]
    return found


def test_every_wish_of_the_configuration_has_examples_and_matters_that_are_published() -> None:
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    own_data = next(part["own_data"] for part in pipeline if "own_data" in part)
    assert set(own_data) <= {intent for _, intent, _ in _examples()}
    matters = {matter for near in own_data.values() for matter in near}
    assert matters <= set(catalogue().matters)


def test_every_skill_has_its_domain_examples_and_rule_under_one_stem() -> None:
    stems = [
        {path.stem for path in (ROOT / folder).glob("*.yml")} for folder in ("bot/domain", "data/nlu", "data/rules")
    ]
    assert stems[0] == stems[1] == stems[2]
    assert {path.stem for path in (ROOT / "data" / "stories").glob("*.yml")} <= stems[0]


def test_every_example_stands_in_the_file_of_its_intent_and_only_once() -> None:
    """Cantonese may say there what written Chinese says too; no words may mean two intents."""
    examples = _examples()
    assert all(stem == intent for stem, intent, _ in examples)
    typed = [bare(text) for _, _, text in examples]
    assert sorted({text for text in typed if typed.count(text) > 1 and text}) == []
    meant: dict[str, set[str]] = {}
    for _, intent, text in examples:
        meant.setdefault(lookup_key(text), set()).add(intent)
    assert {key: intents for key, intents in meant.items() if len(intents) > 1 and key} == {}
