"""A published catalogue as arrays and JSON: built once, memory-mapped by every process that matches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from knowledge_base import normalise, pinyin, snapshot, wording
from knowledge_base.embed import Embedder
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.figures import PLACEHOLDER
from knowledge_base.lexical import Lexical, Texts
from knowledge_base.linear import SEPARATOR, Array, Linear, Scaling
from knowledge_base.mentions import names_of
from knowledge_base.model import Catalogue
from knowledge_base.pinyin import Corrector
from knowledge_base.ranking import Habits, Ranker, Weights
from knowledge_base.reader import Reader
from knowledge_base.remembered import CONFUSIONS, FIT, LastFit, Remembered, Said, linked

if TYPE_CHECKING:  # scikit-learn is only where content is published
    from knowledge_base.training import Fitted, Sample

FORMAT = 7
_SPACES = ("mean", "lexical-rarity", "lexical-projection", "lexical-mean")
_CLASSIFIERS = ("entries", "matters", "within", "aspects")


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What the matcher needs."""

    catalogue: Catalogue
    corrector: Corrector
    ranker: Ranker
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
        manifest = _read_json(folder / "manifest.json")
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']}, not {FORMAT}")
        return cls(
            catalogue=snapshot.catalogue(_read_json(folder / "catalogue.json")),
            corrector=pinyin.corrector(_read_json(folder / "lexicon.json")),
            ranker=_read_ranker(folder),
            kind=manifest["embedder"],
            metrics=manifest["metrics"],
        )


def version_of(catalogue: Catalogue, *, kind: str) -> str:
    """Names everything an index depends on: content, wording, normaliser and embedder."""
    content = snapshot.to_json(replace(catalogue, version=""))
    parts = [json.dumps(content, ensure_ascii=False, sort_keys=True), wording.fingerprint(), normalise.VERSION]
    return hashlib.sha256("\0".join([*parts, kind, str(FORMAT)]).encode()).hexdigest()[:16]


