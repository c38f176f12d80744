"""What every phone shows: lines as they come, who follows, and how much the account may still push."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

MESSAGE_WINDOW = (5, 48 * 3600.0)
EVENT_WINDOW = (3, 60.0)
TYPING_S = 15.0
NO_WINDOW, USED_UP = 45015, 45047


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chat. ``author``: citizen, account or system. ``via``: passive or pushed, for account lines."""

    seq: int
    author: str
    text: str
    at: float
    kind: str = "text"
    via: str = ""


@dataclass(slots=True)
class Window:
    """A right to push that one act of the citizen opened."""

    left: int
    ends_at: float


@dataclass(slots=True)
class Chat:
    """One citizen's chat with the account."""

    openid: str
    name: str
    clock: Callable[[], float]
    follows: bool = False
    lines: list[Line] = field(default_factory=list)
    windows: dict[str, Window] = field(default_factory=dict)
    typing_until: float = 0.0
    _watchers: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)

    def add(self, author: str, text: str, *, kind: str = "text", via: str = "") -> Line:
        """The line is in the chat and on every open phone. A line of the account ends its typing state."""
        line = Line(seq=len(self.lines) + 1, author=author, text=text, at=self.clock(), kind=kind, via=via)
        self.lines.append(line)
        if author == "account" and self.typing_until:
            self.show_typing(on=False)
        self._publish({"event": "line", **asdict(line)})
        return line

    def set_follows(self, follows: bool) -> None:
        self.follows = follows
        self._publish(self.state())

    def show_typing(self, *, on: bool) -> None:
        self.typing_until = self.clock() + TYPING_S if on else 0.0
        self._publish({"event": "typing", "on": on, "seconds": TYPING_S})

    def open_window(self, kind: str) -> None:
        """``kind``: message or event. The window is full again; windows do not add up."""
        left, seconds = MESSAGE_WINDOW if kind == "message" else EVENT_WINDOW
        self.windows[kind] = Window(left, self.clock() + seconds)
        self._publish(self.state())

    def take(self) -> int:
        """Counts one pushed message. 0, or the errcode that refuses it."""
        live = [window for window in self.windows.values() if self.clock() < window.ends_at]
        usable = sorted((window for window in live if window.left), key=lambda window: window.ends_at)
        if not usable:
            return USED_UP if live else NO_WINDOW
        usable[0].left -= 1
        self._publish(self.state())
        return 0

    def state(self) -> dict[str, Any]:
        """What the phone shows beside the lines."""
        live = [window for window in self.windows.values() if self.clock() < window.ends_at]
        return {"event": "state", "follows": self.follows, "pushes_left": sum(window.left for window in live)}

    def restart(self) -> None:
        """Open phones learn that this chat is over."""
        self._publish({"event": "restart"})

    @contextmanager
    def watching(self, *, after: int) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """Gets the state, the lines after ``after``, and then everything that happens."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for event in (self.state(), *({"event": "line", **asdict(line)} for line in self.lines[after:])):
            queue.put_nowait(event)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    @property
    def watchers(self) -> int:
        """How many phones show this chat."""
        return len(self._watchers)

    def _publish(self, event: dict[str, Any]) -> None:
        for queue in self._watchers:
            queue.put_nowait(event)
