"""The address at which a certificate is fetched: a ticket for one contact, one person, one certificate."""

from __future__ import annotations

import uuid

from hotline.certificates.tickets import PATH, CertificateTickets
from hotline.domain.fund import CertificateKind
from hotline.identity_store import Bindings
from hotline.services.own.skill import Declined


class TicketLinks:
    """Implements `hotline.services.own.certificate.CertificateLinks`."""

    def __init__(self, tickets: CertificateTickets, bindings: Bindings, *, public_url: str) -> None:
        self._tickets = tickets
        self._bindings = bindings
        self._public_url = public_url.rstrip("/")

    async def address(self, *, person_id: str, kind: CertificateKind, conversation_id: str) -> str:
        contact = await self._bindings.contact_of(conversation_id)
        if contact is None:
            raise Declined("prove_first")
        ticket = self._tickets.make(contact, person_id=person_id, kind=kind, key=str(uuid.uuid4()))
        return self._public_url + PATH.format(ticket=ticket)
