"""FastAGI, as much of it as a keypad call needs: one command at a time, one answer each.

https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Gateway-Interface-AGI/
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_ANSWER: Final = re.compile(r"200 result=(-?\d+)(?:.*?endpos=(\d+))?")
_KEYS: Final = "0123456789*#"
_LIMIT_S: Final = 10.0
_MOST_VARIABLES: Final = 100
_UP: Final = 6


class AgiGone(Exception):
    """The caller has hung up, or the connection is gone or makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """``key``: pressed meanwhile, which stopped it; empty: it is over. ``end``: in samples."""

    key: str
    end: int


class Agi:
    """One call. Every command raises AgiGone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def variables(self) -> Mapping[str, str]:
        """What Asterisk says of the call at the start, without the prefix ``agi_``."""
        variables: dict[str, str] = {}
        for _ in range(_MOST_VARIABLES):
            if not (line := await self._line(_LIMIT_S)):
                return variables
            name, _, value = line.partition(":")
            variables[name.removeprefix("agi_")] = value.strip()
        raise AgiGone

    async def answer(self) -> None:
        await self._ask("ANSWER")

    async def hang_up(self) -> None:
        await self._ask("HANGUP")

    async def key(self, within_s: float) -> str:
        """The next key; empty: none came in time."""
        result, _ = await self._ask(f"WAIT FOR DIGIT {int(within_s * 1000)}", within_s + _LIMIT_S)
        if result < 0:
            raise AgiGone
        return chr(result) if result else ""

    async def play(self, file: str, *, start: int, seconds: float) -> Played:
        """Plays a file (without its ending) from a sample on until a key is pressed. What cannot be played is over."""
        command = f'STREAM FILE "{file}" "{_KEYS}" {start}'
        result, end = await self._ask(command, seconds + _LIMIT_S)
        if result < 0:
            await self._still_there()
        return Played(key=chr(result) if result > 0 else "", end=end)

    async def _still_there(self) -> None:
        result, _ = await self._ask("CHANNEL STATUS")
        if result != _UP:
            raise AgiGone

    async def _ask(self, command: str, limit_s: float = _LIMIT_S) -> tuple[int, int]:
        try:
            self._writer.write(f"{command}\n".encode())
            await self._writer.drain()
        except OSError as error:
            raise AgiGone from error
        while (line := await self._line(limit_s)) == "HANGUP":
            pass
        found = _ANSWER.match(line)
        if not found:
            raise AgiGone
        return int(found[1]), int(found[2] or 0)

    async def _line(self, limit_s: float) -> str:
        try:
            line = await asyncio.wait_for(self._reader.readline(), limit_s)
        except (OSError, ValueError, TimeoutError) as error:
            raise AgiGone from error
        if not line.endswith(b"\n"):
            raise AgiGone
        return line.decode(errors="replace").strip()
