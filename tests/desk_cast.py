"""The people and conversations of fixtures/desk/cast.yml as the desk's records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from hotline.agent_desk import Customer, Meter
from hotline.desk_store import DeskConversation, Handover, Line, Note
from hotline.domain.conversations import Owner
from hotline.domain.desk import Agent, AgentState, Group, HandoverState, Presence, Reason
from hotline.domain.messages import ChannelName, Choice

CAST = Path(__file__).parent / "fixtures" / "desk" / "cast.yml"
OFFER = timedelta(seconds=20)
OWNERS = {
    HandoverState.HELD: Owner.AGENT,
    HandoverState.WRAP_UP: Owner.WRAP_UP,
    HandoverState.WAITING: Owner.QUEUED,
    HandoverState.OFFERED: Owner.QUEUED,
}


@dataclass(slots=True)
class Talk:
    """A conversation with what was said in it."""

    at: DeskConversation
    lines: list[Line] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class Cast:
    """Everything as it is at ``now``. ``next_seq`` numbers the lines."""

    def __init__(self, now: datetime, next_seq: Callable[[], int], path: Path = CAST) -> None:
        self.now = now
        self.raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._next_seq = next_seq

    def presences(self) -> dict[str, Presence]:
        return {staff_id: self._presence(staff_id, each) for staff_id, each in self.raw["agents"].items()}

    def talks(self) -> dict[str, Talk]:
        return {each["id"]: self._talk(number, each) for number, each in enumerate(self.raw["conversations"], start=1)}

    def callers(self) -> dict[str, Talk]:
        """Callers, who are not there from the beginning."""
        return {each["id"]: self._talk(number, each) for number, each in enumerate(self.raw["callers"], start=50)}

    def earlier(self, conversation: DeskConversation) -> list[Handover]:
        """Requests of the same citizen on other days."""
        found = []
        for number, each in enumerate(self.raw["earlier"], start=900):
            at = self.now - timedelta(days=each["days"])
            found.append(
                Handover(
                    id=number,
                    conversation_id=f"c-{number}",
                    channel=ChannelName(each["channel"]),
                    contact_id=conversation.contact_id,
                    group=Group.DEPOSIT,
                    reason=Reason(each["reason"]),
                    matter=each["matter"],
                    state=HandoverState.DONE,
                    packet={},
                    queued_at=at,
                    expires_at=None,
                    offered_to="",
                    offer_until=None,
                    agent_id=each["agent"],
                    accepted_at=at,
                    ended_at=at + timedelta(minutes=9),
                    wrap_reason=each["matter"],
                    solved=each["solved"],
                    summary=each["summary"],
                )
            )
        return found

    def _presence(self, staff_id: str, each: dict[str, Any]) -> Presence:
        agent = Agent(
            staff_id=staff_id,
            display_name=each["name"],
            work_no=each["work_no"],
            groups=frozenset(Group(group) for group in each["groups"]),
            supervises=each.get("supervises", False),
            extension=each.get("extension", ""),
        )
        since = self._back(each["minutes"])
        return Presence(agent=agent, state=AgentState(each["state"]), since=since, seen_at=self.now)

    def _talk(self, number: int, each: dict[str, Any]) -> Talk:
        lines = [self._line(each, *line) for line in each["lines"]]
        talk = Talk(at=self._conversation(number, each, lines), lines=lines)
        for note_id, (by, minutes, kind, text) in enumerate(each.get("notes", ()), start=1):
            at = self._back(minutes)
            talk.notes.append(
                Note(id=note_id, conversation_id=each["id"], staff_id=by, kind=kind, text=text, at=at),
            )
        return talk

    def _conversation(self, number: int, each: dict[str, Any], lines: list[Line]) -> DeskConversation:
        state = None if each["state"] == "bot" else HandoverState(each["state"])
        owner = OWNERS[state] if state else Owner.BOT
        return DeskConversation(
            id=each["id"],
            channel=ChannelName(each["channel"]),
            contact_id=number,
            address=each["address"],
            owner=owner,
            owner_version=3,
            holder=each.get("agent", "") if owner is Owner.AGENT else "",
            opened_at=lines[0].at,
            last_at=lines[-1].at,
            closed_at=None,
            last_text=lines[-1].text,
            unanswered_since=self._back(each["unanswered"]) if "unanswered" in each else None,
            handover=self._handover(number, each, state, lines) if state else None,
        )

    def _handover(self, number: int, each: dict[str, Any], state: HandoverState, lines: list[Line]) -> Handover:
        return Handover(
            id=number,
            conversation_id=each["id"],
            channel=ChannelName(each["channel"]),
            contact_id=number,
            group=Group(each["group"]),
            reason=Reason(each["reason"]),
            matter=each["matter"],
            state=state,
            packet={
                "level": each["level"],
                "name": each.get("name", ""),
                "said": next((line.text for line in reversed(lines) if line.author == "citizen"), ""),
                "facts": each.get("facts", {}),
                "tried": each.get("tried", []),
                "last": [{"author": author, "text": text} for author, text in each.get("last", [])],
            },
            queued_at=self._back(each["queued"]),
            expires_at=None,
            offered_to=each.get("offered_to", ""),
            offer_until=self.now + OFFER if state is HandoverState.OFFERED else None,
            agent_id=each.get("agent", ""),
            accepted_at=self._back(each["accepted"]) if "accepted" in each else None,
            ended_at=None,
        )

    def _line(
        self, each: dict[str, Any], author: str, minutes: float, text: str, channel: str | None = None, state: str = ""
    ) -> Line:
        is_staff = author in self.raw["agents"]
        return Line(
            seq=self._next_seq(),
            conversation_id=each["id"],
            channel=ChannelName(channel or each["channel"]),
            author="agent" if is_staff else author,
            by=author if is_staff else "",
            text=text,
            choices=(Choice(label="转人工", text="转人工"),) if "要不要转人工" in text else (),
            at=self._back(minutes),
            message_id=f"m-{author}-{minutes}-{each['id']}",
            delivery=state or ("" if author == "citizen" else "sent"),
        )

    def _back(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)


def customer(conversation: DeskConversation) -> Customer:
    """As far as he has proven who he is."""
    handover = conversation.handover
    level = int(handover.packet["level"]) if handover else 0
    if level == 0:
        return Customer(level=0, contacts=((conversation.channel.value, conversation.address[-4:]),))
    return Customer(
        level=level,
        person_id="P-1",
        name_masked=str(handover.packet["name"]) if handover else "",
        id_number_masked="****002X",
        mobile_masked="138****8000",
        contacts=(("wechat", "已关注"), ("web", "已绑定"), ("sms", "138****8000")),
        facts=(
            ("缴存状态", "正常"),
            ("账户余额", "86,421.35 元"),
            ("月缴存额", "2,400.00 元"),
            ("缴至年月", "2026年10月"),
            ("连续缴存", "63 个月"),
            ("公积金贷款", "无"),
        ),
        facts_missing=False,
    )


def meter(conversation: DeskConversation, now: datetime) -> Meter:
    """WeChat counts bubbles and hours; elsewhere there is no such limit."""
    if conversation.channel is not ChannelName.WECHAT:
        return Meter()
    return Meter(bubbles_left=3, closes_at=now + timedelta(hours=47, minutes=20))


def is_his(conversation: DeskConversation, staff_id: str) -> bool:
    """Offered to him, held by him or his to wrap up."""
    handover = conversation.handover
    if handover is None or handover.state is HandoverState.DONE:
        return False
    return staff_id in (conversation.holder, handover.agent_id, handover.offered_to)
