"""More of the same matter: the next thing that was not said yet."""

from __future__ import annotations

from actions.turn import Turn


class ActionMore(Turn):
    """Runs as ``action_more``."""

    intent = "more"
