"""This channel is to forget who the citizen is."""

from __future__ import annotations

from actions.turn import Turn


class ActionUnbind(Turn):
    """Runs as ``action_unbind``."""

    intent = "unbind"
