"""An application is taken back."""

from __future__ import annotations

from actions.turn import Turn


class ActionCancelApplication(Turn):
    """Runs as ``action_cancel_application``."""

    intent = "cancel_application"
