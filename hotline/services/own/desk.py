"""The own-data counter: which skill answers, who has to prove what first, and what goes on with what was begun.

Everything that is not about own data goes to `Answering`, whatever was begun before: a citizen may ask about the rules
in the middle of an application and is then led back to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, cast

import structlog

from hotline.audit_store import Audit
from hotline.domain.identity import Known, Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.fund_system import FundRefused, FundUnavailable, FundUnknown
from hotline.identification import Identification
from hotline.services.answering import Answering
from hotline.services.offers import Context, Decision, Question, bare
from hotline.services.own.looks import look
from hotline.services.own.proving import Proving
from hotline.services.own.skill import Ask, Declined, LongSkill, OfferingSkill, Skill, Task, Told
from hotline.services.own.turn import WORDS, OwnTurn, followed, joined, without_task
from hotline.services.understanding import ANSWER_AT
from knowledge_base.match import OVERVIEW
from knowledge_base.sentences import asks_something

log = structlog.get_logger(__name__)

ASK: Final = "ask_knowledge"
BIND: Final = "bind"
UNBIND: Final = "unbind"
PROVE: Final = "prove"
VERIFY: Final = "verify"
CANCEL: Final = "cancel_application"
GOODBYE: Final = "goodbye"
AWAY: Final = ("human_request", "complaint", GOODBYE)
"""Intents that put aside what was begun, unless the message is only like one of them and answers what was asked: `one
person` is like a call for one. A number is like a goodbye, which therefore has to be said word for word."""
SMALL_TALK: Final = ("greet", "thanks", "help")
AGAIN: Final = ("repeat", "simpler")
OWN_MATTERS: Final = "query-"
"""How the codes of matters begin whose bare name means the citizen's own data, once he is known."""
SETTLED: Final = ("wrong_state", "not_found")
"""Refusals after which there is nothing left to go on with."""
LIMIT_S: Final = 2.2
"""For all a skill has to ask of other systems: Rasa waits 2.8 s in all."""
FAILURES_ALLOWED: Final = 3
"""Answers that cannot be read before a person is offered and what was begun is put aside."""


