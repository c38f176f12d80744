from __future__ import annotations

from typing import Any

import pytest

from hotline.importing.rows import incoming
from hotline.importing.table import Cell, Table
from tests.unit.importing.conftest import HEADERS, changed


def table(*lines: list[Any]) -> Table:
    made = Table()
    rows = [HEADERS, *lines]
    made.add("", [(number, [Cell(str(value)) for value in row]) for number, row in enumerate(rows, 1)])
    return made


def said(*lines: list[Any]) -> list[str]:
    made = table(*lines)
    incoming(made)
    return [str(problem) for problem in made.problems]


def test_a_good_row_is_understood() -> None:
    made = table(changed(audience="个人、灵活就业", aspect="fee", review_on="2027/6/30", strength="官方"))
    (row,) = incoming(made)
    assert made.problems == []
    assert (row.code, row.key, row.strength) == ("withdraw-rent", "fee", "official")
    assert row.audience == ("person", "flexible")
    assert (row.issued_on, row.review_on) == ("2024-11-26", "2027-06-30")
    assert row.questions == ("租房取钱要手续费吗", "提房租扣不扣钱")


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("总述", "overview"),
        ("不予办理", "exclusions"),
        ("依 据", "basis"),
        ("time_limit", "time_limit"),
        ("q_own", "q_own"),
    ],
)
def test_an_aspect_is_named_by_its_key_or_its_label(label: str, key: str) -> None:
    assert incoming(table(changed(aspect=label)))[0].key == key


@pytest.mark.parametrize(
    "written", ["2024-11-26", "2024/11/26", "2024.11.26", "2024年11月26日", "20241126", "２０２４-11-26"]
)
def test_a_day_is_read_however_it_is_written(written: str) -> None:
    assert incoming(table(changed(issued_on=written)))[0].issued_on == "2024-11-26"


def test_questions_stand_on_lines_or_between_semicolons_and_only_once() -> None:
    (row,) = incoming(table(changed(questions="要钱吗\n要 钱吗；扣钱不?；要钱吗;收不收；a; b\n\n")))
    assert row.questions == ("要钱吗", "要 钱吗", "扣钱不?", "收不收", "a; b")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": ""}, "unsourced: 来源 is empty"),
        ({"topic": "租房"}, "主题 租房 is not known"),
        ({"aspect": "好处"}, "方面 好处 is not known"),
        ({"aspect": ""}, "方面 is empty"),
        ({"code": ""}, "事项编码 is empty"),
        ({"code": "../x"}, "事项编码 ../x has not the form it must have"),
        ({"code": "Withdraw_Rent"}, "事项编码 Withdraw_Rent has not the form it must have"),
        ({"title": ""}, "标准问题 is empty"),
        ({"text": ""}, "答复 is empty"),
        ({"url": "example.org"}, "来源链接 example.org has not the form it must have"),
        ({"strength": "可靠"}, "来源强度 可靠 is not known"),
        ({"audience": "学生"}, "服务对象 学生 is not known"),
        ({"issued_on": "2024-02-30"}, "来源日期 2024-02-30 is not a date"),
        ({"effective_from": "明年"}, "生效日期 明年 is not a date"),
        ({"review_on": "0024-01-01"}, "复核日期 0024-01-01 is not a date"),
        ({"effective_from": "2027-01-01", "review_on": "2026-01-01"}, "复核日期 is before 生效日期"),
    ],
)
def test_a_broken_row_is_refused_with_its_number(fields: dict[str, str], message: str) -> None:
    assert said(changed(aspect="材料"), changed(**fields)) == [f"row 3: {message}"]


def test_everything_wrong_with_a_row_is_said_at_once() -> None:
    assert len(said(changed(source="", topic="租房", issued_on="gestern"))) == 3


def test_the_same_aspect_twice_is_refused() -> None:
    assert said(changed(), changed(aspect="fee")) == ["row 3: withdraw-rent fee stands already in row 2"]


def test_rows_of_one_matter_must_agree_about_it() -> None:
    rows = changed(name="租房提取"), changed(name="", aspect="材料"), changed(name="租金提取", aspect="步骤")
    assert said(*rows) == ["row 4: 事项名称 differs from row 2 of the same matter"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("每月最多2000元，每年1次。", "2000元, 1次"), ("利率２.６％。", "2.6%"), ("满6个月以后。", "6个月")],
)
def test_a_figure_in_an_answer_is_only_a_warning(text: str, found: str) -> None:
    made = table(changed(text=text))
    assert len(incoming(made)) == 1
    assert made.problems == []
    assert str(made.warnings[0]) == f"row 2: 答复 has the figure {found} that stands as no parameter"


@pytest.mark.parametrize(
    "text", ["请打12329。", "从2024年11月26日起。", "每人每月最多提{rent_limit_month}。", "第24条。"]
)
def test_dates_numbers_of_calls_and_parameters_are_no_figures(text: str) -> None:
    made = table(changed(text=text))
    incoming(made)
    assert made.warnings == []
