"""What came into the citizen's accounts and went out."""

from __future__ import annotations

from actions.turn import Turn


class ActionAskLedger(Turn):
    """Runs as ``action_ask_ledger``."""

    intent = "ask_ledger"
