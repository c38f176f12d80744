from __future__ import annotations

import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from hotline.importing.files import read
from hotline.importing.table import SheetError, Table
from tests.unit.importing.conftest import HEADERS, changed, csv_text, line, xlsx


def problems(table: Table) -> list[str]:
    return [str(problem) for problem in table.problems]


def reopened(file: Path, **cells: Any) -> Any:
    book = load_workbook(file)
    for name, value in cells.items():
        book.active[name] = value
    book.save(file)
    return book


def column(name: str) -> str:
    """The letter of a header's column; there are fewer than 26."""
    return chr(ord("A") + HEADERS.index(name))


def test_rows_come_with_the_numbers_the_spreadsheet_shows(tmp_path: Path) -> None:
    table = read(xlsx(tmp_path / "a.xlsx", [changed(), line(), changed(aspect="材料"), line(), line()]))
    assert [(row.sheet, row.number) for row in table.rows] == [("目录", 2), ("目录", 4)]
    assert table.rows[1].text("aspect") == "材料"
    assert problems(table) == []


def test_the_order_of_the_columns_is_free_and_marks_of_duty_are_no_part_of_a_header(tmp_path: Path) -> None:
    headers = [f" {head}* " for head in reversed(HEADERS)]
    table = read(xlsx(tmp_path / "a.xlsx", [list(reversed(changed()))], headers=headers))
    assert table.rows[0].text("code") == "withdraw-rent"
    assert table.rows[0].text("source") == "租房提取说明"


def test_numbers_percents_and_dates_are_read_as_people_see_them(tmp_path: Path) -> None:
    file = xlsx(tmp_path / "a.xlsx", [changed(text=2000.0, short=0.05, issued_on=date(2024, 11, 26), url=45622)])
    book = load_workbook(file)
    book.active[f"{column('短答复')}2"].number_format = "0%"
    book.save(file)
    cells = read(file).rows[0].cells
    assert cells["text"].text == "2000"
    assert cells["short"].text == "5%"
    assert (cells["issued_on"].text, cells["issued_on"].day) == ("2024-11-26", date(2024, 11, 26))
    assert cells["url"].day == date(2024, 11, 26)  # the number Excel keeps for that day


def test_blanks_and_wide_letters_are_put_right_and_chinese_punctuation_stays(tmp_path: Path) -> None:
    wide = "　每月最多２０００元，共５％。　\r\n第二行 \xa0\u200b"
    table = read(xlsx(tmp_path / "a.xlsx", [changed(text=wide, code="ｗithdraw-rent　")]))
    assert table.rows[0].text("text") == "每月最多2000元，共5%。\n第二行"
    assert table.rows[0].text("code") == "withdraw-rent"


def test_a_formula_counts_as_the_value_it_was_saved_with(tmp_path: Path) -> None:
    file = xlsx(tmp_path / "a.xlsx", [changed(text='="不"&"收费"')])
    assert "row 2: 答复 holds a formula without a stored value" in problems(read(file))[0]
    with zipfile.ZipFile(file) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    name = "xl/worksheets/sheet1.xml"
    stored = re.sub(r"(<c r=.\w+.)(><f>[^<]*</f>)<v />", r'\1 t="str"\2<v>免</v>', parts[name].decode()).encode()
    assert stored != parts[name]
    with zipfile.ZipFile(file, "w") as packed:
        for part, data in {**parts, name: stored}.items():
            packed.writestr(part, data)
    table = read(file)
    assert problems(table) == []
    assert table.rows[0].text("text") == "免"


@pytest.mark.parametrize(("value", "said"), [("#REF!", "holds the error #REF!"), (True, "TRUE or FALSE")])
def test_a_cell_without_a_readable_value_is_refused(tmp_path: Path, value: Any, said: str) -> None:
    file = xlsx(tmp_path / "a.xlsx", [changed()])
    reopened(file, **{f"{column('答复')}2": value})
    assert "sheet 目录, row 2: 答复 holds" in problems(read(file))[0]
    assert said in problems(read(file))[0]


