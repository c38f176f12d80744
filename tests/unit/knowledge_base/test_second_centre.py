"""A second centre is content only: nothing of Guangzhou's reaches its citizens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import knowledge_base
from knowledge_base.loader import load
from knowledge_base.model import Aspect, Catalogue, Matter
from knowledge_base.render import CHANNELS, render, title

ROOT = Path(knowledge_base.__file__).parent
TODAY = date(2026, 11, 25)
GUANGZHOU = ("广州", "羊城", "穗", "广东", "粤", "天河", "越秀")


@pytest.fixture(scope="module")
def wuhu() -> Catalogue:
    return load(ROOT, centre="wuhu")


def answered(catalogue: Catalogue) -> Iterator[tuple[Matter, Aspect]]:
    for matter in catalogue.matters.values():
        for aspect in matter.aspects.values():
            if aspect.answered:
                yield matter, aspect


def test_its_rent_answer_has_its_own_figures(wuhu: Catalogue) -> None:
    for channel in CHANNELS:
        text = render(wuhu, "withdraw-rent", "amount", channel=channel, on=TODAY).text
        assert "未婚" in text
        assert "1000元" in text
        assert "2000元" in text
    assert "每月最多办1次" in render(wuhu, "withdraw-rent", "overview", channel="voice", on=TODAY).text


def test_its_prepayment_answer_has_its_own_figures(wuhu: Catalogue) -> None:
    text = render(wuhu, "loan-prepay", "overview", channel="web", on=TODAY).text
    assert "还款满6个月以后" in text
    assert "不少于1万元" in text
    assert "每12个月" in text
    assert "柜台" in text


def test_a_rule_known_only_from_an_unofficial_page_is_said_to_be_so(wuhu: Catalogue) -> None:
    assert render(wuhu, "withdraw-rent", "amount", channel="web", on=TODAY).weak
    assert not render(wuhu, "loan-prepay", "overview", channel="web", on=TODAY).weak


def test_nothing_of_guangzhou_is_in_any_answer_on_any_channel(wuhu: Catalogue) -> None:
    found = []
    for matter, aspect in answered(wuhu):
        texts = [render(wuhu, matter, aspect, channel=channel, on=TODAY).text for channel in CHANNELS]
        texts += [title(wuhu, matter, aspect, on=TODAY), aspect.plain or ""]
        found += [f"{matter.code}/{aspect.key}: {word}" for text in texts for word in GUANGZHOU if word in text]
    assert found == []


def test_it_has_no_figure_of_guangzhou_and_none_of_its_limits(wuhu: Catalogue) -> None:
    own = load(ROOT, centre="guangzhou").parameters
    national = {name for name in own if name in wuhu.parameters}
    assert "rent_limit_month" not in wuhu.parameters
    assert "loan_cap_single" not in wuhu.parameters
    for name in national:
        sources = [value.source.title for value in wuhu.parameters[name].values]
        assert not [source for source in sources if "广州" in source], name
    for matter, aspect in answered(wuhu):
        if (matter.code, aspect.key) != ("withdraw-rent", "overview"):
            text = render(wuhu, matter, aspect, channel="voice", on=TODAY).text
            assert not [limit for limit in ("5600元", "80万元", "160万元", "39828元") if limit in text], matter.code


def test_what_it_has_not_answered_is_asked_and_left_open(wuhu: Catalogue) -> None:
    materials = wuhu.matters["withdraw-rent"].aspects["materials"]
    assert not materials.answered
    assert materials.questions
    assert 0 < sum(1 for _ in answered(wuhu)) < sum(len(matter.aspects) for matter in wuhu.matters.values())


def test_its_own_place_is_here_and_guangzhou_is_not(wuhu: Catalogue) -> None:
    assert {"芜湖", "镜湖", "弋江", "鸠江", "无为", "湾沚", "繁昌", "南陵"} == set(wuhu.centre.here)
    assert wuhu.centre.name == "芜湖市住房公积金管理中心"


def test_the_national_base_holds_up_without_any_file_of_a_centre(tmp_path: Path) -> None:
    for name in ("catalogue", "parameters"):
        shutil.copytree(ROOT / name / "national", tmp_path / name / "national")
    (tmp_path / "centres").mkdir()
    text = (ROOT / "centres" / "wuhu.yml").read_text(encoding="utf-8").replace("code: wuhu", "code: newtown")
    (tmp_path / "centres" / "newtown.yml").write_text(text, encoding="utf-8")
    catalogue = load(tmp_path, centre="newtown")
    for matter, aspect in answered(catalogue):
        for channel in CHANNELS:
            assert render(catalogue, matter, aspect, channel=channel, on=TODAY).text
