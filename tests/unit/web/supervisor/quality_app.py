"""The pages that look back over records in memory, for working on them and for the browser tests:

``uvicorn --app-dir tests/unit/web/supervisor --factory quality_app:create_app``
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from tests.fake_desk import FakeDesk
from tests.unit.web.supervisor.quality_kit import FakeReviews, Town


def create_app() -> FastAPI:
    """With doors for tests: everything as at the beginning, and what was scored."""
    town = Town(FakeDesk())
    app = town.app()

    @app.post("/fake/reset")
    async def reset() -> Response:
        town.desk.reset()
        fresh = FakeReviews(town.desk)
        town.reviews.ended, town.reviews.kept = fresh.ended, fresh.kept
        await town.review(9, off=15, reason="转入时限说成 10 个工作日，知识库是 15 个工作日。")
        await town.review(10)
        await town.review(11, off=5, reason="材料没有一次说全，少了授权委托书。")
        return Response(status_code=204)

    @app.get("/fake/kept")
    async def kept() -> Response:
        return JSONResponse({each.handover_id: [each.total, each.reason] for each in town.reviews.kept.values()})

    return app
