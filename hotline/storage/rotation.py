"""Sealed values under older keys are sealed anew; hashes under an older look-up key are made anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, func, or_, select, update

from hotline.privacy.ciphers import FieldCipher, Place
from hotline.privacy.hashes import LookupHash
from hotline.storage.call_tables import recordings
from hotline.storage.database import Database
from hotline.storage.staff_tables import staff
from hotline.storage.tables import codes, drafts, persons

SEALED: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (persons, ("person_no", "id_number", "mobile")),
    (codes, ("candidate",)),
    (drafts, ("fields",)),
    (staff, ("totp_secret",)),
    (recordings, ("key",)),
)
"""Every sealed column; all of these tables have the primary key ``id``."""
_HASHED = ("person_no", "id_number")


@dataclass(frozen=True, slots=True)
class Progress:
    """One batch is done: so many rows of ``table``, and so many are left."""

    table: str
    done: int
    left: int


async def rotate(database: Database, cipher: FieldCipher, *, batch: int = 200) -> AsyncIterator[Progress]:
    """Every sealed value stands under the first key and the chosen cipher afterwards.

    Each batch is a transaction: broken off, it goes on where it was. A value that is changed meanwhile is left to
    whoever changed it. Raises Unreadable where a key is no longer in the settings.
    """
    for table, columns in SEALED:
        while (done := await _rotate_batch(database, cipher, table, columns=columns, batch=batch)) > 0:
            yield Progress(table.name, done, await _left(database, cipher, table, columns))


async def rehash(database: Database, cipher: FieldCipher, hashes: LookupHash, *, batch: int = 200) -> int:
    """Every person is found by the present look-up key afterwards; how many had to be changed. Locks, codes and links
    of the last day are not: they end with the key."""
    changed, after = 0, ""
    while True:
        query = select(persons).where(persons.c.id > after).order_by(persons.c.id).limit(batch)
        async with database.write() as tx:
            rows = (await tx.execute(query)).mappings().all()
            for row in rows:
                opened = {name: cipher.open(row[name], Place("persons", name, row["id"])) for name in _HASHED}
                values = {f"{name}_hash": hashes.of(name, value) for name, value in opened.items()}
                if any(row[name] != value for name, value in values.items()):
                    await tx.execute(update(persons).where(persons.c.id == row["id"]).values(values))
                    changed += 1
        if len(rows) < batch:
            return changed
        after = rows[-1]["id"]


async def _rotate_batch(
    database: Database, cipher: FieldCipher, table: Table, *, columns: tuple[str, ...], batch: int
) -> int:
    query = select(table).where(_older(cipher, table, columns)).limit(batch)
    async with database.write() as tx:
        rows = (await tx.execute(query)).mappings().all()
        for row in rows:
            for name in columns:
                if row[name] is None or cipher.is_current(row[name]):
                    continue
                place = Place(table.name, name, row["id"])
                sealed = cipher.seal(cipher.open(row[name], place), place)
                same = and_(table.c.id == row["id"], table.c[name] == row[name])
                await tx.execute(update(table).where(same).values({name: sealed}))
    return len(rows)


async def _left(database: Database, cipher: FieldCipher, table: Table, columns: tuple[str, ...]) -> int:
    query = select(func.count()).select_from(table).where(_older(cipher, table, columns))
    async with database.read() as connection:
        return int(await connection.scalar(query) or 0)


def _older(cipher: FieldCipher, table: Table, columns: tuple[str, ...]) -> ColumnElement[bool]:
    current = f"{cipher.label}.%"
    return or_(*(and_(table.c[name].is_not(None), table.c[name].not_like(current)) for name in columns))
