from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.editing import CannotEdit, new_file, scalar, with_question

FILE = """\
# Rent, checked by Li.
code: withdraw-rent
aspects:
  overview:
    title: 租房能不能提
    questions:
      - 租房能提吗  # heard at the counter
      # more to come
  amount:
    text: |-
      每月最多2000元。

      按月算。

  # asked seldom
  fee: # free
    title: 收费吗
    questions: [要钱吗, "收费不"]
  steps:
    questions:
    - 怎么办
    title: 怎么办理
popularity: 3
# the end
"""


def added(source: str, aspect: str, question: str = "新的问法") -> list[str]:
    """The lines of the edited text that the source has not; all others must be there, in their order."""
    edited = with_question(source, aspect, question).splitlines()
    rest = iter(source.splitlines())
    expected = next(rest, None)
    new = []
    for line in edited:
        if line == expected:
            expected = next(rest, None)
        else:
            new.append(line)
    assert expected is None
    return new


def test_a_question_is_put_below_the_last_one() -> None:
    edited = with_question(FILE, "overview", "新的问法")
    assert "# heard at the counter\n      - 新的问法\n      # more to come\n" in edited
    assert added(FILE, "overview") == ["      - 新的问法"]


def test_a_list_written_without_indent_is_kept_so() -> None:
    assert "    - 怎么办\n    - 新的问法\n    title" in with_question(FILE, "steps", "新的问法")


def test_a_list_on_one_line_stays_on_one_line() -> None:
    assert '    questions: [要钱吗, "收费不", 新的问法]\n' in with_question(FILE, "fee", "新的问法")
    assert "questions: [新的]" in with_question("aspects:\n  fee:\n    questions: []\n", "fee", "新的")


def test_an_aspect_without_questions_gets_them_after_its_text() -> None:
    edited = with_question(FILE, "amount", "新的问法")
    assert "      按月算。\n    questions:\n      - 新的问法\n\n  # asked seldom\n" in edited


def test_an_aspect_the_file_has_not_is_added_after_the_others() -> None:
    edited = with_question(FILE, "basis", "新的问法")
    assert "    title: 怎么办理\n  basis:\n    questions:\n      - 新的问法\npopularity: 3\n" in edited


def test_a_file_without_aspects_gets_them_at_its_end() -> None:
    assert new_file("loan-rate", "overview", "利率？") == (
        "code: loan-rate\naspects:\n  overview:\n    questions:\n      - 利率？\n"
    )


def test_a_file_that_does_not_end_with_a_line_break_is_mended() -> None:
    source = "code: a\naspects:\n  fee:\n    questions:\n      - 要钱吗"
    assert with_question(source, "fee", "新的") == source + "\n      - 新的\n"


def test_line_breaks_of_windows_stay() -> None:
    edited = with_question(FILE.replace("\n", "\r\n"), "overview", "新的问法")
    assert edited.count("\r\n") == edited.count("\n") == FILE.count("\n") + 1


def test_a_quoted_or_folded_last_question_is_no_hindrance() -> None:
    source = "aspects:\n  fee:\n    questions:\n      - '要: 钱'\n      - |-\n        收费不\n\n    title: 收费\n"
    assert added(source, "fee") == ["      - 新的问法"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("aspects: [", "not YAML"),
        ("- a\n", "the file is not laid out"),
        ("", "the file is not laid out"),
        ("aspects: {fee: {title: 收费}}\n", "aspects is not laid out"),
        ("aspects:\n  fee: {title: 收费}\n", "fee is not laid out"),
        ("aspects:\n  fee:\n    questions: 要钱吗\n", "questions is not a list"),
        ("aspects:\n  fee:\n    questions: &q [a]\n  basis:\n    questions: *q\n", "can be edited"),
        ("aspects:\n  fee:\n    questions: [\n      a # one\n      ]\n", "edited|readable"),
    ],
)
def test_what_is_not_laid_out_as_content_is_left_alone(source: str, why: str) -> None:
    with pytest.raises(CannotEdit, match=why):
        with_question(source, "fee", "新的")


@pytest.mark.parametrize(
    "text", ["12", "是: 吗", "a #b", "- a", "[a", "null", "2024-01-01", "=", "@a", "'a", '"a"', "!x"]
)
def test_a_text_that_yaml_reads_otherwise_is_quoted(text: str) -> None:
    assert scalar(text).startswith('"')
    assert yaml.safe_load(f"- {scalar(text)}") == [text]


def test_a_comma_is_plain_below_one_another_and_quoted_on_one_line() -> None:
    assert scalar("a, b") == "a, b"
    assert scalar("a, b", in_list=True) == '"a, b"'


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=("C", "Z")), min_size=1))
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    for aspect in ("overview", "fee", "amount"):
        data = yaml.safe_load(with_question(FILE, aspect, text))
        assert data["aspects"][aspect]["questions"][-1] == text


def test_every_catalogue_file_can_be_edited() -> None:
    root = Path(__file__).resolve().parents[3] / "knowledge_base" / "catalogue"
    for file in sorted(root.rglob("*.yml"))[::12]:
        source = file.read_bytes().decode("utf-8")
        for aspect in ("overview", "q_of_nobody"):
            assert 1 <= len(added(source, aspect, "没人这么问过")) <= 3, file
