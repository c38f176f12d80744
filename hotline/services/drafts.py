"""Skeletons of entries that do not exist yet: made from what was asked, finished by an editor, never loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml

from hotline.services.files import replace_text
from hotline.services.phrasings import EntryName, Refused, find_question, presentable, read_content
from knowledge_base.checks import comparable
from knowledge_base.editing import scalar
from knowledge_base.model import ASPECTS, TOPICS, Catalogue

FOLDER: Final = "drafts"
MAX_QUESTIONS: Final = 20
MAX_TITLE: Final = 40
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OWN = re.compile(r"q_[a-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """What an editor says about a new entry. ``name`` and ``topic`` are the matter's, not needed where it exists."""

    entry: EntryName
    title: str
    name: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The draft as written. ``left_out``: texts that may not stand in content, stand in it
    already, or are more than a draft takes."""

    file: Path
    questions: tuple[str, ...]
    left_out: int


def new_draft(root: Path, *, centre: str, skeleton: Skeleton, texts: Sequence[str], day: date) -> Drafted:
    """A draft of the entry with ``texts`` as its questions is in the drafts folder, its answer left to the editor.

    Raises:
        Refused: the entry or a draft of it exists, a name is taken or not allowed, or no text may stand in content.
    """
    catalogue = read_content(root, centre)
    _check(catalogue, skeleton)
    questions = _questions(root, centre, catalogue, texts)
    file = root / FOLDER / f"{skeleton.entry.code}.{skeleton.entry.aspect}.yml"
    if file.exists():
        raise Refused(f"there is a draft already: {file}")
    replace_text(file, _written(catalogue, skeleton, questions, day), expected=None)
    return Drafted(file=file, questions=questions, left_out=len(set(texts)) - len(questions))


def _check(catalogue: Catalogue, skeleton: Skeleton) -> None:
    code, aspect = skeleton.entry.code, skeleton.entry.aspect
    matter = catalogue.matters.get(code)
    if not _CODE.fullmatch(code):
        raise Refused(f"{code} is no code: small letters, digits and single hyphens, a letter first")
    if aspect not in ASPECTS and not _OWN.fullmatch(aspect):
        raise Refused(f"{aspect} is no aspect: {', '.join(ASPECTS)}, or a question of its own that starts with q_")
    if matter and aspect in matter.aspects:
        raise Refused(f"{skeleton.entry} exists: add the phrasing to it, or name another aspect with --aspect")
    if not skeleton.title.strip() or len(skeleton.title) > MAX_TITLE:
        raise Refused(f"the title needs 1 to {MAX_TITLE} characters")
    for title, other in _titles(catalogue):
        if comparable(title) == comparable(skeleton.title):
            raise Refused(f"the title stands already: it is that of {other}")
    if matter is None:
        _check_matter(catalogue, skeleton)


def _check_matter(catalogue: Catalogue, skeleton: Skeleton) -> None:
    if skeleton.entry.aspect != "overview":
        raise Refused(f"there is no matter {skeleton.entry.code} yet: its first aspect is overview")
    if not comparable(skeleton.name):
        raise Refused("a new matter needs --name")
    if skeleton.topic not in TOPICS:
        raise Refused(f"a new matter needs --topic, one of {' '.join(TOPICS)}")
    for matter in catalogue.matters.values():
        for name in (matter.name, *matter.aliases):
            if comparable(name) == comparable(skeleton.name):
                raise Refused(f"the name stands already: {matter.code} is called {name}")


def _titles(catalogue: Catalogue) -> Iterable[tuple[str, EntryName]]:
    for matter in catalogue.matters.values():
        for aspect in matter.aspects.values():
            yield aspect.title, EntryName(matter.code, aspect.key)


def _questions(root: Path, centre: str, catalogue: Catalogue, texts: Sequence[str]) -> tuple[str, ...]:
    """Those that may stand in content and do not yet, each once; the first reason where none does."""
    kept: dict[str, str] = {}
    reasons: list[str] = []
    for text in texts:
        try:
            phrasing = presentable(text)
        except Refused as error:
            reasons.append(str(error))
            continue
        if place := find_question(root, centre, catalogue, phrasing):
            reasons.append(f"{phrasing} stands already at {place}")
        elif len(kept) < MAX_QUESTIONS:
            kept.setdefault(comparable(phrasing), phrasing)
    if not kept:
        raise Refused(reasons[0] if reasons else "there is no phrasing to begin with")
    return tuple(kept.values())


def _written(catalogue: Catalogue, skeleton: Skeleton, questions: Sequence[str], day: date) -> str:
    words = _wording()
    lines = [f"# {line}" for line in words["head"].format(day=day.isoformat()).splitlines()]
    lines.append(f"code: {skeleton.entry.code}")
    if skeleton.entry.code not in catalogue.matters:
        lines += [f"name: {scalar(skeleton.name.strip())}", f"topic: {skeleton.topic}", "scope: fund"]
        lines += ["audience: [person]", "aliases: []", "popularity: 0"]
    lines += ["sources:", *(f"  # {line}" for line in words["sources"].splitlines())]
    lines += ["aspects:", f"  {skeleton.entry.aspect}:", f"    title: {scalar(skeleton.title.strip())}"]
    lines += [f"    # {line}" for line in words["answer"].splitlines()]
    lines += ["    questions:", *(f"      - {scalar(question)}" for question in questions)]
    return "\n".join(lines) + "\n"


@cache
def _wording() -> dict[str, str]:
    text = (files("hotline.services") / "wording" / "learning.yml").read_text(encoding="utf-8")
    loaded: dict[str, str] = yaml.safe_load(text)["draft"]
    return loaded
