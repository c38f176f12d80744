"""Which matters a text names, by the names and aliases of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from threading import Lock

import numpy as np

from knowledge_base import wording
from knowledge_base.linear import Evidence
from knowledge_base.model import Catalogue
from knowledge_base.normalise import cleaned, simplified

SHORTEST = 2


class Mentions:
    """spaCy's PhraseMatcher over single characters; the longest name wins where two overlap."""

    def __init__(self, names: Mapping[str, str]) -> None:
        import spacy
        from spacy.matcher import PhraseMatcher

        self._language = spacy.blank("zh")
        self._matcher = PhraseMatcher(self._language.vocab)
        self._lock = Lock()  # spaCy's string store grows as it reads
        for name, code in names.items():
            self._matcher.add(code, [self._language.make_doc(name)])

    def find(self, text: str) -> dict[str, int]:
        """Codes in the order they are named, each with the length of its longest name in the text."""
        from spacy.util import filter_spans

        with self._lock:
            spans = filter_spans(self._matcher(self._language.make_doc(text.lower()), as_spans=True))
            found: dict[str, int] = {}
            for span in sorted(spans, key=lambda span: span.start):
                found[span.label_] = max(found.get(span.label_, 0), span.end - span.start)
            return found


def names_of(catalogue: Catalogue) -> dict[str, str]:
    """Every name and alias of two characters or more, as the normaliser would write it, with its matter's code."""
    names: dict[str, str] = {}
    for code, matter in catalogue.matters.items():
        for name in (matter.name, *matter.aliases):
            written = simplified(cleaned(name)).lower()
            if len(written) >= SHORTEST:
                names.setdefault(written, code)
    return names


def evidence(texts: Sequence[str], found: Sequence[Mapping[str, int]], *, classes: Sequence[str]) -> Evidence:
    """What the names in ``texts`` say of the matter ``classes``."""
    column = {code: at for at, code in enumerate(classes)}
    named = np.zeros((len(texts), len(column)))
    for row, (text, mentions) in enumerate(zip(texts, found, strict=True)):
        for code, length in mentions.items():
            named[row, column[code]] = (length / max(1, len(text))) ** 0.5
    return Evidence(named, np.array([float(_fund_name() in text) for text in texts]))


@cache
def _fund_name() -> str:
    return str(wording.read("normalise")["fund_name"])
