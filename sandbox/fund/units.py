"""The units (单位) people of the sandbox work for."""

from __future__ import annotations

from sandbox.fund.rules import names

FLEXIBLE = -1
"""The number of what holds the accounts of flexible workers."""


def unit_count(people: int) -> int:
    """So many units for so many people."""
    return max(people // 25, 8)


def unit(number: int) -> tuple[str, str]:
    """Number and name of a unit."""
    parts = names()["units"]
    if number == FLEXIBLE:
        return "900000000000", names()["flexible_unit"]
    places, brands, trades = parts["places"], parts["brands"], parts["trades"]
    rest, trade = divmod(number, len(trades))
    rest, brand = divmod(rest, len(brands))
    name = places[rest % len(places)] + brands[(brand + 3 * trade) % len(brands)] + trades[trade]
    return f"3{number:011d}", name
