"""What an agent has written is looked at before a citizen gets it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.agent_desk import Checked, Refusal
from hotline.domain.lengths import PART_UNITS, WECHAT_BYTES, parts, units
from hotline.domain.messages import ChannelName
from hotline.domain.redaction import Redacted, redact
from hotline.wording import mask
from knowledge_base.model import Catalogue

LONGEST: Final[Mapping[ChannelName, int]] = {ChannelName.WEB: 2000, ChannelName.WECHAT: 600, ChannelName.VOICE: 200}
"""Characters: what is still read on a page and on a telephone's screen, and what is still listened to."""
SMS_PARTS: Final = 4
DENIED_BEFORE: Final = 4
"""Characters before a word in which a denial counts."""
PLACE: Final = "\ue000"
"""Stands for a published number while others are looked for: no digit, and no character anybody types."""

_FILE: Final = Path(__file__).with_name("drafts.yml")
_ORNAMENTS: Final = re.compile(r"[\s*_·~\-\u200b-\u200f\ufeff]+")
_CLAUSE_ENDS: Final = re.compile(r"[^\w]")
_PUBLISHED: Final = re.compile(r"[\w.%+\-]+@[\w\-]+(?:\.[\w\-]+)+|\+?[0-9][0-9 \-]{5,}[0-9]", re.ASCII)
_TELLABLE: Final = frozenset({"phone", "email"})


class DraftCheck:
    """Says what hinders a draft. Safe for concurrent use."""

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        """``catalogue``: what is in force now. The numbers in its answers are the centre's to tell, and its signature
        stands before every SMS."""
        self._catalogue = catalogue
        self._read: tuple[Catalogue, re.Pattern[str] | None] | None = None

    def check(self, text: str, channel: ChannelName) -> Checked:
        """The draft as it would be sent, without spaces around it. The first of: empty, too long, with a personal
        number (``found``: its kinds), with words that may not be said (``found``: these)."""
        said = text.strip()
        personal = self._personal(said)
        limit = self._limit(said, channel)
        refusal, found = _refusal(said, limit, personal)
        return Checked(
            refusal=refusal,
            found=found,
            masked=personal.text,
            characters=len(said),
            limit=limit,
            parts=self._sms_parts(said) if said and channel is ChannelName.SMS else 0,
        )

    def _limit(self, said: str, channel: ChannelName) -> int:
        """How many characters there may be: fewer where those of ``said`` are wider than Chinese ones (emoji)."""
        if channel is ChannelName.SMS:
            return self._sms_limit(said)
        written = said.encode("utf-8", "replace")
        if channel is ChannelName.WECHAT and len(written) > WECHAT_BYTES:
            fitting = written[:WECHAT_BYTES].decode("utf-8", "ignore")
            return min(len(fitting), LONGEST[channel])
        return LONGEST[channel]

    def _sms_limit(self, said: str) -> int:
        most = SMS_PARTS * PART_UNITS - units(self._signature)
        if self._sms_parts(said) <= SMS_PARTS:
            return most
        return next(size for size in range(most, -1, -1) if self._sms_parts(said[:size]) <= SMS_PARTS)

    def _sms_parts(self, said: str) -> int:
        return parts(self._signature + said)

    @property
    def _signature(self) -> str:
        return self._catalogue().centre.sms_signature

    def _personal(self, said: str) -> Redacted:
        """``said`` without personal numbers; those the centre has published stay."""
        published = self._published()
        if published is None or PLACE in said:
            return redact(said, mask())
        seen = redact(published.sub(PLACE, said), mask())
        text = seen.text
        for number in published.findall(said):
            text = text.replace(PLACE, number, 1)
        return Redacted(text, seen.found)

    def _published(self) -> re.Pattern[str] | None:
        """Finds published numbers; made anew when something was published."""
        catalogue = self._catalogue()
        if self._read is None or self._read[0] is not catalogue:
            self._read = catalogue, _alone(published_numbers(catalogue))
        return self._read[1]


def _refusal(said: str, limit: int, personal: Redacted) -> tuple[Refusal | None, tuple[str, ...]]:
    if _is_blank(said):
        return Refusal.EMPTY, ()
    if len(said) > limit:
        return Refusal.TOO_LONG, ()
    if personal.found:
        return Refusal.PERSONAL, personal.found
    words = unsayable(said)
    return (Refusal.SENSITIVE, words) if words else (None, ())


def _is_blank(said: str) -> bool:
    """Whether nothing in it can be seen."""
    return all(unicodedata.category(char)[0] in "ZC" for char in said)


def published_numbers(catalogue: Catalogue) -> frozenset[str]:
    """Telephone numbers and e-mail addresses in the centre's answers that would be taken for somebody's own."""
    texts = (
        text
        for matter in catalogue.matters.values()
        for aspect in matter.aspects.values()
        for text in (aspect.text, aspect.short, aspect.sms, aspect.plain)
        if text
    )
    written = {number for text in texts for number in _PUBLISHED.findall(text)}
    return frozenset(number for number in written if _TELLABLE.issuperset(kinds := _kinds(number)) and kinds)


def _kinds(number: str) -> tuple[str, ...]:
    return redact(number, mask()).found


def _alone(numbers: Iterable[str]) -> re.Pattern[str] | None:
    """Finds the numbers where they stand alone: a piece of a longer number may be somebody's."""
    longest_first = sorted(numbers, key=lambda number: (-len(number), number))
    either = "|".join(map(re.escape, longest_first))
    if not either:
        return None
    return re.compile(rf"(?<![\dA-Za-z@.])(?<!\d[\s\-–—])(?:{either})(?![\dA-Za-z@]|[\s\-–—.]\d)")


def unsayable(text: str) -> tuple[str, ...]:
    """Words that may not be said and stand in ``text``, in the order of drafts.yml."""
    plain, rules = _plain(text), _rules()
    found = [word for words in rules["always"].values() for word in words if _plain(word) in plain]
    for words in rules["unless_denied"].values():
        found += [word for word in words if _is_said(_plain(word), plain)]
    return tuple(found)


def _is_said(word: str, plain: str) -> bool:
    """Whether the word stands there at least once without a denial right before it."""
    starts = (match.start() for match in re.finditer(re.escape(word), plain))
    return any(not _is_denied(plain[max(0, start - DENIED_BEFORE) : start]) for start in starts)


def _is_denied(before: str) -> bool:
    clause = _CLAUSE_ENDS.split(before)[-1]
    return any(denial in clause for denial in _rules()["denials"])


def _plain(text: str) -> str:
    """As texts are compared: compatibility forms undone, lower case, no spaces or ornaments between characters."""
    return _ORNAMENTS.sub("", unicodedata.normalize("NFKC", text).casefold())


@cache
def _rules() -> Mapping[str, Any]:
    """The parsed drafts.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
