"""The checks that conditions name: pure functions of what is known of a citizen.

Their names and arguments are declared in `knowledge_base.eligibility.PREDICATES`; the two lists are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from hotline.domain.days import DAY, add_months, whole_months
from hotline.domain.fund import OPEN_STATES, Account, AccountState, Loan, LoanState, Marriage, Sex
from hotline.services.eligibility.situation import Situation
from hotline.services.reckoning.figures import Figures
from hotline.services.reckoning.retirement import Post, Retirement, retirement, retirement_range

_LAG_MONTHS = 1
"""A month's contribution may come in the month after it (条例 article 19: five days after pay day)."""


class Status(StrEnum):
    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found. ``why`` names a sentence of wording.yml that ``values`` fill; ``ask``: the question whose
    answer would tell; ``open_on``: the day from which it is met if nothing else changes."""

    status: Status
    why: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    ask: str | None = None
    open_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a check sees. ``figures`` are noted as used; ``names_of_here`` are the centre's city and its districts,
    ``city_suffix`` is what may follow a city's name."""

    situation: Situation
    matter: str
    figures: Figures
    city_suffix: str
    names_of_here: tuple[str, ...] = ()
    arguments: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.figures.on

    def whole(self, argument: str) -> int:
        """The figure that ``argument`` names. Raises: NotInForce."""
        return self.figures.whole(str(self.arguments[argument]))

    def same_city(self, one: str, other: str) -> bool:
        """Whether both name one city: with or without its province, its districts and the word for city."""
        short, long = sorted((each.strip().removesuffix(self.city_suffix) for each in (one, other)), key=len)
        return bool(short) and short in long

    def here(self, place: str) -> bool:
        """Whether ``place`` is the centre's city or a part of it."""
        return self.same_city(place, self.situation.city) or any(name in place for name in self.names_of_here)


Predicate = Callable[[Case], Finding | None]
"""None: the condition does not arise, since another one says already what is missing."""

Check = TypeVar("Check", bound=Predicate)

MET: Final = Finding(status=Status.MET)
NOT_MET: Final = Finding(status=Status.NOT_MET)
UNKNOWN: Final = Finding(status=Status.UNKNOWN)
REGISTRY: Final[dict[str, Predicate]] = {}

OWN_RULES: Final = frozenset({"balance_positive", "has_card", "no_open_application", "not_frozen"})
"""Checks the core system makes by itself at every filing: they hold whatever page they were read on."""


def _predicate(check: Check) -> Check:
    REGISTRY[check.__name__] = check
    return check


def _when(holds: bool | None, *, ask: str | None = None, why: str = "") -> Finding:
    """Met or not, or unknown with the question that would tell."""
    if holds is None:
        return Finding(status=Status.UNKNOWN, ask=ask)
    return Finding(status=Status.MET if holds else Status.NOT_MET, why=why)


def _from(open_on: date, why: str, **values: object) -> Finding:
    """Not met yet; met from ``open_on`` on."""
    return Finding(status=Status.NOT_MET, why=why, values=values, open_on=open_on)


# --- accounts


@_predicate
def account_state(case: Case) -> Finding:
    """``normal``: an account is in use; ``sealed``: one is sealed and none is in use."""
    accounts = case.situation.open_accounts
    if accounts is None:
        return UNKNOWN
    states = {account.state for account in accounts}
    if case.arguments["state"] == "normal":
        return _when(AccountState.NORMAL in states)
    return _when(AccountState.SEALED in states and AccountState.NORMAL not in states)


@_predicate
def balance_positive(case: Case) -> Finding:
    """Something is there that is not frozen."""
    accounts = case.situation.open_accounts
    if accounts is None:
        return UNKNOWN
    free = sum(max(0, account.balance_fen - account.frozen_fen) for account in accounts)
    return Finding(status=Status.MET if free > 0 else Status.NOT_MET, why="balance", values={"fen": free})


@_predicate
def not_frozen(case: Case) -> Finding:
    accounts = case.situation.open_accounts
    return _when(None if accounts is None else not any(account.frozen_fen for account in accounts))


@_predicate
def has_card(case: Case) -> Finding:
    accounts = case.situation.open_accounts
    return _when(None if accounts is None else any(account.card_tail for account in accounts))


@_predicate
def no_open_application(case: Case) -> Finding:
    """The same business is not under way already."""
    applications = case.situation.applications
    if applications is None:
        return UNKNOWN
    return _when(not any(each.business == case.matter and each.state in OPEN_STATES for each in applications))


