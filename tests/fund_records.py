"""Records of a fund core system with sensible defaults: each is true in itself, and any field may be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hotline.domain.fund import (
    Account,
    AccountKind,
    AccountState,
    Application,
    ApplicationState,
    Contributions,
    Instalment,
    LedgerEntry,
    LedgerKind,
    Loan,
    LoanState,
    Person,
    RepayMethod,
    Sex,
    Stage,
)

ID_NUMBER = "440106199003072015"
CARD = "6217003320001234569"
PASSWORD = "246813"


def a_person(**changes: object) -> Person:
    """陈家明, single, first home ahead of him."""
    person = Person(
        person_no="P000001",
        name="陈家明",
        id_number=ID_NUMBER,
        mobile="13800135678",
        birth_on=date(1990, 3, 7),
        sex=Sex.MALE,
        household_city="广州",
    )
    return replace(person, **changes)  # type: ignore[arg-type]


def an_account(**changes: object) -> Account:
    """In use, 2400 yuan a month, paid to October 2026."""
    account = Account(
        account_no="A000001",
        unit_no="U0001",
        unit_name="广州星河软件有限公司",
        kind=AccountKind.EMPLOYED,
        state=AccountState.NORMAL,
        opened_on=date(2016, 7, 1),
        base_fen=10_000_00,
        personal_percent=Decimal(12),
        unit_percent=Decimal(12),
        monthly_fen=2_400_00,
        balance_fen=86_520_35,
        paid_to=date(2026, 10, 1),
        card_tail=CARD[-4:],
    )
    return replace(account, **changes)  # type: ignore[arg-type]


def a_ledger(
    *amounts_fen: int, balance_fen: int = 86_520_35, last_on: date = date(2026, 10, 20)
) -> tuple[LedgerEntry, ...]:
    """Postings newest first, one a month back from ``last_on``; ``balance_fen`` is the balance after the newest."""
    entries = []
    for place, amount in enumerate(amounts_fen):
        kind = LedgerKind.REMIT if amount >= 0 else LedgerKind.WITHDRAW
        posted = last_on - timedelta(days=30 * place)
        month = posted.replace(day=1) if amount >= 0 else None
        entries.append(
            LedgerEntry(
                entry_no=f"E{len(amounts_fen) - place:06}",
                posted_on=posted,
                kind=kind,
                amount_fen=amount,
                balance_fen=balance_fen,
                month=month,
            )
        )
        balance_fen -= amount
    return tuple(entries)


def contributions(**changes: object) -> Contributions:
    """24 months without a gap, November 2024 to October 2026."""
    paid = Contributions(first=date(2024, 11, 1), last=date(2026, 10, 1), paid_months=24, consecutive_months=24)
    return replace(paid, **changes)  # type: ignore[arg-type]


def a_loan(**changes: object) -> Loan:
    """Being repaid, 600 000 yuan over 20 years, first home."""
    loan = Loan(
        loan_no="L000001",
        state=LoanState.REPAYING,
        amount_fen=600_000_00,
        granted_on=date(2023, 5, 18),
        term_months=240,
        method=RepayMethod.EQUAL_INSTALMENT,
        rate_percent=Decimal("2.6"),
        balance_fen=532_410_62,
        paid_instalments=41,
        next_due_on=date(2026, 12, 18),
        next_principal_fen=2_075_30,
        next_interest_fen=1_153_56,
        card_tail=CARD[-4:],
    )
    return replace(loan, **changes)  # type: ignore[arg-type]


def a_schedule(
    count: int = 12, *, first: int = 42, balance_fen: int = 532_410_62, principal_fen: int = 2_075_30
) -> tuple[Instalment, ...]:
    """Lines of equal principal, one a month on the 18th, number 42 in December 2026; ``balance_fen`` is owed before
    them."""
    lines = []
    for number in range(first, first + count):
        month = 2026 * 12 + 11 + number - 42
        balance_fen -= principal_fen
        lines.append(
            Instalment(
                number=number,
                due_on=date(month // 12, month % 12 + 1, 18),
                principal_fen=principal_fen,
                interest_fen=1_153_56,
                balance_fen=balance_fen,
            )
        )
    return tuple(lines)


def an_application(**changes: object) -> Application:
    """A rent withdrawal being checked, filed on 16 November 2026."""
    filed = datetime(2026, 11, 16, 2, 30, tzinfo=UTC)
    application = Application(
        application_no="B000001",
        business="withdraw-rent",
        state=ApplicationState.CHECKING,
        submitted_at=filed,
        due_on=date(2026, 11, 19),
        amount_fen=1_400_00,
        stages=(
            Stage(state=ApplicationState.ACCEPTED, at=filed),
            Stage(state=ApplicationState.CHECKING, at=filed + timedelta(hours=1)),
        ),
        cancellable=True,
    )
    return replace(application, **changes)  # type: ignore[arg-type]
