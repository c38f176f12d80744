"""Puts the core together: the only place in hotline that names implementations."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hotline.calls_bootstrap import build_recordings
from hotline.certificates.tickets import CertificateTickets
from hotline.desk_bootstrap import DeskNeeds, build_agent_desk, build_asides, build_requests, build_router
from hotline.dialogue.fallback import KnowledgeDialogue, ResilientDialogue
from hotline.dialogue.rasa import RasaDialogue
from hotline.domain.clock import utc_now
from hotline.domain.identity import Contact, Known
from hotline.domain.messages import ChannelName, Reply
from hotline.errors import ConfigError
from hotline.exchange.http import HttpCityHotline
from hotline.fund.http import HttpFundSystem
from hotline.fund_system import FundSystem
from hotline.identification import Identification
from hotline.ports import Channel, Dialogue, SendError, SendReason
from hotline.privacy.hashes import LookupHash
from hotline.services.asides.asides import Asides
from hotline.services.calls.recordings import Recordings
from hotline.services.chats import StoredChats
from hotline.services.codes import CodeSender
from hotline.services.delivery import DeliveryWorker
from hotline.services.desk.desk import Desk
from hotline.services.desk.live import LiveDesk
from hotline.services.desk.requests import Requests
from hotline.services.desk.reviewing import Reviewing
from hotline.services.desk.routing import Router
from hotline.services.desk.telling import Tellings
from hotline.services.events import Events
from hotline.services.housekeeping import Housekeeping
from hotline.services.hub import Hub, Reach
from hotline.services.identity import IdentityService, OnProven
from hotline.services.intake import Intake
from hotline.services.issuing import Issuing
from hotline.services.knowledge import Knowledge
from hotline.services.own.certificate_links import TicketLinks
from hotline.services.own.counter import build_desk
from hotline.services.own.desk import OwnDesk
from hotline.services.own.limits import Limits
from hotline.services.spool import Spool
from hotline.services.staff.passwords import Passwords
from hotline.services.staff.sign_in import SignIn
from hotline.services.turns import TurnWorker
from hotline.services.verification import Verification
from hotline.services.waiters import Waiters
from hotline.settings import Settings
from hotline.storage.calls import SqlCalls
from hotline.storage_bootstrap import Storage, build_storage
from hotline.work_orders_bootstrap import Around, WorkOrderServices, build_work_orders
from knowledge_base.errors import KnowledgeError
from knowledge_base.model import Catalogue, Centre
from knowledge_base.published import Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The application core of one gateway process."""

    settings: Settings
    catalogue: Catalogue
    storage: Storage
    channels: Mapping[ChannelName, Channel]
    intake: Intake
    turns: TurnWorker
    chats: StoredChats
    housekeeping: Housekeeping
    fund: FundSystem
    identification: Identification
    tickets: CertificateTickets
    issuing: Issuing
    desk: Desk
    reviewing: Reviewing
    sign_in: SignIn
    orders: WorkOrderServices
    city: HttpCityHotline
    recordings: Recordings

    @property
    def centre(self) -> Centre:
        return self.catalogue.centre

    @property
    def calls(self) -> SqlCalls:
        return self.storage.calls

    async def close(self) -> None:
        """Connections to the database and the core system are closed."""
        await self.storage.database.close()
        await self.city.close()
        if isinstance(self.fund, HttpFundSystem):
            await self.fund.close()


@dataclass(frozen=True, slots=True)
class Talk:
    """The dialogue, and what loads beforehand the part of it that is needed only in an outage."""

    dialogue: Dialogue
    prepare: Callable[[], None]
    knowledge: Knowledge


def build_dialogue(settings: Settings) -> Talk:
    """Rasa, with knowledge search alone behind it."""
    search = KnowledgeDialogue(settings.knowledge_dir)
    return Talk(ResilientDialogue(RasaDialogue(settings.rasa), search), search.prepare, search.knowledge)


