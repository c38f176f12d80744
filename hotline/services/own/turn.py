"""One message at the own-data counter, and how what is told becomes a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hotline.domain.identity import Known
from hotline.domain.messages import ChannelName, Choice, Outcome, Reply, TurnResult
from hotline.services.answering import Answering
from hotline.services.offers import Context, Decision, Question
from hotline.services.own.skill import Ask, Task, Told
from hotline.services.own.words import Words
from hotline.services.speaking import person
from hotline.services.understanding import BY_NUMBER
from knowledge_base.match import OVERVIEW

NO_OTHER = frozenset({"ask_knowledge", "fallback", "out_of_scope", "choose"})
"""Intents of messages that may well be an answer to what was asked."""
MATTER_AT = 0.30
"""From this probability on a matter is what a message is about, for a skill that needs to know."""
RELATION = "relation="
WORDS = Words("desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTurn:
    """A message, what was said before, and where it is."""

    answering: Answering
    question: Question
    context: Context
    conversation_id: str
    matter: str | None = None
    """The matter, where it is known from before."""

    @property
    def channel(self) -> ChannelName:
        return self.question.channel

    @property
    def task(self) -> Task | None:
        """What was begun and waits for an answer."""
        return Task.read(self.context.task)

    @property
    def is_word_for_word(self) -> bool:
        """Whether the message is an example of its intent, not only like one."""
        return self.question.confidence >= 1.0

    @property
    def for_somebody_else(self) -> bool:
        """Whether the message is about a relative and not about the citizen himself."""
        match = self.question.match
        others = WORDS.find("others")
        named = match is not None and any(mark.removeprefix(RELATION) in others for mark in match.facts.marks)
        return named and not any(word in self.question.text for word in WORDS.find("own_words"))

    def policy(self) -> Decision:
        """What the rules say to the message."""
        return self.answering.decide(self.question, self.context)

    def best_matter(self) -> str | None:
        """The matter the message names or is most probably about, else the one just discussed."""
        match = self.question.match
        if self.matter or match is None:
            return self.matter or self.context.matter
        best = match.exact or next((each.code for each in match.candidates if each.p >= MATTER_AT), None)
        return best or self.context.matter

    def ask(self, known: Known | None, now: datetime) -> Ask:
        """The message as a skill sees it."""
        own = self.task.skill if self.task else ""
        return Ask(
            text=self.question.text,
            channel=self.channel,
            now=now,
            today=self.question.today,
            conversation_id=self.conversation_id,
            catalogue=self.answering.catalogue,
            known=known,
            matter=self.best_matter(),
            facts=self.facts(),
            is_other=self.is_word_for_word and self.question.intent not in (*NO_OTHER, own),
        )

    def facts(self) -> dict[str, str]:
        """What the citizen has said of his case, this message included."""
        match = self.question.match
        return {**self.context.facts, **(match.facts.known if match else {})}

    def sentence(self, key: str, **values: object) -> str:
        """One of the counter's own sentences."""
        centre = self.answering.catalogue.centre
        return WORDS.say(key, self.channel, centre=centre.name, hotline=centre.hotline, **values)

    def says(self, key: str, *, outcome: Outcome = Outcome.ANSWERED, **values: object) -> Decision:
        """A decision to say that sentence."""
        return self.decided(Told(text=self.sentence(key, **values), outcome=outcome))

    def help(self) -> tuple[Choice, ...]:
        """A person, where there are buttons."""
        return () if self.channel in BY_NUMBER else (person(),)

    def suggestions(self) -> tuple[Choice, ...]:
        """What most people want of their own data."""
        found = WORDS.find("suggestions")
        return () if self.channel in BY_NUMBER else tuple(Choice(label=each, text=each) for each in found)

    def decided(self, told: Told, *, matter: str | None = None) -> Decision:
        """The decision to say ``told``; ``matter`` is named in the record where it names none."""
        about = told.matter or matter
        known = about if about in self.answering.catalogue.matters else None
        result = TurnResult(
            replies=(Reply(text=told.text, choices=told.choices),),
            outcome=told.outcome,
            intent=self.question.intent,
            confidence=self.question.confidence,
            matter=known,
            candidates=(known,) if known else (),
            hand_over=told.hand_over,
        )
        context = replace(
            self.context,
            matter=known or self.context.matter,
            aspect=OVERVIEW if known else self.context.aspect,
            offered=(),
            failures=0,
            last_reply=told.text,
            facts=self.facts(),
            task=told.task.to_slot() if told.task else None,
        )
        return Decision(result=result, context=context)


def joined(first: Decision, told: Told, bridge: str) -> Decision:
    """What was asked in between, then what is waited for; where a proof is collected by keypad first, that alone."""
    reply = Reply(text=f"{bridge}{told.text}", choices=told.choices)
    return _followed(first, reply, told.task.to_slot() if told.task else None)


def followed(first: Decision, then: Decision) -> Decision:
    """Both one after the other; what is waited for is what the second waits for."""
    return _followed(first, then.result.replies[0], then.context.task)


def _followed(first: Decision, reply: Reply, task: Mapping[str, Any] | None) -> Decision:
    *before, told = first.result.replies
    if told.keypad:
        return replace(first, context=replace(first.context, task=task))
    links = tuple(choice for choice in told.choices if choice.url and choice not in reply.choices)
    last = replace(reply, text=f"{told.text}\n\n{reply.text}", choices=(*links, *reply.choices))
    result = replace(first.result, replies=(*before, last))
    return Decision(result=result, context=replace(first.context, offered=(), task=task))


def without_task(decision: Decision) -> Decision:
    """The same decision, and nothing is waited for any more."""
    return replace(decision, context=replace(decision.context, task=None))
