"""Satisfaction (好差评): asked for once, answered by label, number or a short word; a poor one is followed up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from hotline.desk_store import DeskConversation
from hotline.domain.conversations import Job
from hotline.domain.messages import ChannelName, Outcome, Reply, TurnResult
from hotline.domain.ratings import Rating, Score, Subject
from hotline.domain.work_orders import OrderType, Source
from hotline.errors import HotlineError
from hotline.prompt_store import Asked, NewRating, Question, Saying
from hotline.services.asides import words
from hotline.services.asides.parts import NewOrder, Parts

log = structlog.get_logger()

INTENT: Final = "rate"
RATING_FOR: Final = timedelta(minutes=30)
"""How long a rating may be given and corrected; a poor one is followed up afterwards at the latest."""
ONCE_IN: Final = timedelta(hours=24)
"""After the bot's conversations nobody is asked more often than this."""
LEAST_ANSWERS: Final = 2
"""Questions the bot must have answered before it asks how that was."""
LEAST_ROOM: Final = 2
"""WeChat: the last message that may be sent is kept for something he needs."""
GOODBYE: Final = "goodbye"
OUR_OWN_TOOLS: Final = "internal"
"""``meta["origin"]`` of what nobody outside has said: nobody is asked."""
AT_ONCE: Final = 20
TRIED_FOR: Final = timedelta(days=2)
"""A poor rating that cannot become a work order in this time stays in the reports alone."""


