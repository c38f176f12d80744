"""The words the library itself needs (fillers, cues, sentences it adds), read from wording/*.yml once."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent / "wording"


@cache
def read(name: str) -> dict[str, Any]:
    """The content of ``wording/<name>.yml``. Callers must not change it."""
    return dict(yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8")))


@cache
def fingerprint() -> str:
    """Changes when any wording file does."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.yml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
