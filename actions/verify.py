"""It is now known what became of an application whose filing was in doubt."""

from __future__ import annotations

from actions.turn import Turn


class ActionVerify(Turn):
    """Runs as ``action_verify``."""

    intent = "verify"
