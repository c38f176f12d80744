from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hotline.errors import ConfigError
from tests.measure import questions
from tests.measure.questions import Golden, Outside, Topical

GOOD = {"q": "租房提多少", "entries": ["withdraw-rent/amount", "withdraw-rent/overview"], "style": "short"}


def written(tmp_path: Path, *lines: dict[str, Any]) -> Path:
    file = tmp_path / "asked.jsonl"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return file


def test_a_golden_question_keeps_its_entries_in_order_and_knows_its_matters(tmp_path: Path) -> None:
    (found,) = questions.golden([written(tmp_path, GOOD)])
    assert found == Golden(q="租房提多少", entries=tuple(GOOD["entries"]), style="short")
    assert found.matters == ("withdraw-rent",)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({**GOOD, "entries": []}, 'needs "entries"'),
        ({**GOOD, "entries": "withdraw-rent/amount"}, 'needs "entries"'),
        ({**GOOD, "entries": ["withdraw-rent"]}, 'needs "entries"'),
        ({**GOOD, "entries": ["withdraw-rent/"]}, 'needs "entries"'),
        ({**GOOD, "style": ""}, 'needs a text "style"'),
        ({**GOOD, "q": " "}, "is empty"),
    ],
)
def test_a_line_that_is_no_golden_question_is_refused_with_its_beginning(
    tmp_path: Path, line: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        questions.golden([written(tmp_path, line)])


def test_a_question_that_stands_there_twice_would_count_twice_and_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="stands there twice"):
        questions.golden([written(tmp_path, GOOD, GOOD)])


def test_a_file_without_questions_measures_nothing_and_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no question"):
        questions.golden([written(tmp_path)])


def test_questions_that_are_not_the_funds_business_say_what_they_are_about(tmp_path: Path) -> None:
    file = written(tmp_path, {"q": "社保断了咋办", "kind": "social_insurance"})
    assert questions.outside(file) == [Outside(q="社保断了咋办", kind="social_insurance")]
    with pytest.raises(ConfigError, match='needs a text "kind"'):
        questions.outside(written(tmp_path, {"q": "社保断了咋办"}))


def test_citizens_questions_are_asked_where_they_are_short_and_have_a_topic(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"q": "租房能提吗", "topic": "提取-租房", "also": ["提取-其他"]},
        {"q": "长" * 61, "topic": "提取-租房"},
        {"q": "人才怎么认定", "topic": "其他"},
        {"q": "没有主题"},
    )
    assert questions.topical(file) == [Topical(q="租房能提吗", topics=("提取-租房", "提取-其他"))]


def test_a_topic_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='needs a text "topic"'):
        questions.topical(written(tmp_path, {"q": "租房", "topic": ["提取-租房"]}))
