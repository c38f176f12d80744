"""Which intent wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bot.components.intents import Evidence, Habits, IntentModel, LinearModel, lookup_key, settle
from hotline.services.offers import bare
from hotline.settings import ROOT

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
    return IntentModel({lookup_key("谢谢！"): "thanks"}, LinearModel.fit(rows, labels, regularisation=1.0), "test")


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
    assert not list(tmp_path.glob("*.pkl"))


def test_without_a_usable_vector_the_matcher_still_speaks() -> None:
    assert _model().judge("租房可以提吗", None, {"candidates": [FUND]}).intent == "ask_knowledge"


def _examples() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            found += [(path.stem, block["intent"], line[2:]) for line in block["examples"].splitlines()]
    return found


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
