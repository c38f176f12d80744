"""The storage port: what services need of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hotline.domain.conversations import Accepted, DeliveryStatus, Job, TurnRecord
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName, Inbound, Reply, TurnResult
from hotline.ports import ChatLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The turn is stored. ``dropped``: nothing was said, because somebody took the conversation over meanwhile, or
    another worker had finished the message; one that was kept for a person who has gone since is ``next_job`` again."""

    dropped: bool
    lines: Sequence[ChatLine]
    next_job: Job | None
    delivery_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """An outbox row this process has leased for one attempt."""

    delivery_id: str
    conversation_id: str
    channel: ChannelName
    contact_key: str
    author: str
    owner_version: int
    current_version: int
    replies: tuple[Any, ...]
    attempts: int

    @property
    def is_void(self) -> bool:
        """The bot's answer to a conversation that has changed hands since dies; what people and the core say does
        not."""
        return self.author == "bot" and self.current_version != self.owner_version


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHandover:
    """A request for a person that nobody has closed, with what the citizen said last (redacted)."""

    number: int
    reason: str
    channel: str
    asked_at: str
    """ISO 8601, UTC."""
    said: Sequence[str]


class Store(Protocol):
    """Every method is one transaction. All raise TemporaryError when the database does not answer in time."""

    async def accept(self, inbound: Inbound, *, worker: str) -> Accepted:
        """Store ``inbound`` once (unique channel + external id), in the citizen's open conversation or a new
        one, and claim that conversation for ``worker`` unless somebody works it already."""
        ...

    async def finish(
        self, job: Job, result: TurnResult, *, status: str, delivery: DeliveryStatus, worker: str, due_at: datetime
    ) -> Finished:
        """Store the turn and its answer, unless the owner changed meanwhile; hand out the next waiting message
        of the conversation or release it."""
        ...

    async def claim_waiting(self, *, worker: str, limit: int) -> list[Job]:
        """First waiting messages of conversations that nobody works (after a crash or a spool)."""
        ...

    async def record(self, channel: ChannelName, external_id: str) -> TurnRecord | None:
        """The finished turn of a message, or None while it is not finished."""
        ...

    async def settle(
        self,
        delivery_id: str,
        status: DeliveryStatus,
        *,
        expected: DeliveryStatus,
        vendor_id: str = "",
        error: str = "",
    ) -> bool:
        """Move a delivery on if it is in ``expected``; False when it was not."""
        ...

    async def retry_later(self, delivery_id: str, *, due_at: datetime, error: str) -> None: ...

    async def lease_due(self, *, limit: int, lease_s: int) -> list[DueDelivery]:
        """Pending deliveries whose time has come, each leased to one worker for ``lease_s`` seconds."""
        ...

    async def lines(self, channel: ChannelName, contact_key: str, *, after: int, limit: int) -> list[ChatLine]: ...

    async def counts(self) -> Mapping[str, int]:
        """Waiting messages, due deliveries, open requests for a person: for health and status."""
        ...


class CitizenLines(Protocol):
    """What the core tells a citizen by itself."""

    async def tell(self, contact: Contact, reply: Reply, *, key: str, delivery: DeliveryStatus) -> bool:
        """The line stands in the citizen's newest conversation and is on its way, once for its ``key``. False: nobody
        of that address has ever written."""
        ...


class Handovers(Protocol):
    """Requests for a person that nobody at the desk could take."""

    async def open_handovers(self, *, limit: int) -> list[OpenHandover]:
        """The oldest open requests for a person first."""
        ...

    async def close_handover(self, number: int) -> bool:
        """False when there is no such open request."""
        ...
