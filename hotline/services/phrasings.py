"""A citizen's phrasing put under an entry of the content, checked as a whole before the file changes."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hotline.domain.redaction import redact
from hotline.domain.text import clean
from hotline.errors import HotlineError
from hotline.services.files import replace_text
from hotline.wording import mask
from knowledge_base import editing, loader, yaml_lines
from knowledge_base.checks import comparable
from knowledge_base.errors import KnowledgeError, Problem
from knowledge_base.model import Catalogue
from knowledge_base.normalise import cleaned

MAX_CHARS: Final = 120
"""A longer text teaches the matcher nothing more: only its telling part is embedded."""
CONTENT: Final = ("catalogue", "centres", "parameters")
_LONG_NUMBER = re.compile(r"\d{8,}")
"""No amount, date or term is this long; account, contract and telephone numbers are."""


class Refused(HotlineError):
    """The phrasing or draft was not written, and nothing has changed. The message says why and where."""


@dataclass(frozen=True, slots=True)
class EntryName:
    """``code/aspect``."""

    code: str
    aspect: str

    @classmethod
    def parse(cls, text: str) -> EntryName:
        """Raises Refused where ``text`` is not two names with a slash between."""
        code, slash, aspect = text.strip().partition("/")
        if not (code and slash and aspect) or "/" in aspect:
            raise Refused(f"{text} does not name an entry: write CODE/ASPECT, for example withdraw-rent/amount")
        return cls(code, aspect)

    def __str__(self) -> str:
        return f"{self.code}/{self.aspect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Where the phrasing stands now. ``file`` is relative to the content."""

    file: str
    line: int
    text: str


def add_phrasing(root: Path, *, centre: str, entry: EntryName, text: str) -> Added:
    """``text`` is among the questions of ``entry`` afterwards: in the centre's file where it names the centre's own
    place or only the centre has the aspect, else in the national one.

    Raises:
        Refused: the text holds personal data or stands already, there is no such entry, or the content is or would
            be faulty.
    """
    phrasing = presentable(text)
    catalogue = read_content(root, centre)
    _known_entry(catalogue, entry)
    if place := find_question(root, centre, catalogue, phrasing):
        raise Refused(f"{phrasing} stands already at {place}")
    file = _file_for(root, catalogue, entry, phrasing)
    before = file.read_bytes().decode("utf-8") if file.is_file() else None
    name = file.relative_to(root).as_posix()
    try:
        edited = (
            editing.with_question(before, entry.aspect, phrasing)
            if before is not None
            else editing.new_file(entry.code, entry.aspect, phrasing)
        )
    except editing.CannotEdit as error:
        raise Refused(f"{name} has to be edited by hand: {error}") from error
    _check_whole(root, centre, name, edited, phrasing)
    replace_text(file, edited, expected=before)
    return Added(file=name, line=_line_of(root, file, entry, phrasing), text=phrasing)


def presentable(text: str) -> str:
    """``text`` on one line, as it may stand in content.

    Raises:
        Refused: it says nothing, is too long, or holds a personal number (or the mask of one).
    """
    line = " ".join(clean(text).split())
    if not comparable(line):
        raise Refused("the phrasing has no letter in it")
    if len(line) > MAX_CHARS:
        raise Refused(f"the phrasing has {len(line)} characters, {MAX_CHARS} at most: shorten it to what is asked")
    masks = mask()
    found = redact(line, masks).found
    if found:
        raise Refused(f"the phrasing holds personal data ({', '.join(found)}): write it without")
    if any(sign in line for sign in (masks.id_number, masks.card, masks.phone, masks.email)):
        raise Refused("a personal number was masked in the phrasing: write it without")
    if number := _LONG_NUMBER.search(cleaned(line)):
        raise Refused(f"the phrasing holds a number of {len(number.group())} digits: write it without")
    return line


def read_content(root: Path, centre: str) -> Catalogue:
    """The content as it stands. Raises Refused where it is faulty already."""
    try:
        return loader.load(root, centre=centre)
    except KnowledgeError as error:
        raise Refused(f"the content is faulty as it stands, mend it first:\n{error}") from error


def find_question(root: Path, centre: str, catalogue: Catalogue, text: str) -> str | None:
    """Where a question that differs from ``text`` in punctuation, width and case at most stands (file:line), or
    None."""
    wanted = comparable(text)
    for matter in catalogue.matters.values():
        for aspect in matter.aspects.values():
            for question in aspect.questions:
                if comparable(question) == wanted:
                    entry = EntryName(matter.code, aspect.key)
                    return next(_places(root, centre, entry, question), str(entry))
    return None


def _places(root: Path, centre: str, entry: EntryName, question: str) -> Iterator[str]:
    for folder in (centre, "national"):
        file = root / "catalogue" / folder / f"{entry.code}.yml"
        if file.is_file() and (line := _line_of(root, file, entry, question)):
            yield f"{file.relative_to(root).as_posix()}:{line} ({entry})"


def _line_of(root: Path, file: Path, entry: EntryName, question: str) -> int:
    """The line of a question in a content file; 0 where it is not in it."""
    document, _ = yaml_lines.read(root, file)
    questions = document.data.get("aspects", {}).get(entry.aspect, {}).get("questions", []) if document else []
    if document is None or question not in questions:
        return 0
    return document.line(("aspects", entry.aspect, "questions", questions.index(question)))


def _known_entry(catalogue: Catalogue, entry: EntryName) -> None:
    matter = catalogue.matters.get(entry.code)
    if matter and entry.aspect in matter.aspects:
        return
    from rapidfuzz import process

    if matter:
        raise Refused(f"{entry.code} has no aspect {entry.aspect}; it has {', '.join(matter.aspects)}")
    near = [name for name, *_ in process.extract(entry.code, list(catalogue.matters), limit=3)]
    raise Refused(f"there is no matter {entry.code}; near to it are {', '.join(near)}")


def _file_for(root: Path, catalogue: Catalogue, entry: EntryName, phrasing: str) -> Path:
    national = root / "catalogue" / "national" / f"{entry.code}.yml"
    here = any(name in phrasing for name in (catalogue.centre.city, *catalogue.centre.here) if name)
    if not here and national.is_file():
        document, _ = yaml_lines.read(root, national)
        if document and entry.aspect in document.data.get("aspects", {}):
            return national
    return root / "catalogue" / catalogue.centre.code / f"{entry.code}.yml"


def _check_whole(root: Path, centre: str, name: str, edited: str, phrasing: str) -> None:
    """The whole content with ``edited`` in place of the file ``name`` is faultless; so is, as far as the phrasing
    goes, that of every other centre."""
    with tempfile.TemporaryDirectory(prefix="hotline-content-") as folder:
        copy = Path(folder)
        for part in CONTENT:
            shutil.copytree(root / part, copy / part)
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(edited.encode("utf-8"))
        if problems := _problems(copy, centre):
            raise Refused(_faults(problems))
        if name.startswith("catalogue/national/"):
            others = sorted(file.stem for file in (copy / "centres").glob("*.yml") if file.stem != centre)
            found = [problem for other in others for problem in _problems(copy, other)]
            if doubled := [problem for problem in found if phrasing in problem.message]:
                raise Refused(_faults(doubled))


def _problems(root: Path, centre: str) -> Sequence[Problem]:
    try:
        loader.load(root, centre=centre)
    except KnowledgeError as error:
        return error.problems
    return ()


def _faults(problems: Sequence[Problem]) -> str:
    return "with it the content would be faulty, nothing was written:\n" + "\n".join(str(each) for each in problems)
