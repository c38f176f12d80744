"""The last answer was wrong: the next best is offered, then a person."""

from __future__ import annotations

from actions.turn import Turn


class ActionWrong(Turn):
    """Runs as ``action_wrong``."""

    intent = "wrong"
