"""Call-back (回电): a call from a person is promised, to a number that is known and was confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from hotline.domain.conversations import Job, Owner
from hotline.domain.messages import TurnResult
from hotline.domain.work_orders import Source
from hotline.errors import HotlineError
from hotline.prompt_store import Asked, Question
from hotline.services.asides import words
from hotline.services.asides.numbers import CallTo, Numbers
from hotline.services.asides.parts import NewOrder, Opened, Parts, order_type

log = structlog.get_logger()

INTENT: Final = "callback"
CALLBACK_FOR: Final = timedelta(minutes=10)
_YES, _NO = 1, 2
"""Keys of the two answers."""


class CallBack:
    """Arranges call-backs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._numbers = Numbers(parts)

    async def begin(self, job: Job) -> TurnResult | None:
        """The number is shown and has to be confirmed; or it is said how one can be known. None where the conversation
        has changed hands meanwhile."""
        number = await self._numbers.of(job)
        if number is None:
            return words.said(INTENT, "callback_unknown", job.channel, offering="callback_unknown_choices")
        if Question.of(job).asked is Asked.WORD_CLOSING:
            return words.said(INTENT, "callback_failed", job.channel)
        asked = Question(
            asked=Asked.CALLBACK,
            subject=await self._parts.prompts.wanted(job.conversation_id),
            first=job.inbox_id,
            by=job.inbox_id,
            until=self._parts.clock() + CALLBACK_FOR,
        )
        if await self._parts.prompts.ask(job, asked) is None:
            return None
        return self._confirm(job, number)

    async def heard(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        """The answer to what `begin` asked; anything else lets the question lapse and is meant for somebody else."""
        if asked.by == job.inbox_id:  # that turn was not stored: the same once more
            number = await self._numbers.of(job)
            return job, self._confirm(job, number) if number else None
        if not asked.is_open(job.received_at):
            return job, None
        pressed = words.number(job.text)
        if pressed == _YES or words.is_one_of(job.text, "yes_words"):
            return await self._confirmed(job, asked)
        if pressed == _NO or words.is_one_of(job.text, "no_words"):
            then = replace(asked, asked=Asked.CALLBACK_DROPPED, by=job.inbox_id, until=None)
            return await self._parts.prompts.ask(job, then) or job, _declined(job)
        return await self._parts.prompts.ask(job, Question()) or job, None

    async def told(self, job: Job, asked: Question) -> TurnResult | None:
        """The same once more where the turn that answered it was not stored; None for any other message."""
        if asked.by != job.inbox_id:
            return None
        if asked.asked is Asked.CALLBACK_DROPPED:
            return _declined(job)
        return (await self._confirmed(job, asked))[1]

    async def _confirmed(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        number = await self._numbers.of(job)
        if number is None:
            return job, words.said(INTENT, "callback_unknown", job.channel, offering="callback_unknown_choices")
        try:
            opened = await self._open(job, asked, number)
        except HotlineError as error:
            log.warning("callback.not_registered", reason=str(error))
            return job, words.said(INTENT, "callback_failed", job.channel, offering="callback_choices")
        left = await self._out_of_queue(job)
        if left is None:
            return job, None  # a person has just taken it, who reads this too
        then = replace(asked, asked=Asked.CALLBACK_TOLD, by=job.inbox_id, until=None)
        await self._parts.prompts.settle(job.conversation_id, was=asked, then=then)
        told = words.promised(opened, job.channel)
        return left, words.said(INTENT, "callback_opened", job.channel, mobile=number.masked, **told)

    async def _out_of_queue(self, job: Job) -> Job | None:
        """Who is called back waits no longer. None: it was offered to a person who has taken it."""
        if job.owner is not Owner.QUEUED:
            return job
        version = await self._parts.queue.leave(job.conversation_id, expected_version=job.owner_version)
        return replace(job, owner=Owner.BOT, owner_version=version) if version is not None else None

    async def _open(self, job: Job, asked: Question, number: CallTo) -> Opened:
        """Raises HotlineError."""
        word = await self._parts.prompts.word(job.conversation_id, asked)
        order = NewOrder(
            key=f"callback:{job.conversation_id}:{asked.first}",
            type=order_type(word.reason),
            source=Source.CALLBACK,
            matter=word.matter,
            text=words.wording()["order_callback"][number.known_by].format(mobile=number.masked),
            conversation_id=job.conversation_id,
        )
        return await self._parts.orders.open_order(order)

    @staticmethod
    def _confirm(job: Job, number: CallTo) -> TurnResult:
        return words.said(INTENT, "callback_confirm", job.channel, offering="callback_choices", mobile=number.masked)


def _declined(job: Job) -> TurnResult:
    waits = job.owner is Owner.QUEUED
    return words.said(INTENT, "callback_declined_waiting" if waits else "callback_declined", job.channel)
