from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hotline.importing.wording import words

CONTENT = Path(__file__).resolve().parents[2] / "fixtures" / "knowledge"
HEADERS: list[str] = list(words()["columns"].values())

RENT: dict[str, Any] = {
    "code": "withdraw-rent",
    "aspect": "收费",
    "title": "租房提取收不收费",
    "text": "不收费。",
    "source": "租房提取说明",
    "issued_on": "2024-11-26",
    "url": "https://example.org/fee",
    "strength": "转载",
    "questions": "租房取钱要手续费吗；提房租扣不扣钱",
}
"""One good row: an aspect the fixture content does not have."""


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONTENT, tmp_path / "content"))


def line(**fields: Any) -> list[Any]:
    """The cells of one row in the order of HEADERS; what is not named is empty."""
    return [fields.get(name, "") for name in words()["columns"]]


def changed(**fields: Any) -> list[Any]:
    """The good row with some of its cells changed."""
    return line(**{**RENT, **fields})


def xlsx(file: Path, lines: Sequence[Sequence[Any]], *, headers: Sequence[str] = HEADERS) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "目录"
    for each in (headers, *lines):
        sheet.append(list(each))
    book.save(file)
    return file


def csv_text(lines: Sequence[Sequence[Any]], *, headers: Sequence[str] = HEADERS) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers, *lines])
    return out.getvalue()
