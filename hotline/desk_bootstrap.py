"""Puts the desk together, for `hotline.bootstrap`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hotline.audit_store import Audit
from hotline.desk_store import DeskConversation, Desks, Held, Queue
from hotline.domain.clock import utc_now
from hotline.domain.messages import ChannelName
from hotline.domain.ratings import Subject
from hotline.fund_system import FundSystem
from hotline.identification import Identification
from hotline.identity_store import Bindings
from hotline.ports import Channel, Windows
from hotline.prompt_store import Prompts, Ratings
from hotline.services.asides.asides import Asides
from hotline.services.asides.orders import ConversationOrders
from hotline.services.asides.parts import Parts as AsideParts
from hotline.services.desk.canned import canned
from hotline.services.desk.core_facts import CoreFacts
from hotline.services.desk.customers import Customers
from hotline.services.desk.desk import Desk
from hotline.services.desk.drafts import DraftCheck
from hotline.services.desk.hours import desk_hours
from hotline.services.desk.live import LiveDesk
from hotline.services.desk.meters import Meters
from hotline.services.desk.parts import Parts
from hotline.services.desk.requests import Requests
from hotline.services.desk.routing import Router
from hotline.services.desk.suggesting import Suggesting
from hotline.services.desk.telling import Tellings
from hotline.services.desk.typing import TypingShown
from hotline.services.desk.wrapping import wrap_reasons
from hotline.services.hub import Hub
from hotline.services.knowledge import Knowledge
from hotline.work_orders_bootstrap import WorkOrderServices
from knowledge_base.model import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskNeeds:
    """What the desk is built on. ``told`` wakes the citizen's page and the outbox."""

    queue: Queue
    held: Held
    desks: Desks
    bindings: Bindings
    audit: Audit
    identification: Identification
    fund: FundSystem
    catalogue: Catalogue
    """As it was when the process started: names and topics."""
    knowledge: Knowledge
    channels: Mapping[ChannelName, Channel]
    hub: Hub
    live: LiveDesk
    told: Callable[[ChannelName, str], None]
    prompts: Prompts
    ratings: Ratings

    @property
    def windows(self) -> Mapping[ChannelName, Windows]:
        """Channels that count what they still take."""
        return {name: each for name, each in self.channels.items() if isinstance(each, Windows)}


def build_requests(needs: DeskNeeds) -> Requests:
    """What turns a wish for a person into a request."""
    return Requests(
        needs.queue,
        needs.held,
        needs.desks,
        identification=needs.identification,
        hours=desk_hours(needs.catalogue.centre.code),
        topics={code: matter.topic for code, matter in needs.catalogue.matters.items()},
        clock=utc_now,
    )


def build_asides(needs: DeskNeeds, orders: WorkOrderServices) -> Asides:
    """What the gateway asks by itself: ratings, words left, call-backs."""
    meters, tellings = Meters(needs.windows, needs.bindings), Tellings(needs.channels)

    async def room(conversation: DeskConversation) -> int | None:
        return (await meters.meter(conversation)).bubbles_left

    parts = AsideParts(
        prompts=needs.prompts,
        ratings=needs.ratings,
        queue=needs.queue,
        orders=ConversationOrders(orders.openings, needs.identification, needs.bindings),
        progress=orders.progress,
        identification=needs.identification,
        bindings=needs.bindings,
        audit=needs.audit,
        clock=utc_now,
        room=room,
        way=tellings.way,
        told=needs.told,
    )
    return Asides(parts)


def build_router(needs: DeskNeeds) -> Router:
    """The routing loop of this process."""
    return Router(needs.queue, Tellings(needs.channels), live=needs.live, clock=utc_now, told=needs.told)


def build_agent_desk(needs: DeskNeeds, router: Router, asides: Asides) -> Desk:
    """What the desk's pages work on."""
    names = {code: matter.name for code, matter in needs.catalogue.matters.items()}

    async def rated(ended: DeskConversation) -> None:
        held = ended.handover
        if held is not None:
            await asides.ask_rating(ended, subject=Subject.AGENT, handover_id=held.id, staff_id=held.agent_id)

    parts = Parts(
        queue=needs.queue,
        held=needs.held,
        desks=needs.desks,
        tellings=Tellings(needs.channels),
        drafts=DraftCheck(lambda: needs.knowledge.catalogue or needs.catalogue),
        meters=Meters(needs.windows, needs.bindings),
        customers=Customers(
            needs.identification,
            needs.bindings,
            core=CoreFacts(needs.fund, names=lambda code: names.get(code, code)),
            audit=needs.audit,
            clock=utc_now,
        ),
        suggesting=Suggesting(needs.knowledge),
        canned=canned(needs.catalogue.centre.code),
        wrap_reasons=wrap_reasons(needs.catalogue),
        live=needs.live,
        router=router,
        audit=needs.audit,
        clock=utc_now,
        told=needs.told,
        typing=TypingShown(needs.channels, needs.hub).show,
        rated=rated,
    )
    return Desk(parts)
