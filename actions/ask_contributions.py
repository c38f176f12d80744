"""Whether contributions are coming in, and where months are missing."""

from __future__ import annotations

from actions.turn import Turn


class ActionAskContributions(Turn):
    """Runs as ``action_ask_contributions``."""

    intent = "ask_contributions"
