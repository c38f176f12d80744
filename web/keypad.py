"""Entries by telephone keypad through Twilio's webhooks: proof of identity in the middle of a call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response

from channels.twilio_signature import verified_form
from channels.voice import acts, codec, keypad, proof
from channels.voice.acts import Caller
from channels.voice.call_state import CallState
from channels.voice.channel import WEBHOOK
from channels.voice.keypad import KEYS, KeypadState, Stage
from channels.voice.plan import Manner, Step, Then, plan
from channels.voice.proof import KeypadProof
from channels.voice.twiml import KEYPAD, entry_address, render, render_entry, render_waiting
from channels.voice.wording import wording
from hotline.bootstrap import Core
from hotline.domain.messages import ChannelName, Inbound
from hotline.errors import TemporaryError
from hotline.ports import RefusedRequest
from hotline.privacy.ciphers import FieldCipher
from hotline.storage.channel_store import PASSING
from web.webhooks import read_request

log = structlog.get_logger()

POLL_S: Final = 0.2
LEAST_WAIT_S: Final = 1.0
_XML: Final = "text/xml; charset=utf-8"
_FINISHED_BY_KEY: Final = "FinishedOnKey"
"""Twilio's name for the key that ended an entry; absent or empty where none did."""


def keypad_router(core: Core) -> APIRouter:
    """``POST /channels/voice/keypad/<number of the entry>``, signed as every request of Twilio's."""
    sign_ins = KeypadSignIns(core)
    routes = APIRouter(include_in_schema=False)

    @routes.api_route(f"{WEBHOOK}{KEYPAD}/{{entry}}", methods=["GET", "POST"])
    async def enter(entry: str, request: Request) -> Response:
        try:
            hook = await read_request(core, request)
            entered = _read(verified_form(hook, core.settings.twilio), entry, CallState.parse(hook.query))
        except RefusedRequest as refusal:
            log.warning("channel.request.refused", channel="voice", status=refusal.status, reason=refusal.reason)
            return Response(status_code=refusal.status, content=refusal.reason, media_type="text/plain")
        return Response(content=await sign_ins.answer(entered), media_type=_XML)

    return routes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request: entry number ``number`` of a call that stands at ``at``, or the same one delivered again."""

    caller: Caller
    number: int
    at: CallState
    keys: str = field(repr=False)
    by_finish_key: bool
    is_over: bool

    @property
    def call(self) -> str:
        return self.caller.call


def _read(form: dict[str, str], number: str, at: CallState) -> Entry:
    if not (number.isascii() and number.isdigit() and len(number) <= 3):
        raise RefusedRequest(404, "no such entry")
    return Entry(
        caller=codec.caller_of(form),
        number=int(number),
        at=at,
        keys=codec.keyed(form),
        by_finish_key=bool(form.get(_FINISHED_BY_KEY)),
        is_over=codec.is_over(form),
    )


class KeypadSignIns:
    """Sign-ins by keypad. Each entry is worked once, whichever process gets it and however often it is delivered."""

    def __init__(self, core: Core) -> None:
        self._intake = core.intake
        self._proof = KeypadProof(core.identification, FieldCipher.from_settings(core.settings.privacy))
        self._store = core.storage.store
        self._states = core.storage.channel_store
        self._webhook = core.settings.gateway.public_url.rstrip("/") + WEBHOOK
        self._voice = core.settings.twilio.voice
        self._wait_s = core.channels[ChannelName.VOICE].capabilities.reply_wait_s
        self._working: set[asyncio.Task[KeypadState]] = set()

    async def answer(self, entry: Entry) -> str:
        """The document that follows the entry."""
        if entry.is_over:
            await self._intake.submit(acts.left(entry.caller))
            return self._rendered(Step(then=Then.NOTHING))
        until = asyncio.get_running_loop().time() + self._wait_s
        if entry.keys == keypad.PERSON_KEY:
            return await self._converse(entry, acts.wants_person(entry.caller, entry.at.turn), until=until)
        try:
            state = await self._after(entry, until)
        except TemporaryError:
            state = _ended(entry, keypad.CORE_AWAY)
        return await self._said(entry, state, until=until)

    # --- what becomes of an entry --------------------------------------------------------------------------------

    async def _after(self, entry: Entry, until: float) -> KeypadState:
        """Where the proof stands after the entry, which may still be worked at ``until``."""
        before = await self._stored(entry.call)
        begins = entry.number == 0 and (before is None or before.turn < entry.at.turn)
        if begins:
            before = KeypadState(turn=entry.at.turn, version=before.version if before else 0)
        if before is None or before.turn != entry.at.turn or entry.number > before.entry:
            return _ended(entry, keypad.EXPIRED)
        if entry.number < before.entry:  # delivered again, or asked for again
            return await self._settled(entry, before, until)
        claimed = replace(before, entry=entry.number + 1, busy=True, version=before.version + 1)
        if not await self._keep(entry.call, claimed):
            return await self._settled(entry, claimed, until)
        task = asyncio.create_task(self._worked(entry, claimed))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        done, _ = await asyncio.wait({task}, timeout=max(0.0, until - asyncio.get_running_loop().time()))
        return task.result() if done else claimed

    async def _settled(self, entry: Entry, state: KeypadState, until: float) -> KeypadState:
        """The state when somebody else has worked the entry, or as it is at ``until``."""
        while state.busy and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(POLL_S)
            state = await self._stored(entry.call) or state
        return state

    async def _worked(self, entry: Entry, claimed: KeypadState) -> KeypadState:
        if entry.number == 0:
            after = await self._begun(entry, claimed)
        else:
            keyed = proof.Entry(call=entry.call, keys=entry.keys, by_finish_key=entry.by_finish_key)
            after = await self._proof.entered(claimed, keyed)
        after = replace(after, busy=False, version=claimed.version + 1)
        try:
            await self._keep(entry.call, after)
        except TemporaryError:
            log.error("keypad.not_stored", channel="voice", state=after.stage.value)
        return after

    async def _begun(self, entry: Entry, state: KeypadState) -> KeypadState:
        """The answer that led here names the conversation and what is to be proven."""
        try:
            record = await self._store.record(ChannelName.VOICE, acts.turn_id(entry.call, entry.at.of))
        except TemporaryError:
            return state.ends(Stage.BACK, keypad.CORE_AWAY)
        purpose = next((reply.keypad for reply in record.replies if reply.keypad), "") if record else ""
        if record is None or not purpose:
            return state.ends(Stage.BACK, keypad.EXPIRED)
        return await self._proof.begun(state, conversation_id=record.conversation_id, purpose=purpose)

    # --- what is said then ---------------------------------------------------------------------------------------

    async def _said(self, entry: Entry, state: KeypadState, *, until: float) -> str:
        if state.busy:
            return self._waiting(entry)
        if state.stage is Stage.PROVED:
            return await self._converse(entry, acts.proved(entry.caller, entry.at.turn), until=until)
        if state.stage is Stage.PERSON:
            inbound = acts.wants_person(entry.caller, entry.at.turn)
            return await self._converse(entry, inbound, until=until, first=keypad.says(state))
        if state.stage is Stage.BACK:
            return self._back(entry, keypad.says(state), late_keys=state.told in (keypad.UNHEARD, keypad.EXPIRED))
        words = keypad.says(state, id_tail=self._proof.id_tail(state, entry.call))
        action = entry_address(self._webhook, state.entry, replace(entry.at, wait=0))
        return render_entry(words, action, KEYS[state.stage], voice=self._voice)

    async def _converse(self, entry: Entry, inbound: Inbound, *, until: float, first: tuple[str, ...] = ()) -> str:
        """The conversation goes on with ``inbound``, answered in the same request where that is quick enough."""
        left = max(LEAST_WAIT_S, until - asyncio.get_running_loop().time())
        answer = await self._intake.answer(inbound, wait_s=left)
        after = CallState(turn=entry.at.turn + 1, of=entry.at.turn)
        step = plan(inbound.kind, after, answer.replies, manner=Manner())
        return self._rendered(replace(step, says=(*first, *step.says)))

    def _back(self, entry: Entry, words: tuple[str, ...], *, late_keys: bool = False) -> str:
        """The conversation goes on by voice. Where keys may still come that were meant for an entry, they are taken
        together: in one message a personal number is recognised and masked."""
        return self._rendered(
            Step(then=Then.LISTEN, says=words, state=CallState(turn=entry.at.turn, many=int(late_keys)))
        )

    def _waiting(self, entry: Entry) -> str:
        words = wording()
        if entry.at.wait >= len(words.waiting):
            return self._back(entry, (words.late,))
        address = entry_address(self._webhook, entry.number, replace(entry.at, wait=entry.at.wait + 1))
        return render_waiting((words.waiting[entry.at.wait],), address, voice=self._voice)

    def _rendered(self, step: Step) -> str:
        return render(step, self._webhook, voice=self._voice)

    # --- what is kept between two entries ------------------------------------------------------------------------

    async def _stored(self, call: str) -> KeypadState | None:
        record = await self._states.get_state(PASSING, _key(call))
        return KeypadState.from_record(record) if record else None

    async def _keep(self, call: str, state: KeypadState) -> bool:
        return await self._states.put_state(PASSING, _key(call), state.to_record(), version=state.version)


def _ended(entry: Entry, told: str) -> KeypadState:
    return KeypadState(turn=entry.at.turn).ends(Stage.BACK, told)


def _key(call: str) -> str:
    return f"{proof.PLACE_PREFIX}{call}"
