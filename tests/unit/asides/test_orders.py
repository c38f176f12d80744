"""What asides lead to is opened as a real work order, in the citizen's name, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hotline.domain.identity import Contact, Known
from hotline.domain.work_orders import OrderRefused, OrderType, Source, WorkOrder
from hotline.services.asides.orders import ConversationOrders
from hotline.services.asides.parts import NewOrder
from tests.work_order_kit import HE, OPENID, OrderKit, known, order_kits, sqlite_in

pytestmark = pytest.mark.anyio

ORDER = NewOrder(
    key="word:c1:7",
    type=OrderType.CONSULT,
    source=Source.LEAVE_WORD,
    text="我的提取申请一周了没人理",
    matter="withdraw-rent",
    conversation_id="",
)


@dataclass
class People:
    """Identification and bindings of one conversation."""

    person: Known | None = None

    async def known_in(self, _: str) -> Known | None:
        return self.person

    async def contact_of(self, _: str) -> Contact:
        return OPENID


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[OrderKit]:
    async with order_kits(await sqlite_in(tmp_path), tmp_path) as (made,):
        yield made


def opener(kit: OrderKit, people: People) -> ConversationOrders:
    return ConversationOrders(kit.services.openings, people, people)  # type: ignore[arg-type]


async def found(kit: OrderKit, number: str) -> WorkOrder:
    order = await kit.services.orders.find(number)
    assert order is not None
    return order


async def test_an_order_is_the_citizens_and_knows_where_he_is_told(kit: OrderKit) -> None:
    opened = await opener(kit, People(known())).open_order(ORDER)
    order = await found(kit, opened.number)
    assert (order.person_id, order.contact) == (HE, OPENID)
    assert (order.type, order.source, order.matter, order.text) == (
        OrderType.CONSULT,
        Source.LEAVE_WORD,
        "withdraw-rent",
        ORDER.text,
    )
    assert (opened.due_at, opened.provisional) == (order.due_at, False)


async def test_the_same_again_is_the_same_order(kit: OrderKit) -> None:
    orders = opener(kit, People())
    assert await orders.open_order(ORDER) == await orders.open_order(ORDER)


async def test_who_has_proven_himself_between_two_tries_is_not_refused(kit: OrderKit) -> None:
    people = People()
    await opener(kit, people).open_order(ORDER)
    people.person = known()
    again = await opener(kit, people).open_order(ORDER)
    assert (await found(kit, again.number)).person_id == HE


async def test_a_matter_that_is_no_longer_published_stands_in_no_ones_way(kit: OrderKit) -> None:
    opened = await opener(kit, People()).open_order(replace(ORDER, matter="withdraw-of-yesterday"))
    assert (await found(kit, opened.number)).matter == ""


async def test_other_content_under_the_same_key_is_refused(kit: OrderKit) -> None:
    orders = opener(kit, People())
    await orders.open_order(ORDER)
    with pytest.raises(OrderRefused):
        await orders.open_order(replace(ORDER, text="别的"))
