"""Words a recogniser was told to expect and wrote by other characters of the same sound."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from knowledge_base.pinyin import Corrector

_CERTAIN = 3
"""Characters: of two, too many sound alike."""


def put_right(text: str, hints: Sequence[str]) -> str:
    """``text`` with a span that sounds like one of ``hints``, tone aside, replaced by it.

    What is understood is corrected again on the knowledge side; here it is for who reads the transcript, and for words
    that are compared as they stand.
    """
    return _corrector(tuple(hints)).correct(text) if text else text


@lru_cache(maxsize=16)
def _corrector(hints: tuple[str, ...]) -> Corrector:
    words = [hint for hint in hints if len(hint) >= _CERTAIN]
    return Corrector.build(words, ordinary=(), usual="", confusions={})
