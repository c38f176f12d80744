"""What agents see of a person, and what the trail keeps of their looking."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.identity_store import Registered
from hotline.services.customer_cards import CustomerCards, Field, NoCard
from tests.fake_fund import ID_NUMBER
from tests.own_kit import RecordedAudit

pytestmark = pytest.mark.anyio

MOBILE = "13800135678"
PERSON = Registered(
    person_id="p1",
    person_no="P000001",
    id_number=ID_NUMBER,
    mobile=MOBILE,
    name_masked="陈**",
    registered_at=datetime(2026, 11, 25, tzinfo=UTC),
)


class OnePerson:
    async def registered(self, person_id: str) -> Registered | None:
        return PERSON if person_id == "p1" else None

    async def contacts_of(self, person_id: str) -> list[Contact]:
        return [Contact(channel=ChannelName.WECHAT, address="openid")]


def cards(audit: RecordedAudit) -> CustomerCards:
    return CustomerCards(OnePerson(), audit=audit)  # type: ignore[arg-type]  # what cards use of it


async def test_a_card_is_masked_and_the_look_is_on_record() -> None:
    audit = RecordedAudit()
    card = await cards(audit).card("p1", staff="lin")
    assert (card.id_number_masked, card.mobile_masked) == (f"****{ID_NUMBER[-4:]}", "138****5678")
    assert ID_NUMBER not in repr(card)
    assert [(entry.action, entry.actor_id, entry.subject) for entry in audit.entries] == [("card.shown", "lin", "p1")]


async def test_a_field_is_revealed_with_its_reason_on_record_but_not_the_value() -> None:
    audit = RecordedAudit()
    assert await cards(audit).reveal("p1", Field.MOBILE, staff="lin", reason=" 回拨 核对\n预约 ") == MOBILE
    assert audit.entries[0].detail == {"field": "mobile", "reason": "回拨 核对 预约"}
    assert MOBILE not in repr(audit.entries)


@pytest.mark.parametrize("reason", ["", "  ", "abc", "长" * 201])
async def test_without_a_reason_that_says_something_nothing_is_revealed(reason: str) -> None:
    audit = RecordedAudit()
    with pytest.raises(NoCard):
        await cards(audit).reveal("p1", Field.ID_NUMBER, staff="lin", reason=reason)
    assert audit.entries == []


async def test_nobody_has_no_card() -> None:
    with pytest.raises(NoCard):
        await cards(RecordedAudit()).card("nobody", staff="lin")
