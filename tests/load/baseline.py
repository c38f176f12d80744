"""A stock Rasa project over the same training data: the same phrasings, one intent for every matter."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from hotline.errors import ConfigError
from hotline.settings import ROOT
from hotline.supervisor import Service, _die_with_parent
from knowledge_base.errors import NotInForce
from knowledge_base.model import Catalogue, Matter
from knowledge_base.render import render
from tests.load.lines import RestLine
from tests.load.questions import phrasings

PYTHON = ROOT / "bot/.venv/bin/python"
TEXTS = Path(__file__).with_name("baseline_texts.yml")
TRAIN_LIMIT_S = 3600
HOST = "127.0.0.1"
FALLBACK_INTENT = "nlu_fallback"
FORMAT = "3.1"
_PLAIN = str.maketrans("[](){}", "【】（）「」")
"""Brackets and braces would be read as entity annotations and as slots."""
OURS_ALONE = frozenset({"ask_knowledge", "fallback"})
"""Intents of ours that the baseline has in another form: one per matter, and the fallback classifier."""

PIPELINE: tuple[Mapping[str, Any], ...] = (
    {"name": "JiebaTokenizer"},
    {"name": "RegexFeaturizer", "use_word_boundaries": False},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True},
    {"name": "EntitySynonymMapper"},
    {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
)
POLICIES: tuple[Mapping[str, Any], ...] = (
    {"name": "MemoizationPolicy"},
    {"name": "RulePolicy"},
    {"name": "TEDPolicy", "max_history": 5, "epochs": 100, "constrain_similarities": True},
)
"""The defaults of Rasa 3.6.21 (rasa/engine/recipes/config_files/default_config.yml) with the Chinese tokenizer,
without the response selector and the unexpected-intent policy, which would have nothing to do here."""


@dataclass(frozen=True, slots=True)
class Project:
    """The files of a Rasa project by name, and the matter behind each intent."""

    files: Mapping[str, str]
    matters: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Changes when anything that is trained changes."""
        digest = hashlib.sha256()
        for name, text in sorted(self.files.items()):
            digest.update(f"{name}\0{text}\0".encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A trained project on disk; ``seconds`` as measured when it was trained, at ``trained_at`` (UTC)."""

    directory: Path
    seconds: float
    trained_at: str
    fresh: bool

    @property
    def model(self) -> Path:
        return self.directory / "models" / "baseline.tar.gz"


def project(catalogue: Catalogue, controls: Mapping[str, list[str]], *, on: date) -> Project:
    """The stock project over ``catalogue`` and the examples of the control intents."""
    matters = {intent_of(code): code for code in sorted(catalogue.matters)}
    examples = {intent: phrasings(catalogue.matters[code]) for intent, code in matters.items()} | dict(controls)
    words = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    said = {intent: _overview(catalogue, catalogue.matters[code], on) for intent, code in matters.items()}
    said |= {intent: words["responses"][intent] for intent in controls}
    said[FALLBACK_INTENT] = words["fallback"]
    popular = sorted(matters, key=lambda intent: -catalogue.matters[matters[intent]].popularity)
    files = {
        "config.yml": {
            "recipe": "default.v1",
            "assistant_id": "baseline",
            "language": "zh",
            "pipeline": [dict(part) for part in PIPELINE],
            "policies": [dict(part) for part in POLICIES],
        },
        "domain.yml": {
            "version": FORMAT,
            "intents": sorted(examples),
            "responses": {f"utter_{intent}": [{"text": text}] for intent, text in sorted(said.items())},
            "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
        },
        "data/nlu.yml": {
            "version": FORMAT,
            "nlu": [_examples(name, texts) for name, texts in sorted(examples.items())],
        },
        "data/rules.yml": {"version": FORMAT, "rules": [_rule(intent) for intent in sorted(said)]},
        "data/stories.yml": {"version": FORMAT, "stories": _stories(popular)},
        "credentials.yml": {"rest": None},
        "endpoints.yml": {},
    }
    return Project({name: _dumped(value) for name, value in files.items()}, matters)


def intent_of(code: str) -> str:
    """The baseline's intent for a matter."""
    return f"matter_{code.replace('-', '_')}"


def control_examples(data: Path) -> dict[str, list[str]]:
    """Our own control intents and their examples, by intent. Wishes for own data are none: the baseline has no data."""
    found: dict[str, list[str]] = {}
    left_out = OURS_ALONE | wishes()
    for path in sorted(data.glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            if block["intent"] not in left_out:
                texts = [line.removeprefix("- ").strip() for line in block["examples"].splitlines()]
                found.setdefault(block["intent"], []).extend(text for text in texts if text)
    return found


def wishes() -> frozenset[str]:
    """Our intents that ask for the citizen's own data or business."""
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    return frozenset(intent for part in pipeline for intent in part.get("own_data", ()))


def unsure_sentences() -> list[str]:
    """What the baseline says when it did not understand."""
    return [yaml.safe_load(TEXTS.read_text(encoding="utf-8"))["fallback"]]


async def trained(made: Project, directory: Path, *, again: bool) -> Trained:
    """The project, written and trained under ``directory``; an unchanged one is not trained twice unless ``again``.

    Raises:
        ConfigError: Rasa's environment is missing, or training failed or took more than an hour.
    """
    place = directory / made.fingerprint[:16]
    noted = place / "trained.json"
    if noted.exists() and not again:
        return Trained(directory=place, fresh=False, **json.loads(noted.read_text(encoding="utf-8")))
    if not PYTHON.exists():
        raise ConfigError("the Rasa environment is missing: run `make install`")
    shutil.rmtree(directory, ignore_errors=True)  # models of earlier contents are never used again
    _write(made, place)
    began = time.monotonic()
    await _train(place)
    seconds, at = round(time.monotonic() - began, 1), datetime.now(UTC).isoformat("T", "seconds")
    noted.write_text(json.dumps({"seconds": seconds, "trained_at": at}), encoding="utf-8")
    return Trained(directory=place, fresh=True, seconds=seconds, trained_at=at)


def service(model: Trained, port: int) -> Service:
    """The baseline as it runs: `rasa run` with the REST channel, everything else as shipped."""
    command = [str(PYTHON), "-m", "rasa", "run", "--enable-api", "--model", str(model.model)]
    command += ["--credentials", str(model.directory / "credentials.yml")]
    command += ["--endpoints", str(model.directory / "endpoints.yml"), "-i", HOST, "-p", str(port)]
    return Service(
        name="baseline", command=command, host=HOST, port=port, health_url=f"http://{HOST}:{port}/", env=_environment()
    )


def line(port: int) -> RestLine:
    """The REST channel's door."""
    return RestLine(f"http://{HOST}:{port}/webhooks/rest/webhook")


async def _train(place: Path) -> None:
    command = [str(PYTHON), "-m", "rasa", "train", "--force", "--config", "config.yml", "--domain", "domain.yml"]
    command += ["--data", "data", "--out", "models", "--fixed-model-name", "baseline"]
    log = place / "train.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=place,
            env=_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    try:
        async with asyncio.timeout(TRAIN_LIMIT_S):
            code = await process.wait()
    except TimeoutError as error:
        raise ConfigError(f"training the baseline took longer than {TRAIN_LIMIT_S} s (see {log})") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if code:
        lines = [text for text in log.read_text(encoding="utf-8", errors="replace").splitlines() if text.strip()]
        raise ConfigError(f"training the baseline failed (exit {code}, see {log}): {lines[-1] if lines else ''}")


def _write(made: Project, place: Path) -> None:
    for name, text in made.files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _environment() -> dict[str, str]:
    quiet = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    left = {name: value for name, value in os.environ.items() if not name.startswith(("GJJ_", "PYTHONPATH"))}
    return {**left, **quiet, "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}


def _overview(catalogue: Catalogue, matter: Matter, on: date) -> str:
    """The matter's overview with its figures; where it is not in force, what it is called."""
    aspect = "overview" if "overview" in matter.aspects else next(iter(matter.aspects))
    try:
        text = render(catalogue, matter, aspect, channel="web", on=on).text
    except NotInForce:
        return matter.name
    return text.translate(_PLAIN)


def _examples(intent: str, texts: Iterable[str]) -> dict[str, Any]:
    plain = (text.translate(_PLAIN) for text in texts)
    return {"intent": intent, "examples": "".join(f"- {text}\n" for text in dict.fromkeys(plain))}


def _rule(intent: str) -> dict[str, Any]:
    return {"rule": intent, "steps": [{"intent": intent}, {"action": f"utter_{intent}"}]}


def _stories(popular: list[str]) -> list[dict[str, Any]]:
    """A handful of short conversations, as a new project has them."""
    ways = [["greet", asked, "thanks"] for asked in popular[:3]]
    ways += [[popular[0], popular[1], "goodbye"]] if len(popular) > 1 else []
    return [
        {
            "story": " then ".join(way),
            "steps": [step for intent in way for step in ({"intent": intent}, {"action": f"utter_{intent}"})],
        }
        for way in ways
    ]


def _dumped(value: Any) -> str:
    return yaml.dump(value, allow_unicode=True, sort_keys=False, width=1000)
