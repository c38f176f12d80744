from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hotline.errors import ConfigError
from hotline.evaluation import Row, per_topic, read_questions, summary


def row(topics: list[str], outcome: str = "answered", **question: Any) -> Row:
    answer = {"outcome": outcome, "ms": 10.0}
    return Row(question={"q": "问", **question}, answer=answer, topics=tuple(topics))


def test_a_line_counts_as_right_by_its_topic_or_one_it_could_be_answered_under() -> None:
    rows = [
        row(["提取-租房"], topic="提取-租房", scope="in"),
        row(["投诉", "补缴"], topic="补缴", scope="in"),
        row(["投诉"], topic="补缴", also=["投诉"], scope="other_city"),
        row(["查询", "查询", "查询", "补缴"], topic="补缴", scope="in"),
    ]
    figures = summary(rows)
    assert figures["top1"] == 0.5
    assert figures["top3"] == 0.75


def test_fragments_and_what_is_not_ours_count_only_as_outcomes() -> None:
    rows = [
        row([], "rejected", topic="其他", scope="out"),
        row([], "clarified", topic="其他", scope="unclear"),
        row(["投诉"], topic="投诉", scope="in"),
    ]
    figures = summary(rows)
    assert (figures["n"], figures["top1"]) == (3, 1.0)
    assert figures["rejected"] == pytest.approx(1 / 3, abs=1e-4)
    assert per_topic(rows) == {"投诉": (1, 1, 1)}


def test_no_rows_give_zeros_not_an_error() -> None:
    assert summary([])["top1"] == 0.0


@pytest.mark.parametrize("line", ["{", '"text"', '{"q": 1}', "{}"])
def test_a_broken_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"q": "好"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"q\.jsonl:3"):
        read_questions(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        read_questions(tmp_path / "none.jsonl")
