from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from hotline.errors import ConfigError
from tests.load import baseline
from tests.measure import words
from tests.measure.baselines import Bm25, Characters, Edits, Nearest, voted
from tests.measure.systems import NO_ENTRY, labelled, ranking
from tests.unit.load.catalogue import catalogue as small

PHRASINGS = [
    ("租房能取吗", "withdraw-rent/overview"),
    ("在外租房住能不能提", "withdraw-rent/overview"),
    ("租房一个月能取多少", "withdraw-rent/amount"),
    ("现在利率多少", "loan-rate/overview"),
    ("契税怎么交", "outside-tax/overview"),
    ("今天天气", NO_ENTRY),
]


def single(texts: Sequence[str]) -> list[list[str]]:
    """Every character a word."""
    return [list(text) for text in texts]


@pytest.fixture(params=["words", "characters", "edits"])
def system(request: pytest.FixtureRequest) -> Nearest:
    kinds = {
        "words": lambda: Bm25(PHRASINGS, small(), cut=single),
        "characters": lambda: Characters(PHRASINGS, small()),
        "edits": lambda: Edits(PHRASINGS, small()),
    }
    found: Nearest = kinds[request.param]()
    return found


def test_a_published_phrasing_finds_its_own_entry(system: Nearest) -> None:
    found = system.rank(["租房一个月能取多少", "現在利率多少", "契税怎么交"])
    assert [each.entries[0] for each in found] == ["withdraw-rent/amount", "loan-rate/overview", "outside-tax/overview"]
    assert [each.rejected for each in found] == [False, False, True]
    assert found[0].matters[0] == "withdraw-rent"


def test_what_no_entry_is_about_is_rejected_and_never_an_entry(system: Nearest) -> None:
    (found,) = system.rank(["今天天气"])
    assert found.rejected
    assert NO_ENTRY not in found.entries


def test_a_text_unlike_anything_has_no_ranking(system: Nearest) -> None:
    (found,) = system.rank(["zzz"])
    assert (found.entries, found.matters, found.rejected) == ((), (), False)


def test_nothing_asked_is_nothing_ranked(system: Nearest) -> None:
    assert system.rank([]) == []


def test_entries_are_ranked_by_all_their_near_phrasings() -> None:
    likeness = np.array([0.6, 0.5, 0.9, 0.0], dtype=np.float32)
    assert voted(likeness, ["a", "a", "b", "c"]) == ["a", "b"]


def test_a_word_in_many_phrasings_says_less_than_a_rare_one() -> None:
    phrasings = [("公利", "loan-rate/overview"), *((f"公{n}", "withdraw-rent/overview") for n in range(5))]
    (found,) = Bm25(phrasings, small(), cut=single).rank(["公利"])
    assert found.entries == ("loan-rate/overview", "withdraw-rent/overview")


def test_all_learn_from_names_titles_questions_and_from_what_no_entry_is_about() -> None:
    found = labelled(small())
    assert ("事项withdraw-rent", "withdraw-rent/overview") in found
    assert ("withdraw-rent amount", "withdraw-rent/amount") in found
    assert ("租房一个月能取多少", "withdraw-rent/amount") in found
    assert any(entry == NO_ENTRY for _, entry in found)


def test_a_ranking_names_each_entry_and_matter_once() -> None:
    found = ranking(["withdraw-rent/amount", "withdraw-rent/overview", "withdraw-rent/amount"], small())
    assert found.entries == ("withdraw-rent/amount", "withdraw-rent/overview")
    assert found.matters == ("withdraw-rent",)


def test_without_rasas_environment_jieba_is_missed_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "PYTHON", baseline.ROOT / "nowhere" / "python")
    with pytest.raises(ConfigError, match="make install"):
        words.cut(["租房提取"])


@pytest.mark.skipif(not words.PYTHON.exists(), reason="Rasa's environment is not installed")
def test_jieba_cuts_texts_in_order() -> None:
    assert words.cut(["提取公积金", ""]) == [["提取", "公积金"], []]
