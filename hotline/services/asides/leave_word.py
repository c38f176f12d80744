"""Leaving word (留言): what somebody has to say to staff when none of them can take his conversation.

Everything he says is a line of the conversation before it gets here; a word is the lines between two of them, so none
can be lost, and it becomes one work order however often that is tried.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from hotline.domain.conversations import Job
from hotline.domain.messages import ChannelName, TurnResult
from hotline.domain.text import MAX_STORED_CHARS
from hotline.domain.work_orders import Source
from hotline.errors import HotlineError, TemporaryError
from hotline.prompt_store import Asked, Pending, Question, Saying
from hotline.services.asides import words
from hotline.services.asides.parts import NewOrder, Opened, Parts, order_type

log = structlog.get_logger()

INTENT: Final = "leave_word"
WORD_FOR: Final = timedelta(minutes=10)
"""Who has said nothing more for this long has said everything."""
AGAIN: Final = timedelta(minutes=1)
"""After this time a word that could not be registered is tried again."""
AT_ONCE: Final = 20
_COMMANDS: Final = ("done_words", "word_words")
"""What may be said before the first word and is none."""


class LeaveWord:
    """Takes words and makes a work order of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def begin(self, job: Job) -> TurnResult | None:
        """The next message is the word; None where the conversation has changed hands meanwhile."""
        if Question.of(job).asked is Asked.WORD_CLOSING:
            return words.said(INTENT, "word_still_closing", job.channel)
        begun = Question(
            asked=Asked.WORD,
            subject=await self._parts.prompts.wanted(job.conversation_id),
            first=job.inbox_id,
            last=job.inbox_id,
            by=job.inbox_id,
            until=self._parts.clock() + WORD_FOR,
        )
        if await self._parts.prompts.ask(job, begun) is None:
            return None
        return self._begun(job)

    async def heard(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        """What is said while a word is left: it is one, unless it ends it. None: it is meant for the dialogue."""
        if asked.by == job.inbox_id:  # that turn was not stored: the same once more
            return job, self._begun(job) if asked.asked is Asked.WORD else self._more(job)
        if not job.text.strip() or not asked.is_open(job.received_at):
            return job, None
        if words.is_one_of(job.text, "person_words"):
            return await self._ended(job, asked), None
        if _calls_off(job, asked):
            await self._parts.prompts.ask(job, replace(asked, asked=Asked.WORD_DROPPED, by=job.inbox_id, until=None))
            return job, words.said(INTENT, "word_cancelled", job.channel)
        if _is_all(job):
            return job, await self._done(job, asked)
        if words.is_one_of(job.text, "word_words"):
            return job, self._begun(job) if asked.asked is Asked.WORD else self._more(job)
        if words.is_one_of(job.text, "callback_words") and asked.asked is Asked.WORD:
            return await self._parts.prompts.ask(job, Question()) or job, None
        return await self._taken(job, asked)

    async def told(self, job: Job, asked: Question) -> TurnResult | None:
        """The same once more where the turn that ended the word was not stored; None for any other message."""
        if asked.by != job.inbox_id:
            return None
        if asked.asked is Asked.WORD_DROPPED:
            return words.said(INTENT, "word_cancelled", job.channel)
        return await self.close(job, asked)

    async def close(self, job: Job, asked: Question) -> TurnResult:
        """The word is a work order, and its number is told; or it will be one, and that is told."""
        try:
            opened = await self._open(job.conversation_id, asked)
        except HotlineError as error:
            log.warning("word.not_registered", reason=str(error))
            again_at = self._parts.clock() + AGAIN
            closing = replace(asked, asked=Asked.WORD_CLOSING, by=job.inbox_id, until=again_at)
            with suppress(TemporaryError):  # it is tried again in any case, only later
                await self._parts.prompts.ask(job, closing)
            return words.said(INTENT, "word_failed", job.channel)
        then = replace(asked, asked=Asked.WORD_TOLD, by=job.inbox_id, until=None)
        await self._parts.prompts.settle(job.conversation_id, was=asked, then=then)
        return _registered(job.channel, opened)

    async def overdue(self, job: Job, asked: Question) -> Job:
        """A word that has had its time is registered before anything else is done: the job as it is now."""
        if asked.asked is Asked.WORD_MORE:
            asked = replace(asked, asked=Asked.WORD_CLOSING, by=0, until=self._parts.clock() + AGAIN)
            claimed = await self._parts.prompts.ask(job, asked)
            if claimed is None:
                return job
            job = claimed
        pending = Pending(
            conversation_id=job.conversation_id, channel=job.channel, address=job.contact_key, question=asked
        )
        return (await self._register(pending)).on(job)

    async def register_due(self) -> int:
        """Words of whoever has stopped talking or has gone are work orders; how many were tried."""
        due = await self._parts.prompts.claim_words(again_at=self._parts.clock() + AGAIN, limit=AT_ONCE)
        for each in due:
            await self._register(each)
        return len(due)

    async def _done(self, job: Job, asked: Question) -> TurnResult:
        if asked.asked is Asked.WORD:
            return words.said(INTENT, "word_nothing_yet", job.channel, offering="word_begin_choices")
        return await self.close(job, asked)

    async def _taken(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        more = replace(
            asked,
            asked=Asked.WORD_MORE,
            last=job.inbox_id,
            by=job.inbox_id,
            until=self._parts.clock() + WORD_FOR,
        )
        taken = await self._parts.prompts.ask(job, more)
        return (taken, self._more(job)) if taken else (job, None)

    async def _ended(self, job: Job, asked: Question) -> Job:
        if asked.asked is Asked.WORD_MORE:
            return await self.overdue(job, asked)
        return await self._parts.prompts.ask(job, Question()) or job

    async def _register(self, pending: Pending) -> Question:
        """The word is a work order and its number told in a line of its own, or everything is as it was: what the
        conversation asks now."""
        asked = pending.question
        then = replace(asked, asked=Asked.WORD_TOLD, by=0, until=None)
        try:
            opened = await self._open(pending.conversation_id, asked)
            saying = Saying(
                reply=_registered(pending.channel, opened).replies[0], delivery=self._parts.way(pending.channel)
            )
            if await self._parts.prompts.settle(pending.conversation_id, was=asked, then=then, saying=saying):
                self._parts.told(pending.channel, pending.address)
        except HotlineError as error:
            log.warning("word.not_registered", conversation_id=pending.conversation_id, reason=str(error))
            return asked
        return then

    async def _open(self, conversation_id: str, asked: Question) -> Opened:
        """Raises HotlineError."""
        word = await self._parts.prompts.word(conversation_id, asked)
        said = str(words.wording()["joiner"]).join(text for text in word.texts if not _is_command(text))
        order = NewOrder(
            key=f"word:{conversation_id}:{asked.last}",
            type=order_type(word.reason),
            source=Source.LEAVE_WORD,
            text=words.cut(said, MAX_STORED_CHARS),
            matter=word.matter,
            conversation_id=conversation_id,
        )
        return await self._parts.orders.open_order(order)

    @staticmethod
    def _begun(job: Job) -> TurnResult:
        return words.said(INTENT, "word_begin", job.channel, offering="word_begin_choices")

    @staticmethod
    def _more(job: Job) -> TurnResult:
        return words.said(INTENT, "word_more", job.channel, offering="word_more_choices")


def _registered(channel: ChannelName, opened: Opened) -> TurnResult:
    return words.said(INTENT, "word_opened", channel, **words.promised(opened, channel))


def _calls_off(job: Job, asked: Question) -> bool:
    never = asked.asked is Asked.WORD and words.is_one_of(job.text, "never_mind_words")
    return never or words.is_one_of(job.text, "cancel_words")


def _is_all(job: Job) -> bool:
    return any(words.is_one_of(job.text, key) for key in ("done_words", "never_mind_words"))


def _is_command(text: str) -> bool:
    return any(words.is_one_of(text, key) for key in _COMMANDS)
