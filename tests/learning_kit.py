"""Turns as citizens leave them in a database, for tests of the learning loop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, Inbound, InboundKind, Outcome, Reply, TurnResult
from hotline.storage.database import Database
from hotline.storage.learning import SqlLearning
from hotline.storage.store import SqlStore

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Asked:
    """A database in which citizens have asked things."""

    url: str
    database: Database
    now: datetime = START
    said: int = 0

    def __post_init__(self) -> None:
        self.store = SqlStore(self.database, clock=self.clock, idle_close=timedelta(days=1000))
        self.learning = SqlLearning(self.database, clock=self.clock)

    def clock(self) -> datetime:
        return self.now

    async def turn(
        self,
        words: str,
        intent: str = "ask_knowledge",
        outcome: Outcome = Outcome.ANSWERED,
        *,
        confidence: float = 0.9,
        entry: str = "",
        who: str = "o1",
        kind: InboundKind = InboundKind.TEXT,
        origin: str = "",
    ) -> int:
        """One stored and finished turn; its number."""
        self.said += 1
        self.now += timedelta(seconds=1)
        inbound = Inbound(
            channel=ChannelName.WECHAT,
            external_id=f"m{self.said}",
            contact_key=who,
            text=words,
            kind=kind,
            meta={"origin": origin} if origin else {},
        )
        accepted = await self.store.accept(inbound, worker="w")
        assert accepted.job is not None
        matter, _, aspect = entry.partition("/")
        result = TurnResult(
            replies=(Reply(text="答"),),
            intent=intent,
            outcome=outcome,
            confidence=confidence,
            matter=matter or None,
            aspect=aspect or None,
        )
        await self.store.finish(
            accepted.job, result, status="done", delivery=DeliveryStatus.STORED, worker="w", due_at=self.now
        )
        return accepted.inbox_id
