"""The conversation starts, or somebody says hello: who answers here, and what most people ask about."""

from __future__ import annotations

from actions.turn import Turn


class ActionGreet(Turn):
    """Runs as ``action_greet``."""

    intent = "greet"
