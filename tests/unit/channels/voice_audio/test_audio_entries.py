"""Keys into entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice.audio.entries import KeyEntry
from channels.voice.session import Keys, Listening

ONE = Listening(keys=1)
SIX = Listening(keys=6, finish_key="#", secret=True)


def typed(entry: KeyEntry, keys: str, *, now: float = 100.0, apart_s: float = 0.05) -> list[Keys]:
    ended: list[Keys] = []
    for number, key in enumerate(keys):
        ended += entry.press(key, now + number * apart_s) or ()
    return ended


def listening(rules: Listening | None) -> KeyEntry:
    entry = KeyEntry()
    assert entry.listen(rules, 99.0) == ()
    return entry


def test_so_many_keys_end_an_entry() -> None:
    assert typed(listening(ONE), "0") == [Keys(keys="0")]
    assert typed(listening(SIX), "12345") == []
    assert typed(listening(SIX), "123456") == [Keys(keys="123456")]


def test_the_finishing_key_ends_it_before_and_is_not_part_of_it() -> None:
    assert typed(listening(SIX), "123#") == [Keys(keys="123", by_finish_key=True)]
    assert typed(listening(SIX), "#") == [Keys(keys="", by_finish_key=True)]
    assert typed(listening(Listening(keys=4)), "12#*") == [Keys(keys="12#*")]


def test_a_finishing_key_after_the_last_digit_is_nothing_of_its_own() -> None:
    entry = listening(SIX)
    assert typed(entry, "123456") == [Keys(keys="123456")]
    assert entry.press("#", 100.5) is None
    entry.listen(SIX, 100.6)
    assert typed(entry, "7#", now=101.0) == [Keys(keys="7", by_finish_key=True)]
    late = listening(SIX)
    typed(late, "123456")
    late.listen(SIX, 101.0)
    assert late.press("#", 104.0) == (Keys(keys="", by_finish_key=True),)


def test_an_entry_ends_when_no_key_follows() -> None:
    entry = listening(Listening(keys=18, key_pause_s=4.0))
    assert typed(entry, "12", apart_s=3.9) == []
    assert entry.tick(107.8) == ()
    assert entry.tick(107.9) == (Keys(keys="12"),)
    assert entry.tick(120.0) == ()


def test_what_is_typed_ahead_counts_for_the_next_question() -> None:
    entry = listening(ONE)
    assert typed(entry, "123") == [Keys(keys="1")]
    assert entry.listen(Listening(keys=4), 100.3) == ()
    assert typed(entry, "45", now=100.4) == [Keys(keys="2345")]


def test_where_nothing_new_is_asked_keys_count_for_the_old_question() -> None:
    entry = listening(ONE)
    assert typed(entry, "12") == [Keys(keys="1")]
    assert entry.tick(101.9) == ()
    assert entry.tick(102.1) == (Keys(keys="2"),)


def test_nothing_typed_for_a_secret_gets_into_an_open_question() -> None:
    entry = listening(SIX)
    assert typed(entry, "12345678") == [Keys(keys="123456")]
    assert entry.listen(ONE, 100.5) == ()
    assert entry.tick(110.0) == ()
    half = listening(SIX)
    assert typed(half, "123") == []
    assert half.listen(Listening(keys=6, finish_key="#"), 100.5) == ()
    assert half.tick(110.0) == ()


def test_an_entry_that_has_begun_goes_on_where_the_same_is_asked_again() -> None:
    entry = listening(SIX)
    typed(entry, "123")
    entry.listen(SIX, 100.3)
    assert typed(entry, "456", now=100.4) == [Keys(keys="123456")]


def test_kept_keys_count_when_they_are_released() -> None:
    entry = KeyEntry()
    entry.listen(Listening(keys=18, finish_key="#", key_pause_s=4.0), 90.0, kept=True)
    assert typed(entry, "123") == []
    assert entry.tick(109.0) == ()
    assert entry.release(110.0) == ()
    assert entry.press("#", 111.0) == (Keys(keys="123", by_finish_key=True),)


@pytest.mark.parametrize("rules", [None, Listening(keys=0)])
def test_keys_mean_nothing_where_none_are_listened_to(rules: Listening | None) -> None:
    entry = listening(rules)
    assert [entry.press(key, 100.0) for key in "0#"] == [None, None]
    assert entry.listen(ONE, 101.0) == ()


@pytest.mark.parametrize("key", ["A", "D", "", "１", "12", "x"])
def test_what_is_no_key_of_a_telephone_is_nothing(key: str) -> None:
    assert listening(ONE).press(key, 100.0) is None


@given(st.text("0123456789*", min_size=1, max_size=60), st.floats(0.01, 0.9), st.integers(1, 20))
def test_no_key_is_lost(keys: str, apart_s: float, most: int) -> None:
    entry = listening(Listening(keys=most, finish_key="#"))
    ended: list[Keys] = []
    for number, key in enumerate(keys):
        now = 100.0 + number * apart_s
        for found in entry.press(key, now) or ():
            ended.append(found)
            ended += entry.listen(Listening(keys=most, finish_key="#"), now)
    ended += entry.tick(300.0)
    assert "".join(entry.keys for entry in ended) == keys


def test_keys_are_in_no_description() -> None:
    entry = listening(SIX)
    assert typed(entry, "987654") == [Keys(keys="987654")]
    assert "987654" not in repr(entry) + repr(Keys(keys="987654"))
