"""A turn's result as JSON: written by the action server, carried through Rasa, read by the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hotline.domain.messages import Choice, Outcome, Reply, SourceNote, TurnResult


class WrongShape(ValueError):
    """What came back is not a turn."""


def to_messages(result: TurnResult) -> list[dict[str, Any]]:
    """One message per reply, in the form of a Rasa response; the last one carries the facts of the turn."""
    messages = [{"text": reply.text, "custom": {"reply": _reply_json(reply)}} for reply in result.replies]
    messages[-1]["custom"] |= {"turn": _turn_json(result)}  # type: ignore[operator]
    return messages


def from_messages(messages: object, understood: object, ms: object = None) -> TurnResult:
    """The result in Rasa's messages; ``understood`` is the intent and confidence Rasa reports beside them.

    Raises:
        WrongShape: there is nothing to say, or a part is not what it should be.
    """
    if not isinstance(messages, list) or not messages:
        raise WrongShape("no messages")
    facts = _object(understood, "turn")
    replies: list[Reply] = []
    for message in messages:
        custom = _object(_object(message, "message").get("custom", {}), "custom")
        facts = {**facts, **_object(custom.get("turn", {}), "turn")}
        replies.append(_read_reply(message, _object(custom.get("reply", {}), "reply")))
    try:
        taken = {**_object(facts.get("ms") or {}, "ms"), **_object(ms or {}, "ms")}
        return _read_turn(tuple(replies), facts, taken)
    except (TypeError, ValueError, KeyError) as error:
        raise WrongShape(f"the turn cannot be read: {type(error).__name__}") from error


def _reply_json(reply: Reply) -> dict[str, Any]:
    choices = [
        {"label": choice.label, "text": choice.text} | ({"url": choice.url} if choice.url else {})
        for choice in reply.choices
    ]
    return {"text": reply.text, "choices": choices, "ends_call": reply.ends_call, "keypad": reply.keypad}


def _turn_json(result: TurnResult) -> dict[str, Any]:
    sources = [
        {"title": note.title, "issued_on": note.issued_on, "url": note.url, "strength": note.strength}
        for note in result.sources
    ]
    return {
        "outcome": result.outcome.value,
        "intent": result.intent,
        "confidence": result.confidence,
        "matter": result.matter,
        "aspect": result.aspect,
        "candidates": list(result.candidates),
        "sources": sources,
        "hand_over": result.hand_over,
        "ms": dict(result.ms),
        "facts": dict(result.facts),
    }


def _read_reply(message: Mapping[str, Any], reply: Mapping[str, Any]) -> Reply:
    """From ``custom.reply``, else from the text and buttons of a response of Rasa's own."""
    text = reply.get("text", message.get("text"))
    if not isinstance(text, str) or not text.strip():
        raise WrongShape("a message without text")
    if "choices" in reply:
        found = [(c.get("label"), c.get("text"), c.get("url")) for c in _objects(reply["choices"])]
    else:
        found = [(b.get("title"), b.get("payload"), "") for b in _objects(message.get("buttons") or [])]
    choices = tuple(
        Choice(label=str(label), text=str(said), url=str(url or "")) for label, said, url in found if label and said
    )
    return Reply(
        text=text,
        choices=choices,
        ends_call=bool(reply.get("ends_call", False)),
        keypad=str(reply.get("keypad") or ""),
    )


def _read_turn(replies: tuple[Reply, ...], facts: Mapping[str, Any], ms: Mapping[str, Any]) -> TurnResult:
    return TurnResult(
        replies=replies,
        outcome=Outcome(facts.get("outcome", Outcome.ANSWERED.value)),
        intent=str(facts.get("intent") or ""),
        confidence=float(facts.get("confidence") or 0.0),
        matter=_text_or_none(facts.get("matter")),
        aspect=_text_or_none(facts.get("aspect")),
        candidates=tuple(str(code) for code in facts.get("candidates") or ()),
        sources=tuple(_read_source(source) for source in _objects(facts.get("sources") or [])),
        hand_over=_text_or_none(facts.get("hand_over")),
        ms={str(name): float(value) for name, value in ms.items()},
        facts={str(name): str(value) for name, value in _object(facts.get("facts") or {}, "facts").items()},
    )


def _read_source(data: Mapping[str, Any]) -> SourceNote:
    return SourceNote(
        title=str(data["title"]),
        issued_on=_text_or_none(data.get("issued_on")),
        url=_text_or_none(data.get("url")),
        strength=str(data.get("strength") or "official"),
    )


def _text_or_none(value: object) -> str | None:
    return str(value) if value else None


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongShape(f"{name} is not an object")
    return value


def _objects(value: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise WrongShape("not a list")
    return [_object(item, "item") for item in value]
