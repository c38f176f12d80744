"""Which line calls come in by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from channels.voice.line import AudioLine
from hotline.errors import ConfigError
from hotline.settings import TelephoneSettings


class Switch(Protocol):
    """Where calls come in."""

    async def run(self) -> None:
        """Takes calls until it is cancelled; raises where there can be none any more."""
        ...


def build_switch(settings: TelephoneSettings, on_call: Callable[[AudioLine], Awaitable[None]]) -> Switch:
    """The switch of the settings. Raises ConfigError where it is not installed."""
    if settings.line == "asterisk":
        from channels.voice.asterisk.switch import AsteriskSwitch

        return AsteriskSwitch(settings, on_call)
    if settings.line == "sip":
        try:
            from channels.voice.sip.switch import SipSwitch
        except ImportError as error:
            raise ConfigError("a line by SIP needs what `make install-all` installs") from error
        return SipSwitch(settings, on_call)
    raise ConfigError("GJJ_TELEPHONE__LINE names no line")
