"""What an agent gets with a conversation, so that nobody has to say anything twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hotline.desk_store import Line, Packet, Tried
from hotline.domain.conversations import Job
from hotline.domain.messages import TurnResult

LAST_LINES: Final = 8
LONGEST: Final = 300
"""Characters of a line; the whole transcript is beside the packet."""


def packet(
    job: Job, result: TurnResult, *, lines: Sequence[Line], tried: Sequence[Tried], level: int, name: str
) -> Packet:
    """Redacted texts, codes and counts. ``level`` and ``name`` (masked) say who the citizen has shown to be; ``tried``
    is what the bot answered, and how that ended."""
    return {
        "level": level,
        "name": name,
        "channel": job.channel.value,
        "said": job.text[:LONGEST],
        "matter": result.matter or "",
        "aspect": result.aspect or "",
        "facts": dict(result.facts),
        "last": [{"author": each.author, "text": each.text[:LONGEST]} for each in lines[-LAST_LINES:]],
        "tried": [
            {"matter": each.matter, "aspect": each.aspect, "outcome": each.outcome, "intent": each.intent}
            for each in tried
        ],
        "turns": _count(lines, "citizen"),
    }


def _count(lines: Sequence[Line], author: str) -> int:
    return sum(line.author == author for line in lines)
