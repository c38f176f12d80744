"""Twilio's side of the line: signs and posts webhooks to the gateway and follows the TwiML it gets back.

Nothing here is shared with the adapters that it tries out: the signature is computed from its description
(https://www.twilio.com/docs/usage/security#validating-requests).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import httpx

from sandbox.twilio_live import AgentPhone, Live
from sandbox.twilio_parties import Account, Call, Message, parts, sign, units
from sandbox.twilio_relay import CHARACTERS_PER_S, Relay, RelayedCall

_WEBHOOK_TIMEOUT = httpx.Timeout(15.0, connect=10.0)
_MOST_DOCUMENTS = 12
_MOST_CALLS = 1000
_BLOCKED = {"+15005550004": 21610, "+15005550009": 21614, "+15005550001": 21211}
"""Twilio's own test numbers and the errors they stand for."""
_STOPS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_STARTS = frozenset({"START", "UNSTOP"})


class NotListening(Exception):
    """The call is over or still speaking."""


class TwilioSandbox:
    """Twilio's side of the line."""

    def __init__(
        self,
        account: Account,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        pace: float = CHARACTERS_PER_S,
    ) -> None:
        """``pace``: how many characters a second the voice of a relay says."""
        self.account = account
        self._pace = pace
        self.outbox: deque[Message] = deque(maxlen=1000)
        self.calls: dict[str, Call] = {}
        self.blocked: dict[str, int] = dict(_BLOCKED)
        self._transport = transport
        self._background: set[asyncio.Task[None]] = set()

    async def post(self, url: str, form: Mapping[str, str]) -> httpx.Response:
        """The signed webhook's answer; httpx.HTTPError when there is none in Twilio's time."""
        full = {"AccountSid": self.account.sid, "ApiVersion": "2010-04-01", **form}
        headers = {"X-Twilio-Signature": sign(url, full, token=self.account.token), "User-Agent": "TwilioProxy/1.1"}
        async with httpx.AsyncClient(timeout=_WEBHOOK_TIMEOUT, transport=self._transport, trust_env=False) as client:
            return await client.post(url, data=full, headers=headers)

    # --- messages -------------------------------------------------------------------------------

    def take(self, form: Mapping[str, str]) -> Message | int:
        """The message, kept in the outbox, or the code of Twilio's error."""
        to, body = form.get("To", ""), form.get("Body", "")
        checks = {
            21604: not to,
            21211: not (to.startswith("+") and to[1:].isdigit() and 6 <= len(to) <= 16),
            21606: form.get("From") != self.account.number,
            21602: not body,
            21617: len(body) > 1600,
        }
        code = next((code for code, wrong in checks.items() if wrong), 0) or self.blocked.get(to, 0)
        return code or self._keep(to, body)

    def _keep(self, to: str, body: str) -> Message:
        message = Message(
            sid="SM" + secrets.token_hex(16),
            to=to,
            sender=self.account.number,
            body=body,
            units=units(body),
            parts=parts(body),
            at=datetime.now(UTC).isoformat(),
        )
        self.outbox.append(message)
        return message

    def report(self, message: Message, callback: str) -> None:
        """Tells the gateway in the background that the message was sent and delivered."""
        if urlsplit(callback).scheme in ("http", "https"):
            task = asyncio.get_running_loop().create_task(self._report(message, callback))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _report(self, message: Message, callback: str) -> None:
        for status in ("sent", "delivered"):
            form = {"MessageSid": message.sid, "MessageStatus": status, "To": message.to, "From": message.sender}
            with suppress(httpx.HTTPError):
                await self.post(callback, form)

    async def text(self, sender: str, body: str, *, media: int = 0, sid: str = "") -> dict[str, Any]:
        """A citizen's message goes to the gateway; what comes straight back is given back and kept."""
        self._opt(sender, body.strip().upper())
        sid = sid or ("MM" if media else "SM") + secrets.token_hex(16)
        form = {
            "MessageSid": sid,
            "From": sender,
            "To": self.account.number,
            "Body": body,
            "NumMedia": str(media),
            "NumSegments": str(parts(body)),
        }
        answer = await self.post(f"{self.account.gateway}/channels/sms", form)
        bodies = _messages(answer.text) if answer.is_success and answer.text else []
        kept = [self._keep(sender, text) for text in bodies]
        return {"sid": sid, "status": answer.status_code, "twiml": answer.text, "answers": [asdict(m) for m in kept]}

    def _opt(self, sender: str, word: str) -> None:
        """Twilio itself blocks a number that texts STOP, until it texts START."""
        if word in _STOPS:
            self.blocked[sender] = 21610
        elif word in _STARTS:
            self.blocked.pop(sender, None)

    # --- calls ----------------------------------------------------------------------------------

    async def start(self, caller: str, *, sid: str = "") -> Call:
        """A call is answered by the gateway and plays until it listens or ends."""
        call = Call(sid=sid or "CA" + secrets.token_hex(16), caller=caller or "+266696687")
        self.calls[call.sid] = call
        if len(self.calls) > _MOST_CALLS:
            del self.calls[next(iter(self.calls))]
        async with call.lock:
            await self._play(call, f"{self.account.gateway}/channels/voice", {})
        return call

    async def say(self, call: Call, given: Mapping[str, str]) -> None:
        """Words while the call listens to words; keys that were not finished are lost. Raises NotListening."""
        if call.ended or call.gather is None or "speech" not in call.gather.get("input", "dtmf").split():
            raise NotListening
        await self._finish(call, given)

    async def press(self, call: Call, keys: str) -> None:
        """Keys one after the other while the call listens: the entry ends with the finishing key, with as many keys as
        are wanted, or when for the time of the gather none follows. What comes after its end is not heard. Raises
        NotListening."""
        gather = call.gather
        if call.ended or gather is None:
            raise NotListening
        finish = gather.get("finishOnKey", "#")
        most = int(gather.get("numDigits", "0"))
        for key in keys:
            if finish and key == finish:
                return await self._finish(call, _entered(call.pressed, finished_on=key))
            call.pressed += key
            if len(call.pressed) == most:
                return await self._finish(call, _entered(call.pressed))
        self._wait_for_keys(call, float(gather.get("timeout", "5")))

    async def pause(self, call: Call) -> None:
        """Nothing more comes for the time of the gather: the keys so far are the entry; without any it is silence.
        Raises NotListening."""
        if call.ended or call.gather is None:
            raise NotListening
        await self._finish(call, _entered(call.pressed) if call.pressed else {})

    def _wait_for_keys(self, call: Call, seconds: float) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            async with call.lock:
                call.pause = None  # from here on it must not be cancelled: it ends the entry itself
                with suppress(NotListening):
                    await self.pause(call)

        _stop_waiting(call)
        call.pause = asyncio.get_running_loop().create_task(wait())
        self._background.add(call.pause)
        call.pause.add_done_callback(self._background.discard)

    async def _finish(self, call: Call, given: Mapping[str, str]) -> None:
        gather, action = call.gather or {}, call.action
        _stop_waiting(call)
        call.gather, call.pressed = None, ""
        if any(given.values()) or gather.get("actionOnEmptyResult") == "true":
            await self._play(call, action, given)
        else:
            await self._run(call, call.rest)

    async def hang_up(self, call: Call) -> None:
        """The call is over and the gateway is told."""
        if call.live is not None:
            return await call.live.hang_up()  # the end of that tells the gateway
        await self._over(call)

    async def _over(self, call: Call) -> None:
        if call.ended:
            return
        _stop_waiting(call)
        call.ended, call.gather, call.pressed = True, None, ""
        await self._end_recording(call)
        with suppress(httpx.HTTPError):
            form = self._form(call) | {"CallStatus": "completed", "CallDuration": "60"}
            await self.post(f"{self.account.gateway}/channels/voice/status", form)

    async def _play(self, call: Call, url: str, given: Mapping[str, str]) -> None:
        address, form = url, dict(given)
        for _ in range(_MOST_DOCUMENTS):
            try:
                answer = await self.post(address, self._form(call) | form)
                answer.raise_for_status()
                root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own gateway's document
            except (httpx.HTTPError, ElementTree.ParseError) as error:
                call.heard.append({"kind": "error", "text": f"11205 {type(error).__name__}"})
                return await self._over(call)
            call.document, call.base = answer.text, address
            following = await self._verbs(call, list(root))
            if following is None:
                return None
            address, form = following
        call.heard.append({"kind": "error", "text": "too many redirects"})
        return await self._over(call)

    async def update(self, call: Call, form: Mapping[str, str]) -> None:
        """The REST API takes the call over: with a document of its own, or by ending it."""
        if call.going_on is not None:
            call.going_on.cancel()
            call.live = call.going_on = None
        if form.get("Status") == "completed":
            await self._over(call)
        elif form.get("Twiml"):
            _stop_waiting(call)
            call.gather, call.pressed = None, ""
            await self._run(call, list(ElementTree.fromstring(form["Twiml"])))  # noqa: S314 - authenticated

    async def _run(self, call: Call, verbs: list[ElementTree.Element]) -> None:
        following = await self._verbs(call, verbs)
        if following is not None:
            await self._play(call, *following)

    async def _verbs(self, call: Call, verbs: list[ElementTree.Element]) -> tuple[str, dict[str, str]] | None:
        """Plays verbs in order. The next document's address and form, or None when the call listens or ended."""
        for number, verb in enumerate(verbs):
            match verb.tag:
                case "Say":
                    call.heard.append({"kind": "say", "text": verb.text or ""})
                case "Gather":
                    following = await self._gather(call, verb, rest=verbs[number + 1 :])
                    if following is None or following[0]:
                        return following
                case "Connect" | "Dial" if self._goes_on(call, verb):
                    return None
                case "Redirect" | "Dial" | "Enqueue":
                    if elsewhere := _elsewhere(call, verb):
                        return elsewhere
                case "Hangup":
                    break
        await self._over(call)
        return None

    async def _gather(
        self, call: Call, verb: ElementTree.Element, *, rest: list[ElementTree.Element]
    ) -> tuple[str, dict[str, str]] | None:
        """None: the call listens. An empty address: no key came in the moment there was, so the next verb's turn."""
        call.heard += [{"kind": "say", "text": nested.text or ""} for nested in verb if nested.tag == "Say"]
        action = urljoin(call.base, verb.get("action", ""))
        if verb.get("input") == "dtmf" and rest:
            try:
                keys = await asyncio.wait_for(call.keys.get(), float(verb.get("timeout", "5")))
            except TimeoutError:
                return "", {}
            return action, _entered(keys[: int(verb.get("numDigits", len(keys)))])
        while not call.keys.empty():
            call.keys.get_nowait()
        call.gather, call.action, call.rest = dict(verb.attrib), action, rest
        return None

    def _goes_on(self, call: Call, verb: ElementTree.Element) -> bool:
        """Whether the verb is one that goes on by itself, which it does from now on."""
        if (noun := verb.find("ConversationRelay")) is not None:
            self._connect(call, verb, noun)
        elif (noun := verb.find("*[@url]")) is not None:
            self._ring(call, verb, noun)
        return noun is not None

    def _connect(self, call: Call, verb: ElementTree.Element, noun: ElementTree.Element) -> None:
        given = {each.get("name", ""): each.get("value", "") for each in noun.iter("Parameter")}
        relayed = RelayedCall(
            sid=call.sid, account=self.account.sid, caller=call.caller, called=self.account.number, parameters=given
        )
        relay = Relay(relayed, call.heard, attributes=dict(noun.attrib), pace=self._pace)
        signature = sign(noun.get("url", ""), {}, token=self.account.token)
        self._go_on(call, verb, relay, relay.run(signature=signature))

    def _ring(self, call: Call, verb: ElementTree.Element, noun: ElementTree.Element) -> None:
        phone = AgentPhone(self.post, call.heard, call=call.sid, noun=noun)
        self._go_on(call, verb, phone, phone.run(ring_s=float(verb.get("timeout", "30"))))

    def _go_on(
        self, call: Call, verb: ElementTree.Element, live: Live, doing: Coroutine[Any, Any, dict[str, str]]
    ) -> None:
        """The call is in ``live`` until ``doing`` is done; then the verb's action is asked what follows."""
        action = urljoin(call.base, verb.get("action", ""))

        async def until_over() -> None:
            form = await doing
            call.live = call.going_on = None
            async with call.lock:
                if form.get("CallStatus") == "completed":
                    with suppress(httpx.HTTPError):
                        await self.post(action, self._form(call) | form)
                    await self._over(call)
                else:
                    await self._play(call, action, form)

        call.live = live
        call.going_on = asyncio.get_running_loop().create_task(until_over())
        self._background.add(call.going_on)
        call.going_on.add_done_callback(self._background.discard)

    async def _end_recording(self, call: Call) -> None:
        if call.recording.get("status") in (None, "", "stopped"):
            return
        call.recording["status"] = "stopped"
        form = {"RecordingSid": call.recording["sid"], "RecordingStatus": "completed", "RecordingDuration": "30"}
        with suppress(httpx.HTTPError):
            await self.post(call.recording["callback"], {"CallSid": call.sid, **form})

    def _form(self, call: Call) -> dict[str, str]:
        return {
            "CallSid": call.sid,
            "From": call.caller,
            "To": self.account.number,
            "CallStatus": "in-progress",
            "Direction": "inbound",
        }


def _elsewhere(call: Call, verb: ElementTree.Element) -> tuple[str, dict[str, str]] | None:
    """The next document's address and form, where the verb has one. There is nobody to talk to here."""
    if verb.tag == "Redirect":
        return urljoin(call.base, verb.text or ""), {}
    call.heard.append({"kind": verb.tag.lower(), "text": "".join(verb.itertext()).strip()})
    result = {"DialCallStatus": "completed"} if verb.tag == "Dial" else {"QueueResult": "error"}
    return (urljoin(call.base, verb.get("action", "")), result) if verb.get("action") else None


def _entered(keys: str, *, finished_on: str = "") -> dict[str, str]:
    """The fields of an entry: the finishing key is no part of it."""
    return {"Digits": keys, "FinishedOnKey": finished_on}


def _stop_waiting(call: Call) -> None:
    if call.pause is not None:
        call.pause.cancel()
        call.pause = None


def _messages(document: str) -> list[str]:
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - our own gateway's document
    except ElementTree.ParseError:
        return []
    return ["".join(message.itertext()) for message in root.iter("Message")]
