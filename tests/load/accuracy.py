"""Topic accuracy of both systems on a file of citizens' questions, by one and the same definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from hotline.errors import ConfigError
from hotline.evaluation import Row, ask_all, summary
from hotline.settings import Settings
from knowledge_base.model import Catalogue
from tests.load.baseline import FALLBACK_INTENT

WORKERS = 2
SCORES = ("n", "top1", "top3")


def ours(
    settings: Settings, catalogue: Catalogue, questions: list[dict[str, Any]], done: Callable[[], None]
) -> dict[str, float]:
    """Through the whole chain, each question in a conversation of its own."""
    return scored(ask_all(settings, catalogue, questions, channel="web", workers=WORKERS, done=done))


def baseline(
    url: str,
    catalogue: Catalogue,
    matters: Mapping[str, str],
    *,
    questions: Sequence[dict[str, Any]],
    done: Callable[[], None],
) -> dict[str, float]:
    """By the intents that Rasa ranks first; ``matters`` names the matter behind an intent. Raises ConfigError."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client, ThreadPoolExecutor(WORKERS) as pool:

        def ask(question: dict[str, Any]) -> Row:
            response = client.post("/model/parse", json={"text": question["q"]})
            response.raise_for_status()
            ranking = [intent["name"] for intent in response.json().get("intent_ranking", [])]
            done()
            topics = topics_of(ranking, catalogue, matters)
            return Row(question=question, answer={"outcome": "answered", "ms": 0.0}, topics=topics)

        try:
            return scored(list(pool.map(ask, questions)))
        except (httpx.HTTPError, ValueError) as error:
            raise ConfigError(f"the baseline could not be asked: {type(error).__name__}") from error


def topics_of(ranking: Iterable[str], catalogue: Catalogue, matters: Mapping[str, str]) -> tuple[str, ...]:
    """Topics of ranked intents; "not understood" is passed over, and any other control intent has none."""
    codes = [matters.get(intent, "") for intent in ranking if intent != FALLBACK_INTENT]
    return tuple(catalogue.matters[code].topic if code in catalogue.matters else "" for code in codes)


def scored(rows: Iterable[Row]) -> dict[str, float]:
    """``n`` asked lines, and the shares of the counted ones right at first and among three."""
    figures = summary(rows)
    return {key: figures[key] for key in SCORES}
