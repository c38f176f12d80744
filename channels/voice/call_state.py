"""Where a call stands, carried in the addresses Twilio calls next, so that no process has to remember it.

Twilio's signature covers those addresses, so the values come back as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from hotline.ports import RefusedRequest

_LARGEST = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """``turn`` numbers the next thing the caller does: 0 is the start of the call."""

    turn: int = 0
    of: int = 0
    """The turn whose answer is being told or awaited."""
    page: int = 0
    """Which page of that answer comes when the caller wants more; 0: there is no more."""
    wait: int = 0
    """How many times the answer has been asked for again; 0: the caller is expected to act."""
    silence: int = 0
    """How many times in a row nothing was said or pressed."""
    menu: int = 0
    """1 while the digits mean the channel's own keypad menu."""
    many: int = 0
    """1 while several digits are wanted, ended by the # key; else the first key is the whole entry."""

    def query(self) -> dict[str, str]:
        """The values that are not 0, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(value) for name, value in values.items() if value}

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> CallState:
        """The state an address carries. Raises RefusedRequest (400) for values that `query` never writes."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: _number(query[name]) for name in query if name in names})


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and int(value) <= _LARGEST):
        raise RefusedRequest(400, "not an address of ours")
    return int(value)
