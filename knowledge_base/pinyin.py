"""Homophone slips (typed by sound, or misheard on the telephone) put right against the words of the field.

A span of 2 to 5 characters whose toneless pinyin is that of a lexicon word becomes that word: longest
first, never cutting through a word that is already right, and leaving ordinary words alone. Two
characters are little evidence (the sounds of "does not pay" are also those of "pays late"), so a span
of two is changed only where one of them is right and the other is one the catalogue never uses. What
that leaves is compared with how the catalogue itself writes (`slips`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from knowledge_base import slips, wording
from knowledge_base.slips import Slips

LONGEST = 5
_HAN = re.compile(r"[\u4e00-\u9fff]")


@lru_cache(maxsize=20_000)
def syllable(char: str) -> str:
    """The usual toneless reading of one character; the character itself where it has none."""
    from pypinyin.contrib.tone_convert import to_normal
    from pypinyin.pinyin_dict import pinyin_dict

    usual = pinyin_dict.get(ord(char), "").partition(",")[0]
    return _folded(to_normal(usual)) if usual else char


@lru_cache(maxsize=20_000)
def syllables(char: str) -> tuple[str, ...]:
    """The two most usual toneless readings of one character, each once; none where it has none."""
    from pypinyin.contrib.tone_convert import to_normal
    from pypinyin.pinyin_dict import pinyin_dict

    usual = [reading for reading in pinyin_dict.get(ord(char), "").split(",")[:2] if reading]
    return tuple(dict.fromkeys(_folded(to_normal(reading)) for reading in usual))


def _folded(syllable: str) -> str:
    """Endings that many speakers and recognisers do not tell apart become one."""
    return re.sub(r"(?<=[ie])ng$", "n", syllable)


def sound(word: str) -> str:
    """The usual reading of ``word``, syllables joined by spaces."""
    return " ".join(map(syllable, word))


@dataclass(frozen=True, slots=True)
class Corrector:
    """Puts homophone slips right. Built from a published lexicon; the empty one changes nothing."""

    words: frozenset[str] = frozenset()
    ordinary: frozenset[str] = frozenset()
    usual: frozenset[str] = frozenset()
    confusions: Mapping[str, str] = field(default_factory=dict)
    by_sound: Mapping[str, str] = field(default_factory=dict)
    slips: Slips | None = None

    @classmethod
    def build(
        cls,
        words: Iterable[str],
        *,
        ordinary: Iterable[str],
        usual: str,
        confusions: Mapping[str, str],
        slips: Slips | None = None,
    ) -> Corrector:
        """``usual``: the characters the catalogue uses. Of two words that sound alike the first given wins."""
        kept = [word for word in words if 2 <= len(word) <= LONGEST and all(_HAN.match(char) for char in word)]
        by_sound: dict[str, str] = {}
        for word in kept:
            by_sound.setdefault(sound(word), word)
        return cls(frozenset(kept), frozenset(ordinary), frozenset(usual), dict(confusions), by_sound, slips)

    def correct(self, text: str) -> str:
        """``text`` with its slips put right."""
        for typed, meant in self.confusions.items():
            if typed in text:
                text = text.replace(typed, meant)
        if not self.by_sound or not text:
            return text
        text = self._by_sound(text)
        return self.slips.put_right(text) if self.slips else text

    def _by_sound(self, text: str) -> str:
        chars, free = list(text), self._free(text)
        for size in range(min(LONGEST, len(text)), 1, -1):
            for at in range(len(text) - size + 1):
                span = text[at : at + size]
                if all(free[at : at + size]) and span not in self.ordinary and (meant := self._meant(span)):
                    chars[at : at + size] = meant
                    free[at : at + size] = [False] * size
        return "".join(chars)

    def _free(self, text: str) -> list[bool]:
        """False at characters that stand in a lexicon word already (so that none is cut through)."""
        free = [bool(_HAN.match(char)) for char in text]
        for size in range(min(LONGEST, len(text)), 1, -1):
            for at in range(len(text) - size + 1):
                if text[at : at + size] in self.words:
                    free[at : at + size] = [False] * size
        return free

    def _meant(self, span: str) -> str | None:
        meant = self.by_sound.get(" ".join(map(syllable, span)))
        if meant and len(span) == 2:
            wrong = [typed for typed, right in zip(span, meant, strict=True) if typed != right]
            return meant if len(wrong) == 1 and wrong[0] not in self.usual else None
        return meant


def lexicon(texts: Sequence[str], names: Iterable[str]) -> dict[str, Any]:
    """What a `Corrector` needs, from the catalogue's own cleaned texts and names; JSON-able.

    Ordinary words are those the catalogue itself writes, or that a dictionary knows, and that sound like
    a word of the field.
    """
    terms = wording.read("terms")
    words = list(dict.fromkeys([*terms["terms"], *(name for name in names if 3 <= len(name) <= LONGEST)]))
    sounds = {sound(word) for word in words}
    ordinary = set(terms["ordinary"])
    for text in texts:
        ordinary.update(_alike(text, sounds))
    ordinary.update(word for word in _dictionary() if sound(word) in sounds)
    usual = "".join(sorted(set("".join(texts)) | set("".join(words))))
    usage = slips.counted(texts)
    return {"words": words, "ordinary": sorted(ordinary - set(words)), "usual": usual, "usage": usage}


def _alike(text: str, sounds: set[str]) -> Iterator[str]:
    syllables = [syllable(char) for char in text]
    for size in range(2, LONGEST + 1):
        for at in range(len(text) - size + 1):
            if " ".join(syllables[at : at + size]) in sounds:
                yield text[at : at + size]


@cache
def _dictionary() -> tuple[str, ...]:
    from pypinyin.phrases_dict import phrases_dict

    return tuple(word for word in phrases_dict if 2 <= len(word) <= LONGEST)


def corrector(published: Mapping[str, Any]) -> Corrector:
    """The `Corrector` for a published lexicon."""
    places = wording.read("places")["places"].split()
    return Corrector.build(
        published["words"],
        ordinary=published["ordinary"],
        usual=published["usual"],
        confusions=wording.read("terms")["confusions"],
        slips=Slips(slips.usage(published["usage"]), sounds=syllables, names=places),
    )
