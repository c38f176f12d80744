"""The citizen has just proven who he is: what waited for it goes on."""

from __future__ import annotations

from actions.turn import Turn


class ActionProve(Turn):
    """Runs as ``action_prove``."""

    intent = "prove"
