"""What the gateway hears before the dialogue does: answers to its own questions, and wishes that are not the bot's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import structlog

from hotline.desk_store import DeskConversation
from hotline.domain.conversations import Job, Owner
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName, Choice, InboundKind, Reply, TurnResult
from hotline.domain.ratings import Subject
from hotline.errors import TemporaryError
from hotline.prompt_store import Asked, Question
from hotline.services.asides import words
from hotline.services.asides.callback import CallBack
from hotline.services.asides.leave_word import LeaveWord
from hotline.services.asides.parts import Parts
from hotline.services.asides.rating import RatingAside
from hotline.services.work_orders.numbers import mentioned

log = structlog.get_logger()

LOOK_S: Final = 5.0
PROGRESS: Final = "order_progress"
_OF_RATINGS: Final = frozenset({Asked.RATING, Asked.RATING_LATER, Asked.RATING_REASON})
_OF_CALLBACKS: Final = frozenset({Asked.CALLBACK, Asked.CALLBACK_TOLD, Asked.CALLBACK_DROPPED})


class Asides:
    """One object per gateway process. What is asked and heard stands in storage, so that any of them goes on."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rating = RatingAside(parts)
        self._word = LeaveWord(parts)
        self._callback = CallBack(parts)

    async def answer(self, job: Job) -> TurnResult | None:
        """The turn of a message in a conversation the bot holds, where it is not the dialogue's. None: it is; then
        nothing was looked up, unless the gateway had asked something."""
        asked = Question.of(job)
        if asked.by != job.inbox_id and _is_overdue(job, asked):
            job = await self._word.overdue(job, asked)
            asked = Question.of(job)
        if job.kind is InboundKind.TEXT:
            job, result = await self._heard(job, asked)
            return result or await self._wished(job)
        if job.kind in (InboundKind.LEAVE, InboundKind.SILENCE) and asked.asked is Asked.WORD_MORE:
            closed = await self._word.close(job, asked)
            return closed if job.kind is InboundKind.SILENCE else None
        return None

    async def while_queued(self, job: Job) -> tuple[Job, TurnResult] | None:
        """The same for somebody who waits for a person and would rather leave word or be called back; the job is the
        bot's where he waits no longer. None: he waits on, and the message is kept for whoever takes him."""
        if job.kind is not InboundKind.TEXT:
            return None
        asked = Question.of(job)
        if asked.asked in _OF_CALLBACKS:
            job, result = await self._heard(job, asked)
            if result is not None:
                return job, result
        if words.is_one_of(job.text, "word_words"):
            return await self._word_instead(job)
        result = await self._wished(job)
        return (job, result) if result is not None else None

    async def rating_after(self, job: Job, result: TurnResult) -> Reply | None:
        """What the turn says besides, where its conversation with the bot is at its end and should be rated."""
        return await self._rating.after(job, result)

    async def ask_rating(
        self, conversation: DeskConversation, *, subject: Subject, handover_id: int = 0, staff_id: str = ""
    ) -> bool:
        """The citizen is asked how the service was, once for a conversation with the bot and once for each hand-over.
        False: he was not, since he was before, the conversation is closed or a person has it, something else is being
        asked, or WeChat would take only one more message."""
        return await self._rating.ask(conversation, subject=subject, handover_id=handover_id, staff_id=staff_id)

    async def run(self) -> None:
        """Runs until cancelled; a database that does not answer makes it wait."""
        while True:
            try:
                await self.run_once()
            except TemporaryError as error:
                log.warning("asides.wait", reason=str(error))
            await asyncio.sleep(LOOK_S)

    async def run_once(self) -> None:
        """What has had its time is followed up: words that were left, and poor ratings."""
        await self._word.register_due()
        await self._rating.follow_up()

    async def _heard(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        if asked.asked in _OF_RATINGS:
            return await self._rating.heard(job, asked)
        match asked.asked:
            case Asked.WORD | Asked.WORD_MORE:
                return await self._word.heard(job, asked)
            case Asked.CALLBACK:
                return await self._callback.heard(job, asked)
            case Asked.WORD_CLOSING | Asked.WORD_TOLD | Asked.WORD_DROPPED:
                return job, await self._word.told(job, asked)
            case Asked.CALLBACK_TOLD | Asked.CALLBACK_DROPPED:
                return job, await self._callback.told(job, asked)
        return job, None

    async def _wished(self, job: Job) -> TurnResult | None:
        """Wishes in so many words, which cost nothing where there is none."""
        if words.is_one_of(job.text, "word_words") and job.owner is Owner.BOT:
            return await self._word.begin(job)
        if words.is_one_of(job.text, "callback_words"):
            return await self._callback.begin(job)
        return await self._progress(job)

    async def _word_instead(self, job: Job) -> tuple[Job, TurnResult] | None:
        if (asked := Question.of(job)).asked is Asked.WORD_CLOSING:
            job = await self._word.overdue(job, asked)
        version = await self._parts.queue.leave(job.conversation_id, expected_version=job.owner_version)
        if version is None:
            return None  # a person has just taken it, who reads this too
        job = replace(job, owner=Owner.BOT, owner_version=version)
        result = await self._word.begin(job)
        return (job, result) if result is not None else None

    async def _progress(self, job: Job) -> TurnResult | None:
        if mentioned(job.text) is None:
            return None
        told = await self._parts.progress.progress(
            job.text,
            contact=Contact(channel=job.channel, address=job.contact_key),
            known=await self._parts.identification.known_in(job.conversation_id),
            conversation_id=job.conversation_id,
        )
        return TurnResult(replies=(Reply(text=told),), intent=PROGRESS, confidence=1.0) if told else None


def _is_overdue(job: Job, asked: Question) -> bool:
    """Whether there are words whose time has passed."""
    if asked.asked is Asked.WORD_MORE:
        return not asked.is_open(job.received_at)
    return asked.asked is Asked.WORD_CLOSING


def queue_choices(channel: ChannelName) -> tuple[Choice, ...]:
    """What may be chosen instead of waiting for a person; channels without buttons have it in their sentence."""
    return words.choices("queue_choices", channel)
