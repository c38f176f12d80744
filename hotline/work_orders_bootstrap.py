"""Puts work orders together: names the implementations, for the gateway and for the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hotline.city_hotline import CityHotline
from hotline.domain.clock import utc_now
from hotline.privacy.hashes import LookupHash
from hotline.services.work_orders.city import CityOrders
from hotline.services.work_orders.desk import WorkOrderDesk
from hotline.services.work_orders.due import DueWork
from hotline.services.work_orders.evidence import EvidenceDesk
from hotline.services.work_orders.folder import EvidenceFolder
from hotline.services.work_orders.limits import order_limits
from hotline.services.work_orders.opening import Openings
from hotline.services.work_orders.parts import Parts
from hotline.services.work_orders.progress import Progress
from hotline.services.work_orders.telling import Tell, Telling, to_citizens, to_city
from hotline.settings import Settings
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.work_order_evidence import SqlEvidence
from hotline.storage.work_order_posts import SqlPosts
from hotline.storage.work_order_timers import SqlTimers
from hotline.storage.work_orders import SqlWorkOrders
from hotline.work_order_store import Posts, PostTarget, WorkOrders
from knowledge_base.model import Matter

Lookup = Callable[[str], Matter | None]
"""Finds a matter of the catalogue by its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderServices:
    """Everything about work orders in one process."""

    openings: Openings
    desk: WorkOrderDesk
    evidence: EvidenceDesk
    progress: Progress
    city: CityOrders
    due: DueWork
    orders: WorkOrders
    posts: Posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What work orders need of others. ``tell`` brings a line to a citizen."""

    database: Database
    audit: SqlAudit
    city: CityHotline
    tell: Tell
    matter: Lookup


def build_parts(
    settings: Settings, database: Database, *, audit: SqlAudit, matter: Lookup, clock: Callable[[], datetime] = utc_now
) -> Parts:
    """What staff's services stand on."""
    orders, limits = SqlWorkOrders(database, audit=audit, clock=clock), order_limits(settings.centre)
    return Parts(
        orders=orders,
        files=SqlEvidence(database, audit=audit, clock=clock),
        folder=EvidenceFolder(settings.evidence_dir, most_bytes=settings.work_orders.evidence_bytes),
        posts=SqlPosts(database, clock=clock),
        openings=Openings(orders, limits=limits, matter=matter, clock=clock),
        audit=audit,
        limits=limits,
        clock=clock,
    )


def build_work_orders(
    settings: Settings, around: Around, *, clock: Callable[[], datetime] = utc_now
) -> WorkOrderServices:
    """The services on the settings' database and folder."""
    parts = build_parts(settings, around.database, audit=around.audit, matter=around.matter, clock=clock)
    posts, attempts = parts.posts, settings.work_orders.attempts
    tellings = [
        Telling(posts, PostTarget.CITIZEN, to_citizens(around.tell), attempts=attempts, clock=clock),
        Telling(posts, PostTarget.CITY, to_city(around.city), attempts=attempts, clock=clock),
    ]
    evidence = EvidenceDesk(parts, most=settings.work_orders.evidence_files)
    timers = SqlTimers(around.database, clock=clock)
    hashes = LookupHash.from_settings(settings.privacy)
    return WorkOrderServices(
        openings=parts.openings,
        desk=WorkOrderDesk(parts),
        evidence=evidence,
        progress=Progress(parts.orders, audit=around.audit, hashes=hashes, clock=clock),
        city=CityOrders(parts.orders, parts.openings, audit=around.audit),
        due=DueWork(timers, tellings, sweep=evidence.sweep, clock=clock),
        orders=parts.orders,
        posts=posts,
    )
