"""Where an application of the citizen's is."""

from __future__ import annotations

from actions.turn import Turn


class ActionAskProgress(Turn):
    """Runs as ``action_ask_progress``."""

    intent = "ask_progress"
