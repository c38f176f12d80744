from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from hotline.settings import ROOT
from tests.load import baseline
from tests.load.accuracy import topics_of
from tests.load.baseline import Project, control_examples, intent_of, project, trained
from tests.unit.load.catalogue import catalogue, matter, whole_catalogue

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 23)
CONTROLS = {"greet": ["你好"], "thanks": ["谢谢"], "goodbye": ["再见"]}


def read(made: Project, name: str) -> Any:
    return yaml.safe_load(made.files[name])


@pytest.fixture
def small() -> Project:
    return project(catalogue(), CONTROLS, on=TODAY)


@pytest.fixture(scope="module")
def whole() -> Project:
    return project(whole_catalogue(), control_examples(ROOT / "data" / "nlu"), on=TODAY)


def test_every_matter_is_an_intent_with_all_its_questions(small: Project) -> None:
    examples = {block["intent"]: block["examples"] for block in read(small, "data/nlu.yml")["nlu"]}
    assert examples["matter_withdraw_rent"].splitlines() == [
        "- 租房能取吗", "- 在外租房住能不能提", "- 租房一个月能取多少",
    ]  # fmt: skip
    assert set(examples) == {*small.matters, *CONTROLS}


def test_every_intent_has_a_rule_to_an_answer_that_exists(whole: Project) -> None:
    domain = read(whole, "domain.yml")
    rules = read(whole, "data/rules.yml")["rules"]
    for rule in rules:
        (asked, done) = rule["steps"]
        assert done["action"] in domain["responses"]
        assert domain["responses"][done["action"]][0]["text"].strip()
        assert asked["intent"] in {*domain["intents"], baseline.FALLBACK_INTENT}
    assert {rule["steps"][0]["intent"] for rule in rules} == {*domain["intents"], baseline.FALLBACK_INTENT}


def test_stories_only_use_what_the_domain_knows(whole: Project) -> None:
    domain = read(whole, "domain.yml")
    for story in read(whole, "data/stories.yml")["stories"]:
        for step in story["steps"]:
            assert step.get("intent") in [None, *domain["intents"]]
            assert step.get("action") in [None, *domain["responses"]]


def test_no_text_is_read_as_an_annotation_or_a_slot(whole: Project) -> None:
    for block in read(whole, "data/nlu.yml")["nlu"]:
        assert not set("[](){}") & set(block["examples"])
    for (variant,) in read(whole, "domain.yml")["responses"].values():
        assert not set("{}") & set(variant["text"])


def test_the_pipeline_is_the_stock_one_with_the_chinese_tokenizer(small: Project) -> None:
    config = read(small, "config.yml")
    parts = [part["name"] for part in config["pipeline"]]
    assert parts[0] == "JiebaTokenizer"
    assert parts.count("CountVectorsFeaturizer") == 2
    assert config["pipeline"][parts.index("DIETClassifier")]["epochs"] == 100
    assert [part["name"] for part in config["policies"]] == ["MemoizationPolicy", "RulePolicy", "TEDPolicy"]


def test_our_own_control_intents_are_taken_over_but_not_the_one_for_all_matters() -> None:
    found = control_examples(ROOT / "data" / "nlu")
    assert {"greet", "human_request", "thanks"} <= set(found)
    assert not (baseline.OURS_ALONE | baseline.wishes()) & set(found)
    assert {"ask_balance", "apply", "unbind"} <= baseline.wishes()
    assert "转人工" in found["human_request"]


def test_every_control_intent_has_something_to_say() -> None:
    words = yaml.safe_load(baseline.TEXTS.read_text(encoding="utf-8"))["responses"]
    assert set(control_examples(ROOT / "data" / "nlu")) <= set(words)


def test_the_fingerprint_follows_the_content(small: Project) -> None:
    assert project(catalogue(), CONTROLS, on=TODAY).fingerprint == small.fingerprint
    assert project(catalogue(), {**CONTROLS, "greet": ["您好"]}, on=TODAY).fingerprint != small.fingerprint


def test_an_answer_of_which_a_figure_is_not_in_force_gives_the_matters_name() -> None:
    ended = matter("loan-old", "贷款-流程", {"overview": ["旧政策还能办吗"]})
    object.__setattr__(ended, "effective_to", date(2020, 1, 1))
    base = catalogue()
    object.__setattr__(base, "matters", {**base.matters, ended.code: ended})
    said = read(project(base, CONTROLS, on=TODAY), "domain.yml")["responses"]
    assert said["utter_matter_loan_old"] == [{"text": "事项loan-old"}]


async def test_an_unchanged_project_is_not_trained_again(small: Project, tmp_path: Path) -> None:
    place = tmp_path / small.fingerprint[:16]
    place.mkdir()
    (place / "trained.json").write_text(json.dumps({"seconds": 321.5, "trained_at": "2026-11-23T16:00:00+00:00"}))
    found = await trained(small, tmp_path, again=False)
    assert (found.seconds, found.fresh) == (321.5, False)
    assert found.model == place / "models" / "baseline.tar.gz"


def test_ranked_intents_give_topics_without_the_fallback() -> None:
    ranking = ["nlu_fallback", intent_of("loan-rate"), "greet", intent_of("withdraw-rent")]
    made = project(catalogue(), CONTROLS, on=TODAY)
    assert topics_of(ranking, catalogue(), made.matters) == ("贷款-利率", "", "提取-租房")
