"""The words on certificates, read once from wording.yml beside this file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hotline.domain.fund import CertificateKind


@cache
def wording() -> dict[str, Any]:
    """The parsed wording.yml."""
    loaded: dict[str, Any] = yaml.safe_load((files(__package__) / "wording.yml").read_text(encoding="utf-8"))
    return loaded


def label(fact: str) -> str:
    """What a fact is called."""
    return str(wording()["labels"][fact])


def value(key: str, **values: object) -> str:
    """A fact in words."""
    return str(wording()["values"][key]).format(**values)


def on_page(key: str, **values: object) -> str:
    """A sentence of the printed page."""
    return str(wording()["page"][key]).format(**values)


def of_kind(kind: CertificateKind) -> dict[str, Any]:
    """Name, title, opening, rows and notes of a kind of certificate."""
    found: dict[str, Any] = wording()["kinds"][kind.value]
    return found
