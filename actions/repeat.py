"""The last answer once more."""

from __future__ import annotations

from actions.turn import Turn


class ActionRepeat(Turn):
    """Runs as ``action_repeat``."""

    intent = "repeat"
