from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from knowledge_base.alike import SAME, pairs
from knowledge_base.checks import comparable


def test_width_case_and_punctuation_do_not_count() -> None:
    assert list(pairs(["租房，怎么提？", "贷款", "租房怎么提", ""])) == [(0, 2, 100)]


def test_a_short_text_must_be_the_same_a_long_one_nearly() -> None:
    assert list(pairs(["租房提取怎么办", "租房提取咋办"])) == []
    long = "公积金" * 10
    assert sorted(pairs([long + "吗", long + "呢", long])) == [(0, 1, 97), (0, 2, 98), (1, 2, 98)]


@given(st.lists(st.text(alphabet="租房提取公积金", max_size=30), max_size=30))
@settings(max_examples=60, deadline=None)
def test_nothing_is_missed_that_comparing_all_would_find(texts: list[str]) -> None:
    keys = [comparable(text) for text in texts]
    wanted = {
        (one, other)
        for one in range(len(keys))
        for other in range(one + 1, len(keys))
        if keys[one] and keys[other] and fuzz.ratio(keys[one], keys[other]) >= SAME
    }
    found = [(one, other) for one, other, _ in pairs(texts)]
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_many_texts_are_compared_in_pieces() -> None:
    signs = "租房提取公积金贷款利率怎么办理多久到账"
    texts = ["".join(signs[(at * step + step) % len(signs)] for step in range(1, 17)) + str(at) for at in range(1500)]
    assert (0, 1500, 100) in list(pairs([*texts, texts[0]]))
