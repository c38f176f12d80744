"""Logs without personal data: JSON lines, events by dotted name, keys by allow-list."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_KEYS = frozenset(
    "event level timestamp logger exc_info exception stack_info process channel conversation_id inbox_id delivery_id "
    "skill intent outcome matter aspect degraded duration_ms ms attempts reason status failures problems "
    "call by phase retryable error count version port url_path owner owner_version kind path setting state".split()
)
"""Any other key is dropped: text, names, numbers and addresses have no way into a log."""


def keep_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keys that are not on the list are named, their values are not."""
    dropped = [key for key in event if key not in ALLOWED_KEYS]
    for key in dropped:
        del event[key]
    if dropped:
        event["reason"] = f"{event.get('reason', '')} dropped keys: {','.join(sorted(dropped))}".strip()
    return event


def configure_logging(level: str, process: str) -> None:
    """From now on structlog and the standard library write JSON lines to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        keep_allowed,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # httpx logs whole request addresses at INFO; WeChat's carry the access token.
    for name in ("httpx", "httpcore", "twilio", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
