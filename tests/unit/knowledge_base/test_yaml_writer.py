from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import knowledge_base
from knowledge_base import yaml_lines, yaml_writer

SHIPPED = Path(knowledge_base.__file__).parent
LINE = st.text(alphabet="租房 :#-{}[]\"'\\&*!|>%@`,?~12.yesno", min_size=1).map(str.strip).filter(bool)


def read_back(folder: Path, text: str) -> Any:
    file = folder / "entry.yml"
    file.write_text(text, encoding="utf-8")
    document, problems = yaml_lines.read(folder, file)
    assert problems == []
    assert document is not None
    return document.data


@pytest.mark.parametrize("name", ["national/withdraw-rent", "guangzhou/withdraw-rent", "national/loan-rate"])
def test_a_shipped_file_is_written_as_it_stands(name: str) -> None:
    file = SHIPPED / "catalogue" / f"{name}.yml"
    document, _ = yaml_lines.read(SHIPPED, file)
    assert document is not None
    assert yaml_writer.entry(document.data) == file.read_text(encoding="utf-8")


@given(LINE, LINE, st.lists(LINE, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_any_words_are_read_back_as_they_were(tmp_path_factory: Any, one: str, other: str, words: list[str]) -> None:
    data = {
        "code": "a-b",
        "name": one,
        "aliases": words,
        "sources": {"s": {"title": other, "issued_on": "2024-11-26", "url": "https://example.org/?a=1&b={c}"}},
        "aspects": {"overview": {"title": other, "text": f"{one}\n\n{other}", "short": one, "questions": words}},
    }
    assert read_back(tmp_path_factory.mktemp("entry"), yaml_writer.entry(data)) == data


def test_a_text_that_begins_with_a_blank_is_quoted(tmp_path: Path) -> None:
    data = {"code": "a", "aspects": {"overview": {"text": " 一\n二"}}}
    assert read_back(tmp_path, yaml_writer.entry(data)) == data


def test_a_branch_stands_on_one_line(tmp_path: Path) -> None:
    branch = {"fact": "hukou", "to": {"local": "q_local", "outside": "overview"}}
    text = yaml_writer.entry({"code": "a", "aspects": {"overview": {"branch": branch}}})
    assert "    branch: {fact: hukou, to: {local: q_local, outside: overview}}\n" in text
