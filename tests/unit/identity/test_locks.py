"""Guessing: counted in advance, locked for longer each time, and never told anything."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.id_number import check_character
from hotline.domain.identity import CodeSent, IdentityRefused, Purpose, Refusal, SignIn
from hotline.domain.messages import ChannelName
from hotline.services.identity import REFUSED_AFTER_S
from hotline.services.identity_locks import ADDRESS_ALLOWANCE, FIRST_LOCK_S, LONGEST_LOCK_S, lock_s, network
from tests.unit.identity.conftest import MakeDoor
from tests.unit.identity.kit import CARD, HER_CARD, HER_ID, ID_NUMBER, NOBODYS_ID, PHONE, Door, reason, refused

pytestmark = pytest.mark.anyio


async def somebody(door: Door, number: int) -> SignIn:
    """A sign-in of a contact of its own."""
    conversation = await door.conversation(ChannelName.SMS, f"+86138{number:08}")
    return await door.opened(conversation)


def some_id(number: int) -> str:
    body = f"44010619800101{number:03}"
    return body + check_character(body)


@given(st.integers(1, 10), st.integers(0, 200))
def test_a_lock_never_shrinks_with_more_wrong_attempts_and_never_exceeds_a_day(allowed: int, wrong: int) -> None:
    assert (lock_s(wrong, allowed) == 0) == (wrong < allowed)
    assert lock_s(wrong, allowed) <= lock_s(wrong + 1, allowed) <= LONGEST_LOCK_S


def test_a_lock_begins_with_a_minute_and_doubles() -> None:
    assert [lock_s(wrong, 5) for wrong in range(4, 9)] == [0, FIRST_LOCK_S, 120, 240, 480]
    assert lock_s(5 + 11, 5) == LONGEST_LOCK_S


@pytest.mark.parametrize("id_number", [ID_NUMBER, NOBODYS_ID])
async def test_five_wrong_attempts_lock_a_person_from_everywhere_whether_he_exists_or_not(
    door: Door, id_number: str
) -> None:
    answers = []
    for attempt in range(6):
        sign_in = await somebody(door, attempt)
        answers.append(await refused(door.prove(sign_in, id_number, HER_CARD, address=f"203.0.113.{attempt}")))
    told = [(answer.reason, answer.wait_s, answer.attempts_left) for answer in answers]
    assert told == [
        (Refusal.MISMATCH, 0, 4),
        (Refusal.MISMATCH, 0, 3),
        (Refusal.MISMATCH, 0, 2),
        (Refusal.MISMATCH, 0, 1),
        (Refusal.MISMATCH, 60, 0),
        (Refusal.LOCKED, 60, None),
    ]
    assert door.fund.calls == ["identify"] * 5


async def test_even_the_right_factor_is_not_tried_while_locked(door: Door) -> None:
    sign_in = await door.opened()
    for _ in range(5):
        await refused(door.prove(sign_in, factor=HER_CARD))
    calls = len(door.fund.calls)
    assert await reason(door.prove(sign_in)) is Refusal.LOCKED
    assert len(door.fund.calls) == calls
    door.later(seconds=60)
    await door.prove(sign_in)


async def test_each_further_wrong_attempt_locks_for_twice_as_long(door: Door) -> None:
    waits = []
    for attempt in range(8):
        sign_in = await somebody(door, attempt)
        refusal = await refused(door.prove(sign_in, factor=HER_CARD, address=f"198.51.100.{attempt}"))
        waits.append(refusal.wait_s)
        door.later(seconds=refusal.wait_s)
    assert waits == [0, 0, 0, 0, 60, 120, 240, 480]


async def test_a_contact_that_guesses_at_many_is_locked(door: Door) -> None:
    sign_in = await door.opened()
    reasons = [await reason(door.prove(sign_in, some_id(n), address="")) for n in range(7)]
    assert reasons == [Refusal.MISMATCH] * 5 + [Refusal.LOCKED] * 2
    late = door.opened()
    assert await reason(late) is Refusal.LOCKED


async def test_an_address_that_guesses_at_many_from_many_contacts_is_locked(make_door: MakeDoor) -> None:
    door = make_door(wrong_before_lock=2)
    reasons = [await reason(door.prove(await somebody(door, n), some_id(n))) for n in range(2 * ADDRESS_ALLOWANCE)]
    assert set(reasons) == {Refusal.MISMATCH}
    with pytest.raises(IdentityRefused, match="locked"):
        await somebody(door, 99)
    assert door.fund.calls == ["identify"] * 2 * ADDRESS_ALLOWANCE


async def test_being_right_about_oneself_does_not_clear_an_address(make_door: MakeDoor) -> None:
    door = make_door(wrong_before_lock=2)
    for n in range(2 * ADDRESS_ALLOWANCE - 1):
        await refused(door.prove(await somebody(door, n), some_id(n)))
    own = await somebody(door, 50)
    await door.prove(own)
    await door.confirm(own)
    assert await reason(door.prove(await somebody(door, 51), some_id(51))) is Refusal.MISMATCH
    with pytest.raises(IdentityRefused, match="locked"):
        await somebody(door, 52)


async def test_a_full_proof_clears_the_person_and_the_contact(door: Door) -> None:
    for _ in range(3):
        sign_in = await door.opened()
        for _ in range(4):
            assert await reason(door.prove(sign_in, factor=HER_CARD, address="")) is Refusal.MISMATCH
        await door.prove(sign_in, address="")
        await door.confirm(sign_in)
        door.later(minutes=1)


async def test_a_right_factor_without_its_code_clears_nothing(door: Door) -> None:
    sign_in = await door.opened()
    for _ in range(4):
        await refused(door.prove(sign_in, factor=HER_CARD))
    await door.prove(sign_in)
    assert (await refused(door.prove(sign_in, factor=HER_CARD))).wait_s == 60


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(door: Door) -> None:
    sign_in = await door.opened()
    guesses = [door.prove(sign_in, factor=HER_CARD) for _ in range(30)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    reasons = [result.reason for result in results if isinstance(result, IdentityRefused)]
    assert sorted(reasons) == [Refusal.LOCKED] * 25 + [Refusal.MISMATCH] * 5
    assert door.fund.calls == ["identify"] * 5


async def test_hanging_up_before_the_answer_does_not_save_an_attempt(door: Door) -> None:
    sign_in = await door.opened()
    door.fund.slow_s = 30
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(door.prove(sign_in, factor=HER_CARD), 0.5)
    assert door.fund.calls == ["identify"] * 5
    assert await reason(door.prove(sign_in, factor=HER_CARD)) is Refusal.LOCKED


async def test_wrong_attempts_are_forgotten_after_a_day_of_quiet(door: Door) -> None:
    for n in range(4):
        await refused(door.prove(await somebody(door, n), factor=HER_CARD))
    door.later(hours=24, seconds=1)
    assert (await refused(door.prove(await somebody(door, 9), factor=HER_CARD))).attempts_left == 4


async def test_a_lock_of_a_day_is_not_forgotten_with_its_end(make_door: MakeDoor) -> None:
    door = make_door(wrong_before_lock=1)
    waits = []
    for n in range(12):
        refusal = await refused(door.prove(await somebody(door, n), factor=HER_CARD, address=f"198.51.100.{n}"))
        waits.append(refusal.wait_s)
        door.later(seconds=refusal.wait_s)
        await door.stores.bindings.purge()
    assert waits[-1] == LONGEST_LOCK_S
    again = await refused(door.prove(await somebody(door, 99), factor=HER_CARD, address="192.0.2.1"))
    assert again.wait_s == LONGEST_LOCK_S


async def test_unknown_number_and_wrong_factor_do_the_same_work_and_take_the_same_time(make_door: MakeDoor) -> None:
    work = []
    for id_number in (ID_NUMBER, NOBODYS_ID):
        door = make_door()
        sign_in = await door.opened()
        door.hashes.made = 0
        await refused(door.prove(sign_in, id_number, HER_CARD))
        work.append((door.hashes.made, list(door.fund.calls), len(door.pauses)))
    assert work[0] == work[1]
    assert work[0][1] == ["identify"]


async def test_locked_persons_are_answered_alike_whether_they_exist_or_not(make_door: MakeDoor) -> None:
    work = []
    for id_number in (ID_NUMBER, NOBODYS_ID):
        door = make_door()
        for n in range(5):
            await refused(door.prove(await somebody(door, n), id_number, HER_CARD))
        sign_in = await somebody(door, 9)
        door.hashes.made = 0
        refusal = await refused(door.prove(sign_in, id_number, HER_CARD))
        work.append((refusal.reason, refusal.wait_s, door.hashes.made, len(door.fund.calls)))
    assert work[0] == work[1]
    assert work[0][0] is Refusal.LOCKED


async def test_mismatch_and_lock_are_answered_after_the_same_half_second(door: Door) -> None:
    sign_in = await door.opened()
    for _ in range(6):
        await refused(door.prove(sign_in, factor=HER_CARD))
    assert len(door.pauses) == 6
    assert all(0 < pause <= REFUSED_AFTER_S for pause in door.pauses)


async def test_a_locked_contact_is_told_before_it_types_anything(door: Door) -> None:
    call = await door.conversation(ChannelName.VOICE, PHONE, call="CA1")
    sign_in = await door.service.begin_keypad(call, Purpose.BIND)
    for _ in range(5):
        await refused(door.prove(sign_in, factor=HER_CARD, browser="keypad", address=""))
    refusal = await refused(door.service.begin_keypad(call, Purpose.BIND))
    assert (refusal.reason, refusal.wait_s) == (Refusal.LOCKED, 60)


async def test_wrong_attempts_stand_in_the_audit_trail_without_the_number(door: Door) -> None:
    await refused(door.prove(await door.opened(), factor=HER_CARD))
    (row,) = await door.audit.rows()
    assert (row.entry.action, row.entry.subject) == ("identity.refused", "")
    assert row.entry.detail == {"reason": "mismatch", "locked_s": 0}
    assert ID_NUMBER not in str(row)


async def test_the_same_number_typed_in_another_way_is_the_same_person(door: Door) -> None:
    spellings = [ID_NUMBER, f" {ID_NUMBER}", f"{ID_NUMBER[:6]} {ID_NUMBER[6:]}", f"{ID_NUMBER[:6]}-{ID_NUMBER[6:]}"]
    for n, spelling in enumerate([*spellings, ID_NUMBER]):
        await refused(door.prove(await somebody(door, n), spelling, HER_CARD))
    assert await reason(door.prove(await somebody(door, 9), ID_NUMBER, CARD)) is Refusal.LOCKED


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_subscriber_is_one_address(address: str, whose: str) -> None:
    assert network(address) == whose


async def test_two_right_attempts_at_once_both_go_through(door: Door) -> None:
    first, second = await somebody(door, 1), await somebody(door, 2)
    results = await asyncio.gather(door.prove(first), door.prove(second, HER_ID, HER_CARD))
    assert all(isinstance(result, CodeSent) for result in results)
