"""The routes of docs/fund-core-api.yaml."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from sandbox.fund.answers import Refused
from sandbox.fund.database import Database, Json, LedgerFilter
from sandbox.fund.forms import Day
from sandbox.fund.writes import Submission, Writes

_NUMBER = r"^[0-9A-Za-z]{1,32}$"
Number = Annotated[str, Path(pattern=_NUMBER)]
KEY = r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$"
Key = Annotated[str, Header(alias="Idempotency-Key", pattern=KEY)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CardIn(_Strict):
    kind: Literal["bank_card"]
    value: str = Field(pattern=r"^[0-9]{15,19}$", repr=False)


class PasswordIn(_Strict):
    kind: Literal["query_password"]
    value: str = Field(pattern=r"^[0-9]{6}$", repr=False)


class IdentifyIn(_Strict):
    id_number: str = Field(pattern=r"^[1-9][0-9]{14}([0-9]{2}[0-9X])?$", repr=False)
    factor: Annotated[CardIn | PasswordIn, Field(discriminator="kind")]


def _digits(value: object) -> object:
    """Raises ValueError for a text that is not a number as people write it."""
    if isinstance(value, str) and not re.fullmatch(r"[1-9][0-9]{0,2}", value):
        raise ValueError("a number in digits")
    return value


Limit = Annotated[int, BeforeValidator(_digits)]


class LedgerQuery(_Strict):
    since: Day | None = None
    until: Day | None = None
    cursor: str | None = Field(None, pattern=r"^[0-9]{1,9}$")
    limit: Limit = Field(20, ge=1, le=100)


class ScheduleQuery(_Strict):
    first: Limit = Field(1, ge=1, le=360)
    limit: Limit = Field(12, ge=1, le=360)


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def _moment(value: object) -> datetime:
    """Raises ValueError for anything but ISO 8601 in UTC with Z."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a moment is ISO 8601 in UTC with Z")
    return datetime.fromisoformat(value)


def _not_too_many(fields: dict[str, str]) -> dict[str, str]:
    if len(fields) > 20:
        raise ValueError("at most 20 fields")
    return fields


class SubmitIn(_Strict):
    business: str = Field(min_length=1, max_length=64)
    fields: Annotated[dict[str, Annotated[str, Field(max_length=200)]], AfterValidator(_not_too_many)]
    confirmed_at: Annotated[AwareDatetime, BeforeValidator(_moment)]
    channel: str = Field(pattern=r"^[a-z_]{1,32}$")


class CertificateIn(_Strict):
    kind: Literal["deposit", "other_city_loan"]


class VerifyIn(_Strict):
    number: str = Field(pattern=_NUMBER)
    check_code: str = Field(pattern=r"^[0-9A-Za-z]{4,32}$")


async def _no_query(request: Request) -> None:
    if request.url.query:
        raise Refused("bad_request", "this takes no query")


def router(database: Database, writes: Writes) -> APIRouter:
    """All routes under /v1."""
    routes = APIRouter(prefix="/v1")
    _add_people(routes, database)
    _add_accounts(routes, database)
    _add_applications(routes, writes)
    _add_certificates(routes, writes)
    return routes


_PLAIN: Any = [Depends(_no_query)]


def _add_people(routes: APIRouter, database: Database) -> None:
    @routes.post("/identify", dependencies=_PLAIN)
    async def identify(form: IdentifyIn) -> Json:
        return {"person": database.identify(form.id_number, form.factor.kind, form.factor.value)}

    @routes.get("/persons/{person_no}", dependencies=_PLAIN)
    async def person(person_no: Number) -> Json:
        return {"person": database.person(person_no)}

    @routes.get("/persons/{person_no}/contributions", dependencies=_PLAIN)
    async def contributions(person_no: Number) -> Json:
        return {"person_no": person_no, "contributions": database.contributions(person_no)}


def _add_accounts(routes: APIRouter, database: Database) -> None:
    @routes.get("/persons/{person_no}/accounts", dependencies=_PLAIN)
    async def accounts(person_no: Number) -> Json:
        return {"person_no": person_no, "accounts": database.accounts(person_no)}

    @routes.get("/persons/{person_no}/accounts/{account_no}/ledger")
    async def ledger(person_no: Number, account_no: Number, query: Annotated[LedgerQuery, Query()]) -> Json:
        cursor = int(query.cursor) if query.cursor else None
        wanted = LedgerFilter(since=query.since, until=query.until, cursor=cursor, limit=query.limit)
        return {"person_no": person_no, "account_no": account_no} | database.ledger(person_no, account_no, wanted)

    @routes.get("/persons/{person_no}/loans", dependencies=_PLAIN)
    async def loans(person_no: Number) -> Json:
        return {"person_no": person_no, "loans": database.loans(person_no)}

    @routes.get("/persons/{person_no}/loans/{loan_no}/schedule")
    async def schedule(person_no: Number, loan_no: Number, query: Annotated[ScheduleQuery, Query()]) -> Json:
        lines = database.schedule(person_no, loan_no, first=query.first, limit=query.limit)
        return {"person_no": person_no, "loan_no": loan_no, "instalments": lines}


def _add_applications(routes: APIRouter, writes: Writes) -> None:
    @routes.get("/persons/{person_no}/applications", dependencies=_PLAIN)
    async def applications(person_no: Number) -> Json:
        return {"person_no": person_no, "applications": writes.applications(person_no)}

    @routes.get("/persons/{person_no}/applications/{application_no}", dependencies=_PLAIN)
    async def application(person_no: Number, application_no: Number) -> Json:
        return {"person_no": person_no, "application": writes.application(person_no, application_no)}

    @routes.post("/persons/{person_no}/applications", dependencies=_PLAIN)
    async def submit(person_no: Number, form: SubmitIn, key: Key, response: Response) -> Json:
        new = Submission(
            business=form.business, fields=form.fields, confirmed_at=form.confirmed_at, channel=form.channel
        )
        filed, fresh = writes.submit(person_no, key, new)
        response.status_code = 201 if fresh else 200
        return {"person_no": person_no, "application": filed}

    @routes.get("/persons/{person_no}/submissions/{key}", dependencies=_PLAIN)
    async def submission(person_no: Number, key: Annotated[str, Path(pattern=KEY)]) -> Json:
        return {"person_no": person_no, "application": writes.submission(person_no, key)}

    @routes.post("/persons/{person_no}/applications/{application_no}/cancel", dependencies=_PLAIN)
    async def cancel(person_no: Number, application_no: Number, key: Key) -> Json:
        return {"person_no": person_no, "application": writes.cancel(person_no, application_no, key)}


def _add_certificates(routes: APIRouter, writes: Writes) -> None:
    @routes.post("/persons/{person_no}/certificates", dependencies=_PLAIN)
    async def issue(person_no: Number, form: CertificateIn, key: Key, response: Response) -> Json:
        certificate, fresh = writes.issue(person_no, form.kind, key)
        response.status_code = 201 if fresh else 200
        return {"person_no": person_no, "certificate": certificate}

    @routes.post("/certificates/verify", dependencies=_PLAIN)
    async def verify(form: VerifyIn) -> Json:
        return {"certificate": writes.certificate(form.number, form.check_code)}
