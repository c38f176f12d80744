"""Errors by meaning. All else is a fault."""

from __future__ import annotations


class HotlineError(Exception):
    """Base of the errors this application raises on purpose."""


class TemporaryError(HotlineError):
    """Something outside did not answer; the same call may work later."""

    def __init__(self, detail: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class ConfigError(HotlineError):
    """Settings or the machine are not right. The message is one sentence for the operator."""
