"""Results in words: the short answer first, then the formula, the figures with their dates, and that review decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from hotline.domain import money
from hotline.domain.messages import ChannelName
from hotline.services.reckoning.figures import Used
from hotline.services.reckoning.loanable import LoanableAmount
from hotline.services.reckoning.needs import Need
from hotline.services.reckoning.rent import RentLimit
from hotline.services.reckoning.repayment import MonthlyPayment, PrepaymentSaving
from hotline.services.reckoning.retirement import Retirement

Result = LoanableAmount | MonthlyPayment | PrepaymentSaving | RentLimit | Retirement

FULL: Final = (ChannelName.WEB, ChannelName.WECHAT)
"""Channels with room for the formula and the figures."""

_THOUSAND_FEN: Final = 1000 * money.FEN_A_YUAN


@cache
def wording() -> dict[str, Any]:
    """The parsed wording.yml. Callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load((files(__package__) / "wording.yml").read_text(encoding="utf-8"))
    return loaded


def say(result: Result, channel: ChannelName) -> str:
    """The result as ``channel`` says it: one sentence on the telephone and by SMS, everything elsewhere."""
    short, more = _said(result, channel)
    if channel not in FULL:
        return short + str(wording()["reviewed_short"])
    words = wording()
    return str(words["lines"]).join(line for line in (short, *more, _figures(result.used), words["reviewed"]) if line)


def ask(need: Need) -> str:
    """The question for ``need``."""
    return str(wording()["ask"][need.value])


def _said(result: Result, channel: ChannelName) -> tuple[str, list[str]]:
    """The short answer, and the lines that explain it."""
    match result:
        case LoanableAmount():
            return _loanable(result, channel)
        case MonthlyPayment():
            return _monthly(result, channel)
        case PrepaymentSaving():
            return _prepay(result, channel)
        case RentLimit():
            return _rent(result, channel)
        case Retirement():
            return _retirement(result)


def _loanable(result: LoanableAmount, channel: ChannelName) -> tuple[str, list[str]]:
    words, written = wording()["loanable"], _money(channel, rounded=True)
    if not result.months:
        return str(words["too_old"]), []
    short = _in(words["short"], channel, amount=written(result.amount_fen), why=words["why"][result.binding.kind])
    lines = [str(words["formula"])]
    lines += [
        words["limit"][limit.kind].format(amount=written(limit.amount_fen), **_parts(result)) for limit in result.limits
    ]
    days = wording()["joiner"].join(day(found.reached_on) for found in result.retirements)
    return short, [*lines, words["retire"].format(day=days)]


def _parts(result: LoanableAmount) -> dict[str, object]:
    """What the lines about limits mention."""
    written = {used.name: used.written for used in result.used}
    down = next((text for name, text in written.items() if name.startswith("loan_down_payment")), "")
    several = len(result.wish.applicants) > 1
    return {
        "multiple": next(used.value for used in result.used if used.name == "loan_balance_multiple"),
        "share": written.get("loan_income_share", ""),
        "down": down,
        "months": result.months,
        "rate": result.rate_percent,
        "people": wording()["loanable"]["people"] if several else "",
    }


def _monthly(result: MonthlyPayment, channel: ChannelName) -> tuple[str, list[str]]:
    words, written = wording()["monthly"], _money(channel)
    equal, principal = result.equal_instalment, result.equal_principal
    short = _in(
        words["short"],
        channel,
        amount=_money(channel, rounded=True)(equal.terms.principal_fen),
        months=equal.terms.months,
        rate=equal.terms.rate_percent,
        equal=written(equal.first_fen),
        first=written(principal.first_fen),
    )
    less = written(equal.interest_fen - principal.interest_fen)
    interest = words["interest"].format(
        equal=written(equal.interest_fen), principal=written(principal.interest_fen), less=less
    )
    return short, [interest, str(words["formula"])]


def _prepay(result: PrepaymentSaving, channel: ChannelName) -> tuple[str, list[str]]:
    words, written = wording()["prepay"], _money(channel)
    term, end = result.keep_term, result.keep_instalment
    terms = term.before.terms
    formula = words["formula"].format(rate=terms.rate_percent, left=terms.months)
    if result.too_little_fen is not None:
        least = _money(channel, rounded=True)(result.too_little_fen)
        return str(words["too_little"]).format(least=least), []
    if term.after is None:
        short = _in(
            words["full"], channel, owed=written(terms.principal_fen), saved=written(_whole_yuan(term.saved_fen))
        )
        return short, [str(words["full_due"]), formula]
    short = _in(
        words["part"],
        channel,
        paid=written(term.paid_fen),
        saved_end=written(_whole_yuan(end.saved_fen)),
        saved_term=written(_whole_yuan(term.saved_fen)),
        months=end.months_saved,
        new=written(term.after.first_fen),
    )
    return short, [formula]


def _rent(result: RentLimit, channel: ChannelName) -> tuple[str, list[str]]:
    words, written, wish = wording()["rent"], _money(channel), result.wish
    people = words["people"].format(count=wish.people) if wish.people > 1 else ""
    parts = {"household": written(result.household_fen), "people": people, "months": wish.months}
    template = words["one_month"] if wish.months == 1 else words["short"]
    if result.by_balance:
        template = words["balance"]
    short = _in(template, channel, total=written(result.total_fen), **parts)
    more = [words["registered"]] if wish.registered else [words["formula"]]
    return short, [str(line) for line in (*more, words["children"] if result.with_children else "")]


def _retirement(result: Retirement) -> tuple[str, list[str]]:
    words = wording()["retirement"]
    months = words["months"].format(count=result.months) if result.months else ""
    short = words["short"].format(day=day(result.reached_on), years=result.years, months=months)
    return str(short), [str(words["check"])]


def _figures(used: Iterable[Used]) -> str:
    """The figures that tell something, those of one day and strength together."""
    words = wording()
    told = [each for each in used if not each.name.startswith(tuple(words["quiet"]))]
    groups: dict[tuple[date, str], list[str]] = {}
    for each in told:
        item = words["figure"].format(title=each.title, value=each.written)
        groups.setdefault((each.effective_from, each.source.strength), []).append(item)
    parts = [
        words["figures"].format(
            figures=words["figure_joiner"].join(items), day=day(since), doubt=words["doubt"][strength]
        )
        for (since, strength), items in groups.items()
    ]
    return str(words["used"]).format(figures=words["joiner"].join(parts)) if parts else ""


def day(on: date) -> str:
    """A date as people read it."""
    return str(wording()["date"]).format(year=on.year, month=on.month, day=on.day)


def _money(channel: ChannelName, *, rounded: bool = False) -> Callable[[int], str]:
    """Words on the telephone, digits elsewhere; ``rounded``: an estimate, whole thousands above ten thousand yuan."""

    def written(fen: int) -> str:
        if rounded:
            fen -= fen % (_THOUSAND_FEN if fen >= money.FEN_A_TEN_THOUSAND else money.FEN_A_YUAN)
        if channel is ChannelName.VOICE:
            return money.spoken(fen)
        return money.ten_thousands(fen) if rounded else money.yuan(fen)

    return written


def _whole_yuan(fen: int) -> int:
    """What is only about so much, without its fen."""
    return fen - fen % money.FEN_A_YUAN


def _in(variants: Any, channel: ChannelName, **values: object) -> str:
    """The channel's variant with its values."""
    text = variants if isinstance(variants, str) else variants.get(channel.value, variants["default"])
    return str(text).format(**values)
