"""Not the fund's business: who is responsible, where an entry knows."""

from __future__ import annotations

from actions.turn import Turn


class ActionOutOfScope(Turn):
    """Runs as ``action_out_of_scope``."""

    intent = "out_of_scope"
