"""What one build leaves for the next, so that an edit costs what it changed: the vectors of its phrasings."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from knowledge_base.embed import Embedder
from knowledge_base.linear import SEPARATOR, Array
from knowledge_base.match import OVERVIEW
from knowledge_base.reader import Reader, Seen

Reading = dict[str, Any]
"""The fields of a `training.Sample` that depend on its text alone."""

MOST_CHANGED = 0.03
"""Share of phrasings that may differ from those of the last whole fit; beyond it everything is fitted anew."""
FIT = "fit"
CONFUSIONS = "confusions.json"
FEW = 500
"""So few new vectors are kept in a file of their own: writing all of them again would take longer than embedding."""
CHUNK = 4000
"""Phrasings embedded between two reports: about half a minute on two cores."""


@dataclass(frozen=True, slots=True)
class Said:
    """A phrasing, name or title as it is written, and the entry it teaches (empty: none)."""

    text: str
    code: str
    aspect: str
    is_name: bool = False

    @property
    def entry(self) -> str:
        """The entry classifier's class: a bare name asks for the overview."""
        return f"{self.code}{SEPARATOR}{self.aspect or OVERVIEW}" if self.code else ""


@dataclass(frozen=True, slots=True)
class LastFit:
    """A ranker fitted on almost the same: the index it stands in, its lexicon, and the entry classes that differ."""

    folder: Path
    lexicon: dict[str, Any]
    changed: frozenset[str]


class Remembered:
    """Files in a cache folder, per kind of embedder; without a folder nothing is remembered.

    Losing them costs time only, so a file that cannot be read counts as none.
    """

    def __init__(self, folder: Path | None, embedder: Embedder, report: Callable[[str], None] = lambda _: None) -> None:
        kind = embedder.kind.replace("+", "-")
        self._embedder = embedder
        self._report = report
        self._vectors = folder / f"{kind}.npz" if folder else None
        self._recent = folder / f"{kind}.recent.npz" if folder else None
        self._readings = folder / "readings.json" if folder else None
        self._fit = folder / FIT / kind if folder else None

    def embed(self, texts: Sequence[str]) -> Array:
        """One row per text; only those not seen before are embedded, and those that are done are kept on the way."""
        keys = [_key(text) for text in texts]
        whole = self._load(self._vectors)
        known = whole | self._load(self._recent)
        missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in known}.items())
        for at in range(0, len(missing), CHUNK):
            chunk = missing[at : at + CHUNK]
            known |= dict(
                zip((key for key, _ in chunk), self._embedder.embed_many([text for _, text in chunk]), strict=True)
            )
            if len(missing) > CHUNK:
                self._report(f"embedded {at + len(chunk)} of {len(missing)} phrasings")
            self._keep({key: known[key] for key in dict.fromkeys(keys) if key in known}, whole)
        return np.stack([known[key] for key in keys])

    def vectors(self, texts: Sequence[str]) -> dict[str, Array]:
        """What is kept of ``texts``, by text: nothing is embedded, and nothing is written or forgotten."""
        known = self._load(self._vectors) | self._load(self._recent)
        keys = {text: _key(text) for text in texts}
        return {text: known[key] for text, key in keys.items() if key in known}

    def read(self, texts: Sequence[str], made: Callable[[], Reader], fingerprint: str) -> list[Reading]:
        """Each text as the reader reads it; those read before with the same words are not read again, and where all
        were no reader is ``made``."""
        keys = [_key(text) for text in texts]
        known = self._readings_kept(fingerprint)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        reader = made() if missing else None
        known |= {key: _reading(reader.read(text)) for key, text in missing.items()} if reader else {}
        if missing and self._readings:
            kept = {key: known[key] for key in dict.fromkeys(keys)}
            self._readings.parent.mkdir(parents=True, exist_ok=True)
            draft = self._readings.with_suffix(".part.json")
            draft.write_text(json.dumps([fingerprint, kept], ensure_ascii=False), encoding="utf-8")
            draft.replace(self._readings)
        return [known[key] for key in keys]

    def _readings_kept(self, fingerprint: str) -> dict[str, Reading]:
        if self._readings is None:
            return {}
        try:
            made_with, kept = json.loads(self._readings.read_text(encoding="utf-8"))
            return kept if made_with == fingerprint and isinstance(kept, dict) else {}
        except (OSError, ValueError, TypeError):
            return {}

    def last_fit(self, said: Sequence[Said], basis: str, centre: str) -> LastFit | None:
        """The last fit, where at most `MOST_CHANGED` differs from the last whole one and the basis is the same."""
        if self._fit is None:
            return None
        folder = self._fit / centre
        try:
            kept = json.loads((folder / "said.json").read_text(encoding="utf-8"))
            before, whole = (_pairs(kept[name]) for name in ("said", "whole"))
            lexicon = json.loads((folder / "lexicon.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, KeyError):
            return None
        now = {_signature(each) for each in said}
        if kept["basis"] != basis or len(now ^ whole) > MOST_CHANGED * len(now | whole):
            return None
        return LastFit(folder, lexicon, frozenset(entry for _, entry in now ^ before))

    def keep_fit(
        self, index: Path, said: Sequence[Said], basis: str, centre: str, *, patch_of: LastFit | None = None
    ) -> None:
        """The fit in the folder ``index`` is kept for later edits; a patch keeps what its whole fit was made from."""
        if self._fit is None:
            return
        now = [_signature(each) for each in said]
        whole = json.loads((patch_of.folder / "said.json").read_text(encoding="utf-8"))["whole"] if patch_of else now
        draft = self._fit / f".{centre}"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(index, draft, copy_function=linked)
        if patch_of and (patch_of.folder / CONFUSIONS).is_file():
            shutil.copy(patch_of.folder / CONFUSIONS, draft)
        kept = {"basis": basis, "said": now, "whole": whole}
        (draft / "said.json").write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(self._fit / centre, ignore_errors=True)
        draft.rename(self._fit / centre)

    def _load(self, file: Path | None) -> dict[str, Array]:
        if file is None or not file.is_file():
            return {}
        try:
            with np.load(file, allow_pickle=False) as stored:
                keys, vectors = stored["keys"], stored["vectors"]
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            return {}
        return dict(zip(keys.tolist(), vectors, strict=True)) if vectors.shape[1] == self._embedder.dims else {}

    def _keep(self, used: dict[str, Array], whole: Mapping[str, Array]) -> None:
        """Few that are not in ``whole`` are added beside it; else all that are used are written, and no others."""
        if self._vectors is None or self._recent is None:
            return
        new = {key: vector for key, vector in used.items() if key not in whole}
        if whole and len(new) <= FEW:
            self._save(self._recent, new)
        else:
            self._save(self._vectors, used)
            self._recent.unlink(missing_ok=True)

    def _save(self, file: Path, known: dict[str, Array]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part.npz")
        np.savez(draft, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
        draft.replace(file)


def linked(source: str | Path, target: str | Path) -> None:
    """``target`` is the same file as ``source``, or a copy where the disk cannot share it; neither is written again."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _pairs(kept: list[list[str]]) -> set[tuple[str, str]]:
    return {(str(key), str(entry)) for key, entry in kept}


def _signature(said: Said) -> tuple[str, str]:
    return _key(f"{said.text}\0{said.is_name}")[:16], said.entry


def _reading(seen: Seen) -> Reading:
    return {
        "text": seen.normalised.text,
        "core": seen.normalised.core,
        "named": dict(seen.named),
        "tokens": list(seen.facts.tokens()),
        "cues": list(seen.cues),
    }
