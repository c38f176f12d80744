"""Addresses of work orders."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.desk.entrance import Member
from web.desk.feed import DeskFeed
from web.work_orders.acting import OrderActing
from web.work_orders.asked import LIST
from web.work_orders.files import OrderFiles
from web.work_orders.reading import OrderReading
from web.work_orders.site import OrderSite

OF_ORDER = f"{LIST}/{{number}}"


def order_router(site: OrderSite, feed: DeskFeed) -> APIRouter:
    """Routes under ``/work-orders``. `web.citizen.assets.static_files` has to be mounted at ``/static``."""
    reading, acting, files = OrderReading(site), OrderActing(site), OrderFiles(site)

    async def events(request: Request, member: Member) -> Response:
        """Who looks at orders is not thereby at the desk."""
        return feed.response(request, member, at_desk=False)

    routes = APIRouter(include_in_schema=False)
    for path, handler in (
        (LIST, reading.page),
        (f"{LIST}/new", reading.new),
        (f"{LIST}/events", events),
        (f"{LIST}/other", reading.other),
        (f"{LIST}/beside/{{conversation_id}}", reading.beside),
        (OF_ORDER, reading.order),
        (f"{OF_ORDER}/body", reading.body),
        (f"{OF_ORDER}/forms/{{act}}", reading.dialog),
        (f"{OF_ORDER}/files/{{file_id}}", files.read),
    ):
        routes.add_route(path, site.guarded(handler), methods=["GET"])
    for path, handler in (
        (LIST, acting.open),
        (f"{OF_ORDER}/notes", acting.note),
        (f"{OF_ORDER}/files", files.add),
        (f"{OF_ORDER}/accept", acting.accept),
        (f"{OF_ORDER}/start", acting.start),
        (f"{OF_ORDER}/wait", acting.wait),
        (f"{OF_ORDER}/conclude", acting.conclude),
        (f"{OF_ORDER}/visit", acting.visit),
        (f"{OF_ORDER}/close", acting.close),
        (f"{OF_ORDER}/take", acting.take),
        (f"{OF_ORDER}/assign", acting.assign),
        (f"{OF_ORDER}/priority", acting.priority),
        (f"{OF_ORDER}/confidential", acting.confidential),
        (f"{OF_ORDER}/open_up", acting.open_up),
        (f"{OF_ORDER}/extend", acting.extend),
        (f"{OF_ORDER}/merge", acting.merge),
        (f"{OF_ORDER}/reopen", acting.reopen),
        (f"{OF_ORDER}/reject", acting.reject),
        (f"{OF_ORDER}/cancel", acting.cancel),
        (f"{OF_ORDER}/reveal", acting.reveal),
    ):
        routes.add_route(path, site.guarded(handler), methods=["POST"])
    return routes
