"""The sandbox's own routes: who is there, what goes wrong, how far an application is. A real core has none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sandbox.fund.answers import Refused
from sandbox.fund.build import rebuild_cast
from sandbox.fund.cast import written
from sandbox.fund.database import Database, Json
from sandbox.fund.faults import Fault, Faults, Mode, Untruth
from sandbox.fund.progress import Progress
from sandbox.fund.rules import rules
from sandbox.fund.shapes import application_json


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError("no regular expression") from error
    return text


class FaultIn(BaseModel):
    """``seconds``: how long slow and hang last. ``times`` 0: until the mode ``none``. ``what``: for wrong."""

    model_config = ConfigDict(extra="forbid")
    mode: Mode
    seconds: float = Field(0.0, ge=0, le=3600)
    paths: Annotated[str, AfterValidator(_is_pattern)] = ""
    times: int = Field(0, ge=0)
    what: Untruth | None = None


class AdvanceIn(BaseModel):
    """The application stays in the state it is moved to."""

    model_config = ConfigDict(extra="forbid")
    application_no: str
    state: Literal["accepted", "checking", "reviewing", "supplement", "paying", "completed", "refused", "cancelled"]


async def _local_only(request: Request) -> None:
    if request.client is None or request.client.host not in ("127.0.0.1", "::1"):
        raise Refused("not_found", "path")


def control_router(database: Database, progress: Progress, faults: Faults) -> APIRouter:
    """Routes under /control, for callers on the same machine."""
    routes = APIRouter(prefix="/control", dependencies=[Depends(_local_only)])

    @routes.post("/faults")
    async def plan(form: FaultIn) -> Json:
        pattern = re.compile(form.paths)
        faults.plan(Fault(mode=form.mode, seconds=form.seconds, paths=pattern, times=form.times, untruth=form.what))
        return {"mode": form.mode}

    @routes.get("/cast")
    async def cast() -> Json:
        return {"cast": [_shown(database, raw) for raw in written()]}

    @routes.post("/advance")
    async def advance(form: AdvanceIn) -> Json:
        progress.catch_up()
        return {"application": application_json(progress.move(form.application_no, form.state))}

    @routes.post("/reset")
    async def reset() -> Json:
        """The cast is as in the beginning, and no fault is planned."""
        with database.transaction() as connection:
            rebuild_cast(connection, database.clock.today(), rules())
        faults.plan(Fault(mode="none", seconds=0, paths=re.compile(""), times=0))
        return {"people": database.count_people()}

    return routes


def _shown(database: Database, raw: Mapping[str, Any]) -> Json:
    """A member of the cast with his secrets and numbers."""
    row = database.one("SELECT person_no FROM persons WHERE cast_key = ?", raw["key"])
    number = row["person_no"] if row else ""
    accounts = database.account_rows(number)
    applications = database.all("SELECT application_no FROM applications WHERE person_no = ?", number)
    secrets = ("key", "about", "name", "id_number", "mobile", "password")
    return {
        **{name: raw[name] for name in secrets},
        "person_no": number,
        "card_number": next((one["card_number"] for one in accounts if one["card_number"]), ""),
        "accounts": [one["account_no"] for one in accounts],
        "loans": [one["loan_no"] for one, _, _ in database.loan_rows(number)],
        "applications": [one["application_no"] for one in applications],
    }
