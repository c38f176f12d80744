"""Codes that prove who somebody is, by the same way as every other SMS of the centre."""

from __future__ import annotations

from functools import partial

import anyio.to_thread

from channels.sms import codec
from channels.sms.rest import MessageSender
from channels.sms.wording import wording
from hotline.settings import TwilioSettings

CHINA = "+86"


class SmsCodes:
    """Implements `hotline.services.codes.CodeSender`."""

    def __init__(self, settings: TwilioSettings, *, signature: str = "") -> None:
        """``signature`` as for `SmsChannel`."""
        self._sender = MessageSender(settings)
        self._signature = signature or wording().default_signature

    async def send(self, mobile: str, text: str) -> None:
        """Raises SendError, with neither number nor text in it."""
        number = mobile if mobile.startswith("+") else f"{CHINA}{mobile}"
        create = partial(self._sender.create, number, body=codec.fit(text, self._signature), status_callback=None)
        await anyio.to_thread.run_sync(create)
