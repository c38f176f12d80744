"""Evidence files on their way in and out. A file is the body of its request, its name a header: no form has to be taken
apart, nothing is kept in memory, and no name gets into an access log."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from hotline.domain.work_orders import OrderRefused, Refusal
from web.desk.entrance import Member
from web.desk.forms import BadForm, number
from web.work_orders.site import OrderSite, actor

NAME_HEADER: Final = "X-File-Name"
LONGEST_NAME: Final = 2000
"""Characters of the name as it is sent, percent-encoded."""


class OrderFiles:
    """Handlers."""

    def __init__(self, site: OrderSite) -> None:
        self._site = site
        self._evidence = site.needs.evidence

    async def add(self, request: Request, member: Member) -> Response:
        """The file belongs to the order; the same content again is the same file."""
        declared = number(request.headers.get("content-length"))
        if declared is not None and declared > self._site.needs.most_bytes:
            raise OrderRefused(Refusal.FILE_SIZE)  # before a byte of it is read
        name = unquote(request.headers.get(NAME_HEADER, "")[:LONGEST_NAME])
        try:
            file = await self._evidence.add(request.path_params["number"], name, request.stream(), by=actor(member))
        except ClientDisconnect as gone:
            raise BadForm("unreadable") from gone
        return self._site.desk.data({"file": file.id, "name": file.name})

    async def read(self, request: Request, member: Member) -> Response:
        """The file as a download that no browser runs."""
        file_id = number(request.path_params["file_id"])
        if file_id is None:
            raise OrderRefused(Refusal.NOT_FOUND)
        served = await self._evidence.read(request.path_params["number"], file_id, by=actor(member))
        return StreamingResponse(served.content, headers=dict(served.headers))
