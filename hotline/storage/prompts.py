"""Open questions of the gateway's own, and the words left for staff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.conversations import Job
from hotline.domain.desk import HandoverState, Reason
from hotline.domain.messages import ChannelName
from hotline.prompt_store import Asked, Pending, Question, Saying, Word
from hotline.storage import desk_rows as rows
from hotline.storage.database import Database
from hotline.storage.desk_events import tell
from hotline.storage.desk_tables import handovers
from hotline.storage.posting import post
from hotline.storage.rating_tables import WORDS
from hotline.storage.tables import UtcDateTime, contacts, conversations, inbox, messages

UNSERVED = (
    HandoverState.WAITING,
    HandoverState.OFFERED,
    HandoverState.LEFT,
    HandoverState.EXPIRED,
    HandoverState.NOTED,
)

_NOW = bindparam("now", type_=UtcDateTime())
_UNTIL = bindparam("until", type_=UtcDateTime())
_AS_IT_WAS = (
    conversations.c.id == bindparam("about_conversation"),
    conversations.c.asked == bindparam("was"),
    conversations.c.asked_about == bindparam("was_about"),
)
_ASKS = {"asked": bindparam("code"), "asked_about": bindparam("about"), "asked_until": _UNTIL}
_ASK = update(conversations).where(*_AS_IT_WAS, conversations.c.owner_version == bindparam("version")).values(_ASKS)
_SETTLE = update(conversations).where(*_AS_IT_WAS).values(_ASKS)
_CLAIM = (
    update(conversations)
    .where(*_AS_IT_WAS, conversations.c.asked_until == bindparam("was_until", type_=UtcDateTime()))
    .values(asked=Asked.WORD_CLOSING, asked_until=_UNTIL)
)
_SERVED = (
    update(handovers)
    .where(handovers.c.id == bindparam("handover_id"), handovers.c.state == HandoverState.NOTED)
    .values(state=HandoverState.DONE, ended_at=_NOW)
)
_WANTED = (
    select(handovers.c.id)
    .where(handovers.c.conversation_id == bindparam("conversation_id"), handovers.c.state.in_(UNSERVED))
    .order_by(handovers.c.id.desc())
    .limit(1)
)
_WANTED_FOR = select(handovers.c.reason, handovers.c.matter).where(handovers.c.id == bindparam("handover_id"))
_SAID = (
    select(messages.c.text)
    .where(
        messages.c.conversation_id == bindparam("conversation_id"),
        messages.c.author == "citizen",
        messages.c.inbox_id > bindparam("first"),
        messages.c.inbox_id <= bindparam("last"),
    )
    .order_by(messages.c.id)
)
_WAITS = exists().where(inbox.c.conversation_id == conversations.c.id, inbox.c.status == literal_column("'new'"))
"""Written out, as `WORDS` is: SQLite looks into an index over some rows only where it sees that they are meant."""
_DUE = (
    select(conversations, contacts.c.address)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(
        WORDS,
        or_(
            conversations.c.asked_until < _NOW,
            (conversations.c.asked == Asked.WORD_MORE) & conversations.c.closed_at.is_not(None),
        ),
        or_(conversations.c.claimed_until.is_(None), conversations.c.claimed_until < _NOW),
        ~_WAITS,
    )
    .order_by(conversations.c.asked_until)
    .limit(bindparam("most"))
)


class SqlPrompts:
    """Implements `hotline.prompt_store.Prompts`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def ask(self, job: Job, question: Question) -> Job | None:
        async with self._db.write() as tx:
            asked = await ask(tx, job, question)
        return question.on(job) if asked else None

    async def wanted(self, conversation_id: str) -> int:
        async with self._db.read() as connection:
            return await connection.scalar(_WANTED, {"conversation_id": conversation_id}) or 0

    async def word(self, conversation_id: str, question: Question) -> Word:
        which = {"conversation_id": conversation_id, "first": question.first, "last": question.last}
        async with self._db.read() as connection:
            texts = (await connection.execute(_SAID, which)).scalars().all()
            wanted = (await connection.execute(_WANTED_FOR, {"handover_id": question.subject})).one_or_none()
        if wanted is None:
            return Word(texts=tuple(texts))
        return Word(texts=tuple(texts), reason=Reason(wanted.reason), matter=wanted.matter)

    async def claim_words(self, *, again_at: datetime, limit: int) -> list[Pending]:
        async with self._db.read() as connection:
            due = (await connection.execute(_DUE, {"now": self._clock(), "most": limit})).mappings().all()
        return [pending for row in due if (pending := await self._claim(row, again_at)) is not None]

    async def _claim(self, row: rows.Row, again_at: datetime) -> Pending | None:
        values = {**_was(row["id"], row["asked"], row["asked_about"]), "was_until": row["asked_until"]}
        async with self._db.write() as tx:
            if (await tx.execute(_CLAIM, {**values, "until": again_at})).rowcount != 1:
                return None
        return Pending(
            conversation_id=row["id"],
            channel=ChannelName(row["channel"]),
            address=row["address"],
            question=Question.read(Asked.WORD_CLOSING, row["asked_about"], again_at),
        )

    async def settle(
        self, conversation_id: str, *, was: Question, then: Question, saying: Saying | None = None
    ) -> bool:
        now = self._clock()
        values = {**_was(conversation_id, was.asked, was.about), **_asks(then)}
        async with self._db.write() as tx:
            if (await tx.execute(_SETTLE, values)).rowcount != 1:
                return False
            await tx.execute(_SERVED, {"handover_id": was.subject, "now": now})
            if saying is not None:
                before = (await tx.execute(rows.WITH_ADDRESS, {"conversation_id": conversation_id})).mappings().one()
                await say(tx, before, saying, now=now)
        return True


async def ask(tx: AsyncConnection, job: Job, question: Question) -> bool:
    """Whether the conversation was still as ``job`` knows it, and asks ``question`` now."""
    values = {**_was(job.conversation_id, job.asked, job.asked_about), **_asks(question)}
    return (await tx.execute(_ASK, {**values, "version": job.owner_version})).rowcount == 1


async def say(tx: AsyncConnection, conversation: rows.Row, saying: Saying, *, now: datetime) -> None:
    """The citizen is told, where his conversation is open; who holds it sees the line."""
    if conversation["closed_at"] is not None:
        return
    await post(tx, conversation, [saying.reply], delivery=saying.delivery, now=now)
    if conversation["holder"]:
        where = {"conversation_id": conversation["id"], "staff_id": conversation["holder"]}
        await tell(tx, "line", now=now, author="system", **where)


def _was(conversation_id: str, asked: str, about: str) -> dict[str, Any]:
    return {"about_conversation": conversation_id, "was": asked, "was_about": about}


def _asks(question: Question) -> dict[str, Any]:
    return {"code": question.asked, "about": question.about, "until": question.until}
