"""What asides are put together from, and what they need of others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hotline.audit_store import Audit
from hotline.desk_store import DeskConversation, Queue
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.desk import Reason
from hotline.domain.identity import Contact, Known
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import OrderType, Source
from hotline.identification import Identification
from hotline.identity_store import Bindings
from hotline.prompt_store import Prompts, Ratings

OF_COMPLAINTS = frozenset({Reason.COMPLAINT, Reason.ANGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """A work order that should be opened. ``key`` makes it one however often it is asked for, and comes with the same
    content each time; ``text`` is without personal numbers, ``matter`` a code of the catalogue or empty."""

    key: str
    type: OrderType
    source: Source
    text: str = field(repr=False)
    matter: str = ""
    conversation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The order there is. ``due_at``: until when it is promised to be done; ``provisional``: the holidays on the way
    are not known yet."""

    number: str
    due_at: datetime
    provisional: bool = False


class OpenOrder(Protocol):
    async def open_order(self, order: NewOrder) -> Opened:
        """The order is on record, once for its key. Raises HotlineError (TemporaryError when storage does not answer)
        where it is not."""
        ...


class Progress(Protocol):
    async def progress(self, text: str, *, contact: Contact, known: Known | None, conversation_id: str) -> str | None:
        """How far the work order is that ``text`` names, in words for who is known; None where it names none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """``room``: how many messages the conversation's channel still takes before the citizen's next one, None where it
    has no such limit; ``way``: how an outbox row of the channel begins; ``told`` wakes the citizen's page and the
    outbox after something was said outside a turn."""

    prompts: Prompts
    ratings: Ratings
    queue: Queue
    orders: OpenOrder
    progress: Progress
    identification: Identification
    bindings: Bindings
    audit: Audit
    clock: Callable[[], datetime]
    room: Callable[[DeskConversation], Awaitable[int | None]]
    way: Callable[[ChannelName], DeliveryStatus]
    told: Callable[[ChannelName, str], None]


def order_type(reason: Reason | None) -> OrderType:
    """What somebody who wanted a person for ``reason`` files."""
    return OrderType.COMPLAINT if reason in OF_COMPLAINTS else OrderType.CONSULT
