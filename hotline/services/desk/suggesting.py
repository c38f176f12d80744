"""Approved answers for what a citizen said last, or for an agent's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Final

import structlog

from hotline.agent_desk import Suggestion
from hotline.domain.clock import today
from hotline.domain.messages import ChannelName
from hotline.domain.text import MAX_DIALOGUE_CHARS, has_words
from hotline.services.answering import OFFER_AT
from hotline.services.knowledge import Knowledge
from hotline.services.offers import Context, Question, Topic
from hotline.services.speaking import Speaker
from hotline.services.understanding import OPTION_AT, Understanding
from knowledge_base.errors import KnowledgeError
from knowledge_base.match import Match
from knowledge_base.published import Published

log = structlog.get_logger(__name__)

LIMIT_S: Final = 2.0
"""An agent who waits longer has begun to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is looked for. ``least``: how probable an entry must be to be shown."""

    text: str
    channel: ChannelName
    limit: int
    least: float
    matter: str = ""


class Suggesting:
    """The bot's own entries, found by the bot's own matcher. Safe for concurrent use."""

    def __init__(self, knowledge: Knowledge, *, day: Callable[[], date] = today, limit_s: float = LIMIT_S) -> None:
        """``day``: of which the figures are told."""
        self._knowledge = knowledge
        self._day = day
        self._limit_s = limit_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="suggesting")

    async def suggest(self, text: str, channel: ChannelName, *, limit: int = 3, matter: str = "") -> list[Suggestion]:
        """The likeliest answers to a citizen's words, best first, in their form for his channel; none where no entry
        is likely, or knowledge is away or slow. ``matter``: what was just spoken of."""
        return await self._in_time(_Asked(text=text, channel=channel, limit=limit, least=OFFER_AT, matter=matter))

    async def search(self, text: str, channel: ChannelName, *, limit: int = 5) -> list[Suggestion]:
        """The same for an agent's own words: whoever looks for something is shown also what is less likely."""
        return await self._in_time(_Asked(text=text, channel=channel, limit=limit, least=OPTION_AT))

    async def _in_time(self, asked: _Asked) -> list[Suggestion]:
        """Matching is work for a processor, so it has a thread: one, lest agents take all of them. Who waits longer
        than the limit leaves the line."""
        if not has_words(asked.text):
            return []
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limit_s):
                return await loop.run_in_executor(self._thread, self._find, asked)
        except TimeoutError:
            log.warning("desk.suggesting.slow")
        except (OSError, KnowledgeError) as error:
            log.warning("desk.suggesting.away", error=type(error).__name__)
        return []

    def _find(self, asked: _Asked) -> list[Suggestion]:
        published, day = self._knowledge.now(), self._day()
        text = asked.text[:MAX_DIALOGUE_CHARS]
        match = published.matcher.match(text)
        context = Context(matter=asked.matter or None)
        question = Question(
            text=text,
            intent="ask_knowledge",
            channel=asked.channel,
            today=day,
            match=match,
            parts=tuple(published.matcher.parts(text)),
            about=_about(published, text, match, asked.matter),
        )
        found = _ranked(Understanding(published.catalogue), question, context, match)
        likely = ((topic, score) for topic, score in found if score >= asked.least)
        return _said(Speaker(published.catalogue), likely, asked, day)


def _about(published: Published, text: str, match: Match, matter: str) -> Match | None:
    """The words read as said of the matter just spoken of, where they name none themselves."""
    may_be = matter in published.catalogue.matters and match.may_follow_up
    return published.matcher.about(text, matter) if may_be else None


def _ranked(
    understanding: Understanding, question: Question, context: Context, match: Match
) -> list[tuple[Topic, float]]:
    """What the bot would answer first, then what else may be meant; each with how probable it is."""
    scores: dict[Topic, float] = {}
    sure = understanding.topics(question, context)
    for topic in (*sure, *understanding.next_best(match, sure)):
        resolved, _ = understanding.resolve(topic, match.facts.known)
        scores.setdefault(resolved, _score(match, topic, question.about))
    return list(scores.items())


def _score(match: Match, topic: Topic, about: Match | None) -> float:
    """A name said in full is no guess."""
    if match.exact == topic.matter:
        return 1.0
    read = (match, about) if about is not None else (match,)
    entries = [
        entry.p for each in read for entry in each.entries if (entry.code, entry.aspect) == (topic.matter, topic.aspect)
    ]
    matters = [candidate.p for each in read for candidate in each.candidates if candidate.code == topic.matter]
    return max(entries or matters, default=0.0)


def _said(speaker: Speaker, topics: Iterable[tuple[Topic, float]], asked: _Asked, day: date) -> list[Suggestion]:
    """Each entry once, as its channel says it; what has no approved answer on that day is left out."""
    found: dict[Topic, Suggestion] = {}
    for topic, score in topics:
        told = speaker.tell(topic, asked.channel, day)
        if told.rendered is None or told.topic in found:
            continue
        found[told.topic] = Suggestion(
            entry=f"{told.topic.matter}.{told.topic.aspect}",
            title=speaker.offer(told.topic, day).label,
            text=told.text,
            score=round(min(score, 1.0), 4),
        )
        if len(found) == asked.limit:
            break
    return list(found.values())
