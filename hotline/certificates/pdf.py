"""A certificate as a printed page: A4, one sheet, with a code that leads to the page that verifies it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time
from itertools import groupby

import segno
from fpdf import FPDF
from fpdf.enums import TextMode

from hotline.certificates.amounts import capital_amount
from hotline.certificates.facts import VERIFY_PATH, day, facts, rows, verify_address
from hotline.certificates.lines import broken
from hotline.certificates.typeface import BOX, NAME, add_typeface, printable
from hotline.certificates.wording import label, of_kind, on_page, value
from hotline.domain.clock import SHANGHAI
from hotline.domain.fund import Certificate
from knowledge_base.model import Centre

_PAGE_MM = (210.0, 297.0)
_LEFT_MM = 24.0
_RIGHT_MM = _PAGE_MM[0] - _LEFT_MM
_WIDTH_MM = _RIGHT_MM - _LEFT_MM
_LABEL_MM = 35.0
_PADDING_MM = 3.0
_FOOT_MM = 238.0
"""Where the code and the notes begin, from the upper edge, unless the table is so long that they begin lower."""
_CODE_MM = 30.0
_MOST_LINES = 3
"""More lines in a cell are set in smaller letters."""
_RULE = (80, 80, 80)
_LABEL_FILL = (245, 244, 240)
_RED = (176, 28, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """How words are set: ``size`` in points, a line's height in millimetres."""

    size: float
    line_mm: float = 6.0
    align: str = "L"
    color: tuple[int, int, int] = (26, 26, 26)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Area:
    """Where a cell is: it begins at the present height."""

    left: float
    width: float
    height: float


_BANNER = _Style(size=9.5, align="C", color=_RED)
_CENTRE = _Style(size=13, align="C")
_TITLE = _Style(size=21, align="C")
_NUMBER = _Style(size=10.5, align="R")
_BODY = _Style(size=12, line_mm=7.8)
_SIGNED = _Style(size=12, align="R")
_LABEL = _Style(size=10.5, align="C")
_CELL = _Style(size=11)
_FULL_CELL = _Style(size=8, line_mm=4.2)
_CHECK_CODE = _Style(size=11)
_NOTE = _Style(size=9, line_mm=4.9, color=(80, 80, 80))
_UNDER_CODE = replace(_NOTE, align="C")


def certificate_pdf(certificate: Certificate, *, centre: Centre, public_url: str, sample: bool) -> bytes:
    """The PDF, equal byte for byte whenever the same certificate is printed. ``sample``: it says on its face that it
    proves nothing. It states the whole ID number: it is for the proven person alone. Raises: ConfigError."""
    sheet = _Sheet(certificate, centre)
    if sample:
        sheet.watermark()
    sheet.head()
    sheet.table()
    sheet.signature()
    sheet.foot(public_url)
    return bytes(sheet.pdf.output())


