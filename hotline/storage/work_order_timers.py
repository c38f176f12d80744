"""Work orders' timers: each rings once, whichever process looks first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from hotline.domain.work_orders import Actor, Alarm, Alert, By, ChangeKind, Timer, WorkOrder
from hotline.storage import work_order_rows as rows
from hotline.storage.database import Database
from hotline.storage.tables import UtcDateTime
from hotline.storage.work_order_log import announce
from hotline.storage.work_order_tables import work_orders
from hotline.work_order_store import Rung

_SYSTEM = Actor(by=By.SYSTEM, id="timer")
_column = work_orders.c
_DUE = (
    select(_column.id)
    .where(_column.alarm != Alarm.NONE, _column.alarm_at <= bindparam("now", type_=UtcDateTime()))
    .order_by(_column.alarm_at, _column.id)
    .limit(bindparam("most"))
)
_RING = (
    update(work_orders)
    .where(
        _column.id == bindparam("order_id"),
        _column.alarm == bindparam("alarm_now"),
        _column.alarm_at == bindparam("rings_at", type_=UtcDateTime()),
    )
    .values(alarm=bindparam("alarm_next"), alarm_at=bindparam("next_at", type_=UtcDateTime()))
)
"""By what the timer says now: whoever comes second finds it changed. The order's version stays: nobody has changed
it."""
_ALERTS = {
    Alarm.NEAR: Alert.OWNER,
    Alarm.DUE: Alert.OWNER,
    Alarm.LATE: Alert.SUPERVISORS,
    Alarm.VISIT: Alert.OWNER,
}


class SqlTimers:
    """Implements `hotline.work_order_store.Timers`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    async def ring(self, *, limit: int) -> Sequence[Rung]:
        now = self._clock()
        async with self._db.read() as connection:
            found = (await connection.execute(_DUE, {"now": now, "most": limit})).scalars().all()
        rung = [await self._rung(order_id, now) for order_id in found]
        return [each for each in rung if each is not None]

    async def _rung(self, order_id: int, now: datetime) -> Rung | None:
        async with self._db.write() as tx:
            order = rows.order((await tx.execute(rows.BY_ID, {"order_id": order_id})).mappings().one())
            alarm = order.timer.alarm
            if alarm is Alarm.NONE or (await tx.execute(_RING, _ringing(order))).rowcount != 1:
                return None
            line = rows.remark_values(order_id, ChangeKind.RANG, by=_SYSTEM, now=now, alarm=alarm.value)
            await tx.execute(rows.INSERT_EVENT, line)
            await announce(tx, order, alarm, now=now, alert=_ALERTS[alarm])
        return Rung(number=order.number, alarm=alarm, owner=order.owner, group=order.group)


def _ringing(order: WorkOrder) -> dict[str, Any]:
    then = following(order)
    return {
        "order_id": order.id,
        "alarm_now": order.timer.alarm,
        "rings_at": order.timer.at,
        "alarm_next": then.alarm,
        "next_at": then.at,
    }


def following(order: WorkOrder) -> Timer:
    """What rings after the one that rings now: the reminder, the due time, the supervisors."""
    if order.timer.alarm is Alarm.NEAR:
        return Timer(alarm=Alarm.DUE, at=order.due_at)
    if order.timer.alarm is Alarm.DUE:
        return Timer(alarm=Alarm.LATE, at=order.escalate_at)
    return Timer(alarm=Alarm.NONE)
