"""Work orders' rows to records and back, and the statements that run for every change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, insert, or_, select, update

from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.desk import Group
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import (
    Actor,
    Alarm,
    By,
    Change,
    ChangeKind,
    Conclusion,
    Event,
    Evidence,
    OrderType,
    Priority,
    Source,
    State,
    Timer,
    Upheld,
    WorkOrder,
)
from hotline.storage.tables import contacts
from hotline.storage.work_order_tables import work_order_events, work_order_files, work_orders
from hotline.work_order_store import NewOrder

Row = Mapping[Any, Any]

ORDERS: Select[Any] = select(work_orders, contacts.c.channel, contacts.c.address).outerjoin(
    contacts, contacts.c.id == work_orders.c.contact_id
)
BY_NUMBER = ORDERS.where(work_orders.c.number == bindparam("number"))
BY_CITY_ID = ORDERS.where(work_orders.c.city_id == bindparam("city_id"))
BY_ID = ORDERS.where(work_orders.c.id == bindparam("order_id"))
MERGED = ORDERS.where(work_orders.c.merged_into == bindparam("order_id")).order_by(work_orders.c.id)
FAMILY = (
    select(work_orders.c.id, work_orders.c.city_id, work_orders.c.contact_id)
    .where(or_(work_orders.c.id == bindparam("order_id"), work_orders.c.merged_into == bindparam("order_id")))
    .order_by(work_orders.c.id)
)
"""The order and those it answers for: whoever knows one of their numbers hears of it."""

_CHANGED = (
    "version",
    "confidential",
    "priority",
    "group_code",
    "owner",
    "state",
    "due_at",
    "due_provisional",
    "escalate_at",
    "reason",
    "conclusion",
    "concluded_at",
    "visit_due_at",
    "visit_tries",
    "rating",
    "rating_reason",
    "reopened",
    "closed_at",
    "merged_into",
    "erased_at",
    "updated_at",
)
_WITH_TIMER = (*_CHANGED, "alarm", "alarm_at")


def _save(columns: tuple[str, ...]) -> Any:
    new = {name: bindparam(f"new_{name}", type_=work_orders.c[name].type) for name in columns}
    which = (work_orders.c.id == bindparam("order_id"), work_orders.c.version == bindparam("expected"))
    return update(work_orders).where(*which).values(new)


_SAVE, _SAVE_WITH_TIMER = _save(_CHANGED), _save(_WITH_TIMER)
INSERT_EVENT = insert(work_order_events)
_origin = work_orders.alias("origin")
EVENTS = (
    select(work_order_events, _origin.c.number)
    .join(_origin, _origin.c.id == work_order_events.c.origin_id)
    .where(work_order_events.c.order_id == bindparam("order_id"))
    .order_by(work_order_events.c.id)
)
FILES = (
    select(work_order_files).where(work_order_files.c.order_id == bindparam("order_id")).order_by(work_order_files.c.id)
)


def saving(change: Change, now: datetime) -> tuple[Any, dict[str, Any]]:
    """The statement that makes the change where the order still has its version, and its values."""
    after = change.after
    values: dict[str, Any] = {
        **{name: getattr(after, name) for name in _CHANGED if name not in ("group_code", "conclusion", "updated_at")},
        "group_code": after.group,
        "conclusion": conclusion_out(after.conclusion),
        "updated_at": now,
    }
    statement = _SAVE
    if change.timer is not None:
        statement = _SAVE_WITH_TIMER
        values |= {"alarm": change.timer.alarm, "alarm_at": change.timer.at}
    new = {f"new_{name}": value for name, value in values.items()}
    return statement, {"order_id": change.before.id, "expected": change.before.version, **new}


def opening(new: NewOrder, *, number: str, contact_id: int | None, now: datetime) -> dict[str, Any]:
    """The row of an order that is opened at ``now``."""
    return {
        "number": number,
        "version": 1,
        "type": new.type,
        "source": new.source,
        "matter": new.matter,
        "title": new.title,
        "text": new.text,
        "contact_id": contact_id,
        "conversation_id": new.conversation_id or None,
        "person_id": new.person_id or None,
        "confidential": new.confidential,
        "priority": new.priority,
        "group_code": new.group,
        "owner": "",
        "state": State.NEW,
        "opened_at": now,
        "due_at": new.due.due_at,
        "due_provisional": new.due.provisional,
        "escalate_at": new.due.escalate_at,
        "alarm": Alarm.NEAR,
        "alarm_at": new.due.remind_at,
        "city_id": new.city_id or None,
        "updated_at": now,
    }


def order(row: Row) -> WorkOrder:
    """From the columns of work_orders plus channel and address."""
    contact = Contact(channel=ChannelName(row["channel"]), address=row["address"]) if row["channel"] else None
    plain = ("id", "number", "version", "matter", "title", "text", "confidential", "owner", "opened_at", "due_at")
    ends = ("reason", "concluded_at", "visit_due_at", "visit_tries", "rating", "rating_reason", "reopened", "closed_at")
    rest = ("due_provisional", "escalate_at", "merged_into", "erased_at", "updated_at")
    return WorkOrder(
        **{name: row[name] for name in (*plain, *ends, *rest)},
        type=OrderType(row["type"]),
        source=Source(row["source"]),
        contact=contact,
        conversation_id=row["conversation_id"] or "",
        person_id=row["person_id"] or "",
        priority=Priority(row["priority"]),
        group=Group(row["group_code"]),
        state=State(row["state"]),
        conclusion=conclusion_in(row["conclusion"]),
        city_id=row["city_id"] or "",
        timer=Timer(alarm=Alarm(row["alarm"]), at=row["alarm_at"]),
    )


def event_values(change: Change, by: Actor, now: datetime) -> dict[str, Any]:
    return {
        **_by(by),
        "order_id": change.before.id,
        "origin_id": change.before.id,
        "version": change.after.version,
        "kind": change.kind,
        "state_from": change.before.state,
        "state_to": change.after.state,
        "note": change.note,
        "data": dict(change.data),
        "fingerprint": change.fingerprint,
        "at": now,
    }


def remark_values(
    order_id: int, kind: ChangeKind, *, by: Actor, now: datetime, note: str = "", **data: str
) -> dict[str, Any]:
    """A line of the log that is no change of the order."""
    return {
        **_by(by),
        "order_id": order_id,
        "origin_id": order_id,
        "version": None,
        "kind": kind,
        "state_from": None,
        "state_to": None,
        "note": note,
        "data": data,
        "fingerprint": "",
        "at": now,
    }


def event(row: Row) -> Event:
    return Event(
        number=row["number"],
        version=row["version"],
        kind=ChangeKind(row["kind"]),
        by=By(row["by_kind"]),
        actor_id=row["actor_id"],
        actor_name=row["actor_name"],
        state_from=State(row["state_from"]) if row["state_from"] else None,
        state_to=State(row["state_to"]) if row["state_to"] else None,
        note=row["note"],
        data=row["data"],
        at=row["at"],
    )


def evidence(row: Row) -> Evidence:
    names = ("id", "name", "media_type", "size", "digest", "added_by", "added_at")
    return Evidence(**{name: row[name] for name in names})


def conclusion_out(conclusion: Conclusion | None) -> dict[str, str] | None:
    if conclusion is None:
        return None
    return {"finding": conclusion.finding, "done": conclusion.done, "upheld": conclusion.upheld or ""}


def conclusion_in(stored: Mapping[str, str] | None) -> Conclusion | None:
    if stored is None:
        return None
    upheld = Upheld(stored["upheld"]) if stored["upheld"] else None
    return Conclusion(finding=stored["finding"], done=stored["done"], upheld=upheld)


def trail(action: str, number: str, *, person_id: str, conversation_id: str, by: Actor) -> AuditEntry:
    """What the audit trail keeps of what was done with an order."""
    kinds = {By.STAFF: ActorKind.STAFF, By.CITIZEN: ActorKind.PERSON}
    return AuditEntry(
        actor_kind=kinds.get(by.by, ActorKind.SYSTEM) if by.id else ActorKind.SYSTEM,
        actor_id=by.id or by.by.value,
        action=f"work_order.{action}",
        subject=person_id,
        purpose="work_order",
        conversation_id=conversation_id,
        detail={"reference": number},
    )


def _by(by: Actor) -> dict[str, str]:
    return {"by_kind": by.by, "actor_id": by.id[:64], "actor_name": by.name[:64]}
