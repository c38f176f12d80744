"""Wrong attempts: counted before the core system is asked, for the person, the contact and the network address.

A person is counted by the ID number that was typed, whether anybody has it or not, so that a lock tells nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from hotline.domain.identity import Contact, IdentityRefused, Refusal
from hotline.identity_store import AttemptKey, Attempts, Charge
from hotline.privacy.hashes import LookupHash

FIRST_LOCK_S: Final = 60
LONGEST_LOCK_S: Final = 24 * 3600
FORGOTTEN_AFTER_S: Final = 24 * 3600
"""Wrong attempts are forgotten when none has come for so long."""
ADDRESS_ALLOWANCE: Final = 4
"""An address may have so many times the wrong attempts of a person: thousands share one on mobile networks. They are
not forgotten for a right one, or whoever guesses would only have to be right about himself now and then."""


def lock_s(wrong: int, allowed: int) -> int:
    """Seconds of lock after ``wrong`` attempts in a row: none before ``allowed``, then a minute, doubling up to a
    day."""
    if wrong < allowed:
        return 0
    doublings = min(wrong - allowed, LONGEST_LOCK_S.bit_length())
    return min(FIRST_LOCK_S << doublings, LONGEST_LOCK_S)


def person_hash(hashes: LookupHash, id_number: str) -> str:
    """What a person's wrong attempts are counted under."""
    return hashes.of("attempt.person", id_number)


def contact_hash(hashes: LookupHash, contact: Contact) -> str:
    """What a contact's wrong attempts are counted under; it also names the contact in the audit trail."""
    return hashes.of("attempt.contact", contact.channel, contact.address)


class Locks:
    """Counts attempts and says how long to wait. ``allowed`` wrong ones in a row go without a lock."""

    def __init__(self, attempts: Attempts, *, hashes: LookupHash, allowed: int) -> None:
        self._attempts = attempts
        self._hashes = hashes
        self._allowed = allowed

    def keys(self, contact: Contact, *, address: str = "", id_number: str = "") -> Sequence[AttemptKey]:
        """Whom an attempt is counted for; without an ID number or address those are left out."""
        found = [AttemptKey(kind="contact", key_hash=contact_hash(self._hashes, contact), allowed=self._allowed)]
        if id_number:
            hashed = person_hash(self._hashes, id_number)
            found.append(AttemptKey(kind="person", key_hash=hashed, allowed=self._allowed))
        if address:
            hashed = self._hashes.of("attempt.address", network(address))
            allowed = self._allowed * ADDRESS_ALLOWANCE
            found.append(AttemptKey(kind="address", key_hash=hashed, allowed=allowed))
        return found

    async def check(self, keys: Sequence[AttemptKey]) -> None:
        """Nobody of these is locked. Raises IdentityRefused ``locked``."""
        if wait_s := await self._attempts.locked_s(keys):
            raise IdentityRefused(Refusal.LOCKED, wait_s=wait_s)

    async def charge(self, keys: Sequence[AttemptKey]) -> Charge:
        """The attempt counts as wrong until it is refunded. Raises IdentityRefused ``locked``."""
        charge = await self._attempts.charge(keys)
        if not charge.counted:
            raise IdentityRefused(Refusal.LOCKED, wait_s=charge.locked_s)
        return charge

    async def refund(self, keys: Sequence[AttemptKey]) -> None:
        await self._attempts.refund(keys)


def network(address: str) -> str:
    """Whose address it is: the address itself, or for IPv6 its /64, which one subscriber has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
