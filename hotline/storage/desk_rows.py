"""The desk's reading statements, and rows to records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.desk_store import DeskConversation, Handover, Line, Note
from hotline.domain.conversations import Owner
from hotline.domain.desk import Agent, AgentState, Group, HandoverState, Lane, Reason, Waiting
from hotline.domain.messages import ChannelName, Choice
from hotline.storage.desk_tables import handovers
from hotline.storage.tables import contacts, conversations, messages, outbox

Row = Mapping[Any, Any]

_earlier = handovers.alias("earlier")
_newest = (
    select(func.max(_earlier.c.id))
    .where(_earlier.c.conversation_id == conversations.c.id)
    .correlate(conversations)
    .scalar_subquery()
)
_last_text = (
    select(messages.c.text)
    .where(messages.c.conversation_id == conversations.c.id, messages.c.author.in_(("citizen", "agent")))
    .order_by(messages.c.id.desc())
    .limit(1)
    .correlate(conversations)
    .scalar_subquery()
)
_answers = messages.alias("answers")
_last_answer = (
    select(func.max(_answers.c.id))
    .where(_answers.c.conversation_id == conversations.c.id, _answers.c.author.in_(("agent", "bot")))
    .correlate(conversations)
    .scalar_subquery()
)
_unanswered = (
    select(func.min(messages.c.created_at))
    .where(
        messages.c.conversation_id == conversations.c.id,
        messages.c.author == "citizen",
        messages.c.id > func.coalesce(_last_answer, 0),
    )
    .correlate(conversations)
    .scalar_subquery()
)
_HANDOVER_COLUMNS = [column.label(f"h_{column.name}") for column in handovers.c]

_CONVERSATIONS: Select[Any] = select(
    conversations,
    contacts.c.address,
    _last_text.label("last_text"),
    _unanswered.label("unanswered_since"),
    *_HANDOVER_COLUMNS,
).join(contacts, contacts.c.id == conversations.c.contact_id)


def conversations_where(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Conversations, each with its newest request."""
    return _CONVERSATIONS.outerjoin(handovers, handovers.c.id == _newest).where(*conditions)


def requests_where(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Requests, each with its conversation."""
    return _CONVERSATIONS.join(handovers, handovers.c.conversation_id == conversations.c.id).where(*conditions)


_CONVERSATION = conversations_where(conversations.c.id == bindparam("conversation_id"))

WITH_ADDRESS = (
    select(conversations, contacts.c.address)
    .join(contacts, contacts.c.id == conversations.c.contact_id)
    .where(conversations.c.id == bindparam("conversation_id"))
)
"""What has to be known of a conversation to change its hands or to say something in it."""
WITH_ADDRESS_LOCKED = WITH_ADDRESS.with_for_update(of=conversations, key_share=True)

HISTORY = (
    select(messages, conversations.c.channel, outbox.c.status.label("delivery"), outbox.c.error)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .outerjoin(outbox, outbox.c.message_id == messages.c.id)
)


async def read(connection: AsyncConnection, conversation_id: str) -> DeskConversation | None:
    """The conversation with its newest request."""
    found = (await connection.execute(_CONVERSATION, {"conversation_id": conversation_id})).mappings().one_or_none()
    return conversation(found) if found is not None else None


def conversation(row: Row) -> DeskConversation:
    return DeskConversation(
        id=row["id"],
        channel=ChannelName(row["channel"]),
        contact_id=row["contact_id"],
        address=row["address"],
        owner=Owner(row["owner"]),
        owner_version=row["owner_version"],
        holder=row["holder"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        closed_at=row["closed_at"],
        last_text=row["last_text"] or "",
        unanswered_since=row["unanswered_since"],
        handover=_of_conversation(row) if row["h_id"] is not None else None,
    )


def _of_conversation(row: Row) -> Handover:
    return handover({name: row[f"h_{name}"] for name in handovers.c.keys()} | _place(row))


def _place(row: Row) -> dict[str, Any]:
    return {"channel": row["channel"], "contact_id": row["contact_id"]}


def handover(row: Row) -> Handover:
    """From the columns of handovers plus channel and contact_id."""
    return Handover(
        id=row["id"],
        conversation_id=row["conversation_id"],
        channel=ChannelName(row["channel"]),
        contact_id=row["contact_id"],
        group=Group(row["group_code"]) if row["group_code"] else Group.DEPOSIT,
        reason=Reason(row["reason"]),
        matter=row["matter"],
        state=HandoverState(row["state"]),
        packet=row["packet"],
        queued_at=row["queued_at"] or row["created_at"],
        expires_at=row["expires_at"],
        offered_to=row["offered_to"],
        offer_until=row["offer_until"],
        agent_id=row["agent_id"],
        accepted_at=row["accepted_at"],
        ended_at=row["ended_at"],
        transferred_from=row["transferred_from"],
        transfer_note=row["transfer_note"],
        wrap_reason=row["wrap_reason"],
        solved=row["solved"],
        wrap_note=row["wrap_note"],
        summary=row["summary"],
    )


def waiting(row: Row) -> Waiting:
    return Waiting(
        handover_id=row["id"],
        conversation_id=row["conversation_id"],
        channel=ChannelName(row["channel"]),
        group=Group(row["group_code"]),
        reason=Reason(row["reason"]),
        queued_at=row["queued_at"],
        wanted_agent=row["wanted_agent"],
        wanted_since=row["created_at"],
        refused_by=frozenset(row["refused_by"]),
    )


def agent(row: Row) -> Agent:
    return Agent(
        staff_id=row["staff_id"],
        display_name=row["display_name"],
        work_no=row["work_no"],
        groups=frozenset(Group(each) for each in row["groups"]),
        capacity={Lane(lane): int(most) for lane, most in row["capacity"].items()},
        supervises=row["supervises"],
        extension=row["extension"] or "",
    )


def line(row: Row) -> Line:
    return Line(
        seq=row["id"],
        conversation_id=row["conversation_id"],
        channel=ChannelName(row["channel"]),
        author=row["author"],
        by=row["staff_id"],
        text=row["text"],
        choices=tuple(Choice(**each) for each in row["choices"]),
        at=row["created_at"],
        message_id=row["external_id"],
        delivery=row["delivery"] or "",
        error=row["error"] or "",
    )


def note(row: Row) -> Note:
    return Note(
        id=row["id"],
        conversation_id=row["conversation_id"],
        staff_id=row["staff_id"],
        kind=row["kind"],
        text=row["text"],
        at=row["created_at"],
    )


def state(row: Row) -> AgentState:
    return AgentState(row["state"])
