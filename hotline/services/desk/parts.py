"""What the desk is put together from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotline.agent_desk import Canned, DeskRefused, Refusal
from hotline.audit_store import Audit
from hotline.desk_store import DeskConversation, Desks, Held, Queue
from hotline.domain.messages import ChannelName
from hotline.services.desk.customers import Customers
from hotline.services.desk.drafts import DraftCheck
from hotline.services.desk.live import LiveDesk
from hotline.services.desk.meters import Meters
from hotline.services.desk.routing import Router
from hotline.services.desk.suggesting import Suggesting
from hotline.services.desk.telling import Tellings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """``told`` wakes the citizen's page and the outbox; ``typing`` shows him that somebody writes or has stopped;
    ``rated`` asks him how it was."""

    queue: Queue
    held: Held
    desks: Desks
    tellings: Tellings
    drafts: DraftCheck
    meters: Meters
    customers: Customers
    suggesting: Suggesting
    canned: Sequence[Canned]
    wrap_reasons: Sequence[tuple[str, str]]
    live: LiveDesk
    router: Router
    audit: Audit
    clock: Callable[[], datetime]
    told: Callable[[ChannelName, str], None]
    typing: Callable[[ChannelName, str, bool], None]
    rated: Callable[[DeskConversation], Awaitable[None]]


class WithParts:
    """What the desk's halves share."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def _conversation(self, conversation_id: str) -> DeskConversation:
        found = await self._parts.desks.conversation(conversation_id)
        if found is None:
            raise DeskRefused(Refusal.GONE)
        return found
