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
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.fund_system import FundRefused, FundUnavailable, FundUnknown
from hotline.identification import Identification
from hotline.services.answering import Answering
from hotline.services.offers import Context, Decision, Question, bare
from hotline.services.own.looks import look
from hotline.services.own.proving import Proving
from hotline.services.own.skill import Ask, Declined, LongSkill, Skill, Task, Told
from hotline.services.own.turn import WORDS, OwnTurn, joined, without_task
from hotline.services.understanding import ANSWER_AT
from knowledge_base.sentences import asks_something

log = structlog.get_logger(__name__)

ASK: Final = "ask_knowledge"
BIND: Final = "bind"
UNBIND: Final = "unbind"
PROVE: Final = "prove"
TO_A_PERSON: Final = ("human_request", "complaint")
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
        self._homes: Mapping[str, Skill] = {skill.matter: skill for skill in reversed(skills)}
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
        in_so_many_words = question.intent in (BIND, UNBIND) and question.confidence >= 1.0
        if turn.task is not None and turn.task.skill in self._skills and not in_so_many_words:
            return await self._go_on(turn, turn.task)
        return await self._fresh(turn)

    async def _fresh(self, turn: OwnTurn) -> Decision:
        if turn.question.intent == BIND:
            return await self._proving.bind(turn)
        if turn.question.intent == UNBIND:
            return await self._proving.unbind(turn)
        skill = self._skills.get(turn.question.intent) or await self._named(turn)
        return await self._own(turn, skill) if skill else turn.policy()

    async def _named(self, turn: OwnTurn) -> Skill | None:
        """The skill of a matter whose bare name was said by somebody who is known: he means his own data."""
        match = turn.question.match
        skill = self._homes.get(match.exact or "") if match else None
        if skill is None or turn.channel is ChannelName.SMS:
            return None
        return skill if await self._identification.known_in(turn.conversation_id) else None

    async def _own(self, turn: OwnTurn, skill: Skill) -> Decision:
        needed = skill.needs(turn.channel)
        if skill.own_only and turn.for_somebody_else:
            return turn.says("others_never", outcome=Outcome.CLARIFIED)
        if needed > Level.ANONYMOUS and turn.channel is ChannelName.SMS:
            return turn.says("sms_never", outcome=Outcome.CLARIFIED)
        known = await self._identification.known_in(turn.conversation_id)
        if needed > Level.ANONYMOUS and (known is None or known.level < needed):
            return await self._proving.first(turn, skill, known)
        ask = turn.ask(known, self._clock())
        told = await self._safely(turn, ask, skill, lambda: skill.answer(ask))
        return turn.decided(told or Told(text=turn.sentence("core_away")), matter=skill.matter)

    async def _proved(self, turn: OwnTurn) -> Decision:
        """Who has just proven himself goes on where he was, or gets what he had asked for."""
        known = await self._identification.known_in(turn.conversation_id)
        if known is None:
            return turn.says("not_bound", outcome=Outcome.CLARIFIED)
        greeting = turn.sentence("proved", name=known.name_masked)
        pending = turn.context.pending or {}
        skill = self._skills.get(str(pending.get("intent", "")))
        turn = replace(turn, context=replace(turn.context, pending=None))
        if turn.task is not None and (begun := self._skills.get(turn.task.skill)):
            ask, task = turn.ask(known, self._clock()), turn.task
            again = await self._safely(turn, ask, begun, lambda: cast(LongSkill, begun).ask_again(ask, task))
            return _greeted(greeting, turn.decided(again or Told(text=""), matter=begun.matter))
        if skill is None:
            reminder = await self._unfinished(turn.ask(known, self._clock()))
            return (
                _greeted(greeting, turn.decided(reminder))
                if reminder
                else turn.decided(Told(text=greeting, choices=turn.suggestions()))
            )
        asked = replace(turn.question, text=str(pending.get("text", "")), intent=skill.intent)
        return _greeted(greeting, await self._own(replace(turn, question=asked, matter=pending.get("matter")), skill))

    async def _safely(
        self, turn: OwnTurn, ask: Ask, skill: Skill, call: Callable[[], Awaitable[Told | None]]
    ) -> Told | None:
        """What ``call`` tells, with the look at personal data on record before it; what hinders it is told truly."""
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
        except Declined as declined:
            text = turn.sentence(declined.key)
        return Told(text=text, choices=turn.help(), outcome=Outcome.CLARIFIED, task=turn.task)

    # --- what takes several messages -----------------------------------------------------------------------------

    async def _go_on(self, turn: OwnTurn, task: Task) -> Decision:
        skill = cast(LongSkill, self._skills[task.skill])
        if turn.question.intent in TO_A_PERSON:
            return without_task(turn.policy())
        known = await self._identification.known_in(turn.conversation_id)
        ask = turn.ask(known, self._clock())
        if bare(turn.question.text) in set(map(bare, WORDS.find("leave_words"))):
            return turn.decided(skill.leave(ask, task), matter=skill.matter)
        needed = skill.needs(turn.channel)
        if needed > Level.ANONYMOUS and (known is None or known.level < needed):
            return await self._proving.again(turn, skill, known)
        if self._is_aside(turn, task):
            return await self._in_between(turn, ask, skill, task)
        told = await self._safely(turn, ask, skill, lambda: skill.go_on(ask, task))
        if told is not None:
            return turn.decided(told, matter=skill.matter)
        if not task.asking:  # what was offered was not taken
            return await self._fresh(replace(turn, context=replace(turn.context, task=None)))
        return await self._in_between(turn, ask, skill, task)

    def _is_aside(self, turn: OwnTurn, task: Task) -> bool:
        """Whether the message is a question of its own, though there may be something in it that answers."""
        question, match = turn.question, turn.question.match
        if not task.asking or not asks_something(question.text):
            return False
        sure = match is not None and bool(match.candidates) and match.candidates[0].p >= ANSWER_AT
        return (question.intent in self._skills and question.intent != task.skill) or (question.intent == ASK and sure)

    async def _in_between(self, turn: OwnTurn, ask: Ask, skill: LongSkill, task: Task) -> Decision:
        """Something else was said: answered where it can be; then what is waited for is said again."""
        other = turn.question.intent in (BIND, UNBIND, *self._skills) and turn.question.intent != skill.intent
        between = await self._fresh(turn) if other else turn.policy()
        again = await self._safely(turn, ask, skill, lambda: skill.ask_again(ask, task)) or Told(text="")
        about_something = between.result.matter is not None and between.result.outcome is not Outcome.CLARIFIED
        if other or about_something or between.result.outcome is Outcome.REJECTED:
            return joined(between, again, turn.sentence("back_to", what=WORDS.name("skills", task.skill)))
        if task.failures + 1 >= FAILURES_ALLOWED:
            told = Told(text=turn.sentence("stuck"), choices=turn.help(), outcome=Outcome.CLARIFIED)
            return turn.decided(told, matter=skill.matter)
        unread = replace(task, failures=task.failures + 1)
        text = f"{turn.sentence('not_read')}\n{again.text}"
        return turn.decided(replace(again, text=text, task=unread, outcome=Outcome.CLARIFIED), matter=skill.matter)


def _greeted(greeting: str, decision: Decision) -> Decision:
    first, *rest = decision.result.replies
    replies = (replace(first, text=f"{greeting}\n{first.text}"), *rest)
    return replace(decision, result=replace(decision.result, replies=replies))
