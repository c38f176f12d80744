from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from hotline.services.clusters import Vectors, clusters
from hotline.services.learning import Case, Reason
from knowledge_base.embed import Embedder

NOW = datetime(2026, 3, 30, 9, 0, tzinfo=UTC)


def case(number: int, text: str, reason: Reason = Reason.UNANSWERED, *, days_ago: float = 0) -> Case:
    return Case(
        inbox_id=number,
        text=text,
        asked_at=NOW - timedelta(days=days_ago),
        channel="web",
        outcome="clarified",
        matter=None,
        aspect=None,
        reason=reason,
    )


def by_letter(texts: Sequence[str]) -> Vectors:
    """Texts that begin alike are alike; the more of a second letter, the less."""
    rows = np.zeros((len(texts), 26), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        row[ord(text[0]) - ord("a")] = 1
        row[25] = 0.1 * text.count("z")
    return rows


def grouped(found: Sequence[Case]) -> list[tuple[int, int]]:
    made = clusters(found, [each.text for each in found], by_letter, now=NOW)
    return [(cluster.case_id, len(cluster.cases)) for cluster in made]


def test_nothing_makes_no_groups() -> None:
    assert clusters([], [], by_letter, now=NOW) == []


def test_one_case_is_a_group_of_its_own() -> None:
    assert grouped([case(7, "a")]) == [(7, 1)]


def test_alike_cases_are_one_group_named_after_the_one_nearest_to_the_others() -> None:
    assert grouped([case(1, "azzz"), case(2, "az"), case(3, "a"), case(4, "b")]) == [(2, 3), (4, 1)]


def test_the_same_words_are_embedded_once_and_counted_each_time() -> None:
    embedded: list[str] = []

    def embed(texts: Sequence[str]) -> Vectors:
        embedded.extend(texts)
        return by_letter(texts)

    found = [case(1, "azzz"), case(2, "a"), case(3, "a")]
    (made,) = clusters(found, [each.text for each in found], embed, now=NOW)
    assert embedded == ["azzz", "a"]
    assert [each.inbox_id for each in made.cases] == [2, 3, 1]
    assert [sample.text for sample in made.samples] == ["a", "azzz"]


def test_a_recorded_question_outweighs_a_bad_rating_and_that_an_unanswered_one() -> None:
    found = [
        case(1, "a", Reason.UNSURE),
        case(2, "b", Reason.UNANSWERED),
        case(3, "c", Reason.BADLY_RATED),
        case(4, "d", Reason.TO_RECORD),
    ]
    assert [number for number, _ in grouped(found)] == [4, 3, 2, 1]


def test_what_was_asked_lately_comes_before_what_was_asked_long_ago() -> None:
    assert grouped([case(1, "a", days_ago=20), case(2, "b", days_ago=1)]) == [(2, 1), (1, 1)]


def test_a_case_halves_in_weight_every_two_weeks() -> None:
    (made,) = clusters([case(1, "a", Reason.BADLY_RATED, days_ago=14)], ["a"], by_letter, now=NOW)
    assert made.weight == pytest.approx(1.0)


def test_days_are_those_of_china() -> None:
    late = case(1, "a")  # 17:00 in China
    night = case(2, "a", days_ago=16.6 / 24)  # 16:24 UTC the day before is already the 30th there
    (made,) = clusters([late, night], ["a", "a"], by_letter, now=NOW)
    assert made.first_on == made.last_on == date(2026, 3, 30)


def test_the_order_of_the_cases_changes_nothing() -> None:
    found = [case(number, ["a", "az", "b", "bz", "c"][number % 5]) for number in range(1, 40)]
    shuffled = sorted(found, key=lambda each: each.inbox_id * 17 % 41)
    assert grouped(found) == grouped(shuffled)


def test_a_text_without_a_vector_does_not_disturb_the_others() -> None:
    def embed(texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 4), dtype=np.float32)

    assert len(clusters([case(1, "a"), case(2, "b")], ["a", "b"], embed, now=NOW)) == 2


def test_real_questions_about_one_thing_meet(embedder: Embedder) -> None:
    texts = [
        "租房押金可以用公积金交吗",
        "租房的押金能用公积金付吗",
        "房子押金能不能用公积金",
        "退休后怎么把钱取出来",
        "退休了怎么取钱",
        "你会唱歌吗",
    ]
    found = [case(number, text) for number, text in enumerate(texts)]
    made = clusters(found, texts, embedder.embed_many, now=NOW)
    assert sorted(sorted(each.inbox_id for each in group.cases) for group in made) == [[0, 1, 2], [3, 4], [5]]
