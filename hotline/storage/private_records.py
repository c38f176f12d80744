"""Drafts of applications, sealed, and what became of those that were filed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.privacy.ciphers import FieldCipher, Place
from hotline.private_store import OPEN_SUBMISSIONS, Begun, Draft, Submission, SubmissionState
from hotline.storage.database import Database
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import drafts, submissions

DRAFT_DAYS: Final = 30


class SqlDrafts:
    """Implements `hotline.private_store.Drafts`. Expired ones are removed by `SqlIdentity.purge`."""

    def __init__(self, database: Database, *, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._cipher = cipher
        self._clock = clock
        self._insert: Any = sqlite_insert if database.is_sqlite else pg_insert

    async def save(self, person_id: str, business: str, *, fields: Mapping[str, str], step: str) -> Draft:
        now = self._clock()
        expires_at = now + timedelta(days=DRAFT_DAYS)
        changed = {"step": step, "updated_at": now, "expires_at": expires_at}
        which = {"person_id": person_id, "business": business}
        async with self._db.write() as tx:
            # What is sealed is bound to the row's id, so the row has to be there first.
            made = self._insert(drafts).values(id=str(uuid.uuid4()), fields="", created_at=now, **which, **changed)
            kept = made.on_conflict_do_update(index_elements=["person_id", "business"], set_=changed)
            draft_id = (await tx.execute(kept.returning(drafts.c.id))).scalar_one()
            sealed = self._cipher.seal(json.dumps(dict(fields), ensure_ascii=False), _place(draft_id))
            await tx.execute(update(drafts).where(drafts.c.id == draft_id).values(fields=sealed))
        return Draft(fields=dict(fields), step=step, updated_at=now, expires_at=expires_at, **which)

    async def find(self, person_id: str, business: str) -> Draft | None:
        found = await self._unexpired(drafts.c.person_id == person_id, drafts.c.business == business)
        return found[0] if found else None

    async def of(self, person_id: str) -> list[Draft]:
        return await self._unexpired(drafts.c.person_id == person_id)

    async def drop(self, person_id: str, business: str) -> bool:
        statement = delete(drafts).where(drafts.c.person_id == person_id, drafts.c.business == business)
        async with self._db.write() as tx:
            return (await tx.execute(statement)).rowcount == 1

    async def _unexpired(self, *which: ColumnElement[bool]) -> list[Draft]:
        query = select(drafts).where(*which, drafts.c.expires_at > self._clock()).order_by(drafts.c.updated_at.desc())
        async with self._db.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [self._draft(row) for row in rows]

    def _draft(self, row: RowMapping) -> Draft:
        return Draft(
            person_id=row["person_id"],
            business=row["business"],
            fields=json.loads(self._cipher.open(row["fields"], _place(row["id"]))),
            step=row["step"],
            updated_at=row["updated_at"],
            expires_at=row["expires_at"],
        )


class SqlSubmissions:
    """Implements `hotline.private_store.Submissions`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def begin(self, person_id: str, business: str, *, key: str) -> Begun:
        now = self._clock()
        values = {
            "key": key,
            "person_id": person_id,
            "business": business,
            "state": SubmissionState.SENDING,
            "application_no": "",
            "error": "",
            "created_at": now,
            "updated_at": now,
        }
        async with self._db.write() as tx:
            await one_at_a_time(tx, f"submissions {person_id} {business}")
            known = await self._in_the_way(tx, person_id, business, key)
            if known is None:
                await tx.execute(insert(submissions).values(values))
            return Begun(submission=_submission(known or values), new=known is None)

    async def settle(
        self, key: str, state: SubmissionState, *, application_no: str = "", error: str = ""
    ) -> Submission | None:
        statement = (
            update(submissions)
            .where(submissions.c.key == key, submissions.c.state.in_(OPEN_SUBMISSIONS))
            .values(state=state, application_no=application_no, error=error[:64], updated_at=self._clock())
            .returning(submissions)
        )
        async with self._db.write() as tx:
            row = (await tx.execute(statement)).mappings().one_or_none()
        return _submission(row) if row else None

    async def find(self, key: str) -> Submission | None:
        async with self._db.read() as connection:
            query = select(submissions).where(submissions.c.key == key)
            row = (await connection.execute(query)).mappings().one_or_none()
        return _submission(row) if row else None

    async def of(self, person_id: str, *, since: datetime) -> list[Submission]:
        query = (
            select(submissions)
            .where(submissions.c.person_id == person_id, submissions.c.updated_at >= since)
            .order_by(submissions.c.updated_at.desc())
        )
        async with self._db.read() as connection:
            return [_submission(row) for row in (await connection.execute(query)).mappings()]

    async def open_before(self, moment: datetime, *, limit: int) -> list[Submission]:
        query = (
            select(submissions)
            .where(submissions.c.state.in_(OPEN_SUBMISSIONS), submissions.c.updated_at < moment)
            .order_by(submissions.c.updated_at)
            .limit(limit)
        )
        async with self._db.read() as connection:
            return [_submission(row) for row in (await connection.execute(query)).mappings()]

    async def _in_the_way(self, tx: AsyncConnection, person_id: str, business: str, key: str) -> RowMapping | None:
        """The filing with this key, else the open one of this person and business."""
        by_key = select(submissions).where(submissions.c.key == key)
        still_open = select(submissions).where(
            submissions.c.person_id == person_id,
            submissions.c.business == business,
            submissions.c.state.in_(OPEN_SUBMISSIONS),
        )
        for query in (by_key, still_open):
            if row := (await tx.execute(query)).mappings().one_or_none():
                return row
        return None


def _submission(row: Mapping[str, Any] | RowMapping) -> Submission:
    return Submission(**{**row, "state": SubmissionState(row["state"])})


def _place(draft_id: str) -> Place:
    return Place("drafts", "fields", draft_id)
