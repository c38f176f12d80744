"""Persons, what they are bound to, what they have proven and agreed to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.audit_store import ActorKind, AuditEntry, Detail
from hotline.domain.consent import ConsentPurpose
from hotline.domain.identity import Contact, IdentityRefused, Purpose, Refusal
from hotline.domain.masking import STAR
from hotline.domain.messages import ChannelName
from hotline.identity_store import Bound, Candidate, IdentityStores, Registered, SignInState, StoredSignIn
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.privacy.hashes import LookupHash
from hotline.services.identity_locks import contact_hash, person_hash
from hotline.storage.attempts import SqlAttempts, forget, purge_attempts
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.serial import one_at_a_time
from hotline.storage.sign_ins import SqlSignIns, open_candidate, purge_sign_ins, stored_sign_in
from hotline.storage.tables import (
    bindings,
    codes,
    consents,
    contacts,
    conversations,
    drafts,
    persons,
    proofs,
    sign_ins,
)


class SqlIdentity:
    """Implements `hotline.identity_store.Bindings`."""

    def __init__(
        self,
        database: Database,
        *,
        cipher: FieldCipher,
        hashes: LookupHash,
        audit: SqlAudit,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = database
        self._cipher = cipher
        self._hashes = hashes
        self._audit = audit
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def bound(self, contact: Contact) -> Bound | None:
        return await self._bound(_BOUND, {"channel": contact.channel, "address": contact.address})

    async def bound_in(self, conversation_id: str) -> Bound | None:
        return await self._bound(_BOUND_IN, {"conversation_id": conversation_id})

    async def contact_of(self, conversation_id: str) -> Contact | None:
        query = (
            select(contacts.c.channel, contacts.c.address)
            .join(conversations, conversations.c.contact_id == contacts.c.id)
            .where(conversations.c.id == conversation_id)
        )
        async with self._db.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Contact(channel=ChannelName(row.channel), address=row.address) if row else None

    async def contacts_of(self, person_id: str) -> list[Contact]:
        query = (
            select(bindings.c.channel, bindings.c.address)
            .where(bindings.c.person_id == person_id, bindings.c.unbound_at.is_(None))
            .order_by(bindings.c.id.desc())
        )
        async with self._db.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Contact(channel=ChannelName(row.channel), address=row.address) for row in rows]

    async def contact_ids_of(self, person_id: str) -> list[int]:
        async with self._db.read() as connection:
            return list((await connection.execute(_CONTACT_IDS, {"person_id": person_id})).scalars())

    async def registered(self, person_id: str) -> Registered | None:
        async with self._db.read() as connection:
            query = select(persons).where(persons.c.id == person_id)
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        opened = {name: self._cipher.open(row[name], Place("persons", name, person_id)) for name in _SEALED}
        return Registered(
            person_id=person_id, name_masked=row["name_masked"], registered_at=row["registered_at"], **opened
        )

    async def agreed(self, person_id: str, version: str) -> bool:
        query = select(consents.c.id).where(
            consents.c.person_id == person_id,
            consents.c.purpose == ConsentPurpose.OWN_DATA,
            consents.c.version == version,
        )
        async with self._db.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def complete(self, session: str, code_id: str, *, proven_for: timedelta) -> Bound:
        now = self._clock()
        async with self._db.write() as tx:
            sign_in, candidate = await self._take(tx, session, code_id, now)
            contact = sign_in.contact
            await one_at_a_time(tx, f"binding {contact.channel} {contact.address}")
            person_id = await self._register(tx, candidate, now)
            before = await tx.scalar(select(bindings.c.person_id).where(*_binding_of(contact)))
            if sign_in.purpose is Purpose.STEP_UP and before not in (None, person_id):
                raise IdentityRefused(Refusal.ANOTHER_PERSON)
            await self._bind(tx, contact, person_id, before=before, now=now)
            await self._prove(tx, sign_in, person_id, now + proven_for)
            agreed = await self._agree(tx, sign_in, candidate, person_id, now)
            await forget(tx, self._attempts_of(contact, candidate))
            await self._write_down(tx, sign_in, person_id, before=before, agreed=agreed)
        return Bound(
            contact=contact,
            person_id=person_id,
            person_no=candidate.person_no,
            name_masked=candidate.name_masked,
            proven_until=now + proven_for,
            proven_in=sign_in.conversation_id,
        )

    async def unbind(self, contact: Contact) -> bool:
        return await self._unbind(*_binding_of(contact)) > 0

    async def unbind_all(self, person_id: str) -> int:
        return await self._unbind(bindings.c.person_id == person_id, bindings.c.unbound_at.is_(None))

    async def erase(self, person_id: str, *, staff: str, reason: str) -> bool:
        await self.unbind_all(person_id)
        nothing = {name: self._cipher.seal("", Place("persons", name, person_id)) for name in _SEALED}
        # Found by no number any more; unique, since an erased person has an id of his own.
        gone = {name: f"erased {person_id}" for name in ("person_no_hash", "id_number_hash")}
        async with self._db.write() as tx:
            await tx.execute(delete(drafts).where(drafts.c.person_id == person_id))
            emptied = update(persons).where(persons.c.id == person_id).values(**nothing, **gone, name_masked=STAR)
            if not (await tx.execute(emptied)).rowcount:
                return False
            await self._audit.append(tx, _erased(person_id, staff=staff, reason=reason))
        return True

    async def purge(self) -> int:
        now = self._clock()
        async with self._db.write() as tx:
            removed = await purge_sign_ins(tx, now) + await purge_attempts(tx, now)
            for statement in (
                delete(proofs).where(proofs.c.proven_until < now),
                delete(drafts).where(drafts.c.expires_at < now),
            ):
                removed += (await tx.execute(statement)).rowcount
        return removed

    async def _bound(self, query: Select[Any], which: Mapping[str, str]) -> Bound | None:
        async with self._db.read() as connection:
            row = (await connection.execute(query, which)).mappings().one_or_none()
        if row is None:
            return None
        return Bound(
            contact=Contact(channel=ChannelName(row["channel"]), address=row["address"]),
            person_id=row["person_id"],
            person_no=self._cipher.open(row["person_no"], Place("persons", "person_no", row["person_id"])),
            name_masked=row["name_masked"],
            proven_until=row["proven_until"],
            proven_in=row["conversation_id"] or "",
        )

    async def _take(
        self, tx: AsyncConnection, session: str, code_id: str, now: datetime
    ) -> tuple[StoredSignIn, Candidate]:
        """The sign-in and its code are used up; of two that come at once one gets them."""
        ended = (
            update(sign_ins)
            .where(sign_ins.c.id == session, sign_ins.c.state == SignInState.CODE_SENT)
            .values(state=SignInState.DONE, used_at=now)
            .returning(sign_ins)
        )
        row = (await tx.execute(ended)).mappings().one_or_none()
        if row is None:
            raise IdentityRefused(Refusal.LINK_USED)
        right = (codes.c.id == code_id, codes.c.session == session, codes.c.candidate.is_not(None))
        code = (await tx.execute(select(codes.c.id, codes.c.candidate).where(*right))).mappings().one_or_none()
        used = update(codes).where(*right, codes.c.used_at.is_(None)).values(used_at=now, candidate=None)
        if code is None or (await tx.execute(used)).rowcount != 1:
            raise IdentityRefused(Refusal.CODE_EXPIRED)
        return stored_sign_in(row), open_candidate(self._cipher, code)

    async def _register(self, tx: AsyncConnection, candidate: Candidate, now: datetime) -> str:
        """The person's id. What the core system has changed since is kept anew; where it has made one person of two
        that both have registered here, the numbers stay as they were."""
        hashed = {name: self._hashes.of(name, getattr(candidate, name)) for name in ("person_no", "id_number")}
        await one_at_a_time(tx, f"person {hashed['person_no']}")
        same = or_(*(persons.c[f"{name}_hash"] == value for name, value in hashed.items()))
        rows = (await tx.execute(select(persons).where(same))).mappings().all()
        known = next((row for row in rows if row["person_no_hash"] == hashed["person_no"]), rows[0] if rows else None)
        person_id = known["id"] if known else str(uuid.uuid4())
        names = ("mobile",) if len(rows) > 1 else _SEALED
        values = {
            name: self._cipher.seal(getattr(candidate, name), Place("persons", name, person_id)) for name in names
        }
        values |= {f"{name}_hash": hashed[name] for name in hashed if name in names}
        values["name_masked"] = candidate.name_masked[:64]
        if known:
            await tx.execute(update(persons).where(persons.c.id == person_id).values(values))
        else:
            await tx.execute(insert(persons).values(id=person_id, registered_at=now, **values))
        return person_id

    async def _bind(
        self, tx: AsyncConnection, contact: Contact, person_id: str, *, before: str | None, now: datetime
    ) -> None:
        if before == person_id:
            return
        await tx.execute(update(bindings).where(*_binding_of(contact)).values(unbound_at=now))
        values = {"channel": contact.channel, "address": contact.address, "person_id": person_id, "bound_at": now}
        await tx.execute(insert(bindings).values(values))

    async def _prove(self, tx: AsyncConnection, sign_in: StoredSignIn, person_id: str, until: datetime) -> None:
        proven = {"person_id": person_id, "conversation_id": sign_in.conversation_id, "proven_until": until}
        statement = self._insert(proofs).values(
            channel=sign_in.contact.channel, address=sign_in.contact.address, **proven
        )
        await tx.execute(statement.on_conflict_do_update(index_elements=["channel", "address"], set_=proven))

    async def _agree(
        self, tx: AsyncConnection, sign_in: StoredSignIn, candidate: Candidate, person_id: str, now: datetime
    ) -> bool:
        """True when he had not agreed to this version before."""
        if not candidate.consent:
            return False
        values = {
            "person_id": person_id,
            "purpose": ConsentPurpose.OWN_DATA,
            "version": candidate.consent,
            "agreed_at": now,
            "channel": sign_in.contact.channel,
        }
        statement = self._insert(consents).values(values).on_conflict_do_nothing()
        return (await tx.execute(statement)).rowcount == 1

    async def _write_down(
        self, tx: AsyncConnection, sign_in: StoredSignIn, person_id: str, *, before: str | None, agreed: bool
    ) -> None:
        happened: list[tuple[str, Detail]] = []
        if agreed:
            happened.append(("identity.consented", {}))
        if before != person_id:
            happened.append(("identity.rebound", {"reference": before}) if before else ("identity.bound", {}))
        happened.append(("identity.proven", {}))
        for action, detail in happened:
            await self._audit.append(
                tx,
                AuditEntry(
                    actor_kind=ActorKind.PERSON,
                    actor_id=person_id,
                    action=action,
                    subject=person_id,
                    purpose=sign_in.purpose.value,
                    channel=sign_in.contact.channel.value,
                    conversation_id=sign_in.conversation_id,
                    detail=detail,
                ),
            )

    async def _unbind(self, *which: ColumnElement[bool]) -> int:
        statement = update(bindings).where(*which).values(unbound_at=self._clock()).returning(bindings)
        async with self._db.write() as tx:
            rows = (await tx.execute(statement)).mappings().all()
            for row in rows:
                await tx.execute(
                    delete(proofs).where(proofs.c.channel == row["channel"], proofs.c.address == row["address"])
                )
            for row in rows:
                await self._audit.append(tx, _unbound(row))
        return len(rows)

    def _attempts_of(self, contact: Contact, candidate: Candidate) -> dict[str, str]:
        return {
            "contact": contact_hash(self._hashes, contact),
            "person": person_hash(self._hashes, candidate.id_number),
        }


def identity_stores(
    database: Database, *, cipher: FieldCipher, hashes: LookupHash, audit: SqlAudit, clock: Callable[[], datetime]
) -> IdentityStores:
    """All of identity's storage on one database."""
    return IdentityStores(
        bindings=SqlIdentity(database, cipher=cipher, hashes=hashes, audit=audit, clock=clock),
        sign_ins=SqlSignIns(database, cipher=cipher, clock=clock),
        attempts=SqlAttempts(database, clock=clock),
    )