def test_merged_cells_are_refused_with_their_place(tmp_path: Path) -> None:
    file = xlsx(tmp_path / "a.xlsx", [changed(), changed(aspect="材料")])
    book = load_workbook(file)
    book.active.merge_cells("A2:A3")
    book.save(file)
    assert "sheet 目录, row 2: the cells A2:A3 are merged; split them" in problems(read(file))


def test_missing_and_doubled_headers_are_refused_and_unknown_ones_named(tmp_path: Path) -> None:
    headers = ["备注" if head == "来源" else "主题" if head == "来源日期" else head for head in HEADERS]
    table = read(xlsx(tmp_path / "a.xlsx", [changed()], headers=headers))
    assert problems(table) == [
        "sheet 目录, row 1: the column 来源 is missing",
        "sheet 目录, row 1: the column 来源日期 is missing",
        "sheet 目录, row 1: the column 主题 stands twice",
    ]
    assert "备注 is not known" in str(table.warnings[0])
    assert table.rows == []


def test_every_catalogue_sheet_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    file = xlsx(tmp_path / "a.xlsx", [changed()])
    book = load_workbook(file)
    book.create_sheet("第二页").append(HEADERS)
    book["第二页"].append(changed(aspect="材料"))
    book.create_sheet("说明").append(["怎么填"])
    hidden = book.create_sheet("旧")
    hidden.append(HEADERS)
    hidden.append(changed())
    hidden.sheet_state = "hidden"
    book.create_sheet("空")
    book.save(file)
    table = read(file)
    assert [row.sheet for row in table.rows] == ["目录", "第二页"]
    assert [str(warning) for warning in table.warnings] == [
        "sheet 说明: is no catalogue and not read",
        "sheet 旧: is hidden and not read",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_each_of_the_three_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(csv_text([changed(text="不收费。\n真的。"), changed(aspect="材料")]).encode(encoding))
    table = read(file)
    assert [row.number for row in table.rows] == [2, 3]
    assert table.rows[0].text("text") == "不收费。\n真的。"


def test_csv_with_tabs_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\t".join(HEADERS) + "\n" + "\t".join(changed()) + "\n", encoding="utf-8")
    assert read(file).rows[0].text("code") == "withdraw-rent"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (csv_text([changed()]).encode("utf-16"), "a.csv is UTF-16; save it as CSV UTF-8"),
        (b"\xff\xff\xff\xff", "neither UTF-8 (byte 0) nor GB18030 (byte 0)"),
        ("價格、材料".encode("big5"), "neither UTF-8"),
        (csv_text([changed()]).encode("utf-8") + b"\0", "bytes that no text has"),
        (b"", "no sheet whose first row has the headers"),
        (",".join(HEADERS).encode() + b'\n"a"b,"', "row 2: is not CSV"),
        ("名称,价格\n租房,1\n".encode(), "no sheet whose first row has the headers 事项编码 事项名称 主题"),
    ],
)
def test_what_is_not_such_a_csv_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(SheetError) as caught:
        read(file)
    assert said in str(caught.value)


def test_a_csv_row_with_too_many_cells_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(csv_text([[*changed(), "", "more"], [*changed(aspect="材料"), "", ""]]), encoding="utf-8")
    assert problems(read(file)) == ["row 2: has more cells than there are headers"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xls", b"", "neither .xlsx nor .csv"),
        ("a.xlsx", b"PK\x03\x04 no zip", "is not an .xlsx workbook"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "protected by a password or an old .xls"),
        ("a.xlsx", b"", "is not an .xlsx workbook"),
    ],
)
def test_what_is_no_workbook_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(SheetError) as caught:
        read(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("readme.txt", "hello")
    with pytest.raises(SheetError, match="is not an"):
        read(file)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="cannot be read: No such file"):
        read(tmp_path / "a.xlsx")
