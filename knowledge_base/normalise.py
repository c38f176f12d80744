"""The one text path for training and for questions: what is typed → clean text → the part worth embedding."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

from knowledge_base import wording
from knowledge_base.numerals import spoken_to_digits
from knowledge_base.pinyin import Corrector

VERSION = "6"
"""Raise when the code below changes what it returns: published indexes are then rebuilt."""

MAX_EMBED_CHARS = 120
"""No embedder is ever given more: its cost grows with length and its C call cannot be interrupted."""

TELLING_CHARS = 60
"""What is embedded of a longer text. Measured on citizens' letters: as good as 120 at half the cost (44 ms, not 82)."""

MAX_TEXT_CHARS = 2000
"""Text beyond this is cut before anything else; no channel sends more in one message."""

_DROPPED = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f\ufff9-\uffff]")
_SPACES = re.compile(r"\s+")
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
_EDGE = " ,.;:!?~-_、。…·\"'()[]<>《》「」"
_NO_CORRECTION = Corrector()


@dataclass(frozen=True, slots=True)
class Normalised:
    """``text``: clean, simplified, slips put right. ``core``: what is embedded, at most TELLING_CHARS.

    ``places``: other cities and provinces named in it, in order.
    """

    original: str
    text: str
    core: str
    places: tuple[str, ...] = ()


def normalise(
    text: str,
    *,
    corrector: Corrector = _NO_CORRECTION,
    here: tuple[str, ...] = (),
    limit: int = TELLING_CHARS,
) -> Normalised:
    """Never fails and never returns a lone surrogate, a NUL or another control character, whatever comes in.

    ``here``: names of the centre's own place, which are never another place.
    """
    clean = spoken_to_digits(corrector.correct(written(simplified(cleaned(text)))))
    patterns = _patterns(here)
    places = tuple(dict.fromkeys(found.group(1) for found in patterns.place.finditer(clean)))
    telling = telling_part(clean, corrector.words, limit=limit) if len(clean) > limit else clean
    return Normalised(text, clean, (stripped(telling, here=here) or telling.strip() or clean)[:limit], places)


def cleaned(text: str) -> str:
    """NFKC, one line, no control, zero-width or lone surrogate characters, single blanks, none between characters."""
    text = text[:MAX_TEXT_CHARS].encode("utf-8", "ignore").decode("utf-8")
    text = unicodedata.normalize("NFKC", _DROPPED.sub("", text))
    text = "".join(char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " " for char in text)
    return _BETWEEN_HAN.sub("", _SPACES.sub(" ", text)).strip()


def simplified(text: str) -> str:
    """Traditional characters become simplified ones; pure ASCII costs nothing."""
    return text if text.isascii() else str(_converter().convert(text))


def written(text: str) -> str:
    """Cantonese words become those of written Chinese."""
    pattern, words = _dialect()
    return pattern.sub(lambda found: words[found.group()], text)


def stripped(text: str, *, here: tuple[str, ...] = ()) -> str:
    """Without greetings, fillers, the fund's own name and the centre's own place; may be empty."""
    patterns = _patterns(here)
    there, at_home = set(patterns.place.findall(text)), patterns.here.search(text)
    if len(there) == 1 and not at_home:  # a city that begins the question says who asks
        text = patterns.leading_place.sub(r"\1", text)
    if there:  # which other place it is changes nothing, that there is one may
        text = patterns.place.sub(patterns.elsewhere, text)
    if at_home:
        text = patterns.here.sub(patterns.at_home if there else "", text)
    text = patterns.fillers.sub("", text)
    text = patterns.openings.sub(lambda found: found.group(1) or "", text)
    return patterns.closings.sub("", text.strip(_EDGE)).strip(_EDGE)


def telling_part(text: str, lexicon: frozenset[str], *, limit: int = TELLING_CHARS) -> str:
    """The sentences of a long text that ask or name something, in their order, at most ``limit`` characters."""
    pieces = _pieces(text, limit)
    ranked = sorted(range(len(pieces)), key=lambda at: (-_weight(pieces[at], lexicon), at))
    chosen: set[int] = set()
    left = limit
    for at in ranked:
        if len(pieces[at]) <= left:
            chosen.add(at)
            left -= len(pieces[at])
    return "".join(pieces[at] for at in sorted(chosen)) or text[:limit]


def _pieces(text: str, limit: int) -> list[str]:
    """Sentences; those longer than half of ``limit`` fall into clauses, and those into plain cuts."""
    patterns = _patterns()
    out: list[str] = []
    for sentence in patterns.sentence.findall(text):
        parts = [sentence] if len(sentence) <= limit // 2 else patterns.clause.findall(sentence)
        for part in parts:
            out.extend(part[at : at + limit] for at in range(0, len(part), limit))
    return [piece for piece in out if piece.strip(_EDGE)]


def _weight(piece: str, lexicon: frozenset[str]) -> float:
    asks = len(_patterns().asks.findall(piece))
    named = sum(1 for word in lexicon if word in piece)
    return 2.0 * min(asks, 2) + min(named, 4) + (1.0 if piece.rstrip().endswith("?") else 0.0)


@dataclass(frozen=True, slots=True)
class _Patterns:
    here: re.Pattern[str]
    at_home: str
    elsewhere: str
    place: re.Pattern[str]
    leading_place: re.Pattern[str]
    fillers: re.Pattern[str]
    openings: re.Pattern[str]
    closings: re.Pattern[str]
    sentence: re.Pattern[str]
    clause: re.Pattern[str]
    asks: re.Pattern[str]


@cache
def _patterns(here: tuple[str, ...] = ()) -> _Patterns:
    words: dict[str, Any] = wording.read("normalise")
    places = _any([place for place in wording.read("places")["places"].split() if place not in here])
    own = "|".join([f"{re.escape(name)}[市区县]?" for name in sorted(here, key=len, reverse=True)] + [words["here"]])
    ends, clauses = re.escape(words["sentence_ends"]), re.escape(words["clause_ends"])
    edge = re.escape(_EDGE)
    return _Patterns(
        here=re.compile(own),
        at_home=words["at_home"],
        elsewhere=words["elsewhere"],
        place=re.compile(f"({places})(?:{words['place_suffix']})?"),
        leading_place=re.compile(f"(^|[{ends}{clauses}])(?:{places})(?:{words['place_suffix']})?"),
        fillers=re.compile(_any(words["fillers"])),
        openings=re.compile(f"(^|[{ends}{clauses}])[{edge}]*(?:(?:{_any(words['openings'])})[{edge}]*)+"),
        closings=re.compile(f"(?:[{edge}]*(?:{_any(words['closings'])}))+$"),
        sentence=re.compile(f"[^{ends}]+[{ends}]*"),
        clause=re.compile(f"[^{clauses}]+[{clauses}]*"),
        asks=re.compile(_any(words["question_marks"])),
    )


@cache
def _dialect() -> tuple[re.Pattern[str], dict[str, str]]:
    words: dict[str, str] = wording.read("normalise")["dialect"]
    return re.compile(_any(list(words))), words


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")
