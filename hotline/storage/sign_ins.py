"""Sign-ins under way, and the codes sent for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.identity import Contact, IdentityRefused, Purpose, Refusal
from hotline.domain.messages import ChannelName
from hotline.identity_store import Candidate, CodeLimits, CodeTry, NewCode, Reserved, SignInState, StoredSignIn
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.services.codes import free_at
from hotline.storage.database import Database
from hotline.storage.serial import one_at_a_time
from hotline.storage.tables import UtcDateTime, codes, sign_ins

UNFINISHED = (SignInState.MADE, SignInState.OPENED, SignInState.CODE_SENT)
_WITH_BROWSER = (SignInState.OPENED, SignInState.CODE_SENT)
_DAY = timedelta(days=1)
_KEPT_FOR = _DAY + timedelta(hours=1)
"""Longer than the limits on codes look back."""


class SqlSignIns:
    """Implements `hotline.identity_store.SignIns`."""

    def __init__(self, database: Database, *, cipher: FieldCipher, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._cipher = cipher
        self._clock = clock

    async def begin(self, sign_in: StoredSignIn) -> None:
        older = (sign_ins.c.conversation_id == sign_in.conversation_id, sign_ins.c.state.in_(UNFINISHED))
        values = {
            "id": sign_in.session,
            "token_hash": sign_in.token_hash or None,
            "channel": sign_in.contact.channel,
            "address": sign_in.contact.address,
            "conversation_id": sign_in.conversation_id,
            "purpose": sign_in.purpose,
            "browser_hash": sign_in.browser_hash,
            "state": sign_in.state,
            "created_at": self._clock(),
            "expires_at": sign_in.expires_at,
        }
        async with self._db.write() as tx:
            await one_at_a_time(tx, f"sign_ins {sign_in.conversation_id}")
            await tx.execute(update(sign_ins).where(*older).values(state=SignInState.ENDED))
            await tx.execute(insert(sign_ins).values(values))

    async def by_token(self, token_hash: str) -> StoredSignIn | None:
        return await self._one(sign_ins.c.token_hash == token_hash)

    async def by_session(self, session: str) -> StoredSignIn | None:
        return await self._one(sign_ins.c.id == session)

    async def open(self, session: str, *, browser_hash: str, expires_at: datetime) -> bool:
        statement = (
            update(sign_ins)
            .where(sign_ins.c.id == session, sign_ins.c.state == SignInState.MADE)
            .values(state=SignInState.OPENED, browser_hash=browser_hash, expires_at=expires_at)
        )
        async with self._db.write() as tx:
            return (await tx.execute(statement)).rowcount == 1

    async def reserve_code(self, new: NewCode, limits: CodeLimits) -> Reserved:
        now = self._clock()
        async with self._db.write() as tx:
            await self._hold(tx, new)
            await one_at_a_time(tx, f"codes {new.mobile_hash}")
            query = select(codes.c.sent_at).where(codes.c.mobile_hash == new.mobile_hash, codes.c.sent_at > now - _DAY)
            sent = (await tx.execute(query)).scalars().all()
            free = free_at(sent, now, limits)
            if free > now:
                return Reserved(ok=False, free_at=free)
            await self._keep(tx, new, now)
            return Reserved(ok=True, free_at=free_at([*sent, now], now, limits))

    async def take_back_code(self, code_id: str) -> None:
        async with self._db.write() as tx:
            await tx.execute(delete(codes).where(codes.c.id == code_id))

    async def candidate(self, session: str) -> Candidate | None:
        query = select(codes.c.id, codes.c.candidate).where(codes.c.id == _newest(session))
        async with self._db.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return open_candidate(self._cipher, row) if row and row["candidate"] else None

    async def try_code(self, session: str, *, tries: int) -> CodeTry | None:
        statement = (
            update(codes)
            .where(
                codes.c.id == _newest(session),
                codes.c.used_at.is_(None),
                codes.c.expires_at > self._clock(),
                codes.c.tries < tries,
            )
            .values(tries=codes.c.tries + 1)
            .returning(codes.c.id, codes.c.code_hash, codes.c.tries)
        )
        async with self._db.write() as tx:
            row = (await tx.execute(statement)).one_or_none()
        return CodeTry(code_id=row.id, code_hash=row.code_hash, tries=row.tries) if row else None

    async def _one(self, condition: Any) -> StoredSignIn | None:
        async with self._db.read() as connection:
            row = (await connection.execute(select(sign_ins).where(condition))).mappings().one_or_none()
        return stored_sign_in(row) if row else None

    async def _hold(self, tx: AsyncConnection, new: NewCode) -> None:
        """The sign-in is unfinished, belongs to a browser, waits for a code and lasts longer for it."""
        until = literal(new.sign_in_until, UtcDateTime())
        later = case((sign_ins.c.expires_at < until, until), else_=sign_ins.c.expires_at)
        statement = (
            update(sign_ins)
            .where(sign_ins.c.id == new.session, sign_ins.c.state.in_(_WITH_BROWSER))
            .values(state=SignInState.CODE_SENT, expires_at=later)
        )
        if (await tx.execute(statement)).rowcount != 1:
            raise IdentityRefused(Refusal.LINK_EXPIRED)

    async def _keep(self, tx: AsyncConnection, new: NewCode, now: datetime) -> None:
        before = await tx.scalar(select(func.max(codes.c.number)).where(codes.c.session == new.session))
        plain = json.dumps(asdict(new.candidate), ensure_ascii=False)
        values = {
            "id": new.code_id,
            "session": new.session,
            "number": (before or 0) + 1,
            "code_hash": new.code_hash,
            "mobile_hash": new.mobile_hash,
            "candidate": self._cipher.seal(plain, _place(new.code_id)),
            "tries": 0,
            "sent_at": now,
            "expires_at": new.expires_at,
        }
        await tx.execute(insert(codes).values(values))


def stored_sign_in(row: RowMapping) -> StoredSignIn:
    return StoredSignIn(
        session=row["id"],
        token_hash=row["token_hash"] or "",
        contact=Contact(channel=ChannelName(row["channel"]), address=row["address"]),
        conversation_id=row["conversation_id"],
        purpose=Purpose(row["purpose"]),
        browser_hash=row["browser_hash"],
        state=SignInState(row["state"]),
        expires_at=row["expires_at"],
    )


def open_candidate(cipher: FieldCipher, row: RowMapping) -> Candidate:
    """From the columns id and candidate of codes."""
    return Candidate(**json.loads(cipher.open(row["candidate"], _place(row["id"]))))


async def purge_sign_ins(tx: AsyncConnection, now: datetime) -> int:
    """What has long expired is gone, and who a code was for as soon as its sign-in has ended; the number of rows
    removed."""
    ended = select(sign_ins.c.id).where(or_(sign_ins.c.expires_at <= now, sign_ins.c.state.not_in(UNFINISHED)))
    of_ended = (codes.c.candidate.is_not(None), codes.c.session.in_(ended))
    await tx.execute(update(codes).where(*of_ended).values(candidate=None))
    removed = (await tx.execute(delete(codes).where(codes.c.expires_at < now - _KEPT_FOR))).rowcount
    without_codes = sign_ins.c.id.not_in(select(codes.c.session))
    expired = delete(sign_ins).where(sign_ins.c.expires_at < now - _KEPT_FOR, without_codes)
    return removed + (await tx.execute(expired)).rowcount


def _newest(session: str) -> Any:
    return (
        select(codes.c.id).where(codes.c.session == session).order_by(codes.c.number.desc()).limit(1).scalar_subquery()
    )


def _place(code_id: str) -> Place:
    return Place("codes", "candidate", code_id)
