"""Not understood: the last answer in plainer words."""

from __future__ import annotations

from actions.turn import Turn


class ActionSimpler(Turn):
    """Runs as ``action_simpler``."""

    intent = "simpler"
