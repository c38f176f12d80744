"""A person of the sandbox before he is written into the database: what cast.yml and the generator both produce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sandbox.fund.ledger import Base, Move
from sandbox.fund.loans import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    account_no: str
    unit_no: str
    unit_name: str
    kind: str
    base: Base
    opened_on: date
    sealed_on: date | None = None
    closed_on: date | None = None
    moves: tuple[Move, ...] = ()
    frozen_fen: int = 0
    frozen_by: str = ""
    card_number: str = ""

    @property
    def state(self) -> str:
        return "closed" if self.closed_on else "sealed" if self.sealed_on else "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanSpec:
    loan_no: str
    terms: Terms
    overdue: int = 0
    card_number: str = ""
    monthly_withdrawal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSpec:
    """One that stands still in ``state``: it does not move by itself."""

    business: str
    state: str
    submitted_at: datetime
    fields: Mapping[str, str]
    amount_fen: int | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSpec:
    index: int
    """What the numbers of the person and all that is his are made from."""
    name: str
    id_number: str
    mobile: str
    birth_on: date
    sex: str
    household_city: str
    password: str
    marriage: str | None = None
    children: int | None = None
    homes_in_city: int | None = None
    insured_elsewhere: bool | None = None
    insurance_stopped_months: int | None = None
    clerk_of: tuple[tuple[str, str], ...] = ()
    """Number and name of each unit."""
    accounts: tuple[AccountSpec, ...] = ()
    loans: tuple[LoanSpec, ...] = ()
    applications: tuple[ApplicationSpec, ...] = field(default=())
    cast_key: str | None = None
