"""Questions as they really arrive: typed by sound, a character lost, in traditional script, numbers as heard.

Every change is drawn from the seed and the text alone, so that a question is spoiled alike in every run.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.model import Catalogue

WORDS = Path(__file__).with_name("spoken.yml")
SEED = 12329
COMMON = 5
"""So often a character must stand in the catalogue for people to type it by mistake."""
EVERYDAY = range(0xB0, 0xD8)
"""First bytes of the 3755 everyday characters in GB 2312; dialect's own characters are not among them."""
SLIPS = 2
SHORTEST = 3
"""A text of fewer characters keeps them all."""
PHONE_DIGITS = 5
"""From so many digits on a number that is no round amount is read out digit by digit."""

_HAN = re.compile(r"[\u4e00-\u9fff]")
_NUMBER = re.compile(r"(?<![\d.])(\d+)(\.\d+)?([%‰])?")

SIGNS = {"%": "percent", "‰": "permille"}

Spoil = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Slips:
    """``others``: for each common character of the catalogue those that sound alike, tone aside."""

    others: Mapping[str, str]

    @classmethod
    def of(cls, texts: Iterator[str]) -> Slips:
        counted = Counter(char for text in texts for char in text if _HAN.match(char))
        alike: dict[str, list[str]] = defaultdict(list)
        common = sorted(char for char, count in counted.items() if count >= COMMON and _is_everyday(char))
        for char, sound in zip(common, sounds("".join(common)), strict=True):
            alike[sound].append(char)
        return cls({sound: "".join(chars) for sound, chars in alike.items()})

    def slip(self, text: str, chance: random.Random) -> str:
        """``text`` with one or two characters replaced by others that sound alike; as it is where none does."""
        chars, heard = list(text), sounds(text)
        places = [at for at, char in enumerate(chars) if _HAN.match(char) and self._instead(heard[at], char)]
        chance.shuffle(places)
        for at in places[: chance.randint(1, SLIPS)]:
            chars[at] = chance.choice(self._instead(heard[at], chars[at]))
        return "".join(chars)

    def _instead(self, sound: str, char: str) -> str:
        return self.others.get(sound, "").replace(char, "")


def _is_everyday(char: str) -> bool:
    return char.encode("gb2312", "ignore")[:1] in {bytes([byte]) for byte in EVERYDAY}


def sounds(text: str) -> list[str]:
    """The toneless reading of each character as it is read there; one item per character."""
    from pypinyin import Style, lazy_pinyin

    one_by_one: Any = list
    return list(lazy_pinyin(text, style=Style.NORMAL, errors=one_by_one))


def texts_of(catalogue: Catalogue) -> Iterator[str]:
    """Everything the catalogue asks and says."""
    for matter in catalogue.matters.values():
        for aspect in matter.aspects.values():
            yield from (aspect.title, aspect.text, *aspect.questions)


def dropped(text: str, chance: random.Random) -> str:
    """``text`` without one of its letters or characters."""
    places = [at for at, char in enumerate(text) if char.isalnum()]
    if len(places) < SHORTEST:
        return text
    at = chance.choice(places)
    return text[:at] + text[at + 1 :]


def traditional(text: str) -> str:
    """``text`` in traditional script."""
    return str(_converter().convert(text))


def spoken(text: str) -> str:
    """``text`` with its digits as a recogniser hears them: 2000 is two thousand, 3.5% is three point five percent."""
    return _NUMBER.sub(lambda found: _said(found, text), text)


def kinds(catalogue: Catalogue, *, seed: int = SEED) -> dict[str, Spoil]:
    """Every way to spoil a text, by name."""
    slips = Slips.of(texts_of(catalogue))

    def drawn(name: str, spoil: Callable[[str, random.Random], str]) -> Spoil:
        return lambda text: spoil(text, random.Random(f"{seed} {name} {text}"))  # noqa: S311 - repeatable, no secret

    return {
        "homophones": drawn("homophones", slips.slip),
        "dropped": drawn("dropped", dropped),
        "traditional": traditional,
        "spoken_numbers": spoken,
    }


def _said(found: re.Match[str], text: str) -> str:
    words = _words()
    whole, decimals, sign = found.group(1), found.group(2) or "", found.group(3) or ""
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    if decimals or sign:
        number = _amount(whole) + (words["point"] + _spelled(decimals[1:], "digits") if decimals else "")
        return f"{words[SIGNS[sign]] if sign else ''}{number}"
    if after == words["year"] and (len(whole) == 4 or (len(whole) == 2 and whole.startswith("9"))):
        return _spelled(whole, "digits")
    if whole.startswith("0") or _is_spelled(whole, after) or _is_latin(before) or _is_latin(after):
        return _spelled(whole, "phone_digits" if len(whole) >= PHONE_DIGITS else "digits")
    if whole == "2" and before != words["ordinal"] and _HAN.match(after) and after not in words["not_two_of"]:
        return str(words["two_of"])
    return _amount(whole)


def _is_spelled(whole: str, after: str) -> bool:
    amount = whole.endswith("00") or after in tuple(_words()["money"])
    return len(whole) >= PHONE_DIGITS + 2 or (len(whole) >= PHONE_DIGITS and not amount)


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _amount(whole: str) -> str:
    import cn2an

    words = _words()
    said = str(cn2an.an2cn(whole))
    return re.sub(f"^{words['two']}(?=[{words['two_before']}])", words["two_of"], said)


def _spelled(digits: str, alphabet: str) -> str:
    return "".join(_words()[alphabet][int(digit)] for digit in digits)


@cache
def _words() -> dict[str, Any]:
    return dict(yaml.safe_load(WORDS.read_text(encoding="utf-8")))


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")
