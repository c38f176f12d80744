"""`hotline eval`: every line asked in a conversation of its own, topic by topic."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from hotline.client import GatewayClient
from hotline.errors import ConfigError
from hotline.settings import Settings
from knowledge_base.model import Catalogue

COUNTED_SCOPES = ("in", "other_city")
CONFUSIONS_SHOWN = 20
OUTCOMES = ("answered", "clarified", "handoff", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One asked line."""

    question: dict[str, Any]
    answer: dict[str, Any]
    topics: tuple[str, ...]
    """Topics of the answered or offered matters, best first."""

    @property
    def counted(self) -> bool:
        return self.question.get("scope", "in") in COUNTED_SCOPES and bool(self.question.get("topic"))

    @property
    def wanted(self) -> set[str]:
        return {self.question.get("topic", ""), *self.question.get("also", [])}

    @property
    def confidence(self) -> float | None:
        """The probability stated with an answer; None where there was none."""
        stated = self.answer.get("confidence") if self.answer["outcome"] == "answered" else None
        return float(stated) if stated is not None else None

    def hit(self, first: int) -> bool:
        """True when one of the first ``first`` topics is a wanted one."""
        return any(topic in self.wanted for topic in self.topics[:first])


def read_questions(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file. Raises ConfigError naming the first line that is not one."""
    questions = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: not JSON ({error})") from error
        if not isinstance(question, dict) or not isinstance(question.get("q"), str):
            raise ConfigError(f'{path}:{number}: needs an object with a text "q"')
        questions.append(question)
    return questions


def ask_all(
    settings: Settings,
    catalogue: Catalogue,
    questions: list[dict[str, Any]],
    *,
    channel: str,
    workers: int,
    done: Callable[[], None],
) -> list[Row]:
    """Every question through the running gateway, in the given order."""
    with GatewayClient(settings) as client, ThreadPoolExecutor(workers) as pool:

        def ask(question: dict[str, Any]) -> Row:
            answer = client.turn(question["q"], channel=channel)
            topics = [catalogue.matters[code].topic for code in answer["candidates"] if code in catalogue.matters]
            done()
            return Row(question=question, answer=answer, topics=tuple(topics))

        return list(pool.map(ask, questions))


def summary(rows: Iterable[Row]) -> dict[str, Any]:
    """The figures of the command's contract; shares are of all rows, top1 and top3 of the counted ones."""
    rows = list(rows)
    counted = [row for row in rows if row.counted]
    outcomes = Counter(row.answer["outcome"] for row in rows)
    times = [row.answer["ms"] for row in rows]
    return {
        "n": len(rows),
        "top1": _share(sum(row.hit(1) for row in counted), len(counted)),
        "top3": _share(sum(row.hit(3) for row in counted), len(counted)),
        **{outcome: _share(outcomes[outcome], len(rows)) for outcome in OUTCOMES},
        "calibration": [asdict(each) for each in reliability(rows)],
        "confusions": confusions(rows)[:CONFUSIONS_SHOWN],
        "per_topic": {
            topic: {"n": n, "top1": _share(first, n), "top3": _share(third, n)}
            for topic, (n, first, third) in per_topic(rows).items()
        },
        "ms_p50": round(median(times), 1) if times else 0.0,
        "ms_p95": round(quantiles(times, n=20)[-1], 1) if len(times) > 1 else 0.0,
    }


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose stated probability lies between ``low`` and ``high``: how many, claimed and right on average."""

    low: float
    high: float
    n: int
    claimed: float
    right: float


def reliability(rows: Iterable[Row], *, bins: int = 5) -> list[Bin]:
    """How far stated probabilities can be believed, over counted lines that were answered."""
    answered = [row for row in rows if row.counted and row.confidence is not None]
    table = []
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        mine = [row for row in answered if low <= row.answer["confidence"] < high + (number == bins - 1)]
        if mine:
            claimed = sum(row.answer["confidence"] for row in mine) / len(mine)
            table.append(
                Bin(low, high, len(mine), round(claimed, 3), _share(sum(row.hit(1) for row in mine), len(mine)))
            )
    return table


def confusions(rows: Iterable[Row]) -> list[tuple[str, str, int]]:
    """Wanted topic, topic that came first instead, how often; most first."""
    pairs = Counter(
        (row.question["topic"], row.topics[0]) for row in rows if row.counted and row.topics and not row.hit(1)
    )
    return [(wanted, got, count) for (wanted, got), count in pairs.most_common()]


def per_topic(rows: Iterable[Row]) -> dict[str, tuple[int, int, int]]:
    """Topic → counted lines, right at first, right among three."""
    table: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        if row.counted:
            n, first, third = table.get(row.question["topic"], (0, 0, 0))
            table[row.question["topic"]] = (n + 1, first + row.hit(1), third + row.hit(3))
    return dict(sorted(table.items(), key=lambda item: -item[1][0]))


def out_row(row: Row) -> dict[str, Any]:
    """What ``--out`` writes for a line."""
    keys = ("answer", "matter", "aspect", "choices", "outcome", "candidates", "confidence", "intent", "ms")
    return {"q": row.question["q"], **{key: row.answer[key] for key in keys}, "topic": next(iter(row.topics), None)}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
