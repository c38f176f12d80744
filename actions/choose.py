"""One of the things just offered, by number."""

from __future__ import annotations

from actions.turn import Turn


class ActionChoose(Turn):
    """Runs as ``action_choose``."""

    intent = "choose"
