"""What came in and went out, for the months that were asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from hotline.domain.fund import Account, LedgerEntry, LedgerKind, LedgerPage
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.domain.periods import Period, parse_period
from hotline.fund_system import FundSystem
from hotline.services.offers import bare
from hotline.services.own.skill import COMMON, Ask, Declined, Task, Told, by_channel, day, money, month
from hotline.services.own.words import Words
from hotline.services.understanding import BY_NUMBER

_WORDS = Words("ledger")
LINES: Final = 6
"""Postings told at once; on the telephone it is one."""


class Ledger:
    """Runs for the intent ``ask_ledger``."""

    intent = "ask_ledger"
    matter = "query-ledger"
    own_only = True

    def __init__(self, fund: FundSystem) -> None:
        self._fund = fund

    def needs(self, channel: ChannelName) -> Level:
        return by_channel(channel)

    async def answer(self, ask: Ask) -> Told:
        """The postings of the period in the message (else the newest), of the account in use."""
        accounts = await self._fund.accounts(ask.person_no)
        if not accounts:
            return Told(text=_WORDS.say("no_account", ask.channel), outcome=Outcome.CLARIFIED)
        period = _period(ask)
        task = Task(skill=self.intent, about="0", inputs=_written(period))
        return await self._page(ask, accounts, task)

    async def go_on(self, ask: Ask, task: Task) -> Told | None:
        accounts = await self._fund.accounts(ask.person_no)
        if _says(ask, "more_words"):
            return await self._page(ask, accounts, task)
        if len(accounts) < 2:
            return None
        index = (int(task.about) + 1) % len(accounts)
        period = _written(_read(task.inputs))
        return await self._page(ask, accounts, Task(skill=self.intent, about=str(index), inputs=period))

    def takes_up(self, ask: Ask, task: Task) -> bool:
        return (_says(ask, "more_words") and bool(task.inputs.get("cursor"))) or _says(ask, "other_words")

    async def ask_again(self, ask: Ask, task: Task) -> Told:
        """More postings are an offer, not a question, so they are told at once."""
        return await self._page(ask, await self._fund.accounts(ask.person_no), task)

    def leave(self, ask: Ask, task: Task) -> Told:
        return Told(text=_WORDS.say("left", ask.channel))

    async def _page(self, ask: Ask, accounts: Sequence[Account], task: Task) -> Told:
        try:
            account = accounts[int(task.about)]
        except IndexError as error:
            raise Declined("refused.not_found") from error
        period = _read(task.inputs)
        page = await self._fund.ledger(
            ask.person_no,
            account.account_no,
            since=period.first if period else None,
            until=period.last if period else None,
            cursor=task.inputs.get("cursor"),
            limit=1 if ask.channel is ChannelName.VOICE else LINES,
        )
        return self._told(ask, accounts, task, page, period)

    def _told(self, ask: Ask, accounts: Sequence[Account], task: Task, page: LedgerPage, period: Period | None) -> Told:
        unit = accounts[int(task.about)].unit_name
        going_on = "cursor" in task.inputs
        head = "more" if going_on else "period" if period else "newest" if page.count else "empty"
        if period and not page.count:
            head = "nothing"
        text = _WORDS.say(
            head,
            ask.channel,
            unit=unit,
            first=day(period.first) if period else "",
            last=day(period.last) if period else "",
            count=page.count,
            came=money(ask.channel, page.in_fen),
            went=money(ask.channel, page.out_fen),
        )
        lines = [_line(entry, ask.channel) for entry in page.entries]
        after = Task(skill=self.intent, about=task.about, inputs={**_written(period), "cursor": page.cursor or ""})
        choices = self._choices(ask.channel, more=page.cursor is not None, others=len(accounts) > 1)
        kept = after if page.cursor or len(accounts) > 1 else None
        return Told(text="\n".join([text, *lines]), choices=choices, task=kept)

    def _choices(self, channel: ChannelName, *, more: bool, others: bool) -> tuple[Choice, ...]:
        if channel in BY_NUMBER:
            return ()
        labels = [*([_WORDS.find("more_label")] if more else []), *([_WORDS.find("other_label")] if others else [])]
        return tuple(Choice(label=label, text=label) for label in labels)


def _period(ask: Ask) -> Period | None:
    """The months asked about. The words for a ledger itself look like days to who looks for these."""
    text = ask.text
    for word in _WORDS.find("names"):
        text = text.replace(word, " ")
    return parse_period(text, ask.today)


def _says(ask: Ask, key: str) -> bool:
    return bare(ask.text) in set(map(bare, _WORDS.find(key)))


def _line(entry: LedgerEntry, channel: ChannelName) -> str:
    sign = "in" if entry.amount_fen >= 0 else "out"
    of = _WORDS.say("of_month", channel, month=month(entry.month)) if entry.month else ""
    kind = COMMON.name("ledger_kind", entry.kind)
    return _WORDS.say(
        f"line_{sign}",
        channel,
        day=day(entry.posted_on),
        kind=kind if entry.kind is LedgerKind.INTEREST else kind + of,
        amount=money(channel, abs(entry.amount_fen)),
        balance=money(channel, entry.balance_fen),
    )


def _written(period: Period | None) -> dict[str, str]:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()} if period else {}


def _read(inputs: Mapping[str, str]) -> Period | None:
    if "first" not in inputs:
        return None
    return Period(date.fromisoformat(inputs["first"]), date.fromisoformat(inputs["last"]))
