"""Bytes of the core system to records, checked against what was asked for.

An answer can be about somebody else, or contradict itself. Nothing of such an answer is used: the functions that read
raise `Untrue`, whose text names fields and rules, never values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hotline.domain.fund import (
    Account,
    Application,
    Certificate,
    CertificateKind,
    Contributions,
    Instalment,
    LedgerPage,
    Loan,
    NewApplication,
    Person,
)
from hotline.fund.wire import (
    CONTRADICTION,
    AccountWire,
    ApplicationWire,
    CertificateWire,
    ContributionsWire,
    Count,
    Cursor,
    Fen,
    InstalmentWire,
    LedgerEntryWire,
    LoanWire,
    Number,
    PersonWire,
    Wire,
    ordered,
)

MOST_APPLICATIONS = 50


class Untrue(Exception):
    """The answer is not what the contract says, or cannot be true."""


class _Refusal(Wire):
    code: str
    detail: str = ""
    reference: str | None = None


class _Identified(Wire):
    person: PersonWire | None


class _Person(Wire):
    person: PersonWire


class _Echo(Wire):
    """Who the answer is about, said again by the core system."""

    person_no: Number


class _Accounts(_Echo):
    accounts: tuple[AccountWire, ...]


class _Ledger(_Echo):
    account_no: Number
    entries: tuple[LedgerEntryWire, ...]
    cursor: Cursor | None
    count: Count
    in_fen: Fen
    out_fen: Fen


class _Contributions(_Echo):
    contributions: ContributionsWire


class _Loans(_Echo):
    loans: tuple[LoanWire, ...]


class _Schedule(_Echo):
    loan_no: Number
    instalments: tuple[InstalmentWire, ...]


class _Applications(_Echo):
    applications: tuple[ApplicationWire, ...]


class _Application(_Echo):
    application: ApplicationWire


class _Submission(_Echo):
    application: ApplicationWire | None


class _Issued(_Echo):
    certificate: CertificateWire


class _Verified(Wire):
    certificate: CertificateWire | None


_Answer = TypeVar("_Answer", bound=Wire)
_Told = TypeVar("_Told", bound=_Echo)


def identified(body: bytes, *, id_number: str) -> Person | None:
    """The person whose ID number was asked about, or nobody."""
    person = _read(_Identified, body).person
    if person is None:
        return None
    _require(id_number in (person.id_number, _old_form(person.id_number)), "another ID number")
    return person.domain()


def _old_form(id_number: str) -> str:
    """The 15 digits the number had before 1 October 1999: without the century and the check digit (GB 11643-1999)."""
    return id_number[:6] + id_number[8:17]


def person(body: bytes, person_no: str) -> Person:
    """The person with this number."""
    found = _read(_Person, body).person
    _require(found.person_no == person_no, "another person")
    return found.domain()


def accounts(body: bytes, person_no: str) -> tuple[Account, ...]:
    """Each account once."""
    found = _told(_Accounts, body, person_no).accounts
    _require_once([one.account_no for one in found])
    return tuple(one.domain() for one in found)


def ledger(body: bytes, person_no: str, account_no: str, *, query: Mapping[str, str]) -> LedgerPage:
    """A page whose postings add up, within the period and of at most the length asked for."""
    page = _told(_Ledger, body, person_no)
    _require(page.account_no == account_no, "another account")
    _require(len(page.entries) <= int(query["limit"]), "a longer page")
    _require_once([entry.entry_no for entry in page.entries])
    days = [entry.posted_on for entry in reversed(page.entries)]
    _require(ordered(days), "postings are told newest first")
    since, until = (query.get(name) for name in ("since", "until"))
    _require(not since or not days or days[0] >= date.fromisoformat(since), "a posting before the period")
    _require(not until or not days or days[-1] <= date.fromisoformat(until), "a posting after the period")
    for newer, older in pairwise(page.entries):
        _require(newer.balance_fen - newer.amount_fen == older.balance_fen, "balances that do not follow")
    _require_sums(page, first="cursor" not in query)
    return LedgerPage(
        entries=tuple(entry.domain() for entry in page.entries),
        cursor=page.cursor,
        count=page.count,
        in_fen=page.in_fen,
        out_fen=page.out_fen,
    )


def _require_sums(page: _Ledger, *, first: bool) -> None:
    amounts = [entry.amount_fen for entry in page.entries]
    of_page = (len(amounts), sum(a for a in amounts if a > 0), -sum(a for a in amounts if a < 0))
    of_all = (page.count, page.in_fen, page.out_fen)
    _require(all(part <= whole for part, whole in zip(of_page, of_all, strict=True)), "a page with more than there is")
    if first and page.cursor is None:
        _require(of_page == of_all, "sums that are not those of the postings")


def contributions(body: bytes, person_no: str) -> Contributions:
    return _told(_Contributions, body, person_no).contributions.domain()


def loans(body: bytes, person_no: str) -> tuple[Loan, ...]:
    """Each loan once."""
    found = _told(_Loans, body, person_no).loans
    _require_once([one.loan_no for one in found])
    return tuple(one.domain() for one in found)


def schedule(body: bytes, person_no: str, loan_no: str, *, first: int, limit: int) -> tuple[Instalment, ...]:
    """Consecutive instalments from ``first`` on. Between two of them more may have been repaid, never less."""
    answer = _told(_Schedule, body, person_no)
    lines = answer.instalments
    _require(answer.loan_no == loan_no, "another loan")
    _require(len(lines) <= limit, "a longer page")
    _require([line.number for line in lines] == list(range(first, first + len(lines))), "other instalments")
    _require(ordered(line.due_on for line in lines), "days that do not follow")
    for before, after in pairwise(lines):
        _require(after.balance_fen <= before.balance_fen - after.principal_fen, "balances that do not follow")
    return tuple(line.domain() for line in lines)


def applications(body: bytes, person_no: str) -> tuple[Application, ...]:
    """Each application once."""
    found = _told(_Applications, body, person_no).applications
    _require_once([one.application_no for one in found])
    _require(len(found) <= MOST_APPLICATIONS, "a longer list")
    return tuple(one.domain() for one in found)


def application(body: bytes, person_no: str, application_no: str) -> Application:
    """The application with this number."""
    found = _told(_Application, body, person_no).application
    _require(found.application_no == application_no, "another application")
    return found.domain()


def filed(body: bytes, new: NewApplication) -> Application:
    """An application of the business that was filed."""
    found = _told(_Application, body, new.person_no).application
    _require(found.business == new.business, "another business")
    return found.domain()


def submission(body: bytes, person_no: str) -> Application | None:
    found = _told(_Submission, body, person_no).application
    return found.domain() if found else None


def issued(body: bytes, person_no: str, kind: CertificateKind) -> Certificate:
    """A certificate of the kind asked for."""
    found = _told(_Issued, body, person_no).certificate
    _require(found.kind is kind, "another kind")
    return found.domain()


def verified(body: bytes, number: str, *, check_code: str) -> Certificate | None:
    """The certificate with this number and check code, or none."""
    found = _read(_Verified, body).certificate
    if found is None:
        return None
    _require((found.number, found.check_code) == (number, check_code), "another certificate")
    return found.domain()


def refusal(body: bytes) -> tuple[str, str, str]:
    """Code, detail and reference of an error."""
    found = _read(_Refusal, body)
    return found.code, found.detail, found.reference or ""


def filing(new: NewApplication) -> bytes:
    """The body of an application. Raises ValueError for a naive ``confirmed_at``."""
    return to_json(
        {
            "business": new.business,
            "fields": dict(new.fields),
            "confirmed_at": moment(new.confirmed_at),
            "channel": new.channel,
        }
    )


def moment(value: datetime) -> str:
    """ISO, UTC, with Z. Raises ValueError for a naive time."""
    if value.tzinfo is None:
        raise ValueError("a time without its zone")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _told(model: type[_Told], body: bytes, person_no: str) -> _Told:
    answer = _read(model, body)
    _require(answer.person_no == person_no, "another person")
    return answer


def _read(model: type[_Answer], body: bytes) -> _Answer:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    raise Untrue("; ".join(_named(one) for one in problems[:3]))


def _named(problem: ErrorDetails) -> str:
    what = problem["msg"] if problem["type"] == CONTRADICTION else problem["type"]
    return f"{'.'.join(map(str, problem['loc']))} {what}".strip()


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Untrue(what)


def _require_once(numbers: list[str]) -> None:
    _require(len(numbers) == len(set(numbers)), "one record twice")
