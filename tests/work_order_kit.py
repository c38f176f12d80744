"""Work orders on a migrated database, with a clock, a citizens' line and a city hotline that tests steer."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from hotline.city_hotline import CityUpdate
from hotline.domain.identity import Contact, Known, Level
from hotline.domain.messages import ChannelName
from hotline.domain.work_orders import Actor, By, Conclusion, OrderType, Source, Upheld, WorkOrder
from hotline.services.work_orders.opening import Opening
from hotline.settings import Settings
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.desk_tables import desk_events
from hotline.storage.migrate import migrate
from hotline.storage.tables import audit_log, persons
from hotline.work_orders_bootstrap import Around, WorkOrderServices, build_work_orders
from knowledge_base.model import Matter

LI = Actor(by=By.STAFF, id="staff-li", name="李静")
WANG = Actor(by=By.STAFF, id="staff-wang", name="王强")
BOSS = Actor(by=By.STAFF, id="staff-boss", name="周班长", supervises=True)
PHONE = Contact(channel=ChannelName.SMS, address="+8613800138000")
OPENID = Contact(channel=ChannelName.WECHAT, address="o-citizen-1")
VISITOR = Contact(channel=ChannelName.WEB, address="visitor-1")
CALLER = Contact(channel=ChannelName.VOICE, address="+8613800138000")
HE, SHE = "person-he", "person-she"
MATTERS = {
    "withdraw-rent": Matter(code="withdraw-rent", name="租房提取", topic="提取-租房"),
    "loan-amount": Matter(code="loan-amount", name="贷款额度", topic="贷款-额度"),
}
WEDNESDAY = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""10:00 in China, in an ordinary week."""
DONE = Conclusion(finding="柜员确实没有一次告知", done="已向您致歉并补办", upheld=Upheld.YES)


@dataclass
class Clock:
    now: datetime = WEDNESDAY

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class CitizenLine:
    """Keeps what citizens were told; raises what it was given to raise first."""

    errors: list[Exception] = field(default_factory=list)
    told: list[tuple[Contact, str, str]] = field(default_factory=list)

    async def __call__(self, contact: Contact, text: str, *, key: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.told.append((contact, text, key))


@dataclass
class FakeCity:
    """Keeps what the city hotline was told; raises what it was given to raise first."""

    errors: list[Exception] = field(default_factory=list)
    told: list[CityUpdate] = field(default_factory=list)

    async def tell(self, update: CityUpdate) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.told.append(update)


@dataclass
class OrderKit:
    services: WorkOrderServices
    database: Database
    audit: SqlAudit
    clock: Clock
    citizens: CitizenLine
    city: FakeCity
    settings: Settings

    async def open(self, text: str = "柜员态度差", *, by: Actor = LI, key: str = "", **changes: Any) -> WorkOrder:
        return await self.services.desk.open(opening(text, **changes), by=by, key=key)

    async def in_progress(self, order: WorkOrder, *, by: Actor = LI) -> WorkOrder:
        """Accepted and begun by ``by``."""
        order = await self.services.desk.accept(order.number, version=order.version, by=by)
        return await self.services.desk.start(order.number, version=order.version, by=by)

    async def concluded(self, order: WorkOrder, conclusion: Conclusion = DONE, *, by: Actor = LI) -> WorkOrder:
        begun = await self.in_progress(order, by=by)
        return await self.services.desk.conclude(begun.number, version=begun.version, by=by, conclusion=conclusion)

    async def desk_heard(self) -> list[dict[str, Any]]:
        """What live pages were told of orders, in order."""
        async with self.database.read() as connection:
            query = select(desk_events).where(desk_events.c.kind == "order").order_by(desk_events.c.seq)
            found = (await connection.execute(query)).mappings()
            return [{**row["data"], "staff_id": row["staff_id"]} for row in found]

    async def trail(self) -> list[tuple[str, str, str]]:
        """Who did what with which order, as the audit trail has it."""
        rows = await self.audit.rows(limit=1000)
        return [(row.entry.actor_id, row.entry.action, str(row.entry.detail.get("reference", ""))) for row in rows]

    async def trail_text(self) -> str:
        async with self.database.read() as connection:
            return "\n".join(map(str, (await connection.execute(select(audit_log))).all()))

    async def until_quiet(self) -> int:
        """Housekeeping, until nothing is due; how much was done."""
        done = 0
        while now := await self.services.due.run_due():
            done += now
        return done


def opening(text: str = "柜员态度差", **changes: Any) -> Opening:
    """A complaint about a withdrawal from WeChat, unless told otherwise."""
    values: dict[str, Any] = {
        "type": OrderType.COMPLAINT,
        "source": Source.BOT,
        "matter": "withdraw-rent",
        "contact": OPENID,
    }
    return Opening(text=text, **{**values, **changes})


def known(person_id: str = HE, level: Level = Level.PROVEN) -> Known:
    return Known(person_id=person_id, person_no="100000000001", name_masked="陈*", level=level)


async def as_stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="hotline-orders-")) / "template.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


async def sqlite_in(directory: Path) -> str:
    """The address of a migrated, empty file; made once, copied for every test."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(await asyncio.to_thread(_template), directory / "orders.db")
    return f"sqlite+aiosqlite:///{directory / 'orders.db'}"


def build_kit(url: str, directory: Path, *, clock: Clock | None = None, **settings: Any) -> OrderKit:
    """Work orders in one process, as it were; several may share ``url`` and ``directory``."""
    chosen = Settings.model_validate({"state_dir": directory, "centre": "guangzhou", **settings})
    clock, citizens, city, database = clock or Clock(), CitizenLine(), FakeCity(), Database(url)
    audit = SqlAudit(database, clock=clock)
    around = Around(database=database, audit=audit, city=city, tell=citizens, matter=MATTERS.get)
    services = build_work_orders(chosen, around, clock=clock)
    return OrderKit(services, database, audit, clock, citizens, city, chosen)


async def add_persons(database: Database, ids: Iterable[str] = (HE, SHE)) -> None:
    names = ("person_no", "person_no_hash", "id_number", "id_number_hash", "mobile", "name_masked")
    async with database.write() as tx:
        for person in ids:
            await tx.execute(insert(persons).values(id=person, registered_at=WEDNESDAY, **dict.fromkeys(names, person)))


@asynccontextmanager
async def order_kits(
    url: str, directory: Path, *, processes: int = 1, **settings: Any
) -> AsyncIterator[Sequence[OrderKit]]:
    """``processes`` of them on one database, with one clock and two persons."""
    clock = Clock()
    kits = [build_kit(url, directory, clock=clock, **settings) for _ in range(processes)]
    await add_persons(kits[0].database)
    try:
        yield kits
    finally:
        for kit in kits:
            await kit.database.close()