@_predicate
def sealed_months_at_least(case: Case) -> Finding:
    """Counted from the newest sealing, while no account is in use; months end as 民法典 article 202 says."""
    accounts = case.situation.open_accounts
    if accounts is None:
        return UNKNOWN
    if any(account.state is AccountState.NORMAL for account in accounts):
        return Finding(status=Status.NOT_MET, why="in_use")
    sealed = [account for account in accounts if account.state is AccountState.SEALED]
    return _sealed_since(case, sealed) if sealed else NOT_MET


def _sealed_since(case: Case, sealed: Sequence[Account]) -> Finding:
    days = [account.sealed_on for account in sealed if account.sealed_on is not None]
    if len(days) < len(sealed):
        return UNKNOWN
    since = max(days)
    full_on = add_months(since, case.whole("months"))
    if case.today < full_on:
        return _from(full_on, "sealed_short", since=since)
    return Finding(status=Status.MET, why="sealed", values={"since": since})


@_predicate
def consecutive_months_at_least(case: Case) -> Finding:
    """Months in a row up to now; a run that ended some months ago is broken."""
    paid = case.situation.contributions
    if paid is None:
        return UNKNOWN
    wanted, have = case.whole("months"), paid.consecutive_months
    if paid.last is None:
        return Finding(status=Status.NOT_MET, why="months_short", values={"have": 0, "short": wanted})
    behind = whole_months(paid.last.replace(day=1), case.today.replace(day=1)) - _LAG_MONTHS
    if behind > 1:
        return Finding(status=Status.NOT_MET, why="months_broken", values={"last": paid.last})
    if have < wanted:
        return Finding(status=Status.NOT_MET, why="months_short", values={"have": have, "short": wanted - have})
    if behind == 1:
        return Finding(status=Status.UNKNOWN, why="months_behind", values={"last": paid.last})
    return Finding(status=Status.MET, why="months", values={"have": have})


# --- the person


@_predicate
def household_not_local(case: Case) -> Finding:
    person = case.situation.person
    if person is None or not person.household_city:
        local = case.situation.says("local_household")
        return _when(None if local is None else not local, ask="local_household")
    return _when(not case.same_city(person.household_city, case.situation.city))


@_predicate
def no_home_in_city(case: Case) -> Finding:
    """By the property register; where that is not known, by what was said."""
    person = case.situation.person
    if person is None or person.homes_in_city is None:
        has = case.situation.says("home_in_city")
        return _when(None if has is None else not has, ask="home_in_city", why="" if has is None else "said")
    return _when(person.homes_in_city == 0)


@_predicate
def not_paying_elsewhere(case: Case) -> Finding:
    person = case.situation.person
    if person is None or person.insured_elsewhere is None:
        pays = case.situation.says("paying_elsewhere")
        return _when(None if pays is None else not pays, ask="paying_elsewhere", why="" if pays is None else "said")
    return _when(not person.insured_elsewhere)


@_predicate
def insurance_stopped_months_at_least(case: Case) -> Finding:
    """Social insurance that stopped long ago shows that the work ended; else a paper does; being insured denies it."""
    person = case.situation.person
    stopped = person.insurance_stopped_months if person else None
    if stopped is not None and stopped >= case.whole("months"):
        return Finding(status=Status.MET, why="insurance_stopped", values={"months": stopped})
    if stopped == 0:
        return Finding(status=Status.NOT_MET, why="insured")
    left = case.situation.says("left_job")
    return _when(left, ask="left_job", why="left_with_paper" if left else "")


@_predicate
def reached_retirement_age(case: Case) -> Finding:
    """Of the statutory age, or retired already. A woman's post decides only between the two ages."""
    if case.situation.says("retired"):
        return Finding(status=Status.MET, why="retired_with_paper")
    person = case.situation.person
    if person is None:
        return _when(None, ask="retired")
    earliest, latest = retirement_range(case.figures, birth_on=person.birth_on, sex=person.sex)
    post = case.situation.said.get("post")
    if post in tuple(Post) and person.sex is Sex.FEMALE:
        found = retirement(case.figures, birth_on=person.birth_on, sex=person.sex, post=Post(post))
        earliest = latest = found.reached_on if isinstance(found, Retirement) else latest
    if case.today >= latest:
        return Finding(status=Status.MET, why="of_age", values={"day": latest})
    if case.today >= earliest:
        return Finding(status=Status.UNKNOWN, ask="post", why="by_post", values={"day": latest})
    if earliest < latest:
        return Finding(status=Status.NOT_MET, why="too_young_by_post", values={"first": earliest, "last": latest})
    return _from(latest, "too_young", day=latest)


