"""Figures of the published catalogue on a day, and a note of each one that a calculation used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from knowledge_base import figures, wording
from knowledge_base.errors import NotInForce
from knowledge_base.model import Catalogue, Source

_FEN_A_YUAN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A figure a calculation rests on, with what a citizen is told of it."""

    name: str
    title: str
    value: Decimal
    unit: str
    effective_from: date
    source: Source

    @property
    def written(self) -> str:
        """Value and unit, as answers write them."""
        return figures.amount(str(self.value), self.unit)


class Figures:
    """The figures of ``catalogue`` in force on ``on``; ``used`` lists those that were looked up, each once."""

    def __init__(self, catalogue: Catalogue, on: date) -> None:
        self._catalogue = catalogue
        self._used: dict[str, Used] = {}
        self.on = on

    @property
    def used(self) -> tuple[Used, ...]:
        return tuple(self._used.values())

    def has(self, name: str) -> bool:
        """Whether the centre has this figure on the day."""
        parameter = self._catalogue.parameters.get(name)
        return parameter is not None and parameter.on(self.on) is not None

    def get(self, name: str) -> Used:
        """The figure, noted as used. Raises: NotInForce."""
        parameter = self._catalogue.parameters.get(name)
        value = parameter.on(self.on) if parameter else None
        if parameter is None or value is None:
            raise NotInForce(f"{name} has no value on {self.on}")
        used = Used(
            name=name,
            title=parameter.title,
            value=Decimal(value.value),
            unit=parameter.unit,
            effective_from=value.effective_from,
            source=value.source,
        )
        return self._used.setdefault(name, used)

    def value(self, name: str) -> Decimal:
        """Its value in its own unit. Raises: NotInForce."""
        return self.get(name).value

    def whole(self, name: str) -> int:
        """Its value as a whole number: months, years, persons. Raises: NotInForce."""
        return int(self.value(name))

    def fen(self, name: str) -> int:
        """An amount in yuan or ten thousand yuan, in fen. Raises: NotInForce, ValueError for another unit."""
        used, money = self.get(name), wording.read("answers")["money"]
        times = {money["unit"]: 1, money["ten_thousand"] + money["unit"]: 10_000}.get(used.unit)
        if times is None:
            raise ValueError(f"{name} is no amount of money")
        return int(used.value * times * _FEN_A_YUAN)
