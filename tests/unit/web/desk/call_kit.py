"""A desk with callers, and members of staff in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hotline.settings import TelephoneSettings
from tests.fake_calls import FakeCalls, FakeRecordings, callers
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_kit import Visitor, visiting
from web.desk.calls import Telephone

PHONE_URL = "wss://pbx.example.cn:8089/ws"


@dataclass
class Exchange:
    """The desk of ``desk`` with its telephone."""

    desk: FakeDesk
    calls: FakeCalls = field(default_factory=FakeCalls)
    recordings: FakeRecordings = field(default_factory=FakeRecordings)
    settings: TelephoneSettings = field(default_factory=lambda: TelephoneSettings(line="asterisk"))

    def __post_init__(self) -> None:
        callers(self.desk, self.calls)
        self.recordings.held.add(("c-call", "wang"))

    @asynccontextmanager
    async def visited_by(self, staff_id: str) -> AsyncIterator[Visitor]:
        telephone = Telephone(calls=self.calls, recordings=self.recordings, settings=self.settings)
        async with visiting(self.desk, staff_id, telephone) as visitor:
            yield visitor

    def with_browser_phones(self) -> Exchange:
        self.settings = TelephoneSettings(line="asterisk", browser_phone_url=PHONE_URL)
        return self
