"""The telephone's side of a conversation, on any line: what is said when, what a key means, who gets the call.

One reader takes everything that happens, one thing after the other: what the caller does, answers of the core, the
desk's events and timers. What the core says is said as `channels.voice.plan` puts it, as on every other line.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import structlog

from channels.voice import acts, keypad, proof, speech
from channels.voice.acts import Act, Caller
from channels.voice.around import Around
from channels.voice.call_state import CallState
from channels.voice.keypad import KEYS, KeypadState, Stage
from channels.voice.people import AgentCall, Told, whisper
from channels.voice.plan import Manner, Step, Then, plan
from channels.voice.session import (
    AgentGone,
    HangUp,
    HungUp,
    Keys,
    Listening,
    Silence,
    Spoken,
    Target,
    Transferred,
    VoiceEvent,
    VoiceSession,
)
from channels.voice.session import (
    Final as Words,
)
from channels.voice.wording import wording
from hotline.call_store import CallEnding, CallMark
from hotline.domain.conversations import Owner, TurnRecord
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Reply
from hotline.errors import TemporaryError
from hotline.ports import SendError

log = structlog.get_logger()

FILLERS_S: Final = (1.2, 5.0, 9.0)
"""After so long without an answer the caller hears a word of patience."""
GIVE_UP_S: Final = 12.0
ANNOUNCE_S: Final = 30.0
"""How often somebody who waits for a person is told that he still does."""
GOODBYE_S: Final = 8.0
LONGEST_CALL_S: Final = 3600.0
PATIENT_PAGE: Final = 36
MOST_TEXTS: Final = 3
MOST_KEYS: Final = 20
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_ENDINGS: Final = {HangUp.CALLER: CallEnding.CALLER, HangUp.US: CallEnding.US, HangUp.LOST: CallEnding.LOST}


class Phase(StrEnum):
    """Who is on the other end for the caller."""

    BOT = "bot"
    PROVING = "proving"
    QUEUED = "queued"
    RINGING = "ringing"
    TYPING = "typing"
    """An agent has the conversation without a telephone: what he types is read out."""
    JOINED = "joined"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    turn: int
    kind: InboundKind
    replies: tuple[Reply, ...] | None
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patience:
    turn: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProofAt:
    state: KeypadState


@dataclass(frozen=True, slots=True)
class _Announce:
    pass


@dataclass(frozen=True, slots=True)
class _TooLong:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rang:
    outcome: Transferred


_Item = VoiceEvent | Told | _Answered | _Patience | _ProofAt | _Announce | _TooLong | _Rang


@dataclass(slots=True)
class _Strikes:
    """How often in a row nothing came of the caller's turn."""

    no_match: int = 0
    ever_heard: bool = False


@dataclass(slots=True)
class _Pages:
    """The answer being told."""

    kind: InboundKind = InboundKind.TEXT
    replies: tuple[Reply, ...] = ()
    may_be_texted: bool = False
    texts: int = 0


