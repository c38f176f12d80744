"""Nothing that can be understood: asked again kindly, then a person is offered."""

from __future__ import annotations

from actions.turn import Turn


class ActionFallback(Turn):
    """Runs as ``action_fallback``."""

    intent = "fallback"
