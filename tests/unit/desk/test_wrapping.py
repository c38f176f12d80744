"""What a conversation is filed under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from hotline.domain.desk import Group
from hotline.services.desk.wrapping import OTHER, reasons_by_group, wrap_reasons
from hotline.settings import ROOT
from knowledge_base.loader import load
from knowledge_base.model import Catalogue
from tests.unit.answering.content import CATALOGUE, RENT


def codes(reasons: Iterable[tuple[str, str]]) -> list[str]:
    return [code for code, _ in reasons]


def test_matters_of_a_group_stand_together_the_most_wanted_first_and_other_last() -> None:
    assert wrap_reasons(CATALOGUE) == [
        ("rent", "租房提取"),
        ("leave", "离职提取"),
        ("buy", "购房提取"),
        ("loan", "贷款额度"),
        ("tax", "个税"),
        (OTHER, "其他"),
    ]


def test_every_matter_is_in_the_group_that_serves_it() -> None:
    clerks = replace(RENT, code="hire", name="增员减员", topic="汇缴", audience=("employer",))
    complaint = replace(RENT, code="complaint", name="服务投诉", topic="投诉", audience=("person", "employer"))
    matters = {**CATALOGUE.matters, "hire": clerks, "complaint": complaint}
    found = reasons_by_group(replace(CATALOGUE, matters=matters))
    assert {group: codes(reasons) for group, reasons in found.items()} == {
        Group.DEPOSIT: [],
        Group.WITHDRAWAL: ["rent", "leave", "buy"],
        Group.LOAN: ["loan"],
        Group.COMPLAINT: ["complaint"],
        Group.EMPLOYER: ["hire"],
    }


@pytest.mark.parametrize("centre", ["guangzhou", "wuhu"])
def test_every_matter_of_a_centre_can_be_filed_once(centre: str) -> None:
    catalogue: Catalogue = load(ROOT / "knowledge_base", centre=centre)
    assert sorted(codes(wrap_reasons(catalogue))) == sorted([*catalogue.matters, OTHER])
    assert all(reasons_by_group(catalogue).values())
