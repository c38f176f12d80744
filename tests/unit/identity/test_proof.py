"""What a proof brings about, for whom, and for how long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hotline.domain.identity import Contact, Known, Level, Purpose, Refusal
from hotline.domain.messages import ChannelName
from hotline.services.identity_wording import notice
from hotline.storage.tables import bindings, consents, persons
from tests.fake_fund import a_person
from tests.unit.identity.kit import (
    ADDRESS,
    BROWSER,
    CARD,
    HER_CARD,
    HER_ID,
    ID_NUMBER,
    NOBODYS_ID,
    VISITOR,
    Door,
    reason,
    refused,
    token,
)

pytestmark = pytest.mark.anyio


async def rows(door: Door, table: object) -> int:
    async with door.database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


async def web_sign_in(door: Door, id_number: str = ID_NUMBER, factor: str = CARD) -> Known:
    link = await door.service.link(await door.conversation(ChannelName.WEB, VISITOR), Purpose.BIND)
    sign_in = await door.service.open_link(token(link), browser=VISITOR, address=ADDRESS)
    await door.prove(sign_in, id_number, factor, browser=VISITOR)
    return await door.confirm(sign_in, browser=VISITOR)


async def test_nobody_is_known_before_a_proof(door: Door) -> None:
    assert await door.service.known(door.wechat()) is None
    assert await door.service.known_in(await door.conversation()) is None


async def test_a_first_proof_registers_binds_proves_and_says_so(door: Door) -> None:
    conversation = await door.conversation()
    known = await door.signed_in(conversation)
    assert (known.person_no, known.name_masked, known.level) == ("P000001", "陈**", Level.PROVEN)
    assert known.proven_until == door.now + timedelta(minutes=10)
    assert await door.service.known(door.wechat()) == known
    assert await door.service.known_in(conversation) == known
    assert door.told == [(conversation, known)]
    assert await door.actions() == ["identity.consented", "identity.bound", "identity.proven"]
    (registered,) = [await door.stores.bindings.registered(known.person_id)]
    assert registered
    assert (registered.id_number, registered.mobile) == (ID_NUMBER, "13800135678")


async def test_a_proof_ends_by_itself_and_the_binding_stays(door: Door) -> None:
    known = await door.signed_in()
    door.later(minutes=10)
    later = await door.service.known(door.wechat())
    assert later
    assert (later.level, later.proven_until, later.person_id) == (Level.BOUND, None, known.person_id)


async def test_the_code_goes_to_the_number_on_record_and_says_what_it_is_for(door: Door) -> None:
    sent = await door.prove(await door.opened())
    ((mobile, text),) = door.phone.texts
    assert mobile == "13800135678"
    assert sent.mobile_masked == "138****5678"
    assert sent.expires_at == door.now + timedelta(minutes=5)
    assert "5分钟" in text
    assert "微信" in text
    assert "不要告诉任何人" in text
    assert len(text) <= 70 - len("【广州公积金中心】")


async def test_a_person_known_on_one_channel_is_the_same_person_on_another(door: Door) -> None:
    on_wechat = await door.signed_in()
    door.later(minutes=1)
    on_web = await web_sign_in(door, factor="246813")
    assert on_web.person_id == on_wechat.person_id
    assert await rows(door, persons) == 1
    assert await rows(door, bindings) == 2


async def test_consent_is_needed_before_anything_is_asked_of_the_core_system(door: Door) -> None:
    sign_in = await door.opened()
    assert sign_in.consent_needed
    assert await reason(door.prove(sign_in, consent=False)) is Refusal.NO_CONSENT
    assert door.fund.calls == []
    assert door.phone.texts == []


async def test_a_step_up_asks_for_consent_only_when_the_notice_is_new(door: Door) -> None:
    conversation = await door.conversation()
    known = await door.signed_in(conversation)
    assert await door.stores.bindings.agreed(known.person_id, notice().version)
    door.later(minutes=11)
    sign_in = await door.opened(conversation, purpose=Purpose.STEP_UP)
    assert not sign_in.consent_needed
    await door.prove(sign_in, consent=False)
    assert (await door.confirm(sign_in)).level is Level.PROVEN
    assert await rows(door, consents) == 1
    assert not await door.stores.bindings.agreed(known.person_id, "a newer one")


async def test_agreeing_again_leaves_one_consent(door: Door) -> None:
    await door.signed_in()
    door.later(minutes=1)
    await door.signed_in()
    assert await rows(door, consents) == 1
    assert (await door.actions()).count("identity.consented") == 1


async def test_binding_for_another_person_needs_his_own_consent(door: Door) -> None:
    await door.signed_in()
    door.later(minutes=1)
    sign_in = await door.opened()
    assert await reason(door.prove(sign_in, HER_ID, HER_CARD, consent=False)) is Refusal.NO_CONSENT


async def test_a_step_up_must_prove_the_same_person(door: Door) -> None:
    conversation = await door.conversation()
    known = await door.signed_in(conversation)
    door.later(minutes=11)
    sign_in = await door.opened(conversation, purpose=Purpose.STEP_UP)
    texts = len(door.phone.texts)
    assert await reason(door.prove(sign_in, HER_ID, HER_CARD)) is Refusal.ANOTHER_PERSON
    assert len(door.phone.texts) == texts
    assert (await door.service.known(door.wechat())) == await door.service.known_in(conversation)
    still = await door.service.known(door.wechat())
    assert still
    assert (still.person_id, still.level) == (known.person_id, Level.BOUND)


async def test_a_contact_rebound_between_code_and_step_up_stays_with_the_new_person(door: Door) -> None:
    first = await door.conversation(ChannelName.VOICE, "+8613800135678", call="CA1")
    second = await door.conversation(ChannelName.VOICE, "+8613800135678", call="CA2")
    his = await door.service.begin_keypad(first, Purpose.BIND)
    await door.prove(his, browser="keypad")
    await door.confirm(his, browser="keypad")
    door.later(minutes=1)
    step_up = await door.service.begin_keypad(first, Purpose.STEP_UP)
    await door.prove(step_up, browser="keypad")
    code = door.phone.code
    hers = await door.service.begin_keypad(second, Purpose.BIND)
    await door.prove(hers, HER_ID, HER_CARD, browser="keypad")
    her = await door.confirm(hers, browser="keypad")
    assert await reason(door.confirm(step_up, code, browser="keypad")) is Refusal.ANOTHER_PERSON
    now = await door.service.known_in(second)
    assert now
    assert now.person_id == her.person_id


async def test_a_contact_may_be_bound_anew_after_a_full_proof_and_it_is_written_down(door: Door) -> None:
    his = await door.signed_in()
    hers = await door.signed_in(id_number=HER_ID, factor=HER_CARD)
    assert hers.person_id != his.person_id
    known = await door.service.known(door.wechat())
    assert known
    assert known.person_id == hers.person_id
    (rebound,) = [row.entry for row in await door.audit.rows() if row.entry.action == "identity.rebound"]
    assert rebound.detail == {"reference": his.person_id}


async def test_every_mismatch_is_the_same_whatever_is_wrong(door: Door) -> None:
    sign_in = await door.opened()
    unknown_id = await refused(door.prove(sign_in, NOBODYS_ID, CARD))
    door.later(minutes=30)
    other = await door.opened(await door.conversation(address="o-2"), openid="o-2")
    wrong_card = await refused(door.prove(other, ID_NUMBER, HER_CARD))
    for each in (unknown_id, wrong_card):
        assert (each.reason, each.wait_s, each.attempts_left) == (Refusal.MISMATCH, 0, 4)
    assert door.phone.texts == []


async def test_what_cannot_be_right_is_not_asked_and_does_not_count(door: Door) -> None:
    sign_in = await door.opened()
    for _ in range(10):
        assert await reason(door.prove(sign_in, "440106199003072016")) is Refusal.MALFORMED_ID
        assert await reason(door.prove(sign_in, factor="6217003320001234568")) is Refusal.MALFORMED_FACTOR
        assert await reason(door.prove(sign_in, factor="12345")) is Refusal.MALFORMED_FACTOR
    assert door.fund.calls == []
    await door.prove(sign_in)


async def test_without_a_number_on_record_no_code_is_sent(door: Door) -> None:
    door.fund.add(a_person(mobile=""))
    assert await reason(door.prove(await door.opened())) is Refusal.NO_MOBILE


async def test_the_core_system_away_counts_as_nothing(door: Door) -> None:
    sign_in = await door.opened()
    door.fund.away = True
    for _ in range(6):
        assert await reason(door.prove(sign_in)) is Refusal.CORE_AWAY
    door.fund.away = False
    await door.prove(sign_in)


async def test_a_proof_stands_even_when_the_conversation_cannot_be_told(door: Door) -> None:
    door.deaf = True
    assert (await door.signed_in()).level is Level.PROVEN


async def test_unbinding_ends_this_contact_and_no_other(door: Door) -> None:
    await door.signed_in()
    door.later(minutes=1)
    await web_sign_in(door)
    assert await door.service.unbind(door.wechat())
    assert not await door.service.unbind(door.wechat())
    assert await door.service.known(door.wechat()) is None
    on_web = await door.service.known(Contact(channel=ChannelName.WEB, address=VISITOR))
    assert on_web
    assert on_web.level is Level.PROVEN


async def test_bound_again_after_unbinding_nothing_of_the_old_proof_is_left(door: Door) -> None:
    known = await door.signed_in()
    await door.service.unbind(door.wechat())
    door.later(minutes=1)
    again = await door.signed_in()
    assert again.person_id == known.person_id
    assert (await door.actions()).count("identity.bound") == 2


async def test_all_of_a_persons_contacts_are_unbound_together(door: Door) -> None:
    known = await door.signed_in()
    door.later(minutes=1)
    await web_sign_in(door)
    assert await door.service.unbind_all(known.person_id) == 2
    assert await door.service.unbind_all(known.person_id) == 0
    assert (await door.actions()).count("identity.unbound") == 2
    assert await door.service.known(Contact(channel=ChannelName.WEB, address=VISITOR)) is None


async def test_confirming_twice_at_once_proves_once(door: Door) -> None:
    sign_in = await door.opened()
    await door.prove(sign_in)
    code = door.phone.code
    results = await asyncio.gather(
        *(door.service.confirm(sign_in.session, browser=BROWSER, code=code) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, Known) for result in results) == 1
    assert len(door.told) == 1
    assert (await door.actions()).count("identity.proven") == 1


async def test_who_the_core_system_knows_by_a_new_number_stays_the_same_person(door: Door) -> None:
    known = await door.signed_in()
    door.fund.add(a_person(mobile="13700000007"))
    door.later(minutes=1)
    again = await door.signed_in()
    registered = await door.stores.bindings.registered(known.person_id)
    assert registered
    assert (again.person_id, registered.mobile) == (known.person_id, "13700000007")
