"""The desk's pages over a desk in memory, for working on them and for the browser tests:

``uvicorn --app-dir tests/unit/web/desk --factory desk_app:create_app``
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from hotline.agent_desk import DeskRefused, Refusal
from hotline.domain.desk import Agent, AgentState
from hotline.domain.staff import Role, Staff
from hotline.errors import TemporaryError
from knowledge_base.model import Centre
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.call_doors import CallDoors
from web.citizen.assets import static_files
from web.desk.calls import Telephone
from web.desk.entrance import CSRF_HEADER, Member, Names
from web.desk.feed import DeskFeed
from web.desk.routes import desk_router
from web.desk.site import DeskSite
from web.supervisor.routes import supervisor_router

CENTRE = Centre(code="guangzhou", name="广州住房公积金管理中心", city="广州", sms_signature="广州公积金")
TOKEN = "token-of-this-session"
AUDITOR = Staff(id="shen", name="shen", display_name="沈审计", work_no="9001", roles=frozenset({Role.AUDITOR}))


async def _always() -> bool:
    return True


class FakeEntrance:
    """Whoever the cookie ``staff`` names is signed in."""

    def __init__(self, desk: FakeDesk) -> None:
        self._desk = desk

    async def admit(self, request: Request, *, supervisor: bool, auditor: bool = False) -> Member | Response:
        staff_id = request.cookies.get("staff", "")
        if staff_id == AUDITOR.id and auditor:
            return Member(agent=AUDITOR.agent(), csrf=TOKEN, page={}, still_in=_always, staff=AUDITOR)
        if staff_id not in self._desk.presences:
            is_page = request.url.path in ("/desk", "/supervisor")
            return RedirectResponse("/staff/sign-in", 303) if is_page else JSONResponse({"message": ""}, 401)
        agent = self._desk.agent(staff_id)
        if supervisor and not agent.supervises:
            return JSONResponse({"code": "not_allowed", "message": "您没有这个权限。"}, 403)
        if request.method == "POST" and request.headers.get(CSRF_HEADER) != TOKEN:
            return JSONResponse({"code": "csrf", "message": "请刷新页面后再试。"}, 403)
        return Member(agent=agent, csrf=TOKEN, page={}, still_in=_always, staff=staff_of(agent))


def staff_of(agent: Agent) -> Staff:
    """An agent as the sign-in knows him."""
    roles = {Role.AGENT} | ({Role.SUPERVISOR} if agent.supervises else set())
    return Staff(
        id=agent.staff_id,
        name=agent.staff_id,
        display_name=agent.display_name,
        work_no=agent.work_no,
        roles=frozenset(roles),
        extension=agent.extension,
    )


def names_of(desk: FakeDesk) -> Names:
    async def names() -> Mapping[str, tuple[str, str]]:
        agents = (each.agent for each in desk.presences.values())
        return {each.staff_id: (each.work_no, each.display_name) for each in agents}

    return names


def build(desk: FakeDesk, telephone: Telephone | None = None) -> FastAPI:
    """The pages over ``desk``."""
    app = FastAPI(openapi_url=None)
    entrance = FakeEntrance(desk)
    site = DeskSite(desk, entrance, centre=CENTRE, names=names_of(desk), clock=desk.clock, telephone=telephone)
    feed = DeskFeed(desk, desk.clock)
    app.include_router(desk_router(site, feed))
    app.include_router(supervisor_router(site, feed))
    app.mount("/static", static_files())
    return app


def create_app() -> FastAPI:
    """With doors for tests to play the citizens: ``POST /fake/ACT`` with its parameters in the query."""
    desk = FakeDesk()
    lines = CallDoors(desk)
    app = build(desk, lines.telephone())
    lines.open(app)

    @app.post("/fake/{act}")
    async def play(act: str, request: Request) -> Response:
        given = dict(request.query_params)
        if act == "say":
            await desk.citizen_says(given["conversation"], given["text"])
        elif act == "offer":
            await desk.offer(given["conversation"], given["staff"], for_s=float(given.get("for_s", "20")))
        elif act == "tell":
            on = given.pop("on", "")
            kind, conversation, staff = given.pop("kind"), given.pop("conversation", ""), given.pop("staff", "")
            await desk.tell(kind, conversation, staff_id=staff, **given, on=on == "1")
        elif act == "refuse":
            refusal = given["refusal"]
            error = TemporaryError("away") if refusal == "away" else DeskRefused(Refusal(refusal))
            desk.refuse[given["what"]] = error
        elif act == "lose":
            await desk.lose_streams()
        elif act == "state":
            await desk.set_state(given["staff"], AgentState(given["state"]))
        elif act == "reset":
            desk.reset()
            lines.reset()
        return Response(status_code=204)

    @app.get("/fake/asked")
    async def asked() -> Response:
        return JSONResponse([[what, str(given)] for what, given in desk.asked])

    return app
