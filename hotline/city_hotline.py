"""The city hotline (12345) as an outside system: what it is told of the orders it gave us. Implemented by
hotline.exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hotline.domain.work_orders import Conclusion, State
from hotline.errors import HotlineError


@dataclass(frozen=True, slots=True, kw_only=True)
class CityUpdate:
    """News of an order. ``sequence`` grows within the order; the same sequence again is the same news. ``state`` is
    never ``merged``: who was merged is told how the order stands that answers for it."""

    city_id: str
    sequence: int
    number: str
    state: State
    at: datetime
    reason: str = ""
    conclusion: Conclusion | None = None


class CityRefused(HotlineError):
    """The city hotline understood and said no: telling it again will not help."""


class CityHotline(Protocol):
    """Told again, the city hotline takes the same news once."""

    async def tell(self, update: CityUpdate) -> None:
        """It knows. Raises CityRefused, and TemporaryError where it did not answer in time or is not well: then it may
        know or not, and has to be told again."""
        ...
