"""Today's calls on the wall: figures with their definitions, and how they spread over the day."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hotline.call_store import CallFigures
from hotline.domain.clock import SHANGHAI
from hotline.services.calls.figures import Definition, day_in_china, definitions, value_of
from web.desk.showing import minutes
from web.desk.site import DeskSite

SHOWN: Final = (
    "calls",
    "connected",
    "by_machine",
    "answered",
    "abandoned",
    "within_15_s_share",
    "wait_s",
    "handling_s",
)
KEPT_S: Final = 10.0
"""A day is counted over not more often than this, however many walls there are."""
OFFICE: Final = range(8, 18)
"""Hours that are always in the chart; others where there was a call."""
BAR: Final = 22
GAP: Final = 6
HEIGHT: Final = 64
"""Of the chart's bars, in its own units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as it is read. ``warns``: it is worse than GB/T 33358 asks."""

    name: str
    means: str
    value: str
    unit: str = ""
    beside: str = ""
    """A share that belongs to it."""
    warns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The calls of one hour, in units of the chart from its upper left: all, and those abandoned within them."""

    hour: int
    x: int
    calls: int
    height: int
    abandoned: int
    abandoned_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HotlineToday:
    """What the wall shows of today's calls."""

    figures: Sequence[Figure]
    bars: Sequence[Bar]
    width: int
    most: int


class TodaysCalls:
    """Counts at most every `KEPT_S`."""

    def __init__(self, site: DeskSite) -> None:
        self._site = site
        self._kept: HotlineToday | None = None
        self._again_at = 0.0

    async def today(self) -> HotlineToday | None:
        """None where there is no telephone, or no line is set and nobody has called today."""
        telephone = self._site.telephone
        if telephone is None:
            return None
        if time.monotonic() >= self._again_at:
            now = self._site.clock()
            since, _ = day_in_china(now.astimezone(SHANGHAI).date())
            figures = await telephone.calls.figures(since=since, until=now)
            hours = await telephone.calls.by_hour(since=since, until=now) if figures.calls else {}
            shown = figures.calls or telephone.settings.line != "none"
            self._kept = hotline_today(figures, hours) if shown else None
            self._again_at = time.monotonic() + KEPT_S
        return self._kept


def hotline_today(figures: CallFigures, hours: Mapping[int, CallFigures]) -> HotlineToday:
    known = {each.code: each for each in definitions()}
    called = [hour for hour, each in hours.items() if each.calls]
    span = range(min([*called, OFFICE.start]), max([*called, OFFICE.stop - 1]) + 1)
    most = max((each.calls for each in hours.values()), default=0)
    return HotlineToday(
        figures=[_figure(known[code], figures, known) for code in SHOWN],
        bars=[_bar(place, hour, hours.get(hour), most) for place, hour in enumerate(span)],
        width=len(span) * (BAR + GAP),
        most=most,
    )


def _figure(definition: Definition, figures: CallFigures, known: Mapping[str, Definition]) -> Figure:
    value = value_of(definition, figures)
    share = known.get(f"{definition.code}_share")
    part = value_of(share, figures) if share else None
    beside = f"{share.name} {100 * part:.0f}%" if share and part is not None else ""
    shown, unit = _read(definition, value)
    warns = definition.code == "within_15_s_share" and value is not None and value < 0.8
    return Figure(name=definition.name, means=definition.means, value=shown, unit=unit, beside=beside, warns=warns)


def _read(definition: Definition, value: float | None) -> tuple[str, str]:
    if value is None:
        return "—", ""
    if definition.of is not None:
        return f"{100 * value:.0f}", "%"
    return (minutes(value), "") if definition.seconds else (str(value), "")


def _bar(place: int, hour: int, figures: CallFigures | None, most: int) -> Bar:
    calls, abandoned = (figures.calls, figures.abandoned) if figures else (0, 0)
    return Bar(
        hour=hour,
        x=place * (BAR + GAP) + GAP // 2,
        calls=calls,
        height=round(HEIGHT * calls / most) if most else 0,
        abandoned=abandoned,
        abandoned_height=round(HEIGHT * abandoned / most) if most else 0,
    )