def build_identification(
    settings: Settings, storage: Storage, fund: FundSystem, *, codes: CodeSender, on_proven: OnProven
) -> IdentityService:
    """Identity on the stores and the core system; ``on_proven`` is told of every proof."""
    return IdentityService(
        storage.identity,
        fund,
        audit=storage.audit,
        sender=codes,
        hashes=LookupHash.from_settings(settings.privacy),
        settings=settings,
        clock=utc_now,
        on_proven=on_proven,
    )


def build_tickets(settings: Settings, storage: Storage) -> CertificateTickets:
    """Tickets that the action server makes and the gateway takes."""
    return CertificateTickets(settings.gateway.session_secret, storage.channel_store)


def build_counter(settings: Settings) -> OwnDesk:
    """The own-data counter of the action server. Codes are sent and proofs completed by the gateway alone."""
    storage, fund = build_storage(settings), HttpFundSystem(settings.fund)
    identification = build_identification(settings, storage, fund, codes=_NoCodes(), on_proven=_nobody_waits)
    links = TicketLinks(
        build_tickets(settings, storage), storage.identity.bindings, public_url=settings.gateway.public_url
    )
    return build_desk(
        fund,
        identification,
        records=(storage.drafts, storage.submissions),
        links=links,
        limits=Limits(fund, settings.limits),
        audit=storage.audit,
    )


class _NoCodes:
    """A `CodeSender` for processes that send none."""

    async def send(self, mobile: str, text: str) -> None:
        raise SendError(SendReason.CONFIG, "this process sends no codes", retryable=False)


async def _nobody_waits(conversation_id: str, known: Known) -> None:
    """The proof's own process tells the conversation."""


def read_catalogue(settings: Settings) -> Catalogue:
    """What is published at the start of the process. Raises ConfigError when nothing is."""
    try:
        return Published.open(settings.knowledge_dir).catalogue
    except KnowledgeError as error:
        raise ConfigError(f"no usable knowledge is published, run `hotline train`: {error}") from error


def _build_verification(storage: Storage, fund: FundSystem, events: Events) -> Verification:
    return Verification(
        fund,
        storage.submissions,
        storage.drafts,
        bindings=storage.identity.bindings,
        audit=storage.audit,
        clock=utc_now,
        tell=events.verified,
    )


@dataclass(frozen=True, slots=True)
class Live:
    """Who waits in this process: webhooks for their answers, citizens' pages for their lines, staff's for theirs, and
    the outbox for something to send."""

    waiters: Waiters
    hub: Hub
    desk: LiveDesk
    deliveries_due: asyncio.Event


@dataclass(frozen=True, slots=True)
class Talking:
    """What a turn needs besides the dialogue."""

    live: Live
    requests: Requests
    asides: Asides


def _build_turns(
    storage: Storage, dialogue: Dialogue, channels: Mapping[ChannelName, Channel], talk: Talking
) -> TurnWorker:
    return TurnWorker(
        storage.store,
        dialogue,
        requests=talk.requests,
        asides=talk.asides,
        hub=talk.live.hub,
        waiters=talk.live.waiters,
        channels=channels,
        clock=utc_now,
        worker=f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}",
        deliveries_due=talk.live.deliveries_due,
    )


def _build_orders(settings: Settings, storage: Storage, needs: DeskNeeds, city: HttpCityHotline) -> WorkOrderServices:
    tellings = Tellings(needs.channels)

    async def tell(contact: Contact, text: str, *, key: str) -> None:
        way = tellings.way(contact.channel)
        if await storage.lines.tell(contact, Reply(text=text), key=key, delivery=way):
            needs.told(contact.channel, contact.address)

    around = Around(
        database=storage.database,
        audit=storage.audit,
        city=city,
        tell=tell,
        matter=lambda code: (needs.knowledge.catalogue or needs.catalogue).matters.get(code),
    )
    return build_work_orders(settings, around)


def build_sign_in(settings: Settings, storage: Storage) -> SignIn:
    """Where members of staff sign in."""
    return SignIn(
        storage.members,
        storage.sessions,
        storage.identity.attempts,
        passwords=Passwords(),
        hashes=LookupHash.from_settings(settings.privacy),
        audit=storage.audit,
        settings=settings,
        clock=utc_now,
    )


