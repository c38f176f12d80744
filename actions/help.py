"""What can be asked here."""

from __future__ import annotations

from actions.turn import Turn


class ActionHelp(Turn):
    """Runs as ``action_help``."""

    intent = "help"
