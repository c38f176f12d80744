from __future__ import annotations

import itertools
from collections import Counter

import pytest

from hotline.errors import ConfigError
from knowledge_base.model import Catalogue
from knowledge_base.normalise import normalise
from tests.load.questions import distinct, phrasings, popular, ranked, zipf_weights
from tests.unit.load.catalogue import catalogue, whole_catalogue


@pytest.fixture(scope="module")
def published() -> Catalogue:
    return whole_catalogue()


def test_phrasings_are_ranked_by_popularity_one_of_each_matter_at_a_time() -> None:
    assert ranked(catalogue()) == [
        "我账户里有多少钱", "租房能取吗", "现在利率多少", "在外租房住能不能提", "首套房利率是几", "租房一个月能取多少",
    ]  # fmt: skip


def test_what_is_not_the_funds_business_is_not_asked() -> None:
    assert "契税怎么交" not in ranked(catalogue())


def test_no_two_questions_of_the_first_load_are_embedded_alike(published: Catalogue) -> None:
    texts = distinct(published, 2000, seed=1)
    cores = [normalise(text).core for text in texts]
    assert len(set(cores)) == len(texts) == 2000


def test_no_question_of_the_first_load_is_embedded_as_a_published_one(published: Catalogue) -> None:
    known = {normalise(text).core for matter in published.matters.values() for text in phrasings(matter)}
    assert known.isdisjoint(normalise(text).core for text in distinct(published, 1000, seed=2))


def test_questions_stay_short_as_people_type_them(published: Catalogue) -> None:
    texts = distinct(published, 500, seed=3)
    assert 8 < sum(map(len, texts)) / len(texts) < 25


def test_the_same_seed_asks_the_same_and_another_one_something_else() -> None:
    assert distinct(catalogue(), 20, seed=7) == distinct(catalogue(), 20, seed=7)
    assert distinct(catalogue(), 20, seed=7) != distinct(catalogue(), 20, seed=8)
    assert popular(catalogue(), 50, seed=7) == popular(catalogue(), 50, seed=7)


def test_asking_for_more_than_there_is_says_how_many_there_are() -> None:
    with pytest.raises(ConfigError, match=r"gives \d+ different questions"):
        distinct(catalogue(), 10_000, seed=1)


def test_zipf_weights_fall_as_one_over_rank() -> None:
    cumulative = zipf_weights(4)
    weights = [cumulative[0], *(b - a for a, b in itertools.pairwise(cumulative))]
    assert weights == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_popular_questions_come_again_and_again(published: Catalogue) -> None:
    drawn = Counter(popular(published, 4000, seed=1))
    first, second = ranked(published)[:2]
    assert drawn[first] / drawn[second] == pytest.approx(2, rel=0.3)
    assert len(drawn) < 2500
    assert drawn[first] == max(drawn.values())


def test_an_empty_catalogue_is_one_sentence() -> None:
    empty = Catalogue(centre=catalogue().centre, matters={}, parameters={})
    with pytest.raises(ConfigError, match="no questions"):
        popular(empty, 5, seed=1)