class RatingAside:
    """Asks for ratings and hears them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ask(
        self, conversation: DeskConversation, *, subject: Subject, handover_id: int = 0, staff_id: str = ""
    ) -> bool:
        """The citizen is asked outside a turn; False where he was not, because he should not be."""
        if not await self._has_room(conversation):
            return False
        new = NewRating(
            conversation_id=conversation.id,
            subject=subject,
            handover_id=handover_id,
            staff_id=staff_id,
            until=self._parts.clock() + RATING_FOR,
        )
        channel = conversation.channel
        saying = Saying(reply=question(subject, channel), delivery=self._parts.way(channel))
        if not await self._parts.ratings.ask(new, saying):
            return False
        self._parts.told(channel, conversation.address)
        return True

    async def after(self, job: Job, result: TurnResult) -> Reply | None:
        """What a goodbye to the bot ends with, sparingly: nothing is looked up for any other turn."""
        if result.intent != GOODBYE or result.outcome is not Outcome.ANSWERED or not _goes_on(job, result):
            return None
        open_one = Question.of(job)
        if open_one.asked is Asked.RATING and open_one.by == job.inbox_id:
            return question(Subject.BOT, job.channel)  # this turn has asked already, and was not stored then
        if open_one.keeps_others_out(job.received_at):
            return None
        now = self._parts.clock()
        new = NewRating(conversation_id=job.conversation_id, subject=Subject.BOT, until=now + RATING_FOR)
        asked = await self._parts.ratings.ask_in_turn(job, new, least_answers=LEAST_ANSWERS, not_since=now - ONCE_IN)
        return question(Subject.BOT, job.channel) if asked else None

    async def heard(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        """The answer to an open rating, or None: it is meant for the dialogue."""
        if asked.by == job.inbox_id:
            return job, await self._again(job, asked)
        if not asked.is_open(job.received_at):
            return job, None
        if (score := _score(job, asked)) is not None:
            return job, await self._rated(job, asked, score)
        if asked.asked is Asked.RATING_REASON:
            return await self._reason(job, asked)
        if asked.asked is Asked.RATING:
            # A number may be the answer to something else from now on.
            job = await self._parts.prompts.ask(job, replace(asked, asked=Asked.RATING_LATER, by=0)) or job
        return job, None

    async def follow_up(self) -> int:
        """Poor ratings whose citizen has said no more are work orders; how many."""
        before = self._parts.clock() - RATING_FOR
        due = await self._parts.ratings.unordered(after=before - TRIED_FOR, before=before, limit=AT_ONCE)
        return len([number for rating in due if (number := await self._order(rating))])

    async def _has_room(self, conversation: DeskConversation) -> bool:
        """Whether the channel takes a message more besides this one, and those that are on their way: the goodbye has
        most likely not been sent yet."""
        unsent = await self._parts.ratings.on_their_way(conversation.id)  # first: what is sent meanwhile counts twice
        room = await self._parts.room(conversation)
        return room is None or room - unsent >= LEAST_ROOM

    async def _again(self, job: Job, asked: Question) -> TurnResult | None:
        """The turn that heard it was not stored: the same once more."""
        if (score := words.level(job.text, freely=True)) is not None:
            return await self._rated(job, asked, score)
        reason = _reason(job)
        return await self._explained(job, asked, reason) if asked.asked is Asked.RATING_LATER else None

    async def _rated(self, job: Job, asked: Question, score: Score) -> TurnResult:
        then = replace(asked, asked=Asked.RATING_REASON if score.is_poor else Asked.RATING, by=job.inbox_id)
        await self._parts.ratings.rate(job, asked.subject, score, then=then)
        log.info("rating.given", score=int(score))
        label = words.label(score)
        if score.is_poor:
            return words.said(INTENT, "sorry", job.channel, offering="reasons", label=label)
        return words.said(INTENT, "thanks", job.channel, label=label)

    async def _reason(self, job: Job, asked: Question) -> tuple[Job, TurnResult | None]:
        reason = _reason(job)
        if reason is not None:
            return job, await self._explained(job, asked, reason)
        # It may be a question and gets its answer; whoever follows the rating up reads it too.
        then = replace(asked, asked=Asked.RATING_LATER, by=0)
        await self._parts.ratings.explain(job, asked.subject, job.text, then=then)
        return then.on(job), None

    async def _explained(self, job: Job, asked: Question, reason: str | None) -> TurnResult | None:
        if reason is None:
            return None
        then = replace(asked, asked=Asked.RATING_LATER, by=job.inbox_id)
        rating = await self._parts.ratings.explain(job, asked.subject, reason, then=then)
        opened = await self._order(rating) if rating else None
        return opened or words.said(INTENT, "reason_kept", job.channel)

    async def _order(self, rating: Rating) -> TurnResult | None:
        """The poor rating is a work order: what its citizen is told of it. None: it could not be opened now."""
        if rating.score is None or not rating.score.is_poor or rating.order_no:
            return None
        try:
            opened = await self._parts.orders.open_order(_new_order(rating, rating.score))
            await self._parts.ratings.ordered(rating.id, opened.number)
        except HotlineError as error:
            log.warning("rating.not_followed_up", rating_id=rating.id, reason=str(error))
            return None
        return words.said(INTENT, "reason_taken", rating.channel, **words.promised(opened, rating.channel))


def question(subject: Subject, channel: ChannelName) -> Reply:
    """How the rating is asked for."""
    return Reply(text=words.sentence(f"rate_{subject}", channel), choices=words.levels(channel))


def _goes_on(job: Job, result: TurnResult) -> bool:
    """Whether anybody is there to be asked after the goodbye: the telephone hangs up."""
    is_over = any(reply.ends_call for reply in result.replies) and job.channel is ChannelName.VOICE
    return bool(result.replies) and not is_over and job.meta.get("origin") != OUR_OWN_TOOLS


def _score(job: Job, asked: Question) -> Score | None:
    if asked.asked is Asked.RATING_REASON and words.number(job.text) and job.channel not in words.BY_NUMBER:
        return None  # the number of one of the reasons shown
    return words.level(job.text, freely=asked.asked is not Asked.RATING_LATER)


def _reason(job: Job) -> str | None:
    """The reason given; empty where he gives none, None where it may be meant for the dialogue."""
    reason = words.reason(job.text, job.channel)
    if words.is_one_of(reason or job.text, "no_reason_words"):
        return ""
    return reason or None


def _new_order(rating: Rating, score: Score) -> NewOrder:
    found = words.wording()["order_poor"]
    return NewOrder(
        key=f"rating:{rating.id}",
        type=OrderType.COMPLAINT,
        source=Source.POOR_RATING,
        text=found[rating.subject].format(label=words.label(score), reason=rating.reason or found["no_reason"]),
        conversation_id=rating.conversation_id,
    )
