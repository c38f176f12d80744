"""Records of the desk with sensible defaults; any field may be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hotline.desk_store import DeskConversation, Handover, Line
from hotline.domain.conversations import Owner
from hotline.domain.desk import Group, HandoverState, Reason
from hotline.domain.messages import ChannelName

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""A Wednesday, ten in the morning in China."""


def a_conversation(**changes: object) -> DeskConversation:
    """On WeChat, held by a1."""
    made = DeskConversation(
        id="c1",
        channel=ChannelName.WECHAT,
        contact_id=7,
        address="oCitizen0000000000000000001",
        owner=Owner.AGENT,
        owner_version=2,
        holder="a1",
        opened_at=NOW,
        last_at=NOW,
        closed_at=None,
        last_text="租房",
        unanswered_since=None,
        handover=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def a_handover(**changes: object) -> Handover:
    """Wanted by the citizen, taken at once, ended after six minutes."""
    made = Handover(
        id=3,
        conversation_id="c1",
        channel=ChannelName.WECHAT,
        contact_id=7,
        group=Group.WITHDRAWAL,
        reason=Reason.REQUESTED,
        matter="rent",
        state=HandoverState.WRAP_UP,
        packet={},
        queued_at=NOW,
        expires_at=None,
        offered_to="",
        offer_until=None,
        agent_id="a1",
        accepted_at=NOW,
        ended_at=NOW + timedelta(minutes=6),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def lines(*said: tuple[str, str], channel: ChannelName = ChannelName.WECHAT) -> list[Line]:
    """A transcript of (author, text), a line a minute."""
    return [
        Line(
            seq=place,
            conversation_id="c1",
            channel=channel,
            author=author,
            by="a1" if author == "agent" else "",
            text=text,
            choices=(),
            at=NOW + timedelta(minutes=place),
            message_id=f"m{place}",
        )
        for place, (author, text) in enumerate(said)
    ]
