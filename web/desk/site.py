"""What all handlers of the desk share: who asks, the templates, and how a refusal is told."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, Response

from hotline.agent_desk import AgentDesk, DeskRefused, Refusal
from hotline.domain.clock import utc_now
from hotline.errors import TemporaryError
from knowledge_base.model import Centre
from web.citizen.guard import DATA_HEADERS
from web.desk import showing
from web.desk.calls import Telephone
from web.desk.entrance import Entrance, Member, Names
from web.desk.forms import BadForm
from web.desk.headers import page_headers
from web.desk.icons import icon
from web.desk.wording import DeskWording, desk_wording

WEB = Path(__file__).resolve().parent.parent
TEMPLATES = tuple(WEB / folder / "templates" for folder in ("desk", "supervisor", "work_orders"))
STATUS: Mapping[Refusal, int] = {
    Refusal.NOT_YOURS: 409,
    Refusal.GONE: 410,
    Refusal.WINDOW_CLOSED: 409,
    Refusal.NOT_ALLOWED: 403,
}
"""Everything else is 422: what was sent has to be changed."""
NAMES_KEPT_S: Final = 20.0

Handler = Callable[[Request, Member], Awaitable[Response]]


class DeskSite:
    """One for the desk and the supervisor's pages."""

    def __init__(
        self,
        desk: AgentDesk,
        entrance: Entrance,
        *,
        centre: Centre,
        names: Names,
        clock: Callable[[], datetime] = utc_now,
        telephone: Telephone | None = None,
    ) -> None:
        self.desk = desk
        self.telephone = telephone
        self.centre = centre
        self.clock = clock
        self.wording: DeskWording = desk_wording()
        self._entrance = entrance
        self._names = names
        self._known: Mapping[str, str] = {}
        self._read_again_at = 0.0
        self._templates = _environment(self.wording, clock)

    def guarded(
        self, handler: Handler, *, supervisor: bool = False, auditor: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler for members of staff alone, with every refusal as an answer the page's script can show."""

        async def guard(request: Request) -> Response:
            member = await self._entrance.admit(request, supervisor=supervisor, auditor=auditor)
            if isinstance(member, Response):
                return member
            try:
                return await handler(request, member)
            except DeskRefused as refused:
                return self.refusal(refused)
            except BadForm as bad:
                return self.problem(str(bad), 413 if str(bad) == "too_large" else 422)
            except TemporaryError as error:
                return self.problem("busy", 503, headers={"Retry-After": str(max(1, round(error.retry_after_s)))})

        return guard

    async def showing(self) -> showing.Showing:
        return showing.Showing(self.wording, dict(await self.desk.wrap_reasons()))

    async def names(self) -> Mapping[str, str]:
        """Members of staff by staff id, as colleagues call each other; as they were at most `NAMES_KEPT_S` ago."""
        if time.monotonic() >= self._read_again_at:
            pattern: str = self.wording.words["agent_name"]
            known = await self._names()
            self._known = {each: pattern.format(work_no=no, name=name) for each, (no, name) in known.items()}
            self._read_again_at = time.monotonic() + NAMES_KEPT_S
        return self._known

    def page(self, name: str, member: Member, *, phone_url: str = "", **values: Any) -> HTMLResponse:
        """A whole page. ``phone_url``: where its browser phone registers."""
        given = {
            **member.page,
            "csrf_token": member.csrf,
            "agent": member.agent,
            "audits": member.audits,
            "is_at_desk": member.is_at_desk,
            "has_calls": self.telephone is not None,
            "centre": self.centre,
            **values,
        }
        return HTMLResponse(self.html(name, **given), headers=page_headers(phone_url))

    def fragment(self, name: str, **values: Any) -> HTMLResponse:
        """Part of a page."""
        return HTMLResponse(self.html(name, **values), headers=dict(DATA_HEADERS))

    def html(self, name: str, **values: Any) -> str:
        return self._templates.get_template(name).render(now=self.clock(), **values)

    def data(self, value: Mapping[str, Any], status: int = 200) -> JSONResponse:
        return JSONResponse(value, status, headers=dict(DATA_HEADERS))

    def refusal(self, refused: DeskRefused, **more: Any) -> JSONResponse:
        told = {
            "code": refused.refusal.value,
            "message": self.wording.refusal(refused),
            "found": self.wording.found(refused.found),
        }
        return self.data(told | more, STATUS.get(refused.refusal, 422))

    def problem(self, code: str, status: int = 422, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
        response = self.data({"code": code, "message": self.wording.problem(code)}, status)
        response.headers.update(headers or {})
        return response

    def done(self, event: str = "", **detail: Any) -> Response:
        """It is done, and there is nothing to show; ``event`` is what the page's script is told."""
        headers = dict(DATA_HEADERS)
        if event:
            headers["HX-Trigger"] = json.dumps({event: detail})  # ASCII, as headers are
        return Response(status_code=204, headers=headers)


def _environment(wording: DeskWording, clock: Callable[[], datetime]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([*TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": showing.shown,
        "clock": showing.clock,
        "clock_s": showing.clock_s,
        "minutes": showing.minutes,
        "day": lambda moment: showing.day(moment, now=clock(), wording=wording),
        "iso": lambda moment: moment.isoformat(),
        "name": lambda code, kind: wording.name(kind, code),
    }
    environment.globals |= {
        "icon": icon,
        "t": wording.words,
        "amber_s": showing.AMBER_S,
        "red_s": showing.RED_S,
    }
    return environment
