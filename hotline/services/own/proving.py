"""How a conversation comes to know who is asking: links, the telephone's keypad, binding, unbinding."""

from __future__ import annotations

from dataclasses import replace

from hotline.domain.identity import Known, Level, Purpose
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.identification import Identification
from hotline.services.offers import Decision
from hotline.services.own.skill import Skill, Told
from hotline.services.own.turn import WORDS, OwnTurn
from hotline.services.understanding import BY_NUMBER


class Proving:
    """Tells what proof is needed and where to give it."""

    def __init__(self, identification: Identification) -> None:
        self._identification = identification

    async def first(self, turn: OwnTurn, skill: Skill, known: Known | None) -> Decision:
        """The policy answer where there is one, and the way to the citizen's own data; on the telephone the way alone,
        since whoever listens to one thing cannot skip to the other."""
        pending = {"intent": skill.intent, "text": turn.question.text, "matter": turn.best_matter()}
        what, choices = WORDS.name("to_do", skill.intent), await self._ways(turn, known)
        told_by_ear = turn.channel is ChannelName.VOICE
        policy = turn.policy() if turn.question.match and known is None and not told_by_ear else None
        if policy is None or policy.result.outcome is not Outcome.ANSWERED or policy.result.matter is None:
            text = turn.sentence("step_up" if known else "prove_first", what=what)
            told = Told(text=text, choices=choices, outcome=Outcome.CLARIFIED)
            decision = _by_keypad(turn, turn.decided(told, matter=skill.matter), known)
            return replace(decision, context=replace(decision.context, pending=pending))
        last = policy.result.replies[-1]
        last = replace(last, text=f"{last.text}\n\n{turn.sentence('prove_after_policy', what=what)}")
        replies = (*policy.result.replies[:-1], replace(last, choices=(*choices, *last.choices)))
        result = replace(policy.result, replies=replies, intent=turn.question.intent)
        return Decision(result=result, context=replace(policy.context, pending=pending))

    async def again(self, turn: OwnTurn, skill: Skill, known: Known | None) -> Decision:
        """The proof has run out in the middle of something, which stays as it is until there is a new one."""
        text = turn.sentence("step_up", what=WORDS.name("to_do", skill.intent))
        told = Told(text=text, choices=await self._ways(turn, known), outcome=Outcome.CLARIFIED, task=turn.task)
        decision = _by_keypad(turn, turn.decided(told, matter=skill.matter), known)
        return replace(decision, context=replace(decision.context, pending=None))

    async def bind(self, turn: OwnTurn) -> Decision:
        """A way to prove oneself, or the news that this has been done."""
        if turn.channel is ChannelName.SMS:
            return turn.says("sms_never", outcome=Outcome.CLARIFIED)
        known = await self._identification.known_in(turn.conversation_id)
        if known is not None and known.level >= Level.PROVEN:
            told = Told(text=turn.sentence("already_proven", name=known.name_masked), choices=turn.suggestions())
            return turn.decided(replace(told, task=turn.task))
        text = turn.sentence("bound_as", name=known.name_masked) if known else turn.sentence("bind")
        choices = await self._ways(turn, known)
        told = Told(text=text, choices=choices, outcome=Outcome.CLARIFIED, task=turn.task)
        return _by_keypad(turn, turn.decided(told), known)

    async def unbind(self, turn: OwnTurn) -> Decision:
        """This channel knows nobody any more, and what was begun here is put aside."""
        done = await self._identification.unbind_in(turn.conversation_id)
        decision = turn.says("unbound" if done else "not_bound")
        return replace(decision, context=replace(decision.context, task=None, pending=None))

    async def _ways(self, turn: OwnTurn, known: Known | None) -> tuple[Choice, ...]:
        if turn.channel in BY_NUMBER:
            return ()
        url = await self._identification.link(turn.conversation_id, _purpose(known))
        return (Choice(label=turn.sentence("prove_label"), text=turn.sentence("prove_label"), url=url),)


def _by_keypad(turn: OwnTurn, decision: Decision, known: Known | None) -> Decision:
    """On the telephone the proof is collected by keypad after these words. They are not what is repeated later, when
    keys would mean something else."""
    if turn.channel is not ChannelName.VOICE:
        return decision
    replies = tuple(replace(reply, keypad=_purpose(known).value) for reply in decision.result.replies)
    context = replace(decision.context, last_reply=turn.sentence("ask_once_more"))
    return Decision(result=replace(decision.result, replies=replies), context=context)


def _purpose(known: Known | None) -> Purpose:
    return Purpose.STEP_UP if known else Purpose.BIND
