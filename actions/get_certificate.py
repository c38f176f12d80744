"""A certificate to download."""

from __future__ import annotations

from actions.turn import Turn


class ActionGetCertificate(Turn):
    """Runs as ``action_get_certificate``."""

    intent = "get_certificate"
