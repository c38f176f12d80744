"""What an agent gets with a conversation, so that nobody has to say anything twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hotline.desk_store import Desks, Line, Packet
from hotline.domain.conversations import Job
from hotline.domain.messages import TurnResult

LAST_LINES: Final = 8
LONGEST: Final = 300
"""Characters of a line; the whole transcript is beside the packet."""


async def packet(desks: Desks, job: Job, result: TurnResult, *, level: int, name: str) -> Packet:
    """Redacted texts, codes and counts. ``level`` and ``name`` (masked) say who the citizen has shown to be."""
    lines = await desks.lines(job.conversation_id, after=0, limit=500)
    return {
        "level": level,
        "name": name,
        "channel": job.channel.value,
        "said": job.text[:LONGEST],
        "matter": result.matter or "",
        "aspect": result.aspect or "",
        "facts": dict(result.facts),
        "last": [{"author": each.author, "text": each.text[:LONGEST]} for each in lines[-LAST_LINES:]],
        "tried": await _tried(desks, job.conversation_id),
        "turns": _count(lines, "citizen"),
    }


async def _tried(desks: Desks, conversation_id: str) -> list[Mapping[str, Any]]:
    """What the bot answered, one line per entry, with how it ended."""
    turns = await desks.turns(conversation_id)
    return [
        {"matter": each.matter, "aspect": each.aspect, "outcome": each.outcome, "intent": each.intent} for each in turns
    ]


def _count(lines: Sequence[Line], author: str) -> int:
    return sum(line.author == author for line in lines)
