from __future__ import annotations

from datetime import date

import pytest
import yaml

from tests.measure.diet import Diet, Wish, project, ranking, smaller
from tests.measure.systems import Ranking
from tests.unit.load.catalogue import catalogue as small

MATTERS = {"matter_withdraw_rent": "withdraw-rent", "matter_outside_tax": "outside-tax"}


def test_every_entry_keeps_its_first_phrasings() -> None:
    found = smaller(small(), 1).matters["withdraw-rent"].aspects
    assert {key: aspect.questions for key, aspect in found.items()} == {
        "overview": ("租房能取吗",),
        "amount": ("租房一个月能取多少",),
    }


def test_the_project_is_the_stock_one_with_fewer_phrasings_and_epochs_and_without_ted() -> None:
    made = project(small(), Wish(phrasings=1, epochs=7), on=date(2026, 11, 25))
    config = yaml.safe_load(made.files["config.yml"])
    (classifier,) = [part for part in config["pipeline"] if part["name"] == "DIETClassifier"]
    assert classifier["epochs"] == 7
    assert [part["name"] for part in config["policies"]] == ["MemoizationPolicy", "RulePolicy"]
    examples = {block["intent"]: block["examples"] for block in yaml.safe_load(made.files["data/nlu.yml"])["nlu"]}
    assert "在外租房住能不能提" not in examples["matter_withdraw_rent"]


def test_another_wish_is_another_model() -> None:
    made = {
        project(small(), Wish(phrasings=n, epochs=e), on=date(2026, 11, 25)).fingerprint
        for n, e in ((1, 7), (2, 7), (1, 8))
    }
    assert len(made) == 3


@pytest.mark.parametrize(
    ("intents", "matters", "rejected"),
    [
        (["matter_withdraw_rent", "matter_outside_tax"], ("withdraw-rent", "outside-tax"), False),
        (["matter_outside_tax"], ("outside-tax",), True),
        (["nlu_fallback", "matter_withdraw_rent"], ("withdraw-rent",), True),
        (["greet", "matter_withdraw_rent"], ("intent greet", "withdraw-rent"), False),
        ([], (), False),
    ],
)
def test_intents_are_ranked_as_matters(intents: list[str], matters: tuple[str, ...], rejected: bool) -> None:
    assert ranking(intents, MATTERS, small()) == Ranking(entries=(), matters=matters, rejected=rejected)


def test_it_answers_for_the_texts_it_was_asked_together() -> None:
    known = Ranking(entries=(), matters=("withdraw-rent",), rejected=False)
    assert Diet({"租房": known}).rank(["租房", "租房"]) == [known, known]
    assert "4 phrasings an entry at most, 30 epochs" in Wish(phrasings=4, epochs=30).note
