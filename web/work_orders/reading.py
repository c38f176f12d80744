"""What the pages of work orders read: the list, a new one's form, one order with its log, and dialogs."""

from __future__ import annotations

import uuid
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

from hotline.domain.desk import Group
from hotline.domain.work_orders import OrderRefused, OrderType, Priority, Refusal, State
from hotline.services.work_orders.looking import OrderView
from hotline.work_order_store import OrderFilter
from web.desk.entrance import Member
from web.desk.forms import number
from web.desk.reading import pinyin
from web.work_orders import showing
from web.work_orders.asked import WHOLE, Asked
from web.work_orders.site import FILTERED, OrderSite, actor

PAGE: Final = 30
BESIDE: Final = 20
"""Orders beside a conversation."""
PREFILLED: Final = 800
"""Characters of the citizen's last lines that a new order begins with."""
DIALOGS: Final = frozenset(
    {"wait", "conclude", "visit", "assign", "priority", "extend", "merge", "reopen", "reject", "cancel", "reveal"}
)


class OrderReading:
    """Handlers that change nothing."""

    def __init__(self, site: OrderSite) -> None:
        self._site = site
        self._orders = site.needs.orders

    async def page(self, request: Request, member: Member) -> Response:
        """The list."""
        asked, by = Asked.of(request.query_params), actor(member)
        found = await self._orders.orders(asked.filter(by), by=by, before=asked.before, limit=PAGE + 1)
        counts = await self._orders.counts()
        page = self._site.page(
            "list",
            member,
            asked=asked,
            found=found[:PAGE],
            more=asked.link(before=found[PAGE - 1].id) if len(found) > PAGE else "",
            counts=counts,
            total={
                key: sum(getattr(each, key) for each in counts.values()) for key in ("open", "due_today", "overdue")
            },
            states=[*WHOLE, *State],
            types=list(OrderType),
            groups=list(Group),
            names=await self._site.desk.names(),
        )
        page.headers["Content-Security-Policy"] = FILTERED
        return page

    async def new(self, request: Request, member: Member) -> Response:
        """The form, for the conversation in the address where one is named."""
        conversation_id, text, matter = request.query_params.get("conversation", ""), "", ""
        if conversation_id:
            conversation = await self._site.conversation(conversation_id, member)
            view = await self._site.desk.desk.view(conversation_id, staff_id=member.agent.staff_id)
            said = [line.text for line in view.lines if line.author == "citizen"]
            text = showing.last_words(said, PREFILLED)
            matter = conversation.handover.matter if conversation.handover else ""
        other: list[str] = self._site.desk.wording.words["wrap_other"]
        reasons = [each for each in await self._site.desk.desk.wrap_reasons() if each[0] != other[0]]
        matters = [(code, name, pinyin(name)) for code, name in [(other[0], other[1]), *reasons]]
        return self._site.page(
            "new",
            member,
            conversation_id=conversation_id,
            text=text,
            matter=matter if matter in {code for code, _, _ in matters} else other[0],
            matters=matters,
            key=uuid.uuid4().hex,
            types=list(OrderType),
            groups=list(Group),
            priorities=list(Priority),
        )

    async def order(self, request: Request, member: Member) -> Response:
        view = await self._viewed(request, member)
        return self._site.page("order", member, **await self._values(view, member))

    async def body(self, request: Request, member: Member) -> Response:
        """The order as it stands now, for the page that shows it."""
        view = await self._viewed(request, member)
        return self._site.fragment("body", agent=member.agent, **await self._values(view, member))

    async def dialog(self, request: Request, member: Member) -> Response:
        """The form of an act. ``version`` is the one the page showed, so that what changed meanwhile is noticed."""
        act = request.path_params["act"]
        if act not in DIALOGS:
            raise OrderRefused(Refusal.NOT_FOUND)
        view = await self._viewed(request, member)
        more = await self._for_dialog(act, view, member)
        version = number(request.query_params.get("version")) or view.order.version
        return self._site.fragment(f"forms/{act}", order=view.order, version=version, **more)

    async def other(self, request: Request, member: Member) -> Response:
        """An order to merge with, found by its number."""
        wanted = request.query_params.get("other", "").strip().upper()
        if not wanted:
            return self._site.fragment("other", order=None)
        view = await self._orders.view(wanted, by=actor(member))
        return self._site.fragment("other", order=view.order)

    async def beside(self, request: Request, member: Member) -> Response:
        """Orders of the person who speaks in a conversation, or of his address where he is nobody we know."""
        conversation_id = request.path_params["conversation_id"]
        await self._site.conversation(conversation_id, member)
        citizens, by = self._site.needs.citizens, actor(member)
        bound = await citizens.bound_in(conversation_id)
        contact = None if bound else await citizens.contact_of(conversation_id)
        which = OrderFilter(viewer=by, person_id=bound.person_id if bound else "", contact=contact)
        found = await self._orders.orders(which, by=by, limit=BESIDE) if bound or contact else ()
        return self._site.fragment("beside", found=found)

    async def _viewed(self, request: Request, member: Member) -> OrderView:
        return await self._orders.view(request.path_params["number"], by=actor(member))

    async def _values(self, view: OrderView, member: Member) -> dict[str, Any]:
        names = await self._site.desk.names()
        show = await self._site.desk.showing()
        order = view.order
        return {
            "view": view,
            "order": order,
            "matter": show.matter(order.matter) or order.matter,
            "names": names,
            "acts": showing.acts(order, member.agent),
            "at_once": showing.AT_ONCE,
            "may_add": showing.may_be_added_to(order),
            "may_reveal": showing.may_be_revealed(order, member.agent),
            "log": showing.log(view, names=names, wording=self._site.desk.wording),
            "most_bytes": self._site.needs.most_bytes,
        }

    async def _for_dialog(self, act: str, view: OrderView, member: Member) -> dict[str, Any]:
        if act == "assign":
            others = [each for each in await self._site.members() if each.staff_id != view.order.owner]
            return {"members": others, "groups": list(Group)}
        if act == "merge":
            return {"candidates": await self._orders.similar(view.order.number, by=actor(member))}
        if act == "conclude":
            is_complaint = view.order.type is OrderType.COMPLAINT
            return {"asks": view.order.type in showing.ASKS_WHETHER_TRUE, "must_say": is_complaint}
        return {}
