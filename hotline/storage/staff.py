"""Members of staff and their sessions on SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hotline.domain.desk import Group, Lane
from hotline.domain.staff import Role, Session, Staff, StaffState, Stage
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.staff_store import Changes, Secrets, StaffExists
from hotline.storage.database import Database
from hotline.storage.staff_tables import staff, staff_recovery_codes, staff_sessions


class SqlMembers:
    """Implements `hotline.staff_store.Members`."""

    def __init__(self, database: Database, *, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._cipher = cipher
        self._clock = clock

    async def add(self, new: Staff, *, password_hash: str) -> None:
        values = {
            "id": new.id,
            "name": new.name,
            "display_name": new.display_name,
            "work_no": new.work_no,
            "roles": sorted(new.roles),
            "groups": sorted(new.groups),
            "capacity": {str(lane): most for lane, most in new.capacity.items()},
            "state": new.state,
            "must_change_password": new.must_change_password,
            "password_hash": password_hash,
            "is_demo": new.is_demo,
            "created_at": self._clock(),
        }
        try:
            async with self._db.write() as tx:
                await tx.execute(insert(staff).values(values))
        except IntegrityError as error:
            raise StaffExists(f"the name {new.name} or the work number {new.work_no} is taken") from error

    async def by_name(self, name: str) -> Secrets | None:
        async with self._db.read() as connection:
            row = (await connection.execute(select(staff).where(staff.c.name == name))).mappings().one_or_none()
        return self._secrets(row) if row is not None else None

    async def by_id(self, staff_id: str) -> Secrets | None:
        async with self._db.read() as connection:
            row = (await connection.execute(select(staff).where(staff.c.id == staff_id))).mappings().one_or_none()
        return self._secrets(row) if row is not None else None

    async def all(self) -> Sequence[Staff]:
        async with self._db.read() as connection:
            return [_member(row) for row in (await connection.execute(select(staff).order_by(staff.c.name))).mappings()]

    async def change(self, staff_id: str, changes: Changes, *, ends_sessions: bool, but: str = "") -> bool:
        async with self._db.write() as tx:
            values = self._changed(staff_id, changes)
            changed = await tx.execute(update(staff).where(staff.c.id == staff_id).values(values))
            if changed.rowcount != 1:
                return False
            if changes.totp_secret == "":
                await tx.execute(delete(staff_recovery_codes).where(staff_recovery_codes.c.staff_id == staff_id))
            if ends_sessions:
                his = (staff_sessions.c.staff_id == staff_id, staff_sessions.c.token_hash != but)
                await tx.execute(delete(staff_sessions).where(*his))
        return True

    async def use_step(self, staff_id: str, step: int) -> bool:
        used = update(staff).where(staff.c.id == staff_id, staff.c.last_step < step).values(last_step=step)
        async with self._db.write() as tx:
            return (await tx.execute(used)).rowcount == 1

    async def set_recovery(self, staff_id: str, hashes: Sequence[str]) -> None:
        async with self._db.write() as tx:
            await tx.execute(delete(staff_recovery_codes).where(staff_recovery_codes.c.staff_id == staff_id))
            rows = [{"staff_id": staff_id, "code_hash": each} for each in hashes]
            await tx.execute(insert(staff_recovery_codes), rows)

    async def use_recovery(self, staff_id: str, hashed: str) -> bool:
        his = (staff_recovery_codes.c.staff_id == staff_id, staff_recovery_codes.c.code_hash == hashed)
        async with self._db.write() as tx:
            return (await tx.execute(delete(staff_recovery_codes).where(*his))).rowcount == 1

    def _changed(self, staff_id: str, changes: Changes) -> dict[str, Any]:
        values: dict[str, Any] = {
            "display_name": changes.display_name,
            "roles": None if changes.roles is None else sorted(changes.roles),
            "groups": None if changes.groups is None else sorted(changes.groups),
            "capacity": None if changes.capacity is None else {str(k): v for k, v in changes.capacity.items()},
            "state": changes.state,
            "password_hash": changes.password_hash,
            "must_change_password": changes.must_change_password,
        }
        if changes.totp_secret is not None:
            secret = changes.totp_secret
            values["totp_secret"] = self._cipher.seal(secret, _place(staff_id)) if secret else ""
            values["last_step"] = 0
        kept = {name: value for name, value in values.items() if value is not None}
        return kept or {"id": staff_id}

    def _secrets(self, row: Mapping[Any, Any]) -> Secrets:
        sealed = row["totp_secret"]
        return Secrets(
            staff=_member(row),
            password_hash=row["password_hash"],
            totp_secret=self._cipher.open(sealed, _place(row["id"])) if sealed else "",
            last_step=row["last_step"],
        )


class SqlSessions:
    """Implements `hotline.staff_store.Sessions`."""

    def __init__(self, database: Database, *, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._cipher = cipher
        self._clock = clock

    async def open(self, session: Session, *, instead_of: str = "", pending_secret: str = "") -> None:
        place = _pending_place(session.token_hash)
        values = {
            "token_hash": session.token_hash,
            "staff_id": session.staff_id,
            "stage": session.stage,
            "pending_secret": self._cipher.seal(pending_secret, place) if pending_secret else "",
            "address": session.address[:64],
            "browser": session.browser[:200],
            "began_at": session.began_at,
            "seen_at": session.seen_at,
            "ends_at": session.ends_at,
        }
        async with self._db.write() as tx:
            if instead_of:
                await tx.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == instead_of))
            await tx.execute(insert(staff_sessions).values(values))

    async def find(self, token_hash: str) -> Session | None:
        query = select(staff_sessions).where(staff_sessions.c.token_hash == token_hash)
        async with self._db.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
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

    async def end(self, token_hash: str) -> None:
        async with self._db.write() as tx:
            await tx.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash))

    async def of(self, staff_id: str) -> Sequence[Session]:
        query = (
            select(staff_sessions)
            .where(staff_sessions.c.staff_id == staff_id, staff_sessions.c.ends_at > self._clock())
            .order_by(staff_sessions.c.seen_at.desc())
        )
        async with self._db.read() as connection:
            return [_session(row) for row in (await connection.execute(query)).mappings()]

    async def purge(self) -> int:
        async with self._db.write() as tx:
            return (await tx.execute(delete(staff_sessions).where(staff_sessions.c.ends_at < self._clock()))).rowcount


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
        roles=frozenset(Role(each) for each in row["roles"]),
        groups=frozenset(Group(each) for each in row["groups"]),
        capacity={Lane(lane): int(most) for lane, most in row["capacity"].items()},
        state=StaffState(row["state"]),
        must_change_password=row["must_change_password"],
        has_second_factor=bool(row["totp_secret"]),
        is_demo=row["is_demo"],
        created_at=row["created_at"],
    )


def _session(row: Mapping[Any, Any]) -> Session:
    return Session(
        token_hash=row["token_hash"],
        staff_id=row["staff_id"],
        stage=Stage(row["stage"]),
        address=row["address"],
        browser=row["browser"],
        began_at=row["began_at"],
        seen_at=row["seen_at"],
        ends_at=row["ends_at"],
    )
