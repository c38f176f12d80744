"""Texts of the work orders' pages: wording.yml beside this file, over the names the services use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from hotline.domain.work_orders import OrderRefused
from hotline.services.work_orders.words import order_words, refusal_words

_SHARED: Final = ("types", "sources", "ratings", "file_words")


@cache
def page_words() -> Mapping[str, Any]:
    """All names and sentences; callers must not change them."""
    own: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("wording.yml").read_text(encoding="utf-8"))
    return {**{name: order_words()[name] for name in _SHARED}, **own}


def refused_words(refused: OrderRefused) -> str:
    """Why it was not done, and what to do now."""
    found = page_words()["refusals"].get(refused.refusal.value)
    return str(found) if found else refusal_words(refused.refusal)
