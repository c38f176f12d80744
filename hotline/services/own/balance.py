"""How much is in the citizen's accounts."""

from __future__ import annotations

from collections.abc import Sequence

from hotline.domain.fund import Account, AccountState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.fund_system import FundSystem
from hotline.services.own.skill import COMMON, Ask, Told, by_channel, money, month
from hotline.services.own.words import Words

_WORDS = Words("balance")


class Balance:
    """Runs for the intent ``ask_balance``."""

    intent = "ask_balance"
    matter = "query-balance"
    own_only = True

    def __init__(self, fund: FundSystem) -> None:
        self._fund = fund

    def needs(self, channel: ChannelName) -> Level:
        return by_channel(channel)

    async def answer(self, ask: Ask) -> Told:
        accounts = [each for each in await self._fund.accounts(ask.person_no) if each.state is not AccountState.CLOSED]
        if not accounts:
            return Told(text=_WORDS.say("none", ask.channel), outcome=Outcome.CLARIFIED)
        total = money(ask.channel, sum(each.balance_fen for each in accounts))
        text = _WORDS.say("total", ask.channel, total=total, count=len(accounts))
        return Told(text="\n".join([text, *self._details(accounts, ask)]))

    def _details(self, accounts: Sequence[Account], ask: Ask) -> list[str]:
        lines = [_line(each, ask.channel) for each in accounts] if ask.channel is not ChannelName.VOICE else []
        for each in accounts:
            if each.frozen_fen:
                frozen = money(ask.channel, each.frozen_fen)
                lines.append(_WORDS.say("frozen", ask.channel, frozen=frozen, by=each.frozen_by))
        return lines


def _line(account: Account, channel: ChannelName) -> str:
    """One account in one line."""
    return _WORDS.say(
        "line",
        channel,
        unit=account.unit_name,
        balance=money(channel, account.balance_fen),
        state=COMMON.name("account_state", account.state),
        paid_to=_WORDS.say("paid_to", channel, month=month(account.paid_to)) if account.paid_to else "",
    )
