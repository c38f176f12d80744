"""Characters and sounds of a text as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.lexical import NOTHING, SOUND, Lexical, Texts, Weighed, terms, weigh
from knowledge_base.training import lexical_space

CORES = ["租房提取", "租房提取多少", "退休提取", "退休提取多久", "贷款利率", "贷款利率多少", "贷款多久"]


@pytest.fixture(scope="module")
def space() -> tuple[Lexical, list[Weighed], np.ndarray]:
    return lexical_space(CORES)


def test_terms_are_runs_of_characters_and_of_their_sounds() -> None:
    found = list(terms("租房ok"))
    assert [term for term in found if not term.startswith(SOUND)] == [
        *"租房ok",
        *("租房", "房o", "ok"),
        *("租房o", "房ok"),
    ]
    assert [term for term in found if term.startswith(SOUND)] == [f"{SOUND}zu", f"{SOUND}fang", f"{SOUND}zu fang"]


def test_a_homophone_slip_keeps_its_sounds() -> None:
    right, slip = set(terms("公积金")), set(terms("公鸡金"))
    sounds = {term for term in right if term.startswith(SOUND)}
    assert sounds
    assert sounds <= slip
    assert not {"积", "公积金"} & slip


@given(st.text(alphabet=st.characters(), max_size=20))
def test_any_text_has_terms_of_at_most_three(text: str) -> None:
    for term in terms(text):
        assert 1 <= len(term.removeprefix(SOUND).split(" ")) <= 3 or not term.startswith(SOUND)


def test_a_weighed_text_has_length_one_and_ascending_columns(space: tuple[Lexical, list[Weighed], np.ndarray]) -> None:
    lexical, weighed, _ = space
    for seen in (*weighed, lexical.weigh("租房租房,能提取多少钱")):
        assert np.linalg.norm(seen.weights) == pytest.approx(1.0, abs=1e-5)
        assert (np.diff(seen.columns) > 0).all()
        assert seen.weights.dtype == np.float32


def test_a_rarer_term_weighs_more_and_a_repeated_one_a_little_more() -> None:
    columns, rarity = {"租": 0, "多": 1}, np.array([3.0, 1.0], dtype=np.float32)
    once, thrice = weigh("租多", columns, rarity), weigh("租租租多", columns, rarity)
    assert once.weights.tolist() == pytest.approx([3 / 10**0.5, 1 / 10**0.5])
    assert 3.0 < thrice.weights[0] / thrice.weights[1] < 9.0


@pytest.mark.parametrize("text", ["", "xyz", "😀", "\ud800"])
def test_an_unknown_text_weighs_nothing_and_is_like_nothing(
    space: tuple[Lexical, list[Weighed], np.ndarray], text: str
) -> None:
    lexical, weighed, _ = space
    seen = lexical.weigh(text)
    assert seen is NOTHING
    assert Texts.of(weighed).compare(0, seen) == (0.0, 0.0)
    assert np.isfinite(lexical.project(seen)).all()


def test_texts_are_compared_by_likeness_and_by_how_much_is_covered(
    space: tuple[Lexical, list[Weighed], np.ndarray],
) -> None:
    lexical, weighed, _ = space
    texts = Texts.of(weighed)
    itself = texts.compare(1, lexical.weigh("租房提取多少"))
    assert itself == pytest.approx((1.0, 1.0), abs=1e-5)
    alike, covered = texts.compare(1, lexical.weigh("租房"))
    assert 0 < alike < 1
    assert covered == pytest.approx(1.0, abs=1e-5)
    assert texts.compare(4, lexical.weigh("租房"))[0] == 0.0
    assert texts.compare(2, lexical.weigh("退休提取"))[0] > texts.compare(0, lexical.weigh("退休提取"))[0]


def test_no_texts_and_empty_texts_can_stand_among_them() -> None:
    assert Texts.of([]).starts.tolist() == [0]
    some = Weighed(np.array([0, 2], dtype=np.int32), np.array([0.6, 0.8], dtype=np.float32))
    texts = Texts.of([NOTHING, some, NOTHING])
    assert texts.starts.tolist() == [0, 0, 2, 2]
    assert texts.compare(0, some) == (0.0, 0.0)
    assert texts.compare(1, some) == pytest.approx((1.0, 1.0))
    assert (texts[1].columns.tolist(), texts[0].columns.tolist()) == ([0, 2], [])


def test_a_text_is_projected_alone_as_it_was_among_all(space: tuple[Lexical, list[Weighed], np.ndarray]) -> None:
    lexical, _, projected = space
    alone = np.stack([lexical.project(lexical.weigh(core)) for core in CORES])
    assert projected.shape == (len(CORES), lexical.dims)
    assert np.allclose(alone, projected, atol=1e-4)
    assert np.allclose(projected.mean(axis=0), 0.0, atol=1e-5)


def test_what_only_one_phrasing_says_is_no_term(space: tuple[Lexical, list[Weighed], np.ndarray]) -> None:
    lexical = space[0]
    assert "租房" in lexical.columns
    assert "房提取多" not in lexical.columns
    assert "款多" not in lexical.columns
