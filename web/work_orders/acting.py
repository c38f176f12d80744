"""What members of staff do on the pages of work orders. Every act may be sent twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from fastapi import Request
from starlette.responses import Response

from hotline.domain.desk import Group
from hotline.domain.work_orders import (
    Actor,
    ChangeKind,
    Conclusion,
    OrderType,
    Priority,
    Source,
    Upheld,
    Visit,
    WorkOrder,
)
from hotline.services.work_orders.desk import LONGEST_NOTE
from hotline.services.work_orders.opening import Opening, checked
from web.desk.entrance import Member
from web.desk.forms import BadForm, Form, number, read_form
from web.work_orders.site import OrderSite, actor

Kind = TypeVar("Kind", bound=StrEnum)

LONGEST_KEY: Final = 64
SAME_NOTE: Final = timedelta(minutes=10)
"""The same words of the same person within this time are one note, sent twice."""
SHOWN_S: Final = 20
"""Seconds a citizen's address stays on the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is asked for. ``version``: of the order as the page showed it."""

    number: str
    version: int
    by: Actor
    form: Form

    def get(self, name: str) -> str:
        return self.form.get(name, "").strip()


class OrderActing:
    """Handlers that change something."""

    def __init__(self, site: OrderSite) -> None:
        self._site = site
        self._orders = site.needs.orders

    async def open(self, request: Request, member: Member) -> Response:
        """The order is there; the same ``key`` again is the same order."""
        form = await read_form(request)
        key = form.get("key", "")
        if not key or len(key) > LONGEST_KEY:
            raise BadForm("unreadable")
        by, group = actor(member), _choice(Group, form["group"]) if form.get("group") else None
        opening = await self._opening(form, member)
        order = await self._orders.open(opening, by=by, key=f"desk:{by.id}:{key}")
        # An order that somebody has touched since stays as he left it.
        if group is not None and group is not order.group and order.version == 1:
            order = await self._orders.assign(order.number, version=1, by=by, owner="", group=group)
        return self._site.desk.done("orders:opened", number=order.number)

    async def accept(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        return self._done(await self._orders.accept(act.number, version=act.version, by=act.by), "accept")

    async def start(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        return self._done(await self._orders.start(act.number, version=act.version, by=act.by), "start")

    async def wait(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        order = await self._orders.wait_for_citizen(act.number, version=act.version, by=act.by, asked=act.get("asked"))
        return self._done(order, "wait")

    async def conclude(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        upheld = _choice(Upheld, act.get("upheld")) if act.get("upheld") else None
        said = Conclusion(finding=act.get("finding"), done=act.get("done"), upheld=upheld)
        order = await self._orders.conclude(act.number, version=act.version, by=act.by, conclusion=said)
        return self._done(order, "conclude")

    async def visit(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        given = act.get("rating")
        if given not in ("none", "1", "2", "3", "4", "5"):
            return self._site.problem("choose_rating")
        visit = Visit(rating=None if given == "none" else int(given), reason=act.get("reason"))
        return self._done(await self._orders.visit(act.number, version=act.version, by=act.by, visit=visit), "visit")

    async def close(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        return self._done(await self._orders.close(act.number, version=act.version, by=act.by), "close")

    async def take(self, request: Request, member: Member) -> Response:
        """It is mine, and stays the group's."""
        act = await _act(request, member)
        group = (await self._orders.view(act.number, by=act.by)).order.group
        order = await self._orders.assign(act.number, version=act.version, by=act.by, owner=act.by.id, group=group)
        return self._done(order, "take")

    async def assign(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        owner, group = act.get("owner"), _choice(Group, act.get("group"))
        if owner and owner not in {each.staff_id for each in await self._site.members()}:
            return self._site.problem("choose_member")
        order = await self._orders.assign(act.number, version=act.version, by=act.by, owner=owner, group=group)
        return self._done(order, "assign")

    async def priority(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        wanted = _choice(Priority, act.get("priority"))
        order = await self._orders.prioritise(act.number, version=act.version, by=act.by, priority=wanted)
        return self._done(order, "priority")

    async def confidential(self, request: Request, member: Member) -> Response:
        return await self._confidential(request, member, on=True)

    async def open_up(self, request: Request, member: Member) -> Response:
        return await self._confidential(request, member, on=False)

    async def extend(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        workdays = number(act.get("workdays"))
        if workdays is None:
            return self._site.problem("choose_days")
        order = await self._orders.extend(
            act.number, version=act.version, by=act.by, workdays=workdays, reason=act.get("reason")
        )
        return self._done(order, "extend")

    async def reopen(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        reason = act.get("reason")
        return self._done(
            await self._orders.reopen(act.number, version=act.version, by=act.by, reason=reason), "reopen"
        )

    async def reject(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        reason = act.get("reason")
        return self._done(
            await self._orders.reject(act.number, version=act.version, by=act.by, reason=reason), "reject"
        )

    async def cancel(self, request: Request, member: Member) -> Response:
        act = await _act(request, member)
        reason = act.get("reason")
        return self._done(
            await self._orders.cancel(act.number, version=act.version, by=act.by, reason=reason), "cancel"
        )

    async def merge(self, request: Request, member: Member) -> Response:
        """It goes into the chosen order, as that one was shown; the page goes on there."""
        act = await _act(request, member)
        into, _, seen = act.get("into").partition(":")
        version = number(seen)
        if version is None:
            return self._site.problem("choose_order")
        kept = await self._orders.merge(act.number, into=into, versions=(act.version, version), by=act.by)
        return self._site.desk.done("orders:opened", number=kept.number)

    async def note(self, request: Request, member: Member) -> Response:
        form, by = await read_form(request), actor(member)
        found, text = request.path_params["number"], form.get("text", "")
        if not await self._noted(found, checked(text, most=LONGEST_NOTE), by):
            await self._orders.note(found, by=by, text=text)
        return self._site.desk.done("orders:done", act="note")

    async def reveal(self, request: Request, member: Member) -> Response:
        """Who filed a confidential order, for a while; the reason is on record first."""
        act = await _act(request, member)
        filed = await self._orders.reveal(act.number, by=act.by, reason=act.get("reason"))
        if filed.contact is None:
            return self._site.problem("no_person", 409)
        return self._site.fragment("revealed", contact=filed.contact, seconds=SHOWN_S)

    async def _confidential(self, request: Request, member: Member, *, on: bool) -> Response:
        act = await _act(request, member)
        order = await self._orders.set_confidential(act.number, version=act.version, by=act.by, on=on)
        return self._done(order, "confidential" if on else "open_up")

    async def _opening(self, form: Form, member: Member) -> Opening:
        conversation_id, contact, bound = form.get("conversation", ""), None, None
        if conversation_id:
            await self._site.conversation(conversation_id, member)
            contact = await self._site.needs.citizens.contact_of(conversation_id)
            bound = await self._site.needs.citizens.bound_in(conversation_id)
        matter = form.get("matter", "")
        return Opening(
            type=_choice(OrderType, form.get("type", "")),
            source=Source.AGENT,
            text=form.get("text", ""),
            matter="" if matter == self._site.desk.wording.words["wrap_other"][0] else matter,
            contact=contact,
            conversation_id=conversation_id,
            person_id=bound.person_id if bound else "",
            confidential=form.get("confidential", "") == "1",
            priority=_choice(Priority, form.get("priority", "")),
            employer=form.get("group", "") == Group.EMPLOYER,
        )

    async def _noted(self, found: str, text: str, by: Actor) -> bool:
        """Whether this very note stands there already: an answer was lost on the way, and it came again."""
        view, since = await self._orders.view(found, by=by), self._site.desk.clock() - SAME_NOTE
        return any(
            (each.kind, each.actor_id, each.note) == (ChangeKind.NOTE, by.id, text) and each.at >= since
            for each in view.events
        )

    def _done(self, order: WorkOrder, act: str) -> Response:
        return self._site.desk.done("orders:done", act=act, version=order.version)


async def _act(request: Request, member: Member) -> Act:
    """Raises BadForm where it does not say which version it is about."""
    version = number(request.query_params.get("version"))
    if version is None:
        raise BadForm("unreadable")
    form = await read_form(request)
    return Act(number=request.path_params["number"], version=version, by=actor(member), form=form)


def _choice(kind: type[Kind], value: str) -> Kind:
    """Raises BadForm for what no form of ours sends."""
    try:
        return kind(value)
    except ValueError as error:
        raise BadForm("unreadable") from error
