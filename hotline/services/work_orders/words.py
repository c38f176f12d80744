"""What is said of work orders, from wording.yml beside this file, in the form each channel takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.domain.clock import SHANGHAI
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import Conclusion, OrderType, Refusal, State, WorkOrder

_FILE = Path(__file__).with_name("wording.yml")
SMS_ROOM: Final = 120
"""UCS-2 units: two parts of 67 without the centre's signature."""
SENTENCE: Final = 60
"""Characters a caller takes in at once."""
SENTENCES: Final = 4
"""Sentences of a conclusion that are read out."""
_GROUPS = ((2, 6), (6, 10), (11, 14), (14, 17))
"""Where the groups of a number stand in it: year, month and day, and twice three digits."""


@cache
def order_words() -> Mapping[str, Any]:
    """The parsed wording.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


def say(key: str, channel: ChannelName, **values: object) -> str:
    """The sentence ``key`` (dotted) in the channel's form."""
    found: Any = order_words()
    for part in key.split("."):
        found = found[part]
    if not isinstance(found, str):
        found = found[channel.value if channel.value in found else "default"]
    return str(found).format(**values)


def title_of(order_type: OrderType, matter: str) -> str:
    """From the type and the name of the matter, if there is one."""
    name = str(order_words()["types"][order_type.value])
    return str(order_words()["title"]).format(type=name, matter=matter) if matter else name


def refusal_words(refusal: Refusal) -> str:
    """What staff are told."""
    return str(order_words()["refusals"][refusal.value])


def progress_words(order: WorkOrder, number: str, channel: ChannelName, *, now: datetime) -> str:
    """How ``order`` stands, for who knows it as ``number``. Nothing of the log is in it, only state, day and what was
    concluded."""
    if order.state in (State.CONCLUDED, State.CLOSED) and order.conclusion is not None:
        return conclusion_words(order.conclusion, number, channel)
    if order.state is State.REJECTED:
        return rejection_words(order.reason, number, channel)
    told = say(f"progress.{order.state}", channel, number=_number(number, channel), until=_until(order, channel, now))
    return _fitted(told, channel)


def conclusion_words(conclusion: Conclusion, number: str, channel: ChannelName) -> str:
    """What was found and done, as much of it as the channel takes."""
    upheld = str(order_words()["upheld"][conclusion.upheld.value]) if conclusion.upheld else ""
    told = say(
        "progress.concluded",
        channel,
        number=_number(number, channel),
        upheld=upheld,
        finding=conclusion.finding,
        done=conclusion.done,
    )
    return _fitted(told, channel)


def rejection_words(reason: str, number: str, channel: ChannelName) -> str:
    return _fitted(say("progress.rejected", channel, number=_number(number, channel), reason=reason), channel)


def confidential_words(number: str, channel: ChannelName) -> str:
    """There is news of a confidential order, which is told only after a proof."""
    return say("confidential", channel, number=_number(number, channel))


def _number(number: str, channel: ChannelName) -> str:
    if channel is not ChannelName.VOICE:
        return number
    digits = order_words()["spoken_digits"]
    groups = ("".join(digits[digit] for digit in number[first:last]) for first, last in _GROUPS)
    joined = str(order_words()["group_joiner"]).join(groups)
    return str(order_words()["spoken_number"]).format(groups=joined)


def _until(order: WorkOrder, channel: ChannelName, now: datetime) -> str:
    if order.due_at < now:
        return say("late", channel)
    due, today = order.due_at.astimezone(SHANGHAI), now.astimezone(SHANGHAI)
    key = "until" if due.year == today.year else "until_year"
    told = say(key, channel, year=due.year, month=due.month, day=due.day)
    return told + (say("provisional", channel) if order.due_provisional else "")


def _fitted(text: str, channel: ChannelName) -> str:
    if channel is ChannelName.SMS:
        return _for_sms(text)
    return _for_voice(text) if channel is ChannelName.VOICE else text


def _for_sms(text: str) -> str:
    text = " ".join(text.split())
    if units(text) <= SMS_ROOM:
        return text
    more = say("more", ChannelName.SMS)
    room, kept = SMS_ROOM - units(more), ""
    for char in text:
        if units(kept + char) > room:
            break
        kept += char
    return kept.rstrip(_marks("sentence_ends") + _marks("clause_ends")) + more


def _for_voice(text: str) -> str:
    """Sentences of at most `SENTENCE` characters, at most `SENTENCES` of them."""
    said = list(_sentences(" ".join(text.split())))
    if len(said) > SENTENCES:
        said = [*said[:SENTENCES], say("more", ChannelName.VOICE)]
    return "".join(said)


def _sentences(text: str) -> Iterator[str]:
    """Each with its end mark at most `SENTENCE` long, cut at a clause where there is one."""
    ends, clauses, room = _marks("sentence_ends"), _marks("clause_ends"), SENTENCE - 1
    for body, end in re.findall(f"([^{ends}]+)([{ends}]?)", text):
        rest = body.strip()
        while len(rest) > room:
            cut = max(rest.rfind(mark, 0, room + 1) for mark in clauses)
            piece = rest[: cut if cut > 0 else room]
            rest = rest[len(piece) :].lstrip(clauses)
            yield piece + ends[0]
        if rest.strip(clauses):
            yield rest.rstrip(clauses) + (end or ends[0])


def _marks(name: str) -> str:
    return str(order_words()[name])


def units(text: str) -> int:
    """The text's length in UCS-2 units, as SMS are billed."""
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)
