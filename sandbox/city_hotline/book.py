"""What the city hotline knows: the orders it gave away, and what it was told of them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Json = dict[str, Any]
Mode = Literal["slow", "error", "lost", "none"]


@dataclass(slots=True)
class Order:
    """An order that was delivered. ``receipt`` is what the gateway answered last."""

    city_id: str
    body: Json
    receipt: Json = field(default_factory=dict)
    status: int = 0
    updates: dict[int, Json] = field(default_factory=dict)
    """By sequence: the same one again is the same news."""

    @property
    def state(self) -> str:
        """As of the newest news."""
        if self.updates:
            return str(self.updates[max(self.updates)]["state"])
        return str(self.receipt.get("state", ""))

    @property
    def number(self) -> str:
        return str(self.receipt.get("number", ""))

    @property
    def conclusion(self) -> Json:
        told = [update["conclusion"] for _, update in sorted(self.updates.items()) if update.get("conclusion")]
        return told[-1] if told else {}


@dataclass(slots=True)
class Fault:
    """What the next ``times`` updates meet; 0: all until it is lifted."""

    mode: Mode = "none"
    seconds: float = 0.0
    times: int = 0


class Book:
    """Orders by their own id, and the planned fault. With a ``file`` the orders outlive the process."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.orders = _read(file) if file and file.exists() else {}
        self.received = 0
        """Requests that came in with a right signature, repeated ones included."""
        self._fault = Fault()
        self._next = 1

    def plan(self, fault: Fault) -> None:
        self._fault = fault

    def take_fault(self) -> Fault:
        """The fault this request meets, counted as one of its times."""
        fault = self._fault
        if fault.times:
            left = fault.times - 1
            self._fault = Fault(mode=fault.mode, seconds=fault.seconds, times=left) if left else Fault()
        return fault

    def new_id(self) -> str:
        """An id nobody has had."""
        while f"12345-{self._next:06d}" in self.orders:
            self._next += 1
        return f"12345-{self._next:06d}"

    def tell(self, city_id: str, sequence: int, update: Json) -> int:
        """The update is kept; the HTTP status it is answered with."""
        order = self.orders.get(city_id)
        if order is None:
            return 404
        known = order.updates.setdefault(sequence, update)
        self.save()
        return 200 if known == update else 409

    def save(self) -> None:
        """The file holds every order as it is now."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps([asdict(order) for order in self.orders.values()], ensure_ascii=False))
        draft.replace(self._file)


def _read(file: Path) -> dict[str, Order]:
    kept = [Order(**order) for order in json.loads(file.read_text())]
    for order in kept:
        order.updates = {int(sequence): update for sequence, update in order.updates.items()}
    return {order.city_id: order for order in kept}


async def hold(fault: Fault) -> None:
    """Time passes, as the fault has it."""
    if fault.mode in ("slow", "lost"):
        await asyncio.sleep(fault.seconds)
