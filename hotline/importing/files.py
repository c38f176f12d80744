"""Spreadsheet files as tables: .xlsx by openpyxl, .csv in UTF-8 (with or without its mark) or GB18030."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hotline.importing.table import MAX_BYTES, Cell, Note, SheetError, Table, tidy
from hotline.importing.wording import words

_UNPACKED_MAX = 200_000_000
_LINES_MAX = 100_000
_SERIALS = range(20_000, 80_000)
"""Whole numbers that Excel shows as days between 1954 and 2119."""

_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, TypeError, AttributeError, OSError, EOFError,
    NotImplementedError,
)  # fmt: skip
"""What openpyxl and the XML and ZIP parts below it raise on what is no workbook (a ParseError is a SyntaxError)."""

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read(file: Path) -> Table:
    """The rows of every sheet that is a service catalogue.

    Raises:
        SheetError: the file cannot be read, is too large, or holds no such sheet.
    """
    kinds = {".xlsx": _read_xlsx, ".csv": _read_csv}
    if file.suffix.lower() not in kinds:
        raise SheetError(f"{file.name} is neither .xlsx nor .csv; save it as one of them")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SheetError(f"{file.name} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise SheetError(f"{file.name} has more than {MAX_BYTES // 1_000_000} MB")
    table = Table()
    if not kinds[file.suffix.lower()](file.name, content, table):
        raise SheetError(f"{file.name} has no sheet whose first row has the headers {_first_headers()} …")
    return table


def _first_headers() -> str:
    return " ".join(list(words()["columns"].values())[:3])


def _read_csv(name: str, content: bytes, table: Table) -> bool:
    text = _decoded(name, content)
    first = text.split("\n", 1)[0]
    delimiter = "\t" if first.count("\t") > first.count(",") else ","
    lines: list[tuple[int, list[Cell]]] = []
    try:
        for number, values in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            lines.append((number, [Cell(tidy(value)) for value in values]))
            if number > 1 and any(cell.text for cell in lines[-1][1][len(lines[0][1]) :]):
                table.problems.append(Note("", number, "has more cells than there are headers"))
    except csv.Error as error:
        raise SheetError(f"{name}, row {len(lines) + 1}: is not CSV ({error})") from error
    return table.add("", lines)


def _decoded(name: str, content: bytes) -> str:
    """The text of a CSV file; nothing is guessed beyond the three encodings, and nothing is replaced."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            raise SheetError(f"{name} is {encoding}; save it as CSV UTF-8")
    if b"\0" in content:
        raise SheetError(f"{name} holds bytes that no text has; save it as CSV UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise SheetError(f"{name} is neither UTF-8 (byte {at}) nor GB18030 (byte {error.start})") from error
    if not any(head in text for head in words()["columns"].values()):
        raise SheetError(f"{name} is neither UTF-8 (byte {at}) nor GB18030 (none of the headers can be read in it)")
    return text


def _read_xlsx(name: str, content: bytes, table: Table) -> bool:
    formulas, values = _workbook(name, content, values=False), _workbook(name, content, values=True)
    found = False
    for sheet in formulas.worksheets:
        if (sheet.max_row or 0) > _LINES_MAX:
            raise SheetError(f"{name}, sheet {sheet.title}: has more than {_LINES_MAX} lines; delete the empty ones")
        lines = list(_lines(sheet, values[sheet.title], values.epoch))
        hidden = sheet.sheet_state != "visible"
        if hidden or not table.add(sheet.title, lines):
            if any(cell.text for _, cells in lines for cell in cells):
                table.warnings.append(Note(sheet.title, 0, f"is {'hidden' if hidden else 'no catalogue'} and not read"))
            continue
        found = True
        for merged in sheet.merged_cells.ranges:
            table.problems.append(Note(sheet.title, merged.min_row, f"the cells {merged.coord} are merged; split them"))
    return found


def _workbook(name: str, content: bytes, *, values: bool) -> Any:
    from openpyxl import load_workbook

    if content.startswith(_OLD_OFFICE):
        raise SheetError(f"{name} is protected by a password or an old .xls; save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(info.file_size for info in packed.infolist()) > _UNPACKED_MAX:
                raise SheetError(f"{name} has more than {_UNPACKED_MAX // 1_000_000} MB once unpacked")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl does not keep (drawings, validations) is not read here
            return load_workbook(io.BytesIO(content), data_only=values)
    except _UNREADABLE as error:
        raise SheetError(f"{name} is not an .xlsx workbook ({error or type(error).__name__})") from error


def _lines(sheet: Any, values: Any, epoch: datetime) -> Iterator[tuple[int, list[Cell]]]:
    for number, line in enumerate(sheet.iter_rows(), 1):
        yield number, [_cell(cell, values.cell(cell.row, cell.column), epoch) for cell in line]


def _cell(written: Any, shown: Any, epoch: datetime) -> Cell:
    """One cell as people see it: a formula by its stored value, numbers without a tail, dates as dates."""
    if written.data_type == "f" and shown.value is None:
        return Cell(problem="holds a formula without a stored value; open the file in Excel and save it")
    value = shown.value
    if shown.data_type == "e":
        return Cell(problem=f"holds the error {value}")
    if isinstance(value, bool):
        return Cell(problem="holds TRUE or FALSE; write it in words")
    if isinstance(value, datetime):
        return Cell(value.date().isoformat(), value.date())
    if isinstance(value, date):
        return Cell(value.isoformat(), value)
    if isinstance(value, int | float):
        return _number(value, str(shown.number_format), epoch)
    return Cell(tidy(_unescaped(str(value)))) if value is not None else Cell()


def _number(value: int | float, form: str, epoch: datetime) -> Cell:
    from openpyxl.utils.datetime import from_excel

    if "%" in form:
        return Cell(_digits(Decimal(repr(value)) * 100) + "%")
    day = from_excel(value, epoch=epoch) if value == int(value) and int(value) in _SERIALS else None
    return Cell(_digits(Decimal(repr(value))), day.date() if isinstance(day, datetime) else None)


def _digits(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _unescaped(text: str) -> str:
    from openpyxl.utils.escape import unescape

    return str(unescape(text))