class _Sheet:
    """The page while it is being set, from the upper edge down; lengths are millimetres, sizes of letters points."""

    def __init__(self, certificate: Certificate, centre: Centre) -> None:
        self._certificate = certificate
        self._kind = of_kind(certificate.kind)
        self.pdf = FPDF(format="A4")
        self._known = add_typeface(self.pdf)
        self._centre_name = self._printable(centre.name)
        self.pdf.set_auto_page_break(False)
        self.pdf.set_creation_date(datetime.combine(certificate.issued_on, time(), SHANGHAI))
        self.pdf.set_title(self._kind["title"])
        self.pdf.set_author(self._centre_name)
        self.pdf.set_lang("zh-CN")
        self.pdf.add_page()
        self.pdf.set_draw_color(*_RULE)
        self._y = 24.0

    def watermark(self) -> None:
        """Large pale letters across the page, and a red line above."""
        self._text(on_page("sample_banner"), _BANNER, y=14)
        self.pdf.set_font(NAME, size=78)
        self.pdf.set_text_color(*_RED)
        mark = on_page("sample_mark")
        left = (_PAGE_MM[0] - self.pdf.get_string_width(mark)) / 2
        for middle in (112.0, 200.0):
            with self.pdf.local_context(fill_opacity=0.1), self.pdf.rotation(32, _PAGE_MM[0] / 2, middle):
                self.pdf.text(left, middle + 9, mark)

    def head(self) -> None:
        """Centre, title, number, and the sentence that certifies."""
        self._text(self._centre_name, _CENTRE, y=self._y)
        # The typeface has one weight: a stroke around its letters makes the title strong.
        with self.pdf.local_context(text_mode=TextMode.FILL_STROKE, line_width=0.22, draw_color=_TITLE.color):
            self._text(self._kind["title"], _TITLE, y=self._y + 9)
        number = on_page("number", number=self._printable(self._certificate.number))
        self._text(number, _NUMBER, y=self._y + 26)
        self._y += 36
        self._paragraph(self._kind["opening"].format(issued_on=day(self._certificate.issued_on)), _BODY)
        self._y += 3

    def table(self) -> None:
        """The facts, ruled, with a heavier frame."""
        stated = facts(self._certificate)
        top = self._y
        for row in rows(self._certificate):
            width = _WIDTH_MM / len(row)
            texts = [self._cell_text(key, stated[key]) for key in row]
            cells = [self._set_cell(text, width - _LABEL_MM) for text in texts]
            height = max(style.line_mm * len(lines) for lines, style in cells) + 2 * _PADDING_MM
            for place, (key, (lines, style)) in enumerate(zip(row, cells, strict=True)):
                area = _Area(left=_LEFT_MM + place * width, width=width, height=height)
                self._cell(key, lines, style, area)
            self._y += height
        self.pdf.set_line_width(0.5)
        self.pdf.rect(_LEFT_MM, top, _WIDTH_MM, self._y - top)

    def signature(self) -> None:
        """The closing words, the centre, and the day of issue."""
        self._y += 4
        self._text(on_page("closing"), _BODY, y=self._y)
        self._text(self._centre_name, _SIGNED, y=self._y + 11.5)
        self._text(day(self._certificate.issued_on), _SIGNED, y=self._y + 18.5)
        self._y = max(_FOOT_MM, self._y + 28.5)

    def foot(self, public_url: str) -> None:
        """The code to scan, the check code, and the notes."""
        top = self._y
        self.pdf.set_line_width(0.2)
        self.pdf.line(_LEFT_MM, top - 3.5, _RIGHT_MM, top - 3.5)
        address = verify_address(self._certificate, public_url=public_url)
        _draw_code(self.pdf, address, left=_LEFT_MM, top=top)
        self._text(on_page("scan"), _UNDER_CODE, y=top + _CODE_MM + 0.5, width=_CODE_MM)
        left = _LEFT_MM + _CODE_MM + 7
        check_code = on_page("check_code", code=self._printable(self._certificate.check_code))
        self._text(check_code, _CHECK_CODE, y=top - 1, left=left)
        self._y += 6
        self._text(on_page("notes_title"), _NOTE, y=self._y, left=left)
        self._y += 5
        for number, note in enumerate(self._notes(public_url), start=1):
            self._paragraph(f"{number}. {note}", _NOTE, left=left)

    def _notes(self, public_url: str) -> list[str]:
        certificate = self._certificate
        notes = [on_page("validity", valid_until=day(certificate.valid_until))]
        notes.append(on_page("verify", address=f"{public_url.rstrip('/')}{VERIFY_PATH}"))
        notes.extend(self._kind["notes"])
        if BOX in self._printable(certificate.name):
            notes.append(on_page("rare_name"))
        if BOX in self._printable(certificate.unit_name):
            notes.append(on_page("rare_unit"))
        return notes

    def _cell_text(self, key: str, stated: str) -> list[str]:
        """What a cell says, in paragraphs: an amount that matters most is said a second time in capitals."""
        if key != "balance":
            return [self._printable(stated)]
        capital = value("capital", capital=capital_amount(self._certificate.balance_fen))
        return [stated, on_page("in_capitals", capital=capital)]

    def _set_cell(self, text: list[str], width: float) -> tuple[list[str], _Style]:
        """The lines of a cell; very long names are set smaller."""
        for style in (_CELL, _FULL_CELL):
            lines = [line for part in text for line in self._broken(part, style, width - 2 * _PADDING_MM)]
            if len(lines) <= _MOST_LINES:
                break
        return lines, style

    def _cell(self, key: str, lines: list[str], style: _Style, area: _Area) -> None:
        """Label and value side by side in ``area``, both in the middle of its height."""
        pdf, left, right = self.pdf, area.left, area.left + _LABEL_MM
        pdf.set_line_width(0.2)
        pdf.set_fill_color(*_LABEL_FILL)
        pdf.rect(left, self._y, _LABEL_MM, area.height, style="DF")
        pdf.rect(right, self._y, area.width - _LABEL_MM, area.height)
        middle = self._y + area.height / 2
        self._text(label(key), _LABEL, y=middle - _LABEL.line_mm / 2, left=left, width=_LABEL_MM)
        top = middle - style.line_mm * len(lines) / 2
        for number, line in enumerate(lines):
            self._text(line, style, y=top + number * style.line_mm, left=right + _PADDING_MM)

    def _printable(self, text: str) -> str:
        return printable(text, self._known)

    def _paragraph(self, text: str, style: _Style, *, left: float = _LEFT_MM) -> None:
        """Text from ``left`` to the right margin, in as many lines as it needs."""
        for line in self._broken(text, style, _RIGHT_MM - left):
            self._text(line, style, y=self._y, left=left)
            self._y += style.line_mm

    def _broken(self, text: str, style: _Style, width: float) -> list[str]:
        self.pdf.set_font(NAME, size=style.size)
        return broken(text, width, self.pdf.get_string_width)

    def _text(self, text: str, style: _Style, *, y: float, left: float = _LEFT_MM, width: float = 0.0) -> None:
        """One line; without ``width`` it reaches to the right margin."""
        pdf = self.pdf
        pdf.set_font(NAME, size=style.size)
        pdf.set_text_color(*style.color)
        pdf.c_margin = 0
        pdf.set_xy(left, y)
        pdf.cell(width or _RIGHT_MM - left, style.line_mm, text, align=style.align)


def _draw_code(pdf: FPDF, address: str, *, left: float, top: float) -> None:
    """A QR code of ``address``: each row's dark modules as runs of ink; the page around it is its quiet zone."""
    matrix = segno.make(address, error="m", micro=False).matrix
    module = _CODE_MM / len(matrix)
    pdf.set_fill_color(0, 0, 0)
    for row, modules in enumerate(matrix):
        column = 0
        for is_dark, run in groupby(modules):
            length = len(list(run))
            if is_dark:
                # A hair's breadth more, so that no white line shows between rows.
                pdf.rect(left + column * module, top + row * module, length * module, module + 0.02, style="F")
            column += length
