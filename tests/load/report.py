"""The figures as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table

from tests.load.figures import Phase, Ratio, System

DASH = "–"


def tables(systems: Sequence[System], ratios: Sequence[Ratio], facts: Mapping[str, Any]) -> RenderableType:
    """Load, system and ratio tables, and what they were measured with."""
    parts: list[RenderableType] = [_load(systems), _systems(systems)]
    if ratios:
        parts.append(_ratios(ratios))
    parts += [_details(system) for system in systems]
    parts.append("\n".join(f"{name}: {value}" for name, value in facts.items()))
    return Group(*parts)


def as_json(systems: Sequence[System], ratios: Sequence[Ratio], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in the tables, under the names of the records."""
    return {
        "facts": dict(facts),
        "systems": {system.name: {**asdict(system), "phases": _phases(system)} for system in systems},
        "ratios": [{**asdict(ratio), "value": _rounded(ratio.value)} for ratio in ratios],
    }


def plain(console_width: int, shown: RenderableType) -> str:
    """The tables as text without colours, for a file."""
    console = Console(width=console_width, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(shown, markup=False)
    return capture.get()


def _phases(system: System) -> list[dict[str, Any]]:
    return [{**asdict(phase), "turns_per_s": round(phase.turns_per_s, 2)} for phase in system.phases]


def _load(systems: Sequence[System]) -> Table:
    columns = ("system", "load", "turns/s", "p50 ms", "p95 ms", "p99 ms", "cpu ms/turn", "errors", "mean characters")
    table = Table(*columns, title="under load")
    for system in systems:
        for phase in system.phases:
            table.add_row(system.name, phase.name, *_load_cells(phase))
    return table


def _load_cells(phase: Phase) -> list[str]:
    times = [f"{value:.0f}" for value in (phase.p50_ms, phase.p95_ms, phase.p99_ms, phase.cpu_ms_per_turn)]
    return [f"{phase.turns_per_s:.1f}", *times, str(sum(phase.errors.values())), f"{phase.mean_chars:.1f}"]


def _systems(systems: Sequence[System]) -> Table:
    columns = ("system", "training s", "restart to first answer s", "memory MiB", "topic top-1", "topic top-3")
    table = Table(*columns, title="machine")
    for system in systems:
        scores = [f"{system.accuracy[key]:.1%}" if system.accuracy else DASH for key in ("top1", "top3")]
        trained = f"{system.training_s:.0f}" if system.training_s is not None else DASH
        trained += f" ({system.training_note})" if system.training_note else ""
        table.add_row(system.name, trained, f"{system.start_s:.1f}", f"{system.memory_mib:.0f}", *scores)
    return table


def _ratios(ratios: Sequence[Ratio]) -> Table:
    table = Table("ours / baseline", "ours", "baseline", "ratio", "better is", "ours is")
    for ratio in ratios:
        value = f"{ratio.value:.2f}" if ratio.value is not None else DASH
        table.add_row(ratio.name, f"{ratio.ours:.4g}", f"{ratio.baseline:.4g}", value, ratio.better, verdict(ratio))
    return table


def verdict(ratio: Ratio) -> str:
    """``better``, ``worse`` or ``equal``; a difference of less than 2 % is none."""
    if ratio.value is None:
        return DASH
    if abs(ratio.value - 1) < 0.02:
        return "equal"
    return "better" if (ratio.value > 1) == (ratio.better == "higher") else "worse"


def _details(system: System) -> str:
    lines = []
    for phase in system.phases:
        told = {"outcomes": phase.outcomes, "hops, mean ms": phase.hops_ms, "errors": phase.errors}
        parts = [
            f"{what}: {', '.join(f'{k} {v:g}' for k, v in found.items())}" for what, found in told.items() if found
        ]
        lines += [f"{system.name} · {phase.name} · {' · '.join(parts)}"] if parts else []
    return "\n".join(lines)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
