"""Telephone calls, their marks and recordings, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hotline.call_store import CallEnding, CallMark, CallRecord, Gap, RecordingRow
from hotline.domain.messages import ChannelName, Outcome
from hotline.privacy.ciphers import FieldCipher
from hotline.services.calls.figures import day_in_china
from hotline.services.calls.recorder import place_of
from hotline.storage.calls import BATCH
from hotline.storage.rotation import rotate
from tests.contract.storage.call_kit import A_DAY, NIGHT, NUMBER, Telephone
from tests.contract.storage.desk_kit import Desk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def phone(desk: Desk) -> Telephone:
    return Telephone(desk)


@pytest.fixture
async def elsewhere(other: Desk) -> Telephone:
    """Another process."""
    return Telephone(other)


async def test_a_call_is_found_by_its_conversation_with_all_that_was_noted(phone: Telephone) -> None:
    began_at = phone.desk.clock()
    await phone.rings()
    conversation_id = await phone.talks()
    ended_at = phone.desk.clock.later(60)
    await phone.calls.mark("k1", CallMark.AGENT_RINGS, staff="a1", extension="8001")
    await phone.calls.end("k1", CallEnding.US)
    found = await phone.record(conversation_id)
    assert found == CallRecord(
        id="k1",
        line="sip",
        caller_masked="****8000",
        conversation_id=conversation_id,
        began_at=began_at,
        ended_at=ended_at,
        ending=CallEnding.US,
        marks=found.marks,
        has_recording=False,
    )
    assert [(each.mark, each.at, each.detail) for each in found.marks] == [
        (CallMark.CONNECTED, began_at, {}),
        (CallMark.AGENT_RINGS, ended_at, {"staff": "a1", "extension": "8001"}),
    ]
    assert await phone.calls.of_conversation("nobody's") is None


async def test_of_a_number_four_digits_and_a_hash_are_kept_and_it_is_one_number_however_it_comes(
    phone: Telephone,
) -> None:
    for call_id, number in (("k1", NUMBER), ("k2", f"+86{NUMBER}"), ("k3", f"0086 {NUMBER}"), ("k4", "8001")):
        await phone.rings(call_id, number)
    rows = await phone.desk.rows("SELECT caller_masked, caller_hash, called FROM calls ORDER BY id")
    assert [row[0] for row in rows] == ["****8000"] * 3 + ["****"]
    assert len({row[1] for row in rows}) == 2
    assert {row[2] for row in rows} == {"12329"}
    assert NUMBER[:-4] not in str(await phone.desk.rows("SELECT * FROM calls"))


async def test_two_calls_from_withheld_numbers_are_kept_apart(phone: Telephone) -> None:
    await phone.rings("k1", "")
    await phone.rings("k2", "")
    first, second = await phone.talks("k1"), await phone.talks("k2")
    await phone.calls.mark("k2", CallMark.PERSON_WANTED)
    found = [await phone.record(each) for each in (first, second)]
    assert [(each.id, each.caller_masked, len(each.marks)) for each in found] == [("k1", "", 1), ("k2", "", 2)]
    assert await phone.desk.rows("SELECT DISTINCT caller_hash FROM calls") == [("",)]


async def test_every_write_is_safe_to_repeat(phone: Telephone) -> None:
    conversation_id = ""
    for _ in range(2):
        await phone.rings()
        conversation_id = conversation_id or await phone.talks()
        await phone.calls.belongs("k1", conversation_id)
        await phone.calls.mark("k1", CallMark.NO_INPUT, count=1)
        await phone.calls.mark("k1", CallMark.NO_INPUT, count=1)
    phone.desk.clock.later(5)
    await phone.calls.end("k1", CallEnding.CALLER)
    phone.desk.clock.later(5)
    before = await phone.told()
    await phone.calls.end("k1", CallEnding.LOST)
    found = await phone.record(conversation_id)
    assert (found.ending, (found.ended_at or found.began_at) - found.began_at) == (
        CallEnding.CALLER,
        timedelta(seconds=5),
    )
    assert [each.mark for each in found.marks].count(CallMark.NO_INPUT) == 1 + 1
    assert await phone.told() == before


async def test_what_happens_again_later_is_noted_again(phone: Telephone) -> None:
    await phone.rings()
    conversation_id = await phone.talks()
    for _ in range(3):
        phone.desk.clock.later(6)
        await phone.calls.mark("k1", CallMark.NO_INPUT)
    assert [each.mark for each in (await phone.record(conversation_id)).marks][1:] == [CallMark.NO_INPUT] * 3


async def test_live_pages_are_told_of_what_happens_in_a_conversations_call(phone: Telephone) -> None:
    await phone.rings()
    assert await phone.told() == []
    conversation_id = await phone.talks()
    await phone.calls.mark("k1", CallMark.AGENT_RINGS, staff="a1", extension="8001")
    await phone.calls.end("k1", CallEnding.CALLER)
    assert await phone.told() == [
        {"conversation": conversation_id, "call": "k1"},
        {
            "conversation": conversation_id,
            "call": "k1",
            "mark": "agent_rings",
            "detail": {"staff": "a1", "extension": "8001"},
        },
        {"conversation": conversation_id, "call": "k1", "ending": "caller", "detail": {}},
    ]


async def test_an_end_that_comes_first_is_the_end_and_the_beginning_is_filled_in(phone: Telephone) -> None:
    began_at = phone.desk.clock()
    await phone.calls.end("k1", CallEnding.CALLER)
    phone.desk.clock.later(3)
    await phone.calls.mark("k1", CallMark.CONNECTED)
    await phone.calls.begin("k1", line="relay", caller=NUMBER, called="12329")
    found = await phone.record(await phone.talks())
    assert (found.line, found.caller_masked, found.began_at, found.ended_at) == (
        "relay",
        "****8000",
        began_at,
        began_at,
    )
    assert found.ending is CallEnding.CALLER


async def test_two_processes_number_the_marks_of_a_call_one_after_the_other(
    phone: Telephone, elsewhere: Telephone
) -> None:
    await phone.rings()
    conversation_id = await phone.talks()
    await asyncio.gather(
        *(each.calls.mark("k1", CallMark.BROKE_IN, heard=n) for n, each in enumerate((phone, elsewhere) * 10))
    )
    marks = (await phone.record(conversation_id)).marks
    assert sorted(each.detail["heard"] for each in marks[1:]) == list(range(20))
    seqs = await phone.desk.rows("SELECT seq FROM call_marks ORDER BY seq")
    assert seqs == [(each,) for each in range(1, 22)]


async def test_two_processes_that_hear_of_a_call_at_once_make_one_of_it(phone: Telephone, elsewhere: Telephone) -> None:
    await asyncio.gather(
        phone.calls.begin("k1", line="relay", caller=NUMBER, called="12329"),
        elsewhere.calls.end("k1", CallEnding.CALLER),
        elsewhere.calls.begin("k1", line="relay", caller=NUMBER, called="12329"),
    )
    assert await phone.desk.rows("SELECT line, ending FROM calls") == [("relay", "caller")]


async def test_calls_of_a_process_that_died_are_lost_when_they_were_last_heard_of(phone: Telephone) -> None:
    await phone.rings("k1")
    await phone.rings("k2", line="relay")
    await phone.rings("k3")
    await phone.calls.end("k3", CallEnding.CALLER)
    conversation_id = await phone.talks("k1")
    heard_at = phone.desk.clock.later(40)
    await phone.calls.mark("k1", CallMark.SERVED)
    started_at = phone.desk.clock.later(600)
    phone.desk.clock.later(1)
    await phone.rings("k4")
    assert await phone.calls.lost(line_processes_started_at=started_at) == 1
    assert await phone.calls.lost(line_processes_started_at=started_at) == 0
    found = await phone.record(conversation_id)
    assert (found.ending, found.ended_at) == (CallEnding.LOST, heard_at)
    assert (await phone.told())[-1]["ending"] == "lost"
    still_open = await phone.desk.rows("SELECT id FROM calls WHERE ended_at IS NULL ORDER BY id")
    assert still_open == [("k2",), ("k4",)]


async def test_a_day_is_counted_by_when_calls_began_in_china_and_to_their_end(phone: Telephone) -> None:
    phone.desk.clock.now = NIGHT
    await phone.rings("k1")
    await phone.calls.mark("k1", CallMark.PERSON_WANTED)
    phone.desk.clock.later(15)
    await phone.calls.mark("k1", CallMark.AGENT_ANSWERED, staff="a1")
    phone.desk.clock.later(19 * 60 + 45)  # ten minutes past midnight
    await phone.calls.end("k1", CallEnding.US)
    await phone.rings("k2", "")
    await phone.calls.mark("k2", CallMark.SERVED)
    phone.desk.clock.later(30)
    await phone.calls.end("k2", CallEnding.CALLER)
    days = []
    for day in (date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26)):
        since, until = day_in_china(day)
        days.append(await phone.calls.figures(since=since, until=until))
    assert [(each.calls, each.answered, each.by_machine, each.within_15_s) for each in days] == [
        (1, 1, 0, 1),
        (1, 0, 1, 0),
        (0, 0, 0, 0),
    ]
    assert [(each.wait_s, each.handling_s, each.machine_s) for each in days] == [
        (15, 19 * 60 + 45, 15),
        (None, None, 30),
        (None, None, None),
    ]
    by_hour = await phone.calls.by_hour(since=NIGHT, until=NIGHT + A_DAY)
    assert {hour: each.calls for hour, each in by_hour.items()} == {0: 1, 23: 1}


async def test_calls_are_told_apart_by_the_topic_of_what_was_answered_first(phone: Telephone) -> None:
    for call_id in ("k1", "k2", "k3", "k4"):
        await phone.rings(call_id)
        await phone.calls.mark(call_id, CallMark.SERVED)
    await phone.asks("k1", (Outcome.CLARIFIED, "loan-rate"), (Outcome.ANSWERED, "withdraw-rent"))
    await phone.asks("k1", (Outcome.ANSWERED, "loan-rate"))
    await phone.asks("k2", (Outcome.ANSWERED, None), (Outcome.ANSWERED, "loan-rate"))
    await phone.asks("k3", (Outcome.REJECTED, "loan-rate"))
    topics = {"withdraw-rent": "提取-租房", "loan-rate": "贷款-利率"}
    since = phone.desk.clock() - A_DAY
    found = await phone.calls.by_topic(since=since, until=since + 2 * A_DAY, topics=topics)
    assert {topic: (each.calls, each.by_machine) for topic, each in found.items()} == {
        "": (2, 2),
        "提取-租房": (1, 1),
        "贷款-利率": (1, 1),
    }


async def test_old_calls_go_with_their_marks_once_their_recordings_have_gone(phone: Telephone) -> None:
    await phone.rings("k1")
    row = await phone.kept("k1")
    await phone.rings("k2")
    began_at = phone.desk.clock()
    phone.desk.clock.later(A_DAY.total_seconds() * 181)
    await phone.rings("k3")
    before = began_at + A_DAY
    assert await phone.calls.purge(before=before) == 1
    assert await phone.recordings.drop([row.id]) == 1
    assert await phone.calls.purge(before=before) == 1
    assert await phone.calls.purge(before=before) == 0
    assert await phone.desk.rows("SELECT id FROM calls") == [("k3",)]
    assert await phone.desk.rows("SELECT DISTINCT call_id FROM call_marks") == [("k3",)]


async def test_many_old_calls_go_in_parts(phone: Telephone) -> None:
    now = phone.desk.clock()
    for number in range(BATCH + 3):
        await phone.calls.begin(f"k{number}", line="sip", caller="", called="")
    assert await phone.calls.purge(before=now + A_DAY) == BATCH + 3


async def test_a_call_whose_end_was_never_told_is_lost_after_a_day(phone: Telephone) -> None:
    await phone.rings("k1", line="relay")
    conversation_id = await phone.talks("k1")
    ended_at = phone.desk.clock()
    phone.desk.clock.later(A_DAY.total_seconds() + 1)
    await phone.rings("k2", line="relay")
    assert await phone.calls.purge(before=ended_at - A_DAY) == 0
    found = await phone.record(conversation_id)
    assert (found.ending, found.ended_at) == (CallEnding.LOST, ended_at)
    assert await phone.desk.rows("SELECT id FROM calls WHERE ended_at IS NULL") == [("k2",)]


# --- recordings


async def test_a_call_has_one_recording_and_its_row_is_safe_to_write_again(phone: Telephone) -> None:
    await phone.rings()
    conversation_id = await phone.talks()
    row = await phone.kept()
    assert await phone.recordings.begin(row)
    assert not await phone.recordings.begin(replace(row, id="another"))
    assert await phone.recordings.of_call("k1") == replace(row, conversation_id=conversation_id)
    for _ in range(2):
        await phone.recordings.finish(row.id, seconds=12.34, gaps=[Gap(3.0, "secret")])
    found = await phone.recordings.of_call("k1")
    assert found == replace(row, conversation_id=conversation_id, seconds=12.34, gaps=(Gap(3.0, "secret"),))
    assert (await phone.record(conversation_id)).has_recording
    assert await phone.recordings.known([row.id, "another"]) == {row.id}
    assert await phone.recordings.of_call("k2") is None
    assert "sealed" not in repr(found)


async def test_two_processes_that_record_one_call_are_told_who_does(phone: Telephone, elsewhere: Telephone) -> None:
    now = phone.desk.clock()
    rows = [RecordingRow(id=each, call_id="k1", key="", began_at=now, delete_after=now) for each in ("r1", "r2")]
    both = await asyncio.gather(phone.recordings.begin(rows[0]), elsewhere.recordings.begin(rows[1]))
    assert sorted(both) == [False, True]


async def test_recordings_expire_the_oldest_first(phone: Telephone) -> None:
    for days, call_id in ((3, "k3"), (1, "k1"), (2, "k2")):
        await phone.kept(call_id, days=days)
    now = phone.desk.clock() + 2 * A_DAY + timedelta(seconds=1)
    assert [each.call_id for each in await phone.recordings.expired(now=now, limit=5)] == ["k1", "k2"]
    assert [each.call_id for each in await phone.recordings.expired(now=now, limit=1)] == ["k1"]


async def test_only_who_has_taken_a_conversation_has_held_it(phone: Telephone) -> None:
    await phone.desk.ready("a1", "a2", "a3")
    conversation_id, handover_id = await phone.desk.queued("o1", channel=ChannelName.VOICE)
    await phone.desk.route()
    held = [await phone.recordings.has_held(conversation_id, each) for each in ("a1", "a2", "a3")]
    assert held == [False] * 3
    assert await phone.desk.pick(handover_id, "a1") is not None
    await phone.desk.transfer(conversation_id, "a1")
    await phone.desk.take_over(conversation_id, "a2")
    held = [await phone.recordings.has_held(conversation_id, each) for each in ("a1", "a2", "a3", "")]
    assert held == [True, True, False, False]


async def test_with_new_keys_a_recordings_key_is_sealed_anew(phone: Telephone) -> None:
    old, both = (FieldCipher(keys, cipher="aes-256-gcm") for keys in ({1: bytes(32)}, {2: b"2" * 32, 1: bytes(32)}))
    now = phone.desk.clock()
    sealed = old.seal("data key", place_of("r1"))
    await phone.recordings.begin(
        RecordingRow(id="r1", call_id="k1", key=sealed, began_at=now, delete_after=now + A_DAY)
    )
    assert [(batch.table, batch.done) async for batch in rotate(phone.desk.database, both)] == [("recordings", 1)]
    found = await phone.recordings.of_call("k1")
    assert found is not None
    assert (both.is_current(found.key), both.open(found.key, place_of("r1"))) == (True, "data key")
