"""Who may come in: what the desk's pages need of the staff's sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request
from starlette.responses import Response

from hotline.domain.desk import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody at the desk. ``csrf``: what the scripts of his pages send with everything they change, as header
    `CSRF_HEADER`. ``page``: what the staff's base template wants to know. ``still_in``: whether he may go on, which
    counts as use of his session."""

    agent: Agent
    csrf: str
    page: Mapping[str, object]
    still_in: Callable[[], Awaitable[bool]]


CSRF_HEADER = "X-CSRF-Token"
Names = Callable[[], Awaitable[Mapping[str, tuple[str, str]]]]
"""Tells the work number and the name of every member of staff by staff id, whether he is there or not."""


class Entrance(Protocol):
    """Lets agents and supervisors in."""

    async def admit(self, request: Request, *, supervisor: bool) -> Member | Response:
        """Who asks, or what he gets instead: the way to the sign-in for a page (303), 401 for anything else, 403 for
        the wrong role or a change without the right token."""
        ...
