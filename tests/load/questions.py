"""What the citizens of a load ask: published phrasings, made new or repeated as popular questions are."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, zip_longest
from pathlib import Path

import yaml

from hotline.errors import ConfigError
from knowledge_base.model import Catalogue, Matter
from knowledge_base.normalise import normalise

VARIATIONS = Path(__file__).with_name("variations.yml")
TYPED_CHARS = 32
"""Longer phrasings are letters; a load is made of what people type in a chat."""
ZIPF_EXPONENT = 1.0
"""Of question popularity: the second most popular question is asked half as often as the first, and so on."""


def ranked(catalogue: Catalogue) -> list[str]:
    """Every published phrasing about the fund once, most popular first.

    The first phrasings of all matters in order of the matters' popularity, then the second ones, and so on.
    """
    ours = (matter for matter in catalogue.matters.values() if matter.scope == "fund")
    matters = sorted(ours, key=lambda matter: (-matter.popularity, matter.code))
    rounds = zip_longest(*(phrasings(matter) for matter in matters))
    return list(dict.fromkeys(text for text in chain.from_iterable(rounds) if text and len(text) <= TYPED_CHARS))


def phrasings(matter: Matter) -> list[str]:
    """The questions under all aspects of a matter, in the order they are written."""
    return [question for aspect in matter.aspects.values() for question in aspect.questions]


def distinct(catalogue: Catalogue, count: int, *, seed: int) -> list[str]:
    """``count`` questions of which no two are embedded as the same text, and none as a published one.

    Raises:
        ConfigError: the catalogue has not enough questions.
    """
    published = ranked(catalogue)
    used = {normalise(text).core for text in published}
    chosen: list[str] = []
    for text in _varied(published, random.Random(seed)):  # noqa: S311 - a repeatable load, nothing secret
        if len(chosen) == count:
            return chosen
        core = normalise(text).core
        if core not in used:
            used.add(core)
            chosen.append(text)
    if len(chosen) < count:
        raise ConfigError(f"the catalogue gives {len(chosen)} different questions; ask for at most as many turns")
    return chosen


def popular(catalogue: Catalogue, count: int, *, seed: int) -> list[str]:
    """``count`` published questions drawn by Zipf's law over their rank: popular ones come again and again."""
    texts = ranked(catalogue)
    if not texts:
        raise ConfigError("the catalogue has no questions to ask")
    return random.Random(seed).choices(texts, cum_weights=zipf_weights(len(texts)), k=count)  # noqa: S311


def zipf_weights(count: int, exponent: float = ZIPF_EXPONENT) -> list[float]:
    """Cumulative weights of ranks 1 to ``count``."""
    return list(accumulate(rank**-exponent for rank in range(1, count + 1)))


def _varied(texts: Sequence[str], chance: random.Random) -> Iterator[str]:
    """All phrasings in random order, each with a random variation; then again with another one."""
    ways = _ways()
    order = list(texts)
    chance.shuffle(order)
    first = [chance.randrange(len(ways)) for _ in order]
    for turn in range(len(ways)):
        for text, offset in zip(order, first, strict=True):
            before, after = ways[(turn + offset) % len(ways)]
            yield f"{before}{text}{after}"


def _ways() -> list[tuple[str, str]]:
    words = yaml.safe_load(VARIATIONS.read_text(encoding="utf-8"))
    return [(before, "") for before in words["before"]] + [("", after) for after in words["after"]]
