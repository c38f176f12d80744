"""How many messages may still be pushed to one citizen, before WeChat is asked.

Figures: https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
(5 in 48 hours after a message since 2023-06-12; 3 in 1 minute after a follow, a menu key or a scan).
A new message opens a full window again; windows do not add up.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from hotline.domain.messages import Inbound, InboundKind

NOT_WORTH_S: Final = 600


class Grant(Enum):
    """What an act of the citizen allows: messages, and for how many seconds."""

    MESSAGE = (5, 48 * 3600)
    EVENT = (3, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the desk shows: messages that may be sent, and when the last window ends (epoch seconds)."""

    left: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One citizen's two windows. Times are epoch seconds. ``version`` grows with every change.

    ``delivery_id`` and ``parts_done`` say how far an answer of several parts got, so that a retry
    goes on where it stopped instead of repeating what the citizen has read."""

    message_left: int = 0
    message_until: float = 0.0
    event_left: int = 0
    event_until: float = 0.0
    delivery_id: str = ""
    parts_done: int = 0
    version: int = 0

    def allowance(self, now: float) -> Allowance:
        message = self.message_left if now < self.message_until else 0
        event = self.event_left if now < self.event_until else 0
        ends = [end for left, end in ((message, self.message_until), (event, self.event_until)) if left]
        return Allowance(left=message + event, until=max(ends, default=now))

    def granted(self, grant: Grant, at: float) -> Quota | None:
        """The window of ``grant`` is full again; the other stays as it is. A full window of messages is not
        written again for every message of a lively chat: it may end up to ten minutes early here.

        ``at`` is WeChat's time of the act: None for an act that has counted already, since the second
        and third try of one message open nothing."""
        left, seconds = grant.value
        until = at + seconds
        if grant is Grant.MESSAGE:
            if self.message_left == left and until - self.message_until < NOT_WORTH_S:
                return None
            return self._changed(message_left=left, message_until=until) if until > self.message_until else None
        return self._changed(event_left=left, event_until=until) if until > self.event_until else None

    def spent(self, now: float) -> Quota | None:
        """One message fewer, from the window that ends first; None when there is none to spend."""
        if self.event_left and now < self.event_until:
            return self._changed(event_left=self.event_left - 1)
        if self.message_left and now < self.message_until:
            return self._changed(message_left=self.message_left - 1)
        return None

    def refunded(self, now: float) -> Quota:
        """One message more, after a send that surely did not happen."""
        if now < self.message_until:
            return self._changed(message_left=min(self.message_left + 1, Grant.MESSAGE.value[0]))
        return self._changed(event_left=min(self.event_left + 1, Grant.EVENT.value[0]))

    def emptied(self) -> Quota:
        """Nothing left, because WeChat says so or the citizen has gone."""
        return self._changed(message_left=0, event_left=0)

    def progressed(self, delivery_id: str, parts_done: int) -> Quota:
        return self._changed(delivery_id=delivery_id, parts_done=parts_done)

    def _changed(self, **fields: float | str) -> Quota:
        return dataclasses.replace(self, version=self.version + 1, **fields)  # type: ignore[arg-type]


class QuotaStore(Protocol):
    """Keeps one `Quota` per contact, shared by all gateway processes."""

    async def get(self, contact_key: str) -> Quota | None: ...

    async def put(self, contact_key: str, quota: Quota) -> bool:
        """Store it if what is stored has version ``quota.version - 1`` (0 means nothing is stored).

        False, and nothing is changed, when somebody else was faster: a message that comes in while
        an answer goes out must not lose the window it opened."""
        ...


class InMemoryQuotaStore:
    """For one process and for tests."""

    def __init__(self) -> None:
        self._quotas: dict[str, Quota] = {}

    async def get(self, contact_key: str) -> Quota | None:
        return self._quotas.get(contact_key)

    async def put(self, contact_key: str, quota: Quota) -> bool:
        stored = self._quotas.get(contact_key)
        if quota.version != (stored.version if stored else 0) + 1:
            return False
        self._quotas[contact_key] = quota
        return True


_GRANTING_EVENTS: Final = frozenset({"subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"})


def grant_of(inbound: Inbound) -> Grant | None:
    """What this act allows; None for acts that allow nothing. Tapping a link of ours counts as a menu key."""
    if inbound.meta.get("msg_type") == "event":
        return Grant.EVENT if inbound.meta.get("event", "").lower() in _GRANTING_EVENTS else None
    if inbound.kind in {InboundKind.IGNORED, InboundKind.LEAVE}:
        return None
    return Grant.EVENT if inbound.meta.get("menu_id") else Grant.MESSAGE
