"""How long publishing the knowledge and training Rasa takes from nothing, kept until their sources change."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hotline import training
from hotline.settings import Settings

PARTS = ("knowledge", "rasa")
RASA_CACHE = "RASA_CACHE_DIRECTORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """``seconds`` for both together, measured at ``measured_at`` (UTC)."""

    seconds: float
    measured_at: str


def known(chosen: Settings, record: Path) -> Measured | None:
    """What was measured for the knowledge and the model in use; None when nobody measured."""
    try:
        noted: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if noted.get("made_from") != _made_from(chosen):
        return None
    return Measured(seconds=noted["seconds"], measured_at=noted["measured_at"])


def measured(chosen: Settings, record: Path, report: Callable[[str], None], *, directory: Path) -> Measured:
    """Both are made from nothing in ``directory``, which is gone afterwards; what is in use stays untouched."""
    shutil.rmtree(directory, ignore_errors=True)
    try:
        with _no_cache(directory / "cache"):
            made = training.train(chosen.model_copy(update={"state_dir": directory}), report, force=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    found = Measured(
        seconds=round(sum(part.seconds for part in made), 1), measured_at=datetime.now(UTC).isoformat("T", "seconds")
    )
    noted = {"made_from": _made_from(chosen), "seconds": found.seconds, "measured_at": found.measured_at}
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(noted, indent=2), encoding="utf-8")
    return found


@contextmanager
def _no_cache(empty: Path) -> Iterator[None]:
    """Rasa keeps trained parts in a cache beside the project: a second training would only look them up."""
    before = os.environ.get(RASA_CACHE)
    empty.mkdir(parents=True)
    os.environ[RASA_CACHE] = str(empty)
    try:
        yield
    finally:
        os.environ.pop(RASA_CACHE)
        if before is not None:
            os.environ[RASA_CACHE] = before


def _made_from(chosen: Settings) -> str:
    return " ".join((chosen.state_dir / "made" / f"{part}.sha256").read_text().strip() for part in PARTS)
