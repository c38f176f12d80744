"""Which matters a text names, by the names and aliases of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

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
