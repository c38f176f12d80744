"""What `hotline kb learn` shows: groups of cases and entries in demand, as JSON and as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hotline.domain.clock import SHANGHAI
from hotline.services.clusters import Cluster
from hotline.services.learning import Case, HotEntry
from knowledge_base.match import Match
from knowledge_base.model import Catalogue

SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An entry the cases may belong to."""

    entry: str
    title: str
    p: float


def nearest(match: Match, catalogue: Catalogue) -> tuple[Near, ...]:
    """The three likeliest entries."""
    return tuple(
        Near(entry=f"{each.code}/{each.aspect}", title=entry_title(catalogue, each.code, each.aspect), p=each.p)
        for each in match.entries[:3]
    )


def entry_title(catalogue: Catalogue, code: str, aspect: str) -> str:
    """Empty where the content no longer has the entry."""
    matter = catalogue.matters.get(code)
    return matter.aspects[aspect].title if matter and aspect in matter.aspects else ""


def cluster_json(cluster: Cluster, near: Sequence[Near]) -> dict[str, Any]:
    return {
        "case": cluster.case_id,
        "title": cluster.title,
        "size": len(cluster.cases),
        "weight": round(cluster.weight, 2),
        "first_on": cluster.first_on.isoformat(),
        "last_on": cluster.last_on.isoformat(),
        "reasons": _counted(case.reason.value for case in cluster.cases),
        "channels": _counted(case.channel for case in cluster.cases),
        "answered": _counted(f"{case.matter}/{case.aspect}" for case in cluster.cases if case.matter),
        "samples": [_sample_json(case) for case in cluster.samples],
        "nearest": [{"entry": each.entry, "title": each.title, "p": each.p} for each in near],
    }


def _sample_json(case: Case) -> dict[str, Any]:
    return {
        "case": case.inbox_id,
        "text": case.text,
        "asked_on": case.asked_at.astimezone(SHANGHAI).date().isoformat(),
        "reason": case.reason.value,
    }


def cluster_lines(cluster: Cluster, near: Sequence[Near]) -> Iterator[str]:
    """The group's number and title first, then its other wordings and the nearest entries."""
    shown = cluster_json(cluster, near)
    days = f"{shown['first_on']} to {shown['last_on']}" if cluster.first_on != cluster.last_on else shown["last_on"]
    reasons = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in shown["reasons"].items())
    yield f"{cluster.case_id}  {_short(cluster.title)}"
    yield f"      asked {len(cluster.cases)} times, {days}: {reasons}; weight {cluster.weight:.1f}"
    if shown["answered"]:
        yield "      answered with " + ", ".join(f"{entry} ({n})" for entry, n in list(shown["answered"].items())[:3])
    for case in cluster.samples[1:]:
        yield f"      also {case.inbox_id}  {_short(case.text)}"
    for each in near:
        yield f"      near {each.p:4.0%}  {each.entry}  {each.title}"


def hot_json(entry: HotEntry, title: str) -> dict[str, Any]:
    return {
        "entry": f"{entry.code}/{entry.aspect}",
        "title": title,
        "asked": entry.asked,
        "badly_rated": entry.badly_rated,
        "bad_share": round(entry.bad_share, 4),
        "before": entry.before,
        "trend": None if entry.trend is None else round(entry.trend, 4),
    }


def hot_line(entry: HotEntry, title: str) -> str:
    trend = "new" if entry.trend is None else f"{entry.trend:+.0%}"
    return f"{entry.asked:>7}  {entry.bad_share:>5.0%} bad  {trend:>6}  {entry.code}/{entry.aspect}  {title}".rstrip()


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS else line[: SHOWN_CHARS - 1] + "…"
