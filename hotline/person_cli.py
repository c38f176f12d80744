"""`hotline person`: what is kept of somebody who has proven himself, masked, or one field in full with a reason."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from hotline.console import one_sentence, out, report, settings

# What costs time to load is imported by the command that needs it: every `hotline` command loads this module.
if TYPE_CHECKING:
    from hotline.services.customer_cards import CustomerCards
    from hotline.storage.audit import SqlAudit
    from hotline.storage.database import Database

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def show(
    person_id: Annotated[str, typer.Argument(help="our own id, as the audit trail names it")],
    reveal: Annotated[str, typer.Option(help="id_number or mobile, in full")] = "",
    reason: Annotated[str, typer.Option(help="why it is needed: kept in the audit trail")] = "",
) -> None:
    """The masked card, or one field in full. Either is written into the audit trail before it is shown."""
    from hotline.audit_cli import with_database
    from hotline.services.customer_cards import Field, NoCard

    with one_sentence():
        if reveal and reveal not in set(Field):
            raise NoCard(f"{reveal} cannot be revealed; it is one of {', '.join(Field)}")
        told = with_database(lambda database, audit: _told(database, audit, person_id, reveal=reveal, reason=reason))
    out.print_json(data=told, ensure_ascii=False)


@app.command()
def erase(
    person_id: Annotated[str, typer.Argument(help="our own id, as the audit trail names it")],
    reason: Annotated[str, typer.Option(help="who asked for it and how he proved it: kept in the audit trail")],
) -> None:
    """Delete what says who somebody is, on his own request. His filings and the audit trail keep our id alone."""
    from hotline.audit_cli import with_database

    with one_sentence():
        with_database(
            lambda database, audit: _cards(database, audit).erase(person_id, staff=getpass.getuser(), reason=reason)
        )
    report(f"{person_id} is erased")


async def _told(database: Database, audit: SqlAudit, person_id: str, *, reveal: str, reason: str) -> dict[str, object]:
    from hotline.services.customer_cards import Field

    cards, staff = _cards(database, audit), getpass.getuser()
    if reveal:
        return {reveal: await cards.reveal(person_id, Field(reveal), staff=staff, reason=reason)}
    card = asdict(await cards.card(person_id, staff=staff))
    return {**card, "contacts": [contact["channel"] for contact in card["contacts"]]}


def _cards(database: Database, audit: SqlAudit) -> CustomerCards:
    from hotline.domain.clock import utc_now
    from hotline.privacy.ciphers import FieldCipher
    from hotline.privacy.hashes import LookupHash
    from hotline.services.customer_cards import CustomerCards
    from hotline.storage.identity import SqlIdentity

    privacy = settings().privacy
    cipher, hashes = FieldCipher.from_settings(privacy), LookupHash.from_settings(privacy)
    bindings = SqlIdentity(database, cipher=cipher, hashes=hashes, audit=audit, clock=utc_now)
    return CustomerCards(bindings, audit=audit)
