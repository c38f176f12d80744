"""The fund core system as a port, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

import httpx
import structlog

from hotline.domain.fund import (
    Account,
    Application,
    Certificate,
    CertificateKind,
    Contributions,
    Factor,
    FactorKind,
    Instalment,
    LedgerPage,
    Loan,
    NewApplication,
    Person,
)
from hotline.fund import codec
from hotline.fund.line import NUMBER, REFUSALS, Call, Kind, Line
from hotline.fund_system import FundUnavailable, FundUnknown
from hotline.settings import FundSettings

log = structlog.get_logger()

_Answer = TypeVar("_Answer")
_ANY_REFUSAL = frozenset[str]().union(*REFUSALS.values())
_NO_REFUSAL = frozenset[str]()

_PERSON = "/v1/persons/{person_no}"
_ACCOUNTS = f"{_PERSON}/accounts"
_LEDGER = f"{_ACCOUNTS}/{{account_no}}/ledger"
_CONTRIBUTIONS = f"{_PERSON}/contributions"
_LOANS = f"{_PERSON}/loans"
_SCHEDULE = f"{_LOANS}/{{loan_no}}/schedule"
_APPLICATIONS = f"{_PERSON}/applications"
_APPLICATION = f"{_APPLICATIONS}/{{application_no}}"
_SUBMISSION = f"{_PERSON}/submissions/{{key}}"
_CERTIFICATES = f"{_PERSON}/certificates"

_ID_NUMBER = re.compile(r"[1-9][0-9]{14}([0-9]{2}[0-9X])?")
_FACTORS = {FactorKind.BANK_CARD: re.compile(r"[0-9]{15,19}"), FactorKind.QUERY_PASSWORD: re.compile(r"[0-9]{6}")}
"""Anything else is nobody's, and no request (docs/fund-core-api.yaml)."""


class HttpFundSystem:
    """FundSystem by its HTTP form. An answer that cannot be true is logged and never shown: after a read it is
    FundUnavailable, after a write FundUnknown, since the write may have happened."""

    def __init__(self, settings: FundSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Raises ConfigError for certificate files that cannot be used."""
        self._line = Line(settings, transport=transport)

    async def close(self) -> None:
        """No connection stays open."""
        await self._line.close()

    async def healthy(self) -> bool:
        """Whether the core system answers within a second."""
        return await self._line.healthy()

    async def identify(self, *, id_number: str, factor: Factor) -> Person | None:
        id_number = id_number.upper()
        if not (_ID_NUMBER.fullmatch(id_number) and _FACTORS[factor.kind].fullmatch(factor.value)):
            return None
        body = codec.to_json({"id_number": id_number, "factor": {"kind": factor.kind, "value": factor.value}})
        call = Call(method="POST", path="/v1/identify", body=body, kind=Kind.ONCE, refusals=_NO_REFUSAL)
        return await self._ask(call, lambda answer: codec.identified(answer, id_number=id_number))

    async def person(self, person_no: str) -> Person:
        return await self._ask(_read(_PERSON, person_no), lambda answer: codec.person(answer, person_no))

    async def accounts(self, person_no: str) -> Sequence[Account]:
        return await self._ask(_read(_ACCOUNTS, person_no), lambda answer: codec.accounts(answer, person_no))

    async def ledger(
        self,
        person_no: str,
        account_no: str,
        *,
        since: date | None = None,
        until: date | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> LedgerPage:
        given = {"since": since and since.isoformat(), "until": until and until.isoformat(), "cursor": cursor}
        query = {name: value for name, value in given.items() if value} | {"limit": str(limit)}
        call = _read(_LEDGER, person_no, query=query, account_no=account_no)
        return await self._ask(call, lambda answer: codec.ledger(answer, person_no, account_no, query=query))

    async def contributions(self, person_no: str) -> Contributions:
        return await self._ask(_read(_CONTRIBUTIONS, person_no), lambda answer: codec.contributions(answer, person_no))

    async def loans(self, person_no: str) -> Sequence[Loan]:
        return await self._ask(_read(_LOANS, person_no), lambda answer: codec.loans(answer, person_no))

    async def schedule(self, person_no: str, loan_no: str, *, first: int = 1, limit: int = 12) -> Sequence[Instalment]:
        call = _read(_SCHEDULE, person_no, query={"first": str(first), "limit": str(limit)}, loan_no=loan_no)
        return await self._ask(
            call, lambda answer: codec.schedule(answer, person_no, loan_no, first=first, limit=limit)
        )

    async def applications(self, person_no: str) -> Sequence[Application]:
        return await self._ask(_read(_APPLICATIONS, person_no), lambda answer: codec.applications(answer, person_no))

    async def application(self, person_no: str, application_no: str) -> Application:
        call = _read(_APPLICATION, person_no, application_no=application_no)
        return await self._ask(call, lambda answer: codec.application(answer, person_no, application_no))

    async def submit(self, new: NewApplication, *, key: str) -> Application:
        call = _write(_APPLICATIONS, new.person_no, key=key, body=codec.filing(new))
        return await self._ask(call, lambda answer: codec.filed(answer, new))

    async def submission(self, person_no: str, *, key: str) -> Application | None:
        call = _read(_SUBMISSION, person_no, key=key)
        return await self._ask(call, lambda answer: codec.submission(answer, person_no))

    async def cancel(self, person_no: str, application_no: str, *, key: str) -> Application:
        call = _write(f"{_APPLICATION}/cancel", person_no, key=key, application_no=application_no)
        return await self._ask(call, lambda answer: codec.application(answer, person_no, application_no))

    async def issue_certificate(self, person_no: str, kind: CertificateKind, *, key: str) -> Certificate:
        call = _write(_CERTIFICATES, person_no, key=key, body=codec.to_json({"kind": kind}))
        return await self._ask(call, lambda answer: codec.issued(answer, person_no, kind))

    async def certificate(self, number: str, *, check_code: str) -> Certificate | None:
        if not (NUMBER.fullmatch(number) and NUMBER.fullmatch(check_code)):
            return None
        body = codec.to_json({"number": number, "check_code": check_code})
        call = Call(method="POST", path="/v1/certificates/verify", body=body, refusals=_NO_REFUSAL)
        return await self._ask(call, lambda answer: codec.verified(answer, number, check_code=check_code))

    async def _ask(self, call: Call, read: Callable[[bytes], _Answer]) -> _Answer:
        body = await self._line.send(call)
        try:
            return read(body)
        except codec.Untrue as untrue:
            reason = str(untrue)
        log.error("fund.answer.untrue", kind=call.method, path=call.path, reason=reason)
        error = FundUnknown if call.kind is Kind.WRITE else FundUnavailable
        raise error(f"the fund core system: an answer that cannot be true ({reason})")


def _read(path: str, person_no: str, *, query: Mapping[str, str] | None = None, **numbers: str) -> Call:
    return Call(method="GET", path=path, numbers={"person_no": person_no, **numbers}, query=query or {})


def _write(path: str, person_no: str, *, key: str, body: bytes = b"", **numbers: str) -> Call:
    return Call(
        method="POST",
        path=path,
        numbers={"person_no": person_no, **numbers},
        body=body,
        key=key,
        kind=Kind.WRITE,
        refusals=_ANY_REFUSAL,
    )