@dataclass(slots=True)
class _Waiting:
    """The turn whose answer is waited for."""

    turn: int = -1
    since: float = 0.0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def over(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()
        self.turn = -1


class CallConversation:
    """One call. `run` returns when it is over; whatever fails, the caller hears a sentence or a person."""

    def __init__(self, session: VoiceSession, around: Around) -> None:
        self._session = session
        self._around = around
        self._caller = Caller(call=session.call.id, number=session.call.caller)
        self._at = CallState(turn=1)
        self._phase = Phase.BOT
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = _Waiting()
        self._strikes = _Strikes()
        self._pages = _Pages()
        self._patient = False
        self._unsure = ""
        self._conversation_id = ""
        self._proof_state: KeypadState | None = None
        self._agent = AgentCall(session.call.id, around)
        self._speaking = False
        self._later: list[str] = []
        self._listening: Listening | None = None
        self._begun_recording = False
        self._timer: asyncio.TimerHandle | None = None

    # --- the call ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """The whole call."""
        ending = CallEnding.LOST
        with structlog.contextvars.bound_contextvars(call=self._caller.call, channel="voice"):
            try:
                await self._begin()
                ending = await self._until_over()
            finally:
                await self._end(ending)

    async def _begin(self) -> None:
        call = self._session.call
        self._spawn(
            self._noted(self._around.calls.begin(call.id, line=call.line, caller=call.caller, called=call.called))
        )
        await self._say_step(plan(InboundKind.START, self._at, (), manner=self._manner()), interruptible=False)
        self._mark(CallMark.CONNECTED)
        self._spawn(self._read_session())
        self._spawn(self._open())
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LONGEST_CALL_S, self._inbox.put_nowait, _TooLong())

    async def _until_over(self) -> CallEnding:
        while True:
            item = await self._inbox.get()
            if isinstance(item, HungUp):
                return _ENDINGS[item.by]
            try:
                await self._handle(item)
            except Exception:  # a call goes on, whatever is broken
                log.exception("voice.turn.failed", kind=type(item).__name__)
                await self._listen_to(wording().failed)

    async def _end(self, ending: CallEnding) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.over()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.hang_up()
        await self._around.intake.submit(acts.left(self._caller))
        await self._noted(self._around.calls.end(self._caller.call, ending))
        log.info("voice.call.ended", by=str(ending), phase=str(self._phase))

    async def _read_session(self) -> None:
        async for event in self._session.events():
            self._inbox.put_nowait(event)

    async def _open(self) -> None:
        """The conversation begins in storage, and what people do in it is followed from then on."""
        await self._around.intake.answer(acts.began(self._caller), wait_s=GIVE_UP_S)
        for pause in itertools.repeat(1.0):
            if await self._learn_conversation(acts.turn_id(self._caller.call, 0)):
                break
            await asyncio.sleep(pause)
        async for told in self._agent.follow(self._conversation_id):
            self._inbox.put_nowait(told)

    async def _learn_conversation(self, external_id: str) -> bool:
        try:
            record = await self._around.record(ChannelName.VOICE, external_id)
        except TemporaryError:
            return False
        if record is not None and not self._conversation_id:
            self._conversation_id = record.conversation_id
            await self._noted(self._around.calls.belongs(self._caller.call, record.conversation_id))
        return record is not None

    async def _handle(self, item: _Item) -> None:
        if isinstance(item, (Words, Keys, Silence)):
            await self._did(item)
        elif isinstance(item, (Told, _Rang, AgentGone, _Announce)):
            await self._people(item)
        else:
            await self._went_on(item)

    async def _went_on(self, item: _Item) -> None:
        match item:
            case Spoken():
                await self._spoken(item)
            case _Answered():
                await self._answered(item)
            case _Patience():
                await self._be_patient(item)
            case _ProofAt():
                await self._proof_is_at(item.state)
            case _TooLong():
                await self._goodbye(wording().no_more)
            case _:
                pass

    async def _people(self, item: Told | _Rang | AgentGone | _Announce) -> None:
        match item:
            case Told():
                await self._told(item)
            case _Rang():
                await self._rang(item.outcome)
            case AgentGone():
                await self._agent_gone()
            case _Announce():
                await self._announce()

    # --- what the caller does ------------------------------------------------------------------------------------

    async def _did(self, event: Words | Keys | Silence) -> None:
        if self._phase in (Phase.JOINED, Phase.OVER):
            return
        if not isinstance(event, Silence):
            self._strikes.ever_heard = True
        if self._phase is Phase.PROVING:
            await self._proves(event)
        elif isinstance(event, Keys):
            await self._pressed(event.keys)
        elif isinstance(event, Words):
            await self._said(event)
        else:
            await self._silent()

    async def _pressed(self, keys: str) -> None:
        self._strikes.no_match = 0
        words = wording()
        if self._unsure and keys == acts.YES_KEY:
            await self._ask(Act(words=self._unsure))
        elif self._phase is Phase.QUEUED and keys in words.waiting_keys:
            await self._ask(Act(words=words.waiting_keys[keys]))
        elif keys == words.text_key and self._at.page and self._can_text():
            await self._text()
        else:
            await self._ask(Act(digits=keys))

    async def _said(self, event: Words) -> None:
        words, said = wording(), acts.plain(event.text)
        if not said:
            await self._not_understood()
            return
        self._strikes.no_match = 0
        unsure, self._unsure = self._unsure, ""
        if unsure and said in words.yes_words:
            await self._ask(Act(words=unsure))
        elif unsure and said in words.no_words:
            await self._listen_to(words.no_match[0])
        elif said in words.patient_words:
            await self._slow_down()
        elif said in words.text_words and self._can_text():
            await self._text()
        elif self._is_unsure(event, said):
            self._unsure = event.text
            await self._listen_to(speech.speakable(words.confirm.format(text=event.text)))
        else:
            await self._ask(Act(words=event.text, confidence=event.confidence))

    def _is_unsure(self, event: Words, said: str) -> bool:
        known = said in wording().person_words or said in wording().go_on_words
        return (
            self._phase is Phase.BOT
            and not known
            and event.confidence is not None
            and (event.confidence < acts.UNSURE_BELOW)
        )

    async def _not_understood(self) -> None:
        self._strikes.no_match += 1
        self._mark(CallMark.NO_MATCH)
        words = wording()
        if self._phase is not Phase.BOT:
            return
        if not self._session.hears:
            self._mark(CallMark.SPEECH_AWAY)
            await self._menu(words.keys_alone)
        elif self._strikes.no_match < len(words.no_match):
            text = words.no_match[self._strikes.no_match - 1]
            await (self._menu(text) if "{menu}" in text else self._listen_to(text))
        else:
            self._strikes.no_match = 0
            await self._send(acts.wants_person(self._caller, self._at.turn), first=(words.no_match[-1],))

    async def _silent(self) -> None:
        words = wording()
        if self._phase is not Phase.BOT or self._waiting.turn >= 0:
            return
        self._mark(CallMark.NO_INPUT)
        if self._agent.is_over:
            await self._goodbye(words.no_more)
        elif self._at.silence + 1 < len(words.silence):
            await self._ask(Act())
        elif self._strikes.ever_heard:
            await self._send(acts.wants_person(self._caller, self._at.turn))
        else:
            await self._goodbye(words.no_voice_at_all)

    async def _slow_down(self) -> None:
        self._patient = True
        await self._say_step(self._replanned(first=(wording().patient,)))

    async def _menu(self, text: str) -> None:
        self._at = CallState(turn=self._at.turn, menu=1)
        await self._listen_to(text.format(menu=wording().menu))

    # --- the core's answers --------------------------------------------------------------------------------------

    async def _ask(self, act: Act) -> None:
        """The caller's turn, answered by the core, or the next page of what is being told."""
        self._unsure = ""
        if self._at.page and acts.wants_more(act):
            await self._say_step(self._replanned())
            return
        heard = acts.done(self._caller, self._at, act)
        self._at = heard.state
        await self._send(heard.inbound, counted=True)

    async def _send(self, inbound: Inbound, *, first: tuple[str, ...] = (), counted: bool = False) -> None:
        if not counted:
            self._at = CallState(turn=self._at.turn + 1, of=self._at.turn)
        self._waiting.over()
        self._waiting.turn, self._waiting.since = self._at.turn, time.perf_counter()
        loop = asyncio.get_running_loop()
        self._waiting.timers = [
            loop.call_later(after, self._inbox.put_nowait, _Patience(turn=self._at.turn, number=number))
            for number, after in enumerate((*FILLERS_S, GIVE_UP_S))
        ]
        self._spawn(self._answer_to(inbound, self._at.turn, first))

    async def _answer_to(self, inbound: Inbound, turn: int, first: tuple[str, ...]) -> None:
        answer = await self._around.intake.answer(inbound, wait_s=GIVE_UP_S)
        if not self._conversation_id:
            await self._learn_conversation(inbound.external_id)
        self._inbox.put_nowait(_Answered(turn=turn, kind=inbound.kind, replies=answer.replies, first=first))
        if answer.replies:
            await self._served(await self._around.record(ChannelName.VOICE, inbound.external_id))

    async def _served(self, record: TurnRecord | None) -> None:
        if record is None:
            return
        result = record.result
        self._pages.may_be_texted = bool(result.sources)
        if result.hand_over:
            self._mark(CallMark.PERSON_WANTED, why=result.hand_over)
        elif result.matter and result.outcome == "answered":
            self._mark(CallMark.SERVED, matter=result.matter)

    async def _answered(self, item: _Answered) -> None:
        if item.turn != self._waiting.turn:
            return  # the caller has gone on meanwhile
        log.info("voice.answered", ms=round((time.perf_counter() - self._waiting.since) * 1000, 1), kind=str(item.kind))
        self._waiting.over()
        if self._phase in (Phase.RINGING, Phase.JOINED, Phase.OVER):
            return
        if self._phase is Phase.TYPING and not item.replies:
            return
        self._pages.kind, self._pages.replies = item.kind, item.replies or ()
        step = plan(item.kind, self._at, item.replies or (), manner=self._manner())
        if item.replies is None:
            step = Step(then=Then.LISTEN, says=(wording().late,), state=CallState(turn=self._at.turn))
        await self._say_step(replace(step, says=(*item.first, *step.says)))

    async def _be_patient(self, item: _Patience) -> None:
        if item.turn != self._waiting.turn or self._phase in (Phase.JOINED, Phase.OVER, Phase.RINGING):
            return
        words = wording()
        if item.number < len(FILLERS_S):
            await self._say((words.waiting[min(item.number, len(words.waiting) - 1)],), self._listening_at(self._at))
        else:
            self._waiting.over()
            await self._listen_to(words.late)

    def _replanned(self, first: tuple[str, ...] = ()) -> Step:
        """What is being told, from the page where it stands, in the manner of now."""
        step = plan(self._pages.kind, self._at, self._pages.replies, manner=self._manner())
        if step.then is not Then.LISTEN:
            return Step(then=Then.LISTEN, says=first, state=self._at)
        return replace(step, says=(*first, *step.says))

    def _can_text(self) -> bool:
        return (
            self._around.text_to is not None
            and self._pages.may_be_texted
            and self._pages.texts < MOST_TEXTS
            and bool(_MOBILE.fullmatch(self._session.call.caller))
        )

    async def _text(self) -> None:
        mobile = _MOBILE.fullmatch(self._session.call.caller)
        text_to = self._around.text_to
        if mobile is None or text_to is None:
            return
        try:
            await text_to(mobile[1], "\n".join(reply.text for reply in self._pages.replies))
        except SendError as error:
            log.warning("voice.not_texted", reason=str(error.reason))
            await self._say((wording().not_texted,), self._listening_at(self._at))
            return
        self._pages.texts += 1
        self._at = CallState(turn=self._at.turn)
        await self._listen_to(wording().texted, wording().listening)

    # --- proof by keypad -----------------------------------------------------------------------------------------

    async def _begin_proof(self, step: Step) -> None:
        purpose = next((reply.keypad for reply in self._pages.replies if reply.keypad), "")
        self._phase = Phase.PROVING
        self._proof_state = None
        await self._say(step.says, None)
        self._mark(CallMark.RECORDING_PAUSED)
        state = KeypadState(turn=self._at.turn)
        begun = self._around.proof.begun(state, conversation_id=self._conversation_id, purpose=purpose)
        self._spawn(self._proof_step(begun))

    async def _proof_step(self, step: Coroutine[Any, Any, KeypadState]) -> None:
        self._inbox.put_nowait(_ProofAt(state=await step))

    async def _proves(self, event: Words | Keys | Silence) -> None:
        state = self._proof_state
        if state is None or isinstance(event, Words):
            return  # the entry before is still being worked, or nothing is listened to
        if isinstance(event, Keys) and event.keys == keypad.PERSON_KEY:
            await self._proof_over(acts.wants_person(self._caller, self._at.turn))
            return
        keys, by_finish = (event.keys, event.by_finish_key) if isinstance(event, Keys) else ("", False)
        entry = proof.Entry(call=self._caller.call, keys=keys, by_finish_key=by_finish)
        self._proof_state = None
        self._spawn(self._proof_step(self._around.proof.entered(state, entry)))

    async def _proof_is_at(self, state: KeypadState) -> None:
        if self._phase is not Phase.PROVING:
            return
        words = keypad.says(state, id_tail=self._around.proof.id_tail(state, self._caller.call))
        if state.stage in KEYS:
            self._proof_state = state
            first = self._later_taken()
            await self._say((*first, *words), _secret(state.stage))
        elif state.stage is Stage.PROVED:
            self._mark(CallMark.PROVED)
            await self._proof_over(acts.proved(self._caller, self._at.turn))
        elif state.stage is Stage.PERSON:
            await self._proof_over(acts.wants_person(self._caller, self._at.turn), first=words)
        else:
            await self._proof_over(None)
            await self._say_step(Step(then=Then.LISTEN, says=words, state=CallState(turn=self._at.turn)))

    async def _proof_over(self, inbound: Inbound | None, *, first: tuple[str, ...] = ()) -> None:
        self._phase, self._proof_state = Phase.BOT, None
        self._mark(CallMark.RECORDING_GOES_ON)
        if inbound is not None:
            await self._send(inbound, first=first)

    # --- people --------------------------------------------------------------------------------------------------

    async def _told(self, told: Told) -> None:
        if told.owner is not None and told.owner is not self._agent.owner:
            self._agent.owner = told.owner
            await self._owner_is(told.owner, told.holder)
        if self._phase is Phase.RINGING:
            self._later += told.says
        elif told.says and self._phase is not Phase.JOINED:
            await self._tell(told.says)

    async def _owner_is(self, owner: Owner, holder: str) -> None:
        before = self._phase
        if before is Phase.PROVING and owner is not Owner.BOT:
            await self._proof_over(None)
        if owner is Owner.QUEUED:
            await self._queued()
        elif owner is Owner.AGENT:
            await self._agent_took_it(holder)
        else:
            await self._back_from_people(before, owner)

    async def _queued(self) -> None:
        if self._phase is Phase.JOINED:
            await self._session.join_off()
        self._phase = Phase.QUEUED
        self._mark(CallMark.QUEUED)
        self._announce_later()
        if not self._speaking and self._waiting.turn < 0:
            await self._session.play("waiting")

    async def _agent_took_it(self, holder: str) -> None:
        extension, work_no = await self._around.people.phone_of(holder)
        conversation = await self._around.people.conversation(self._conversation_id)
        if not extension or not self._session.can_transfer or conversation is None:
            self._phase = Phase.TYPING
            await self._session.say((), self._listening_at(self._at))
            return
        self._phase = Phase.RINGING
        self._later.clear()
        self._waiting.over()
        self._mark(CallMark.AGENT_RINGS, staff=holder, extension=extension)
        self._speaking = True
        await self._session.say((speech.speakable(wording().ringing.format(work_no=work_no)),), None)
        target = Target(
            extension=extension,
            headers=self._agent.headers(conversation),
            whisper=whisper(conversation, self._around.matter),
            ring_s=self._around.ring_s,
        )
        self._spawn(self._ring(target))

    async def _ring(self, target: Target) -> None:
        self._inbox.put_nowait(_Rang(outcome=await self._session.transfer(target)))

    async def _rang(self, outcome: Transferred) -> None:
        if self._phase is not Phase.RINGING:
            return
        if outcome is Transferred.ANSWERED:
            self._phase, self._speaking = Phase.JOINED, False
            self._later.clear()
            self._mark(CallMark.AGENT_ANSWERED)
        elif outcome is not Transferred.CALLER_GONE:
            self._mark(CallMark.AGENT_MISSED, why=str(outcome))
            self._later.clear()
            self._phase, self._speaking = Phase.QUEUED, False
            await self._agent.give_back(self._conversation_id)

    async def _agent_gone(self) -> None:
        """The agent has put his telephone down. The conversation stays his to wrap up; the caller is not left alone."""
        if self._phase is not Phase.JOINED:
            return
        self._mark(CallMark.AGENT_GONE)
        self._phase, self._agent.is_over = Phase.BOT, True
        await self._agent.end(self._conversation_id)
        await self._tell((wording().parted,))

    async def _back_from_people(self, before: Phase, owner: Owner) -> None:
        if before in (Phase.JOINED, Phase.RINGING):
            await self._session.join_off()
            self._mark(CallMark.AGENT_GONE)
        if before is Phase.QUEUED:
            self._mark(CallMark.QUEUE_LEFT, why="expired" if self._waiting.turn < 0 else "chosen")
        if owner is Owner.WRAP_UP:
            self._agent.is_over = True
        if before is not Phase.BOT and before is not Phase.OVER:
            self._phase = Phase.BOT
            if not self._speaking and self._waiting.turn < 0:
                await self._session.say((), self._listening_at(self._at))

    def _announce_later(self) -> None:
        asyncio.get_running_loop().call_later(ANNOUNCE_S, self._inbox.put_nowait, _Announce())

    async def _announce(self) -> None:
        if self._phase is not Phase.QUEUED:
            return
        self._announce_later()
        position = await self._agent.position(self._conversation_id)
        if position is None or self._speaking or self._waiting.turn >= 0:
            return
        words = wording()
        place = words.place_first if position == 1 else words.place.format(before=position - 1)
        await self._say((words.waiting_for_person.format(place=place),), self._listening_at(self._at))

    async def _tell(self, says: Sequence[str]) -> None:
        """Said after what is being said, not instead of it."""
        if self._speaking:
            self._later += says
        else:
            await self._say((*self._later_taken(), *says), self._listening_at(self._at))

    # --- speaking ------------------------------------------------------------------------------------------------

    async def _say_step(self, step: Step, *, interruptible: bool = True) -> None:
        self._at = step.state if step.then is not Then.NOTHING else self._at
        if step.then is Then.KEYPAD:
            await self._begin_proof(step)
        elif step.then is Then.HANG_UP:
            await self._goodbye(*step.says)
        elif step.then is not Then.NOTHING:
            await self._say(step.says, replace(self._listening_at(self._at), interruptible=interruptible))

    async def _listen_to(self, *says: str) -> None:
        await self._say(says, self._listening_at(self._at))

    async def _say(self, says: Sequence[str], listening: Listening | None) -> None:
        self._speaking = bool(says)
        self._listening = listening
        await self._session.say(tuple(says), listening)

    async def _spoken(self, spoken: Spoken) -> None:
        self._speaking = False
        if not spoken.whole:
            self._mark(CallMark.BROKE_IN, heard=len(spoken.heard))
        if not self._begun_recording and self._around.records:
            self._begun_recording = True
            await self._session.record(on=True)
        if self._later and self._phase not in (Phase.RINGING, Phase.JOINED, Phase.OVER):
            await self._say(self._later_taken(), self._listening_at(self._at))
        elif self._phase is Phase.RINGING:
            await self._session.play("ringing")
        elif self._phase is Phase.QUEUED and self._waiting.turn < 0:
            await self._session.play("waiting")

    async def _goodbye(self, *says: str) -> None:
        self._phase = Phase.OVER
        self._waiting.over()
        await self._say(says, None)
        await self._session.hang_up()

    def _later_taken(self) -> tuple[str, ...]:
        later, self._later = tuple(self._later), []
        return later

    def _listening_at(self, at: CallState) -> Listening:
        many = at.many or self._phase is Phase.TYPING
        return Listening(
            keys=MOST_KEYS if many else 1,
            finish_key="#" if many else "",
            silence_s=12.0 if self._patient else 6.0,
            speech_pause_s=1.4 if self._patient else 0.6,
        )

    def _manner(self) -> Manner:
        words = wording()
        return Manner(
            centre=self._around.centre or words.default_centre,
            recorded=self._around.records,
            hears=self._session.hears,
            size=PATIENT_PAGE if self._patient else speech.PAGE_CHARACTERS,
            go_on=words.go_on_or_text if self._can_text() else words.go_on,
        )

    # --- how -----------------------------------------------------------------------------------------------------

    def _mark(self, mark: CallMark, **detail: str | int) -> None:
        self._spawn(self._noted(self._around.calls.mark(self._caller.call, mark, **detail)))

    async def _noted(self, write: Coroutine[Any, Any, None]) -> None:
        """The call goes on without its note."""
        try:
            await write
        except TemporaryError as error:
            log.warning("voice.not_noted", reason=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("voice.task.failed", error=repr(error))


def _secret(stage: Stage) -> Listening:
    keys = KEYS[stage]
    return Listening(
        speech=False,
        keys=keys.most,
        finish_key=keys.finish,
        key_pause_s=keys.pause_s,
        silence_s=float(keys.pause_s),
        interruptible=True,
        secret=True,
    )
