"""Lets agents and supervisors in at the desk: `web.desk.entrance.Entrance` by the staff's sign-in."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from hotline.domain.staff import Role
from web.desk.entrance import Member
from web.staff.site import StaffSite


class StaffEntrance:
    """Implements `web.desk.entrance.Entrance`."""

    def __init__(self, site: StaffSite) -> None:
        self._site = site

    async def admit(self, request: Request, *, supervisor: bool, auditor: bool = False) -> Member | Response:
        roles = (Role.SUPERVISOR,) if supervisor else (Role.AGENT, Role.SUPERVISOR)
        here = await self._site.admit(request, *roles, *((Role.AUDITOR,) if auditor else ()))
        if isinstance(here, Response):
            return here

        async def still_in() -> bool:
            return await self._site.here(request) is not None

        return Member(agent=here.staff.agent(), csrf=here.csrf, page={}, still_in=still_in, staff=here.staff)
