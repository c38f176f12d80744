"""The TwiML around a relay. No document has personal data in it: neither the caller's number nor anything he said.

The attributes of <ConversationRelay> are https://www.twilio.com/docs/voice/twiml/connect/conversationrelay. Twilio's
library passes on a name it does not know, and Twilio ignores it, so tests check the finished documents.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from twilio.twiml.voice_response import Connect, Dial, VoiceResponse

from channels.voice.twiml import SPEAKS
from channels.voice.wording import wording
from hotline.settings import TwilioSettings

PATH: Final = "/channels/voice/relay"
AFTER: Final = f"{PATH}/after"
DIALLED: Final = f"{PATH}/dialled"
WHISPER: Final = f"{PATH}/whisper"
QUEUED: Final = f"{PATH}/queued"
RECORDING: Final = "/channels/voice/recording"

TICKET: Final = "ticket"
RESUMED: Final = "resumed"
DIALLED_AS: Final = "dialled"

_GATHER: Final = "/channels/voice?turn=500"
"""A turn of the one-webhook-a-turn form, far behind those a relay can have had."""
_EXTENSION: Final = re.compile(r"[0-9A-Za-z._-]{1,32}")
_HEADER: Final = re.compile(r"X-[0-9A-Za-z-]{1,40}")
_LONGEST_HEADERS: Final = 1024
"""https://www.twilio.com/docs/voice/twiml/sip#custom-headers"""


def ticket_of(call: str, settings: TwilioSettings) -> str:
    """What a socket shows to be let into this call. The signature of a handshake is the same for every call, so it
    does not tell which call a socket is for."""
    key = settings.auth_token.get_secret_value().encode()
    return hmac.new(key, b"relay:" + call.encode(), hashlib.sha256).hexdigest()[:32]


def socket_url(public_url: str) -> str:
    """The address of the WebSocket as Twilio is told it, and as Twilio signs it."""
    return "ws" + public_url.rstrip("/").removeprefix("http") + PATH


class Documents:
    """Every document, for one centre's settings. Says what it is given before it does what it is for."""

    def __init__(self, settings: TwilioSettings, public_url: str) -> None:
        self._settings = settings
        self._public = public_url.rstrip("/")

    def relay(self, call: str, *, says: str = "", tried: int = 0, given: Mapping[str, str] | None = None) -> str:
        """The call goes on over a socket. ``tried``: how often in a row this has been tried because it failed;
        ``given`` comes with the socket's first message."""
        relay = self._settings.relay
        response = self._saying(says)
        connect = Connect(action=f"{self._public}{AFTER}" + (f"?tried={tried}" if tried else ""), method="POST")
        noun = connect.conversation_relay(
            url=socket_url(self._public),
            tts_provider=relay.tts_provider,
            tts_language=relay.speaks,
            voice=relay.voice or None,
            transcription_provider=relay.transcription_provider,
            transcription_language=relay.hears,
            speech_model=relay.speech_model or None,
            hints=",".join(wording().hints),
            dtmf_detection=True,
            interruptible="any",
            report_input_during_agent_speech="any",
            partial_prompts=True,
            profanity_filter=False,
            events="speaker-events tokens-played",
        )
        for name, value in {TICKET: ticket_of(call, self._settings), **(given or {})}.items():
            noun.parameter(name=name, value=value)
        response.append(connect)
        return str(response)

    def dial(self, handoff: Mapping[str, str]) -> str:
        """An agent's telephone rings, as the handoff data of a transfer says. Raises ValueError where they do not
        say it in our form."""
        extension, ring_s = handoff.get("extension", ""), handoff.get("ring_s", "")
        if not (self._settings.relay.agents and _EXTENSION.fullmatch(extension) and ring_s.isdigit()):
            raise ValueError("no transfer of ours")
        dial = Dial(
            action=f"{self._public}{DIALLED}",
            method="POST",
            answer_on_bridge=True,
            timeout=min(max(int(ring_s), 5), 600),
            caller_id=self._settings.number,
        )
        address = self._settings.relay.agents.format(extension=extension)
        whisper = {"url": f"{self._public}{WHISPER}", "method": "POST"}
        if address.startswith(("sip:", "sips:")):
            dial.sip(_with_headers(address, json.loads(handoff.get("headers") or "{}")), **whisper)
        else:
            dial.number(address, **whisper)
        response = VoiceResponse()
        response.append(dial)
        return str(response)

    def enqueue(self, says: str, *, reason: str) -> str:
        """The caller waits for a person of TaskRouter's."""
        response = self._saying(says)
        queue = response.enqueue(
            None, workflow_sid=self._settings.relay.workflow_sid, action=f"{self._public}{QUEUED}", method="POST"
        )
        queue.task(json.dumps({"reason": reason}))
        return str(response)

    def gather(self, says: str = "") -> str:
        """The call goes on one webhook a turn."""
        response = self._saying(says)
        response.redirect(self._public + _GATHER, method="POST")
        return str(response)

    def whisper(self, says: str) -> str:
        """What an agent hears before he is joined to the caller."""
        return str(self._saying(says))

    def hang_up(self, says: str = "") -> str:
        response = self._saying(says)
        response.hangup()
        return str(response)

    def nothing(self) -> str:
        return str(VoiceResponse())

    def sound(self, name: str) -> str:
        """The public address of a sound."""
        return f"{self._public}{PATH}/sounds/{quote(name)}.wav"

    def _saying(self, says: str) -> VoiceResponse:
        response = VoiceResponse()
        if says:
            response.say(says, voice=self._settings.voice, language=SPEAKS)
        return response


def _with_headers(address: str, headers: object) -> str:
    """The SIP address with what goes along in its headers; those that are not of the form are left out."""
    given = headers if isinstance(headers, dict) else {}
    kept = {str(name): str(value) for name, value in given.items() if _HEADER.fullmatch(str(name))}
    query = urlencode(kept, quote_via=quote)
    if not query or len(query) > _LONGEST_HEADERS:
        return address
    return f"{address}{'&' if '?' in address else '?'}{query}"