@_predicate
def age_below(case: Case) -> Finding:
    person = case.situation.person
    if person is None:
        return UNKNOWN
    return _when(case.today < add_months(person.birth_on, 12 * case.whole("years")))


# --- loans


@_predicate
def no_unsettled_fund_loan(case: Case) -> Finding:
    loans = case.situation.unsettled_loans
    return _when(None if loans is None else not loans)


@_predicate
def has_unsettled_fund_loan(case: Case) -> Finding:
    loans = case.situation.unsettled_loans
    return _when(None if loans is None else bool(loans))


@_predicate
def has_home_loan(case: Case) -> Finding:
    """The fund's own is known; a bank's is only known from what was said."""
    if case.situation.unsettled_loans:
        return Finding(status=Status.MET, why="fund_loan")
    says = case.situation.says("home_loan")
    return _when(says, ask="home_loan", why="" if says is None else "said")


@_predicate
def fund_loans_used_below(case: Case) -> Finding:
    """By this centre's records; loans of other centres are seen at the review."""
    loans = case.situation.loans
    return _when(None if loans is None else len(loans) < case.whole("times"), why="own_records")


@_predicate
def no_overdue(case: Case) -> Finding:
    loans = case.situation.unsettled_loans
    if loans is None:
        return UNKNOWN
    fen = sum(loan.overdue_fen for loan in loans)
    late = any(loan.state is LoanState.OVERDUE or loan.overdue_instalments for loan in loans)
    if not late:
        return MET
    return Finding(status=Status.NOT_MET, why="overdue" if fen else "", values={"fen": fen})


@_predicate
def repaid_months_at_least(case: Case) -> Finding | None:
    return _repaid(case, case.whole("months"))


@_predicate
def repaid_years_at_least(case: Case) -> Finding | None:
    return _repaid(case, 12 * case.whole("years"))


def _repaid(case: Case, wanted: int) -> Finding | None:
    """Of the loan that has been repaid longest; without a loan it does not arise."""
    loans = case.situation.unsettled_loans
    if loans is None:
        return UNKNOWN
    if not loans:
        return None
    loan = max(loans, key=lambda each: each.paid_instalments)
    if loan.paid_instalments >= wanted:
        return Finding(status=Status.MET, why="repaid", values={"have": loan.paid_instalments})
    return _short_of(loan, wanted)


def _short_of(loan: Loan, wanted: int) -> Finding:
    short = wanted - loan.paid_instalments
    values = {"have": loan.paid_instalments, "short": short}
    if loan.next_due_on is None:
        return Finding(status=Status.NOT_MET, why="repaid_short", values=values)
    last_due_on = add_months(loan.next_due_on, short - 1)
    return _from(last_due_on + DAY, "repaid_short", **values)


@_predicate
def monthly_repayment_agreed(case: Case) -> Finding:
    """Asked of loans applied for since a year. A loan granted in that year may have been applied for before it."""
    loans = case.situation.unsettled_loans
    year = case.whole("year")
    if loans and all(loan.monthly_withdrawal or loan.granted_on.year < year for loan in loans):
        return MET
    return Finding(status=Status.UNKNOWN, why="sign_monthly")


# --- the home, and what only the citizen can say


@_predicate
def house_place_allowed(case: Case) -> Finding:
    """In the centre's city, in that of the household or the spouse's, or, without a home here, in a neighbour's."""
    place = case.situation.said.get("house_city")
    if not place:
        return Finding(status=Status.UNKNOWN, ask="house_city")
    person = case.situation.person
    own = [person.household_city if person else "", case.situation.said.get("spouse_city", "")]
    if case.here(place) or any(case.same_city(place, city) for city in own):
        return MET
    if any(case.same_city(place, city) for city in case.arguments["neighbours"]):
        found = no_home_in_city(case)
        return Finding(status=found.status, ask=found.ask, why="neighbour")
    may_be_married = person is None or person.marriage in (None, Marriage.MARRIED)
    if may_be_married and "spouse_city" not in case.situation.said:
        return Finding(status=Status.UNKNOWN, ask="spouse_city")
    return NOT_MET


@_predicate
def said_yes(case: Case) -> Finding:
    question = str(case.arguments["question"])
    says = case.situation.says(question)
    return _when(says, ask=question, why="" if says is None else "said")


@_predicate
def said_no(case: Case) -> Finding:
    question = str(case.arguments["question"])
    says = case.situation.says(question)
    return _when(None if says is None else not says, ask=question, why="" if says is None else "said")
