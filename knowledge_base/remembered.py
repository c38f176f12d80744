"""What one build leaves for the next, so that an edit costs what it changed: vectors and the calibration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from knowledge_base.embed import Embedder
from knowledge_base.linear import Array, Calibration

if TYPE_CHECKING:  # scikit-learn is only where content is published
    from knowledge_base.training import Fitted, Sample

ALMOST_EQUAL = 0.97
"""Share of phrasings that must be the same for a calibration to be taken over: four folds need not be fitted again."""


class Remembered:
    """Files in a cache folder, per kind of embedder; without a folder nothing is remembered.

    Losing them costs time only, so a file that cannot be read counts as none.
    """

    def __init__(self, folder: Path | None, embedder: Embedder) -> None:
        kind = embedder.kind.replace("+", "-")
        self._embedder = embedder
        self._vectors = folder / f"{kind}.npz" if folder else None
        self._calibration = folder / f"{kind}.json" if folder else None

    def embed(self, texts: Sequence[str]) -> Array:
        """One row per text; only those not seen before are embedded."""
        keys = [_key(text) for text in texts]
        known = self._load()
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        known |= dict(zip(missing, self._embedder.embed_many(list(missing.values())), strict=True))
        if missing and self._vectors:
            self._save(self._vectors, {key: known[key] for key in dict.fromkeys(keys)})
        return np.stack([known[key] for key in keys])

    def calibration(self, samples: Sequence[Sample]) -> tuple[Calibration, dict[str, float]] | None:
        """Calibration and report found before on almost the same samples."""
        if self._calibration is None:
            return None
        try:
            kept = json.loads(self._calibration.read_text(encoding="ascii"))
            calibration, report, before = Calibration(**kept["calibration"]), kept["report"], set(kept["samples"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        now = _signatures(samples)
        return (calibration, report) if len(now & before) >= ALMOST_EQUAL * len(now | before) else None

    def keep(self, samples: Sequence[Sample], fitted: Fitted) -> None:
        """Remembers a calibration for the set of samples it was found on; one taken over is not written again."""
        if self._calibration is None or self.calibration(samples) is not None:
            return
        found = {"calibration": asdict(fitted.calibration), "report": fitted.report}
        draft = self._calibration.with_suffix(".part.json")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(found | {"samples": sorted(_signatures(samples))}), encoding="ascii")
        draft.replace(self._calibration)

    def _load(self) -> dict[str, Array]:
        if self._vectors is None or not self._vectors.is_file():
            return {}
        try:
            with np.load(self._vectors, allow_pickle=False) as stored:
                keys, vectors = stored["keys"], stored["vectors"]
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            return {}
        return dict(zip(keys.tolist(), vectors, strict=True)) if vectors.shape[1] == self._embedder.dims else {}

    def _save(self, file: Path, known: dict[str, Array]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part.npz")
        np.savez(draft, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
        draft.replace(file)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _signatures(samples: Sequence[Sample]) -> set[str]:
    return {_key(f"{sample.code}/{sample.aspect}/{sample.core}")[:16] for sample in samples}
