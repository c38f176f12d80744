"""Headers and cell words of the spreadsheet, from sheet.yml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def words() -> dict[str, Any]:
    """The parsed sheet.yml. Callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load((files("hotline.wording") / "sheet.yml").read_text(encoding="utf-8"))
    return loaded


def header(field: str) -> str:
    """The header of ``field`` as it stands in the sheet."""
    return str(words()["columns"][field])
