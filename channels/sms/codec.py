"""SMS in and out: pure functions between Twilio's forms and the core's messages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from twilio.twiml.messaging_response import MessagingResponse

from channels.sms.wording import wording
from channels.twilio_signature import required
from hotline.domain.lengths import SINGLE_PART_UNITS, parts, units
from hotline.domain.messages import ChannelName, Choice, Inbound, InboundKind, Reply

MAX_PARTS = 2
PERSONS_PARTS = 4
"""What a member of staff has written is sent as it is; the desk refuses more."""

_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_ADDRESS = re.compile(r"\+?[0-9A-Za-z]{3,20}")
_COUNT = re.compile(r"[0-9]{1,2}")
# XML 1.0 has no place for these, and no telephone shows them.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NUMBER_AT_END = re.compile(r"[0-9A-Za-z.,%:/-]+$")


def fit(text: str, signature: str, *, max_parts: int = MAX_PARTS) -> str:
    """The signed message in at most ``max_parts`` parts.

    A longer text is cut at the end of a sentence and says where to ask for the rest. Where that would
    leave less than a quarter of the room filled it is cut at the end of a clause, and never inside a number.
    """
    head = wording().opening.format(signature=signature)
    body = _clean(text).removeprefix(head)
    if parts(head + body) <= max_parts:
        return head + body
    return head + _cut(body, head, max_parts=max_parts)


def compose(replies: Sequence[Reply], signature: str, *, max_parts: int = MAX_PARTS) -> str:
    """One signed message of all replies, with as many of the last reply's choices as fit; empty for no words."""
    text = "\n".join(filter(None, (_clean(reply.text) for reply in replies)))
    choices = replies[-1].choices if replies else ()
    if not text and not choices:
        return ""
    head = wording().opening.format(signature=signature)
    lines = _choice_lines(choices)
    for kept in range(len(lines), 0, -1):
        left_out = [] if kept == len(lines) else [wording().more]
        body = "\n".join(filter(None, [text.removeprefix(head), *lines[:kept], *left_out]))
        if parts(head + body) <= max_parts:
            return head + body
    return fit(text, signature, max_parts=max_parts)


def twiml(body: str) -> str:
    """The webhook's answer: one message, or none where ``body`` is empty."""
    response = MessagingResponse()
    if body:
        response.message(body)
    return str(response)


def decode(form: dict[str, str]) -> Inbound:
    """What the citizen sent. Raises RefusedRequest (400) without a proper MessageSid or sender."""
    body = form.get("Body", "").strip()
    stops = _stops(form.get("OptOutType", ""), body)
    return Inbound(
        channel=ChannelName.SMS,
        external_id=required(form, "MessageSid", pattern=_MESSAGE_SID),
        contact_key=required(form, "From", pattern=_ADDRESS),
        kind=_kind(form, body, stops=stops),
        text=body,
        meta={"opt_out": "1"} if stops else {},
    )


def confirms_itself(form: dict[str, str]) -> bool:
    """True when Twilio has answered this opt-out already and would refuse a second confirmation."""
    return bool(form.get("OptOutType")) or _word(form.get("Body", "")) in wording().vendor_opt_out


def _kind(form: dict[str, str], body: str, *, stops: bool) -> InboundKind:
    media = required(form, "NumMedia", pattern=_COUNT) if "NumMedia" in form else "0"
    if stops:
        return InboundKind.LEAVE
    return InboundKind.TEXT if body and not int(media) else InboundKind.UNSUPPORTED


def _stops(opt_out_type: str, body: str) -> bool:
    return opt_out_type.upper() == "STOP" or _word(body) in wording().opt_out | wording().vendor_opt_out


def _word(body: str) -> str:
    return unicodedata.normalize("NFKC", body).strip(wording().around_words).upper()


def _clean(text: str) -> str:
    return _NOT_TEXT.sub("", text.replace("\r\n", "\n")).strip()


def _choice_lines(choices: Sequence[Choice]) -> list[str]:
    return [
        wording().choice.format(number=number, label=_clean(choice.label)) for number, choice in enumerate(choices, 1)
    ]


def _cut(body: str, head: str, *, max_parts: int) -> str:
    words = wording()
    tail = words.cut_mark + words.more
    longest = min(len(body), max_parts * SINGLE_PART_UNITS)
    room = next(
        (size for size in range(longest, 0, -1) if parts(head + body[:size] + tail) <= max_parts),
        0,
    )
    # The mark is only set after an unfinished sentence, so a whole one may use its place too.
    sentence = _last_end(words.sentence_end, body, room=room + units(words.cut_mark))
    if sentence * 4 >= room:
        return body[:sentence].rstrip() + words.more
    clause = _last_end(words.clause_end, body, room=room)
    kept = body[: clause - 1] if clause * 2 >= room else _NUMBER_AT_END.sub("", body[:room]) or body[:room]
    return kept.rstrip() + tail


def _last_end(pattern: re.Pattern[str], body: str, *, room: int) -> int:
    return max((match.end() for match in pattern.finditer(body) if match.end() <= room), default=0)
