"""Tickets that fetch one certificate once: signed, for ten minutes, on the web page for one visitor alone.

A ticket is part of an address, so it carries no number of the person's: only our own id of him, which certificate, and
the idempotency key it is issued with.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer
from pydantic import SecretStr

from hotline.domain.fund import CertificateKind
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.ports import ReplayGuard

LIFE_S = 600
PATH = "/certificates/{ticket}"
_SCOPE = "certificate"


class TicketProblem(StrEnum):
    """Why nothing is handed out: a closed list, each worded for people by a sentence of the same key."""

    UNREADABLE = "unreadable"
    EXPIRED = "expired"
    USED = "used"
    OTHER_BROWSER = "other_browser"
    NOT_PROVEN = "not_proven"
    """The person is no longer proven or no longer bound."""


class TicketRefused(Exception):
    """The ticket is not good, or not good any more."""

    def __init__(self, problem: TicketProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What may be fetched. ``key`` is the idempotency key of `FundSystem.issue_certificate`."""

    nonce: str
    person_id: str
    kind: CertificateKind
    key: str
    channel: ChannelName


class CertificateTickets:
    """Makes and reads tickets; ``guard`` remembers the used ones for all gateway processes."""

    def __init__(self, secret: SecretStr, guard: ReplayGuard) -> None:
        self._secret = secret.get_secret_value().encode()
        self._signer = URLSafeTimedSerializer(self._secret, salt=_SCOPE)
        self._guard = guard

    def make(self, contact: Contact, *, person_id: str, kind: CertificateKind, key: str) -> str:
        """A ticket for ``contact``, to be put into `PATH`."""
        holder = self._mark(contact.address) if contact.channel is ChannelName.WEB else ""
        fields = [secrets.token_urlsafe(12), person_id, kind.value, key, contact.channel.value, holder]
        token = self._signer.dumps(fields)
        return token.decode() if isinstance(token, bytes) else token

    def read(self, token: str, *, visitor: str | None) -> Ticket:
        """The ticket, still unused or not. ``visitor`` is who the browser's cookie names; a ticket made on the web
        page is his alone. Raises: TicketRefused."""
        try:
            nonce, person_id, kind, key, channel, holder = self._signer.loads(token, max_age=LIFE_S)
            ticket = Ticket(
                nonce=nonce, person_id=person_id, kind=CertificateKind(kind), key=key, channel=ChannelName(channel)
            )
        except SignatureExpired as expired:
            raise TicketRefused(TicketProblem.EXPIRED) from expired
        except (BadData, ValueError, TypeError) as unreadable:
            raise TicketRefused(TicketProblem.UNREADABLE) from unreadable
        if ticket.channel is ChannelName.WEB and not hmac.compare_digest(self._mark(visitor or ""), holder):
            raise TicketRefused(TicketProblem.OTHER_BROWSER)
        return ticket

    async def use_up(self, ticket: Ticket) -> None:
        """The ticket is used: true for one caller only, however many come at once. Raises: TicketRefused, and
        TemporaryError while storage is away."""
        if await self._guard.uses(_SCOPE, ticket.nonce, "", ttl_s=2 * LIFE_S) != 0:
            raise TicketRefused(TicketProblem.USED)

    def _mark(self, address: str) -> str:
        return hmac.new(self._secret, f"{_SCOPE}:{address}".encode(), hashlib.sha256).hexdigest()[:32]
