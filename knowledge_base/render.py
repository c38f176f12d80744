"""Approved answers with the figures in force on a day, in the form of a channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from knowledge_base import figures, wording
from knowledge_base.checks import MAX_SHORT_CHARS, MAX_SMS_UNITS
from knowledge_base.errors import NotInForce
from knowledge_base.model import Aspect, Catalogue, Matter, ParameterValue, Source

CHANNELS = ("web", "wechat", "sms", "voice")
MAX_SOURCES_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a citizen gets. ``effective_from``: since when it holds (the youngest figure's date, else the matter's).

    ``weak``: rests on a source that is neither official nor a repost; the text says so where it fits.
    """

    text: str
    sources: tuple[Source, ...]
    weak: bool
    effective_from: date | None


def render(catalogue: Catalogue, matter: Matter | str, aspect: Aspect | str, *, channel: str, on: date) -> Rendered:
    """The answer of ``aspect`` as ``channel`` shows it, with the figures of the day ``on``.

    Raises:
        NotInForce: a figure in it has no value on that day, or the matter is not in force and no figure says otherwise.
        KeyError: no such matter or aspect.
        ValueError: no such channel.
    """
    if channel not in CHANNELS:
        raise ValueError(f"{channel} is not one of {', '.join(CHANNELS)}")
    matter = catalogue.matters[matter] if isinstance(matter, str) else matter
    aspect = matter.aspects[aspect] if isinstance(aspect, str) else aspect
    template = {"sms": aspect.sms or aspect.short, "voice": aspect.short}.get(channel, aspect.text)
    filled = fill(catalogue, template, on=on)
    _require(matter, filled, on)
    sources = _sources(matter, aspect, filled)
    # What is not the fund's business rests on nothing of the fund's: no rule is cited, nothing is to be checked there.
    ours = matter.scope == "fund"
    weak = ours and any(source.strength == "weak" for source in sources)
    text = _with_doubt(catalogue, filled.text, channel) if weak else filled.text
    if channel in ("web", "wechat") and sources and ours:
        text = f"{text}\n{sources_line(sources)}"
    return Rendered(text=text, sources=sources, weak=weak, effective_from=_since(matter, filled, on))


def title(catalogue: Catalogue, matter: Matter | str, aspect: Aspect | str, *, on: date) -> str:
    """The question an aspect answers, as a choice shows it."""
    matter = catalogue.matters[matter] if isinstance(matter, str) else matter
    aspect = matter.aspects[aspect] if isinstance(aspect, str) else aspect
    return fill(catalogue, aspect.title, on=on).text


def sources_line(sources: tuple[Source, ...]) -> str:
    """The line that names the first sources with their dates."""
    words = wording.read("answers")["sources_line"]
    items = [
        words["item"].format(title=source.title, date=figures.day(source.issued_on))
        if source.issued_on
        else words["item_undated"].format(title=source.title)
        for source in sources[:MAX_SOURCES_SHOWN]
    ]
    return str(words["prefix"]) + str(words["joiner"]).join(items)


@dataclass(slots=True)
class Filled:
    """A text with its figures in place, and the values that were used."""

    text: str = ""
    used: list[ParameterValue] = field(default_factory=list)


def fill(catalogue: Catalogue, template: str, *, on: date) -> Filled:
    """``template`` with every placeholder replaced.

    Raises:
        NotInForce: a figure has no value on that day.
    """
    filled = Filled()

    def written(found: re.Match[str]) -> str:
        name, part = found.group(1), found.group(2)
        if name == figures.CENTRE:
            return figures.centre_part(catalogue.centre, part)
        parameter = catalogue.parameters[name]
        value = parameter.on(on)
        if value is None:
            raise NotInForce(f"{name} has no value on {on}")
        if value not in filled.used:
            filled.used.append(value)
        if part == "from":
            return figures.day(value.effective_from)
        return figures.number(value.value) if part else figures.amount(value.value, parameter.unit)

    filled.text = figures.PLACEHOLDER.sub(written, template)
    return filled


def _require(matter: Matter, filled: Filled, on: date) -> None:
    """A matter's own dates are those of its youngest rule: where figures carry dates, those decide."""
    ended = matter.effective_to is not None and on > matter.effective_to
    if ended or not (filled.used or matter.in_force(on)):
        raise NotInForce(f"{matter.code} is not in force on {on}")


def _since(matter: Matter, filled: Filled, on: date) -> date | None:
    if filled.used:
        return max(value.effective_from for value in filled.used)
    return matter.effective_from


def _sources(matter: Matter, aspect: Aspect, filled: Filled) -> tuple[Source, ...]:
    """The figures' own sources first, then the entry's; one source that has two names once."""
    own = [matter.sources[name] for name in aspect.source_ids] or list(matter.sources.values())
    distinct: dict[tuple[str, date | None], Source] = {}
    for source in (*(value.source for value in filled.used), *own):
        distinct.setdefault((source.title, source.issued_on), source)
    return tuple(distinct.values())


def _with_doubt(catalogue: Catalogue, text: str, channel: str) -> str:
    """Adds the sentence that sends people to the hotline; left out where a limit leaves no room."""
    words = wording.read("answers")["weak"]
    hotline = catalogue.centre.hotline
    if channel in ("web", "wechat"):
        return f"{text}\n{words['text'].format(hotline=hotline)}"
    longer = text + words["short"].format(hotline=hotline)
    if hotline in text:
        return text
    if channel == "voice":
        return longer if len(longer) <= MAX_SHORT_CHARS else text
    units = len((catalogue.centre.sms_signature + longer).encode("utf-16-le")) // 2
    return longer if units <= MAX_SMS_UNITS else text
