"""Tickets that fetch one certificate once."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pydantic import SecretStr

from hotline.certificates.tickets import CertificateTickets, TicketProblem, TicketRefused
from hotline.domain.fund import CertificateKind
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from tests.unit.certificates.made import Guard

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VISITOR = "v" * 22
WEB = Contact(channel=ChannelName.WEB, address=VISITOR)
WECHAT = Contact(channel=ChannelName.WECHAT, address="openid-of-somebody")


def made(guard: Guard | None = None, phrase: str = "one") -> CertificateTickets:
    return CertificateTickets(SecretStr(phrase), guard or Guard())


def ticket_of(tickets: CertificateTickets, contact: Contact = WEB) -> str:
    return tickets.make(contact, person_id="5b0e", kind=CertificateKind.OTHER_CITY_LOAN, key="key-1")


def problem_of(tickets: CertificateTickets, token: str, visitor: str | None = VISITOR) -> TicketProblem:
    with pytest.raises(TicketRefused) as refused:
        tickets.read(token, visitor=visitor)
    return refused.value.problem


def test_ticket_says_what_it_was_made_for() -> None:
    tickets = made()
    ticket = tickets.read(ticket_of(tickets), visitor=VISITOR)
    assert (ticket.person_id, ticket.kind, ticket.key, ticket.channel) == (
        "5b0e",
        CertificateKind.OTHER_CITY_LOAN,
        "key-1",
        ChannelName.WEB,
    )


@pytest.mark.parametrize("visitor", ["w" * 22, None, ""])
def test_ticket_of_the_web_page_is_its_visitors_alone(visitor: str | None) -> None:
    tickets = made()
    assert problem_of(tickets, ticket_of(tickets), visitor) is TicketProblem.OTHER_BROWSER


def test_ticket_of_another_channel_opens_in_any_browser() -> None:
    tickets = made()
    assert tickets.read(ticket_of(tickets, WECHAT), visitor=None).channel is ChannelName.WECHAT


def test_ticket_expires_after_ten_minutes() -> None:
    tickets = made()
    with time_machine.travel(NOW, tick=False):
        token = ticket_of(tickets)
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        assert tickets.read(token, visitor=VISITOR)
    with time_machine.travel(NOW + timedelta(minutes=10, seconds=1), tick=False):
        assert problem_of(tickets, token) is TicketProblem.EXPIRED


@pytest.mark.parametrize("token", ["", "verify", "a.b.c", "证明"])
def test_what_is_no_ticket_is_refused(token: str) -> None:
    assert problem_of(made(), token) is TicketProblem.UNREADABLE


def test_ticket_that_was_changed_or_made_elsewhere_is_refused() -> None:
    tickets = made()
    token = ticket_of(tickets)
    assert problem_of(tickets, "X" + token[1:]) is TicketProblem.UNREADABLE
    assert problem_of(tickets, ticket_of(made(phrase="other"))) is TicketProblem.UNREADABLE


async def test_ticket_is_used_up_once() -> None:
    tickets = made()
    ticket = tickets.read(ticket_of(tickets), visitor=VISITOR)
    await tickets.use_up(ticket)
    with pytest.raises(TicketRefused) as refused:
        await tickets.use_up(ticket)
    assert refused.value.problem is TicketProblem.USED


async def test_two_tickets_of_one_key_are_two() -> None:
    guard = Guard()
    tickets = made(guard)
    for token in (ticket_of(tickets), ticket_of(tickets)):
        await tickets.use_up(tickets.read(token, visitor=VISITOR))
    assert list(guard.seen.values()) == [1, 1]
    assert all(len(scope) <= 16 and len(nonce) <= 128 for scope, nonce in guard.seen)


@pytest.mark.parametrize("contact", [WEB, WECHAT])
def test_address_of_the_contact_is_not_in_the_ticket(contact: Contact) -> None:
    payload = ticket_of(made(), contact).split(".")[0]
    content = urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    assert "key-1" in content
    assert contact.address not in content
