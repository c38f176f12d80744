"""Phrasings added to content files as text: what an editor laid out, comments included, stays as it is."""

from __future__ import annotations

import json
from typing import Any

import yaml


class CannotEdit(Exception):
    """The file is laid out in a way that this does not edit. The message is one sentence."""


def with_question(source: str, aspect: str, question: str) -> str:
    """``source``, one content file, with ``question`` last among the questions of ``aspect``.

    Where the file has no such aspect (a centre's, laid over a national one) or the aspect no questions, they are
    made. Nothing else changes, which is checked.

    Raises:
        CannotEdit: the file is not laid out as content files are.
    """
    root = _mapping(_composed(source), "the file")
    aspects = _get(root, "aspects")
    if aspects is None:
        made = _new_aspect(aspect, question, column=2)
        edited = _after(source, _end(root), [(0, "aspects:"), *made])
    elif (found := _get(_mapping(aspects, "aspects"), aspect)) is None:
        edited = _after(source, _end(aspects), _new_aspect(aspect, question, column=_column(aspects)))
    elif (questions := _get(_mapping(found, aspect), "questions")) is None:
        column = _column(found)
        edited = _after(source, _end(found), [(column, "questions:"), (column + 2, _item(question))])
    else:
        edited = _appended(source, questions, question)
    _check(source, edited, aspect, question)
    return edited


def new_file(code: str, aspect: str, question: str) -> str:
    """A centre's file that only adds ``question`` to a national matter."""
    return with_question(f"code: {code}\n", aspect, question)


def scalar(text: str, *, in_list: bool = False) -> str:
    """``text`` as YAML that is read as exactly that text: plain where possible, else in double quotes."""
    plain = f"[{text}]" if in_list else f"- {text}"
    try:
        if yaml.safe_load(plain) == [text]:
            return text
    except (yaml.YAMLError, ValueError):
        pass
    return json.dumps(text, ensure_ascii=False)


def _composed(source: str) -> yaml.Node | None:
    try:
        return yaml.compose(source, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CannotEdit(f"it is not YAML ({getattr(error, 'problem', None) or 'cannot be read'})") from error


def _mapping(node: yaml.Node | None, name: str) -> yaml.MappingNode:
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise CannotEdit(f"{name} is not laid out with one field on each line")
    return node


def _get(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _column(node: yaml.Node) -> int:
    """Where the fields of a mapping begin."""
    return int(node.value[0][0].start_mark.column)


def _item(question: str) -> str:
    return f"- {scalar(question)}"


def _new_aspect(aspect: str, question: str, *, column: int) -> list[tuple[int, str]]:
    return [(column, f"{aspect}:"), (column + 2, "questions:"), (column + 4, _item(question))]


def _end(node: yaml.Node) -> int:
    """Where the last character of ``node`` stands; collections that are laid out in lines end with their last child."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _after(source: str, end: int, lines: list[tuple[int, str]]) -> str:
    """``lines`` (column, text) put below the line in which the content before ``end`` ends."""
    newline = "\r\n" if "\r\n" in source else "\n"
    end = len(source[:end].rstrip())  # the end of a text of several lines is noted after its empty ones
    at = source.find("\n", end) + 1
    before = source[:at] if at else source.rstrip() + newline
    return before + "".join(" " * column + text + newline for column, text in lines) + (source[at:] if at else "")


def _appended(source: str, questions: yaml.Node, question: str) -> str:
    if not isinstance(questions, yaml.SequenceNode):
        raise CannotEdit("questions is not a list")
    if not questions.flow_style:
        return _after(source, _end(questions), [(questions.start_mark.column, _item(question))])
    closing = questions.end_mark.index - 1
    kept = source[:closing].rstrip()
    comma = "" if kept.endswith(("[", ",")) else ","
    blank = "" if kept.endswith("[") else " "
    return f"{kept}{comma}{blank}{scalar(question, in_list=True)}{source[closing:]}"


def _check(source: str, edited: str, aspect: str, question: str) -> None:
    """Nothing but the new question differs between what the two texts say."""
    try:
        before, after = (_data(text) for text in (source, edited))
    except (yaml.YAMLError, ValueError) as error:
        raise CannotEdit("it would not be readable afterwards") from error
    wanted: dict[str, Any] = before
    under = wanted.setdefault("aspects", {}).setdefault(aspect, {})
    under["questions"] = [*under.get("questions", []), question]
    if after != wanted:
        raise CannotEdit("its layout is not one that can be edited as text")


def _data(text: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(text)
    return data
