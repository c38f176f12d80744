"""The conditions that ship, their form, and what an editor's slip looks like."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hotline.services.eligibility import predicates
from hotline.services.eligibility.words import wording
from knowledge_base import snapshot
from knowledge_base.eligibility import PREDICATES, QUESTIONS
from knowledge_base.errors import KnowledgeError
from knowledge_base.loader import load
from knowledge_base.model import Catalogue

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "knowledge"
RULES = """\
code: withdraw-rent
conditions:
  renting:
    text: 现在租房居住
    check: said_yes
    with: {question: renting}
    unmet: 每月最多{rent_limit_month}。
    source: regulation
"""


@pytest.fixture
def content(tmp_path: Path) -> Path:
    root = Path(shutil.copytree(FIXTURES, tmp_path / "content"))
    (root / "eligibility" / "national").mkdir(parents=True)
    return root


def found(root: Path, text: str, name: str = "withdraw-rent") -> list[str]:
    (root / "eligibility" / "national" / f"{name}.yml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load(root, centre="guangzhou")
    return [str(problem) for problem in caught.value.problems]


def test_every_declared_check_is_written_and_every_written_one_declared() -> None:
    assert predicates.REGISTRY.keys() == PREDICATES.keys()
    assert predicates.OWN_RULES <= PREDICATES.keys()


def test_every_question_and_every_choice_of_answer_is_worded() -> None:
    assert wording()["ask"].keys() == QUESTIONS.keys()
    assert wording()["answers"].keys() == {value for values in QUESTIONS.values() for value in values}


def test_every_sentence_about_what_was_found_is_used_and_worded() -> None:
    source = inspect.getsource(predicates)
    named = {name for name in re.findall(r'"([a-z_]+)"', source) if name in wording()["found"]}
    assert named == wording()["found"].keys()


def test_guangzhou_has_conditions_for_the_matters_that_are_asked_about(guangzhou: Catalogue) -> None:
    matters = {"withdraw-rent", "withdraw-retire", "withdraw-leave", "withdraw-repay-loan", "withdraw-purchase"}
    assert guangzhou.eligibility.keys() == matters | {"loan-conditions", "loan-prepay", "transfer-other-city"}
    assert {rules.centre for rules in guangzhou.eligibility.values()} == {"guangzhou"}


def test_every_check_is_used_by_some_condition(guangzhou: Catalogue, wuhu: Catalogue) -> None:
    conditions = [each for one in (guangzhou, wuhu) for rules in one.eligibility.values() for each in rules.conditions]
    assert {each.check for each in conditions} == PREDICATES.keys()


def test_a_centre_replaces_a_condition_and_adds_its_own(guangzhou: Catalogue, wuhu: Catalogue) -> None:
    ours = {each.id: each for each in guangzhou.eligibility["withdraw-leave"].conditions}
    national = {each.id: each for each in wuhu.eligibility["withdraw-leave"].conditions}
    assert ours["sealed"].check == "sealed_months_at_least"
    assert national["sealed"].check == "account_state"
    assert ours.keys() - national.keys() == {"household", "left_job"}
    assert ours["not_frozen"] == national["not_frozen"]


def test_conditions_travel_as_json_and_name_the_version(guangzhou: Catalogue) -> None:
    back = snapshot.catalogue(json.loads(json.dumps(snapshot.to_json(guangzhou), ensure_ascii=False)))
    assert back.eligibility == guangzhou.eligibility
    without = snapshot.to_json(guangzhou)
    del without["eligibility"]  # a version published before there were any
    assert snapshot.catalogue(without) == replace(guangzhou, eligibility={})


def test_a_content_without_conditions_loads(content: Path) -> None:
    assert load(content, centre="guangzhou").eligibility == {}


def test_an_edit_to_a_condition_is_another_version(content: Path) -> None:
    from knowledge_base.index import version_of

    file = content / "eligibility" / "national" / "withdraw-rent.yml"
    file.write_text(RULES, encoding="utf-8")
    first = version_of(load(content, centre="guangzhou"), kind="use")
    file.write_text(RULES.replace("现在租房居住", "现在在租房"), encoding="utf-8")
    assert version_of(load(content, centre="guangzhou"), kind="use") != first


@pytest.mark.parametrize(
    ("before", "after", "line", "what"),
    [
        ("said_yes", "say_yes", 5, "say_yes is not a known check"),
        ("{question: renting}", "{question: rent}", 6, "rent is not a known question"),
        ("{question: renting}", "{months: rent_limit_month}", 6, "months: is no argument of said_yes"),
        ("    with: {question: renting}\n", "", 3, "with.question: is missing"),
        ("said_yes\n    with: {question: renting}", "sealed_months_at_least\n    with: {months: no_such}", 6, "figure"),
        ("said_yes\n    with: {question: renting}", "account_state\n    with: {state: open}", 6, "state"),
        ("said_yes\n    with: {question: renting}", "house_place_allowed\n    with: {neighbours: 佛山}", 6, "cities"),
        ("{rent_limit_month}", "{rent_max}", 7, "{rent_max} is not a known figure"),
        ("source: regulation", "source: nowhere", 8, "nowhere is not a source of this matter"),
        ("source: regulation", "source: regulation\n    only_if: {renting: maybe}", 9, "renting=maybe"),
        ("source: regulation", "sauce: regulation", 8, "is not a known field"),
        ("    source: regulation\n", "", 3, "source: is missing"),
        ("code: withdraw-rent", "code: withdraw-rents", 1, "differs from the file's name"),
        ("conditions:", "effective_from: 2026-02-30\nconditions:", 1, "date that does not exist"),
        (
            "conditions:",
            "effective_from: 2026-02-03\neffective_to: 2026-02-01\nconditions:",
            3,
            "before effective_from",
        ),
    ],
)
def test_a_slip_is_reported_with_file_and_line(content: Path, *, before: str, after: str, line: int, what: str) -> None:
    assert before in RULES
    problems = found(content, RULES.replace(before, after, 1))
    start = f"eligibility/national/withdraw-rent.yml:{line}:"
    assert any(problem.startswith(start) and what in problem for problem in problems), problems


def test_conditions_of_an_unknown_matter_are_reported(content: Path) -> None:
    problems = found(content, RULES.replace("withdraw-rent", "withdraw-moon"), name="withdraw-moon")
    assert any("withdraw-moon is not a matter of this centre" in problem for problem in problems), problems
