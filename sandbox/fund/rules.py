"""The figures of rules.yml and the words of names.yml and wording.yml, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """What may be filed. ``working_days``: until when it has to be decided."""

    working_days: int
    pays: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLimit:
    """Bounds of the contribution base from a July on."""

    since: date
    min_fen: int
    max_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """rules.yml, with percentages as Decimal."""

    version: int
    interest_percent: Decimal
    interest_year_days: int
    interest_month: int
    interest_day: int
    remit_day: int
    base_limits: tuple[BaseLimit, ...]
    loan_short_months: int
    loan_fixed_months: int
    loan_rates: tuple[tuple[date, Mapping[str, Decimal]], ...]
    """Oldest first; by ``first_short``, ``first_long``, ``second_short``, ``second_long``."""
    rent_month_fen: int
    leave_sealed_months: int
    transfer_paid_months: int
    prepay_min_fen: int
    prepay_days_ahead: int
    filings_per_day: int
    retire_age_months: Mapping[str, int]
    certificate_valid_days: int
    certificate_loans: int
    businesses: Mapping[str, Business]


def read(name: str) -> Any:
    """A YAML file beside this module."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@cache
def rules() -> Rules:
    raw = read("rules.yml")
    interest = raw.pop("interest")
    limits = [
        BaseLimit(since=one["from"], min_fen=one["min_fen"], max_fen=one["max_fen"]) for one in raw["base_limits"]
    ]
    rates = [(one.pop("from"), {name: Decimal(rate) for name, rate in one.items()}) for one in raw["loan_rates"]]
    businesses = {code: Business(**one) for code, one in raw["businesses"].items()}
    raw |= {"base_limits": tuple(limits), "loan_rates": tuple(rates), "businesses": businesses}
    return Rules(
        interest_percent=Decimal(interest["percent"]),
        interest_year_days=interest["year_days"],
        interest_month=interest["month"],
        interest_day=interest["day"],
        **raw,
    )


@cache
def wording() -> Mapping[str, Any]:
    """What the core system says for people: reasons, missing papers, notes of postings."""
    loaded: Mapping[str, Any] = read("wording.yml")
    return loaded


@cache
def names() -> Mapping[str, Any]:
    """What names of people and units are made of, and cities."""
    loaded: Mapping[str, Any] = read("names.yml")
    return loaded
