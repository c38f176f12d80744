"""A question is left for the editors: said so; the record is the turn itself."""

from __future__ import annotations

from actions.turn import Turn


class ActionLeaveQuestion(Turn):
    """Runs as ``action_leave_question``."""

    intent = "leave_question"
