"""What was measured, as plain records, and the arithmetic over it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One closed-loop load: so many citizens, each waiting for an answer before asking the next question."""

    name: str
    turns: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    mean_chars: float
    errors: Mapping[str, int] = field(default_factory=dict)
    cpu_ms_per_turn: float = 0.0
    """Processor time of all processes of the system under load, user and kernel."""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    hops_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def turns_per_s(self) -> float:
        """Answered turns; those that ended in an error do not count."""
        return (self.turns - sum(self.errors.values())) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Everything measured about one of the two systems. ``None``: not measured."""

    name: str
    training_s: float | None
    training_note: str
    start_s: float
    memory_mib: float
    phases: tuple[Phase, ...]
    accuracy: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """``ours / baseline``. ``better`` says on which side of one ours is better: higher or lower."""

    name: str
    ours: float
    baseline: float
    better: str

    @property
    def value(self) -> float | None:
        """None where the baseline measured nothing to divide by."""
        return self.ours / self.baseline if self.baseline else None


def percentile(values: Sequence[float], percent: float) -> float:
    """Interpolated between neighbours; 0 for no values. ``percent`` from 0 to 100."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def mean(values: Sequence[float]) -> float:
    """0 for no values."""
    return sum(values) / len(values) if values else 0.0


def ratios(ours: System, baseline: System) -> list[Ratio]:
    """One line for everything both systems were measured by."""
    found = []
    for mine, other in zip(ours.phases, baseline.phases, strict=True):
        found += [
            Ratio(name=f"turns/s, {mine.name}", ours=mine.turns_per_s, baseline=other.turns_per_s, better="higher"),
            Ratio(name=f"p95 ms, {mine.name}", ours=mine.p95_ms, baseline=other.p95_ms, better="lower"),
            Ratio(
                name=f"cpu ms/turn, {mine.name}",
                ours=mine.cpu_ms_per_turn,
                baseline=other.cpu_ms_per_turn,
                better="lower",
            ),
        ]
    if ours.training_s is not None and baseline.training_s is not None:
        found.append(Ratio(name="training s", ours=ours.training_s, baseline=baseline.training_s, better="lower"))
    found.append(Ratio(name="memory MiB", ours=ours.memory_mib, baseline=baseline.memory_mib, better="lower"))
    found.append(Ratio(name="restart to first answer s", ours=ours.start_s, baseline=baseline.start_s, better="lower"))
    if ours.accuracy and baseline.accuracy:
        found += [
            Ratio(name=f"topic {key}", ours=ours.accuracy[key], baseline=baseline.accuracy[key], better="higher")
            for key in ("top1", "top3")
        ]
    return found
