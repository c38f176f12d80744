"""The control messages of chan_websocket, as plain text and as JSON.

Plain text is what Asterisk 22.6 and 22.7 know; JSON, from 22.8 on, is what stays
(https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Told(StrEnum):
    """What Asterisk tells; everything else it may tell is nothing to us."""

    MEDIA_START = "MEDIA_START"
    MEDIA_XOFF = "MEDIA_XOFF"
    MEDIA_XON = "MEDIA_XON"
    QUEUE_DRAINED = "QUEUE_DRAINED"
    ERROR = "ERROR"


class Command(StrEnum):
    """What we ask for."""

    FLUSH_MEDIA = "FLUSH_MEDIA"
    REPORT_QUEUE_DRAINED = "REPORT_QUEUE_DRAINED"
    HANGUP = "HANGUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A message as read. ``fields`` are text, whatever they were."""

    event: str
    fields: Mapping[str, str] = field(default_factory=dict)
    is_json: bool = False


def read(text: str) -> Control | None:
    """None where it is neither form."""
    if text.lstrip().startswith("{"):
        return _read_json(text)
    event, *parts = text.split()[:32] or [""]
    pairs = (part.partition(":") for part in parts)
    return Control(event=event, fields={name: value for name, _, value in pairs}) if event else None


def write(command: Command, *, as_json: bool) -> str:
    """As Asterisk takes it: in the form in which it speaks itself."""
    return json.dumps({"command": command.value}) if as_json else command.value


def _read_json(text: str) -> Control | None:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        return None
    fields = {str(name): str(value) for name, value in message.items() if name != "event"}
    return Control(event=message["event"], fields=fields, is_json=True)
