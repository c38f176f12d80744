from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import knowledge_base
from hotline.importing.putting import Import, ImportRefused, prepare, put
from knowledge_base.loader import load
from tests.unit.importing.conftest import changed, line, xlsx

TODAY = date(2026, 11, 25)
RENT_GZ = "catalogue/guangzhou/withdraw-rent.yml"

PARKING: dict[str, Any] = {
    "code": "withdraw-parking",
    "name": "车位提取",
    "topic": "提取-其他",
    "audience": "个人",
    "aspect": "总述",
    "title": "车位能不能提公积金",
    "text": "不能提。\n车位不是住房。",
    "short": "不能提，车位不是住房。",
    "source": "车位说明",
    "strength": "官方",
    "review_on": "2027-06-30",
    "questions": "买车位能用公积金吗",
}

OVERVIEW: dict[str, Any] = {
    "code": "withdraw-rent",
    "aspect": "总述",
    "title": "租房能不能提取公积金",
    "text": "能提。在{centre.city}租房住的,每人每月最多提{rent_limit_month},从{rent_limit_month.from}起。",
    "short": "能提。每人每月最多提{rent_limit_month}。",
    "source": "广州租房提取通知",
    "issued_on": "2024-11-26",
}
"""The row that says what the fixture content says already."""


def prepared(content: Path, *lines: list[Any]) -> Import:
    return prepare(xlsx(content.parent / "a.xlsx", lines), content, centre="guangzhou", on=TODAY)


def tree(content: Path) -> dict[str, bytes]:
    return {str(file.relative_to(content)): file.read_bytes() for file in content.rglob("*") if file.is_file()}


def kinds(made: Import) -> dict[str, str]:
    return {f"{entry.code}/{entry.key}": entry.kind for entry in made.plan.entries}


def test_nothing_is_written_before_it_is_accepted(content: Path) -> None:
    before = tree(content)
    made = prepared(content, changed(), line(**PARKING))
    assert made.problems == []
    assert kinds(made) == {
        "withdraw-parking/": "added",
        "withdraw-parking/overview": "added",
        "withdraw-rent/": "untouched",
        "withdraw-rent/fee": "added",
    }
    assert tree(content) == before


def test_an_accepted_import_is_what_the_loader_then_reads(content: Path) -> None:
    put(prepared(content, changed(), line(**PARKING)), content)
    catalogue = load(content, centre="guangzhou")
    fee = catalogue.matters["withdraw-rent"].aspects["fee"]
    assert (fee.text, fee.short) == ("不收费。", "不收费。")
    assert fee.questions == ("租房取钱要手续费吗", "提房租扣不扣钱")
    source = catalogue.matters["withdraw-rent"].sources[fee.source_ids[0]]
    assert (source.title, source.issued_on, source.strength) == ("租房提取说明", date(2024, 11, 26), "reposted")
    parking = catalogue.matters["withdraw-parking"]
    assert (parking.name, parking.topic, parking.review_on) == ("车位提取", "提取-其他", date(2027, 6, 30))
    assert parking.aspects["overview"].text == "不能提。\n车位不是住房。"


def test_a_new_file_has_the_style_of_the_catalogue(content: Path) -> None:
    put(prepared(content, line(**PARKING)), content)
    assert (content / "catalogue/guangzhou/withdraw-parking.yml").read_text(encoding="utf-8") == (
        "code: withdraw-parking\n"
        "name: 车位提取\n"
        "topic: 提取-其他\n"
        "scope: fund\n"
        "audience: [person]\n"
        "review_on: 2027-06-30\n"
        "sources:\n"
        "  import-undated: {title: 车位说明, strength: official}\n"
        "aspects:\n"
        "  overview:\n"
        "    title: 车位能不能提公积金\n"
        "    text: |-\n"
        "      不能提。\n"
        "      车位不是住房。\n"
        "    short: 不能提，车位不是住房。\n"
        "    sources: [import-undated]\n"
        "    questions:\n"
        "      - 买车位能用公积金吗\n"
    )


def test_what_is_imported_twice_changes_nothing_the_second_time(content: Path) -> None:
    lines = changed(), line(**PARKING)
    put(prepared(content, *lines), content)
    again = prepared(content, *lines)
    assert set(kinds(again).values()) == {"untouched"}
    assert again.texts == {}


def test_what_stands_already_is_untouched_as_written_and_with_its_figures_filled_in(content: Path) -> None:
    filled = "能提。在广州租房住的,每人每月最多提2000元,从2024年11月26日起。"
    for text in (OVERVIEW["text"], filled):
        made = prepared(content, line(**{**OVERVIEW, "text": text}))
        assert set(kinds(made).values()) == {"untouched"}
        assert made.texts == {}


