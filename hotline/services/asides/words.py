"""The sentences of asides, and how answers to them are read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.domain.clock import SHANGHAI
from hotline.domain.messages import ChannelName, Choice, Reply, TurnResult
from hotline.domain.ratings import Score
from hotline.services.asides.parts import Opened

BY_NUMBER: Final = (ChannelName.SMS, ChannelName.VOICE)
"""Channels without buttons: what can be chosen stands in the sentence."""
LONGEST_WORD: Final = 40
"""Characters; a longer message is none of the words that are listened for."""
LONGEST_REASON: Final = 100
"""Characters of one sentence; who writes more asks or tells something else."""
_FILE = Path(__file__).with_name("wording.yml")


@cache
def wording() -> Mapping[str, Any]:
    """The parsed wording.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded


def sentence(key: str, channel: ChannelName, **values: object) -> str:
    """The sentence ``key`` in the channel's form."""
    found = wording()[key]
    text = found if isinstance(found, str) else found.get(channel.value, found["default"])
    return str(text).format(**values)


def choices(key: str, channel: ChannelName) -> tuple[Choice, ...]:
    """Buttons of the list ``key``; none where the sentence has them."""
    return () if channel in BY_NUMBER else tuple(Choice(label=each, text=each) for each in wording()[key])


def levels(channel: ChannelName) -> tuple[Choice, ...]:
    """Buttons of the five levels, the best first."""
    labels = [label(score) for score in sorted(Score, reverse=True)]
    return () if channel in BY_NUMBER else tuple(Choice(label=each, text=each) for each in labels)


def said(intent: str, key: str, channel: ChannelName, *, offering: str = "", **values: object) -> TurnResult:
    """The turn that says the sentence ``key`` with the buttons of the list ``offering``."""
    buttons = choices(offering, channel) if offering else ()
    return TurnResult(
        replies=(Reply(text=sentence(key, channel, **values), choices=buttons),), intent=intent, confidence=1.0
    )


def promised(opened: Opened, channel: ChannelName) -> dict[str, str]:
    """The number and the day of an order as the channel says them: on the telephone a hyphen would be read as “to”."""
    number = opened.number.replace("-", "") if channel is ChannelName.VOICE else opened.number
    local = opened.due_at.astimezone(SHANGHAI)
    form = wording()["provisional_day" if opened.provisional else "day"]
    return {"number": number, "day": str(form).format(month=local.month, day=local.day)}


def cut(text: str, most: int) -> str:
    """``text`` in at most ``most`` characters; what is cut off is said to stand in the conversation."""
    mark = str(wording()["cut"])
    return text if len(text) <= most else text[: most - len(mark)] + mark


def label(score: Score) -> str:
    """What the level is called."""
    return str(wording()["levels"][int(score)]["label"])


def plain(text: str) -> str:
    """``text`` in one width and case, without what stands around its first and last letter or digit. Empty where it
    ends in a question mark, since a word that is asked is no answer, and for what is too long to be one."""
    if len(text) > LONGEST_WORD:
        return ""
    written = unicodedata.normalize("NFKC", text).casefold().strip()
    if written.endswith("?"):
        return ""
    inside = [at for at, char in enumerate(written) if unicodedata.category(char)[0] in "LN" or char == "#"]
    return written[inside[0] : inside[-1] + 1] if inside else ""


def is_one_of(text: str, key: str) -> bool:
    """Whether ``text`` is one of the words of the list ``key`` and nothing more."""
    return plain(text) in _list(key)


def level(text: str, *, freely: bool) -> Score | None:
    """The level that ``text`` is, as its label alone; ``freely``: by its number or another word for it too."""
    written = plain(text)
    return (_free_levels() if freely else _labels()).get(written)


def number(text: str) -> int | None:
    """The number 1 to 5 that ``text`` is."""
    return _numbers().get(plain(text))


def reason(text: str, channel: ChannelName) -> str:
    """The reason for a poor rating that ``text`` is and nothing else; empty where it may be meant for the dialogue."""
    picked, buttons = number(text), choices("reasons", channel)
    if picked is not None:
        return buttons[picked - 1].text if picked <= len(buttons) else ""
    written, words = unicodedata.normalize("NFKC", text).strip(), wording()
    if plain(text) in _list("reasons"):
        return text.strip()
    if len(written) > LONGEST_REASON or not re.search(words["judges"], written):
        return ""
    beside = re.search(words["asks"], written.rstrip("。.!~ ")) or re.search(words["wants"], written)
    return "" if beside else text.strip()


@cache
def _list(key: str) -> frozenset[str]:
    return frozenset(plain(word) for word in wording()[key])


@cache
def _labels() -> Mapping[str, Score]:
    return {plain(label(score)): score for score in Score}


@cache
def _free_levels() -> Mapping[str, Score]:
    by_word = {plain(word): score for score in Score for word in wording()["levels"][int(score)]["words"]}
    by_number = {text: Score(len(Score) + 1 - place) for text, place in _numbers().items()}
    return {**by_word, **by_number, **_labels()}


@cache
def _numbers() -> Mapping[str, int]:
    forms, numerals = wording()["number_forms"], wording()["numerals"]
    return {
        plain(form.format(n=numeral)): place
        for place, group in enumerate(numerals, 1)
        for numeral in group
        for form in forms
    }
