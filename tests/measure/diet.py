"""Stock Rasa's DIET as a baseline: one intent for every matter, trained on a few phrasings of every entry.

Trained on all phrasings it would take hours; how many it was given is said with its figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import yaml

from hotline.errors import ConfigError
from hotline.settings import ROOT, Settings
from knowledge_base.model import Catalogue
from tests.load import baseline, stack
from tests.load.baseline import FALLBACK_INTENT, Project
from tests.measure.systems import Ranking, is_ours

WORKERS = 2
POLICIES = ("MemoizationPolicy", "RulePolicy")
"""What it answers is not measured: TED, which would be trained for that, is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """At most ``phrasings`` of every entry, ``epochs`` of training."""

    phrasings: int
    epochs: int

    @property
    def note(self) -> str:
        """What it was trained on, for the tables."""
        return f"{self.phrasings} phrasings an entry at most, {self.epochs} epochs; matters only"


class Diet:
    """What a stock project understood of texts that it was asked together."""

    name = "Rasa DIET (stock)"
    ranks_entries = False

    def __init__(self, known: Mapping[str, Ranking]) -> None:
        self._known = known

    def rank(self, texts: Sequence[str]) -> list[Ranking]:
        """Raises KeyError for a text that was not among those asked."""
        return [self._known[text] for text in texts]


def project(catalogue: Catalogue, wish: Wish, *, on: date) -> Project:
    """The stock project of `tests.load.baseline`, smaller as wished."""
    controls = baseline.control_examples(ROOT / "data" / "nlu")
    made = baseline.project(smaller(catalogue, wish.phrasings), controls, on=on)
    config = yaml.safe_load(made.files["config.yml"])
    for part in config["pipeline"]:
        if part["name"] == "DIETClassifier":
            part["epochs"] = wish.epochs
    config["policies"] = [part for part in config["policies"] if part["name"] in POLICIES]
    return replace(made, files={**made.files, "config.yml": yaml.dump(config, sort_keys=False)})


def smaller(catalogue: Catalogue, phrasings: int) -> Catalogue:
    """``catalogue`` with the first ``phrasings`` questions of every entry."""
    matters = {
        code: replace(
            matter,
            aspects={key: replace(each, questions=each.questions[:phrasings]) for key, each in matter.aspects.items()},
        )
        for code, matter in catalogue.matters.items()
    }
    return replace(catalogue, matters=matters)


def asked(
    settings: Settings, catalogue: Catalogue, wish: Wish, *, texts: Sequence[str], on: date, say: Callable[[str], None]
) -> Diet:
    """Trained (or taken from the last training of the same content), started, asked all ``texts`` and stopped.

    Raises:
        ConfigError: Rasa's environment is missing, training failed, or it does not answer.
    """
    home = settings.state_dir / "measure"
    made = project(catalogue, wish, on=on)
    return asyncio.run(_asked(settings, catalogue, made, texts=list(dict.fromkeys(texts)), home=home, say=say))


async def _asked(
    settings: Settings,
    catalogue: Catalogue,
    made: Project,
    *,
    texts: Sequence[str],
    home: Path,
    say: Callable[[str], None],
) -> Diet:
    model = await baseline.trained(made, home / "diet", again=False)
    say(f"DIET: {'trained in' if model.fresh else 'trained before, in'} {model.seconds:.0f} s")
    (port,) = stack.free_ports(1)
    own = settings.model_copy(update={"state_dir": home / "run"})
    async with stack.started(own, [baseline.service(model, port)], say) as running:
        parsed = await running.during(asyncio.to_thread(_parse_all, f"http://{baseline.HOST}:{port}", texts))
    rankings = (ranking(intents, made.matters, catalogue) for intents in parsed)
    return Diet(dict(zip(texts, rankings, strict=True)))


def ranking(intents: Sequence[str], matters: Mapping[str, str], catalogue: Catalogue) -> Ranking:
    """Intents, the most likely first, as matters; a control intent stands for a matter nobody asked about.

    "Not understood" counts as a rejection, so as to favour it where the text is not the fund's business.
    """
    ranked = [matters.get(intent, f"intent {intent}") for intent in intents if intent != FALLBACK_INTENT]
    unsure = bool(intents) and intents[0] == FALLBACK_INTENT
    foreign = bool(ranked) and ranked[0] in catalogue.matters and not is_ours(ranked[0], catalogue)
    return Ranking(entries=(), matters=tuple(ranked), rejected=unsure or foreign)


def _parse_all(url: str, texts: Sequence[str]) -> list[list[str]]:
    """Per text the intents by likelihood. Raises ConfigError where Rasa does not answer properly."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client, ThreadPoolExecutor(WORKERS) as pool:

        def parse(text: str) -> list[str]:
            response = client.post("/model/parse", json={"text": text})
            response.raise_for_status()
            found: Mapping[str, Any] = response.json()
            return [str(intent["name"]) for intent in found.get("intent_ranking", [])]

        try:
            return list(pool.map(parse, texts))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ConfigError(f"the DIET baseline could not be asked: {type(error).__name__}") from error
