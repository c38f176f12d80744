"""A certificate is issued when its ticket is used, once, to who is still proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from hotline.certificates.tickets import Ticket, TicketProblem, TicketRefused
from hotline.domain.fund import CertificateKind
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.fund_system import FundRefused, FundUnavailable
from hotline.services.issuing import Issuing
from tests.fake_fund import FakeFundSystem, a_person, an_account
from tests.own_kit import NOW, RecordedAudit

pytestmark = pytest.mark.anyio

TICKET = Ticket(nonce="n", person_id="id-1", kind=CertificateKind.DEPOSIT, key="k1", channel=ChannelName.WEB)
HERE = Contact(channel=ChannelName.WEB, address="visitor")
ELSEWHERE = Contact(channel=ChannelName.WECHAT, address="openid")


@dataclass
class FakeBindings:
    """``proven`` names until when each contact of the person is proven; None: it is only bound."""

    proven: dict[Contact, datetime | None] = field(default_factory=dict)
    person_no: str | None = "P000001"

    async def registered(self, person_id: str) -> object | None:
        return SimpleNamespace(person_no=self.person_no) if self.person_no else None

    async def contacts_of(self, person_id: str) -> Sequence[Contact]:
        return list(self.proven)

    async def bound(self, contact: Contact) -> object:
        return SimpleNamespace(proven_until=self.proven[contact])


def issuing(bindings: FakeBindings) -> tuple[Issuing, FakeFundSystem, RecordedAudit]:
    fund, audit = FakeFundSystem(now=lambda: NOW), RecordedAudit()
    fund.add(a_person(), accounts=[an_account()])
    made = Issuing(fund, bindings, audit=audit, clock=lambda: NOW)  # type: ignore[arg-type]  # what it uses of them
    return made, fund, audit


SOON = NOW + timedelta(minutes=1)
PROVEN = FakeBindings({HERE: SOON})


async def test_a_certificate_is_issued_and_on_record_by_its_number_alone() -> None:
    made, _, audit = issuing(PROVEN)
    certificate = await made.certificate_of(TICKET)
    assert (certificate.number, certificate.kind) == ("C000001", CertificateKind.DEPOSIT)
    (entry,) = audit.entries
    assert (entry.action, entry.subject, entry.purpose) == ("certificate.issued", "id-1", "deposit")
    assert (entry.channel, entry.detail) == (ChannelName.WEB, {"reference": "C000001"})
    assert "陈家明" not in str(entry)
    assert "440106" not in str(entry)


async def test_the_same_ticket_gives_the_same_certificate() -> None:
    made, _, _ = issuing(PROVEN)
    assert (await made.certificate_of(TICKET)).number == (await made.certificate_of(TICKET)).number


@pytest.mark.parametrize(
    "bindings",
    [
        FakeBindings({HERE: NOW - timedelta(seconds=1)}),
        FakeBindings({HERE: NOW}),
        FakeBindings({HERE: None}),
        FakeBindings({ELSEWHERE: SOON}),
        FakeBindings({}),
        FakeBindings({HERE: SOON}, person_no=None),
    ],
)
async def test_who_is_not_proven_on_that_channel_any_more_gets_nothing(bindings: FakeBindings) -> None:
    made, fund, audit = issuing(bindings)
    with pytest.raises(TicketRefused) as refused:
        await made.certificate_of(TICKET)
    assert refused.value.problem is TicketProblem.NOT_PROVEN
    assert (fund.calls, audit.entries) == ([], [])


async def test_one_of_several_contacts_on_the_channel_is_enough() -> None:
    other = Contact(channel=ChannelName.WEB, address="another browser")
    made, _, _ = issuing(FakeBindings({other: None, ELSEWHERE: None, HERE: SOON}))
    assert await made.certificate_of(TICKET)


async def test_what_the_core_system_says_is_passed_on_and_nothing_is_on_record() -> None:
    made, fund, audit = issuing(PROVEN)
    fund.refuse("not_eligible")
    with pytest.raises(FundRefused):
        await made.certificate_of(TICKET)
    fund.away = True
    with pytest.raises(FundUnavailable):
        await made.certificate_of(TICKET)
    assert audit.entries == []
