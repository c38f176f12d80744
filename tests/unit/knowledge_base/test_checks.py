"""Branches, doubles and what a centre has not answered, in the files an editor writes."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from knowledge_base.errors import KnowledgeError
from knowledge_base.loader import load
from knowledge_base.model import Branch
from knowledge_base.render import render
from tests.unit.knowledge_base.conftest import edit

RENT = "catalogue/national/withdraw-rent.yml"
RENT_GZ = "catalogue/guangzhou/withdraw-rent.yml"
RATE = "catalogue/national/loan-rate.yml"
FIGURES = "parameters/national/rent.yml"
FOSHAN = """\
code: foshan
name: 佛山住房公积金管理中心
city: 佛山
sms_signature: 【佛山公积金】
hotline: "12329"
here: [佛山, 南海]
"""


def said(root: Path, centre: str = "guangzhou") -> list[str]:
    """The problems of the content, one line each; none where it can be loaded."""
    try:
        load(root, centre=centre)
    except KnowledgeError as error:
        return str(error).splitlines()
    return []


def branch(content: Path, written: str, *, aspect: str = "materials") -> None:
    """Gives an aspect of the national rent entry a branch, on the line below its title."""
    title = {"materials": "租房提取要什么材料", "overview": "租房能不能提取公积金"}[aspect]
    edit(content / RENT, f"    title: {title}\n", f"    title: {title}\n    branch: {written}\n")


def test_a_branch_is_read_with_its_fact_and_where_it_leads(content: Path) -> None:
    branch(content, "{fact: payer, to: {employer: materials, flexible: overview}}")
    aspects = load(content, centre="guangzhou").matters["withdraw-rent"].aspects
    assert aspects["materials"].branch == Branch(fact="payer", to={"employer": "materials", "flexible": "overview"})
    assert aspects["overview"].branch is None


@pytest.mark.parametrize(
    ("written", "where", "message"),
    [
        ("{fact: payer, to: {employer: overview, nobody: amount}}", "branch.to.nobody", "is no value of payer"),
        ("{fact: payer, to: {employer: overview, flexible: fee}}", "branch.to.flexible", "fee is not an aspect"),
        ("{fact: weather, to: {sun: overview, rain: amount}}", "branch.fact", "'weather' is not one of"),
        ("{fact: payer, to: {employer: overview}}", "branch.to", ""),
        ("{fact: payer}", "branch.to", "is missing"),
        ("{to: {employer: overview, flexible: amount}}", "branch.fact", "is missing"),
        ("{fact: payer, to: {employer: overview, flexible: amount}, else: fee}", "branch.else", "not a known field"),
    ],
)
def test_a_branch_that_leads_nowhere_is_reported_with_its_line(
    content: Path, written: str, where: str, message: str
) -> None:
    branch(content, written)
    found = said(content)
    assert any(line.startswith(f"{RENT}:21: aspects.materials.{where}") and message in line for line in found), found


def test_a_branch_may_name_its_own_aspect_but_not_come_back_over_others(content: Path) -> None:
    branch(content, "{fact: payer, to: {employer: materials, flexible: overview}}")
    assert said(content) == []
    branch(content, "{fact: hukou, to: {local: amount, outside: amount}}", aspect="overview")
    assert said(content) == []
    edit(
        content / RENT_GZ,
        "    title: 租房每个月能提多少\n",
        "    title: 租房每个月能提多少\n    branch: {fact: home_count, to: {first: materials, second: amount}}\n",
    )
    found = said(content)
    assert any("aspects.materials.branch.to.flexible: overview leads back to materials" in line for line in found)
    assert any("aspects.overview.branch.to.local: amount leads back to overview" in line for line in found)
    assert any("aspects.amount.branch.to.first: materials leads back to amount" in line for line in found)


def test_a_code_stands_in_one_file_only(content: Path) -> None:
    shutil.copy(content / RATE, content / "catalogue/national/loan-rate-again.yml")
    found = said(content)
    assert found == ["catalogue/national/loan-rate-again.yml:1: code: differs from the file's name, loan-rate-again"]


def test_an_entry_copied_under_another_code_is_reported_thing_by_thing(content: Path) -> None:
    copy = content / "catalogue/national/loan-rate-again.yml"
    copy.write_text((content / RATE).read_text(encoding="utf-8").replace("loan-rate", "loan-rate-again"), "utf-8")
    found = said(content)
    assert any("name: 贷款利率 stands already at catalogue/national/loan-rate" in line for line in found)
    assert any("title" in line and "stands already" in line for line in found)
    assert any("questions[0]" in line and "stands already" in line for line in found)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (", source: {title: 利率通知, issued_on: 2025-05-08, strength: official}", "", "source: is missing"),
        ("source: {title: 利率通知, issued_on: 2025-05-08, strength: official}", "source: {}", "title: is missing"),
        ("source: {title: 利率通知,", 'source: {title: "",', "source.title"),
    ],
)
def test_a_figure_without_a_source_is_refused(content: Path, before: str, after: str, message: str) -> None:
    edit(content / FIGURES, before, after)
    found = said(content)
    assert len(found) == 1
    assert found[0].startswith(f"{FIGURES}:17: loan_rate_first_long.values[0]")
    assert message in found[0]


def test_a_figure_of_the_centres_own_takes_the_national_ones_place(content: Path) -> None:
    own = content / "parameters" / "guangzhou"
    own.mkdir()
    text = (content / FIGURES).read_text(encoding="utf-8")
    (own / "rent.yml").write_text(text[: text.index("loan_cap_family")].replace('"2000"', '"2500"'), "utf-8")
    catalogue = load(content, centre="guangzhou")
    assert "2500元" in render(catalogue, "withdraw-rent", "amount", channel="voice", on=date(2026, 1, 1)).text
    assert catalogue.parameters["loan_cap_family"].values[0].value == "1600000"


def test_another_centres_figures_and_entries_are_not_this_ones(content: Path) -> None:
    (content / "centres/foshan.yml").write_text(FOSHAN, encoding="utf-8")
    own = content / "parameters" / "foshan"
    own.mkdir()
    figures = (content / FIGURES).read_text(encoding="utf-8").replace('"2000"', '"900"')
    (own / "rent.yml").write_text(figures, encoding="utf-8")
    foshan, guangzhou = (load(content, centre=code) for code in ("foshan", "guangzhou"))
    assert "amount" not in foshan.matters["withdraw-rent"].aspects
    assert "交房租" not in foshan.matters["withdraw-rent"].aliases
    assert foshan.parameters["rent_limit_month"].values[1].value == "900"
    assert guangzhou.parameters["rent_limit_month"].values[1].value == "2000"
    assert foshan.centre.here == ("佛山", "南海")


def test_what_only_another_centre_answers_is_asked_and_left_open(content: Path) -> None:
    """The national base asks, Guangzhou answers, Foshan has not yet."""
    (content / "centres/foshan.yml").write_text(FOSHAN, encoding="utf-8")
    answer = "    text: 带上本人身份证原件。\n    short: 带上本人身份证原件。\n"
    edit(content / RENT, answer, "")
    edit(content / RENT_GZ, "aspects:\n", f"aspects:\n  materials:\n{answer}")
    for centre, answered in (("guangzhou", True), ("foshan", False)):
        materials = load(content, centre=centre).matters["withdraw-rent"].aspects["materials"]
        assert materials.answered is answered
        assert materials.title == "租房提取要什么材料"
        assert "提房租的钱要带啥证件" in materials.questions


@pytest.mark.parametrize(
    ("line", "missing"),
    [("    short: 带上本人身份证原件。\n", "short"), ("    text: 带上本人身份证原件。\n", "text")],
)
def test_half_an_answer_is_no_answer(content: Path, line: str, missing: str) -> None:
    edit(content / RENT, line, "")
    assert [entry for entry in said(content) if "is missing" in entry] == [
        f"{RENT}:19: aspects.materials.{missing}: is missing"
    ]


def test_everyday_words_may_hold_figures_and_are_checked(content: Path) -> None:
    edit(content / RENT_GZ, "    text: 每人每月", "    plain: 每月最多拿{rent_limit_month}\n    text: 每人每月")
    assert said(content) == []
    edit(content / RENT_GZ, "最多拿{rent_limit_month}", "最多拿{rent_limit_year}")
    assert any("aspects.amount.plain: {rent_limit_year} is not a known figure" in line for line in said(content))


def test_here_and_kind_are_read(content: Path) -> None:
    edit(content / RENT, "topic: 提取-租房", "topic: 提取-租房\nkind: guide")
    catalogue = load(content, centre="guangzhou")
    assert catalogue.centre.here == ("广州", "天河")
    assert catalogue.matters["withdraw-rent"].kind == "guide"
    assert catalogue.matters["loan-rate"].kind == "service"
    edit(content / RENT, "kind: guide", "kind: advice")
    assert any(line.startswith(f"{RENT}:4: kind: 'advice' is not one of") for line in said(content))
