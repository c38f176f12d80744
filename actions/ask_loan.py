"""The citizen's fund loan: what is owed, what is due, at which rate."""

from __future__ import annotations

from actions.turn import Turn


class ActionAskLoan(Turn):
    """Runs as ``action_ask_loan``."""

    intent = "ask_loan"
