from __future__ import annotations

import pytest

from knowledge_base.model import Catalogue
from tests.measure import figures
from tests.measure.figures import Confusion, TopicScore
from tests.measure.questions import Golden, Topical
from tests.measure.systems import Ranking
from tests.unit.load.catalogue import catalogue as small


@pytest.fixture
def content() -> Catalogue:
    return small()


def asked(*entries: str, q: str = "问", style: str = "plain") -> Golden:
    return Golden(q=q, entries=entries, style=style)


def ranked(*entries: str, p: float | None = None, rejected: bool = False) -> Ranking:
    matters = tuple(dict.fromkeys(entry.split("/")[0] for entry in entries))
    return Ranking(entries=entries, matters=matters, rejected=rejected, p=p)


RENT, AMOUNT, RATE, TAX = "withdraw-rent/overview", "withdraw-rent/amount", "loan-rate/overview", "outside-tax/overview"


def test_any_entry_that_answers_is_right_at_first_or_among_three() -> None:
    question = asked(RENT, AMOUNT)
    assert figures.right(question, ranked(AMOUNT))
    assert not figures.right(question, ranked(RATE, AMOUNT))
    assert figures.right(question, ranked(RATE, TAX, AMOUNT), among=3)
    assert not figures.right(question, ranked(RATE, TAX, "a/b", AMOUNT), among=3)
    assert not figures.right(question, ranked(), among=3)


def test_shares_are_counted_for_entries_matters_topics_and_rejections(content: Catalogue) -> None:
    pairs = [
        (asked(RENT), ranked(RENT)),
        (asked(RENT), ranked(AMOUNT, RENT)),
        (asked(RATE), ranked(TAX, rejected=True)),
        (asked(RATE), ranked()),
    ]
    found = figures.score(pairs, content)
    assert (found.n, found.top1, found.top3, found.matter1) == (4, 0.25, 0.5, 0.5)
    assert (found.topic1, found.rejected) == (0.5, 0.25)


def test_a_system_that_knows_no_entries_has_no_entry_figures(content: Catalogue) -> None:
    found = figures.score([(asked(RENT), ranked())], content, entries=False)
    assert (found.top1, found.top3, found.matter1) == (None, None, 0.0)


def test_an_unpublished_label_is_on_no_topic_and_is_named(content: Catalogue) -> None:
    pairs = [(asked("gone/overview"), ranked("also-gone/overview"))]
    assert figures.score(pairs, content).topic1 == 0.0
    assert figures.unknown_labels([asked("gone/overview", RENT, "withdraw-rent/fee")], content) == [
        "gone/overview",
        "withdraw-rent/fee",
    ]


def test_groups_come_largest_first(content: Catalogue) -> None:
    pairs = [(asked(RENT, style=style), ranked(RENT)) for style in ("long", "short", "short")]
    found = figures.grouped(pairs, content, lambda question: question.style)
    assert [(name, score.n) for name, score in found.items()] == [("short", 2), ("long", 1)]


def test_reliability_compares_what_was_claimed_with_what_was_right() -> None:
    pairs = [
        (asked(RENT), ranked(RENT, p=0.95)),
        (asked(RENT), ranked(RATE, p=0.91)),
        (asked(RENT), ranked(RATE, p=0.15)),
        (asked(RENT), ranked(RENT, p=1.0)),
        (asked(RENT), ranked()),
    ]
    found = figures.reliability(pairs)
    assert len(found.bins) == 10
    assert (found.bins[9].n, found.bins[9].claimed, found.bins[9].right) == (3, 0.9533, 0.6667)
    assert (found.bins[1].n, found.bins[1].right) == (1, 0.0)
    assert (found.bins[0].n, found.bins[0].claimed, found.bins[0].right) == (0, None, None)
    assert found.error == pytest.approx((3 * (0.9533 - 0.6667) + 0.15) / 4, abs=1e-3)


def test_reliability_of_nothing_is_no_error() -> None:
    assert figures.reliability([]).error == 0.0


def test_confusions_count_who_came_first_instead_of_whom() -> None:
    pairs = [
        (asked(RENT, q="一"), ranked(RATE)),
        (asked(RENT, q="二"), ranked(RATE)),
        (asked(RENT), ranked(RENT)),
        (asked(RATE, q="三"), ranked()),
    ]
    assert figures.confusions(pairs, 5) == [
        Confusion(wanted=RENT, taken=RATE, count=2, example="一"),
        Confusion(wanted=RATE, taken="-", count=1, example="三"),
    ]
    assert len(figures.confusions(pairs, 1)) == 1
    assert figures.confusions(pairs, 0) == []


def test_a_topic_is_right_when_the_line_names_it_first_or_also(content: Catalogue) -> None:
    questions = [Topical(q="一", topics=("贷款-利率", "提取-租房")), Topical(q="二", topics=("查询",))]
    rankings = [ranked(RENT), ranked(RENT, RATE, "query-balance/overview")]
    assert figures.topics(questions, rankings, content) == TopicScore(n=2, top1=0.5, top3=1.0)


def test_percentiles_are_values_that_were_measured() -> None:
    assert figures.percentiles([3.0, 1.0, 2.0], 50, 95) == {"p50": 2.0, "p95": 3.0}
    assert figures.percentiles([], 50) == {"p50": 0.0}
