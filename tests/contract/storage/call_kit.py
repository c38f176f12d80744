"""Calls on a database of their own, beside the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hotline.call_store import CallMark, CallRecord, RecordingRow
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.messages import ChannelName, Outcome, TurnResult
from hotline.privacy.hashes import LookupHash
from hotline.storage.calls import SqlCalls
from hotline.storage.recordings import SqlRecordings
from tests.contract.storage.desk_kit import WORKER, Desk

NUMBER = "13800138000"
NIGHT = datetime(2026, 11, 24, 15, 50, tzinfo=UTC)
"""Ten minutes to midnight in China."""
A_DAY = timedelta(days=1)


@dataclass
class Telephone:
    """What the processes that have calls note of them."""

    desk: Desk

    def __post_init__(self) -> None:
        hashes = LookupHash(b"key", algorithm="sha256")
        self.calls = SqlCalls(self.desk.database, hashes=hashes, clock=self.desk.clock)
        self.recordings = SqlRecordings(self.desk.database, clock=self.desk.clock)

    async def rings(self, call_id: str = "k1", caller: str = NUMBER, line: str = "sip") -> str:
        await self.calls.begin(call_id, line=line, caller=caller, called="12329")
        await self.calls.mark(call_id, CallMark.CONNECTED)
        return call_id

    async def talks(self, call_id: str = "k1") -> str:
        """The call's conversation."""
        conversation_id = (await self.desk.said(who=call_id, channel=ChannelName.VOICE)).conversation_id
        await self.calls.belongs(call_id, conversation_id)
        return conversation_id

    async def asks(self, call_id: str, *turns: tuple[Outcome, str | None]) -> None:
        """A conversation in which these were answered."""
        for outcome, matter in turns:
            job = await self.desk.said(who=call_id, channel=ChannelName.VOICE)
            await self.calls.belongs(call_id, job.conversation_id)
            await self.desk.store.finish(
                job,
                TurnResult(replies=(), outcome=outcome, matter=matter),
                status="done",
                delivery=DeliveryStatus.PENDING,
                worker=WORKER,
                due_at=self.desk.clock(),
            )

    async def record(self, conversation_id: str) -> CallRecord:
        found = await self.calls.of_conversation(conversation_id)
        assert found is not None
        return found

    async def told(self) -> list[dict[str, Any]]:
        """What live pages were told of calls."""
        found = await self.desk.events.after(0, limit=1000)
        return [{"conversation": each.conversation_id, **each.data} for each in found if each.kind == "call"]

    async def kept(self, call_id: str = "k1", *, days: int = 180) -> RecordingRow:
        now = self.desk.clock()
        row = RecordingRow(
            id=f"r-{call_id}", call_id=call_id, key="a1.sealed", began_at=now, delete_after=now + days * A_DAY
        )
        assert await self.recordings.begin(row)
        return row
