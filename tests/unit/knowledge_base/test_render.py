from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from knowledge_base import figures
from knowledge_base.errors import NotInForce
from knowledge_base.model import Aspect, Catalogue, Centre, Matter, Source
from knowledge_base.render import render, title

TODAY = date(2026, 11, 23)


def test_the_figure_of_the_day_is_used(catalogue: Catalogue) -> None:
    before = render(catalogue, "withdraw-rent", "overview", channel="voice", on=date(2024, 11, 25))
    after = render(catalogue, "withdraw-rent", "overview", channel="voice", on=date(2024, 11, 26))
    assert before.text == "能提。每人每月最多提1400元。"
    assert after.text == "能提。每人每月最多提2000元。"
    assert before.effective_from == date(2023, 5, 23)
    assert after.effective_from == date(2024, 11, 26)


def test_web_and_wechat_end_with_the_sources_the_figures_first(catalogue: Catalogue) -> None:
    answer = render(catalogue, "withdraw-rent", "overview", channel="wechat", on=TODAY)
    assert answer.text == (
        "能提。在广州租房住的,每人每月最多提2000元,从2024年11月26日起。\n"
        "依据：租房提取新通知（2024年11月26日）；广州租房提取通知（2024年11月26日）"
    )
    assert [source.title for source in answer.sources] == ["租房提取新通知", "广州租房提取通知", "住房公积金管理条例"]
    assert answer.text == render(catalogue, "withdraw-rent", "overview", channel="web", on=TODAY).text
    assert not answer.weak


def test_a_source_of_figure_and_entry_is_named_once(catalogue: Catalogue) -> None:
    answer = render(catalogue, "loan-rate", "overview", channel="web", on=TODAY)
    assert [source.title for source in answer.sources] == ["利率通知", "贷款通知"]


def test_figures_are_written_for_people(catalogue: Catalogue) -> None:
    answer = render(catalogue, "loan-rate", "overview", channel="web", on=TODAY)
    assert answer.text.startswith("首套五年以上2.6%,家庭最高贷160万元。")
    assert render(catalogue, "withdraw-rent", "amount", channel="voice", on=TODAY).text == "每人每月2000元。"


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        ("2000", "元", "2000元"),
        ("1600000", "元", "160万元"),
        ("1125000", "元", "112.5万元"),
        ("39828", "元", "39828元"),
        ("80", "万元", "80万元"),
        ("2.60", "%", "2.6%"),
        ("3.075", "%", "3.075%"),
        ("20", "%", "20%"),
        ("6", "个月", "6个月"),
    ],
)
def test_amounts(value: str, unit: str, written: str) -> None:
    assert figures.amount(value, unit) == written


def test_a_weak_source_is_said_aloud(catalogue: Catalogue) -> None:
    on_web = render(catalogue, "withdraw-retire", "overview", channel="web", on=TODAY)
    assert on_web.weak
    body, doubt, basis = on_web.text.splitlines()
    assert body == "能提。退休后可以把余额全部提出来。"
    assert "12329" in doubt
    assert basis == "依据：退休提取网页"
    on_phone = render(catalogue, "withdraw-retire", "overview", channel="voice", on=TODAY).text
    assert on_phone.startswith("能提。退休后可以全部提出来。")
    assert "12329" in on_phone
    assert len(on_phone) <= 60


def test_the_doubt_is_left_out_where_the_turn_has_no_room(catalogue: Catalogue) -> None:
    matter = catalogue.matters["withdraw-retire"]
    aspect = replace(matter.aspects["overview"], short="能" * 55)
    answer = render(catalogue, matter, aspect, channel="voice", on=TODAY)
    assert answer.weak
    assert answer.text == "能" * 55


def test_sms_prefers_its_own_text(catalogue: Catalogue) -> None:
    matter = catalogue.matters["withdraw-rent"]
    aspect = replace(matter.aspects["amount"], sms="每月可提{rent_limit_month}。")
    assert render(catalogue, matter, aspect, channel="sms", on=TODAY).text == "每月可提2000元。"
    assert render(catalogue, matter, matter.aspects["amount"], channel="sms", on=TODAY).text == "每人每月2000元。"


def test_no_figure_in_force_is_an_error_and_no_guess(catalogue: Catalogue) -> None:
    with pytest.raises(NotInForce, match="rent_limit_month"):
        render(catalogue, "withdraw-rent", "overview", channel="web", on=date(2020, 1, 1))


def test_a_matter_without_figures_answers_only_in_its_own_time(catalogue: Catalogue) -> None:
    assert render(catalogue, "withdraw-retire", "overview", channel="sms", on=date(2019, 3, 24)).text
    with pytest.raises(NotInForce, match="withdraw-retire"):
        render(catalogue, "withdraw-retire", "overview", channel="sms", on=date(2019, 3, 23))


def test_a_repealed_matter_answers_no_more(catalogue: Catalogue) -> None:
    matter = replace(catalogue.matters["withdraw-rent"], effective_to=date(2026, 1, 1))
    with pytest.raises(NotInForce):
        render(catalogue, matter, "overview", channel="web", on=date(2026, 1, 2))


def test_an_unknown_channel_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="fax"):
        render(catalogue, "withdraw-rent", "overview", channel="fax", on=TODAY)


def test_titles_are_choices(catalogue: Catalogue) -> None:
    assert title(catalogue, "withdraw-rent", "amount", on=TODAY) == "租房每个月能提多少"


def test_what_is_not_the_funds_business_cites_no_rule_of_the_fund() -> None:
    source = Source(id="s", title="服务范围", strength="weak")
    aspect = Aspect(key="overview", title="天气", text="这不归我们办。", short="这不归我们办。", source_ids=("s",))
    matter = Matter(
        code="outside-weather",
        name="天气",
        topic="其他",
        scope="outside",
        aspects={"overview": aspect},
        sources={"s": source},
    )
    centre = Centre(code="t", name="测试中心", city="测试", sms_signature="【测试】")
    catalogue = Catalogue(centre=centre, matters={matter.code: matter}, parameters={})
    rendered = render(catalogue, matter, aspect, channel="web", on=date(2026, 1, 1))
    assert rendered.text == "这不归我们办。"
    assert not rendered.weak
