"""Where an application is, what is missing, and until when it must be decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hotline.domain.clock import SHANGHAI
from hotline.domain.fund import OPEN_STATES, Application, ApplicationState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.domain.workdays import is_published, workdays_between
from hotline.fund_system import FundSystem
from hotline.private_store import OPEN_SUBMISSIONS, Submissions
from hotline.services.own.skill import COMMON, Ask, Told, by_channel, day, money
from hotline.services.own.words import Words
from hotline.services.understanding import BY_NUMBER

_WORDS = Words("progress")
DOUBT_FOR: Final = timedelta(days=1)
SHOWN: Final = 3
"""Applications told at once, open ones first."""


class Progress:
    """Runs for the intent ``ask_progress``."""

    intent = "ask_progress"
    matter = "query-sms-progress"
    own_only = True

    def __init__(self, fund: FundSystem, submissions: Submissions) -> None:
        self._fund = fund
        self._submissions = submissions

    def needs(self, channel: ChannelName) -> Level:
        return by_channel(channel)

    async def answer(self, ask: Ask) -> Told:
        found = await self._fund.applications(ask.person_no)
        doubtful = await self._in_doubt(ask)
        wanted = [each for each in found if each.business == ask.matter] or list(found)
        still_open = [each for each in wanted if each.state in OPEN_STATES]
        shown = (still_open or wanted)[: 1 if ask.channel is ChannelName.VOICE else SHOWN]
        if not shown and not doubtful:
            return Told(text=_WORDS.say("none", ask.channel), outcome=Outcome.CLARIFIED)
        text = "\n\n".join([*doubtful, *(tell(each, ask) for each in shown)])
        return Told(text=text, choices=_choices(shown, ask.channel))

    async def _in_doubt(self, ask: Ask) -> list[str]:
        """What was filed without an answer and is still being asked for."""
        found = await self._submissions.of(ask.person_id, since=ask.now - DOUBT_FOR)
        waiting = [each for each in found if each.state in OPEN_SUBMISSIONS]
        return [_WORDS.say("in_doubt", ask.channel, business=business(each.business, ask)) for each in waiting]


def business(code: str, ask: Ask) -> str:
    """What people call a business: the name of its matter."""
    matter = ask.catalogue.matters.get(code)
    return matter.name if matter else _WORDS.say("other_business", ask.channel)


def tell(application: Application, ask: Ask) -> str:
    """One application: state first, then what the citizen must do, then until when."""
    state = application.state
    lines = [
        _WORDS.say(
            "amount" if application.amount_fen else "state",
            ask.channel,
            business=business(application.business, ask),
            number=application.application_no,
            submitted=day(application.submitted_at.astimezone(SHANGHAI).date()),
            state=COMMON.name("application_state", state),
            amount=money(ask.channel, application.amount_fen or 0),
        )
    ]
    if state is ApplicationState.SUPPLEMENT:
        missing = _WORDS.find("joiner").join(application.missing)
        lines.append(_WORDS.say("missing", ask.channel, missing=missing))
    elif state is ApplicationState.REFUSED:
        lines.append(_WORDS.say("refused", ask.channel, reason=application.refusal))
    elif state in OPEN_STATES and application.due_on:
        lines.append(_due(application, ask))
    return "\n".join(lines)


def _due(application: Application, ask: Ask) -> str:
    due = application.due_on or ask.today
    left = workdays_between(ask.today, due)
    key = "late" if due < ask.today else "today" if due == ask.today else "due"
    text = _WORDS.say(key, ask.channel, day=day(due), left=left.days)
    return text + (_WORDS.say("provisional", ask.channel) if not is_published(due.year) else "")


def _choices(shown: Sequence[Application], channel: ChannelName) -> tuple[Choice, ...]:
    if channel in BY_NUMBER or not any(each.cancellable for each in shown):
        return ()
    label = str(_WORDS.find("cancel_label"))
    return (Choice(label=label, text=label),)
