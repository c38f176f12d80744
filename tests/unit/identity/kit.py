"""A citizen at the door of identity: the service on SQLite, a fund core system in memory, a phone that gets texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hotline.domain.fund import Factor, FactorKind
from hotline.domain.identity import CodeSent, Contact, IdentityRefused, Known, Purpose, Refusal, SignIn
from hotline.domain.messages import ChannelName, Inbound
from hotline.errors import TemporaryError
from hotline.privacy.ciphers import FieldCipher
from hotline.privacy.hashes import LookupHash
from hotline.services.identity import IdentityService
from hotline.settings import IdentitySettings, Settings
from hotline.storage.audit import SqlAudit
from hotline.storage.database import Database
from hotline.storage.identity import identity_stores
from hotline.storage.store import SqlStore
from hotline.storage.tables import inbox
from tests.fake_fund import CARD, ID_NUMBER, FakeFundSystem, a_person

START = datetime(2026, 11, 24, 2, 0, 5, tzinfo=UTC)
HER_ID, HER_CARD, HER_PASSWORD = "110105198806150024", "6222021234567890128", "135790"
NOBODYS_ID = "11010519491231002X"
OPENID, VISITOR, PHONE = "oCitizen0000000000000000001", "visitor-0000000000001x", "+8613800135678"
BROWSER = "a-browser-cookie"
ADDRESS = "203.0.113.7"


@dataclass
class Phone:
    """Everybody's phone. ``error`` is raised instead of taking a text."""

    texts: list[tuple[str, str]] = field(default_factory=list)
    error: Exception | None = None

    async def send(self, mobile: str, text: str) -> None:
        if self.error:
            raise self.error
        self.texts.append((mobile, text))

    @property
    def code(self) -> str:
        found = re.search(r"[0-9]{6}", self.texts[-1][1])
        assert found
        return found[0]

    @property
    def wrong_code(self) -> str:
        return f"{(int(self.code) + 1) % 1_000_000:06}"


class CountingHash(LookupHash):
    """Counts the hashes it makes."""

    made = 0

    def of(self, kind: str, *values: str) -> str:
        self.made += 1
        return super().of(kind, *values)


@dataclass
class Door:
    """The service with all that is around it. ``now`` moves by hand."""

    database: Database
    file: Path
    url: str = ""
    now: datetime = START
    limits: Mapping[str, Any] = field(default_factory=dict)
    told: list[tuple[str, Known]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    deaf: bool = False
    said: int = 0

    def __post_init__(self) -> None:
        self.phone = Phone()
        self.fund = FakeFundSystem(now=self.clock)
        self.fund.add(a_person())
        self.fund.add(
            a_person(person_no="P000002", name="欧阳小红", id_number=HER_ID, mobile="13900000002"),
            cards=(HER_CARD,),
            password=HER_PASSWORD,
        )
        settings = Settings(identity=IdentitySettings(**self.limits))
        self.hashes = CountingHash(b"a look-up key of a test", algorithm="sha256")
        self.cipher = FieldCipher({1: bytes(range(32))}, cipher="aes-256-gcm")
        self.audit = SqlAudit(self.database, clock=self.clock)
        self.stores = identity_stores(
            self.database, cipher=self.cipher, hashes=self.hashes, audit=self.audit, clock=self.clock
        )
        self.store = SqlStore(self.database, clock=self.clock, idle_close=timedelta(days=1))
        self.service = IdentityService(
            self.stores,
            self.fund,
            audit=self.audit,
            sender=self.phone,
            hashes=self.hashes,
            settings=settings,
            clock=self.clock,
            on_proven=self._tell,
            pause=self._pause,
        )

    def clock(self) -> datetime:
        return self.now

    async def _tell(self, conversation_id: str, known: Known) -> None:
        if self.deaf:
            raise TemporaryError("the database is locked")
        self.told.append((conversation_id, known))

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    async def conversation(
        self, channel: ChannelName = ChannelName.WECHAT, address: str = OPENID, *, call: str = ""
    ) -> str:
        """The id of this contact's conversation."""
        self.said += 1
        inbound = Inbound(
            channel=channel, external_id=f"m{self.said}", contact_key=address, session_key=call, text="余额"
        )
        accepted = await self.store.accept(inbound, worker="w")
        async with self.database.read() as connection:
            query = select(inbox.c.conversation_id).where(inbox.c.id == accepted.inbox_id)
            return str(await connection.scalar(query))

    async def opened(
        self,
        conversation_id: str = "",
        *,
        purpose: Purpose = Purpose.BIND,
        browser: str = BROWSER,
        openid: str = OPENID,
    ) -> SignIn:
        """A sign-in whose link has been opened; by default on WeChat by its owner."""
        link = await self.service.link(conversation_id or await self.conversation(), purpose)
        return await self.service.open_link(token(link), browser=browser, address=ADDRESS, openid=openid)

    async def prove(
        self,
        sign_in: SignIn,
        id_number: str = ID_NUMBER,
        factor: str = CARD,
        *,
        browser: str = BROWSER,
        address: str = ADDRESS,
        consent: bool = True,
    ) -> CodeSent:
        kind = FactorKind.BANK_CARD if len(factor) > 6 else FactorKind.QUERY_PASSWORD
        return await self.service.prove(
            sign_in.session,
            browser=browser,
            address=address,
            id_number=id_number,
            factor=Factor(kind=kind, value=factor),
            consent=consent,
        )

    async def confirm(self, sign_in: SignIn, code: str = "", *, browser: str = BROWSER) -> Known:
        return await self.service.confirm(sign_in.session, browser=browser, code=code or self.phone.code)

    async def signed_in(
        self,
        conversation_id: str = "",
        *,
        id_number: str = ID_NUMBER,
        factor: str = CARD,
        purpose: Purpose = Purpose.BIND,
    ) -> Known:
        """The whole way on WeChat."""
        sign_in = await self.opened(conversation_id, purpose=purpose)
        await self.prove(sign_in, id_number, factor)
        return await self.confirm(sign_in)

    async def actions(self) -> list[str]:
        return [row.entry.action for row in await self.audit.rows()]

    def wechat(self) -> Contact:
        return Contact(channel=ChannelName.WECHAT, address=OPENID)


def token(link: str) -> str:
    """What stands behind the last slash."""
    return link.rpartition("/")[2]


async def refused(asked: Any) -> IdentityRefused:
    """How it was refused; that it was is the caller's assertion."""
    try:
        await asked
    except IdentityRefused as refusal:
        return refusal
    raise AssertionError("nothing was refused")


async def reason(asked: Any) -> Refusal:
    return (await refused(asked)).reason
