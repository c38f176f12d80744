"""The session's secret in the browser."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from starlette.responses import Response

from hotline.services.staff.sign_in import Browser, Opened


class StaffCookies:
    """``__Host-`` where the site is https: no other host and no path can plant one."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self.name = "__Host-staff" if secure else "staff"

    def read(self, request: Request) -> str:
        return request.cookies.get(self.name, "")

    def write(self, response: Response, opened: Opened, *, now: datetime) -> None:
        response.set_cookie(
            self.name,
            opened.token,
            max_age=max(1, int((opened.ends_at - now).total_seconds())),
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._secure,
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(self.name, path="/", httponly=True, samesite="lax", secure=self._secure)


def browser_of(request: Request) -> Browser:
    """Where the request comes from."""
    address = request.client.host if request.client else ""
    return Browser(address=address, name=request.headers.get("user-agent", "")[:200])
