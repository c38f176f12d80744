"""Conversations as the desk's pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hotline.agent_desk import View
from hotline.desk_store import DeskConversation, Handover
from hotline.domain.clock import SHANGHAI
from hotline.domain.desk import LANES, HandoverState, Presence
from hotline.domain.masking import mask_mobile
from hotline.domain.messages import ChannelName
from web.desk.wording import DeskWording

AMBER_S: Final = 60
RED_S: Final = 180
"""An unanswered line turns red when it has waited as long as GB/T 33358 allows for SMS and other media."""
ANSWER_SHOWN: Final = 40
BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks that turn the direction of writing around: in a transcript they only hide what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A conversation in a list. ``kind``: offered, held, wrap_up, waiting, bot or closed."""

    id: str
    kind: str
    channel: ChannelName
    who: str
    level: int
    matter: str
    reason: str
    group: str
    last: str
    unanswered_since: datetime | None
    queued_at: datetime | None
    offer_until: datetime | None
    handover_id: int | None
    holder: str
    answered: str = ""
    """What the bot said last before a person was wanted, cut short."""


class Showing:
    """Puts names to codes."""

    def __init__(self, wording: DeskWording, matters: Mapping[str, str]) -> None:
        self._wording = wording
        self._matters = matters

    def matter(self, code: str) -> str:
        return self._matters.get(code, "")

    def row(self, each: DeskConversation) -> Row:
        handover = each.handover
        return Row(
            id=each.id,
            kind=_kind(each),
            channel=each.channel,
            who=self.who(each),
            level=_level(handover),
            matter=self.matter(handover.matter) if handover else "",
            reason=self._wording.name("reasons", handover.reason.value) if handover else "",
            group=self._wording.name("groups", handover.group.value) if handover else "",
            last=each.last_text,
            unanswered_since=each.unanswered_since,
            queued_at=handover.queued_at if handover else None,
            offer_until=handover.offer_until if handover else None,
            handover_id=handover.id if handover else None,
            holder=each.holder,
            answered=_answered(handover) if handover else "",
        )

    def rows(self, conversations: Sequence[DeskConversation]) -> list[Row]:
        return [self.row(each) for each in conversations]

    def who(self, each: DeskConversation) -> str:
        """The masked name where the citizen has proven one, otherwise what his channel tells of him."""
        name = str(each.handover.packet.get("name", "")) if each.handover else ""
        if name:
            return name
        if each.channel in (ChannelName.SMS, ChannelName.VOICE):
            return mask_mobile(each.address.removeprefix("+86")) or str(self._wording.words["who"]["anonymous"])
        pattern: str = self._wording.words["who"][each.channel.value]
        return pattern.format(tail=each.address[-4:])

    def tried(self, handover: Handover) -> list[tuple[str, str]]:
        """What the bot tried: entry and how it ended, in order, each once."""
        found = []
        for each in handover.packet.get("tried", ()):
            matter = self.matter(each.get("matter", ""))
            aspect = self._wording.words["aspects"].get(each.get("aspect", ""), "")
            entry = " · ".join(part for part in (matter, aspect) if part)
            if entry:
                found.append((entry, self._wording.name("outcomes", each.get("outcome", ""))))
        return list(dict.fromkeys(found))

    def facts(self, handover: Handover) -> list[tuple[str, str]]:
        return [self._wording.fact(key, str(value)) for key, value in handover.packet.get("facts", {}).items()]

    def load(self, presence: Presence) -> list[tuple[str, int, int]]:
        """Per lane: its name, what is held in it, and how much there may be."""
        return [
            (self._wording.name("lanes", lane.value), presence.load.get(lane, 0), presence.agent.capacity.get(lane, 0))
            for lane in dict.fromkeys(LANES.values())
        ]


def is_mine(each: DeskConversation, staff_id: str) -> bool:
    """Held by this member of staff, or his to accept or to wrap up."""
    handover = each.handover
    if each.holder == staff_id or handover is None:
        return each.holder == staff_id
    if handover.state is HandoverState.OFFERED:
        return handover.offered_to == staff_id
    return handover.agent_id == staff_id


def is_held_by(each: DeskConversation, staff_id: str) -> bool:
    """He may write in it."""
    return each.holder == staff_id and _kind(each) == "held"


def shown(text: str) -> str:
    """The text without marks that turn its direction around; HTML is escaped by the template."""
    return text.translate(BIDI)


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def clock(moment: datetime) -> str:
    """14:05"""
    return f"{local(moment):%H:%M}"


def clock_s(moment: datetime) -> str:
    """14:05:09"""
    return f"{local(moment):%H:%M:%S}"


def minutes(seconds: float) -> str:
    """1:05, or 1:02:05 from an hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def day(moment: datetime, *, now: datetime, wording: DeskWording) -> str:
    """今天, 昨天, or the date with its weekday; the year where it is another."""
    on, today = local(moment).date(), local(now).date()
    for name, back in (("today", 0), ("yesterday", 1)):
        if on == today - timedelta(days=back):
            return str(wording.words[name])
    pattern: str = wording.words["date" if on.year == today.year else "date_of_year"]
    weekday = wording.words["weekdays"][on.weekday()]
    return pattern.format(year=on.year, month=on.month, day=on.day, weekday=weekday)


def last_seq(view: View) -> int:
    return max((line.seq for line in view.lines), default=0)


def _kind(each: DeskConversation) -> str:
    state = each.handover.state if each.handover else None
    if state in (HandoverState.OFFERED, HandoverState.WAITING, HandoverState.HELD, HandoverState.WRAP_UP):
        return str(state)
    return "closed" if each.closed_at else str(each.owner)


def _answered(handover: Handover) -> str:
    said = [str(line.get("text", "")) for line in handover.packet.get("last", ()) if line.get("author") == "bot"]
    text = " ".join(said[-1].split()) if said else ""
    return text if len(text) <= ANSWER_SHOWN else f"{text[:ANSWER_SHOWN]}…"


def _level(handover: Handover | None) -> int:
    return int(handover.packet.get("level", 0)) if handover else 0
