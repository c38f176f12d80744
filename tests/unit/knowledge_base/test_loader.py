from __future__ import annotations

from pathlib import Path

import pytest

from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.loader import load
from knowledge_base.model import Catalogue
from tests.unit.knowledge_base.conftest import edit

RENT = "catalogue/national/withdraw-rent.yml"
RENT_GZ = "catalogue/guangzhou/withdraw-rent.yml"
RETIRE = "catalogue/national/withdraw-retire.yml"
RATE = "catalogue/national/loan-rate.yml"
OUTSIDE = "catalogue/national/outside-social-insurance.yml"
FIGURES = "parameters/national/rent.yml"


def problems(root: Path, centre: str = "guangzhou") -> tuple[Problem, ...]:
    with pytest.raises(KnowledgeError) as caught:
        load(root, centre=centre)
    return caught.value.problems


def test_the_centres_entry_is_laid_over_the_national_one(catalogue: Catalogue) -> None:
    rent = catalogue.matters["withdraw-rent"]
    assert rent.centre == "guangzhou"
    assert rent.name == "租房提取"
    assert rent.aliases == ("租房取公积金", "房租提取", "交房租")
    assert list(rent.aspects) == ["overview", "materials", "amount"]
    overview = rent.aspects["overview"]
    assert "{rent_limit_month}" in overview.text
    assert overview.title == "租房能不能提取公积金"
    assert len(overview.questions) == 6
    assert set(rent.sources) == {"regulation", "gz"}


def test_entries_the_centre_does_not_touch_stay_national(catalogue: Catalogue) -> None:
    assert catalogue.matters["withdraw-retire"].centre == "national"
    assert catalogue.matters["outside-social-insurance"].scope == "outside"


def test_a_decimal_keeps_its_zeros(catalogue: Catalogue) -> None:
    assert catalogue.parameters["loan_rate_first_long"].values[0].value == "2.60"


@pytest.mark.parametrize(
    ("file", "before", "after", "where", "said"),
    [
        (RENT, "code: withdraw-rent", "code: withdraw-rents", f"{RENT}:1: code", "differs from the file's name"),
        (RENT, "topic: 提取-租房", "topic: 租房", f"{RENT}:3: topic", "not one of the topics"),
        (RENT, "popularity: 90", "popularity: 900", f"{RENT}:5: popularity", "900 is greater than the maximum"),
        (RENT, "popularity: 90", "popularty: 90", f"{RENT}:5: popularty", "is not a known field"),
        (RENT, "popularity: 90", "popularity: 90\npopularity: 91", f"{RENT}:6: popularity", "given twice"),
        (RENT, "  materials:", "  papers:", f"{RENT}:19: aspects.papers", "is not a known aspect"),
        (
            RENT,
            "strength: official",
            "strength: sure",
            f"{RENT}:7: sources.regulation.strength",
            "'sure' is not one of",
        ),
        (OUTSIDE, "scope: outside", "scope: far", f"{OUTSIDE}:4: scope", "'far' is not one of"),
        (
            RENT_GZ,
            "sources: [gz, regulation]",
            "sources: [gz, law]",
            f"{RENT_GZ}:10: aspects.overview.sources[1]",
            "law",
        ),
        (
            RENT_GZ,
            "最多提{rent_limit_month},",
            "最多提{rent_max},",
            f"{RENT_GZ}:8: aspects.overview.text",
            "{rent_max}",
        ),
        (RENT_GZ, "{rent_limit_month.from}", "{rent_limit_month.to}", f"{RENT_GZ}:8: aspects.overview.text", ".to}"),
        (RENT_GZ, "{centre.city}", "{city", f"{RENT_GZ}:8: aspects.overview.text", "belongs to no figure"),
        (RENT_GZ, "2024-11-26", "2024-13-26", f"{RENT_GZ}:1: code", "date that does not exist"),
        (RATE, "withdraw-rent/materials", "withdraw-rent/fee", f"{RATE}:13: aspects.overview.related[0]", "neither"),
        (RATE, "    short: 首套", f"    short: {'很长' * 30}", f"{RATE}:12: aspects.overview.short", "60 at most"),
        (
            RATE,
            "    short: 首套",
            f"    sms: {'长' * 130}\n    short: 首套",
            f"{RATE}:12: aspects.overview.sms",
            "137 units",
        ),
        (RATE, "topic: 贷款-利率\n", "", f"{RATE}:1: topic", "is missing"),
        (RATE, "    title: 公积金贷款利率是多少\n", "", f"{RATE}:9: aspects.overview.title", "is missing"),
        (
            RATE,
            "title: 公积金贷款利率是多少",
            "title: 退休了怎么取公积金？",
            f"{RETIRE}:10: aspects.overview.title",
            RATE,
        ),
        (RATE, "首套房利率多少", "社保断缴了怎么补", f"{OUTSIDE}:14: aspects.overview.questions[0]", f"{RATE}:16"),
        (RATE, "房贷利息]", "房租提取]", f"{RENT}:4: aliases[1]", f"{RATE}:4"),
        (FIGURES, "to: 2024-11-25", "to: 2024-11-26", f"{FIGURES}:7: rent_limit_month.values[1].from", "overlaps"),
        (FIGURES, "to: 2024-11-25", "to: 2022-01-01", f"{FIGURES}:6: rent_limit_month.values[0].to", "ends before"),
        (FIGURES, 'value: "1400"', "value: about", f"{FIGURES}:6: rent_limit_month.values[0].value", "'about'"),
        (FIGURES, "  unit: 元\n", "", f"{FIGURES}:1: rent_limit_month.unit", "is missing"),
        (RENT, "aspects:", "aspects: [", f"{RENT}:10: -", "is not YAML"),
        (
            "centres/guangzhou.yml",
            "【广州公积金】",
            "广州公积金",
            "centres/guangzhou.yml:4: sms_signature",
            "广州公积金",
        ),
    ],
)
def test_a_slip_is_reported_with_file_line_and_field(
    content: Path, file: str, before: str, after: str, where: str, said: str
) -> None:
    edit(content / file, before, after)
    found = [str(problem) for problem in problems(content)]
    assert any(line.startswith(where) and said in line for line in found), found


