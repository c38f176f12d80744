"""A fund core system in memory, with the builders of tests/fund_records.py for what it holds.

A test of something else reads like this::

    fund = FakeFundSystem()
    fund.add(a_person(), accounts=[an_account(balance_fen=123_45)])
    fund.lose_answers = True
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from hotline.domain.clock import SHANGHAI, utc_now
from hotline.domain.fund import (
    OPEN_STATES,
    Account,
    AccountState,
    Application,
    ApplicationState,
    Certificate,
    CertificateKind,
    Contributions,
    Factor,
    FactorKind,
    Instalment,
    LedgerEntry,
    LedgerPage,
    Loan,
    LoanState,
    NewApplication,
    Person,
    Stage,
)
from hotline.fund_system import FundRefused, FundUnavailable, FundUnknown
from tests.fund_records import (
    CARD,
    ID_NUMBER,
    PASSWORD,
    a_ledger,
    a_loan,
    a_person,
    a_schedule,
    an_account,
    an_application,
    contributions,
)

__all__ = [
    "CARD",
    "ID_NUMBER",
    "PASSWORD",
    "FakeFundSystem",
    "a_ledger",
    "a_loan",
    "a_person",
    "a_schedule",
    "an_account",
    "an_application",
    "contributions",
]


@dataclass
class _Held:
    person: Person
    cards: Sequence[str]
    password: str
    accounts: Sequence[Account]
    ledger: Sequence[LedgerEntry]
    contributions: Contributions
    loans: Sequence[Loan]
    schedule: Sequence[Instalment]
    applications: list[Application]


@dataclass
class FakeFundSystem:
    """Holds what it is given; idempotency, one open application a business, and whose record is whose are real.

    ``away``: every call is FundUnavailable. ``slow_s``: every call takes so long. ``refuse(code)``: every write is
    FundRefused. ``lose_answers``: writes happen and raise FundUnknown. ``calls`` are the names of the methods called,
    ``submitted`` what was filed, each application once."""

    now: Callable[[], datetime] = utc_now
    away: bool = False
    slow_s: float = 0.0
    lose_answers: bool = False
    calls: list[str] = field(default_factory=list)
    submitted: list[NewApplication] = field(default_factory=list)
    _refusal: tuple[str, str] = ("", "")
    _held: dict[str, _Held] = field(default_factory=dict)
    _done: dict[tuple[str, str], tuple[object, str]] = field(default_factory=dict)
    """What each key of a person did: the content it came with, and the number that came of it."""
    _certificates: dict[str, Certificate] = field(default_factory=dict)

    def add(
        self,
        person: Person,
        *,
        cards: Sequence[str] = (CARD,),
        password: str = PASSWORD,
        accounts: Sequence[Account] = (),
        ledger: Sequence[LedgerEntry] = (),
        paid: Contributions | None = None,
        loans: Sequence[Loan] = (),
        schedule: Sequence[Instalment] = (),
        applications: Sequence[Application] = (),
    ) -> Person:
        """The person is known from now on. ``ledger`` is that of the first account, ``schedule`` of the first loan."""
        held = _Held(
            person, cards, password, accounts, ledger, paid or contributions(), loans, schedule, list(applications)
        )
        self._held[person.person_no] = held
        return person

    def refuse(self, code: str, *, reference: str = "") -> None:
        """Every write is refused with this code; the empty code ends it."""
        self._refusal = (code, reference)

    def move(
        self, application_no: str, state: ApplicationState, *, missing: Sequence[str] = (), refusal: str = ""
    ) -> Application:
        """The application is in this state from now on."""
        for held in self._held.values():
            for place, old in enumerate(held.applications):
                if old.application_no == application_no:
                    held.applications[place] = self._moved(old, state, missing=missing, refusal=refusal)
                    return held.applications[place]
        raise KeyError(application_no)

    def _moved(
        self, old: Application, state: ApplicationState, *, missing: Sequence[str] = (), refusal: str = ""
    ) -> Application:
        open_early = state in OPEN_STATES - {ApplicationState.PAYING}
        stages = (*old.stages, Stage(state=state, at=self.now()))
        return replace(old, state=state, missing=tuple(missing), refusal=refusal, stages=stages, cancellable=open_early)

    async def identify(self, *, id_number: str, factor: Factor) -> Person | None:
        await self._reached("identify")
        for held in self._held.values():
            right = held.cards if factor.kind is FactorKind.BANK_CARD else (held.password,)
            if held.person.id_number == id_number.upper() and factor.value in right:
                return held.person
        return None

    async def person(self, person_no: str) -> Person:
        return (await self._of("person", person_no)).person

    async def accounts(self, person_no: str) -> Sequence[Account]:
        held = await self._of("accounts", person_no)
        return sorted(held.accounts, key=lambda account: account.state is AccountState.CLOSED)

    async def ledger(
        self,
        person_no: str,
        account_no: str,
        *,
        since: date | None = None,
        until: date | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> LedgerPage:
        held = await self._of("ledger", person_no)
        numbers = [account.account_no for account in held.accounts]
        if account_no not in numbers:
            raise FundRefused("not_found")
        all_of_it = held.ledger if account_no == numbers[0] else ()
        chosen = [e for e in all_of_it if (since or date.min) <= e.posted_on <= (until or date.max)]
        start = int(cursor or 0)
        return LedgerPage(
            entries=tuple(chosen[start : start + limit]),
            cursor=str(start + limit) if start + limit < len(chosen) else None,
            count=len(chosen),
            in_fen=sum(e.amount_fen for e in chosen if e.amount_fen > 0),
            out_fen=-sum(e.amount_fen for e in chosen if e.amount_fen < 0),
        )

    async def contributions(self, person_no: str) -> Contributions:
        return (await self._of("contributions", person_no)).contributions

    async def loans(self, person_no: str) -> Sequence[Loan]:
        held = await self._of("loans", person_no)
        return sorted(held.loans, key=lambda loan: loan.state is LoanState.SETTLED)

    async def schedule(self, person_no: str, loan_no: str, *, first: int = 1, limit: int = 12) -> Sequence[Instalment]:
        held = await self._of("schedule", person_no)
        numbers = [loan.loan_no for loan in held.loans]
        if loan_no not in numbers:
            raise FundRefused("not_found")
        all_of_it = held.schedule if loan_no == numbers[0] else ()
        return [line for line in all_of_it if line.number >= first][:limit]

    async def applications(self, person_no: str) -> Sequence[Application]:
        held = await self._of("applications", person_no)
        newest_first = sorted(held.applications, key=lambda one: one.submitted_at, reverse=True)
        return sorted(newest_first, key=lambda one: one.state not in OPEN_STATES)[:50]

    async def application(self, person_no: str, application_no: str) -> Application:
        held = await self._of("application", person_no)
        return held.applications[_place(held, application_no)]

    async def submit(self, new: NewApplication, *, key: str) -> Application:
        held = await self._of("submit", new.person_no)
        content = (new.business, tuple(sorted(new.fields.items())))
        number = self._repeated(new.person_no, key, content)
        if number is None:
            self._check()
            for one in held.applications:
                if one.business == new.business and one.state in OPEN_STATES:
                    raise FundRefused("open_application", reference=one.application_no)
            number = f"B{sum(len(each.applications) for each in self._held.values()) + 1:06}"
            held.applications.append(self._accepted(new, number))
            self.submitted.append(new)
            self._done[new.person_no, key] = (content, number)
        self._answer()
        return held.applications[_place(held, number)]

    async def submission(self, person_no: str, *, key: str) -> Application | None:
        held = await self._of("submission", person_no)
        done = self._done.get((person_no, key))
        numbers = [one.application_no for one in held.applications]
        return held.applications[numbers.index(done[1])] if done and done[1] in numbers else None

    async def cancel(self, person_no: str, application_no: str, *, key: str) -> Application:
        held = await self._of("cancel", person_no)
        place = _place(held, application_no)
        content = ("cancel", application_no)
        if self._repeated(person_no, key, content) is None:
            self._check()
            if not held.applications[place].cancellable:
                raise FundRefused("wrong_state")
            held.applications[place] = self._moved(held.applications[place], ApplicationState.CANCELLED)
            self._done[person_no, key] = (content, application_no)
        self._answer()
        return held.applications[place]

    async def issue_certificate(self, person_no: str, kind: CertificateKind, *, key: str) -> Certificate:
        held = await self._of("issue_certificate", person_no)
        content = ("certificate", kind)
        number = self._repeated(person_no, key, content)
        if number is None:
            self._check()
            number = f"C{len(self._certificates) + 1:06}"
            self._certificates[number] = self._issued(held, kind, number)
            self._done[person_no, key] = (content, number)
        self._answer()
        return self._certificates[number]

    async def certificate(self, number: str, *, check_code: str) -> Certificate | None:
        await self._reached("certificate")
        found = self._certificates.get(number)
        return found if found and found.check_code == check_code else None

    async def _reached(self, name: str) -> None:
        self.calls.append(name)
        await asyncio.sleep(self.slow_s)
        if self.away:
            raise FundUnavailable("the fund core system is away")

    async def _of(self, name: str, person_no: str) -> _Held:
        await self._reached(name)
        if person_no not in self._held:
            raise FundRefused("not_found")
        return self._held[person_no]

    def _repeated(self, person_no: str, key: str, content: object) -> str | None:
        done = self._done.get((person_no, key))
        if done and done[0] != content:
            raise FundRefused("key_reused")
        return done[1] if done else None

    def _check(self) -> None:
        code, reference = self._refusal
        if code:
            raise FundRefused(code, reference=reference)

    def _answer(self) -> None:
        if self.lose_answers:
            raise FundUnknown("the answer was lost")

    def _accepted(self, new: NewApplication, number: str) -> Application:
        amount = new.fields.get("amount_fen", "")
        return Application(
            application_no=number,
            business=new.business,
            state=ApplicationState.ACCEPTED,
            submitted_at=self.now(),
            due_on=self._today() + timedelta(days=3),
            amount_fen=int(amount) if amount else None,
            stages=(Stage(state=ApplicationState.ACCEPTED, at=self.now()),),
            cancellable=True,
        )

    def _issued(self, held: _Held, kind: CertificateKind, number: str) -> Certificate:
        in_use = [account for account in held.accounts if account.state is not AccountState.CLOSED]
        if not in_use:
            raise FundRefused("not_eligible")
        account, paid = in_use[0], held.contributions
        return Certificate(
            number=number,
            check_code=f"{7919 * int(number[1:]) % 1_000_000:06}",
            kind=kind,
            name=held.person.name,
            id_number=held.person.id_number,
            unit_name=account.unit_name,
            state=account.state,
            opened_on=account.opened_on,
            paid_to=account.paid_to,
            base_fen=account.base_fen,
            personal_percent=account.personal_percent,
            unit_percent=account.unit_percent,
            monthly_fen=account.monthly_fen,
            balance_fen=account.balance_fen,
            paid_months=paid.paid_months,
            consecutive_months=paid.consecutive_months,
            loans_used=len(held.loans),
            unsettled_loan=any(loan.state is not LoanState.SETTLED for loan in held.loans),
            issued_on=self._today(),
            valid_until=self._today() + timedelta(days=30),
        )

    def _today(self) -> date:
        return self.now().astimezone(SHANGHAI).date()


def _place(held: _Held, application_no: str) -> int:
    numbers = [one.application_no for one in held.applications]
    if application_no not in numbers:
        raise FundRefused("not_found")
    return numbers.index(application_no)
