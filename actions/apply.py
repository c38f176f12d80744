"""An application is filled in and filed."""

from __future__ import annotations

from actions.turn import Turn


class ActionApply(Turn):
    """Runs as ``action_apply``."""

    intent = "apply"
