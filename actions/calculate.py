"""Sums: what can be borrowed, what it costs a month, what prepaying saves, what rent allows."""

from __future__ import annotations

from actions.turn import Turn


class ActionCalculate(Turn):
    """Runs as ``action_calculate``."""

    intent = "calculate"
