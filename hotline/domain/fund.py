"""What the fund core system knows, in the terms of the data standard JGJ/T 320-2014; docs/glossary.md maps them.

Money is ``int`` fen, shares are ``Decimal`` per cent, months are the first day of the month, dates are Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class FactorKind(StrEnum):
    """What only the person should have or know, checked by the core system."""

    BANK_CARD = "bank_card"
    """Number of the card tied to the account (联名卡)."""
    QUERY_PASSWORD = "query_password"  # noqa: S105 - the name of a kind
    """Password of the person's query service, six digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """``value`` is a secret: never logged, never stored."""

    kind: FactorKind
    value: str = field(repr=False)


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


class Marriage(StrEnum):
    SINGLE = "single"
    MARRIED = "married"
    DIVORCED = "divorced"
    WIDOWED = "widowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Employer:
    """A unit (单位) a person is the clerk (专办员) of."""

    unit_no: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contributor as the core system knows him. What the core does not know is None: it has to be asked for."""

    person_no: str
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    mobile: str = field(repr=False)
    """Where codes are sent: the number on record at the fund, 11 digits; empty when there is none."""
    birth_on: date
    sex: Sex
    household_city: str
    """City of the registered residence (户籍)."""
    marriage: Marriage | None = None
    children: int | None = None
    homes_in_city: int | None = None
    """Homes of the family (self, spouse, minor children) in the centre's city, by the property register."""
    insured_elsewhere: bool | None = None
    """Whether social insurance or a fund account elsewhere is being paid into."""
    insurance_stopped_months: int | None = None
    """Full months since social insurance in the centre's city stopped; 0: it is being paid."""
    clerk_of: tuple[Employer, ...] = ()


class AccountKind(StrEnum):
    EMPLOYED = "employed"
    FLEXIBLE = "flexible"


class AccountState(StrEnum):
    NORMAL = "normal"
    SEALED = "sealed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person's account (个人账户) with one employer, or as a flexible worker."""

    account_no: str = field(repr=False)
    unit_no: str
    unit_name: str
    kind: AccountKind
    state: AccountState
    opened_on: date
    sealed_on: date | None = None
    closed_on: date | None = None
    base_fen: int
    """Contribution base (缴存基数) a month."""
    personal_percent: Decimal
    unit_percent: Decimal
    monthly_fen: int
    """Both parts together."""
    balance_fen: int
    frozen_fen: int = 0
    """Part of the balance a court or another authority has frozen."""
    frozen_by: str = ""
    paid_to: date | None = None
    """The last month that is paid (缴至年月)."""
    card_tail: str = ""
    """Last four digits of the bank card that withdrawals are paid to; empty when none is tied."""


class LedgerKind(StrEnum):
    REMIT = "remit"
    MAKEUP = "makeup"
    INTEREST = "interest"
    WITHDRAW = "withdraw"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One posting. ``amount_fen`` is positive for what comes in; ``balance_fen`` is the balance after it."""

    entry_no: str
    posted_on: date
    kind: LedgerKind
    amount_fen: int
    balance_fen: int
    month: date | None = None
    """The month a contribution is for."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Postings of one account, newest first; ``cursor`` fetches the next page, None: there is none.

    ``in_fen`` and ``out_fen`` (both positive) and ``count`` are sums over the whole period asked for, not the page."""

    entries: tuple[LedgerEntry, ...]
    cursor: str | None
    count: int
    in_fen: int
    out_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Months without a contribution, both ends included."""

    first: date
    last: date

    @property
    def months(self) -> int:
        return (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Over all accounts of a person. ``consecutive`` counts back from ``last`` to the newest gap."""

    first: date | None
    last: date | None
    paid_months: int
    consecutive_months: int
    gaps: tuple[Gap, ...] = ()
    """Oldest first; months before the first and after the last contribution are no gaps."""


class LoanState(StrEnum):
    REPAYING = "repaying"
    OVERDUE = "overdue"
    SETTLED = "settled"


class RepayMethod(StrEnum):
    EQUAL_INSTALMENT = "equal_instalment"
    """等额本息."""
    EQUAL_PRINCIPAL = "equal_principal"
    """等额本金."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A fund loan of the person, as borrower or co-borrower."""

    loan_no: str = field(repr=False)
    state: LoanState
    amount_fen: int
    granted_on: date
    term_months: int
    method: RepayMethod
    rate_percent: Decimal
    """A year, now."""
    next_rate_percent: Decimal | None = None
    next_rate_on: date | None = None
    """The day the next rate begins; both None while no change is fixed."""
    balance_fen: int
    paid_instalments: int
    next_due_on: date | None = None
    next_principal_fen: int = 0
    next_interest_fen: int = 0
    overdue_instalments: int = 0
    overdue_fen: int = 0
    home_number: int = 1
    """1: bought as first home, 2: as second."""
    card_tail: str = ""
    settled_on: date | None = None
    monthly_withdrawal: bool = False
    """Whether the account pays the instalments (按月还贷)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One line of a loan's schedule; ``balance_fen`` is what is owed after it."""

    number: int
    due_on: date
    principal_fen: int
    interest_fen: int
    balance_fen: int
    paid_on: date | None = None


class ApplicationState(StrEnum):
    """Where an application is. The first five are open: the same person may not file the same business again."""

    ACCEPTED = "accepted"
    CHECKING = "checking"
    REVIEWING = "reviewing"
    SUPPLEMENT = "supplement"
    """Something is missing; the time limit stands still until it is there."""
    PAYING = "paying"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


OPEN_STATES = frozenset(
    {
        ApplicationState.ACCEPTED,
        ApplicationState.CHECKING,
        ApplicationState.REVIEWING,
        ApplicationState.SUPPLEMENT,
        ApplicationState.PAYING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A state an application has been in since ``at``."""

    state: ApplicationState
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A filed application. ``business`` is a matter code of the catalogue."""

    application_no: str
    business: str
    state: ApplicationState
    submitted_at: datetime
    due_on: date | None
    """Until when the centre must have decided, by the working-day calendar."""
    amount_fen: int | None = None
    missing: tuple[str, ...] = ()
    """What has to be brought, while the state is SUPPLEMENT."""
    refusal: str = ""
    stages: tuple[Stage, ...] = ()
    """Oldest first; the last one is the present state."""
    cancellable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """What is filed. ``fields`` are the business's own, strings: amounts in fen, dates and months ISO, see
    docs/fund-core-api.yaml. ``confirmed_at``: when the citizen agreed to the summary he was shown."""

    person_no: str
    business: str
    fields: Mapping[str, str]
    confirmed_at: datetime
    channel: str


class CertificateKind(StrEnum):
    DEPOSIT = "deposit"
    """缴存证明."""
    OTHER_CITY_LOAN = "other_city_loan"
    """For a loan in another city (异地贷款)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Issued by the core system, which also answers for it: number and check code verify it."""

    number: str
    check_code: str
    kind: CertificateKind
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    unit_name: str
    state: AccountState
    opened_on: date
    paid_to: date | None
    base_fen: int
    personal_percent: Decimal
    unit_percent: Decimal
    monthly_fen: int
    balance_fen: int
    paid_months: int
    consecutive_months: int
    loans_used: int
    unsettled_loan: bool
    issued_on: date
    valid_until: date
