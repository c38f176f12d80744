"""Puts an import in place: the whole content is checked in a copy first, and nothing changes where that fails."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path

from hotline.errors import HotlineError
from hotline.importing import changes, files
from hotline.importing.changes import Data, Plan
from hotline.importing.rows import Incoming, incoming
from hotline.importing.table import Note
from hotline.importing.wording import words
from knowledge_base import loader, yaml_lines, yaml_writer
from knowledge_base.errors import KnowledgeError, Problem

CONTENT = ("centres", "parameters", "catalogue")
_FIELDS = {"sources": "source"}


class ImportRefused(HotlineError):
    """The content that stands now cannot be read, so nothing can be laid over it."""


@dataclass(frozen=True, slots=True)
class Import:
    """A sheet read and compared. ``texts``: the centre's files as they would then stand, by path below the root."""

    plan: Plan
    texts: Mapping[Path, str]

    @property
    def problems(self) -> list[Note]:
        return self.plan.problems


def prepare(file: Path, root: Path, *, centre: str, on: date) -> Import:
    """Reads ``file``, compares it with the content of ``centre`` below ``root`` and checks what would then stand.

    Raises:
        SheetError: the file cannot be read at all.
        ImportRefused: the content that stands now has problems of its own.
    """
    table = files.read(file)
    rows = incoming(table)
    try:
        catalogue = loader.load(root, centre=centre)
    except KnowledgeError as error:
        raise ImportRefused(f"the content as it stands has problems; mend them first:\n{error}") from error
    folder = root / "catalogue" / centre
    plan = changes.plan(rows, catalogue, _present(root, folder), on=on)
    plan.problems[:0] = table.problems
    plan.warnings[:0] = table.warnings
    texts = {}
    for code, data in sorted(plan.files.items()):
        name = folder.relative_to(root) / f"{code}.yml"
        head, inside = _comments(root / name)
        texts[name] = head + _text(data)
        if inside:
            plan.warnings.append(Note("", 0, f"{name}: the comments below its first lines are not kept"))
    made = Import(plan, texts)
    if not plan.problems:
        plan.problems += _checked(made, rows, root, centre)
    return made


def put(made: Import, root: Path) -> None:
    """Every file of ``made`` stands in place, each written in one step.

    Raises:
        ImportRefused: the import has problems.
    """
    if made.problems:
        raise ImportRefused("an import with problems is not written")
    ready: list[tuple[Path, Path]] = []
    for name, text in made.texts.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.write_text(text, encoding="utf-8")
        ready.append((beside, target))
    for beside, target in ready:
        os.replace(beside, target)


def _present(root: Path, folder: Path) -> dict[str, Data]:
    """What the centre's files hold; they are known to be well formed."""
    found = {}
    for file in sorted(folder.glob("*.yml")):
        document, _ = yaml_lines.read(root, file)
        if document is not None:
            found[file.stem] = document.data
    return found


def _comments(file: Path) -> tuple[str, bool]:
    """The comment lines a file begins with (its schema stands there), and whether there are others further down."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    head = list(takewhile(lambda line: line.startswith("#"), lines))
    return "".join(head), any(line.lstrip().startswith("#") for line in lines[len(head) :])


def _text(data: Data) -> str:
    return yaml_writer.entry({name: value for name, value in data.items() if value not in ({}, [])})


def _checked(made: Import, rows: Iterable[Incoming], root: Path, centre: str) -> list[Note]:
    """The loader's problems of the content as it would stand, each at the row it comes from."""
    with tempfile.TemporaryDirectory(prefix="kb-import-") as folder:
        copy = Path(folder)
        for name in CONTENT:
            shutil.copytree(root / name, copy / name)
        put(made, copy)
        try:
            loader.load(copy, centre=centre)
        except KnowledgeError as error:
            return [_at_row(problem, list(rows)) for problem in error.problems]
    return []


def _at_row(problem: Problem, rows: list[Incoming]) -> Note:
    """The problem at the row and under the header it comes from; what is of no row keeps its place in the files."""
    code = Path(problem.file).stem
    for row in rows:
        base, inside = f"aspects.{row.key}.", problem.field
        if row.code == code and inside.startswith(base):
            name = re.split(r"[.\[]", inside.removeprefix(base))[0]
            return row.note(f"{words()['columns'].get(_FIELDS.get(name, name), inside)}: {problem.message}")
    return Note("", 0, str(problem))
