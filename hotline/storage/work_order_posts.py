"""What has to be told of work orders outside: an outbox for citizens and one for the city hotline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.work_orders import Actor, Alert, By, Change, ChangeKind, State, WorkOrder
from hotline.storage import work_order_rows as rows
from hotline.storage.database import Database
from hotline.storage.tables import UtcDateTime
from hotline.storage.work_order_log import announce
from hotline.storage.work_order_tables import work_order_posts, work_orders
from hotline.work_order_store import DeadPost, DuePost, PostTarget

_OPEN = ("pending", "sending")
_SYSTEM = Actor(by=By.SYSTEM, id="posts")
_INSERT = insert(work_order_posts)
_earlier = work_order_posts.alias("earlier")
_DUE = (
    select(work_order_posts.c.id)
    .where(
        work_order_posts.c.target == bindparam("target"),
        work_order_posts.c.status.in_(_OPEN),
        work_order_posts.c.due_at <= bindparam("now", type_=UtcDateTime()),
        ~exists().where(
            _earlier.c.order_id == work_order_posts.c.order_id,
            _earlier.c.target == work_order_posts.c.target,
            _earlier.c.status.in_(_OPEN),
            _earlier.c.id < work_order_posts.c.id,
        ),
    )
    .order_by(work_order_posts.c.id)
    .limit(bindparam("most"))
)
"""At most one of an order and target: what happened first is told first. One that is still being sent when its lease
runs out belonged to a process that died."""
_LEASE = (
    update(work_order_posts)
    .where(
        work_order_posts.c.id == bindparam("post_id"),
        work_order_posts.c.status.in_(_OPEN),
        work_order_posts.c.due_at <= bindparam("now", type_=UtcDateTime()),
    )
    .values(
        status="sending",
        due_at=bindparam("until", type_=UtcDateTime()),
        attempts=work_order_posts.c.attempts + 1,
    )
    .returning(work_order_posts)
)
_DEAD = (
    select(work_order_posts, work_orders.c.number)
    .join(work_orders, work_orders.c.id == work_order_posts.c.order_id)
    .where(work_order_posts.c.status == "dead")
    .order_by(work_order_posts.c.id)
    .limit(bindparam("most"))
)


async def write_posts(tx: AsyncConnection, change: Change, *, now: datetime) -> None:
    """Whoever is told of this change of state outside has a post: the city hotline for every order it gave us that is
    concerned, the citizens once at each address."""
    if change.after.state == change.before.state:
        return
    family = (await tx.execute(rows.FAMILY, {"order_id": change.before.id})).all()
    posts = [(PostTarget.CITY, row.id) for row in family if row.city_id]
    if change.tells_citizen:
        first_of = {row.contact_id: row.id for row in reversed(family) if row.contact_id}
        posts += [(PostTarget.CITIZEN, order_id) for order_id in first_of.values()]
    for target, order_id in posts:
        await tx.execute(_INSERT, _post(change.after, target, order_id, now))


def _post(told: WorkOrder, target: PostTarget, order_id: int, now: datetime) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "target": target,
        "state": told.state,
        "reason": told.reason,
        "conclusion": rows.conclusion_out(told.conclusion),
        "status": "pending",
        "attempts": 0,
        "due_at": now,
        "created_at": now,
    }


class SqlPosts:
    """Implements `hotline.work_order_store.Posts`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def lease(self, target: PostTarget, *, limit: int, lease_s: int) -> Sequence[DuePost]:
        now = self._clock()
        async with self._db.read() as connection:
            which = {"target": target, "now": now, "most": limit}
            found = (await connection.execute(_DUE, which)).scalars().all()
        if not found:
            return []
        until = now + timedelta(seconds=lease_s)
        leased = []
        async with self._db.write() as tx:
            for post_id in found:
                lease = {"post_id": post_id, "now": now, "until": until}
                if row := (await tx.execute(_LEASE, lease)).mappings().one_or_none():
                    leased.append(await _due(tx, row))
        return leased

    async def sent(self, post: DuePost) -> bool:
        return await self._settle(post, status="sent", settled_at=self._clock(), error="")

    async def dropped(self, post: DuePost) -> bool:
        return await self._settle(post, status="dropped", settled_at=self._clock())

    async def later(self, post: DuePost, *, due_at: datetime, error: str) -> bool:
        return await self._settle(post, status="pending", due_at=due_at, error=error[:200])

    async def dead(self, post: DuePost, *, error: str) -> bool:
        now = self._clock()
        async with self._db.write() as tx:
            values = {"status": "dead", "settled_at": now, "error": error[:200]}
            if (await tx.execute(_settling(post).values(values))).rowcount != 1:
                return False
            which = {"target": post.target.value, "attempts": str(post.attempts)}
            # In the log of the order that answers for it, which people look at.
            line = rows.remark_values(
                post.standing.id, ChangeKind.UNDELIVERED, by=_SYSTEM, now=now, note=error[:200], **which
            )
            await tx.execute(rows.INSERT_EVENT, line)
            await announce(tx, post.standing, ChangeKind.UNDELIVERED, now=now, alert=Alert.SUPERVISORS)
        return True

    async def dead_posts(self, *, limit: int) -> Sequence[DeadPost]:
        async with self._db.read() as connection:
            found = (await connection.execute(_DEAD, {"most": limit})).mappings().all()
        return [
            DeadPost(
                id=row["id"],
                number=row["number"],
                target=PostTarget(row["target"]),
                attempts=row["attempts"],
                error=row["error"],
                at=row["settled_at"],
            )
            for row in found
        ]

    async def again(self, post_id: int) -> bool:
        given_up = (work_order_posts.c.id == post_id, work_order_posts.c.status == "dead")
        values = {"status": "pending", "attempts": 0, "due_at": self._clock(), "settled_at": None}
        async with self._db.write() as tx:
            return bool((await tx.execute(update(work_order_posts).where(*given_up).values(values))).rowcount == 1)

    async def _settle(self, post: DuePost, **values: Any) -> bool:
        async with self._db.write() as tx:
            return bool((await tx.execute(_settling(post).values(values))).rowcount == 1)


def _settling(post: DuePost) -> Any:
    """Only by whoever made the last attempt: a lease that ran out is somebody else's now."""
    return update(work_order_posts).where(
        work_order_posts.c.id == post.id,
        work_order_posts.c.status == "sending",
        work_order_posts.c.attempts == post.attempts,
    )


async def _due(tx: AsyncConnection, row: rows.Row) -> DuePost:
    order = rows.order((await tx.execute(rows.BY_ID, {"order_id": row["order_id"]})).mappings().one())
    standing = order
    if order.merged_into is not None:
        which = {"order_id": order.merged_into}
        standing = rows.order((await tx.execute(rows.BY_ID, which)).mappings().one())
    return DuePost(
        id=row["id"],
        target=PostTarget(row["target"]),
        attempts=row["attempts"],
        order=order,
        standing=standing,
        state=State(row["state"]),
        at=row["created_at"],
        reason=row["reason"],
        conclusion=rows.conclusion_in(row["conclusion"]),
    )
