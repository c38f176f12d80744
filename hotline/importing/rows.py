"""Rows as answers: every cell read for what it means, and everything said that is wrong with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from hotline.importing.table import Cell, Note, Row, Table, plain
from hotline.importing.wording import header, words
from knowledge_base.model import ASPECTS, AUDIENCES, STRENGTHS, TOPICS

_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OWN_QUESTION = re.compile(r"q_[a-z0-9_]+")
_URL = re.compile(r"https?://\S+")
_YEARS = range(1990, 2101)
OF_MATTER = ("name", "topic", "audience", "effective_from", "review_on")
"""Fields of the whole matter: rows of one matter may leave them empty, but must not disagree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One row: one aspect of one matter. Empty fields say nothing; dates are ISO text, as YAML holds them."""

    sheet: str
    row: int
    code: str
    key: str
    title: str
    text: str
    short: str
    source: str
    issued_on: str
    url: str
    strength: str
    questions: tuple[str, ...]
    name: str
    topic: str
    audience: tuple[str, ...]
    effective_from: str
    review_on: str

    def note(self, message: str) -> Note:
        return Note(self.sheet, self.row, message)


def incoming(table: Table) -> list[Incoming]:
    """The rows of ``table`` that can be understood; the others add a problem each to it, some a warning."""
    reader = _Reader(table)
    found = [made for made in (reader.row(row) for row in table.rows) if made is not None]
    _no_doubles(table, found)
    _one_voice(table, found)
    return found


@dataclass(slots=True)
class _Reader:
    table: Table
    said: list[str] = field(default_factory=list)
    """What is wrong with the row being read."""

    def row(self, row: Row) -> Incoming | None:
        self.said = []
        key = self._aspect(plain(row.text("aspect")))
        made = Incoming(
            sheet=row.sheet,
            row=row.number,
            code=self._matching("code", plain(row.text("code")), _CODE),
            key=key,
            title=self._given("title", _one_line(row.text("title"))),
            text=self._given("text", row.text("text")),
            short=_one_line(row.text("short")),
            source=self._source(_one_line(row.text("source"))),
            issued_on=self._day(row, "issued_on"),
            url=self._matching("url", row.text("url"), _URL, needed=False),
            strength=self._word("strength", "strengths", row.text("strength"), STRENGTHS),
            questions=_questions(row.text("questions")),
            name=_one_line(row.text("name")),
            topic=self._topic(plain(row.text("topic"))),
            audience=self._audience(row.text("audience")),
            effective_from=self._day(row, "effective_from"),
            review_on=self._day(row, "review_on"),
        )
        if made.effective_from and made.review_on and made.review_on < made.effective_from:
            self.said.append(f"{header('review_on')} is before {header('effective_from')}")
        self.table.problems += [Note(row.sheet, row.number, message) for message in self.said]
        if not self.said:
            self.table.warnings += [made.note(message) for message in _figures(made)]
        return None if self.said else made

    def _given(self, name: str, value: str) -> str:
        if not value:
            self.said.append(f"{header(name)} is empty")
        return value

    def _source(self, value: str) -> str:
        if not value:
            self.said.append(f"unsourced: {header('source')} is empty")
        return value

    def _matching(self, name: str, value: str, form: re.Pattern[str], *, needed: bool = True) -> str:
        if value and not form.fullmatch(value):
            self.said.append(f"{header(name)} {value} has not the form it must have")
        elif needed:
            self._given(name, value)
        return value

    def _aspect(self, value: str) -> str:
        key = str(words()["aspects"].get(value, value))
        if not value:
            self.said.append(f"{header('aspect')} is empty")
        elif key not in ASPECTS and not _OWN_QUESTION.fullmatch(key):
            self.said.append(f"{header('aspect')} {value} is not known")
        return key

    def _topic(self, value: str) -> str:
        if value and value not in TOPICS:
            self.said.append(f"{header('topic')} {value} is not known")
        return value

    def _word(self, name: str, group: str, value: str, known: Iterable[str]) -> str:
        word = str(words()[group].get(plain(value), plain(value)))
        if word and word not in known:
            self.said.append(f"{header(name)} {value} is not known")
        return word

    def _audience(self, value: str) -> tuple[str, ...]:
        named = [part for part in re.split(words()["list_marks"], value) if part]
        return tuple(dict.fromkeys(self._word("audience", "audiences", part, AUDIENCES) for part in named))

    def _day(self, row: Row, name: str) -> str:
        cell = row.cells[name]
        day = _day(cell)
        if cell.text and (day is None or day.year not in _YEARS):
            self.said.append(f"{header(name)} {cell.text} is not a date")
        return day.isoformat() if day else ""


def _day(cell: Cell) -> date | None:
    for form in words()["dates"]:
        try:
            return datetime.strptime(plain(cell.text), form).date()  # noqa: DTZ007 - a day, not a moment
        except ValueError:
            continue
    return cell.day


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _questions(text: str) -> tuple[str, ...]:
    parts = (_one_line(part) for part in re.split(words()["question_marks"], text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _figures(made: Incoming) -> list[str]:
    """Figures written out in an answer: they would not change with the day they change on."""
    found: dict[str, None] = {}
    for text in (made.text, made.short):
        narrow = re.sub(words()["date"], " ", unicodedata.normalize("NFKC", text))
        found.update(dict.fromkeys(re.findall(words()["figure"], narrow)))
    return [f"{header('text')} has the figure {', '.join(found)} that stands as no parameter"] if found else []


def _no_doubles(table: Table, rows: list[Incoming]) -> None:
    first: dict[tuple[str, str], Incoming] = {}
    for row in rows:
        seen = first.setdefault((row.code, row.key), row)
        if seen is not row:
            where = f"sheet {seen.sheet}, row {seen.row}" if seen.sheet != row.sheet else f"row {seen.row}"
            table.problems.append(row.note(f"{row.code} {row.key} stands already in {where}"))


def _one_voice(table: Table, rows: list[Incoming]) -> None:
    """Rows of one matter must not say different things of the matter as a whole."""
    first: dict[tuple[str, str], Incoming] = {}
    for row in rows:
        for name in OF_MATTER:
            if getattr(row, name):
                seen = first.setdefault((row.code, name), row)
                if getattr(seen, name) != getattr(row, name):
                    table.problems.append(row.note(f"{header(name)} differs from row {seen.row} of the same matter"))
