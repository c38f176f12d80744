"""The citizen is done; on the telephone the call ends after it."""

from __future__ import annotations

from actions.turn import Turn


class ActionGoodbye(Turn):
    """Runs as ``action_goodbye``."""

    intent = "goodbye"
