"""What the agent is told of the window WeChat leaves him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from channels.sms.channel import SmsChannel
from channels.wechat.channel import WeChatChannel
from channels.wechat.quota import Allowance
from hotline.agent_desk import Meter
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.identity_store import Bound, Registered
from hotline.ports import Windows
from hotline.services.desk.meters import Meters
from tests.unit.desk.records import NOW, a_conversation

pytestmark = pytest.mark.anyio

UNTIL = NOW + timedelta(hours=20)


@dataclass
class FakeWindows:
    left: int | None = 3
    asked: str = ""

    async def allowance(self, contact_key: str) -> Allowance | None:
        self.asked = contact_key
        return None if self.left is None else Allowance(left=self.left, until=UNTIL.timestamp())


@dataclass
class OnePerson:
    """Bound in conversation c1, with this number on record; None: nobody is bound."""

    mobile: str | None = "13800135678"

    async def bound_in(self, conversation_id: str) -> Bound | None:
        if self.mobile is None or conversation_id != "c1":
            return None
        contact = Contact(channel=ChannelName.WECHAT, address="o")
        return Bound(contact=contact, person_id="p1", person_no="P1", name_masked="陈**")

    async def registered(self, person_id: str) -> Registered | None:
        if self.mobile is None or person_id != "p1":
            return None
        return Registered(
            person_id="p1",
            person_no="P1",
            id_number="",
            mobile=self.mobile,
            name_masked="陈**",
            registered_at=datetime(2026, 1, 1, tzinfo=UTC),
        )


def meters(windows: FakeWindows, person: OnePerson | None = None, *, falls_over: bool = False) -> Meters:
    return Meters({ChannelName.WECHAT: windows}, person or OnePerson(), falls_over=falls_over)  # type: ignore[arg-type]


async def test_wechat_says_how_many_messages_are_left_and_until_when() -> None:
    windows = FakeWindows()
    assert await meters(windows).meter(a_conversation()) == Meter(bubbles_left=3, closes_at=UNTIL)
    assert windows.asked == a_conversation().address


@pytest.mark.parametrize("channel", [ChannelName.SMS, ChannelName.WEB, ChannelName.VOICE])
async def test_other_channels_have_no_meter(channel: ChannelName) -> None:
    windows = FakeWindows(left=0)
    assert await meters(windows, falls_over=True).meter(a_conversation(channel=channel)) == Meter()
    assert windows.asked == ""


async def test_of_an_unknown_citizen_nothing_is_claimed() -> None:
    assert await meters(FakeWindows(left=None), falls_over=True).meter(a_conversation()) == Meter()


async def test_another_way_is_named_only_when_this_one_is_closed() -> None:
    assert (await meters(FakeWindows(left=1), falls_over=True).meter(a_conversation())).falls_over_to == ""
    closed = await meters(FakeWindows(left=0), falls_over=True).meter(a_conversation())
    assert closed == Meter(bubbles_left=0, falls_over_to="sms")


@pytest.mark.parametrize("mobile", [None, ""])
async def test_without_a_number_on_record_there_is_no_other_way(mobile: str | None) -> None:
    closed = await meters(FakeWindows(left=0), OnePerson(mobile), falls_over=True).meter(a_conversation())
    assert closed == Meter(bubbles_left=0)


async def test_what_is_not_really_sent_by_sms_is_not_promised() -> None:
    assert await meters(FakeWindows(left=0)).meter(a_conversation()) == Meter(bubbles_left=0)


def test_the_channel_that_counts_is_told_from_the_others() -> None:
    assert issubclass(WeChatChannel, Windows)
    assert not issubclass(SmsChannel, Windows)
