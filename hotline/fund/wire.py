"""What the core system answers, as it is written in JSON (docs/fund-core-api.yaml), and what must hold in each record.

Every field has to be there: one that is missing or misspelt must not turn into "nothing overdue". Fields that are not
known here are left alone. No text of an error carries a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Final, LiteralString, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from hotline.domain.fund import (
    OPEN_STATES,
    Account,
    AccountKind,
    AccountState,
    Application,
    ApplicationState,
    Certificate,
    CertificateKind,
    Contributions,
    Employer,
    Gap,
    Instalment,
    LedgerEntry,
    LedgerKind,
    Loan,
    LoanState,
    Marriage,
    Person,
    RepayMethod,
    Sex,
    Stage,
)

CONTRADICTION: Final = "contradiction"
"""Type of an error whose message is one of the sentences below."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z", re.ASCII)
_PERCENT = re.compile(r"\d{1,3}(\.\d{1,6})?", re.ASCII)


def _require(holds: bool, what: LiteralString) -> None:
    if not holds:
        raise PydanticCustomError(CONTRADICTION, what)


def _day(value: object) -> object:
    _require(value is None or (isinstance(value, str) and _DAY.fullmatch(value) is not None), "a date, YYYY-MM-DD")
    return date.fromisoformat(value) if isinstance(value, str) else value


def _first_of_month(value: date) -> date:
    _require(value.day == 1, "a month, its first day")
    return value


def _moment(value: object) -> object:
    _require(isinstance(value, str) and _MOMENT.fullmatch(value) is not None, "a time in UTC with Z")
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def _percent(value: object) -> object:
    _require(
        value is None or (isinstance(value, str) and _PERCENT.fullmatch(value) is not None), "a share as a decimal text"
    )
    return Decimal(value) if isinstance(value, str) else value


Fen = Annotated[int, Field(ge=0, le=2**53 - 1)]
Count = Annotated[int, Field(ge=0)]
Percent = Annotated[Decimal, BeforeValidator(_percent), Field(ge=0, le=100)]
Day = Annotated[date, BeforeValidator(_day)]
Month = Annotated[date, BeforeValidator(_day), AfterValidator(_first_of_month)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,32}$")]
Business = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
Text = Annotated[str, StringConstraints(max_length=500)]
Tail = Annotated[str, StringConstraints(pattern=r"^([0-9]{4})?$")]
IdNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{17}[0-9X]$")]
Mobile = Annotated[str, StringConstraints(pattern=r"^(1[0-9]{10})?$")]


