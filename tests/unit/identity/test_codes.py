"""Codes by SMS: how many, how long, how often, and for whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.clock import SHANGHAI
from hotline.domain.identity import CodeSent, IdentityRefused, Level, Refusal, SignIn
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from hotline.identity_store import CodeLimits
from hotline.ports import SendError, SendReason
from hotline.services.codes import free_at
from tests.unit.identity.conftest import MakeDoor
from tests.unit.identity.kit import BROWSER, HER_CARD, HER_ID, PHONE, START, Door, reason, refused

pytestmark = pytest.mark.anyio

USUAL = CodeLimits(per_minute=1, per_hour=5, per_day=10)
AWAY = SendError(SendReason.CONNECTION, "away", retryable=True)


async def waiting(door: Door) -> SignIn:
    """A sign-in whose code is on its way."""
    sign_in = await door.opened()
    await door.prove(sign_in)
    return sign_in


async def test_a_code_is_six_digits_and_never_the_same_for_long(make_door: MakeDoor) -> None:
    door = make_door(codes_per_minute=50, codes_per_hour=50, codes_per_day=50)
    sign_in = await door.opened()
    for _ in range(8):
        await door.prove(sign_in)
    assert len({text for _, text in door.phone.texts}) >= 7


async def test_a_code_typed_in_full_width_with_blanks_is_the_code(door: Door) -> None:
    sign_in = await waiting(door)
    wide = door.phone.code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert (await door.confirm(sign_in, f" {wide[:3]} {wide[3:]} ")).level is Level.PROVEN


async def test_a_code_counts_for_five_minutes(door: Door) -> None:
    sign_in = await waiting(door)
    door.later(minutes=5)
    assert await reason(door.confirm(sign_in)) is Refusal.CODE_EXPIRED
    assert door.told == []


async def test_a_code_that_has_expired_can_be_sent_again(door: Door) -> None:
    sign_in = await waiting(door)
    door.later(minutes=5, seconds=1)
    await door.stores.bindings.purge()
    await door.service.send_again(sign_in.session, browser=BROWSER)
    assert (await door.confirm(sign_in)).level is Level.PROVEN


async def test_five_wrong_tries_end_a_code(door: Door) -> None:
    sign_in = await waiting(door)
    left = [(await refused(door.confirm(sign_in, door.phone.wrong_code))).attempts_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert await reason(door.confirm(sign_in)) is Refusal.CODE_EXPIRED


async def test_many_tries_at_once_are_five(door: Door) -> None:
    sign_in = await waiting(door)
    wrong = door.phone.wrong_code
    results = await asyncio.gather(*(door.confirm(sign_in, wrong) for _ in range(20)), return_exceptions=True)
    reasons = [result.reason for result in results if isinstance(result, IdentityRefused)]
    assert sorted(reasons) == [Refusal.CODE_EXPIRED] * 15 + [Refusal.WRONG_CODE] * 5


async def test_what_is_no_code_is_no_try(door: Door) -> None:
    sign_in = await waiting(door)
    for typed in ("", "12345", "1234567", "abcdef", "我没收到"):
        refusal = await refused(door.service.confirm(sign_in.session, browser=BROWSER, code=typed))
        assert (refusal.reason, refusal.attempts_left) == (Refusal.WRONG_CODE, None)
    assert (await refused(door.confirm(sign_in, door.phone.wrong_code))).attempts_left == 4


async def test_a_code_is_used_once(door: Door) -> None:
    sign_in = await waiting(door)
    code = door.phone.code
    await door.confirm(sign_in)
    door.later(minutes=1)
    other = await waiting(door)
    if door.phone.code != code:
        assert await reason(door.confirm(other, code)) is Refusal.WRONG_CODE
    assert await reason(door.confirm(sign_in, code)) in (Refusal.LINK_USED, Refusal.LINK_EXPIRED)


async def test_a_code_of_one_sign_in_is_none_of_anothers(door: Door) -> None:
    mine = await waiting(door)
    code = door.phone.code
    conversation = await door.conversation(ChannelName.SMS, PHONE)
    hers = await door.opened(conversation)
    await door.prove(hers, HER_ID, HER_CARD)
    if door.phone.code != code:
        assert await reason(door.confirm(hers, code)) is Refusal.WRONG_CODE
    assert (await door.confirm(mine, code)).person_no == "P000001"


async def test_sending_again_ends_the_older_code(door: Door) -> None:
    sign_in = await waiting(door)
    older = door.phone.code
    door.later(minutes=1)
    await door.service.send_again(sign_in.session, browser=BROWSER)
    if door.phone.code != older:
        assert await reason(door.confirm(sign_in, older)) is Refusal.WRONG_CODE
    assert (await door.confirm(sign_in)).level is Level.PROVEN


async def test_before_a_code_there_is_none_to_send_again_and_none_to_confirm(door: Door) -> None:
    sign_in = await door.opened()
    assert await reason(door.service.send_again(sign_in.session, browser=BROWSER)) is Refusal.LINK_EXPIRED
    assert await reason(door.service.confirm(sign_in.session, browser=BROWSER, code="123456")) is Refusal.CODE_EXPIRED


async def test_one_code_a_minute_five_an_hour_ten_a_day(door: Door) -> None:
    sent: list[datetime] = []
    while len(sent) < 11:
        (result,) = await asyncio.gather(door.prove(await door.opened()), return_exceptions=True)
        if isinstance(result, IdentityRefused) and result.reason is Refusal.TOO_MANY_CODES:
            door.later(seconds=result.wait_s)
        else:
            assert isinstance(result, CodeSent)
            sent.append(door.now)
    assert [(at - START).total_seconds() for at in sent[:5]] == [0, 55, 115, 175, 235]
    assert [at.astimezone(SHANGHAI).hour for at in sent] == [10] * 5 + [11] * 5 + [10]
    assert sent[10] == sent[0] + timedelta(days=1)
    assert len(door.phone.texts) == 11


async def test_the_limits_hold_for_a_number_whoever_asks_and_from_wherever(door: Door) -> None:
    await waiting(door)
    elsewhere = await door.opened(await door.conversation(ChannelName.SMS, PHONE))
    refusal = await refused(door.prove(elsewhere))
    assert (refusal.reason, refusal.wait_s) == (Refusal.TOO_MANY_CODES, 55)
    await door.prove(elsewhere, HER_ID, HER_CARD)


async def test_of_many_codes_asked_for_at_once_one_is_sent(door: Door) -> None:
    sign_in = await door.opened()
    results = await asyncio.gather(*(door.prove(sign_in) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, CodeSent) for result in results) == 1
    assert len(door.phone.texts) == 1


async def test_the_page_is_told_when_it_may_ask_again(door: Door) -> None:
    sent = await door.prove(await door.opened())
    assert sent.again_after_s == 55
    door.later(seconds=sent.again_after_s)
    await waiting(door)


@pytest.mark.parametrize("error", [AWAY, TemporaryError("away")])
async def test_a_code_that_was_not_sent_uses_nothing_up(door: Door, error: Exception) -> None:
    sign_in = await door.opened()
    door.phone.error = error
    for _ in range(6):
        assert await reason(door.prove(sign_in)) is Refusal.CODE_NOT_SENT
    door.phone.error = None
    await door.prove(sign_in)
    assert (await door.confirm(sign_in)).level is Level.PROVEN


async def test_a_code_that_may_have_been_sent_counts_and_can_be_used(door: Door) -> None:
    sign_in = await door.opened()
    door.phone.error = SendError(SendReason.CONNECTION, "time limit", retryable=False, unknown=True)
    await door.prove(sign_in)
    assert await reason(door.prove(sign_in)) is Refusal.TOO_MANY_CODES


async def test_when_sending_again_fails_the_older_code_still_counts(door: Door) -> None:
    sign_in = await waiting(door)
    door.later(minutes=1)
    door.phone.error = AWAY
    assert await reason(door.service.send_again(sign_in.session, browser=BROWSER)) is Refusal.CODE_NOT_SENT
    assert (await door.confirm(sign_in)).level is Level.PROVEN


@pytest.mark.parametrize("hindrance", ["not_sent", "too_many"])
async def test_ones_own_code_never_proves_the_other_whose_code_could_not_be_sent(door: Door, hindrance: str) -> None:
    if hindrance == "too_many":
        hers = await door.opened(await door.conversation(ChannelName.SMS, PHONE))
        await door.prove(hers, HER_ID, HER_CARD)
    sign_in = await waiting(door)
    own = door.phone.code
    door.phone.error = AWAY if hindrance == "not_sent" else None
    await refused(door.prove(sign_in, HER_ID, HER_CARD))
    assert (await door.confirm(sign_in, own)).person_no == "P000001"


async def test_ones_own_code_is_of_no_use_after_proving_another(door: Door) -> None:
    sign_in = await waiting(door)
    own = door.phone.code
    await door.prove(sign_in, HER_ID, HER_CARD)
    if door.phone.code != own:
        assert await reason(door.confirm(sign_in, own)) is Refusal.WRONG_CODE
    assert (await door.confirm(sign_in)).person_no == "P000002"


moments = st.lists(st.integers(0, 2 * 24 * 3600), max_size=25).map(
    lambda seconds: [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=each) for each in sorted(seconds)]
)


@given(moments, st.integers(0, 3 * 24 * 3600))
def test_a_code_waits_no_longer_than_the_windows_ask_and_never_less(sent: list[datetime], after_s: int) -> None:
    now = (sent[-1] if sent else datetime(2026, 3, 2, tzinfo=UTC)) + timedelta(seconds=after_s)
    free = free_at(sent, now, USUAL)
    assert now <= free <= now + timedelta(days=1)
    assert allowed(sent, free)
    assert free == now or not allowed(sent, free - timedelta(microseconds=1))


def allowed(sent: list[datetime], moment: datetime) -> bool:
    """The windows, counted the plain way."""

    def in_window(form: str) -> int:
        name = moment.astimezone(SHANGHAI).strftime(form)
        return sum(at.astimezone(SHANGHAI).strftime(form) == name for at in sent)

    day = sum(moment - timedelta(days=1) < at for at in sent)
    return in_window("%Y%m%d%H%M") < 1 and in_window("%Y%m%d%H") < 5 and day < 10
