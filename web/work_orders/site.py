"""What the handlers of work orders share: services, who asks, and how a refusal is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from hotline.agent_desk import DeskRefused
from hotline.desk_store import DeskConversation
from hotline.domain.desk import Agent
from hotline.domain.identity import Contact
from hotline.domain.work_orders import Actor, By, OrderRefused, Refusal
from hotline.identity_store import Bound
from hotline.services.desk.customers import shown_address
from hotline.services.work_orders.desk import WorkOrderDesk
from hotline.services.work_orders.evidence import EvidenceDesk
from web.citizen.guard import PAGE_HEADERS
from web.desk import showing as desk_showing
from web.desk.entrance import Member
from web.desk.site import STATUS as DESK_STATUS
from web.desk.site import DeskSite, Handler
from web.work_orders import showing
from web.work_orders.wording import page_words, refused_words

STATUS: Final[Mapping[Refusal, int]] = {
    Refusal.NOT_FOUND: 404,
    Refusal.NOT_ALLOWED: 403,
    Refusal.CHANGED: 409,
    Refusal.WRONG_STATE: 409,
    Refusal.KEY_REUSED: 409,
    Refusal.VISIT_OPEN: 409,
    Refusal.REOPENED_BEFORE: 409,
    Refusal.NOT_MERGEABLE: 409,
    Refusal.FILE_SIZE: 413,
    Refusal.FILE_COUNT: 409,
}
"""Everything else is 422: what was sent has to be changed."""

FILTERED: Final = PAGE_HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
"""The policy of the list, whose filter is a form that needs no script. Other pages have forms with texts in them, which
a browser must not send by itself, as it would put them into an address."""
Members = Callable[[], Awaitable[Sequence[Agent]]]
"""Everybody who may own an order, whether he is at the desk or not."""


class Citizens(Protocol):
    """Who speaks in a conversation; a part of `hotline.identity_store.Bindings`."""

    async def bound_in(self, conversation_id: str) -> Bound | None: ...
    async def contact_of(self, conversation_id: str) -> Contact | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNeeds:
    """What the pages stand on. ``most_bytes``: of one file."""

    orders: WorkOrderDesk
    evidence: EvidenceDesk
    citizens: Citizens
    members: Members
    most_bytes: int


class OrderSite:
    """One for all pages of work orders."""

    def __init__(self, desk: DeskSite, needs: OrderNeeds) -> None:
        self.desk = desk
        self.needs = needs
        self._everywhere: dict[str, Any] = {
            "w": page_words(),
            "grade": lambda order: showing.grade(order, desk.clock()),
            "short": showing.short,
            "address": shown_address,
        }

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """As the desk's, and what the services refuse told as a page where a page was asked for."""

        async def refusing(request: Request, member: Member) -> Response:
            try:
                return await handler(request, member)
            except OrderRefused as refused:
                status = STATUS.get(refused.refusal, 422)
                return self._told(request, member, status, (refused.refusal.value, refused_words(refused)))
            except DeskRefused as gone:
                status, said = DESK_STATUS.get(gone.refusal, 422), self.desk.wording.refusal(gone)
                return self._told(request, member, status, (gone.refusal.value, said))

        return self.desk.guarded(refusing)

    def problem(self, code: str, status: int = 422) -> Response:
        return self.desk.data({"code": code, "message": page_words()["problems"][code]}, status)

    def page(self, name: str, member: Member, **values: Any) -> HTMLResponse:
        script = {**self.desk.wording.words["script"], **page_words()["script"], "staff": member.agent.staff_id}
        return self.desk.page(f"work_orders/{name}.html", member, script=script, **self._everywhere, **values)

    def fragment(self, name: str, **values: Any) -> HTMLResponse:
        return self.desk.fragment(f"work_orders/{name}.html", **self._everywhere, **values)

    async def conversation(self, conversation_id: str, member: Member) -> DeskConversation:
        """Where this member of staff may see it. Raises DeskRefused, OrderRefused."""
        found = await self.desk.desk.conversation(conversation_id)
        if not member.agent.supervises and not desk_showing.is_mine(found, member.agent.staff_id):
            raise OrderRefused(Refusal.NOT_ALLOWED)
        return found

    async def members(self) -> Sequence[Agent]:
        return sorted(await self.needs.members(), key=lambda each: each.work_no)

    def _told(self, request: Request, member: Member, status: int, said: tuple[str, str]) -> Response:
        code, message = said
        if not _wants_page(request):
            return self.desk.data({"code": code, "message": message}, status)
        page = self.page("refused", member, message=message)
        page.status_code = status
        return page


def actor(member: Member) -> Actor:
    """Whom the services take him for."""
    agent = member.agent
    return Actor(by=By.STAFF, id=agent.staff_id, name=agent.display_name, supervises=agent.supervises)


def _wants_page(request: Request) -> bool:
    is_read = request.method in ("GET", "HEAD") and request.headers.get("hx-request") != "true"
    return is_read and "text/html" in request.headers.get("accept", "")
