"""Passwords of staff: argon2id, and what makes a new one good enough."""

from __future__ import annotations

import asyncio
import secrets
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
LONGEST: Final = 128
ONE_TIME_CHARS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters that look like others."""
_AT_ONCE: Final = 2
"""A check takes 64 MiB and a core for some tens of milliseconds: more at once would be a way to bring the gateway
down."""


class Passwords:
    """Hashes and checks passwords, in threads. One object per process."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._nobody = ""

    async def hashed(self, password: str) -> str:
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def are_right(self, kept: str, password: str) -> bool:
        """Whether ``password`` belongs to the hash ``kept``; an empty ``kept``, of nobody, takes as long."""
        # Made with whatever is checked first, or the first name that nobody has would take longer.
        self._nobody = self._nobody or await self.hashed(secrets.token_hex(16))
        async with self._places:
            right = await asyncio.to_thread(self._verify, kept or self._nobody, password[:LONGEST])
        return right and bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def is_good(password: str, *, name: str) -> bool:
    """Long enough, not the name and not one that everybody tries first."""
    plain = password.strip().lower()
    if not SHORTEST <= len(password) <= LONGEST or len(set(password)) < 4:
        return False
    return name.lower() not in plain and not any(common in plain for common in _common())


def one_time() -> str:
    """A password to be told once and changed at the first sign-in: four groups of four."""
    return "-".join("".join(secrets.choice(ONE_TIME_CHARS) for _ in range(4)) for _ in range(4))


@cache
def _common() -> tuple[str, ...]:
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("passwords.yml").read_text(encoding="utf-8"))
    return tuple(loaded["common"])
