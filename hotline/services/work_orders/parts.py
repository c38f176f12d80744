"""What the services on work orders share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain.work_orders import Actor, Change, OrderRefused, Refusal, WorkOrder
from hotline.services.work_orders.folder import EvidenceFolder
from hotline.services.work_orders.limits import OrderLimits
from hotline.services.work_orders.opening import Openings, digest_of
from hotline.work_order_store import EvidenceRows, Posts, WorkOrders


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The stores, the figures and the clock."""

    orders: WorkOrders
    files: EvidenceRows
    folder: EvidenceFolder
    posts: Posts
    openings: Openings
    audit: Audit
    limits: OrderLimits
    clock: Callable[[], datetime]


class WithParts:
    """Finds orders for members of staff and makes their changes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def _found(self, number: str, by: Actor) -> WorkOrder:
        """The order, where ``by`` may see it. Raises OrderRefused; a refused look at a confidential order is in the
        audit trail."""
        order = await self._parts.orders.find(number)
        if order is None or order.erased_at is not None:
            raise OrderRefused(Refusal.NOT_FOUND)
        if not order.may_be_seen_by(by):
            await self._record("refused", by, order)
            raise OrderRefused(Refusal.NOT_ALLOWED)
        return order

    async def _make(
        self, number: str, version: int, by: Actor, step: Callable[[WorkOrder], Change], *request: object
    ) -> WorkOrder:
        """``step`` is made of the order if it is still in ``version``: what the page showed is what is changed. The
        same ``request`` of the same person again is done already. Raises OrderRefused."""
        order = await self._found(number, by)
        fingerprint = digest_of(by.id, version, *request)
        if order.version == version:
            change = replace(step(order), fingerprint=fingerprint)
            if (done := await self._parts.orders.save(change, by=by)) is not None:
                return done.order
        return await self._made_before(number, version, by, fingerprint)

    async def _made_before(self, number: str, version: int, by: Actor, fingerprint: str) -> WorkOrder:
        order = await self._found(number, by)
        if await self._parts.orders.was_made(order, version=version + 1, fingerprint=fingerprint):
            return order
        raise OrderRefused(Refusal.CHANGED)

    async def _record(self, action: str, by: Actor, order: WorkOrder | None = None, **detail: str | int) -> None:
        """What ``by`` looks at is in the audit trail."""
        reference = {"reference": order.number} if order else {}
        entry = AuditEntry(
            actor_kind=ActorKind.STAFF,
            actor_id=by.id,
            action=f"work_order.{action}",
            subject=order.person_id if order else "",
            purpose="work_order",
            conversation_id=order.conversation_id if order else "",
            detail={**detail, **reference},
        )
        await self._parts.audit.record(entry)
