"""Rows to records and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hotline.domain.conversations import Job, Owner, TurnRecord
from hotline.domain.messages import ChannelName, Choice, InboundKind, Outcome, Reply, SourceNote, TurnResult
from hotline.ports import ChatLine
from hotline.store import DueDelivery, OpenHandover

Row = Mapping[str, Any]


def choices_out(choices: Iterable[Choice]) -> list[dict[str, str]]:
    return [
        {"label": choice.label, "text": choice.text} | ({"url": choice.url} if choice.url else {}) for choice in choices
    ]


def replies_out(replies: Iterable[Reply]) -> list[dict[str, Any]]:
    return [
        {"text": r.text, "choices": choices_out(r.choices), "ends_call": r.ends_call, "keypad": r.keypad}
        for r in replies
    ]


def replies_in(stored: Iterable[Mapping[str, Any]] | None) -> tuple[Reply, ...]:
    return tuple(
        Reply(
            text=r["text"],
            choices=tuple(Choice(**c) for c in r["choices"]),
            ends_call=r["ends_call"],
            keypad=r.get("keypad", ""),  # rows older than the field have none
        )
        for r in stored or ()
    )


def line(row: Row) -> ChatLine:
    return ChatLine(
        seq=row["id"],
        author=row["author"],
        text=row["text"],
        at=row["created_at"].isoformat(),
        choices=tuple(Choice(**c) for c in row["choices"]),
        message_id=row["external_id"],
        signed=row["signed"],
    )


def job(row: Row) -> Job:
    """From the columns of inbox plus the address and what its conversation has of owner, contact and question."""
    return Job(
        inbox_id=row["id"],
        external_id=row["external_id"],
        conversation_id=row["conversation_id"],
        contact_id=row["contact_id"],
        contact_key=row["address"],
        channel=ChannelName(row["channel"]),
        kind=InboundKind(row["kind"]),
        text=row["text"],
        meta=row["meta"],
        as_of=row["as_of"],
        received_at=row["received_at"],
        attempts=row["attempts"],
        owner=Owner(row["owner"]),
        owner_version=row["owner_version"],
        asked=row["asked"],
        asked_about=row["asked_about"],
        asked_until=row["asked_until"],
    )


def turn_values(turn: Job, result: TurnResult, now: datetime) -> dict[str, Any]:
    return {
        "inbox_id": turn.inbox_id,
        "conversation_id": turn.conversation_id,
        "outcome": result.outcome,
        "intent": result.intent,
        "confidence": result.confidence,
        "matter": result.matter,
        "aspect": result.aspect,
        "candidates": list(result.candidates),
        "sources": [asdict(source) for source in result.sources],
        "hand_over": result.hand_over,
        "degraded": result.degraded,
        "ms": dict(result.ms),
        "created_at": now,
    }


def record(row: Row) -> TurnRecord:
    """From the columns of turns plus delivery_id, delivery_status and replies."""
    replies = replies_in(row["replies"])
    result = TurnResult(
        replies=replies,
        outcome=Outcome(row["outcome"]),
        intent=row["intent"],
        confidence=row["confidence"],
        matter=row["matter"],
        aspect=row["aspect"],
        candidates=tuple(row["candidates"]),
        sources=tuple(SourceNote(**source) for source in row["sources"]),
        hand_over=row["hand_over"],
        degraded=row["degraded"],
        ms=row["ms"],
    )
    return TurnRecord(
        inbox_id=row["inbox_id"],
        conversation_id=row["conversation_id"],
        replies=replies,
        result=result,
        delivery_status=row["delivery_status"],
        delivery_id=row["delivery_id"],
    )


def due(row: Row, current_version: int) -> DueDelivery:
    return DueDelivery(
        delivery_id=row["id"],
        conversation_id=row["conversation_id"],
        channel=ChannelName(row["channel"]),
        contact_key=row["contact_key"],
        author=row["author"],
        owner_version=row["owner_version"],
        current_version=current_version,
        replies=replies_in(row["replies"]),
        attempts=row["attempts"],
    )


def handover(row: Row, said: list[str]) -> OpenHandover:
    return OpenHandover(
        number=row["id"],
        reason=row["reason"],
        channel=row["channel"],
        asked_at=row["created_at"].isoformat(),
        said=said,
    )
