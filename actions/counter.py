"""The own-data counter the actions decide at: built once, at the first turn, in the server's own event loop."""

from __future__ import annotations

from functools import cache

from hotline.bootstrap import build_counter
from hotline.services.own.desk import OwnDesk
from hotline.settings import get_settings


@cache
def counter() -> OwnDesk:
    """The process's counter."""
    return build_counter(get_settings())
