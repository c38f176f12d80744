"""What calls come to in figures, against examples reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hotline.call_store import CallEnding, CallFigures, CallMark, Marked
from hotline.services.calls.figures import Counted, Tally, day_in_china, definitions, value_of

START = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
CONNECTED, SERVED, WANTED = CallMark.CONNECTED, CallMark.SERVED, CallMark.PERSON_WANTED
QUEUED, LEFT, ANSWERED, GONE = CallMark.QUEUED, CallMark.QUEUE_LEFT, CallMark.AGENT_ANSWERED, CallMark.AGENT_GONE


def a_call(
    *marks: tuple[CallMark, float] | tuple[CallMark, float, str],
    ends: float | None = None,
    ending: CallEnding = CallEnding.CALLER,
) -> Counted:
    """Seconds are from the beginning; the third part is the member of staff."""
    return Counted(
        began_at=START,
        ended_at=None if ends is None else START + timedelta(seconds=ends),
        ending=None if ends is None else ending,
        marks=[
            Marked(mark=mark, at=START + timedelta(seconds=at), detail={"staff": who[0]} if who else {})
            for mark, at, *who in marks
        ],
    )


def figures(*calls: Counted) -> CallFigures:
    tally = Tally()
    for call in calls:
        tally.add(call)
    return tally.figures()


NOTHING = figures()
BY_MACHINE = a_call((CONNECTED, 0), (SERVED, 20), (SERVED, 40), ends=60)
HUNG_UP_AT_ONCE = a_call(ends=1)
TALKED = a_call((CONNECTED, 0), (SERVED, 10), (WANTED, 30), (QUEUED, 31), (ANSWERED, 42, "a1"), ends=162)
TALKED_LATE = a_call((CONNECTED, 0), (WANTED, 10), (QUEUED, 10), (ANSWERED, 60, "a2"), (GONE, 90, "a2"), ends=100)
GAVE_UP = a_call((CONNECTED, 0), (WANTED, 5), (QUEUED, 6), ends=50)


def test_a_morning_reckoned_by_hand() -> None:
    assert figures(BY_MACHINE, HUNG_UP_AT_ONCE, TALKED, TALKED_LATE, GAVE_UP) == CallFigures(
        calls=5,
        connected=4,
        by_machine=1,
        wanted=3,
        answered=2,
        abandoned=1,
        within_15_s=1,
        wait_s=(12 + 50) / 2,
        handling_s=(120 + 30) / 2,
        machine_s=(60 + 42 + 60 + 50) / 4,
    )


def test_shares_are_of_those_concerned_and_nothing_is_divided_by_nothing() -> None:
    found = figures(BY_MACHINE, HUNG_UP_AT_ONCE, TALKED, TALKED_LATE, GAVE_UP)
    shares = {each.code: value_of(each, found) for each in definitions() if each.of}
    assert shares == {
        "connected_share": 4 / 5,
        "by_machine_share": 1 / 4,
        "wanted_share": 3 / 4,
        "answered_share": 2 / 3,
        "abandoned_share": 1 / 3,
        "within_15_s_share": 1 / 3,
    }
    assert {value_of(each, NOTHING) for each in definitions()} == {0, None}


def test_every_figure_has_a_name_and_a_definition() -> None:
    told = {each.code for each in definitions() if each.of is None}
    assert told == set(CallFigures.__dataclass_fields__)
    assert all(each.name and each.means.endswith("。") for each in definitions())
    assert {each.code for each in definitions() if each.seconds} == {"wait_s", "handling_s", "machine_s"}


def test_marks_that_are_repeated_count_once() -> None:
    twice = replace(TALKED, marks=[each for each in TALKED.marks for _ in range(2)])
    assert figures(twice) == figures(TALKED)


@pytest.mark.parametrize(
    ("call", "abandoned"),
    [
        (GAVE_UP, 1),
        (a_call((CONNECTED, 0), (WANTED, 5), ends=50, ending=CallEnding.LOST), 0),
        (a_call((CONNECTED, 0), (WANTED, 5), ends=50, ending=CallEnding.US), 0),
        (a_call((CONNECTED, 0), (WANTED, 5), (QUEUED, 5), (LEFT, 40), ends=50), 0),
        (a_call((CONNECTED, 0), (WANTED, 5), (LEFT, 40), (WANTED, 60), ends=70), 1),
        (a_call((CONNECTED, 0), (WANTED, 5), (ANSWERED, 9, "a1"), (GONE, 20, "a1"), (WANTED, 25), ends=70), 0),
        (a_call((CONNECTED, 0), (WANTED, 5)), 0),
    ],
    ids=["waiting", "line broke", "we hung up", "left the queue", "wanted again", "had one before", "still waits"],
)
def test_who_hung_up_while_waiting_and_never_had_a_person_is_abandoned(call: Counted, abandoned: int) -> None:
    assert figures(call).abandoned == abandoned


def test_a_wait_begins_anew_when_the_caller_had_given_it_up() -> None:
    found = figures(a_call((WANTED, 0), (LEFT, 100), (SERVED, 150), (WANTED, 200), (ANSWERED, 215, "a1"), ends=300))
    assert (found.wait_s, found.within_15_s) == (15, 1)


def test_each_agent_of_a_call_has_his_own_time_and_the_call_is_answered_once() -> None:
    passed_on = a_call((WANTED, 0), (ANSWERED, 10, "a1"), (ANSWERED, 70, "a2"), (GONE, 100, "a2"), ends=110)
    found = figures(passed_on)
    assert (found.answered, found.handling_s, found.wait_s) == (1, (60 + 30) / 2, 10)


def test_a_call_that_was_taken_over_is_not_the_machines() -> None:
    found = figures(a_call((CONNECTED, 0), (SERVED, 5), (ANSWERED, 30, "s1"), ends=60))
    assert (found.by_machine, found.wanted, found.answered, found.wait_s) == (0, 1, 1, None)


def test_what_is_noted_after_the_end_lasts_no_longer_than_the_call() -> None:
    found = figures(a_call((CONNECTED, 0), (WANTED, 0), (ANSWERED, 10, "a1"), (GONE, 900, "a1"), ends=60))
    assert found.handling_s == 50


def test_a_call_that_goes_on_is_counted_and_has_no_length_yet() -> None:
    found = figures(a_call((CONNECTED, 0), (SERVED, 5), (WANTED, 9), (ANSWERED, 19, "a1")))
    assert (found.calls, found.answered, found.wait_s, found.handling_s, found.machine_s) == (1, 1, 10, None, 19)


def test_a_day_in_china_begins_eight_hours_earlier() -> None:
    begin, end = day_in_china(date(2026, 11, 25))
    assert begin == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    assert end - begin == timedelta(days=1)
