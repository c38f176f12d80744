"""Identity's storage contract, on every database it runs on: what holds when many processes come at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hotline.domain.identity import Contact, IdentityRefused, Known, Level, Purpose, Refusal, SignIn
from hotline.domain.messages import ChannelName
from hotline.identity_store import AttemptKey, Bound, Candidate, CodeLimits, NewCode
from hotline.privacy.ciphers import FieldCipher, Unreadable
from hotline.privacy.hashes import LookupHash
from hotline.storage.database import Database
from hotline.storage.identity import identity_stores
from hotline.storage.migrate import config, migrate
from hotline.storage.rotation import rehash, rotate
from hotline.storage.tables import attempts, bindings, codes, contacts, persons, proofs, sign_ins
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS
from tests.unit.identity.kit import (
    ADDRESS,
    BROWSER,
    HER_CARD,
    HER_ID,
    ID_NUMBER,
    OPENID,
    PHONE,
    VISITOR,
    Door,
    reason,
    refused,
    token,
)

pytestmark = pytest.mark.anyio

GENEROUS = CodeLimits(per_minute=100, per_hour=100, per_day=100)
HIM = Candidate(person_no="P000001", id_number=ID_NUMBER, mobile="13800135678", name_masked="陈**", consent="2026-01")


@pytest.fixture(params=KINDS)
async def door(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> AsyncIterator[Door]:
    async with migrated(request.param, tmp_path) as url:
        database = Database(url)
        made = Door(database, tmp_path)
        made.url = url
        yield made
        await database.close()


async def count(door: Door, table: object, *which: object) -> int:
    async with door.database.read() as connection:
        query = select(func.count()).select_from(table).where(*which)  # type: ignore[arg-type]
        return int(await connection.scalar(query) or 0)


def reasons(results: Iterable[object]) -> list[Refusal]:
    return sorted(result.reason for result in results if isinstance(result, IdentityRefused))


async def new_code(door: Door, sign_in: SignIn, code_id: str, candidate: Candidate = HIM) -> NewCode:
    """A code that has been reserved."""
    made = NewCode(
        code_id=code_id,
        session=sign_in.session,
        code_hash="0" * 64,
        mobile_hash=door.hashes.of("mobile", candidate.mobile),
        candidate=candidate,
        expires_at=door.now + timedelta(minutes=5),
        sign_in_until=door.now + timedelta(minutes=15),
    )
    await door.stores.sign_ins.reserve_code(made, GENEROUS)
    return made


async def complete(door: Door, sign_in: SignIn, code_id: str) -> Bound:
    return await door.stores.bindings.complete(sign_in.session, code_id, proven_for=timedelta(minutes=10))


async def test_the_migrations_and_the_tables_say_the_same(door: Door) -> None:
    await asyncio.to_thread(command.check, config(door.url))


async def test_the_migration_can_be_taken_back_and_made_again(door: Door) -> None:
    await door.signed_in()
    await door.database.close()
    await asyncio.to_thread(command.downgrade, config(door.url), "0002")
    await asyncio.to_thread(migrate, door.url)
    assert await door.service.known(door.wechat()) is None
    assert (await door.signed_in()).level is Level.PROVEN


async def test_the_whole_way_on_every_database(door: Door) -> None:
    conversation = await door.conversation()
    known = await door.signed_in(conversation)
    assert await door.service.known_in(conversation) == known
    assert await door.actions() == ["identity.consented", "identity.bound", "identity.proven"]
    door.later(minutes=11)
    step_up = await door.signed_in(conversation, purpose=Purpose.STEP_UP)
    assert step_up == replace(known, proven_until=door.now + timedelta(minutes=10))
    assert await door.service.unbind_in(conversation)
    assert await door.service.known_in(conversation) is None


async def test_of_many_browsers_that_open_one_link_one_has_it(door: Door) -> None:
    link = token(await door.service.link(await door.conversation(ChannelName.SMS, PHONE), Purpose.BIND))
    racing = [door.service.open_link(link, browser=f"browser-{n}", address=ADDRESS) for n in range(8)]
    results = await asyncio.gather(*racing, return_exceptions=True)
    assert sum(isinstance(result, SignIn) for result in results) == 1
    assert reasons(results) == [Refusal.OTHER_BROWSER] * 7


async def test_of_links_made_at_once_one_is_good(door: Door) -> None:
    conversation = await door.conversation()
    links = await asyncio.gather(*(door.service.link(conversation, Purpose.BIND) for _ in range(6)))
    opening = (door.service.open_link(token(link), browser=BROWSER, address=ADDRESS, openid=OPENID) for link in links)
    results = await asyncio.gather(*opening, return_exceptions=True)
    assert reasons(results) == [Refusal.LINK_EXPIRED] * 5


async def test_many_guesses_at_once_are_counted_one_by_one(door: Door) -> None:
    sign_in = await door.opened()
    results = await asyncio.gather(*(door.prove(sign_in, factor=HER_CARD) for _ in range(12)), return_exceptions=True)
    assert reasons(results) == [Refusal.LOCKED] * 7 + [Refusal.MISMATCH] * 5
    assert len(door.fund.calls) == 5


async def test_two_who_count_the_same_keys_in_another_order_do_not_wait_for_each_other(door: Door) -> None:
    keys = [AttemptKey(kind=kind, key_hash=kind * 8, allowed=1000) for kind in ("person", "contact", "address")]
    both = [door.stores.attempts.charge(order) for order in (keys, keys[::-1]) for _ in range(10)]
    assert all(charge.counted for charge in await asyncio.gather(*both))
    await asyncio.gather(*(door.stores.attempts.refund(order) for order in (keys, keys[::-1]) for _ in range(9)))
    assert (await door.stores.attempts.charge(keys)).left == 997


async def test_of_codes_asked_for_at_once_for_one_number_one_is_sent(door: Door) -> None:
    sign_ins = [await door.opened(await door.conversation(ChannelName.SMS, f"+861380000{n:04}")) for n in range(4)]
    await asyncio.gather(*(door.prove(each) for each in sign_ins), return_exceptions=True)
    assert len(door.phone.texts) == 1


async def test_tries_at_once_are_no_more_than_a_code_has(door: Door) -> None:
    sign_in = await door.opened()
    await door.prove(sign_in)
    wrong = door.phone.wrong_code
    results = await asyncio.gather(*(door.confirm(sign_in, wrong) for _ in range(9)), return_exceptions=True)
    assert reasons(results) == [Refusal.CODE_EXPIRED] * 4 + [Refusal.WRONG_CODE] * 5


async def test_confirming_at_once_proves_once(door: Door) -> None:
    sign_in = await door.opened()
    await door.prove(sign_in)
    code = door.phone.code
    results = await asyncio.gather(*(door.confirm(sign_in, code) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Known) for result in results) == 1
    assert (await door.actions()).count("identity.proven") == 1


async def test_one_person_who_registers_on_two_channels_at_once_is_one_person(door: Door) -> None:
    on_wechat = await door.opened()
    by_sms = await door.opened(await door.conversation(ChannelName.SMS, PHONE))
    await new_code(door, on_wechat, "code-1")
    await new_code(door, by_sms, "code-2")
    one, two = await asyncio.gather(complete(door, on_wechat, "code-1"), complete(door, by_sms, "code-2"))
    assert one.person_id == two.person_id
    assert await count(door, persons) == 1
    assert (await door.audit.verify()).fault is None


async def test_one_contact_proven_for_two_persons_at_once_is_bound_to_one(door: Door) -> None:
    calls = [await door.conversation(ChannelName.VOICE, PHONE, call=call) for call in ("CA1", "CA2")]
    his, hers = [await door.service.begin_keypad(call, Purpose.BIND) for call in calls]
    await new_code(door, his, "code-1")
    await new_code(door, hers, "code-2", replace(HIM, person_no="P000002", id_number=HER_ID, mobile="13900000002"))
    await asyncio.gather(complete(door, his, "code-1"), complete(door, hers, "code-2"))
    assert await count(door, bindings, bindings.c.unbound_at.is_(None)) == 1
    assert await count(door, bindings) == 2
    assert (await door.actions()).count("identity.rebound") == 1


async def test_a_contact_has_one_open_binding_by_the_database_itself(door: Door) -> None:
    known = await door.signed_in()
    again = insert(bindings).values(channel="wechat", address=OPENID, person_id=known.person_id, bound_at=door.now)
    with pytest.raises(IntegrityError):
        await run(door, again)


async def run(door: Door, statement: object) -> None:
    async with door.database.write() as tx:
        await tx.execute(statement)  # type: ignore[call-overload]


async def test_nothing_has_happened_when_a_proof_is_refused_at_its_end(door: Door) -> None:
    conversation = await door.conversation()
    known = await door.signed_in(conversation)
    door.later(minutes=11)
    sign_in = await door.opened(conversation, purpose=Purpose.STEP_UP)
    await new_code(door, sign_in, "code-1", replace(HIM, person_no="P000002", id_number=HER_ID))
    assert await reason(complete(door, sign_in, "code-1")) is Refusal.ANOTHER_PERSON
    assert await count(door, persons) == 1
    now = await door.service.known(door.wechat())
    assert now
    assert (now.person_id, now.level) == (known.person_id, Level.BOUND)


async def test_two_registered_persons_whom_the_core_system_made_one_do_not_collide(door: Door) -> None:
    his = await door.signed_in()
    door.later(minutes=1)
    hers = await door.signed_in(id_number=HER_ID, factor=HER_CARD)
    sign_in = await door.opened()
    await new_code(door, sign_in, "code-1", replace(HIM, person_no="P000002"))
    merged = await complete(door, sign_in, "code-1")
    assert merged.person_id == hers.person_id != his.person_id
    assert await count(door, persons) == 2


async def test_a_person_with_a_new_number_in_the_core_system_is_found_by_his_id_number(door: Door) -> None:
    known = await door.signed_in()
    sign_in = await door.opened()
    await new_code(door, sign_in, "code-1", replace(HIM, person_no="P000099"))
    assert (await complete(door, sign_in, "code-1")).person_id == known.person_id
    now = await door.service.known(door.wechat())
    assert now
    assert now.person_no == "P000099"


async def test_what_has_expired_is_removed_and_nothing_else(door: Door) -> None:
    await door.signed_in()
    await refused(door.prove(await door.opened(), factor=HER_CARD))
    assert await door.stores.bindings.purge() == 0
    door.later(minutes=11)
    await door.stores.bindings.purge()
    assert await count(door, proofs) == 0
    assert await count(door, codes) == 1
    door.later(hours=26)
    assert await door.stores.bindings.purge() > 0
    left = [await count(door, table) for table in (codes, sign_ins, attempts)]
    assert left == [0, 0, 0]
    known = await door.service.known(door.wechat())
    assert known
    assert known.level is Level.BOUND


async def test_values_moved_to_another_row_cannot_be_read(door: Door) -> None:
    his = await door.signed_in()
    hers = await door.signed_in(id_number=HER_ID, factor=HER_CARD)
    async with door.database.read() as connection:
        his_no = await connection.scalar(select(persons.c.person_no).where(persons.c.id == his.person_id))
    await run(door, update(persons).where(persons.c.id == hers.person_id).values(person_no=his_no))
    with pytest.raises(Unreadable):
        await door.service.known(door.wechat())


async def test_rotation_seals_everything_anew_and_goes_on_where_it_was(door: Door) -> None:
    people = []
    for n in range(5):
        sign_in = await door.opened(await door.conversation(ChannelName.SMS, f"+861380000{n:04}"))
        candidate = replace(HIM, person_no=f"P{n}", id_number=f"number {n}", mobile=f"1390000000{n}")
        await new_code(door, sign_in, f"code-{n}", candidate)
        people.append((await complete(door, sign_in, f"code-{n}")).person_id)
    await door.prove(await door.opened())
    new = FieldCipher({2: bytes(range(1, 33)), 1: bytes(range(32))}, cipher="sm4-gcm")
    first = await anext(rotate(door.database, new, batch=2))
    assert (first.table, first.done, first.left) == ("persons", 2, 3)
    rest = [batch async for batch in rotate(door.database, new, batch=2)]
    assert [(batch.table, batch.done, batch.left) for batch in rest] == [
        ("persons", 2, 1),
        ("persons", 1, 0),
        ("codes", 1, 0),
    ]
    alone = FieldCipher({2: bytes(range(1, 33))}, cipher="aes-256-gcm")
    stores = identity_stores(door.database, cipher=alone, hashes=door.hashes, audit=door.audit, clock=door.clock)
    numbers = {person.id_number for person in [await stores.bindings.registered(each) for each in people] if person}
    assert numbers == {f"number {n}" for n in range(5)}
    assert [batch async for batch in rotate(door.database, new)] == []


async def test_rotation_without_the_older_key_changes_nothing(door: Door) -> None:
    known = await door.signed_in()
    without = FieldCipher({2: bytes(32)}, cipher="aes-256-gcm")
    with pytest.raises(Unreadable):
        await anext(rotate(door.database, without))
    assert await door.service.known(door.wechat()) == known


async def test_persons_are_found_by_a_new_lookup_key_once_they_are_hashed_anew(door: Door) -> None:
    known = await door.signed_in()
    new = LookupHash(b"another key", algorithm="sha256")
    assert await rehash(door.database, door.cipher, new, batch=1) == 1
    assert await rehash(door.database, door.cipher, new) == 0
    stores = identity_stores(door.database, cipher=door.cipher, hashes=new, audit=door.audit, clock=door.clock)
    sign_in = await door.opened()
    await new_code(door, sign_in, "code-1")
    bound = await stores.bindings.complete(sign_in.session, "code-1", proven_for=timedelta(minutes=10))
    assert bound.person_id == known.person_id


async def test_only_this_contact_is_unbound(door: Door) -> None:
    known = await door.signed_in()
    web = Contact(channel=ChannelName.WEB, address=VISITOR)
    assert not await door.stores.bindings.unbind(web)
    assert await door.stores.bindings.unbind_all("nobody") == 0
    assert await door.service.known(door.wechat()) == known


async def test_all_contacts_of_a_person_are_found_in_what_was_said(door: Door) -> None:
    known = await door.signed_in()
    door.later(minutes=2)  # one code a minute
    await door.signed_in(await door.conversation(ChannelName.SMS, PHONE))
    await door.conversation(ChannelName.WEB, VISITOR)
    both = await door.stores.bindings.contact_ids_of(known.person_id)
    assert both == [await contact_id(door, OPENID), await contact_id(door, PHONE)]
    await door.service.unbind(door.wechat())
    assert await door.stores.bindings.contact_ids_of(known.person_id) == both[1:]
    assert await door.stores.bindings.contact_ids_of("nobody") == []


async def contact_id(door: Door, address: str) -> int:
    async with door.database.read() as connection:
        return int(await connection.scalar(select(contacts.c.id).where(contacts.c.address == address)) or 0)


async def test_an_erased_person_is_nobody_and_may_register_again(door: Door) -> None:
    known = await door.signed_in()
    assert await door.stores.bindings.erase(known.person_id, staff="lin", reason="asked at the counter")
    assert await door.stores.bindings.contacts_of(known.person_id) == []
    left = await door.stores.bindings.registered(known.person_id)
    assert left is not None
    assert (left.id_number, left.mobile, left.person_no, left.name_masked) == ("", "", "", "*")
    assert (await door.audit.newest(limit=1))[0].entry.action == "person.erased"
    door.later(minutes=2)  # one code a minute
    again = await door.signed_in()
    assert again.person_id != known.person_id
    assert not await door.stores.bindings.erase("nobody", staff="lin", reason="asked at the counter")
