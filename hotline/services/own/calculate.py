"""Sums on own or given figures: what can be borrowed, what it costs a month, what prepaying saves, what rent allows.

Anybody may reckon; whoever is known need not be asked for what the core system knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

from hotline.domain.days import add_months, cleaned
from hotline.domain.fund import LoanState, RepayMethod, Sex
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.domain.spoken_amounts import AmountProblem, parse_amount
from hotline.fund_system import FundSystem
from hotline.services.own.fields import Field, FieldKind, Unread, read
from hotline.services.own.skill import Ask, Declined, Task, Told, by_channel
from hotline.services.own.words import Words
from hotline.services.reckoning.loanable import Applicant, LoanWish, loanable
from hotline.services.reckoning.needs import Missing, Need
from hotline.services.reckoning.rent import RentWish, rent_limit
from hotline.services.reckoning.repayment import PrepayWish, RepaymentWish, monthly_payment, prepayment
from hotline.services.reckoning.retirement import Post
from hotline.services.reckoning.saying import ask as ask_for
from hotline.services.reckoning.saying import say
from hotline.services.understanding import BY_NUMBER
from knowledge_base.errors import NotInForce

_WORDS = Words("calculate")
Inputs = Mapping[str, str]

PAYMENT, PREPAY, LOANABLE, RENT = "payment", "prepay", "loanable", "rent"
MATTERS: Final[Mapping[str, str]] = {
    PAYMENT: "loan-repay",
    PREPAY: "loan-prepay",
    LOANABLE: "loan-amount",
    RENT: "withdraw-rent",
}
FULL: Final = "full"
HOME: Final = "home"
CHILDREN: Final = "children"
RATE: Final = "rate"
METHOD: Final = "method"
OLDEST: Final = 100
"""Years of age beyond which a day of birth is a slip."""


class Calculate:
    """Runs for the intent ``calculate``."""

    intent = "calculate"
    matter = "loan-amount"
    own_only = False

    def __init__(self, fund: FundSystem) -> None:
        self._fund = fund

    def needs(self, channel: ChannelName) -> Level:
        return Level.ANONYMOUS

    async def answer(self, ask: Ask) -> Told:
        kind = _kind(ask)
        if kind is None:
            return self._which(ask)
        return await self._reckoned(ask, kind, _given(kind, ask))

    async def go_on(self, ask: Ask, task: Task) -> Told | None:
        named = _named(ask)
        if named and named != task.about:
            return await self.answer(ask)
        if task.about == "":
            return None
        need = Need(task.asking)
        if need is Need.PAID and _in_full(ask):
            return await self._reckoned(ask, task.about, {**task.inputs, FULL: "yes"})
        value = _read(need, ask)
        if isinstance(value, Unread):
            if value.problem is None:
                return None
            again = self._asked(ask, task.about, need, task.inputs)
            return replace(again, text=f"{value.problem}\n{again.text}")
        return await self._reckoned(ask, task.about, {**task.inputs, need.value: value})

    async def ask_again(self, ask: Ask, task: Task) -> Told:
        if task.about == "":
            return self._which(ask)
        return self._asked(ask, task.about, Need(task.asking), task.inputs)

    def leave(self, ask: Ask, task: Task) -> Told:
        return Told(text=_WORDS.say("left", ask.channel))

    def _which(self, ask: Ask) -> Told:
        labels = list(_WORDS.find("kinds").values())
        choices = tuple(Choice(label=label, text=label) for label in labels) if ask.channel not in BY_NUMBER else ()
        task = Task(skill=self.intent, asking="kind")
        return Told(text=_WORDS.say("which", ask.channel), choices=choices, task=task, outcome=Outcome.CLARIFIED)

    async def _reckoned(self, ask: Ask, kind: str, said: Inputs) -> Told:
        """The result, or the one thing that is needed next. Only what was ``said`` is kept with the task."""
        known = await self._known(ask, kind)
        try:
            result = _CALCULATORS[kind](ask, {**known, **said})
        except NotInForce as error:
            raise Declined("no_figure") from error
        except ValueError as error:
            raise Declined("not_possible") from error
        if isinstance(result, Missing):
            return self._asked(ask, kind, result.needs[0], said)
        return Told(text=say(result, ask.channel), matter=MATTERS[kind])

    def _asked(self, ask: Ask, kind: str, need: Need, said: Inputs) -> Told:
        choices = _choices(need) if ask.channel not in BY_NUMBER else ()
        task = Task(skill=self.intent, about=kind, asking=str(need), inputs=said)
        text = ask_for(need)
        return Told(text=text, choices=choices, task=task, matter=MATTERS[kind], outcome=Outcome.CLARIFIED)

    async def _known(self, ask: Ask, kind: str) -> dict[str, str]:
        """What the core system knows of who is known. Nothing personal for whoever has not proven himself here, and
        nothing at all in an SMS."""
        if ask.known is None or ask.known.level < by_channel(ask.channel) or ask.channel is ChannelName.SMS:
            return {}
        if kind == PAYMENT:
            return {}
        if kind == PREPAY:
            return await self._loan(ask)
        person = await self._fund.person(ask.known.person_no)
        accounts = [each for each in await self._fund.accounts(ask.known.person_no) if each.closed_on is None]
        known: dict[str, str] = {Need.BALANCE: str(sum(each.balance_fen for each in accounts))}
        if person.children is not None:
            known[CHILDREN] = str(person.children)
        if kind == LOANABLE:
            known[Need.MONTHLY] = str(sum(each.monthly_fen for each in accounts if each.sealed_on is None))
            known[Need.BIRTH] = person.birth_on.isoformat()
            known[Need.SEX] = str(person.sex)
        return known

    async def _loan(self, ask: Ask) -> dict[str, str]:
        loans = await self._fund.loans(ask.person_no)
        loan = next((each for each in loans if each.state is not LoanState.SETTLED), None)
        if loan is None:
            return {}
        return {
            Need.OWED: str(loan.balance_fen),
            Need.LEFT: str(loan.term_months - loan.paid_instalments),
            RATE: str(loan.rate_percent),
            METHOD: str(loan.method),
            HOME: str(loan.home_number),
        }


def _kind(ask: Ask) -> str | None:
    """Which sum is meant: by its words, else by the matter the message is about."""
    return _named(ask) or next((kind for kind, matter in MATTERS.items() if matter == ask.matter), None)


def _named(ask: Ask) -> str | None:
    for kind, words in _WORDS.find("words").items():
        if any(word in ask.text for word in words):
            return str(kind)
    return None


def _given(kind: str, ask: Ask) -> dict[str, str]:
    """The figures that stand in the message."""
    found = {HOME: "2"} if ask.facts.get("home_count") == "second" else {}
    months = _months(ask, Need.LEFT if kind == PREPAY else Need.TERM)
    text = _patterns()["term"].sub(",", ask.text)
    if not isinstance(months, Unread):
        found[str(Need.LEFT if kind == PREPAY else Need.TERM)] = months
    amount = parse_amount(text)
    wanted = {PAYMENT: Need.AMOUNT, PREPAY: Need.PAID}.get(kind)
    if wanted and not isinstance(amount, AmountProblem):
        found[str(wanted)] = str(amount)
    if kind == PREPAY and _in_full(ask):
        found[FULL] = "yes"
    return found


def _in_full(ask: Ask) -> bool:
    return any(word in ask.text for word in _WORDS.find("full_words"))


def _months(ask: Ask, need: Need) -> str | Unread:
    """A term in months: years, months or instalments. A bare number is years for a term and instalments for what is
    left, as the questions ask for them."""
    import cn2an

    found = _patterns()["term"].search(ask.text)
    bare = None if found else _patterns()["bare"].fullmatch(ask.text.strip())
    read_as = found or bare
    if read_as is None:
        return Unread()
    try:
        number = Decimal(str(cn2an.cn2an(read_as["number"], "smart")))
    except ValueError:
        return Unread()
    in_months = need is Need.LEFT if found is None else bool(found["months"])
    half = 6 if found is not None and found["half"] else 0
    months = number * (1 if in_months else 12) + half
    most = int(_WORDS.find("most_years")) * 12
    if months != int(months) or not 1 <= months <= most:
        return Unread(_WORDS.say("term_range", ask.channel, most=most // 12))
    return str(int(months))


def _born(ask: Ask) -> str | Unread:
    """A day of birth; two digits of a year are of the last hundred years."""
    found = _patterns()["birth"].fullmatch(cleaned(ask.text))
    if found is None:
        return Unread()
    year = int(found["year"])
    if year < 100:
        century = ask.today.year // 100 * 100
        year += century if century + year <= ask.today.year else century - 100
    try:
        born = date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        return Unread()
    return born.isoformat() if add_months(born, 12 * OLDEST) > ask.today > born else Unread()


def _read(need: Need, ask: Ask) -> str | Unread:
    """The answer in the message to the question for ``need``."""
    if need in _MONTHS:
        return _months(ask, need)
    return _born(ask) if need is Need.BIRTH else read(_field(need), ask)


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in _WORDS.find("patterns").items()}


_MONTHS: Final = (Need.TERM, Need.LEFT)
_KINDS: Final[Mapping[Need, FieldKind]] = {
    Need.SEX: FieldKind.CHOICE,
    Need.POST: FieldKind.CHOICE,
    Need.MINOR: FieldKind.YES_NO,
}


def _field(need: Need) -> Field:
    kind = _KINDS.get(need, FieldKind.AMOUNT)
    choices = _WORDS.find("choices").get(need.value)
    return Field(name=str(need), kind=kind, choices=choices)


def _choices(need: Need) -> tuple[Choice, ...]:
    labels = (_field(need).choices or {}).values()
    return tuple(Choice(label=label, text=label) for label in labels)


def _whole(inputs: Inputs, need: str) -> int | None:
    value = inputs.get(need)
    return None if value is None else int(value)


def _payment(ask: Ask, inputs: Inputs) -> object:
    wish = RepaymentWish(
        amount_fen=_whole(inputs, Need.AMOUNT), months=_whole(inputs, Need.TERM), home_number=int(inputs.get(HOME, 1))
    )
    return monthly_payment(ask.catalogue, wish, ask.today)


def _prepay(ask: Ask, inputs: Inputs) -> object:
    wish = PrepayWish(
        owed_fen=_whole(inputs, Need.OWED),
        months=_whole(inputs, Need.LEFT),
        rate_percent=Decimal(inputs[RATE]) if RATE in inputs else None,
        method=RepayMethod(inputs.get(METHOD, RepayMethod.EQUAL_INSTALMENT)),
        home_number=int(inputs.get(HOME, 1)),
        paid_fen=_whole(inputs, Need.PAID),
        in_full=FULL in inputs,
    )
    return prepayment(ask.catalogue, wish, ask.today)


def _loanable(ask: Ask, inputs: Inputs) -> object:
    applicant = Applicant(
        balance_fen=_whole(inputs, Need.BALANCE),
        monthly_fen=_whole(inputs, Need.MONTHLY),
        birth_on=date.fromisoformat(inputs[Need.BIRTH]) if Need.BIRTH in inputs else None,
        sex=Sex(inputs[Need.SEX]) if Need.SEX in inputs else None,
        post=Post(inputs[Need.POST]) if Need.POST in inputs else None,
    )
    wish = LoanWish(
        applicants=(applicant,),
        children=_whole(inputs, CHILDREN),
        home_number=int(inputs.get(HOME, 1)),
        months=_whole(inputs, Need.TERM),
    )
    return loanable(ask.catalogue, wish, ask.today)


def _rent(ask: Ask, inputs: Inputs) -> object:
    minor = inputs.get(Need.MINOR)
    wish = RentWish(
        children=_whole(inputs, CHILDREN),
        has_minor=None if minor is None else minor == "yes",
        months=1,
        balance_fen=_whole(inputs, Need.BALANCE),
    )
    return rent_limit(ask.catalogue, wish, ask.today)


_CALCULATORS: Final[Mapping[str, Callable[[Ask, Inputs], Any]]] = {
    PAYMENT: _payment,
    PREPAY: _prepay,
    LOANABLE: _loanable,
    RENT: _rent,
}
