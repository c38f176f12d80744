"""A published catalogue as arrays and JSON: built once, memory-mapped by every process that matches."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge_base import normalise, pinyin, snapshot, wording
from knowledge_base.embed import Embedder
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.linear import Array, Calibration, Linear, Scaling
from knowledge_base.mentions import Mentions, evidence, names_of
from knowledge_base.model import Catalogue
from knowledge_base.pinyin import Corrector
from knowledge_base.remembered import Remembered

if TYPE_CHECKING:  # scikit-learn is only where content is published
    from knowledge_base.training import Fitted, Sample

FORMAT = 3
_CLASSIFIERS = ("matters", "aspects", "entries")


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What the matcher needs. ``matters`` tell codes apart, ``aspects`` generic aspects, ``entries`` both at once."""

    catalogue: Catalogue
    corrector: Corrector
    scaling: Scaling
    matters: Linear
    aspects: Linear
    entries: Linear
    calibration: Calibration
    kind: str
    metrics: dict[str, float]

    @classmethod
    def open(cls, folder: Path) -> Index:
        """The index in ``folder``, its arrays memory-mapped.

        Raises:
            KnowledgeError: it is missing, damaged or of another format.
        """
        try:
            return cls._read(folder)
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise KnowledgeError((Problem(folder.name, 1, "-", f"is not a usable index: {error}"),)) from error

    @classmethod
    def _read(cls, folder: Path) -> Index:
        manifest, model = _read_json(folder / "manifest.json"), _read_json(folder / "model.json")
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']}, not {FORMAT}")
        return cls(
            catalogue=snapshot.catalogue(_read_json(folder / "catalogue.json")),
            corrector=pinyin.corrector(_read_json(folder / "lexicon.json")),
            scaling=Scaling(_load(folder, "mean"), model["deviation"]),
            **{name: _linear(folder, name, model[name]) for name in _CLASSIFIERS},
            calibration=Calibration.from_dict(model["calibration"]),
            kind=manifest["embedder"],
            metrics=manifest["metrics"],
        )


def version_of(catalogue: Catalogue, *, kind: str) -> str:
    """Names everything an index depends on: content, wording, normaliser and embedder."""
    content = snapshot.to_json(replace(catalogue, version=""))
    parts = [json.dumps(content, ensure_ascii=False, sort_keys=True), wording.fingerprint(), normalise.VERSION]
    return hashlib.sha256("\0".join([*parts, kind, str(FORMAT)]).encode()).hexdigest()[:16]


def build(catalogue: Catalogue, embedder: Embedder, out: Path, *, cache: Path | None = None) -> None:
    """Writes the index of ``catalogue`` into the folder ``out``.

    With ``cache``, phrasings embedded before are read from there, so that an edit embeds only what it changed.
    """
    from knowledge_base import training

    lexicon = pinyin.lexicon(_texts(catalogue), names_of(catalogue))
    samples = _samples(catalogue, pinyin.corrector(lexicon))
    remembered = Remembered(cache, embedder)
    vectors = remembered.embed([sample.core for sample in samples])
    texts = [sample.text for sample in samples]
    mentions = Mentions(names_of(catalogue))
    classes = [training.ELSEWHERE, *sorted(catalogue.matters)]
    fitted = training.fit(
        samples,
        vectors,
        evidence=evidence(texts, [mentions.find(text) for text in texts], classes=classes),
        outside=frozenset(code for code, matter in catalogue.matters.items() if matter.scope == "outside"),
        known=remembered.calibration(samples),
    )
    remembered.keep(samples, fitted)
    out.mkdir(parents=True, exist_ok=True)
    _write(out, fitted)
    version = version_of(catalogue, kind=embedder.kind)
    manifest = {
        "format": FORMAT,
        "version": version,
        "centre": catalogue.centre.code,
        "embedder": embedder.kind,
        "matters": len(catalogue.matters),
        "aspects": sum(len(matter.aspects) for matter in catalogue.matters.values()),
        "phrasings": len(samples),
        "metrics": {name: round(value, 4) for name, value in fitted.report.items()},
    }
    _write_json(out / "catalogue.json", snapshot.to_json(replace(catalogue, version=version)))
    _write_json(out / "lexicon.json", lexicon)
    _write_json(out / "manifest.json", manifest)


def _write(out: Path, fitted: Fitted) -> None:
    """The classifiers as arrays, everything small about them in one JSON file."""
    classifiers = {name: getattr(fitted, name) for name in _CLASSIFIERS}
    for name, each in classifiers.items():
        np.save(out / f"{name}-weights.npy", each.weights, allow_pickle=False)
        np.save(out / f"{name}-bias.npy", each.bias, allow_pickle=False)
    np.save(out / "mean.npy", fitted.scaling.mean, allow_pickle=False)
    small = {"deviation": fitted.scaling.deviation, "calibration": asdict(fitted.calibration)}
    _write_json(out / "model.json", small | {name: each.classes for name, each in classifiers.items()})


def _load(folder: Path, name: str) -> Array:
    loaded: Array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return loaded


def _linear(folder: Path, name: str, classes: list[str]) -> Linear:
    return Linear(tuple(classes), _load(folder, f"{name}-weights"), _load(folder, f"{name}-bias"))


def _samples(catalogue: Catalogue, corrector: Corrector) -> list[Sample]:
    from knowledge_base.training import ELSEWHERE, Sample

    def sample(text: str, code: str, aspect: str, *, is_name: bool = False) -> Sample:
        seen = normalise.normalise(text, corrector=corrector)
        return Sample(seen.text, seen.core, code, aspect, is_name)

    samples: list[Sample] = []
    for code, matter in sorted(catalogue.matters.items()):
        samples += [sample(name, code, "", is_name=True) for name in (matter.name, *matter.aliases)]
        for key, aspect in matter.aspects.items():
            samples += [sample(text, code, key) for text in (aspect.title, *aspect.questions)]
    return samples + [sample(text, ELSEWHERE, "") for text in wording.read("elsewhere")["texts"]]


def _texts(catalogue: Catalogue) -> list[str]:
    aspects = [aspect for matter in catalogue.matters.values() for aspect in matter.aspects.values()]
    return [text for aspect in aspects for text in (aspect.title, aspect.text, aspect.short, *aspect.questions)]


def _read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _write_json(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
