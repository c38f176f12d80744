"""The citizen wants to prove who he is."""

from __future__ import annotations

from actions.turn import Turn


class ActionBind(Turn):
    """Runs as ``action_bind``."""

    intent = "bind"
