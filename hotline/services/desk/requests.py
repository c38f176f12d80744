"""A citizen needs a person: queued where somebody is at the desk, noted where nobody is, and told so truthfully."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Final

import structlog

from hotline.desk_store import Desks, Held, NewHandover, Queue, Tried
from hotline.domain.conversations import Job, Owner
from hotline.domain.desk import SENSITIVE, WAIT_LIMIT, AgentState, Group, Reason, group_of
from hotline.domain.messages import Outcome, Reply, TurnResult
from hotline.identification import Identification
from hotline.services.asides.asides import queue_choices
from hotline.services.desk.hours import DeskHours
from hotline.services.desk.packet import packet
from hotline.services.desk.sensitive import sensitive_reason
from hotline.services.desk.telling import choices, desk_words, sentence

log = structlog.get_logger()

AT_THE_DESK: Final = (AgentState.READY, AgentState.BUSY, AgentState.WRAP_UP)
RECENT: Final = 20
"""Conversations an estimate of the wait is made from."""


TRANSCRIPT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """Why a person is wanted. ``matter``: of this turn, or the last one the bot answered about."""

    reason: Reason
    matter: str
    tried: Sequence[Tried]


class Requests:
    """Turns a wish for a person into a request. One object per process."""

    def __init__(
        self,
        queue: Queue,
        held: Held,
        desks: Desks,
        *,
        identification: Identification,
        hours: DeskHours,
        topics: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        """``topics``: topic by matter code, for the skill groups."""
        self._queue = queue
        self._held = held
        self._desks = desks
        self._identification = identification
        self._hours = hours
        self._topics = topics
        self._clock = clock
        self.wake: Callable[[], None] = _nobody
        """Called when somebody waits, so that routing need not look for itself."""
        self.heard: Callable[[], None] = _nobody
        """Called when something was said to a person, so that his page hears it at once."""

    def reason(self, job: Job, result: TurnResult) -> Reason | None:
        """Why a person should take over after this turn; None: the bot goes on."""
        if job.owner != Owner.BOT:
            return None
        if result.hand_over:
            return Reason(result.hand_over)
        return sensitive_reason(job.text, result)

    async def request(self, job: Job, result: TurnResult, reason: Reason) -> tuple[Job, TurnResult]:
        """The request is on record; the job carries the owner version it now has."""
        tried = await self._desks.turns(job.conversation_id)
        wish = _Wish(reason=reason, matter=result.matter or (tried[-1].matter if tried else ""), tried=tried)
        group = group_of(self._topics.get(wish.matter, ""), reason=reason)
        if await self._somebody_for(group):
            return await self._enqueue(job, result, wish, group)
        if result.hand_over is None:
            return job, result  # nobody asked for a person, and the machine's answer is better than none
        return job, await self._note(job, result, wish, group)

    async def still_queued(self, job: Job) -> TurnResult:
        """What somebody hears who says something while he waits."""
        found = await self._desks.conversation(job.conversation_id)
        position = await self._queue.position(found.handover.id) if found and found.handover else None
        place = desk_words()["place_first"]
        if position and position > 1:
            place = desk_words()["place"].format(before=position - 1)
        text = sentence("still_queued", job.channel, place=place)
        reply = Reply(text=text, choices=queue_choices(job.channel))
        return TurnResult(replies=(reply,), intent="held", outcome=Outcome.HANDOFF)

    async def leave(self, job: Job) -> tuple[Job, TurnResult] | None:
        """The citizen does not want to wait any longer. None: somebody has just taken it."""
        version = await self._queue.leave(job.conversation_id, expected_version=job.owner_version)
        if version is None:
            return None
        reply = Reply(text=sentence("left", job.channel))
        left = TurnResult(replies=(reply,), intent="back_to_bot", outcome=Outcome.ANSWERED)
        return replace(job, owner=Owner.BOT, owner_version=version), left

    async def resumed(self, job: Job) -> Job:
        """Who says something after the agent's goodbye is the bot's again; the wrap-up stays open beside it."""
        version = await self._held.resume_bot(job.conversation_id, expected_version=job.owner_version)
        return job if version is None else replace(job, owner=Owner.BOT, owner_version=version)

    def says_he_leaves(self, job: Job) -> bool:
        """Whether the words mean: I do not want to wait any longer."""
        return job.owner == Owner.QUEUED and job.text.strip() in desk_words()["back_to_bot_words"]

    async def _somebody_for(self, group: Group) -> bool:
        present = [each for each in await self._desks.presences() if each.state in AT_THE_DESK]
        return any(group in each.agent.groups for each in present)

    async def _enqueue(self, job: Job, result: TurnResult, wish: _Wish, group: Group) -> tuple[Job, TurnResult]:
        reason, new = wish.reason, await self._new(job, result, wish, group)
        queued = await self._queue.enqueue(new, expected_version=job.owner_version)
        if queued is None:
            return job, result  # somebody has taken it over meanwhile: the turn dies when it is stored
        log.info("desk.queued", reason=str(reason), group=str(group), position=queued.position)
        self.wake()
        text = await self._waits(job, group, position=queued.position)
        if reason in SENSITIVE:
            text = f"{desk_words()['sensitive'][reason.value]}\n{text}"
        reply = Reply(text=text, choices=queue_choices(job.channel))
        told = replace(result, replies=(reply,), outcome=Outcome.HANDOFF, hand_over=reason.value)
        return replace(job, owner_version=queued.owner_version), told

    async def _waits(self, job: Job, group: Group, *, position: int) -> str:
        """Place and estimate; no estimate where too little is known to give an honest one."""
        if position == 1:
            return sentence("queued_first", job.channel)
        handling_s = await self._queue.handling_s(group, last=RECENT)
        estimate = ""
        if handling_s is not None:
            ready = sum(each.state in AT_THE_DESK for each in await self._desks.presences())
            minutes = ceil(position * handling_s / max(1, ready) / 60)
            estimate = desk_words()["estimate"].format(minutes=minutes)
        return sentence("queued", job.channel, before=position - 1, estimate=estimate)

    async def _note(self, job: Job, result: TurnResult, wish: _Wish, group: Group) -> TurnResult:
        number, again = await self._queue.note(await self._new(job, result, wish, group))
        key = "nobody_there" if self._hours.are_now(self._clock()) else "out_of_hours"
        if wish.reason is Reason.COMPLAINT:
            key = "complaint_noted"
        elif again:
            key = "again"
        text = sentence(key, job.channel, number=number, hours=self._hours.words)
        last = result.replies[-1] if result.replies else Reply(text="")
        reply = replace(last, text=text, choices=choices("noted_choices", job.channel), ends_call=False)
        return replace(result, replies=(reply,))

    async def _new(self, job: Job, result: TurnResult, wish: _Wish, group: Group) -> NewHandover:
        known = await self._identification.known_in(job.conversation_id)
        level, name = (int(known.level), known.name_masked) if known else (0, "")
        lines = await self._desks.lines(job.conversation_id, after=0, limit=TRANSCRIPT)
        before = await self._desks.handovers([job.contact_id], limit=5)
        return NewHandover(
            conversation_id=job.conversation_id,
            reason=wish.reason,
            group=group,
            matter=wish.matter,
            packet=packet(job, result, lines=lines, tried=wish.tried, level=level, name=name),
            wanted_agent=next((each.agent_id for each in before if each.agent_id), ""),
            expires_at=self._clock() + WAIT_LIMIT,
        )


def _nobody() -> None:
    """Nothing routes in this process yet."""
