"""The page's JSON, pure: bytes to a checked message, and lines to what the page reads."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hotline.domain.messages import Choice
from hotline.ports import ChatLine, Typing

MAX_CHARACTERS = 1000
MAX_BODY_BYTES = 16 * 1024
"""Room for 1000 characters when every one of them is written as a JSON escape pair."""

_CLIENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\u0085\v\f]")
_OUTER_BLANKS = re.compile(r"\A[\s\u200c\u200d]+|[\s\u200c\u200d]+\Z")
_KEPT_FORMAT = frozenset("\u200c\u200d")
"""Joiners that emoji and some scripts need; all other invisible format characters go."""


class Problem(StrEnum):
    """Why a message was not taken. The page words each of them."""

    UNREADABLE = "unreadable"
    BAD_ID = "bad_id"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"


STATUS = {
    Problem.UNREADABLE: 400,
    Problem.BAD_ID: 422,
    Problem.EMPTY: 422,
    Problem.TOO_LONG: 422,
    Problem.TOO_LARGE: 413,
}


class BadMessage(Exception):
    """What the page sent cannot be taken, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMessage:
    """One message as the page sent it: ``id`` is the page's own UUID, ``text`` is clean and not empty."""

    id: str
    text: str


def decode_message(body: bytes) -> PageMessage:
    """The message in ``body``. Raises: BadMessage."""
    if len(body) > MAX_BODY_BYTES:
        raise BadMessage(Problem.TOO_LARGE)
    fields = _object(body)
    client_id, text = fields.get("id"), fields.get("text")
    if not isinstance(text, str):
        raise BadMessage(Problem.UNREADABLE)
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id):
        raise BadMessage(Problem.BAD_ID)
    return PageMessage(id=client_id, text=_checked(text))


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadMessage(Problem.UNREADABLE) from error
    if not isinstance(value, dict):
        raise BadMessage(Problem.UNREADABLE)
    return value


def _checked(text: str) -> str:
    cleaned = clean(text)
    if not cleaned:
        raise BadMessage(Problem.EMPTY)
    if len(cleaned) > MAX_CHARACTERS:
        raise BadMessage(Problem.TOO_LONG)
    return cleaned


def clean(text: str) -> str:
    """``text`` with newlines as ``\\n``, tabs as spaces, and without characters nobody can see or store:
    NUL and other controls, lone surrogates, bidirectional overrides, private use. Outer blanks go too."""
    unified = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    return _OUTER_BLANKS.sub("", "".join(character for character in unified if _is_kept(character)))


def _is_kept(character: str) -> bool:
    if character == "\n" or character in _KEPT_FORMAT:
        return True
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}


def encode_line(line: ChatLine, *, visitor: str) -> dict[str, Any]:
    """What the page reads of ``line``; ``id`` is the one the page itself gave the message, or empty; ``signed`` says
    which agent speaks."""
    return {
        "seq": line.seq,
        "author": line.author,
        "text": line.text,
        "at": line.at,
        "choices": [_encode_choice(choice) for choice in line.choices],
        "id": line.message_id.removeprefix(f"{visitor}:") if line.author == "citizen" else "",
        "signed": line.signed,
    }


def _encode_choice(choice: Choice) -> dict[str, str]:
    return {"label": choice.label, "text": choice.text} | ({"url": choice.url} if choice.url else {})


def encode_typing(typing: Typing) -> dict[str, Any]:
    """What the page reads of ``typing``."""
    return {"on": typing.on, "author": typing.author}


def external_id(visitor: str, client_id: str) -> str:
    """The id storage knows a message by: two visitors' pages can never mean the same one."""
    return f"{visitor}:{client_id}"
