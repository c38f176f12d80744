"""Placeholders in answers, and figures written for people."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from knowledge_base import wording
from knowledge_base.model import Centre

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z]+))?\}")
"""``{name}``, ``{name.value}``, ``{name.from}`` for figures; ``{centre.name}`` (city, hotline) for who answers."""

BRACE = re.compile(r"[{}]")
CENTRE = "centre"
CENTRE_PARTS = ("name", "city", "hotline")
FIGURE_PARTS = (None, "value", "from")


def centre_part(centre: Centre, part: str | None) -> str:
    """One of CENTRE_PARTS of ``centre``."""
    return {"name": centre.name, "city": centre.city, "hotline": centre.hotline}[part or "name"]


def number(value: str) -> str:
    """Without zeros at the end of its decimals: 2.60 → 2.6, 2000 → 2000."""
    decimal = Decimal(value)
    return str(int(decimal)) if decimal == int(decimal) else f"{decimal.normalize():f}"


def amount(value: str, unit: str) -> str:
    """Value and unit; whole ten thousands of money are written with their word (1600000 → 160 ten-thousand)."""
    money = wording.read("answers")["money"]
    decimal = Decimal(value)
    if unit == money["unit"] and decimal >= 10_000 and decimal % 1000 == 0:
        return number(str(decimal / 10_000)) + str(money["ten_thousand"]) + unit
    return number(value) + unit


def day(on: date) -> str:
    """A date as people read it."""
    return str(wording.read("answers")["date"]).format(year=on.year, month=on.month, day=on.day)
