"""Members of staff and their sessions on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.audit_store import AuditEntry
from hotline.domain.desk import Group, Lane
from hotline.domain.staff import Role, Session, Staff, StaffState, Stage
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.staff_store import Changes, Opening, SecondFactor, Secrets, StaffChanged, StaffExists
from hotline.storage.attempts import forget
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.staff_tables import staff, staff_recovery_codes, staff_sessions

# These run with every request of a member and are put together once.
_BY_ID = select(staff).where(staff.c.id == bindparam("staff_id"))
_BY_TOKEN = select(staff_sessions).where(staff_sessions.c.token_hash == bindparam("token_hash"))


class SqlMembers:
    """Implements `hotline.staff_store.Members`."""

    def __init__(self, database: Database, *, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._cipher = cipher
        self._clock = clock
        self._audit = SqlAudit(database, clock=clock)

    async def add(self, new: Staff, *, password_hash: str, entry: AuditEntry) -> None:
        now = self._clock()
        values = {
            "id": new.id,
            "name": new.name,
            "display_name": new.display_name,
            "work_no": new.work_no,
            "extension": new.extension,
            "roles": sorted(new.roles),
            "groups": sorted(new.groups),
            "capacity": _lanes(new.capacity),
            "state": new.state,
            "must_change_password": new.must_change_password,
            "password_hash": password_hash,
            "is_demo": new.is_demo,
            "created_at": now,
            "updated_at": now,
        }
        try:
            async with self._db.write() as tx:
                await tx.execute(insert(staff).values(values))
                await self._audit.append(tx, entry)
        except IntegrityError as error:
            raise StaffExists(
                f"the name {new.name}, the work number {new.work_no} or the extension is taken"
            ) from error

    async def by_name(self, name: str) -> Secrets | None:
        async with self._db.read() as connection:
            row = (await connection.execute(select(staff).where(staff.c.name == name))).mappings().one_or_none()
        return self._secrets(row) if row is not None else None

    async def by_id(self, staff_id: str) -> Secrets | None:
        async with self._db.read() as connection:
            row = (await connection.execute(_BY_ID, {"staff_id": staff_id})).mappings().one_or_none()
        return self._secrets(row) if row is not None else None

    async def all(self) -> Sequence[Staff]:
        async with self._db.read() as connection:
            return [_member(row) for row in (await connection.execute(select(staff).order_by(staff.c.name))).mappings()]

    async def change(self, seen: Staff, changes: Changes, *, entry: AuditEntry | None, ends_sessions: bool) -> None:
        try:
            async with self._db.write() as tx:
                await self._update(tx, seen, self._changed(seen.id, changes), ends_sessions=ends_sessions)
                if changes.totp_secret == "":
                    await tx.execute(delete(staff_recovery_codes).where(staff_recovery_codes.c.staff_id == seen.id))
                if entry:
                    await self._audit.append(tx, entry)
        except IntegrityError as error:
            raise StaffExists(f"the extension {changes.extension} is taken") from error

    async def enrol(self, seen: Staff, factor: SecondFactor, *, entry: AuditEntry) -> None:
        values = self._changed(seen.id, Changes(totp_secret=factor.secret)) | {"last_step": factor.step}
        async with self._db.write() as tx:
            await self._update(tx, seen, values, ends_sessions=True)
            await _set_recovery(tx, seen.id, factor.recovery)
            await self._audit.append(tx, entry)

    async def use_step(self, staff_id: str, step: int) -> bool:
        used = update(staff).where(staff.c.id == staff_id, staff.c.last_step < step).values(last_step=step)
        async with self._db.write() as tx:
            return (await tx.execute(used)).rowcount == 1

    async def set_recovery(self, staff_id: str, hashes: Sequence[str], *, entry: AuditEntry) -> None:
        async with self._db.write() as tx:
            await _set_recovery(tx, staff_id, hashes)
            await self._audit.append(tx, entry)

    async def use_recovery(self, staff_id: str, hashed: str, *, entry: AuditEntry) -> bool:
        his = (staff_recovery_codes.c.staff_id == staff_id, staff_recovery_codes.c.code_hash == hashed)
        async with self._db.write() as tx:
            if (await tx.execute(delete(staff_recovery_codes).where(*his))).rowcount != 1:
                return False
            await self._audit.append(tx, entry)
        return True

    async def recovery_left(self, staff_id: str) -> int:
        query = select(func.count()).where(staff_recovery_codes.c.staff_id == staff_id)
        async with self._db.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def _update(self, tx: AsyncConnection, seen: Staff, values: dict[str, Any], *, ends_sessions: bool) -> None:
        values = {**values, "version": seen.version + 1, "updated_at": self._clock()}
        if ends_sessions:
            values["epoch"] = staff.c.epoch + 1
        same = (staff.c.id == seen.id, staff.c.version == seen.version)
        if (await tx.execute(update(staff).where(*same).values(values))).rowcount != 1:
            raise StaffChanged(f"{seen.name} was changed by somebody else a moment ago; look again")
        if ends_sessions:
            await tx.execute(delete(staff_sessions).where(staff_sessions.c.staff_id == seen.id))

    def _changed(self, staff_id: str, changes: Changes) -> dict[str, Any]:
        values: dict[str, Any] = {
            "display_name": changes.display_name,
            "extension": changes.extension,
            "roles": None if changes.roles is None else sorted(changes.roles),
            "groups": None if changes.groups is None else sorted(changes.groups),
            "capacity": None if changes.capacity is None else _lanes(changes.capacity),
            "state": changes.state,
            "password_hash": changes.password_hash,
            "must_change_password": changes.must_change_password,
        }
        values = {name: value for name, value in values.items() if value is not None}
        if changes.totp_secret is not None:
            secret = changes.totp_secret
            values["totp_secret"] = self._cipher.seal(secret, _place(staff_id)) if secret else None
            values["last_step"] = 0
        return values

    def _secrets(self, row: Mapping[Any, Any]) -> Secrets:
        sealed = row["totp_secret"]
        return Secrets(
            staff=_member(row),
            password_hash=row["password_hash"],
            totp_secret=self._cipher.open(sealed, _place(row["id"])) if sealed else "",
            last_step=row["last_step"],
            epoch=row["epoch"],
        )


class SqlSessions:
    """Implements `hotline.staff_store.Sessions`."""

    def __init__(self, database: Database, *, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._cipher = cipher
        self._clock = clock
        self._audit = SqlAudit(database, clock=clock)

    async def open(self, session: Session, opening: Opening) -> None:
        place, pending = _pending_place(session.token_hash), opening.pending_secret
        values = {
            "token_hash": session.token_hash,
            "staff_id": session.staff_id,
            "stage": session.stage,
            "epoch": session.epoch,
            "pending_secret": self._cipher.seal(pending, place) if pending else None,
            "address": session.address[:64],
            "browser": session.browser[:200],
            "began_at": session.began_at,
            "seen_at": session.seen_at,
            "ends_at": session.ends_at,
        }
        async with self._db.write() as tx:
            if opening.instead_of:
                await tx.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == opening.instead_of))
            await tx.execute(insert(staff_sessions).values(values))
            if opening.forgets:
                await forget(tx, {opening.forgets.kind: opening.forgets.key_hash})
            if opening.entry:
                await self._audit.append(tx, opening.entry)

    async def find(self, token_hash: str) -> Session | None:
        async with self._db.read() as connection:
            row = (await connection.execute(_BY_TOKEN, {"token_hash": token_hash})).mappings().one_or_none()
        return _session(row) if row is not None else None

    async def pending_secret(self, token_hash: str) -> str:
        query = select(staff_sessions.c.pending_secret).where(staff_sessions.c.token_hash == token_hash)
        async with self._db.read() as connection:
            sealed = await connection.scalar(query)
        return self._cipher.open(sealed, _pending_place(token_hash)) if sealed else ""

    async def touch(self, token_hash: str, *, before: datetime) -> None:
        stale = (staff_sessions.c.token_hash == token_hash, staff_sessions.c.seen_at < before)
        async with self._db.write() as tx:
            await tx.execute(update(staff_sessions).where(*stale).values(seen_at=self._clock()))

    async def end(self, staff_id: str, token_hash: str, *, entry: AuditEntry) -> bool:
        his = (staff_sessions.c.staff_id == staff_id, staff_sessions.c.token_hash == token_hash)
        async with self._db.write() as tx:
            if (await tx.execute(delete(staff_sessions).where(*his))).rowcount != 1:
                return False
            await self._audit.append(tx, entry)
        return True

    async def of(self, staff_id: str) -> Sequence[Session]:
        query = (
            select(staff_sessions)
            .where(staff_sessions.c.staff_id == staff_id, staff_sessions.c.ends_at > self._clock())
            .order_by(staff_sessions.c.seen_at.desc(), staff_sessions.c.token_hash)
        )
        async with self._db.read() as connection:
            return [_session(row) for row in (await connection.execute(query)).mappings()]

    async def purge(self) -> int:
        async with self._db.write() as tx:
            return (await tx.execute(delete(staff_sessions).where(staff_sessions.c.ends_at < self._clock()))).rowcount


async def _set_recovery(tx: AsyncConnection, staff_id: str, hashes: Sequence[str]) -> None:
    await tx.execute(delete(staff_recovery_codes).where(staff_recovery_codes.c.staff_id == staff_id))
    await tx.execute(insert(staff_recovery_codes), [{"staff_id": staff_id, "code_hash": each} for each in hashes])


def _lanes(capacity: Mapping[Lane, int]) -> dict[str, int]:
    return {str(lane): most for lane, most in capacity.items()}


def _place(staff_id: str) -> Place:
    return Place("staff", "totp_secret", staff_id)


def _pending_place(token_hash: str) -> Place:
    return Place("staff_sessions", "pending_secret", token_hash)


def _member(row: Mapping[Any, Any]) -> Staff:
    return Staff(
        id=row["id"],
        name=row["name"],
        display_name=row["display_name"],
        work_no=row["work_no"],
        extension=row["extension"],
        roles=frozenset(Role(each) for each in row["roles"]),
        groups=frozenset(Group(each) for each in row["groups"]),
        capacity={Lane(lane): int(most) for lane, most in row["capacity"].items()},
        state=StaffState(row["state"]),
        must_change_password=row["must_change_password"],
        has_second_factor=bool(row["totp_secret"]),
        is_demo=row["is_demo"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _session(row: Mapping[Any, Any]) -> Session:
    return Session(
        token_hash=row["token_hash"],
        staff_id=row["staff_id"],
        stage=Stage(row["stage"]),
        epoch=row["epoch"],
        address=row["address"],
        browser=row["browser"],
        began_at=row["began_at"],
        seen_at=row["seen_at"],
        ends_at=row["ends_at"],
    )