class OwnDesk:
    """Decides every turn of the action server. Safe for concurrent use: it keeps nothing between calls."""

    def __init__(
        self,
        skills: Sequence[Skill],
        *,
        identification: Identification,
        audit: Audit,
        clock: Callable[[], datetime],
        unfinished: Callable[[Ask], Awaitable[Told | None]],
    ) -> None:
        """``unfinished``: what reminds a person of an application he has begun."""
        self._skills: Mapping[str, Skill] = {skill.intent: skill for skill in skills}
        own = [skill for skill in reversed(skills) if skill.matter.startswith(OWN_MATTERS)]
        self._homes: Mapping[str, Skill] = {skill.matter: skill for skill in own}
        self._proving = Proving(identification)
        self._identification = identification
        self._audit = audit
        self._clock = clock
        self._unfinished = unfinished

    async def decide(
        self, answering: Answering, question: Question, context: Context, *, conversation_id: str
    ) -> Decision:
        """The answer to ``question`` and the conversation's new state. Raises what a database that is away raises."""
        turn = OwnTurn(answering=answering, question=question, context=context, conversation_id=conversation_id)
        if question.intent == PROVE:
            return await self._proved(turn)
        if question.intent == VERIFY:
            return await self._news(turn)
        in_so_many_words = question.intent in (BIND, UNBIND) and turn.is_word_for_word
        if turn.task is not None and turn.task.skill in self._skills and not in_so_many_words:
            return await self._go_on(turn, turn.task)
        return await self._fresh(turn)

    async def _fresh(self, turn: OwnTurn) -> Decision:
        if turn.question.intent == BIND:
            return await self._proving.bind(turn)
        if turn.question.intent == UNBIND:
            return await self._proving.unbind(turn)
        skill = self._skills.get(turn.question.intent) or await self._named(turn)
        if skill and turn.question.intent != CANCEL and _leaves(turn):
            return turn.says("nothing_begun")
        return await self._own(turn, skill) if skill else turn.policy()

    async def _named(self, turn: OwnTurn) -> Skill | None:
        """The skill of a matter whose bare name was said: whoever is known means his own data, and others are shown the
        way to theirs beside the answer; a caller who is not known gets the answer."""
        match = turn.question.match
        skill = self._homes.get(match.exact or "") if match else None
        if match is None or skill is None or turn.channel is ChannelName.SMS:
            return None
        if match.aspect_for(skill.matter) != OVERVIEW:
            return None
        if turn.channel is not ChannelName.VOICE:
            return skill
        return skill if await self._identification.known_in(turn.conversation_id) else None

    async def _own(self, turn: OwnTurn, skill: Skill) -> Decision:
        if skill.own_only and turn.for_somebody_else:
            return turn.says("others_never", outcome=Outcome.CLARIFIED)
        if skill.needs(turn.channel) > Level.ANONYMOUS and turn.channel is ChannelName.SMS:
            return turn.says("sms_never", outcome=Outcome.CLARIFIED)
        known = await self._identification.known_in(turn.conversation_id)
        if not _allows(skill, turn.channel, known):
            return await self._proving.first(turn, skill, known)
        ask = turn.ask(known, self._clock())
        told = await self._safely(turn, ask, skill, lambda: skill.answer(ask))
        return turn.decided(told or Told(text=turn.sentence("core_away")), matter=skill.matter)

    async def _news(self, turn: OwnTurn) -> Decision:
        """What became of a filing. What was begun meanwhile still waits for its answer."""
        if await self._identification.known_in(turn.conversation_id) is None:
            return turn.says("not_bound", outcome=Outcome.CLARIFIED)
        told = await self._own(turn, self._skills[VERIFY])
        return replace(told, context=replace(told.context, task=turn.context.task))

    async def _proved(self, turn: OwnTurn) -> Decision:
        """Who has just proven himself gets what he had asked for, and goes on where he was."""
        known = await self._identification.known_in(turn.conversation_id)
        if known is None:
            return turn.says("not_bound", outcome=Outcome.CLARIFIED)
        greeting = turn.sentence("proved", name=known.name_masked)
        pending = turn.context.pending or {}
        wanted = self._skills.get(str(pending.get("intent", "")))
        turn = replace(turn, context=replace(turn.context, pending=None))
        if wanted is None:
            return await self._resumed(turn, known, greeting)
        asked = replace(turn.question, text=str(pending.get("text", "")), intent=wanted.intent)
        decision = await self._own(replace(turn, question=asked, matter=pending.get("matter")), wanted)
        if turn.task is not None and turn.task.asking and decision.context.task is None:
            decision = await self._back(turn, decision, turn.task)
        return _greeted(greeting, decision)

    async def _resumed(self, turn: OwnTurn, known: Known, greeting: str) -> Decision:
        """Nothing waited for the proof: what was begun here goes on, or else on another channel."""
        ask, task = turn.ask(known, self._clock()), turn.task
        begun = self._skills.get(task.skill) if task is not None and task.asking else None
        if task is not None and begun is not None:
            again = await self._again(turn, ask, begun, task)
            return _greeted(greeting, turn.decided(again, matter=begun.matter))
        reminder = await self._unfinished(ask)
        if reminder is not None:
            return _greeted(greeting, turn.decided(reminder))
        return turn.decided(Told(text=greeting, choices=turn.suggestions()))

    async def _safely(
        self, turn: OwnTurn, ask: Ask, skill: Skill, call: Callable[[], Awaitable[Told | None]]
    ) -> Told | None:
        """What ``call`` tells, with the look at personal data on record before it; what hinders it is told truly."""
        task = turn.task
        try:
            async with asyncio.timeout(LIMIT_S):
                if ask.known is not None:
                    await self._audit.record(look(skill.intent, ask))
                return await call()
        except (FundUnavailable, TimeoutError):
            log.warning("own.core_away", skill=skill.intent)
            text = turn.sentence("core_away")
        except FundUnknown:
            text = turn.sentence("in_doubt")
        except FundRefused as refused:
            log.info("own.core_refused", skill=skill.intent, reason=refused.code)
            text = turn.sentence(f"refused.{refused.code}", reference=refused.reference)
            task = None if refused.code in SETTLED else task
        except Declined as declined:
            text = turn.sentence(declined.key)
        return Told(text=text, choices=turn.help(), outcome=Outcome.CLARIFIED, task=task)

    # --- what takes several messages -----------------------------------------------------------------------------

    async def _go_on(self, turn: OwnTurn, task: Task) -> Decision:
        skill = cast(LongSkill, self._skills[task.skill])
        away = turn.question.intent in AWAY
        if away and (turn.is_word_for_word or not task.asking):
            return without_task(turn.policy())
        known = await self._identification.known_in(turn.conversation_id)
        ask, allowed = turn.ask(known, self._clock()), _allows(skill, turn.channel, known)
        if _leaves(turn):
            return turn.decided(skill.leave(ask, task), matter=skill.matter)
        if not task.asking and not (allowed and cast(OfferingSkill, skill).takes_up(ask, task)):
            return await self._not_taken_up(turn)
        if self._is_aside(turn, task, allowed=allowed) or await self._is_named(turn, known):
            return await self._in_between(turn, known, task)
        if not allowed:
            return await self._proving.again(turn, skill, known)
        told = await self._safely(turn, ask, skill, lambda: skill.go_on(ask, task))
        if told is not None:
            return turn.decided(told, matter=skill.matter)
        if away and turn.question.intent != GOODBYE:
            return without_task(turn.policy())
        return await (self._in_between(turn, known, task) if task.asking else self._not_taken_up(turn))

    async def _not_taken_up(self, turn: OwnTurn) -> Decision:
        return await self._fresh(replace(turn, context=replace(turn.context, task=None)))

    def _is_aside(self, turn: OwnTurn, task: Task, *, allowed: bool) -> bool:
        """Whether the message is a question of its own, though there may be something in it that answers. Whoever has
        to prove himself again before he may answer can ask for anything else without that."""
        if not task.asking:
            return False
        question, match = turn.question, turn.question.match
        about_rules = (
            question.intent == ASK and match is not None and any(each.p >= ANSWER_AT for each in match.candidates[:1])
        )
        other = self._is_other(turn, task)
        if not allowed or asks_something(question.text):
            return other or about_rules
        return other and turn.is_word_for_word

    async def _is_named(self, turn: OwnTurn, known: Known | None) -> bool:
        """Whether the message is the bare name of something the citizen may see of his own."""
        return known is not None and await self._named(turn) is not None

    def _is_other(self, turn: OwnTurn, task: Task) -> bool:
        intent = turn.question.intent
        return intent in (BIND, UNBIND, *self._skills) and intent != task.skill

    async def _in_between(self, turn: OwnTurn, known: Known | None, task: Task) -> Decision:
        """Something else was said: answered where it can be; then what is waited for is said again. What begins
        something new takes the place of what was begun."""
        skill, intent = self._skills[task.skill], turn.question.intent
        if intent in AGAIN and _allows(skill, turn.channel, known):
            again = await self._again(turn, turn.ask(known, self._clock()), skill, task)
            return turn.decided(again, matter=skill.matter)
        surely = turn.question.confidence >= ANSWER_AT or asks_something(turn.question.text)
        other = (self._is_other(turn, task) and surely) or await self._is_named(turn, known)
        between = await self._fresh(turn) if other else turn.policy()
        begun = Task.read(between.context.task)
        if other and (intent == UNBIND or (begun is not None and begun.asking and begun != task)):
            return between
        answered = between.result.matter is not None and between.result.outcome is not Outcome.CLARIFIED
        if other or answered or intent in SMALL_TALK or between.result.outcome is Outcome.REJECTED:
            return await self._back(turn, between, task)
        return await self._unread(turn, known, task)

    async def _back(self, turn: OwnTurn, between: Decision, task: Task) -> Decision:
        """What was said in between, then what is waited for; or the way to prove oneself again before that."""
        skill = self._skills[task.skill]
        known = await self._identification.known_in(turn.conversation_id)
        if not _allows(skill, turn.channel, known):
            return followed(between, await self._proving.again(turn, skill, known))
        again = await self._again(turn, turn.ask(known, self._clock()), skill, task)
        return joined(between, again, turn.sentence("back_to", what=WORDS.name("skills", task.skill)))

    async def _unread(self, turn: OwnTurn, known: Known | None, task: Task) -> Decision:
        """The answer was not understood: asked again, or a person is offered."""
        skill = self._skills[task.skill]
        if not _allows(skill, turn.channel, known):
            return await self._proving.again(turn, skill, known)
        if task.failures + 1 >= FAILURES_ALLOWED:
            told = Told(text=turn.sentence("stuck"), choices=turn.help(), outcome=Outcome.CLARIFIED)
            return turn.decided(told, matter=skill.matter)
        again = await self._again(turn, turn.ask(known, self._clock()), skill, task)
        waiting = replace(again.task, failures=task.failures + 1) if again.task else None
        text = f"{turn.sentence('not_read')}\n{again.text}"
        return turn.decided(replace(again, text=text, task=waiting, outcome=Outcome.CLARIFIED), matter=skill.matter)

    async def _again(self, turn: OwnTurn, ask: Ask, skill: Skill, task: Task) -> Told:
        told = await self._safely(turn, ask, skill, lambda: cast(LongSkill, skill).ask_again(ask, task))
        return told or Told(text=turn.sentence("core_away"))


def _leaves(turn: OwnTurn) -> bool:
    """Whether the citizen says that he does not want to go on."""
    return bare(turn.question.text) in set(map(bare, WORDS.find("leave_words")))


def _allows(skill: Skill, channel: ChannelName, known: Known | None) -> bool:
    """Whether the skill may tell somebody known so surely on this channel. Nobody's own data goes into an SMS."""
    needed = skill.needs(channel)
    if needed == Level.ANONYMOUS:
        return True
    return channel is not ChannelName.SMS and known is not None and known.level >= needed


def _greeted(greeting: str, decision: Decision) -> Decision:
    first, *rest = decision.result.replies
    replies = (replace(first, text=f"{greeting}\n{first.text}"), *rest)
    return replace(decision, result=replace(decision.result, replies=replies))
