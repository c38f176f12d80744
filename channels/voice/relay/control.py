"""What is done to calls by Twilio's REST API: recording, fetching a call back, ending it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

import httpx
import structlog
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from channels.twilio_rest import HttpxForTwilio
from channels.voice.relay.documents import RECORDING
from hotline.settings import TwilioSettings

log = structlog.get_logger(__name__)

_FAILURES: Final = (TwilioException, httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError, KeyError)
"""Of one request: refused, not answered, or answered with what is not Twilio's."""


class CallsApi:
    """Blocking: its methods run in threads. Each raises one of `_FAILURES`."""

    def __init__(
        self, settings: TwilioSettings, public_url: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = HttpxForTwilio(settings.api_base, transport=transport)
        self._client = Client(settings.account_sid, settings.auth_token.get_secret_value(), http_client=self._http)
        self._recording = public_url.rstrip("/") + RECORDING

    def start_recording(self, call: str) -> str:
        """Both sides, each on a channel of its own; the recording's id."""
        made = self._client.calls(call).recordings.create(
            recording_channels="dual",
            recording_status_callback=self._recording,
            recording_status_callback_method="POST",
            trim="do-not-trim",
        )
        return str(made.sid)

    def pause_recording(self, call: str, recording: str) -> None:
        """What follows is left out; silence stands for it."""
        self._client.calls(call).recordings(recording).update(status="paused", pause_behavior="silence")

    def go_on_recording(self, call: str, recording: str) -> None:
        self._client.calls(call).recordings(recording).update(status="in-progress")

    def stop_recording(self, call: str, recording: str) -> None:
        self._client.calls(call).recordings(recording).update(status="stopped")

    def redirect(self, call: str, document: str) -> None:
        """The call leaves what it is in and follows the document."""
        self._client.calls(call).update(twiml=document)

    def complete(self, call: str) -> None:
        """The call is over."""
        self._client.calls(call).update(status="completed")

    def close(self) -> None:
        """Connections are closed."""
        self._http.close()


class _Recording(StrEnum):
    NONE = "none"
    ON = "on"
    PAUSED = "paused"


class CallControl:
    """Implements `channels.voice.relay.session.Control` for one call."""

    def __init__(self, api: CallsApi, call: str, *, back: Callable[[], str]) -> None:
        """``back``: the document of a call that begins a new relay."""
        self._api = api
        self._call = call
        self._back = back
        self._lock = asyncio.Lock()
        self._recording = ""
        self._state = _Recording.NONE

    async def record(self, *, on: bool) -> bool:
        async with self._lock:
            return await (self._go_on() if on else self._pause())

    async def bring_back(self) -> bool:
        return await self._done("bring_back", self._api.redirect, self._call, self._back())

    async def complete(self) -> bool:
        return await self._done("complete", self._api.complete, self._call)

    async def _go_on(self) -> bool:
        if self._state is _Recording.ON:
            return True
        if self._recording:
            done = await self._done("go_on", self._api.go_on_recording, self._call, self._recording)
        else:
            done = await self._done("record", self._begin)
        if done:
            self._state = _Recording.ON
        return done

    def _begin(self) -> None:
        self._recording = self._api.start_recording(self._call)

    async def _pause(self) -> bool:
        """Where pausing fails the recording is ended: what follows must not be in it."""
        if self._state is not _Recording.ON:
            return True
        if await self._done("pause", self._api.pause_recording, self._call, self._recording):
            self._state = _Recording.PAUSED
            return True
        stopped = await self._done("stop", self._api.stop_recording, self._call, self._recording)
        if stopped:
            self._state, self._recording = _Recording.NONE, ""
        return stopped

    async def _done(self, what: str, do: Callable[..., Any], *given: str) -> bool:
        try:
            await asyncio.to_thread(do, *given)
        except _FAILURES as error:
            log.warning("voice.relay.rest_failed", channel="voice", kind=what, error=type(error).__name__)
            return False
        return True