class Wire(BaseModel):
    """No conversions: a string where a number belongs is an error."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    def plain(self, **changed: Any) -> dict[str, Any]:
        """The fields by name, not their fields; ``changed`` replaces some."""
        return {name: getattr(self, name) for name in type(self).model_fields} | changed


class EmployerWire(Wire):
    unit_no: Number
    name: Text


class PersonWire(Wire):
    person_no: Number
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    id_number: IdNumber
    mobile: Mobile
    birth_on: Day
    sex: Sex
    household_city: Text
    marriage: Marriage | None
    children: Count | None
    homes_in_city: Count | None
    insured_elsewhere: bool | None
    insurance_stopped_months: Count | None
    clerk_of: tuple[EmployerWire, ...]

    def domain(self) -> Person:
        return Person(**self.plain(clerk_of=tuple(Employer(**one.plain()) for one in self.clerk_of)))


class AccountWire(Wire):
    account_no: Number
    unit_no: Number
    unit_name: Text
    kind: AccountKind
    state: AccountState
    opened_on: Day
    sealed_on: Day | None
    closed_on: Day | None
    base_fen: Fen
    personal_percent: Percent
    unit_percent: Percent
    monthly_fen: Fen
    balance_fen: Fen
    frozen_fen: Fen
    frozen_by: Text
    paid_to: Month | None
    card_tail: Tail

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _require(self.frozen_fen <= self.balance_fen, "no more is frozen than there is")
        _require(self.state is not AccountState.CLOSED or self.closed_on is not None, "a closed account has its day")
        return self

    def domain(self) -> Account:
        return Account(**self.plain())


class LedgerEntryWire(Wire):
    entry_no: Number
    posted_on: Day
    kind: LedgerKind
    amount_fen: int
    balance_fen: Fen
    month: Month | None
    note: Text

    def domain(self) -> LedgerEntry:
        return LedgerEntry(**self.plain())


class GapWire(Wire):
    first: Month
    last: Month

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _require(self.first <= self.last, "a gap begins before it ends")
        return self

    def domain(self) -> Gap:
        return Gap(**self.plain())


class ContributionsWire(Wire):
    first: Month | None
    last: Month | None
    paid_months: Count
    consecutive_months: Count
    gaps: tuple[GapWire, ...]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.first is None or self.last is None:
            nothing = (self.first, self.last, self.paid_months, self.consecutive_months, self.gaps)
            _require(nothing == (None, None, 0, 0, ()), "without a first month nothing was paid")
            return self
        edges = [self.first, *(edge for gap in self.gaps for edge in (gap.first, gap.last)), self.last]
        _require(edges == sorted(edges), "gaps lie between the first and the last month, oldest first")
        whole = Gap(first=self.first, last=self.last).months
        missed = sum(gap.domain().months for gap in self.gaps)
        _require(self.paid_months == whole - missed, "paid months are all months but the gaps")
        since = Gap(first=self.gaps[-1].last, last=self.last).months - 1 if self.gaps else whole
        _require(self.consecutive_months == since, "consecutive months count back to the newest gap")
        return self

    def domain(self) -> Contributions:
        return Contributions(**self.plain(gaps=tuple(gap.domain() for gap in self.gaps)))


class LoanWire(Wire):
    loan_no: Number
    state: LoanState
    amount_fen: Fen
    granted_on: Day
    term_months: Count
    method: RepayMethod
    rate_percent: Percent
    next_rate_percent: Percent | None
    next_rate_on: Day | None
    balance_fen: Fen
    paid_instalments: Count
    next_due_on: Day | None
    next_principal_fen: Fen
    next_interest_fen: Fen
    overdue_instalments: Count
    overdue_fen: Fen
    home_number: Annotated[int, Field(ge=1)]
    card_tail: Tail
    settled_on: Day | None
    monthly_withdrawal: bool

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _require(self.balance_fen <= self.amount_fen, "no more is owed than was lent")
        _require((self.next_rate_percent is None) == (self.next_rate_on is None), "a next rate has its day")
        _require((self.overdue_instalments == 0) == (self.overdue_fen == 0), "overdue instalments have an amount")
        overdue = self.state is LoanState.OVERDUE
        _require(overdue == (self.overdue_instalments > 0), "an overdue loan has overdue instalments")
        _require(self.state is not LoanState.SETTLED or self.balance_fen == 0, "nothing is owed on a settled loan")
        return self

    def domain(self) -> Loan:
        return Loan(**self.plain())


class InstalmentWire(Wire):
    number: Annotated[int, Field(ge=1)]
    due_on: Day
    principal_fen: Fen
    interest_fen: Fen
    balance_fen: Fen
    paid_on: Day | None

    def domain(self) -> Instalment:
        return Instalment(**self.plain())


class StageWire(Wire):
    state: ApplicationState
    at: Moment
    note: Text


class ApplicationWire(Wire):
    application_no: Number
    business: Business
    state: ApplicationState
    submitted_at: Moment
    due_on: Day | None
    amount_fen: Fen | None
    missing: tuple[Text, ...]
    refusal: Text
    stages: Annotated[tuple[StageWire, ...], Field(min_length=1)]
    cancellable: bool

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _require(self.stages[-1].state is self.state, "the last stage is the present state")
        _require(ordered(stage.at for stage in self.stages), "stages are told oldest first")
        _require(not self.cancellable or self.state in OPEN_STATES, "only an open application can be cancelled")
        return self

    def domain(self) -> Application:
        return Application(**self.plain(stages=tuple(Stage(**stage.plain()) for stage in self.stages)))


class CertificateWire(Wire):
    number: Number
    check_code: Number
    kind: CertificateKind
    name: Text
    id_number: IdNumber
    unit_name: Text
    state: AccountState
    opened_on: Day
    paid_to: Month | None
    base_fen: Fen
    personal_percent: Percent
    unit_percent: Percent
    monthly_fen: Fen
    balance_fen: Fen
    paid_months: Count
    consecutive_months: Count
    loans_used: Count
    unsettled_loan: bool
    issued_on: Day
    valid_until: Day

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        _require(self.issued_on <= self.valid_until, "a certificate is valid from its day on")
        _require(self.consecutive_months <= self.paid_months, "consecutive months are among the paid ones")
        return self

    def domain(self) -> Certificate:
        return Certificate(**self.plain())


def ordered(values: Iterable[Any]) -> bool:
    """Whether no value is less than the one before it."""
    return all(before <= after for before, after in pairwise(values))
