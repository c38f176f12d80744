"""What a sheet would change: each row against what this centre answers now, and the files that would then stand."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from hotline.importing.rows import OF_MATTER, Incoming
from hotline.importing.table import Note
from hotline.importing.wording import header
from knowledge_base.checks import MAX_SHORT_CHARS
from knowledge_base.errors import NotInForce
from knowledge_base.model import Aspect, Catalogue, Matter, Source
from knowledge_base.render import fill

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, as people read it; ``old`` is empty where there was none."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What happens to one aspect, or with key ``""`` to the matter itself."""

    code: str
    key: str
    kind: str  # added, changed, untouched
    fields: tuple[FieldChange, ...] = ()


@dataclass(slots=True)
class Plan:
    """Everything a sheet would do. ``files``: code → data of the centre's file, only where it would change."""

    entries: list[EntryChange] = field(default_factory=list)
    files: dict[str, Data] = field(default_factory=dict)
    problems: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)


def plan(rows: Iterable[Incoming], catalogue: Catalogue, files: Mapping[str, Data], *, on: date) -> Plan:
    """``files``: what the centre's own files hold now, by code. Figures are filled in as of ``on`` to compare."""
    made = Plan()
    for code, group in groupby(sorted(rows, key=lambda row: row.code), key=lambda row: row.code):
        present = catalogue.matters.get(code)
        data = copy.deepcopy(files.get(code, {"code": code}))
        _Matter(made, catalogue, on, present, data).take(list(group))
    return made


@dataclass(slots=True)
class _Matter:
    plan: Plan
    catalogue: Catalogue
    on: date
    present: Matter | None
    data: Data
    entries: list[EntryChange] = field(default_factory=list)

    def take(self, rows: list[Incoming]) -> None:
        code = rows[0].code
        fields = tuple(self._of_matter(rows))
        kind = "added" if self.present is None else "changed" if fields else "untouched"
        self.entries.append(EntryChange(code, "", kind, fields))
        for row in rows:
            self._aspect(row)
        self.plan.entries += self.entries
        if any(entry.kind != "untouched" for entry in self.entries):
            self.plan.files[code] = self.data

    def _of_matter(self, rows: list[Incoming]) -> Iterator[FieldChange]:
        for name in OF_MATTER:
            new = next((getattr(row, name) for row in rows if getattr(row, name)), None)
            old = _shown(getattr(self.present, name, None))
            if new is None:
                if self.present is None and name in ("name", "topic"):
                    self.plan.problems.append(rows[0].note(f"{header(name)} is empty and the matter is new"))
            elif _shown(new) != old:
                self.data[name] = list(new) if isinstance(new, tuple) else new
                yield FieldChange(header(name), old, _shown(new))
        if self.present is None:
            self.data.setdefault("scope", "fund")

    def _aspect(self, row: Incoming) -> None:
        present = self.present.aspects.get(row.key) if self.present else None
        target: Data = self.data.setdefault("aspects", {}).setdefault(row.key, {})
        fields = list(self._texts(row, present, target))
        fields += self._source(row, present, target) + self._questions(row, present, target)
        if not target:
            del self.data["aspects"][row.key]
        kind = "added" if present is None else "changed" if fields else "untouched"
        self.entries.append(EntryChange(row.code, row.key, kind, tuple(fields)))

    def _texts(self, row: Incoming, present: Aspect | None, target: Data) -> Iterator[FieldChange]:
        new = {"title": row.title, "text": row.text, "short": row.short or self._short(row, present)}
        changed = []
        for name, text in new.items():
            old = getattr(present, name) if present else ""
            if text and not self._says(old, text):
                changed.append(name)
                target[name] = text
                yield FieldChange(header(name), old, text)
        if present and present.answered and "text" in changed and "short" not in changed:
            self.plan.warnings.append(row.note(f"{header('text')} changes, {header('short')} stays as it is"))

    def _short(self, row: Incoming, present: Aspect | None) -> str:
        """What stands where the sheet has no short answer: the present one, or a full answer that is short itself."""
        if present is not None and present.short:
            return present.short
        if len(row.text) <= MAX_SHORT_CHARS and "\n" not in row.text:
            return row.text
        self.plan.problems.append(row.note(f"{header('short')} is empty and {header('text')} is too long to stand in"))
        return ""

    def _says(self, old: str, new: str) -> bool:
        """Whether the sheet's text is the present one, as written or with today's figures in it."""
        if old == new:
            return True
        try:
            return fill(self.catalogue, old, on=self.on).text == new
        except NotInForce:
            return False

    def _source(self, row: Incoming, present: Aspect | None, target: Data) -> list[FieldChange]:
        known = self.present.sources if self.present else {}
        now = [known[name] for name in present.source_ids] if present else []
        if any(_same(source, row) for source in now):
            return []
        strength = row.strength
        if not strength:
            strength = "weak"
            self.plan.warnings.append(row.note(f"{header('strength')} is empty and taken as weak"))
        source = {"title": row.source, "issued_on": row.issued_on, "url": row.url, "strength": strength}
        source = {name: value for name, value in source.items() if value}
        target["sources"] = [self._named(source, known)]
        return [FieldChange(header("source"), "; ".join(each.title for each in now), ", ".join(source.values()))]

    def _named(self, source: Data, known: Mapping[str, Source]) -> str:
        """The id of ``source`` among the matter's; one it does not know yet is added to the centre's file."""
        own: Data = self.data.setdefault("sources", {})
        for name, each in known.items():
            if _source_data(each) == source:
                return name
        for name, given in own.items():
            if given == source:
                return str(name)
        base = f"import-{source.get('issued_on', 'undated')}"
        names = (base if at == 1 else f"{base}-{at}" for at in range(1, len(own) + len(known) + 2))
        chosen = next(name for name in names if name not in own and name not in known)
        own[chosen] = source
        return chosen

    def _questions(self, row: Incoming, present: Aspect | None, target: Data) -> list[FieldChange]:
        """Phrasings are only added: what editors and citizens taught the aspect stays."""
        have = present.questions if present else ()
        new = [question for question in row.questions if question not in have]
        if not new:
            return []
        target["questions"] = [*target.get("questions", []), *new]
        return [FieldChange(header("questions"), "", question) for question in new]


def _same(source: Source, row: Incoming) -> bool:
    """An empty cell of the sheet agrees with whatever stands."""
    given = {"title": row.source, "issued_on": row.issued_on, "url": row.url, "strength": row.strength}
    stands = {"issued_on": "", "url": "", **_source_data(source)}
    return all(not value or stands[name] == value for name, value in given.items())


def _source_data(source: Source) -> Data:
    day = source.issued_on.isoformat() if source.issued_on else None
    data = {"title": source.title, "issued_on": day, "url": source.url, "strength": source.strength}
    return {name: value for name, value in data.items() if value}


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value or "")
