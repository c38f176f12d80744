"""Static files of all pages, revalidated on every use so that no page runs on yesterday's script."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

STATIC_DIR = Path(__file__).resolve().parent.parent / "static"


class RevalidatedFiles(StaticFiles):
    """Serves files with ``no-cache``: the browser keeps them and asks whether they changed (ETag, 304)."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def static_files() -> RevalidatedFiles:
    """To be mounted at ``/static``."""
    return RevalidatedFiles(directory=STATIC_DIR)