def test_all_problems_are_reported_at_once_one_per_line(content: Path) -> None:
    edit(content / RENT, "topic: 提取-租房", "topic: 租房")
    edit(content / FIGURES, "to: 2024-11-25", "to: 2022-01-01")
    with pytest.raises(KnowledgeError) as caught:
        load(content, centre="guangzhou")
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{RENT}:3: topic: ")
    assert lines[1].startswith(f"{FIGURES}:6: rent_limit_month.values[0].to: ")


def test_a_figure_in_two_files_is_reported(content: Path) -> None:
    text = (content / FIGURES).read_text(encoding="utf-8")
    (content / "parameters" / "national" / "zz.yml").write_text(text, encoding="utf-8")
    found = problems(content)
    assert {problem.file for problem in found} == {"parameters/national/zz.yml"}
    assert "stands in parameters/national/rent.yml already" in str(found[0])


def test_a_figure_too_long_on_a_later_day_is_found_today(content: Path) -> None:
    edit(content / RENT_GZ, "short: 能提。每人", f"short: 能提。{'每' * 44}")
    assert not _fails(content)
    edit(content / FIGURES, 'value: "2000", from: 2024-11-26', 'value: "200000000.55", from: 2099-01-01')
    assert "60 at most" in str(problems(content)[0])


def _fails(root: Path) -> bool:
    try:
        load(root, centre="guangzhou")
    except KnowledgeError:
        return True
    return False


def test_a_file_that_is_not_text_is_reported(content: Path) -> None:
    (content / RATE).write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in str(problems(content)[0])


def test_an_empty_file_is_reported(content: Path) -> None:
    (content / RATE).write_text("# nothing yet\n", encoding="utf-8")
    assert str(problems(content)[0]) == f"{RATE}:1: -: is empty"


def test_an_unknown_centre_is_reported(content: Path) -> None:
    assert "centres/atlantis.yml:1: -: does not exist" in map(str, problems(content, "atlantis"))


def test_a_missing_review_date_is_fine(content: Path) -> None:
    edit(content / FIGURES, "  review_on: 2027-06-30\n", "")
    assert load(content, centre="guangzhou").parameters["rent_limit_month"].review_on is None
