"""Icons of the pages: Tabler's files, put into the page so that they take its colours."""

from __future__ import annotations

import re
from functools import cache

from markupsafe import Markup

from web.citizen.assets import STATIC_DIR

FOLDER = STATIC_DIR / "vendor" / "tabler-icons"
_COMMENT = re.compile(r"<!--.*?-->", re.S)


@cache
def icon(name: str) -> Markup:
    """The icon as SVG, hidden from screen readers: what it means is said beside it."""
    drawing = _COMMENT.sub("", (FOLDER / f"{name}.svg").read_text(encoding="utf-8")).strip()
    hidden = drawing.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
    return Markup(re.sub(r"\s+", " ", hidden))  # noqa: S704 - a file of ours, named by our templates
