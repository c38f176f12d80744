"""WeChat's fields ↔ the core's messages. Pure: no clock, no network, no storage.

Kinds: https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from channels.wechat.wording import wording
from hotline.domain.lengths import WECHAT_BYTES
from hotline.domain.messages import ChannelName, Choice, Inbound, InboundKind, Reply
from hotline.ports import RefusedRequest

_PART_MARK_BYTES: Final = 24
_FULL_STOP: Final = "\u3002"
_SENTENCE_END: Final = re.compile("(?<=[\u3002\uff01\uff1f\uff1b!?;\n])")
_RESERVED: Final = re.compile(r"[\s%&#+\"'<>]")
"""What would end the address or the tag; Chinese stays as it is, since clients show it unread."""
_FULL_WIDTH: Final = str.maketrans({"<": "\uff1c", ">": "\uff1e", "\n": " "})
_EVENT_KINDS: Final = {
    "subscribe": InboundKind.START,
    "scan": InboundKind.START,
    "unsubscribe": InboundKind.LEAVE,
    "click": InboundKind.TEXT,
}
_META_FIELDS: Final = {
    "msg_type": "MsgType",
    "event": "Event",
    "event_key": "EventKey",
    "msg_id": "MsgId",
    "menu_id": "bizmsgmenuid",
    "media_id": "MediaId",
    "status": "Status",
}


def decode(fields: Mapping[str, str]) -> Inbound:
    """What the citizen did. Unknown kinds decode too, so that they are acknowledged and not sent again.

    Raises:
        RefusedRequest: 400 when it does not say who sent it.
    """
    sender = fields.get("FromUserName", "")
    if not 0 < len(sender) <= 128:
        raise RefusedRequest(400, "message has no sender")
    kind, text = _kind_and_text(fields)
    return Inbound(
        channel=ChannelName.WECHAT,
        external_id=_external_id(fields, sender),
        contact_key=sender,
        kind=kind,
        text=text,
        sent_at=_sent_at(fields.get("CreateTime", "")),
        meta={key: fields[name][:200] for key, name in _META_FIELDS.items() if fields.get(name)},
    )


def render(replies: Iterable[Reply]) -> str:
    """All bubbles of an answer as one text: a passive reply has one bubble, and each pushed one costs quota."""
    return "\n\n".join(filter(None, map(_render_one, replies)))


def split(text: str, limit: int = WECHAT_BYTES) -> list[str]:
    """Texts of at most ``limit`` UTF-8 bytes each, cut after sentences and numbered when there are several.

    A tappable line is never cut, nor is a character."""
    if len(text.encode("utf-8", "replace")) <= limit:
        return [text] if text else []
    parts = _pack(_pieces(text, limit - _PART_MARK_BYTES), limit - _PART_MARK_BYTES)
    mark = wording().part_mark
    return [mark.format(part=number, parts=len(parts)) + part for number, part in enumerate(parts, 1)]


def passive_xml(text: str, *, to: str, sender: str, created: int) -> str:
    """The text reply that goes back in the webhook's response, before it is sealed."""
    return (
        f"<xml><ToUserName>{_cdata(to)}</ToUserName><FromUserName>{_cdata(sender)}</FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType>{_cdata('text')}</MsgType>"
        f"<Content>{_cdata(text)}</Content></xml>"
    )


def _kind_and_text(fields: Mapping[str, str]) -> tuple[InboundKind, str]:
    match fields.get("MsgType", "").lower():
        case "text":
            return _said(fields.get("Content", ""))
        case "voice":
            # Recognition is present only where the account has it switched on, and ends with a full stop.
            return _said(fields.get("Recognition", "").strip().rstrip(_FULL_STOP))
        case "event":
            kind = _EVENT_KINDS.get(fields.get("Event", "").lower(), InboundKind.IGNORED)
            return _said(fields.get("EventKey", "")) if kind is InboundKind.TEXT else (kind, "")
        case "":
            return InboundKind.IGNORED, ""
        case _:
            return InboundKind.UNSUPPORTED, ""


def _said(text: str) -> tuple[InboundKind, str]:
    words = text.strip()
    return (InboundKind.TEXT, words) if words else (InboundKind.UNSUPPORTED, "")


def _external_id(fields: Mapping[str, str], sender: str) -> str:
    """The same for every try of one message, and different for any two messages.

    MsgId has been seen to repeat between two senders (binarywang/WxJava issue 333), so the sender is in it too.
    Events have no MsgId: sender and second alone would merge a scan with the follow it caused."""
    msg_id = fields.get("MsgId", "")
    if msg_id.isascii() and msg_id.isdigit() and len(msg_id) <= 32:
        return f"{msg_id}-{_digest(sender)[:12]}"
    event = re.sub(r"[^a-z_]", "", fields.get("Event", "").lower()) or "message"
    names = ("CreateTime", "MsgType", "Event", "EventKey", "MsgID", "MsgId")
    identity = "\x1f".join([sender, *(fields.get(name, "") for name in names)])
    return f"{event[:24]}-{_digest(identity)[:32]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _sent_at(create_time: str) -> datetime | None:
    if not (create_time.isascii() and create_time.isdigit() and len(create_time) <= 10):
        return None
    return datetime.fromtimestamp(int(create_time), tz=UTC)


def _render_one(reply: Reply) -> str:
    if not reply.choices:
        return _storable(reply.text).strip()
    lines = [_choice_line(number, choice) for number, choice in enumerate(reply.choices, 1)]
    options = "\n".join([*lines, wording().choice_hint])
    return f"{_storable(reply.text).strip()}\n\n{options}".strip()


def _choice_line(number: int, choice: Choice) -> str:
    """A line that says ``choice.text`` when it is tapped, or opens its page, in passive and in pushed texts alike."""
    said = _RESERVED.sub(lambda found: f"%{ord(found.group()):02X}", _storable(choice.text))
    # Clients show entities as they are, so what would open a tag becomes its full-width twin.
    label = _storable(choice.label).translate(_FULL_WIDTH)
    address = choice.url or f"weixin://bizmsgmenu?msgmenucontent={said}&msgmenuid={number}"
    link = f'<a href="{address}">{label}</a>'
    return wording().choice_line.format(number=number, link=link)


def _storable(text: str) -> str:
    """Without characters that neither XML nor UTF-8 can carry."""
    return "".join(char for char in text if char in "\n\t" or (char >= " " and not "\ud800" <= char <= "\udfff"))


def _cdata(text: str) -> str:
    """The library's own fields leave the end mark as it is, which would end the reply there."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _pieces(text: str, limit: int) -> list[str]:
    """Sentences; whole lines where they hold a link; anything longer than a bubble in slices."""
    pieces: list[str] = []
    for line in text.splitlines(keepends=True):
        sentences = [line] if "<a " in line else _SENTENCE_END.split(line)
        for sentence in filter(None, sentences):
            pieces.extend(_slices(sentence, limit))
    return pieces


def _slices(sentence: str, limit: int) -> list[str]:
    slices: list[str] = []
    rest = sentence.encode("utf-8", "replace")
    while rest:
        piece = rest[:limit].decode("utf-8", "ignore")
        slices.append(piece)
        rest = rest[len(piece.encode("utf-8")) :]
    return slices


def _pack(pieces: Sequence[str], limit: int) -> list[str]:
    parts, size = [""], 0
    for piece in pieces:
        weight = len(piece.encode("utf-8"))
        if size + weight > limit and parts[-1]:
            parts.append("")
            size = 0
        parts[-1] += piece
        size += weight
    return [stripped for part in parts if (stripped := part.strip("\n"))]
