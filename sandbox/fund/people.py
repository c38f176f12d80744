"""Everybody who is not in cast.yml: invented by a seeded generator, each person from his own number alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from sandbox.fund.borrowing import loan_of, repayments
from sandbox.fund.filed import application_of
from sandbox.fund.numbers import card_number, id_number
from sandbox.fund.rules import Rules, names
from sandbox.fund.situations import accounts_of
from sandbox.fund.specs import PersonSpec
from sandbox.fund.units import unit, unit_count

FIRST_INDEX = 1001
"""Smaller ones are the cast's."""
MOST_PEOPLE = 499 * 28 * 12
"""Serial numbers of a sex, days and months: beyond them ID numbers would be given twice."""


def people(count: int, *, seed: int, today: date, rules: Rules) -> Iterator[PersonSpec]:
    """``count`` people. Person n is the same however many there are, but for the unit he works in."""
    units = unit_count(count)
    for index in range(FIRST_INDEX, FIRST_INDEX + count):
        # Not for secrets: the same seed has to give the same people.
        dice = Random(f"{seed}:{index}")  # noqa: S311
        yield _person(index, dice, units=units, today=today, rules=rules)


def _person(index: int, dice: Random, *, units: int, today: date, rules: Rules) -> PersonSpec:
    born = _born(dice, today)
    sex = dice.choice(("male", "female"))
    city = _city(dice)
    spec = PersonSpec(
        index=index,
        name=dice.choice(names()["surnames"]) + dice.choice(names()["given"][sex]),
        id_number=_unique_id(index, dice.choice(city["regions"]), born, sex),
        mobile="" if dice.random() < 0.03 else f"1{dice.choice('3578')}{dice.randrange(10**9):09d}",
        birth_on=born,
        sex=sex,
        household_city=city["name"],
        password=f"{dice.randrange(10**6):06d}",
        clerk_of=_clerk_of(dice, units),
    )
    spec = _with_family(spec, dice, (today - born).days // 365)
    card = "" if dice.random() < 0.08 else card_number(index)
    accounts = accounts_of(index, dice, card=card, units=units, today=today, rules=rules)
    spec = replace(spec, accounts=accounts, insurance_stopped_months=_stopped(spec, accounts[0].sealed_on, today))
    return _with_business(spec, dice, today)


def _with_business(spec: PersonSpec, dice: Random, today: date) -> PersonSpec:
    """With loan and application, where the person has one."""
    loan = loan_of(spec, dice, today)
    if loan:
        first = repayments(spec.accounts[0], (loan,), today)
        spec = replace(spec, loans=(loan,), accounts=(first, *spec.accounts[1:]))
    application = application_of(spec, dice, today)
    return replace(spec, applications=(application,)) if application else spec


def _born(dice: Random, today: date) -> date:
    """Between 20 and 66 years ago, most around 38."""
    age = min(max(dice.gauss(38, 10), 20), 66)
    return today.replace(month=1, day=1) - timedelta(days=int(age * 365.25) + dice.randrange(365))


def _city(dice: Random) -> Mapping[str, Any]:
    cities = names()["cities"]
    chosen: Mapping[str, Any] = dice.choices(cities, weights=[city["share"] for city in cities])[0]
    return chosen


def _unique_id(index: int, region: str, born: date, sex: str) -> str:
    """Month, day and serial number follow from the person's own number, so that nobody has another's."""
    rest, serial = divmod(index * 7919 % MOST_PEOPLE, 499)
    day, month = rest % 28 + 1, rest // 28 + 1
    return id_number(region, date(born.year, month, day), 2 * serial + (sex == "male"))


def _with_family(spec: PersonSpec, dice: Random, age: int) -> PersonSpec:
    if dice.random() < 0.15:  # the core does not know
        return replace(spec, birth_on=_birth(spec.id_number))
    marriage = dice.choices(("single", "married", "divorced", "widowed"), weights=_marriage_weights(age))[0]
    children = 0 if marriage == "single" else dice.choices((0, 1, 2, 3), weights=(15, 50, 30, 5))[0]
    return replace(
        spec,
        birth_on=_birth(spec.id_number),
        marriage=marriage,
        children=children,
        homes_in_city=dice.choices((0, 1, 2), weights=(60, 33, 7))[0],
        insured_elsewhere=None if dice.random() < 0.1 else dice.random() < 0.04,
    )


def _marriage_weights(age: int) -> tuple[int, int, int, int]:
    return (80, 19, 1, 0) if age < 28 else (30, 62, 7, 1) if age < 38 else (7, 80, 10, 3)


def _birth(number: str) -> date:
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def _clerk_of(dice: Random, units: int) -> tuple[tuple[str, str], ...]:
    if dice.random() >= 0.02:
        return ()
    return tuple(unit(number) for number in dice.sample(range(units), k=dice.choice((1, 1, 1, 2))))


def _stopped(spec: PersonSpec, sealed_on: date | None, today: date) -> int | None:
    if spec.marriage is None:
        return None
    return 0 if sealed_on is None else max((today.year - sealed_on.year) * 12 + today.month - sealed_on.month, 0)