def test_a_change_is_shown_field_by_field_and_keeps_the_rest(content: Path) -> None:
    text = "能提。租房住的可以提。"
    made = prepared(content, line(**{**OVERVIEW, "text": text, "short": "", "questions": "租屋可以攞钱吗"}))
    (entry,) = [entry for entry in made.plan.entries if entry.key]
    assert [(field.name, field.old, field.new) for field in entry.fields] == [
        ("答复", OVERVIEW["text"], text),
        ("常见问法", "", "租屋可以攞钱吗"),
    ]
    assert "答复 changes, 短答复 stays as it is" in str(made.plan.warnings[-1])
    put(made, content)
    overview = load(content, centre="guangzhou").matters["withdraw-rent"].aspects["overview"]
    assert overview.text == text
    assert overview.short == OVERVIEW["short"]
    assert overview.questions[-2:] == ("在广州租房公积金怎么取", "租屋可以攞钱吗")
    assert overview.source_ids == ("gz", "regulation")


def test_the_comments_a_file_begins_with_are_kept_and_others_named(content: Path) -> None:
    file = content / RENT_GZ
    text = file.read_text(encoding="utf-8")
    schema = "# yaml-language-server: $schema=../../schema/entry.schema.json\n"
    file.write_text(schema + text, encoding="utf-8")
    made = prepared(content, changed())
    assert made.texts[Path(RENT_GZ)].startswith(f"{schema}code: withdraw-rent\n")
    assert made.plan.warnings == []
    file.write_text(schema + text.replace("aspects:", "# more\naspects:"), encoding="utf-8")
    assert "the comments below its first lines are not kept" in str(prepared(content, changed()).plan.warnings[0])


def test_an_unnamed_strength_of_a_new_source_is_weak_and_said(content: Path) -> None:
    made = prepared(content, changed(strength=""))
    assert "来源强度 is empty and taken as weak" in str(made.plan.warnings[0])
    put(made, content)
    sources = load(content, centre="guangzhou").matters["withdraw-rent"].sources
    assert sources["import-2024-11-26"].strength == "weak"


def test_a_known_source_is_named_and_not_written_again(content: Path) -> None:
    row = changed(source="住房公积金管理条例", issued_on="2019-03-24", url="http://example.org/rule", strength="官方")
    made = prepared(content, row)
    assert "    sources: [regulation]\n" in made.texts[Path(RENT_GZ)]
    assert "import-" not in made.texts[Path(RENT_GZ)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": "要{fee_max}元。"}, "row 2: 答复: {fee_max} is not a known figure"),
        ({"short": "长" * 61}, "row 2: 短答复: has 61 characters once rendered, 60 at most"),
        ({"questions": "房租能用公积金付吗"}, "row 2: 常见问法: 房租能用公积金付吗 stands already at"),
        ({"title": "租房提取要什么材料"}, "row 2: 标准问题: 租房提取要什么材料 stands already at"),
        ({"text": "很长" * 31}, "row 2: 短答复 is empty and 答复 is too long to stand in"),
    ],
)
def test_what_the_loader_refuses_changes_nothing_and_names_the_row(
    content: Path, fields: dict[str, str], message: str
) -> None:
    before = tree(content)
    made = prepared(content, changed(**fields))
    assert any(message in str(problem) for problem in made.problems), made.problems
    with pytest.raises(ImportRefused):
        put(made, content)
    assert tree(content) == before


def test_a_new_matter_needs_a_name_a_topic_and_an_overview(content: Path) -> None:
    made = prepared(content, line(**{**PARKING, "name": "", "topic": ""}))
    assert [problem.message for problem in made.problems] == [
        "事项名称 is empty and the matter is new",
        "主题 is empty and the matter is new",
    ]
    made = prepared(content, line(**{**PARKING, "aspect": "材料"}))
    assert "has no overview" in str(made.problems[0])


def test_content_with_problems_of_its_own_is_mended_first(content: Path) -> None:
    (content / RENT_GZ).write_text("code: other\n", encoding="utf-8")
    with pytest.raises(ImportRefused, match="mend them first"):
        prepared(content, changed())


def test_an_unknown_centre_is_refused(content: Path) -> None:
    file = xlsx(content.parent / "a.xlsx", [changed()])
    with pytest.raises(ImportRefused, match=r"centres/atlantis\.yml"):
        prepare(file, content, centre="atlantis", on=TODAY)


def test_the_shipped_catalogue_as_a_sheet_changes_nothing(tmp_path: Path) -> None:
    shipped = Path(knowledge_base.__file__).parent
    rows = []
    for matter in load(shipped, centre="guangzhou").matters.values():
        for aspect in matter.aspects.values():
            source = matter.sources[(aspect.source_ids or tuple(matter.sources))[0]]
            rows.append(
                line(
                    code=matter.code,
                    name=matter.name,
                    topic=matter.topic,
                    aspect=aspect.key,
                    title=aspect.title,
                    text=aspect.text,
                    short=aspect.short,
                    source=source.title,
                    issued_on=source.issued_on or "",
                    questions="\n".join(aspect.questions),
                )
            )
    made = prepare(xlsx(tmp_path / "all.xlsx", rows), shipped, centre="guangzhou", on=TODAY)
    assert made.problems == []
    assert {key for key, kind in kinds(made).items() if kind != "untouched"} == set()
    assert made.texts == {}
