"""A question about the fund: answered, asked back, or not understood."""

from __future__ import annotations

from actions.turn import Turn


class ActionAskKnowledge(Turn):
    """Runs as ``action_ask_knowledge``."""

    intent = "ask_knowledge"
