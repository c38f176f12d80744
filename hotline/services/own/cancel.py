"""An application is taken back, as long as the core system lets it be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from hotline.audit_store import Audit
from hotline.domain.fund import OPEN_STATES, Application
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.fund_system import FundSystem, FundUnknown
from hotline.services.offers import bare
from hotline.services.own.fields import WORDS, says
from hotline.services.own.looks import did
from hotline.services.own.progress import business as name_of
from hotline.services.own.skill import Ask, Task, Told, named_business
from hotline.services.own.writes import kept, may_have_happened
from hotline.services.understanding import BY_NUMBER

WHICH: Final = "which"
SURE: Final = "sure"


class CancelApplication:
    """Runs for the intent ``cancel_application``."""

    intent = "cancel_application"
    matter = "withdraw-overview"
    own_only = True

    def __init__(self, fund: FundSystem, *, audit: Audit) -> None:
        self._fund = fund
        self._audit = audit

    def needs(self, channel: ChannelName) -> Level:
        return Level.PROVEN

    async def answer(self, ask: Ask) -> Told:
        """Which one, where there are several; then whether it is really meant."""
        found = await self._open(ask)
        if not any(each.cancellable for each in found):
            key = "cancel.too_late" if found else "cancel.none"
            return Told(text=WORDS.say(key, ask.channel), outcome=Outcome.CLARIFIED)
        can = [each for each in found if each.cancellable]
        named = [each for each in can if each.business == (named_business(ask) or ask.matter)]
        if len(can) == 1 or len(named) == 1:
            return self._sure(ask, (named or can)[0])
        return self._which(ask, can)

    async def go_on(self, ask: Ask, task: Task) -> Told | None:
        found = await self._open(ask)
        if task.asking == WHICH:
            chosen = _chosen([each for each in found if each.cancellable], ask)
            return self._sure(ask, chosen) if chosen else None
        if says(ask.text, "cancel.yes_words"):
            return await self._cancelled(ask, task)
        return Told(text=WORDS.say("cancel.kept", ask.channel)) if says(ask.text, "no_words") else None

    async def ask_again(self, ask: Ask, task: Task) -> Told:
        chosen = [each for each in await self._open(ask) if each.application_no == task.about]
        return self._sure(ask, chosen[0]) if chosen else await self.answer(ask)

    def leave(self, ask: Ask, task: Task) -> Told:
        return Told(text=WORDS.say("cancel.kept", ask.channel))

    async def _open(self, ask: Ask) -> list[Application]:
        return [each for each in await self._fund.applications(ask.person_no) if each.state in OPEN_STATES]

    def _which(self, ask: Ask, found: Sequence[Application]) -> Told:
        labels = [_label(each, ask) for each in found]
        choices = tuple(Choice(label=label, text=label) for label in labels) if ask.channel not in BY_NUMBER else ()
        listed = _numbered(labels) if ask.channel in BY_NUMBER else ""
        text = WORDS.say("cancel.which", ask.channel, listed=listed)
        return Told(text=text, choices=choices, task=Task(skill=self.intent, asking=WHICH))

    def _sure(self, ask: Ask, application: Application) -> Told:
        text = WORDS.say("cancel.sure", ask.channel, which=_label(application, ask))
        label = str(WORDS.find("cancel.yes_label"))
        choices = (Choice(label=label, text=label),) if ask.channel not in BY_NUMBER else ()
        task = Task(skill=self.intent, about=application.application_no, asking=SURE)
        return Told(text=text, choices=choices, task=task, matter=application.business)

    async def _cancelled(self, ask: Ask, task: Task) -> Told:
        key = hashlib.sha256(f"cancel\x1f{ask.person_id}\x1f{task.about}".encode()).hexdigest()[:40]
        detail = {"reference": task.about}
        await self._audit.record(did("application.cancel_confirmed", ask, purpose=self.intent, detail=detail))
        try:
            with may_have_happened():
                application = await self._fund.cancel(ask.person_no, task.about, key=key)
        except FundUnknown:
            return Told(text=WORDS.say("cancel.in_doubt", ask.channel), outcome=Outcome.CLARIFIED, task=task)
        await kept(self._audit.record(did("application.cancelled", ask, purpose=application.business, detail=detail)))
        text = WORDS.say("cancel.done", ask.channel, which=_label(application, ask))
        return Told(text=text, matter=application.business)


def _numbered(labels: Sequence[str]) -> str:
    option = str(WORDS.find("option"))
    return "".join(option.format(number=at, label=label) for at, label in enumerate(labels, start=1))


def _label(application: Application, ask: Ask) -> str:
    name, number = name_of(application.business, ask), application.application_no
    return WORDS.say("cancel.label", ask.channel, business=name, number=number)


def _chosen(found: Sequence[Application], ask: Ask) -> Application | None:
    said = bare(ask.text)
    for at, each in enumerate(found, start=1):
        if said == str(at) or bare(each.application_no) in said or bare(name_of(each.business, ask)) == said:
            return each
    return None
