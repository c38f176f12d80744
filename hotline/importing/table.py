"""What a spreadsheet holds, whatever kind of file it is: rows of cells by field, and what is wrong with its form."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from hotline.errors import HotlineError
from hotline.importing.wording import header, words

MAX_BYTES = 20_000_000
MAX_ROWS = 20_000

_HEADERS_OF_A_TABLE = 3
"""A sheet whose first row has this many known headers is meant as a table, even if others are missing."""

_NARROW = {ord(wide): ord(wide) - 0xFEE0 for wide in map(chr, range(0xFF10, 0xFF5B)) if wide.isalnum()}
_NARROW |= {0xFF05: ord("%"), 0x3000: ord(" "), 0xA0: ord(" "), 0xFEFF: None}  # type: ignore[dict-item]


class SheetError(HotlineError):
    """The file cannot be read at all. The message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something said of a place in the file. ``sheet`` is empty in a CSV file, ``row`` 0 where it is of the sheet."""

    sheet: str
    row: int
    message: str

    def __str__(self) -> str:
        where = [f"sheet {self.sheet}"] if self.sheet else []
        where += [f"row {self.row}"] if self.row else []
        return f"{', '.join(where)}: {self.message}" if where else self.message


@dataclass(frozen=True, slots=True)
class Cell:
    """``text`` as people read it; ``day`` where the cell holds a date, or a number that may stand for one."""

    text: str = ""
    day: date | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a sheet: its number as the spreadsheet shows it, and its cells by field."""

    sheet: str
    number: int
    cells: Mapping[str, Cell]

    def text(self, name: str) -> str:
        return self.cells[name].text


@dataclass(slots=True)
class Table:
    """Every row of a file. With ``problems`` nothing may be taken over; ``warnings`` are only said."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    def add(self, sheet: str, lines: Sequence[tuple[int, Sequence[Cell]]]) -> bool:
        """Takes over the lines of one sheet, headers first; False where it is no table of this kind."""
        lines = [(number, cells) for number, cells in lines if any(cell.text or cell.problem for cell in cells)]
        if not lines:
            return False
        heads = [plain(cell.text) for cell in lines[0][1]]
        known = {name: head for name, head in words()["columns"].items() if head in heads}
        if len(known) < _HEADERS_OF_A_TABLE:
            return False
        if self._headers_hold(sheet, lines[0][0], heads):
            for number, cells in lines[1:]:
                self._row(sheet, number, cells, {heads.index(head): name for name, head in known.items()})
        return True

    def _headers_hold(self, sheet: str, number: int, heads: list[str]) -> bool:
        wanted = list(words()["columns"].values())
        doubled = [head for head, times in Counter(heads).items() if head and times > 1]
        missing = [head for head in wanted if head not in heads]
        for head in missing:
            self.problems.append(Note(sheet, number, f"the column {head} is missing"))
        for head in doubled:
            self.problems.append(Note(sheet, number, f"the column {head} stands twice"))
        for head in heads:
            if head and head not in wanted:
                self.warnings.append(Note(sheet, number, f"the column {head} is not known and not read"))
        return not missing and not doubled

    def _row(self, sheet: str, number: int, cells: Sequence[Cell], fields: Mapping[int, str]) -> None:
        if len(self.rows) >= MAX_ROWS:
            raise SheetError(f"more than {MAX_ROWS} rows")
        found = {name: cells[at] if at < len(cells) else Cell() for at, name in fields.items()}
        for name, cell in found.items():
            if cell.problem:
                self.problems.append(Note(sheet, number, f"{header(name)} {cell.problem}"))
        if any(cell.text or cell.problem for cell in found.values()):
            self.rows.append(Row(sheet, number, found))


def tidy(text: str) -> str:
    """Lines without blanks at their ends, wide letters and digits narrow, no control characters, no empty ends.

    Chinese punctuation stays as it is: answers are written with it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_NARROW)
    kept = "".join(char for char in text if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return "\n".join(line.strip() for line in kept.split("\n")).strip()


def plain(text: str) -> str:
    """A header or a code: NFKC, without any blank or a mark that it must be filled in."""
    return "".join(unicodedata.normalize("NFKC", text).split()).rstrip("*")
