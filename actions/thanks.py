"""Thanks, or a yes to something that was offered."""

from __future__ import annotations

from actions.turn import Turn


class ActionThanks(Turn):
    """Runs as ``action_thanks``."""

    intent = "thanks"
