"""How much may move through a channel at once and in a day: 导则 5.3(3), as the operator has set it."""

from __future__ import annotations

from hotline.domain.clock import SHANGHAI
from hotline.domain.fund import ApplicationState
from hotline.fund_system import FundSystem
from hotline.services.own.skill import Ask, money
from hotline.services.own.words import Words
from hotline.settings import ChannelLimits, LimitsSettings

_WORDS = Words("forms")
_NOT_COUNTED = (ApplicationState.REFUSED, ApplicationState.CANCELLED)


class Limits:
    """The limits of every channel."""

    def __init__(self, fund: FundSystem, settings: LimitsSettings) -> None:
        self._fund = fund
        self._settings = settings

    async def exceeded(self, amount_fen: int, ask: Ask) -> str | None:
        """What is said where ``amount_fen`` is too much for this channel, alone or with what was filed today."""
        limits: ChannelLimits = getattr(self._settings, ask.channel.value)
        daily = limits.daily_yuan * 100
        single = min(limits.single_yuan * 100, daily)
        if amount_fen > single:
            return _WORDS.say("over_single", ask.channel, most=money(ask.channel, single))
        if not amount_fen:
            return None
        filed = sum(
            each.amount_fen or 0
            for each in await self._fund.applications(ask.person_no)
            if each.submitted_at.astimezone(SHANGHAI).date() == ask.now.astimezone(SHANGHAI).date()
            and each.state not in _NOT_COUNTED
        )
        if filed + amount_fen > daily:
            left = money(ask.channel, max(daily - filed, 0))
            return _WORDS.say("over_daily", ask.channel, most=money(ask.channel, daily), left=left)
        return None
