"""The figures as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from tests.measure import speed
from tests.measure.figures import Reliability, Score
from tests.measure.measuring import GoldenScores, Report
from tests.measure.systems import Ours

DASH = "–"


def as_json(report: Report) -> dict[str, Any]:
    """Everything in the tables and every failing turn, under the names of the records."""
    found = asdict(report)
    for name, played in report.conversations.items():
        found["conversations"][name]["share"] = played.share
    return found


def tables(report: Report, *, show: bool) -> RenderableType:
    """Only what was measured; ``show``: with every failing turn of the conversations."""
    parts: list[RenderableType] = list(_tables(report))
    parts += [_failures(name, report) for name in report.conversations if show]
    facts = ", ".join(f"{name} {value}" for name, value in report.knowledge.items())
    return Group(*parts, *_remarks(report), f"knowledge: {facts}")


def _tables(report: Report) -> Iterator[RenderableType]:
    ours = report.systems[Ours.name]
    if ours.all:
        yield _golden(report)
        yield _groups("ours by style", "style", ours.styles)
        yield _groups("ours by topic", "topic", ours.topics)
    if ours.citizens:
        yield _citizens(report.systems)
    if report.reliability:
        yield _reliability(report.reliability)
    if report.confusions:
        yield _confusions(report)
    if report.noise:
        yield _noise(report)
    if report.conversations:
        yield _conversations(report)
    if report.speed:
        yield _times(report.speed)
        yield _growth(report.speed)


def _remarks(report: Report) -> Iterator[str]:
    for name, scores in report.systems.items():
        if scores.note:
            yield f"{name}: trained on {scores.note}"
    for name, played in report.conversations.items():
        yield (
            f"conversations, {name.replace('_', ' ')}: {played.right} of {played.n} all right ({played.share:.1%}),"
            f" {played.turns_right} of {played.turns} turns"
        )
    if report.unknown_labels:
        yield f"golden labels that are not published: {', '.join(report.unknown_labels)}"
    for line in report.left_out:
        yield f"left out: {line}"


def _golden(report: Report) -> Table:
    scores = report.systems[Ours.name].all
    title = f"{scores.n if scores else 0} golden questions, {report.outside_n} that are not the fund's business"
    columns = ("system", "entry top-1", "entry top-3", "matter top-1", "topic top-1", "outside rejected")
    table = Table(*columns, "the fund's rejected", title=title)
    for name, found in report.systems.items():
        if found.all:
            table.add_row(name, *_cells(found.all), _percent(found.outside_rejected), _percent(found.all.rejected))
    return table


def _groups(title: str, of: str, groups: Mapping[str, Score]) -> Table:
    table = Table(of, "n", "entry top-1", "entry top-3", "matter top-1", "topic top-1", "rejected", title=title)
    for name, score in groups.items():
        table.add_row(name, str(score.n), *_cells(score), _percent(score.rejected))
    return table


def _cells(score: Score) -> list[str]:
    return [_percent(value) for value in (score.top1, score.top3, score.matter1, score.topic1)]


def _citizens(systems: Mapping[str, GoldenScores]) -> Table:
    table = Table("system", "n", "topic top-1", "topic top-3", title="citizens' questions of at most 60 characters")
    for name, found in systems.items():
        if found.citizens:
            table.add_row(name, str(found.citizens.n), _percent(found.citizens.top1), _percent(found.citizens.top3))
    return table


def _reliability(found: Reliability) -> Table:
    table = Table("stated probability", "n", "claimed", "right", title=f"calibration error {found.error:.3f}")
    for each in found.bins:
        table.add_row(f"{each.low:.1f} to {each.high:.1f}", str(each.n), _percent(each.claimed), _percent(each.right))
    return table


def _confusions(report: Report) -> Table:
    table = Table("n", "wanted", "came first", title="which entries steal from which")
    table.add_column("for example", overflow="fold")
    for each in report.confusions:
        table.add_row(str(each.count), each.wanted, each.taken, each.example)
    return table


def _noise(report: Report) -> Table:
    names = list(next(iter(report.noise.values())).top1)
    table = Table("noise", "changed", *names, title="entry top-1 on spoiled questions, and points lost")
    for kind, found in report.noise.items():
        cells = [f"{found.top1[name]:.1%} ({0 - 100 * found.lost[name]:+.1f})" for name in names]
        table.add_row(kind.replace("_", " "), f"{found.changed} of {found.n}", *cells)
    return table


def _conversations(report: Report) -> Table:
    table = Table("conversations", "n", *(name.replace("_", " ") for name in report.conversations))
    first = next(iter(report.conversations.values()))
    for kind, (n, _) in first.kinds.items():
        table.add_row(kind, str(n), *(str(played.kinds[kind][1]) for played in report.conversations.values()))
    table.add_row("all", str(first.n), *(str(played.right) for played in report.conversations.values()))
    return table


def _failures(name: str, report: Report) -> Table:
    table = Table("conversation", "turn", title=f"failing turns, {name.replace('_', ' ')}")
    for column in ("said", "problem"):
        table.add_column(column, overflow="fold")
    for failure in report.conversations[name].failures:
        table.add_row(failure.conversation, str(failure.turn), failure.user, "; ".join(failure.problems))
    return table


def _times(found: speed.Speed) -> Table:
    table = Table("one core", "n", "p50 ms", "p95 ms", title="speed")
    for each in found.times:
        table.add_row(each.what, str(each.n), _ms(each.p50), _ms(each.p95))
    return table


def _growth(found: speed.Speed) -> Table:
    columns = ("entries", "MiB", "rank p50 ms", "rank p95 ms", "embedding p50 ms", "embedding p95 ms")
    table = Table(*columns, title="growth (synthetic rankers)")
    embedding = [_ms(found.embedding.p50), _ms(found.embedding.p95)]
    for each in found.growth:
        ranked = speed.times("rank", each.rank_ms)
        cells = [_ms(ranked.p50), _ms(ranked.p95)] if each.rank_ms else ["not enough memory", DASH]
        table.add_row(f"{each.entries:,}", f"{each.mib:,.0f}", *cells, *embedding)
    return table


def _ms(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.4f}"


def _percent(value: float | None) -> str:
    return DASH if value is None else f"{value:.1%}"
