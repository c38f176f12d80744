"""The live wall, and looking on in conversations."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from hotline.domain.desk import AgentState, Presence
from web.desk.entrance import Member
from web.desk.feed import DeskFeed
from web.desk.forms import read_form
from web.desk.reading import DeskReading
from web.desk.site import DeskSite
from web.desk.telephone import DeskCalls
from web.supervisor.hotline import TodaysCalls

LIVE_SHOWN: Final = 200
WAITING_SHOWN: Final = 30
LONGEST_ID: Final = 64
ORDER: Final = (AgentState.READY, AgentState.BUSY, AgentState.WRAP_UP, AgentState.BREAK, AgentState.OFFLINE)
OF_CONVERSATION = "/supervisor/c/{conversation_id}"


def supervisor_router(site: DeskSite, feed: DeskFeed) -> APIRouter:
    """Routes under ``/supervisor``; a monitored conversation's fragments are the desk's own."""
    wall = _SupervisorWall(site, feed)
    routes = APIRouter(include_in_schema=False)
    for method, path, handler in (
        ("GET", "/supervisor", wall.page),
        ("GET", "/supervisor/wall", wall.wall),
        ("GET", "/supervisor/events", wall.events),
        ("GET", OF_CONVERSATION, wall.monitor),
        ("POST", f"{OF_CONVERSATION}/take-over", wall.take_over),
        ("POST", f"{OF_CONVERSATION}/whisper", wall.whisper),
    ):
        routes.add_route(path, site.guarded(handler, supervisor=True), methods=[method])
    return routes


class _SupervisorWall:
    """Handlers for supervisors alone."""

    def __init__(self, site: DeskSite, feed: DeskFeed) -> None:
        self._site = site
        self._desk = site.desk
        self._feed = feed
        self._reading = DeskReading(site, DeskCalls(site))
        self._todays_calls = TodaysCalls(site)

    async def page(self, request: Request, member: Member) -> Response:
        script = {**self._site.wording.words["script"], "staff": member.agent.staff_id}
        return self._site.page("supervisor/supervisor.html", member, script=script, **await self._values())

    async def wall(self, request: Request, member: Member) -> Response:
        return self._site.fragment("supervisor/wall.html", **await self._values())

    async def events(self, request: Request, member: Member) -> Response:
        """``watch``: the conversation that is looked on in; the stream is not that of somebody at the desk."""
        watching = request.query_params.get("watch", "")[:LONGEST_ID]
        return self._feed.response(request, member, at_desk=False, watching=watching)

    async def monitor(self, request: Request, member: Member) -> Response:
        """The conversation as its agent sees it, to read only."""
        found = await self._reading.allowed(request, member)
        view = await self._desk.view(found.id, staff_id=member.agent.staff_id)
        return self._site.fragment("supervisor/monitor.html", **await self._reading.viewed(view, member))

    async def take_over(self, request: Request, member: Member) -> Response:
        taken = await self._desk.take_over(request.path_params["conversation_id"], agent=member.agent)
        return self._site.data({"conversation": taken.id})

    async def whisper(self, request: Request, member: Member) -> Response:
        text = (await read_form(request)).get("text", "")
        conversation_id = request.path_params["conversation_id"]
        note = await self._desk.whisper(conversation_id, agent=member.agent, text=text)
        return self._site.done("desk:whispered", conversation=conversation_id, note=note.id)

    async def _values(self) -> dict[str, Any]:
        wall = await self._desk.wall()
        show = await self._site.showing()
        live = show.rows(await self._desk.live(limit=LIVE_SHOWN))
        return {
            "wall": wall,
            "hotline": await self._todays_calls.today(),
            "waiting": show.rows(wall.waiting[:WAITING_SHOWN]),
            "agents": [
                (each, show.load(each), [row for row in live if row.holder == each.agent.staff_id])
                for each in sorted(wall.agents, key=_place)
            ],
            "states": [(state, sum(each.state is state for each in wall.agents)) for state in ORDER],
            "with_bot": [row for row in live if row.kind == "bot"],
            "oldest_at": min((row.queued_at for row in show.rows(wall.waiting) if row.queued_at), default=None),
            "service_level_percent": None if wall.service_level is None else round(100 * wall.service_level),
        }


def _place(each: Presence) -> tuple[int, str]:
    return ORDER.index(each.state), each.agent.work_no