def build(
    catalogue: Catalogue,
    embedder: Embedder,
    out: Path,
    *,
    cache: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Writes the index of ``catalogue`` into the folder ``out``.

    With ``cache``, phrasings embedded before are read from there, and a small edit refits only the matters it
    touched (`patching`): it costs what it changed.
    """
    remembered = Remembered(cache, embedder, report)
    said, basis, centre = list(said_of(catalogue)), _basis(catalogue), catalogue.centre.code
    kept = _usable(remembered.last_fit(said, basis, centre))
    lexicon = kept.lexicon if kept else pinyin.lexicon(_texts(catalogue, said), names_of(catalogue))
    samples = _samples(catalogue, said, lexicon, remembered)
    vectors = remembered.embed([sample.core for sample in samples])
    report(f"refitting {len(kept.changed)} entries" if kept else f"fitting on {len(samples)} phrasings")
    fitted = _fitted(catalogue, samples, vectors, kept)
    out.mkdir(parents=True, exist_ok=True)
    _write_ranker(out, fitted.ranker, spaces_of=kept.folder if kept else None)
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
    if fitted.confusions:
        _write_json(out / CONFUSIONS, [asdict(each) for each in fitted.confusions])
    remembered.keep_fit(out, said, basis, centre, patch_of=kept)


def _usable(kept: LastFit | None) -> LastFit | None:
    """``kept``, unless its files are damaged or of another format."""
    if kept is None:
        return None
    try:
        manifest = _read_json(kept.folder / "manifest.json")
        _read_ranker(kept.folder)
        return kept if manifest["format"] == FORMAT else None
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _fitted(catalogue: Catalogue, samples: list[Sample], vectors: Array, kept: LastFit | None) -> Fitted:
    """The last whole fit brought up to date where little has changed since, else a new one."""
    from knowledge_base import patching, training

    outside = frozenset(code for code, matter in catalogue.matters.items() if matter.scope == "outside")
    if kept is None:
        return training.fit(samples, vectors, answers=dict(answers_of(catalogue)), outside=outside)
    before = _read_ranker(kept.folder)
    answers = dict(answers_of(catalogue, but_for=_catalogue_of(kept)))
    report = _read_json(kept.folder / "manifest.json")["metrics"]
    ranker = patching.patched(before, samples, vectors, changed=kept.changed, answers=answers, outside=outside)
    return training.Fitted(ranker, report)


def _catalogue_of(kept: LastFit) -> Catalogue | None:
    """What the last fit was made from; None where that cannot be read."""
    try:
        return snapshot.catalogue(_read_json(kept.folder / "catalogue.json"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def confusions(cache: Path, centre: str, kind: str) -> list[dict[str, Any]]:
    """Which entries took held-out phrasings from which at the last whole fit, most first; empty where none is kept."""
    file = cache / FIT / kind.replace("+", "-") / centre / CONFUSIONS
    found: list[dict[str, Any]] = _read_json(file) if file.is_file() else []
    return found


def _basis(catalogue: Catalogue) -> str:
    """Names what reading a text depends on beside the lexicon: names, places, wording and code."""
    words = [names_of(catalogue), catalogue.centre.here, wording.fingerprint(), normalise.VERSION]
    return hashlib.sha256(json.dumps(words, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _samples(
    catalogue: Catalogue, said: list[Said], lexicon: Mapping[str, Any], remembered: Remembered
) -> list[Sample]:
    """Everything said, as the matcher would read it."""
    from knowledge_base.training import Sample

    read_with = _basis(catalogue) + hashlib.sha256(json.dumps(lexicon, sort_keys=True).encode()).hexdigest()
    readings = remembered.read(
        [each.text for each in said], lambda: Reader(catalogue, pinyin.corrector(lexicon)), read_with
    )
    return [
        Sample(
            code=each.code,
            aspect=each.aspect,
            is_name=each.is_name,
            text=read["text"],
            core=read["core"],
            named=read["named"],
            tokens=tuple(read["tokens"]),
            cues=(read["cues"][0], read["cues"][1]),
        )
        for each, read in zip(said, readings, strict=True)
    ]


def said_of(catalogue: Catalogue) -> Iterator[Said]:
    """Names, titles and phrasings of every entry, and what no entry is about."""
    for code, matter in sorted(catalogue.matters.items()):
        yield from (Said(name, code, "", is_name=True) for name in (matter.name, *matter.aliases))
        for key, aspect in matter.aspects.items():
            yield Said(aspect.title, code, key, is_name=True)
            yield from (Said(text, code, key) for text in aspect.questions)
    yield from (Said(text, "", "") for text in wording.read("elsewhere")["texts"])


def answers_of(catalogue: Catalogue, *, but_for: Catalogue | None = None) -> Iterator[tuple[str, str]]:
    """Entry class → its matter's name, its title and its answer in one text, without figures; only those that are
    not the same in ``but_for``."""
    for code, matter in catalogue.matters.items():
        before = but_for.matters.get(code) if but_for else None
        for key, aspect in matter.aspects.items():
            old = before.aspects.get(key) if before else None
            if before and old and (before.name, old.title, old.text) == (matter.name, aspect.title, aspect.text):
                continue
            text = PLACEHOLDER.sub("", f"{matter.name} {aspect.title} {aspect.title} {aspect.text}")
            yield f"{code}{SEPARATOR}{key}", normalise.simplified(normalise.cleaned(text))


def _write_ranker(out: Path, ranker: Ranker, *, spaces_of: Path | None = None) -> None:
    """Arrays as arrays, everything small in one JSON file.

    ``spaces_of``: an index of the same scaling and lexical space, whose large files are shared.
    """
    for name, array in _arrays(ranker).items():
        if spaces_of and name in _SPACES:
            linked(spaces_of / f"{name}.npy", out / f"{name}.npy")
        else:
            np.save(out / f"{name}.npy", array(), allow_pickle=False)
    small = {
        "scaling": ranker.scaling.deviation,
        "lexical": ranker.lexical.deviation,
        "terms": list(ranker.lexical.columns),
        "tokens": ranker.habits.tokens,
        "inside": ranker.inside.tolist(),
        "second": {name: getattr(ranker.second, name).tolist() for name in ("centre", "spread", "weights")},
    }
    _write_json(out / "model.json", small | {name: getattr(ranker, name).classes for name in _CLASSIFIERS})


def _arrays(ranker: Ranker) -> Mapping[str, Callable[[], Any]]:
    classifiers = {name: getattr(ranker, name) for name in _CLASSIFIERS}
    arrays = {
        **{f"{name}-weights": each.weights for name, each in classifiers.items()},
        **{f"{name}-bias": each.bias for name, each in classifiers.items()},
        "mean": ranker.scaling.mean,
        "lexical-rarity": ranker.lexical.rarity,
        "lexical-mean": ranker.lexical.mean,
        "answers-starts": ranker.answers.starts,
        "answers-columns": ranker.answers.columns,
        "answers-weights": ranker.answers.weights,
        "habits-said": ranker.habits.said,
        "habits-unsaid": ranker.habits.unsaid,
    }
    made: dict[str, Callable[[], Any]] = {name: partial(np.asarray, array) for name, array in arrays.items()}
    return made | {"lexical-projection": lambda: ranker.lexical.projection.astype(np.float16)}


def _read_ranker(folder: Path) -> Ranker:
    model = _read_json(folder / "model.json")
    second = {name: np.array(values, dtype=np.float64) for name, values in model["second"].items()}
    return Ranker(
        scaling=Scaling(_load(folder, "mean"), model["scaling"]),
        lexical=Lexical(
            {term: at for at, term in enumerate(model["terms"])},
            _load(folder, "lexical-rarity"),
            _load(folder, "lexical-projection"),
            _load(folder, "lexical-mean"),
            model["lexical"],
        ),
        **{name: _linear(folder, name, model[name]) for name in _CLASSIFIERS},
        answers=Texts(*(_load(folder, f"answers-{name}") for name in ("starts", "columns", "weights"))),
        habits=Habits(tuple(model["tokens"]), _load(folder, "habits-said"), _load(folder, "habits-unsaid")),
        inside=np.array(model["inside"], dtype=bool),
        second=Weights(**second),
    )


def _load(folder: Path, name: str) -> Any:
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)


def _linear(folder: Path, name: str, classes: list[str]) -> Linear:
    return Linear(tuple(classes), _load(folder, f"{name}-weights"), _load(folder, f"{name}-bias"))


def _texts(catalogue: Catalogue, said: Sequence[Said]) -> list[str]:
    """Everything the catalogue asks and says, clean and without figures."""
    aspects = [aspect for matter in catalogue.matters.values() for aspect in matter.aspects.values()]
    texts = [*(each.text for each in said), *(text for aspect in aspects for text in (aspect.text, aspect.short))]
    return [normalise.written(normalise.simplified(normalise.cleaned(PLACEHOLDER.sub("", text)))) for text in texts]


def _read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _write_json(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
