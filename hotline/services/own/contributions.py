"""Whether contributions are coming in, since when without a break, and where months are missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from hotline.domain.fund import Account, AccountState, Contributions, Gap
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.fund_system import FundSystem
from hotline.services.own.skill import COMMON, Ask, Told, by_channel, day, money, month
from hotline.services.own.words import Words

_WORDS = Words("contributions")
GAPS: Final = 4
"""The newest gaps that are told; an older one rarely matters."""


class ContributionStatus:
    """Runs for the intent ``ask_contributions``."""

    intent = "ask_contributions"
    matter = "query-status"
    own_only = True

    def __init__(self, fund: FundSystem) -> None:
        self._fund = fund

    def needs(self, channel: ChannelName) -> Level:
        return by_channel(channel)

    async def answer(self, ask: Ask) -> Told:
        accounts = await self._fund.accounts(ask.person_no)
        found = await self._fund.contributions(ask.person_no)
        if found.last is None:
            return Told(text=_WORDS.say("none", ask.channel), outcome=Outcome.CLARIFIED)
        lines = [self._first(found, ask), *_states(accounts, ask.channel)]
        if ask.channel is not ChannelName.VOICE:
            lines += _gaps(found.gaps, ask.channel)
        return Told(text="\n".join(lines))

    def _first(self, found: Contributions, ask: Ask) -> str:
        """The present month first: it is what people worry about."""
        last = found.last or ask.today
        this = date(ask.today.year, ask.today.month, 1)
        return _WORDS.say(
            "this_month_paid" if last >= this else "paid_to",
            ask.channel,
            month=month(last),
            paid=found.paid_months,
            running=found.consecutive_months,
        )


def _states(accounts: Sequence[Account], channel: ChannelName) -> list[str]:
    lines = []
    for account in accounts:
        if account.state is AccountState.CLOSED:
            continue
        sealed = account.state is AccountState.SEALED and account.sealed_on is not None
        key = "sealed" if sealed else f"paying.{account.kind}"
        lines.append(
            _WORDS.say(
                key,
                channel,
                unit=account.unit_name,
                state=COMMON.name("account_state", account.state),
                kind=COMMON.name("account_kind", account.kind),
                since=day(account.sealed_on) if account.sealed_on else "",
                base=money(channel, account.base_fen),
                monthly=money(channel, account.monthly_fen),
                personal=account.personal_percent,
                employer=account.unit_percent,
            )
        )
    return lines if channel is not ChannelName.VOICE else lines[:1]


def _gaps(gaps: Sequence[Gap], channel: ChannelName) -> list[str]:
    if not gaps:
        return [_WORDS.say("no_gap", channel)]
    shown = gaps[-GAPS:]
    parts = [
        _WORDS.say("gap_one" if gap.months == 1 else "gap", channel, first=month(gap.first), last=month(gap.last))
        for gap in shown
    ]
    months = sum(gap.months for gap in gaps)
    listed = _WORDS.find("joiner").join(parts)
    return [_WORDS.say("gaps" if len(shown) == len(gaps) else "newest_gaps", channel, months=months, gaps=listed)]
