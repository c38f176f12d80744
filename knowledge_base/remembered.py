"""What one build leaves for the next, so that an edit costs what it changed: the vectors of its phrasings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from knowledge_base.embed import Embedder
from knowledge_base.linear import Array


class Remembered:
    """Files in a cache folder, per kind of embedder; without a folder nothing is remembered.

    Losing them costs time only, so a file that cannot be read counts as none.
    """

    def __init__(self, folder: Path | None, embedder: Embedder) -> None:
        kind = embedder.kind.replace("+", "-")
        self._embedder = embedder
        self._vectors = folder / f"{kind}.npz" if folder else None

    def embed(self, texts: Sequence[str]) -> Array:
        """One row per text; only those not seen before are embedded."""
        keys = [_key(text) for text in texts]
        known = self._load()
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        known |= dict(zip(missing, self._embedder.embed_many(list(missing.values())), strict=True))
        if missing and self._vectors:
            self._save(self._vectors, {key: known[key] for key in dict.fromkeys(keys)})
        return np.stack([known[key] for key in keys])

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
