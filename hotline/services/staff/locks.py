"""Wrong attempts of members of staff: counted before anything is checked, for the name that was typed, whether anybody
has it or not, and for the network address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hotline.domain.staff import SignInRefusal, SignInRefused
from hotline.identity_store import AttemptKey, Attempts
from hotline.privacy.hashes import LookupHash
from hotline.services.identity_locks import ADDRESS_ALLOWANCE, network

LONGEST_NAME = 64
"""Characters of a name that are counted under; no member has so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One that counts as wrong until it is refunded. ``locked_s``: how long the lock lasts that stands if it stays
    wrong; 0: none."""

    keys: Sequence[AttemptKey]
    locked_s: int

    @property
    def of_name(self) -> AttemptKey:
        return self.keys[0]


class StaffLocks:
    """``allowed`` wrong attempts in a row go without a lock."""

    def __init__(self, attempts: Attempts, *, hashes: LookupHash, allowed: int) -> None:
        self._attempts = attempts
        self._hashes = hashes
        self._allowed = allowed

    async def charge(self, name: str, *, address: str) -> Attempt:
        """Raises SignInRefused ``locked``, and counts nothing, where the name or the address is locked."""
        keys = [self.of_name(name), self._of_address(address)]
        charge = await self._attempts.charge(keys)
        if not charge.counted:
            raise SignInRefused(SignInRefusal.LOCKED, wait_s=charge.locked_s)
        return Attempt(keys=keys, locked_s=charge.locked_s)

    async def refund(self, attempt: Attempt) -> None:
        """It was right. Those before it still count until the whole sign-in has succeeded."""
        await self._attempts.refund(attempt.keys)

    def of_name(self, name: str) -> AttemptKey:
        """What attempts under a name are counted under, and what stands for it in the audit trail."""
        typed = name.encode("utf-8", "replace").decode().strip().lower()  # a token may hold half a character
        hashed = self._hashes.of("attempt.staff", typed[:LONGEST_NAME])
        return AttemptKey(kind="staff", key_hash=hashed, allowed=self._allowed)

    def _of_address(self, address: str) -> AttemptKey:
        hashed = self._hashes.of("attempt.staff_address", network(address))
        return AttemptKey(kind="staff_address", key_hash=hashed, allowed=self._allowed * ADDRESS_ALLOWANCE)
