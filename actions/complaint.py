"""About the centre's own service: a person gets it."""

from __future__ import annotations

from actions.turn import Turn


class ActionComplaint(Turn):
    """Runs as ``action_complaint``."""

    intent = "complaint"