_SEALED = ("person_no", "id_number", "mobile")
_ITS_PROOF = and_(
    proofs.c.channel == bindings.c.channel,
    proofs.c.address == bindings.c.address,
    proofs.c.person_id == bindings.c.person_id,
)
_BINDING: Select[Any] = (
    select(
        bindings.c.channel,
        bindings.c.address,
        bindings.c.person_id,
        persons.c.person_no,
        persons.c.name_masked,
        proofs.c.proven_until,
        proofs.c.conversation_id,
    )
    .select_from(bindings)
    .join(persons, persons.c.id == bindings.c.person_id)
    .join(proofs, _ITS_PROOF, isouter=True)
    .where(bindings.c.unbound_at.is_(None))
)
_SAME_CONTACT = and_(contacts.c.channel == bindings.c.channel, contacts.c.address == bindings.c.address)
# These two run on every turn about own data and are put together once.
_BOUND: Select[Any] = _BINDING.where(
    bindings.c.channel == bindparam("channel"), bindings.c.address == bindparam("address")
)
_BOUND_IN: Select[Any] = (
    _BINDING.join(contacts, _SAME_CONTACT)
    .join(conversations, conversations.c.contact_id == contacts.c.id)
    .where(conversations.c.id == bindparam("conversation_id"))
)
_CONTACT_IDS = (
    select(contacts.c.id)
    .join(bindings, _SAME_CONTACT)
    .where(bindings.c.person_id == bindparam("person_id"), bindings.c.unbound_at.is_(None))
    .order_by(contacts.c.id)
)


def _binding_of(contact: Contact) -> tuple[ColumnElement[bool], ...]:
    return (
        bindings.c.channel == contact.channel,
        bindings.c.address == contact.address,
        bindings.c.unbound_at.is_(None),
    )


def _unbound(row: RowMapping) -> AuditEntry:
    return AuditEntry(
        actor_kind=ActorKind.PERSON,
        actor_id=row["person_id"],
        action="identity.unbound",
        subject=row["person_id"],
        channel=row["channel"],
    )


def _erased(person_id: str, *, staff: str, reason: str) -> AuditEntry:
    return AuditEntry(
        actor_kind=ActorKind.STAFF,
        actor_id=staff,
        action="person.erased",
        subject=person_id,
        detail={"reason": reason},
    )
