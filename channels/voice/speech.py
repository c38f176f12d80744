"""From written answers to what is read aloud: pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from channels.voice.wording import wording
from hotline.domain.messages import Choice

PAGE_CHARACTERS = 60
"""What a caller takes in at once; more is offered, not poured out."""

_LONG_NUMBER = re.compile(r"(?<![\d.])\d{5,}[Xx]?(?![\d.])")
_MOBILE = re.compile(r"1\d{10}")
_SILENT_MARKS = frozenset("&#*_|\\^`@<>{}[]\"'\u3010\u3011\u2022\u00b7")
_SILENT_CATEGORIES = ("S", "C", "Mn", "Me")
_BLANKS = re.compile(r"[ \t\u00a0\u3000]+")
_GROUP = 4


def speakable(text: str) -> str:
    """The text as it can be read out: no sources, addresses or symbols; numbers that are not amounts in digits."""
    words = wording()
    said = words.unread.sub("", text.replace("\r\n", "\n"))
    for pattern, instead in words.spoken:
        said = pattern.sub(instead, said)
    written = said
    said = _LONG_NUMBER.sub(lambda match: _digits(match, written), said)
    said = words.short_digits.sub(lambda match: match[1] + " ".join(match[2]), said)
    said = "".join(char for char in said if char == "\n" or not _is_silent(char))
    return _BLANKS.sub(" ", said).strip()


def pages(texts: Iterable[str], *, size: int = PAGE_CHARACTERS) -> list[str]:
    """What is said in one go each: whole sentences, at most ``size`` characters."""
    result: list[str] = []
    for sentence in _sentences(texts):
        for piece in _pieces(sentence, size=size):
            if result and len(result[-1]) + len(piece) <= size:
                result[-1] += piece
            else:
                result.append(piece)
    return result


def menu(choices: Sequence[Choice]) -> str:
    """The choices with the key of each, empty where there are none. What opens a page cannot be pressed."""
    words = wording()
    spoken = [choice for choice in choices if not choice.url]
    items = [
        words.choice.format(label=speakable(choice.label), number=number) for number, choice in enumerate(spoken, 1)
    ]
    return words.choice_separator.join(items) + words.sentence_stop if items else ""


def _sentences(texts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for text in texts:
        said, start = speakable(text), 0
        for match in wording().sentence_end.finditer(said):
            found.append(said[start : match.end()])
            start = match.end()
        found.append(said[start:])
    return [_ended(stripped) for sentence in found if (stripped := sentence.strip())]


def _ended(sentence: str) -> str:
    words = wording()
    whole = words.sentence_end.search(sentence[-2:]) or words.clause_end.fullmatch(sentence[-1])
    return sentence if whole else sentence + words.sentence_stop


def _pieces(sentence: str, *, size: int) -> list[str]:
    """The sentence, cut at clauses (or anywhere, where there is none) so that no piece is longer than ``size``."""
    pieces = []
    while len(sentence) > size:
        ends = [match.end() for match in wording().clause_end.finditer(sentence) if match.end() <= size]
        cut = ends[-1] if ends else size
        pieces.append(sentence[:cut])
        sentence = sentence[cut:]
    return [*pieces, sentence]


def _digits(match: re.Match[str], whole: str) -> str:
    number = match.group()
    if wording().counted.match(whole, match.end()) and len(number) < 10:
        return number
    first = 3 if _MOBILE.fullmatch(number) else _GROUP
    starts = [0, *range(first, len(number), _GROUP)] if len(number) > _GROUP + 1 else [0]
    groups = [number[start:end] for start, end in zip(starts, [*starts[1:], len(number)], strict=True)]
    return wording().group_separator.join(" ".join(group) for group in groups)


def _is_silent(char: str) -> bool:
    return char in _SILENT_MARKS or unicodedata.category(char).startswith(_SILENT_CATEGORIES)
