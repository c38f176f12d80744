"""The citizen's fund loan: what is owed, what is due next, at which rate."""

from __future__ import annotations

from hotline.domain.fund import Loan, LoanState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.fund_system import FundSystem
from hotline.services.own.skill import COMMON, Ask, Told, by_channel, day, money
from hotline.services.own.words import Words

_WORDS = Words("loan")


class LoanStatus:
    """Runs for the intent ``ask_loan``."""

    intent = "ask_loan"
    matter = "query-loan"
    own_only = True

    def __init__(self, fund: FundSystem) -> None:
        self._fund = fund

    def needs(self, channel: ChannelName) -> Level:
        return by_channel(channel)

    async def answer(self, ask: Ask) -> Told:
        loans = await self._fund.loans(ask.person_no)
        if not loans:
            return Told(text=_WORDS.say("none", ask.channel), outcome=Outcome.CLARIFIED)
        unsettled = [each for each in loans if each.state is not LoanState.SETTLED]
        if not unsettled:
            settled = loans[0].settled_on
            when = _WORDS.say("settled_on", ask.channel, day=day(settled)) if settled else ""
            text = _WORDS.say("settled", ask.channel, day=when)
            return Told(text=text, matter="loan-settled")
        return Told(text="\n\n".join(_told(each, ask.channel) for each in unsettled))


def _told(loan: Loan, channel: ChannelName) -> str:
    lines = []
    if loan.state is LoanState.OVERDUE:
        owed = money(channel, loan.overdue_fen)
        lines.append(_WORDS.say("overdue", channel, count=loan.overdue_instalments, owed=owed))
    lines.append(
        _WORDS.say(
            "balance",
            channel,
            balance=money(channel, loan.balance_fen),
            amount=money(channel, loan.amount_fen),
            paid=loan.paid_instalments,
            term=loan.term_months,
        )
    )
    if loan.next_due_on:
        lines.append(_next(loan, channel))
    lines.append(_rate(loan, channel))
    return "\n".join(lines)


def _next(loan: Loan, channel: ChannelName) -> str:
    due = loan.next_due_on
    return _WORDS.say(
        "next_from_account" if loan.monthly_withdrawal else "next",
        channel,
        day=day(due) if due else "",
        total=money(channel, loan.next_principal_fen + loan.next_interest_fen),
        principal=money(channel, loan.next_principal_fen),
        interest=money(channel, loan.next_interest_fen),
        card=_WORDS.say("card", channel, tail=loan.card_tail) if loan.card_tail else "",
    )


def _rate(loan: Loan, channel: ChannelName) -> str:
    changes = loan.next_rate_percent is not None and loan.next_rate_on is not None
    return _WORDS.say(
        "rate_changes" if changes else "rate",
        channel,
        rate=loan.rate_percent,
        method=COMMON.name("repay_method", loan.method),
        next=loan.next_rate_percent,
        day=day(loan.next_rate_on) if loan.next_rate_on else "",
    )
