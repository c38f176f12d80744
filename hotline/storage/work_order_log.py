"""The log of work orders, and the desk's live pages, which hear of every line in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.domain.work_orders import Alert, OrderRefused, Refusal, WorkOrder
from hotline.storage import work_order_rows as rows
from hotline.storage.desk_events import tell
from hotline.storage.work_order_tables import work_orders

_WHOSE = (
    select(func.coalesce(work_orders.c.merged_into, work_orders.c.id).label("order_id"), work_orders.c.erased_at)
    .where(work_orders.c.id == bindparam("order_id"))
    .with_for_update()
)


async def announce(
    tx: AsyncConnection, order: WorkOrder, what: str, *, now: datetime, alert: Alert = Alert.NOBODY
) -> None:
    """The desk's live pages hear of it when ``tx`` commits: the owner's alone where it is for him."""
    await tell(
        tx,
        "order",
        now=now,
        staff_id=order.owner if alert is Alert.OWNER else "",
        number=order.number,
        what=str(what),
        to=str(alert),
        group=order.group.value,
    )


async def whose_log(tx: AsyncConnection, order: WorkOrder) -> int:
    """Id of the order whose log and files ``order``'s are by now. It can be neither merged nor erased until ``tx``
    ends. Raises OrderRefused where it has been erased."""
    row = (await tx.execute(_WHOSE, {"order_id": order.id})).one()
    if row.erased_at is not None:
        raise OrderRefused(Refusal.NOT_FOUND)
    return int(row.order_id)


async def remark(tx: AsyncConnection, order_id: int, line: dict[str, Any]) -> None:
    """``line``, made by `hotline.storage.work_order_rows.remark_values`, stands in the log of ``order_id``."""
    await tx.execute(rows.INSERT_EVENT, {**line, "order_id": order_id})
