"""What a form asks for, and how an answer in people's words is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from hotline.domain.periods import Period, add_months, parse_day, parse_month, parse_period
from hotline.domain.spoken_amounts import AmountProblem, parse_amount
from hotline.domain.text import clean
from hotline.services.offers import bare
from hotline.services.own.skill import Ask, day, money, month
from hotline.services.own.words import Words

WORDS = Words("forms")
MAX_TEXT_CHARS = 60
LEAST_PART = 2
"""Characters of a label that tell it from the others."""


class FieldKind(StrEnum):
    AMOUNT = "amount"
    MONTH = "month"
    DAY = "day"
    CHOICE = "choice"
    YES_NO = "yes_no"
    """Stored as ``yes`` or ``no``; the labels of ``choices`` are shown."""
    NUMBER = "number"
    TEXT = "text"
    PROMISE = "promise"
    """The citizen declares something to be true; only a clear yes counts. A no ends the form (`is_refused`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to be told. Bounds are fen for amounts, dates for months and days, counts for numbers, all
    inclusive. ``choices``: value and what people call it, for CHOICE."""

    name: str
    kind: FieldKind
    least: int = 1
    most: int | None = None
    earliest: date | None = None
    latest: date | None = None
    choices: Mapping[str, str] | None = None
    may_be_all: bool = True
    """Whether all there is may be asked for in one word, for AMOUNT."""


@dataclass(frozen=True, slots=True)
class Unread:
    """The answer cannot be taken; ``problem`` is a sentence of wording/forms.yml, None where it is no answer at all."""

    problem: str | None = None


def read(field: Field, ask: Ask) -> str | Unread:
    """The value in ``ask.text`` as it is stored: fen, ISO dates, the choice's key."""
    return _READERS[field.kind](field, ask)


def shown(field: Field, value: str, ask: Ask) -> str:
    """A stored value as the citizen reads it in the summary."""
    match field.kind:
        case FieldKind.AMOUNT:
            return money(ask.channel, int(value))
        case FieldKind.MONTH:
            return month(date.fromisoformat(value))
        case FieldKind.DAY:
            return day(date.fromisoformat(value))
        case FieldKind.CHOICE | FieldKind.YES_NO:
            return (field.choices or {}).get(value, value)
        case FieldKind.PROMISE:
            return str(WORDS.find("promised"))
    return value


def fits(field: Field, value: str) -> bool:
    """Whether a stored value still lies within the field's bounds."""
    match field.kind:
        case FieldKind.AMOUNT | FieldKind.NUMBER:
            return field.least <= int(value) and (field.most is None or int(value) <= field.most)
        case FieldKind.MONTH | FieldKind.DAY:
            when = date.fromisoformat(value)
            return (field.earliest or when) <= when <= (field.latest or when)
        case FieldKind.CHOICE:
            return value in (field.choices or {})
    return True


def says(text: str, key: str) -> bool:
    """Whether ``text`` is one of the words of that list."""
    return bare(text) in set(map(bare, WORDS.find(key)))


def is_refused(field: Field, ask: Ask) -> bool:
    """Whether the citizen says that what he was to declare is not so."""
    return field.kind is FieldKind.PROMISE and says(ask.text, "no_words")


def _amount(field: Field, ask: Ask) -> str | Unread:
    if field.most is not None and field.may_be_all and says(ask.text, "all_words"):
        return str(field.most)
    found = parse_amount(ask.text)
    if isinstance(found, AmountProblem):
        return Unread(None if found is AmountProblem.NONE else WORDS.say(f"amount_problem.{found}", ask.channel))
    if field.most is not None and found > field.most:
        return Unread(WORDS.say("too_much", ask.channel, most=money(ask.channel, field.most)))
    if found < field.least:
        return Unread(WORDS.say("too_little", ask.channel, least=money(ask.channel, field.least)))
    return str(found)


def _month(field: Field, ask: Ask) -> str | Unread:
    found = parse_month(ask.text, ask.today)
    past = _past(ask)
    if found and field.latest and found > field.latest and past and add_months(past.first, 1) > past.last:
        found = past.first
    return _dated(field, found, ask, write=month)


def _day(field: Field, ask: Ask) -> str | Unread:
    found = parse_day(ask.text, ask.today)
    past = _past(ask)
    if found and field.latest and found > field.latest and past and past.first == past.last:
        found = past.first
    return _dated(field, found, ask, write=day)


def _past(ask: Ask) -> Period | None:
    """What the words name where they are about the past: a month or day without a year is the last one that was."""
    return parse_period(ask.text, ask.today)


def _dated(field: Field, found: date | None, ask: Ask, *, write: Callable[[date], str]) -> str | Unread:
    if found is None:
        return Unread()
    if field.earliest is not None and found < field.earliest:
        return Unread(WORDS.say("too_early", ask.channel, first=write(field.earliest)))
    if field.latest is not None and found > field.latest:
        return Unread(WORDS.say("too_late", ask.channel, last=write(field.latest)))
    return found.isoformat()


def _choice(field: Field, ask: Ask) -> str | Unread:
    choices = field.choices or {}
    said = bare(ask.text)
    for number, (value, label) in enumerate(choices.items(), start=1):
        if said in (str(number), bare(value), bare(label)):
            return value
    found = [value for value, label in choices.items() if _means(said, value, bare(label))]
    return found[0] if len(found) == 1 else Unread()


def _means(said: str, value: str, label: str) -> bool:
    """Whether ``said`` holds the label, a part of it that is long enough to tell, or other words for the value."""
    if any(said.startswith(bare(word)) for word in WORDS.find("not_it")):
        return False
    if (len(label) >= LEAST_PART and label in said) or (len(said) >= LEAST_PART and said in label):
        return True
    return any(bare(word) in said for word in WORDS.find("choice_words").get(value, ()))


def _yes_no(field: Field, ask: Ask) -> str | Unread:
    """A yes has no word of denial in it: "yes, but not any more" is asked again."""
    chosen = _choice(field, ask)
    if not isinstance(chosen, Unread):
        return chosen
    said = bare(ask.text)
    if says(ask.text, "is_so"):
        return "yes"
    if says(ask.text, "is_not_so"):
        return "no"
    if not said or any(said.startswith(bare(word)) for word in WORDS.find("unsure")):
        return Unread()
    if said.startswith(tuple(map(bare, WORDS.find("no_begins")))):
        return "no"
    denies = any(word in said for word in WORDS.find("denials"))
    return "yes" if said.startswith(tuple(map(bare, WORDS.find("yes_begins")))) and not denies else Unread()


def _number(field: Field, ask: Ask) -> str | Unread:
    found = re.fullmatch(str(WORDS.find("count")), unicodedata.normalize("NFKC", ask.text).strip())
    number = _counted(found["number"]) if found else None
    if number is None:
        return Unread()
    if number < field.least or (field.most is not None and number > field.most):
        return Unread(WORDS.say("number_range", ask.channel, least=field.least, most=field.most))
    return str(number)


def _counted(number: str) -> int | None:
    import cn2an

    try:
        value = Decimal(str(cn2an.cn2an(number, "smart")))
    except ValueError:
        return None
    return int(value) if value == int(value) else None


def _text(field: Field, ask: Ask) -> str | Unread:
    said = " ".join(clean(ask.text).split())
    if ask.is_other or len(bare(said)) < field.least:
        return Unread()
    return said if len(said) <= MAX_TEXT_CHARS else Unread(WORDS.say("too_long", ask.channel, most=MAX_TEXT_CHARS))


def _promise(field: Field, ask: Ask) -> str | Unread:
    return "yes" if says(ask.text, "yes_words") else Unread()


_READERS: Mapping[FieldKind, Callable[[Field, Ask], str | Unread]] = {
    FieldKind.AMOUNT: _amount,
    FieldKind.MONTH: _month,
    FieldKind.DAY: _day,
    FieldKind.CHOICE: _choice,
    FieldKind.YES_NO: _yes_no,
    FieldKind.NUMBER: _number,
    FieldKind.TEXT: _text,
    FieldKind.PROMISE: _promise,
}
