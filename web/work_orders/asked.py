"""Which orders a list's address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode

from hotline.domain.desk import Group
from hotline.domain.work_orders import OPEN, Actor, OrderType, State
from hotline.work_order_store import OrderFilter
from web.desk.forms import number

LIST: Final = "/work-orders"
LONGEST_TEXT: Final = 60
WHOLE: Final = ("open", "visits", "all")
"""States of the filter that stand for several or for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filter as the page shows it. What is unknown in an address narrows nothing."""

    state: str = "open"
    type: str = ""
    owner: str = "all"
    group: str = ""
    overdue: bool = False
    text: str = ""
    before: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        return cls(
            state=_one_of((*WHOLE, *State), query.get("state", ""), "open"),
            type=_one_of(tuple(OrderType), query.get("type", ""), ""),
            owner=_one_of(("mine", "nobody"), query.get("owner", ""), "all"),
            group=_one_of(tuple(Group), query.get("group", ""), ""),
            overdue=query.get("overdue", "") == "1",
            text=query.get("q", "").strip()[:LONGEST_TEXT],
            before=number(query.get("before")),
        )

    def filter(self, viewer: Actor) -> OrderFilter:
        return OrderFilter(
            viewer=viewer,
            states=_states(self.state),
            type=OrderType(self.type) if self.type else None,
            group=Group(self.group) if self.group else None,
            owner={"mine": viewer.id, "nobody": ""}.get(self.owner),
            overdue=self.overdue,
            visits=self.state == "visits",
            text=self.text,
        )

    def link(self, **changes: Any) -> str:
        """The address of the same list with ``changes``, from its beginning."""
        wanted = replace(self, **{"before": None, **changes})
        fields = {
            "state": wanted.state if wanted.state != "open" else "",
            "type": wanted.type,
            "owner": wanted.owner if wanted.owner != "all" else "",
            "group": wanted.group,
            "overdue": "1" if wanted.overdue else "",
            "q": wanted.text,
            "before": str(wanted.before or ""),
        }
        told = urlencode({name: value for name, value in fields.items() if value})
        return f"{LIST}?{told}" if told else LIST


def _states(state: str) -> frozenset[State]:
    if state == "open":
        return OPEN
    return frozenset() if state in WHOLE else frozenset({State(state)})


def _one_of(known: tuple[str | StrEnum, ...], value: str, otherwise: str) -> str:
    return value if value in known else otherwise
