"""What an agent sees of a person: masked, and in full only field by field, with a reason that is on record first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain.identity import Contact
from hotline.domain.masking import mask_mobile, mask_number
from hotline.errors import HotlineError
from hotline.identity_store import Bindings, Registered

SHORTEST_REASON: Final = 4
"""Characters; less says nothing to whoever reads the audit trail."""
LONGEST_REASON: Final = 200


class Field(StrEnum):
    """What can be revealed."""

    ID_NUMBER = "id_number"
    MOBILE = "mobile"


class NoCard(HotlineError):
    """There is no such person, or the reason says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCard:
    """A person as everybody on the desk may see him."""

    person_id: str
    name_masked: str
    id_number_masked: str
    mobile_masked: str
    contacts: tuple[Contact, ...]
    """Bound now, the last bound first. Addresses are not personal numbers on WeChat and the web page; a telephone
    number is shown masked by the desk."""


class CustomerCards:
    """Cards of registered persons. Every look is in the audit trail before anything is told."""

    def __init__(self, bindings: Bindings, *, audit: Audit) -> None:
        self._bindings = bindings
        self._audit = audit

    async def card(self, person_id: str, *, staff: str) -> CustomerCard:
        """The masked card. Raises NoCard."""
        person = await self._person(person_id)
        await self._record("card.shown", person_id, staff=staff, detail={})
        return CustomerCard(
            person_id=person_id,
            name_masked=person.name_masked,
            id_number_masked=mask_number(person.id_number),
            mobile_masked=mask_mobile(person.mobile),
            contacts=tuple(await self._bindings.contacts_of(person_id)),
        )

    async def reveal(self, person_id: str, field: Field, *, staff: str, reason: str) -> str:
        """The field in full. ``reason`` is kept with the look. Raises NoCard."""
        said = _checked(reason)
        person = await self._person(person_id)
        await self._record("card.revealed", person_id, staff=staff, detail={"field": field.value, "reason": said})
        return person.id_number if field is Field.ID_NUMBER else person.mobile

    async def erase(self, person_id: str, *, staff: str, reason: str) -> None:
        """Nothing is left that says who the person is, as the identity notice promises. Raises NoCard."""
        if not await self._bindings.erase(person_id, staff=staff, reason=_checked(reason)):
            raise NoCard("no person of that id has registered")

    async def _person(self, person_id: str) -> Registered:
        person = await self._bindings.registered(person_id)
        if person is None:
            raise NoCard("no person of that id has registered")
        return person

    async def _record(self, action: str, person_id: str, *, staff: str, detail: Mapping[str, str]) -> None:
        entry = AuditEntry(
            actor_kind=ActorKind.STAFF,
            actor_id=staff,
            action=action,
            subject=person_id,
            purpose="desk",
            detail=dict(detail),
        )
        await self._audit.record(entry)


def _checked(reason: str) -> str:
    """The reason as it is kept. Raises NoCard where it says nothing."""
    said = " ".join(reason.split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise NoCard(f"a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters is needed")
    return said
