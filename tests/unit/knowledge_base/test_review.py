from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

import knowledge_base
from knowledge_base.errors import KnowledgeError
from knowledge_base.loader import load, load_placed
from knowledge_base.review import KINDS, Finding, findings
from tests.unit.knowledge_base.conftest import edit

SHIPPED = Path(knowledge_base.__file__).parent
RENT = "catalogue/national/withdraw-rent.yml"
RENT_GZ = "catalogue/guangzhou/withdraw-rent.yml"
RETIRE = "catalogue/national/withdraw-retire.yml"
RATE = "catalogue/national/loan-rate.yml"
FIGURES = "parameters/national/rent.yml"
TODAY = date(2026, 11, 25)


def reviewed(root: Path, on: date = TODAY) -> list[Finding]:
    catalogue, origins = load_placed(root, centre="guangzhou")
    return findings(catalogue, on=on, origins=origins)


def said(root: Path, kind: str, on: date = TODAY) -> list[str]:
    return [str(finding.place) for finding in reviewed(root, on) if finding.kind == kind]


def test_a_service_that_lacks_an_aspect_is_named_and_advice_is_not(content: Path) -> None:
    found = said(content, "missing-aspect")
    assert f"{RENT_GZ}:6: aspects: 租房提取 has no conditions" in found
    assert not any("has no materials" in line for line in found if "租房提取" in line)
    edit(content / RENT, "topic: 提取-租房", "topic: 提取-租房\nkind: guide")
    assert not any("租房提取" in line for line in said(content, "missing-aspect"))


def test_a_question_without_an_answer_of_this_centre_is_found(content: Path) -> None:
    edit(content / RENT, "    text: 带上本人身份证原件。\n    short: 带上本人身份证原件。\n", "")
    assert said(content, "unanswered") == [
        f"{RENT}:19: aspects.materials: 租房提取要什么材料 has no answer of 广州住房公积金管理中心"
    ]


def test_few_questions_and_none_are_two_kinds(content: Path) -> None:
    edit(content / RETIRE, "    questions:\n      - 退休取的钱几天到卡\n", "    questions: []\n")
    text = (content / RETIRE).read_text(encoding="utf-8")
    (content / RETIRE).write_text(text[: text.index("questions: []") + len("questions: []\n")], encoding="utf-8")
    assert said(content, "no-questions") == [f"{RETIRE}:19: aspects.time_limit: 退休提取多久到账 has no question"]
    assert f"{RETIRE}:9: aspects.overview: 退休了怎么取公积金 has 5" in said(content, "few-questions")


def test_review_dates_that_have_passed_are_found_on_the_day_after(content: Path) -> None:
    edit(content / RENT_GZ, "effective_from: 2024-11-26", "effective_from: 2024-11-26\nreview_on: 2027-06-30")
    assert said(content, "matter-review", date(2027, 6, 30)) == []
    assert said(content, "matter-review", date(2027, 7, 1)) == [
        f"{RENT_GZ}:3: review_on: 租房提取 was due on 2027-06-30"
    ]
    assert said(content, "figure-review", date(2027, 6, 30)) == []
    assert said(content, "figure-review", date(2027, 7, 1)) == [
        f"{FIGURES}:4: rent_limit_month.review_on: 租房提取每人每月限额 was due on 2027-06-30"
    ]


def test_a_figure_that_has_ended_or_not_begun_is_found(content: Path) -> None:
    assert "has no value until 2025-05-08" in said(content, "figure-not-in-force", date(2025, 5, 7))[0]
    assert said(content, "figure-not-in-force", date(2025, 5, 8)) == []
    edit(
        content / FIGURES,
        "from: 2024-11-26, source: {title: 租房",
        "from: 2024-12-26, to: 2025-12-31, source: {title: 租房",
    )
    assert "租房提取每人每月限额 has no value until 2024-12-26" in str(
        said(content, "figure-not-in-force", date(2024, 12, 1))
    )
    assert said(content, "figure-ended", date(2025, 12, 31)) == []
    assert said(content, "figure-ended") == [f"{FIGURES}:1: rent_limit_month: 租房提取每人每月限额 ended on 2025-12-31"]
    assert said(content, "figure-not-in-force") == []


