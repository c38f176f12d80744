"""A certificate is issued at the moment its ticket is used, to somebody who is still proven."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.certificates.tickets import Ticket, TicketProblem, TicketRefused
from hotline.domain.fund import Certificate
from hotline.fund_system import FundSystem
from hotline.identity_store import Bindings


class Issuing:
    """Issues certificates. Safe to repeat: a ticket's key gives the same certificate again."""

    def __init__(self, fund: FundSystem, bindings: Bindings, *, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._fund = fund
        self._bindings = bindings
        self._audit = audit
        self._clock = clock

    async def certificate_of(self, ticket: Ticket) -> Certificate:
        """The certificate. Raises TicketRefused where the person is not proven any more, and what the core system
        raises."""
        person = await self._bindings.registered(ticket.person_id)
        if person is None or not await self._still_proven(ticket):
            raise TicketRefused(TicketProblem.NOT_PROVEN)
        certificate = await self._fund.issue_certificate(person.person_no, ticket.kind, key=ticket.key)
        await self._audit.record(_entry(ticket, certificate))
        return certificate

    async def _still_proven(self, ticket: Ticket) -> bool:
        for contact in await self._bindings.contacts_of(ticket.person_id):
            bound = await self._bindings.bound(contact) if contact.channel is ticket.channel else None
            if bound and bound.proven_until and bound.proven_until > self._clock():
                return True
        return False


def _entry(ticket: Ticket, certificate: Certificate) -> AuditEntry:
    return AuditEntry(
        actor_kind=ActorKind.PERSON,
        actor_id=ticket.person_id,
        action="certificate.issued",
        subject=ticket.person_id,
        purpose=ticket.kind,
        channel=ticket.channel,
        detail={"reference": certificate.number},
    )
