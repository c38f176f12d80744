"""The pages about certificates over a core system in memory, for their tests and for working on them:

``uvicorn --factory tests.unit.web.certificate_app:create_app``
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import FastAPI

from hotline.certificates.tickets import CertificateTickets, Ticket
from hotline.domain.fund import Certificate, CertificateKind
from hotline.domain.identity import Contact
from hotline.settings import GatewaySettings, SandboxSettings, Settings
from tests.fake_fund import FakeFundSystem
from tests.fund_records import a_person, an_account
from tests.unit.certificates.made import CENTRE, Guard
from web.citizen.assets import static_files
from web.citizen.certificates import CertificateDownloads, CertificateLimits, certificate_router

PERSON_NO = "P000001"


@dataclass
class CertificateSite:
    """An application with one contributor, and what happened in it."""

    public_url: str = "http://fund.test"
    sample: bool = True
    limits: CertificateLimits | None = None
    fund: FakeFundSystem = field(default_factory=FakeFundSystem)
    raises: Exception | None = None
    """What asking for the certificate of a ticket ends with, if with an error."""
    asked: list[Ticket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fund.add(a_person(person_no=PERSON_NO), accounts=[an_account()])
        self.settings = Settings(
            gateway=GatewaySettings(public_url=self.public_url), sandbox=SandboxSettings(enabled=self.sample)
        )
        self.tickets = CertificateTickets(self.settings.gateway.session_secret, Guard())

    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.mount("/static", static_files())
        downloads = CertificateDownloads(tickets=self.tickets, certificate_of=self.certificate_of)
        app.include_router(
            certificate_router(self.fund, self.settings, centre=CENTRE, downloads=downloads, limits=self.limits)
        )
        return app

    def ticket(self, contact: Contact) -> str:
        return self.tickets.make(contact, person_id="id-1", kind=CertificateKind.DEPOSIT, key="key-1")

    async def certificate_of(self, ticket: Ticket) -> Certificate:
        self.asked.append(ticket)
        if self.raises:
            raise self.raises
        return await self.fund.issue_certificate(PERSON_NO, ticket.kind, key=ticket.key)

    async def issued(self) -> Certificate:
        """A certificate the core system has issued today."""
        return await self.fund.issue_certificate(PERSON_NO, CertificateKind.DEPOSIT, key="issued")


def create_app() -> FastAPI:
    return CertificateSite(public_url="http://127.0.0.1:8000").app()
