"""Orders are opened here, wherever they come from: checked, without personal numbers, with a title and a due time."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hotline.domain.clock import SHANGHAI
from hotline.domain.desk import Group, Reason, group_of
from hotline.domain.identity import Contact
from hotline.domain.redaction import redact
from hotline.domain.text import MAX_STORED_CHARS, clean
from hotline.domain.work_order_time import deadline
from hotline.domain.work_orders import Actor, OrderRefused, OrderType, Priority, Refusal, Source
from hotline.services.work_orders.limits import OrderLimits
from hotline.services.work_orders.words import title_of
from hotline.wording import mask
from hotline.work_order_store import Done, NewOrder, Once, WorkOrders
from knowledge_base.model import Matter

TO_COMPLAINTS: Final = (OrderType.COMPLAINT, OrderType.FRAUD_REPORT, OrderType.APPEAL)
"""What somebody else than the group concerned has to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an order is opened with. ``matter``: a code of the catalogue, or empty; ``employer``: it is unit business.
    ``contact`` is where the citizen is told, ``person_id`` who he is where that is known."""

    type: OrderType
    source: Source
    text: str = field(repr=False)
    matter: str = ""
    contact: Contact | None = field(default=None, repr=False)
    conversation_id: str = ""
    person_id: str = ""
    confidential: bool = False
    priority: Priority = Priority.NORMAL
    employer: bool = False


class Openings:
    """Opens orders."""

    def __init__(
        self,
        orders: WorkOrders,
        *,
        limits: OrderLimits,
        matter: Callable[[str], Matter | None],
        clock: Callable[[], datetime],
    ) -> None:
        """``matter``: looks a code up in the catalogue."""
        self._orders = orders
        self._limits = limits
        self._matter = matter
        self._clock = clock

    async def open(self, opening: Opening, *, by: Actor, key: str = "", city_id: str = "") -> Done:
        """The order is there; with the same ``key`` again it is the same order. Raises OrderRefused: ``empty``,
        ``too_long``, ``unknown_matter``, ``key_reused``."""
        text, matter = checked(opening.text), self._matter(opening.matter) if opening.matter else None
        if opening.matter and matter is None:
            raise OrderRefused(Refusal.UNKNOWN_MATTER, opening.matter)
        now = self._clock()
        new = NewOrder(
            type=opening.type,
            source=opening.source,
            matter=opening.matter,
            title=title_of(opening.type, matter.name if matter else ""),
            text=text,
            contact=opening.contact,
            conversation_id=opening.conversation_id,
            person_id=opening.person_id,
            confidential=opening.confidential,
            priority=opening.priority,
            group=_group(opening, matter.topic if matter else ""),
            due=deadline(
                now,
                self._limits.workdays[opening.type],
                hours=self._limits.hours,
                share_percent=self._limits.remind_percent,
            ),
            day=now.astimezone(SHANGHAI).date(),
            city_id=city_id,
        )
        once = Once(key=f"open:{key or uuid.uuid4()}", digest=_digest(opening, city_id))
        return await self._orders.open(new, by=by, once=once)


def checked(text: str, *, most: int = MAX_STORED_CHARS) -> str:
    """``text`` as it may be stored. Raises OrderRefused where nothing is in it, or too much."""
    if len(text) > most:
        raise OrderRefused(Refusal.TOO_LONG, str(most))
    said = redact(clean(text), mask()).text
    if not said:
        raise OrderRefused(Refusal.EMPTY)
    return said


def digest_of(*values: object) -> str:
    """SHA-256 of the values' JSON, hexadecimal: whether a request is the same as an earlier one."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, default=str).encode()).hexdigest()


def _digest(opening: Opening, city_id: str) -> str:
    contact = opening.contact
    where = (contact.channel.value, contact.address) if contact else ()
    rest = (opening.conversation_id, opening.person_id, opening.confidential, opening.priority, opening.employer)
    return digest_of(opening.type, opening.source, opening.text, opening.matter, where, rest, city_id)


def _group(opening: Opening, topic: str) -> Group:
    reason = Reason.COMPLAINT if opening.type in TO_COMPLAINTS else Reason.REQUESTED
    return group_of(topic, reason=reason, employer=opening.employer)
