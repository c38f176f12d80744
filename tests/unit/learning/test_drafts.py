from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from hotline.services.drafts import MAX_QUESTIONS, Drafted, Skeleton, new_draft
from hotline.services.phrasings import EntryName, Refused
from knowledge_base.errors import KnowledgeError
from knowledge_base.loader import load
from tests.unit.knowledge_base.conftest import edit

PARKING = Skeleton(
    entry=EntryName("withdraw-parking", "overview"), title="租车位能不能提", name="车位租金提取", topic="提取-其他"
)
TEXTS = ["车位租金能用公积金付吗", "租车位：能提不", "租车位，能提不"]
DAY = date(2026, 3, 2)


def draft(content: Path, skeleton: Skeleton = PARKING, texts: list[str] = TEXTS) -> Drafted:
    return new_draft(content, centre="guangzhou", skeleton=skeleton, texts=texts, day=DAY)


def test_a_draft_holds_what_is_known_and_says_what_is_missing(content: Path) -> None:
    made = draft(content)
    assert made.file == content / "drafts" / "withdraw-parking.overview.yml"
    text = made.file.read_text(encoding="utf-8")
    assert "2026-03-02" in text
    assert "# text: |-" in text
    data = yaml.safe_load(text)
    assert data["name"] == "车位租金提取"
    assert data["aspects"] == {"overview": {"title": "租车位能不能提", "questions": TEXTS[:2]}}


def test_a_draft_is_not_loaded(content: Path) -> None:
    draft(content)
    assert "withdraw-parking" not in load(content, centre="guangzhou").matters


def test_a_finished_draft_is_content(content: Path) -> None:
    made = draft(content)
    file = content / "catalogue/national/withdraw-parking.yml"
    shutil.move(made.file, file)
    with pytest.raises(KnowledgeError):  # without sources it is not
        load(content, centre="guangzhou")
    edit(file, "  # notice:", "  notice:")
    edit(file, "    # text: |-\n    #   先", "    text: |-\n      先")
    edit(file, "    # short:", "    short:")
    edit(file, "    # sources:", "    sources:")
    assert load(content, centre="guangzhou").matters["withdraw-parking"].aspects["overview"].questions == tuple(
        TEXTS[:2]
    )


def test_a_new_question_about_a_known_matter_needs_no_name(content: Path) -> None:
    made = draft(content, Skeleton(entry=EntryName("withdraw-rent", "q_deposit"), title="租房押金能不能提"))
    data = yaml.safe_load(made.file.read_text(encoding="utf-8"))
    assert set(data) == {"code", "sources", "aspects"}
    assert list(data["aspects"]) == ["q_deposit"]


def test_texts_that_may_not_stand_in_content_are_left_out(content: Path) -> None:
    made = draft(content, texts=["打13800138000说车位", "租房可以提公积金吗", *TEXTS])
    assert made.questions == tuple(TEXTS[:2])
    assert made.left_out == 3


def test_a_draft_takes_a_bounded_number_of_phrasings(content: Path) -> None:
    assert len(draft(content, texts=[f"车位问题{number}" for number in range(50)]).questions) == MAX_QUESTIONS


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"entry": EntryName("../evil", "overview")}, "no code"),
        ({"entry": EntryName("Withdraw", "overview")}, "no code"),
        ({"entry": EntryName("withdraw-parking", "../x")}, "no aspect"),
        ({"entry": EntryName("withdraw-parking", "price")}, "no aspect"),
        ({"entry": EntryName("withdraw-rent", "overview")}, "withdraw-rent/overview exists"),
        ({"entry": EntryName("withdraw-parking", "fee")}, "its first aspect is overview"),
        ({"title": "租房能不能提取公积金？"}, "that of withdraw-rent/overview"),
        ({"title": " "}, "1 to 40"),
        ({"title": "长" * 41}, "1 to 40"),
        ({"name": ""}, "needs --name"),
        ({"name": "房租提取"}, "withdraw-rent is called 房租提取"),
        ({"topic": "车位"}, "one of 查询"),
    ],
)
def test_a_draft_that_could_never_be_content_is_refused(content: Path, changes: dict[str, object], why: str) -> None:
    given = {"entry": PARKING.entry, "title": PARKING.title, "name": PARKING.name, "topic": PARKING.topic}
    with pytest.raises(Refused) as refused:
        draft(content, Skeleton(**{**given, **changes}))  # type: ignore[arg-type]
    assert why in str(refused.value)
    assert not (content / "drafts").exists()


def test_a_draft_needs_a_phrasing_and_says_why_none_will_do(content: Path) -> None:
    with pytest.raises(Refused, match="personal data"):
        draft(content, texts=["13800138000"])
    with pytest.raises(Refused, match="no phrasing"):
        draft(content, texts=[])


def test_a_draft_is_never_overwritten(content: Path) -> None:
    first = draft(content)
    with pytest.raises(Refused, match="draft already"):
        draft(content)
    assert first.file.is_file()
