"""Whether the citizen fulfils the conditions of a business, one by one."""

from __future__ import annotations

from actions.turn import Turn


class ActionMayI(Turn):
    """Runs as ``action_may_i``."""

    intent = "may_i"
