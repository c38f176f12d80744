"""What a call needs of the core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from channels.voice.proof import KeypadProof
from hotline.call_store import Calls
from hotline.desk_store import DeskConversation, DeskEvent, Line
from hotline.domain.conversations import TurnRecord
from hotline.domain.messages import ChannelName, Inbound
from hotline.services.intake import Answer


class Intake(Protocol):
    """`hotline.services.intake.Intake` as a call uses it."""

    async def answer(self, inbound: Inbound, *, wait_s: float) -> Answer: ...

    async def submit(self, inbound: Inbound) -> bool: ...


class PeopleSide(Protocol):
    """What a call tells and asks the desk."""

    async def conversation(self, conversation_id: str) -> DeskConversation | None: ...

    async def lines(self, conversation_id: str, *, after: int, limit: int) -> Sequence[Line]: ...

    def follow(self, conversation_id: str) -> AsyncIterator[DeskEvent]:
        """What happens in the conversation from now on. Raises FellBehind."""
        ...

    async def position(self, handover_id: int) -> int | None: ...

    async def phone_of(self, staff_id: str) -> tuple[str, str]:
        """The extension of a member of staff, empty where he has none, and his number (工号)."""
        ...

    async def missed(self, conversation: DeskConversation) -> None:
        """The agent who took the call does not pick up his telephone: it waits for somebody again, and no more calls
        are offered to him."""
        ...

    async def end(self, conversation: DeskConversation) -> None:
        """Its agent has ended the call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Everything beyond the line. ``record`` gives a finished turn; ``text_to`` sends an SMS, raising SendError;
    ``matter`` is the name of a matter."""

    intake: Intake
    record: Callable[[ChannelName, str], Awaitable[TurnRecord | None]]
    people: PeopleSide
    calls: Calls
    proof: KeypadProof
    matter: Callable[[str], str]
    text_to: Callable[[str, str], Awaitable[None]] | None = None
    centre: str = ""
    records: bool = False
    ring_s: float = 20.0