def test_a_figure_no_answer_uses_is_found(content: Path) -> None:
    assert said(content, "figure-unused") == []
    edit(content / RATE, ",家庭最高贷{loan_cap_family}", "")
    assert said(content, "figure-unused") == [f"{FIGURES}:8: loan_cap_family: 两人及以上贷款最高额 stands in no answer"]


def test_weak_sources_and_missing_ones_are_found(content: Path) -> None:
    assert f"{RETIRE}:9: aspects.overview.sources: 退休了怎么取公积金 rests on hearsay" in said(content, "weak-source")
    assert any("names none, so all 1 of the matter are cited" in line for line in said(content, "no-source"))
    edit(content / FIGURES, 'url: "http://example.org/rent", strength: official', "strength: weak")
    assert said(content, "figure-weak") == [
        f"{FIGURES}:1: rent_limit_month: 租房提取每人每月限额 rests on 租房提取新通知"
    ]
    assert said(content, "figure-weak", date(2024, 11, 25)) == []


def test_what_is_not_the_funds_business_needs_no_source(content: Path) -> None:
    assert not [line for kind in ("weak-source", "no-source") for line in said(content, kind) if "outside-" in line]


def test_two_entries_that_answer_alike_are_found_once_with_both_places(content: Path) -> None:
    long = "退休以后账户里的余额连同利息可以全部提出来，账户随之注销"
    edit(content / RETIRE, "能提。退休后可以把余额全部提出来。", f"{long}。")
    edit(content / RETIRE, "三个工作日内办结。\n    short", f"{long}！\n    short")
    assert said(content, "same-answer") == [
        f"{RETIRE}:21: aspects.time_limit.text: "
        f"withdraw-retire/time_limit is 100 % like withdraw-retire/overview at {RETIRE}:11"
    ]


def test_a_question_nearly_claimed_by_two_entries_is_found(content: Path) -> None:
    edit(content / RATE, "首套房利率多少", "我爸爸去年退休了他的公积金要怎么样取出来呢")
    edit(content / RENT, "交房租可以动用公积金不", "我爸爸去年退休了他的公积金要怎么样取出来啊")
    edit(content / RENT, "租房可以提公积金吗", "交房租可以动用公积金不呢一二三四五六七八九")
    edit(content / RENT, "房租能用公积金付吗", "交房租可以动用公积金不呢一二三四五六七八十")
    (found,) = said(content, "same-question")
    assert "is 95 % like" in found
    assert "loan-rate/overview" in found
    assert "withdraw-rent/overview" in found


def test_a_chain_of_branches_that_comes_back_is_an_error_and_no_finding(content: Path) -> None:
    branch = "    branch: {{fact: payer, to: {{employer: {0}, flexible: {0}}}}}\n    related:"
    edit(content / RATE, "    related:", branch.format("q_change"))
    load(content, centre="guangzhou")
    back = "    branch: {fact: payer, to: {employer: overview, flexible: q_change}}\n"
    edit(content / RATE, "    short: 次年", f"{back}    short: 次年")
    with pytest.raises(KnowledgeError, match="q_change leads back to overview"):
        load(content, centre="guangzhou")


def test_findings_come_in_the_order_of_the_kinds_and_need_no_places(content: Path) -> None:
    order = list(KINDS)
    ranks = [order.index(finding.kind) for finding in reviewed(content)]
    assert ranks == sorted(ranks)
    bare = findings(load(content, centre="guangzhou"), on=TODAY)
    assert len(bare) == len(ranks)
    assert {finding.place.file for finding in bare} == {"-"}


def test_the_shipped_content_is_reviewed_in_seconds() -> None:
    began = time.monotonic()
    found = reviewed(SHIPPED)
    assert time.monotonic() - began < 20
    assert not [finding for finding in found if finding.kind in ("figure-ended", "figure-not-in-force")]