def build_core(
    settings: Settings,
    storage: Storage,
    *,
    catalogue: Catalogue,
    channels: Mapping[ChannelName, Channel],
    dialogue: Dialogue,
    codes: CodeSender | None = None,
    fund: FundSystem | None = None,
    knowledge: Knowledge | None = None,
) -> Core:
    """Everything between the channels and the dialogue. Without ``codes`` no code is sent; ``knowledge`` is shared."""
    fund = fund or HttpFundSystem(settings.fund)
    identification = build_identification(
        settings, storage, fund, codes=codes or _NoCodes(), on_proven=lambda *proof: events.proved(*proof)
    )
    people = _People(identification, fund, catalogue, knowledge or Knowledge(settings.knowledge_dir))
    live = Live(Waiters(), Hub(), LiveDesk(storage.desk_events), asyncio.Event())
    desk = _build_desk(settings, storage, channels, people=people, live=live)
    turns = _build_turns(storage, dialogue, channels, Talking(live, desk.requests, desk.asides))
    intake = _build_intake(settings, storage, turns, channels=channels, waiters=live.waiters)
    events = Events(intake.submit, storage.identity.bindings)
    return Core(
        settings=settings,
        catalogue=catalogue,
        storage=storage,
        channels=channels,
        intake=intake,
        turns=turns,
        chats=StoredChats(intake, storage.store, live.hub),
        housekeeping=Housekeeping(
            storage.store,
            turns=turns,
            intake=intake,
            deliveries=DeliveryWorker(storage.store, channels, clock=utc_now),
            verification=_build_verification(storage, fund, events),
            purge=lambda: _purged(settings, storage),
            others=(desk.router.run, live.desk.run, desk.asides.run),
            orders=desk.orders.due,
        ),
        fund=fund,
        identification=identification,
        tickets=build_tickets(settings, storage),
        issuing=Issuing(fund, storage.identity.bindings, audit=storage.audit, clock=utc_now),
        desk=desk.desk,
        reviewing=Reviewing(storage.reviews, audit=storage.audit, clock=utc_now),
        sign_in=build_sign_in(settings, storage),
        orders=desk.orders,
        city=desk.city,
        recordings=build_recordings(settings, storage),
    )


async def _purged(settings: Settings, storage: Storage) -> int:
    return await storage.purge() + await build_recordings(settings, storage).purge()


def _build_intake(
    settings: Settings,
    storage: Storage,
    turns: TurnWorker,
    *,
    channels: Mapping[ChannelName, Channel],
    waiters: Waiters,
) -> Intake:
    spool = Spool(settings.state_dir / "spool")
    return Intake(storage.store, turns, channels=channels, waiters=waiters, spool=spool)


@dataclass(frozen=True, slots=True)
class _People:
    """Who citizens are and what is known of them."""

    identification: Identification
    fund: FundSystem
    catalogue: Catalogue
    knowledge: Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeskSide:
    """What people at the desk work with."""

    requests: Requests
    asides: Asides
    router: Router
    desk: Desk
    orders: WorkOrderServices
    city: HttpCityHotline


def _build_desk(
    settings: Settings,
    storage: Storage,
    channels: Mapping[ChannelName, Channel],
    *,
    people: _People,
    live: Live,
) -> _DeskSide:
    needs = DeskNeeds(
        queue=storage.queue,
        held=storage.held,
        desks=storage.desks,
        bindings=storage.identity.bindings,
        audit=storage.audit,
        identification=people.identification,
        fund=people.fund,
        catalogue=people.catalogue,
        knowledge=people.knowledge,
        channels=channels,
        hub=live.hub,
        live=live.desk,
        told=Reach(live.hub, live.deliveries_due),
        prompts=storage.prompts,
        ratings=storage.ratings,
    )
    city = HttpCityHotline(settings.city_hotline)
    orders = _build_orders(settings, storage, needs, city)
    asides, router, requests = build_asides(needs, orders), build_router(needs), build_requests(needs)
    requests.wake, requests.heard = router.wake, live.desk.wake
    desk = build_agent_desk(needs, router, asides)
    return _DeskSide(requests=requests, asides=asides, router=router, desk=desk, orders=orders, city=city)
