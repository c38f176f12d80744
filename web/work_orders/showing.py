"""Work orders as the pages show them: how urgent they look, what can be done with them, and their log in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hotline.domain.clock import SHANGHAI
from hotline.domain.desk import Agent
from hotline.domain.work_orders import ALLOWED, Alarm, By, ChangeKind, Event, OrderType, State, WorkOrder
from hotline.services.work_orders.looking import OrderView
from web.desk.wording import DeskWording
from web.work_orders.wording import page_words

RUNG: Final = frozenset({Alarm.DUE, Alarm.LATE})
"""What the timer waits for once the reminder's share of the time has passed."""
ONWARD: Final[Mapping[str, State]] = {
    "accept": State.ACCEPTED,
    "start": State.IN_PROGRESS,
    "conclude": State.CONCLUDED,
    "wait": State.WAITING_CITIZEN,
}
AWAY: Final[Mapping[str, State]] = {"merge": State.MERGED, "reject": State.REJECTED, "cancel": State.CANCELLED}
AT_ONCE: Final = frozenset({"accept", "start", "take", "close", "confidential", "open_up"})
"""What is done without a dialog."""
ASKS_WHETHER_TRUE: Final = frozenset({OrderType.COMPLAINT, OrderType.FRAUD_REPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the log. ``number``: of the order it happened to, where that is another one."""

    at: datetime
    who: str
    what: str
    note: str
    number: str


def grade(order: WorkOrder, now: datetime) -> str:
    """``red`` past its time, ``amber`` from the reminder on (`hotline.services.work_orders.limits`), else empty."""
    if not order.is_open:
        return ""
    if order.due_at < now:
        return "red"
    near, at = order.timer.alarm, order.timer.at
    return "amber" if near in RUNG or (near is Alarm.NEAR and at is not None and at <= now) else ""


def acts(order: WorkOrder, agent: Agent) -> list[str]:
    """What this member of staff may do with it now, what is done most often first. The services decide."""
    if order.state in (State.CONCLUDED, State.CLOSED):
        return _of_concluded(order, agent)
    return [*_moves(ONWARD, order), *(_of_open(order, agent) if order.is_open else []), *_moves(AWAY, order)]


def may_be_added_to(order: WorkOrder) -> bool:
    """Notes and files. What was merged is answered for by another order."""
    return order.state is not State.MERGED


def may_be_revealed(order: WorkOrder, agent: Agent) -> bool:
    """A supervisor may see who filed a confidential order, for a reason."""
    return order.confidential and agent.supervises


def log(view: OrderView, *, names: Mapping[str, str], wording: DeskWording) -> list[LogLine]:
    """The newest first."""
    files = {str(each.id): each.name for each in view.files}
    return [_line(event, view, {**names, **_named(event, files, names, wording)}) for event in reversed(view.events)]


def day_of(moment: datetime) -> str:
    on = moment.astimezone(SHANGHAI)
    return str(page_words()["due_day"]).format(month=on.month, day=on.day)


def short(text: str, most: int = 90) -> str:
    """One line of it."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def last_words(lines: Sequence[str], most: int) -> str:
    """The last lines that fit."""
    kept: list[str] = []
    for line in reversed(lines):
        if sum(map(len, kept)) + len(line) > most:
            break
        kept.insert(0, line)
    return "\n".join(kept)


def _moves(acts: Mapping[str, State], order: WorkOrder) -> list[str]:
    return [act for act, to in acts.items() if to in ALLOWED[order.state]]


def _of_open(order: WorkOrder, agent: Agent) -> list[str]:
    found = ["take"] if order.owner != agent.staff_id else []
    found += ["assign", "priority"]
    found += ["confidential"] if not order.confidential else []
    return found + _of_supervisor(order, agent, "extend")


def _of_concluded(order: WorkOrder, agent: Agent) -> list[str]:
    found = ["visit"] if order.rating is None else []
    if order.state is State.CONCLUDED and (order.visit_due_at is None or agent.supervises):
        found.append("close")
    return found + _of_supervisor(order, agent, "" if order.reopened else "reopen")


def _of_supervisor(order: WorkOrder, agent: Agent, act: str) -> list[str]:
    if not agent.supervises:
        return []
    return [each for each in (act, "open_up" if order.confidential else "") if each]


def _line(event: Event, view: OrderView, named: Mapping[str, str]) -> LogLine:
    words = page_words()
    who = event.actor_name or named.get(event.actor_id, "") if event.by is By.STAFF else ""
    return LogLine(
        at=event.at,
        who=who or str(words["by"][event.by.value]),
        what=str(words["events"][event.kind.value]).format(**_values(event, named)),
        note=_note(event, words),
        number=event.number if event.number != view.order.number else "",
    )


def _note(event: Event, words: Mapping[str, Any]) -> str:
    """What was said, with what the change itself tells."""
    found: list[str] = []
    data = event.data
    if event.kind is ChangeKind.CONCLUDED and "finding" in data:
        found += [words["upheld"][data["upheld"]]] if data.get("upheld") else []
        found.append(str(words["concluded"]).format(finding=data["finding"], done=data["done"]))
    if "rating" in data:
        found.append(str(words["rated"]).format(rating=data["rating"], name=words["ratings"][int(data["rating"])]))
    found += [str(words["not_reached"])] if data.get("reached") == "no" else []
    return " · ".join([*found, event.note] if event.note else found)


def _values(event: Event, named: Mapping[str, str]) -> dict[str, str]:
    own = ("owner", "group", "priority", "on", "due_to", "into", "taken_in", "file", "alarm", "target")
    return {name: named.get(f"={name}", event.data.get(name, "")) for name in own}


def _named(event: Event, files: Mapping[str, str], names: Mapping[str, str], wording: DeskWording) -> dict[str, str]:
    """What is called by name in the line, under ``=`` and its key."""
    words, data = page_words(), event.data
    found: dict[str, str] = {}
    for key, kind in (("priority", "priorities"), ("on", "on"), ("alarm", "alarms"), ("target", "targets")):
        found[f"={key}"] = str(words[kind].get(data.get(key, ""), ""))
    found["=owner"] = names.get(data.get("owner", ""), str(words["nobody"]))
    found["=group"] = wording.name("groups", data.get("group", ""))
    found["=file"] = files.get(data.get("file", ""), str(words["gone_file"]))
    if "due_to" in data:
        found["=due_to"] = day_of(datetime.fromisoformat(data["due_to"]))
    return found
