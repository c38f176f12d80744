"""What Asterisk reports over ARI, as far as it concerns a call.

https://docs.asterisk.org/Latest_API/API_Documentation/Asterisk_REST_Interface/Asterisk_REST_Data_Models/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

WANTED: Final = ("StasisStart", "StasisEnd", "ChannelDtmfReceived", "ChannelDestroyed", "ApplicationReplaced")
"""Asterisk is asked to send nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A channel is the application's. ``asterisk_id`` tells one Asterisk from another."""

    channel: str
    asterisk_id: str
    name: str
    caller: str = field(repr=False)
    called: str
    args: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A key has been let go."""

    channel: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A channel has left the application or is no more. ``cause`` is Q.850's, 0 where it is not told."""

    channel: str
    cause: int = 0


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another process has taken the application over: nothing more will be told."""


AriEvent: TypeAlias = Entered | Pressed | Gone | Replaced


def read(text: str | bytes) -> AriEvent | None:
    """None for what concerns no call, is not ARI's or lacks what it must have."""
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    if message.get("type") == "ApplicationReplaced":
        return Replaced()
    channel = message.get("channel")
    if not isinstance(channel, dict) or not isinstance(channel.get("id"), str):
        return None
    return _of_channel(message, channel, channel["id"])


def _of_channel(message: Mapping[str, Any], channel: Mapping[str, Any], channel_id: str) -> AriEvent | None:
    match message.get("type"):
        case "StasisStart":
            return _entered(message, channel, channel_id)
        case "ChannelDtmfReceived" if isinstance(digit := message.get("digit"), str) and len(digit) == 1:
            return Pressed(channel=channel_id, key=digit)
        case "StasisEnd":
            return Gone(channel=channel_id)
        case "ChannelDestroyed":
            cause = message.get("cause")
            return Gone(channel=channel_id, cause=cause if isinstance(cause, int) else 0)
        case _:
            return None


def _entered(message: Mapping[str, Any], channel: Mapping[str, Any], channel_id: str) -> Entered:
    args = message.get("args")
    return Entered(
        channel=channel_id,
        asterisk_id=str(message.get("asterisk_id") or ""),
        name=str(channel.get("name") or ""),
        caller=_number(channel.get("caller")),
        called=str(_part(channel.get("dialplan"), "exten")),
        args=[str(arg) for arg in args] if isinstance(args, list) else [],
    )


def _number(caller: object) -> str:
    """Digits with an optional plus; empty where the number is withheld (``anonymous``, ``Restricted``, nothing)."""
    number = str(_part(caller, "number")).strip()
    return number if number.removeprefix("+").isascii() and number.removeprefix("+").isdigit() else ""


def _part(value: object, name: str) -> object:
    return (value.get(name) if isinstance(value, dict) else None) or ""
