"""Doors of the desk's test application for tests to play callers: ``POST /fake/call/ACT``."""

from __future__ import annotations

import os

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from hotline.call_store import CallMark
from hotline.settings import TelephoneSettings
from tests.fake_calls import NOTHING, FakeCalls, FakeRecordings, callers
from tests.fake_desk import FakeDesk
from web.desk.calls import Telephone


class CallDoors:
    """Callers of one desk. ``DESK_APP_PHONE_URL`` is where browser phones register."""

    def __init__(self, desk: FakeDesk) -> None:
        self.desk = desk
        self.calls = FakeCalls()
        self.recordings = FakeRecordings()

    def telephone(self) -> Telephone:
        settings = TelephoneSettings(line="asterisk", browser_phone_url=os.environ.get("DESK_APP_PHONE_URL", ""))
        return Telephone(calls=self.calls, recordings=self.recordings, settings=settings)

    def reset(self) -> None:
        self.calls.records.clear()
        self.calls.day, self.calls.hours = NOTHING, {}
        self.recordings.looks.clear()
        self.recordings.held.clear()

    async def come(self) -> None:
        """Two callers are there, after a busy day."""
        callers(self.desk, self.calls)
        self.recordings.held.add(("c-call", "wang"))
        self.calls.busy_day()

    async def mark(self, conversation: str, mark: str, **given: str) -> None:
        detail = {key: int(value) if key == "heard" else value for key, value in given.items()}
        self.calls.marks(conversation, CallMark(mark), self.desk.clock(), **detail)
        await self.desk.tell("call", conversation, call=f"call-{conversation}", mark=mark, detail=detail)

    async def hang_up(self, conversation: str) -> None:
        self.calls.ends(conversation, self.desk.clock())
        await self.desk.tell("call", conversation, call=f"call-{conversation}", ending="caller")

    def open(self, app: FastAPI) -> None:
        """The doors are in ``app``."""
        acts = {"come": self.come, "mark": self.mark, "hang-up": self.hang_up}

        @app.post("/fake/call/{act}")
        async def play(act: str, request: Request) -> Response:
            await acts[act](**dict(request.query_params))
            return Response(status_code=204)

        @app.get("/fake/looks")
        async def looks() -> Response:
            return JSONResponse(self.recordings.looks)
