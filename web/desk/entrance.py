"""Who may come in: what the desk's pages need of the staff's sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request
from starlette.responses import Response

from hotline.domain.desk import Agent
from hotline.domain.staff import Role, Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody at the desk. ``csrf``: what the scripts of his pages send with everything they change, as header
    `CSRF_HEADER`. ``page``: what the staff's base template wants to know. ``still_in``: whether he may go on, which
    counts as use of his session. ``staff``: as the sign-in knows him; None where nothing needs it."""

    agent: Agent
    csrf: str
    page: Mapping[str, object]
    still_in: Callable[[], Awaitable[bool]]
    staff: Staff | None = None

    @property
    def is_at_desk(self) -> bool:
        """He may do more than hear recordings."""
        return self.staff is None or bool(self.staff.roles & {Role.AGENT, Role.SUPERVISOR})

    @property
    def audits(self) -> bool:
        """He may hear recordings of every call."""
        return self.staff is not None and Role.AUDITOR in self.staff.roles


CSRF_HEADER = "X-CSRF-Token"
Names = Callable[[], Awaitable[Mapping[str, tuple[str, str]]]]
"""Tells the work number and the name of every member of staff by staff id, whether he is there or not."""


class Entrance(Protocol):
    """Lets agents and supervisors in, and auditors where ``auditor`` says so."""

    async def admit(self, request: Request, *, supervisor: bool, auditor: bool = False) -> Member | Response:
        """Who asks, or what he gets instead: the way to the sign-in for a page (303), 401 for anything else, 403 for
        the wrong role or a change without the right token."""
        ...
