"""A person is wanted. The gateway decides who holds the conversation."""

from __future__ import annotations

from actions.turn import Turn


class ActionHumanRequest(Turn):
    """Runs as ``action_human_request``."""

    intent = "human_request"
