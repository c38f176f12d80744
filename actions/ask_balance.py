"""How much is in the citizen's accounts."""

from __future__ import annotations

from actions.turn import Turn


class ActionAskBalance(Turn):
    """Runs as ``action_ask_balance``."""

    intent = "ask_balance"
