"""Addresses of the agent desk."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.desk.acting import DeskActing
from web.desk.entrance import Member
from web.desk.feed import DeskFeed
from web.desk.reading import DeskReading
from web.desk.site import DeskSite
from web.desk.telephone import DeskCalls

OF_CONVERSATION = "/desk/c/{conversation_id}"
OF_REQUEST = "/desk/requests/{handover_id}"


def desk_router(site: DeskSite, feed: DeskFeed) -> APIRouter:
    """Routes under ``/desk``. `web.citizen.assets.static_files` has to be mounted at ``/static``."""
    calls = DeskCalls(site)
    reading = DeskReading(site, calls)
    acting = DeskActing(site, reading)

    async def events(request: Request, member: Member) -> Response:
        return feed.response(request, member, at_desk=True)

    routes = APIRouter(include_in_schema=False)
    for path, handler in (
        ("/desk", reading.page),
        ("/desk/events", events),
        ("/desk/state", reading.state),
        ("/desk/mine", reading.mine),
        ("/desk/queue", reading.queue),
        (OF_CONVERSATION, reading.conversation),
        (f"{OF_CONVERSATION}/row", reading.row),
        (f"{OF_CONVERSATION}/lines", reading.lines),
        (f"{OF_CONVERSATION}/call", reading.call),
        (f"{OF_CONVERSATION}/earlier", reading.earlier),
        (f"{OF_CONVERSATION}/suggestions", reading.suggestions),
        (f"{OF_CONVERSATION}/knowledge", reading.knowledge),
        (f"{OF_CONVERSATION}/transfer", reading.transfer_form),
        (f"{OF_CONVERSATION}/wrap-up", reading.wrap_up_form),
    ):
        routes.add_route(path, site.guarded(handler), methods=["GET"])
    for path, handler in (
        ("/desk/recordings", calls.recordings),
        (f"{OF_CONVERSATION}/recording", calls.card),
        ("/desk/recordings/{call_id}.wav", calls.wav),
    ):
        routes.add_route(path, site.guarded(handler, auditor=True), methods=["GET"])
    for path, handler in (
        ("/desk/state", acting.set_state),
        ("/desk/phone", calls.give_phone),
        (f"{OF_REQUEST}/accept", acting.accept),
        (f"{OF_REQUEST}/pick", acting.pick),
        (f"{OF_REQUEST}/decline", acting.decline),
        (f"{OF_REQUEST}/wrap-up", acting.wrap_up),
        (f"{OF_CONVERSATION}/lines", acting.say),
        (f"{OF_CONVERSATION}/check", acting.check),
        (f"{OF_CONVERSATION}/typing", acting.typing),
        (f"{OF_CONVERSATION}/notes", acting.note),
        (f"{OF_CONVERSATION}/transfer", acting.transfer),
        (f"{OF_CONVERSATION}/end", acting.end),
        (f"{OF_CONVERSATION}/reveal", acting.reveal),
    ):
        routes.add_route(path, site.guarded(handler), methods=["POST"])
    return routes
