"""What the contract needs of any fund core system: people in known situations, and lines to it.

People are those of sandbox/fund/cast.yml, or of the file FUND_CONTRACT_CAST names: a list with ``key``, ``id_number``,
``card_number`` and ``password`` for each of `SITUATIONS`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import yaml

from hotline.domain.clock import today
from hotline.domain.fund import (
    OPEN_STATES,
    AccountState,
    Application,
    ApplicationState,
    Contributions,
    Factor,
    FactorKind,
    Gap,
    LoanState,
    NewApplication,
    Person,
    Stage,
)
from hotline.fund.http import HttpFundSystem
from hotline.fund_system import FundSystem
from hotline.settings import FundSettings
from tests.fake_fund import (
    FakeFundSystem,
    a_ledger,
    a_loan,
    a_person,
    a_schedule,
    an_account,
    an_application,
    contributions,
)

CAST = Path(os.environ.get("FUND_CONTRACT_CAST") or Path(__file__).parents[3] / "sandbox/fund/cast.yml")
SITUATIONS = (
    "employed",
    "several_accounts",
    "long_ledger",
    "gaps",
    "loan_instalment",
    "loan_overdue",
    "loan_settled",
    "app_supplement",
    "app_paying",
    "app_refused",
    "closed",
)
BUSINESS = "withdraw-rent"


@dataclass(frozen=True, kw_only=True)
class Witness:
    """What somebody in a situation has and knows."""

    id_number: str = field(repr=False)
    card: Factor
    password: Factor


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One implementation. ``losing`` is the same system behind a line on which every answer to a write is lost;
    ``unsigned`` one that signs with a wrong secret, None where nothing is signed."""

    fund: FundSystem
    losing: FundSystem
    unsigned: FundSystem | None
    witnesses: Mapping[str, Witness]

    async def somebody(self, situation: str) -> Person:
        """The person in this situation, by his card."""
        witness = self.witnesses[situation]
        person = await self.fund.identify(id_number=witness.id_number, factor=witness.card)
        assert person is not None, f"nobody with the card of {situation}"
        return person

    async def filer(self) -> Person:
        """Somebody who may file, and has nothing open from an earlier run."""
        person = await self.somebody("employed")
        for one in await self.fund.applications(person.person_no):
            if one.business == BUSINESS and one.state in OPEN_STATES:
                await self.fund.cancel(person.person_no, one.application_no, key=new_key())
        return person


def new_key() -> str:
    return str(uuid4())


def rent(person: Person, *, fen: int = 100_000) -> NewApplication:
    """Last month's rent."""
    month = (today().replace(day=1) - timedelta(days=1)).replace(day=1).isoformat()
    return NewApplication(
        person_no=person.person_no,
        business=BUSINESS,
        fields={"first_month": month, "last_month": month, "amount_fen": str(fen), "promise": "yes"},
        confirmed_at=datetime.now(UTC),
        channel="web",
    )


def witnesses() -> dict[str, Witness]:
    return {
        raw["key"]: Witness(
            id_number=raw["id_number"],
            card=Factor(kind=FactorKind.BANK_CARD, value=raw["card_number"]),
            password=Factor(kind=FactorKind.QUERY_PASSWORD, value=raw["password"]),
        )
        for raw in yaml.safe_load(CAST.read_text(encoding="utf-8"))
        if raw["key"] in SITUATIONS
    }


class Losing(httpx.AsyncBaseTransport):
    """Delivers every request; the line breaks before the answer to a write."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if "Idempotency-Key" in request.headers:
            await response.aread()
            raise httpx.ReadError("lost", request=request)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def over_http(
    settings: FundSettings, transport: Callable[[], httpx.AsyncBaseTransport]
) -> AsyncIterator[Subject]:
    """An implementation behind HTTP."""
    wrong = settings.model_copy(update={"secret": type(settings.secret)("not the secret")})
    clients = [
        HttpFundSystem(settings, transport=transport()),
        HttpFundSystem(settings, transport=Losing(transport())),
        HttpFundSystem(wrong, transport=transport()),
    ]
    try:
        yield Subject(fund=clients[0], losing=clients[1], unsigned=clients[2], witnesses=witnesses())
    finally:
        for client in clients:
            await client.close()


def in_memory() -> Subject:
    """The fake, with the same people."""
    fake = FakeFundSystem()
    known = witnesses()
    for place, (situation, records) in enumerate(_records().items()):
        number, witness = f"P{place:06}", known[situation]
        fake.add(
            a_person(person_no=number, id_number=witness.id_number),
            cards=[witness.card.value],
            password=witness.password.value,
            **_numbered(records, number),
        )
    return Subject(fund=fake, losing=replace(fake, lose_answers=True), unsigned=None, witnesses=known)


def _records() -> dict[str, dict[str, Any]]:
    old = date(2020, 1, 5)
    plain: dict[str, Any] = {"accounts": [an_account()], "ledger": a_ledger(2_400_00, 2_400_00, -1_000_00)}
    sealed = an_account(account_no="A2", state=AccountState.SEALED, sealed_on=old)
    ended = an_account(account_no="A3", state=AccountState.CLOSED, closed_on=old, balance_fen=0)
    missed = (
        Gap(first=date(2025, 2, 1), last=date(2025, 4, 1)),
        Gap(first=date(2026, 1, 1), last=date(2026, 1, 1)),
    )
    settled = a_loan(state=LoanState.SETTLED, balance_fen=0, settled_on=old, paid_instalments=240, next_due_on=None)
    repaid = a_loan(balance_fen=600_000_00 - 41 * 2_500_00, next_principal_fen=2_500_00)
    lines = a_schedule(240, first=1, balance_fen=600_000_00, principal_fen=2_500_00)
    late = a_loan(state=LoanState.OVERDUE, overdue_instalments=2, overdue_fen=6_457_72)
    return {
        "employed": plain,
        "several_accounts": {"accounts": [ended, an_account(), sealed]},
        "long_ledger": {"accounts": [an_account()], "ledger": a_ledger(*[2_400_00] * 34, -500)},
        "gaps": plain | {"paid": contributions(paid_months=20, consecutive_months=9, gaps=missed)},
        "loan_instalment": plain | {"loans": [repaid], "schedule": lines},
        "loan_overdue": plain | {"loans": [late]},
        "loan_settled": plain | {"loans": [settled]},
        "app_supplement": plain | {"applications": [_in(ApplicationState.SUPPLEMENT, missing=("租赁合同",))]},
        "app_paying": plain | {"applications": [_in(ApplicationState.PAYING, cancellable=False)]},
        "app_refused": plain
        | {"applications": [_in(ApplicationState.REFUSED, cancellable=False, refusal="家庭在本市有住房。")]},
        "closed": {
            "accounts": [ended],
            "paid": Contributions(first=None, last=None, paid_months=0, consecutive_months=0),
        },
    }


def _in(state: ApplicationState, **changes: object) -> Application:
    before = an_application()
    stages = (*before.stages, Stage(state=state, at=before.stages[-1].at + timedelta(hours=2)))
    return replace(before, state=state, stages=stages, **changes)  # type: ignore[arg-type]


def _numbered(records: Mapping[str, Any], person_no: str) -> dict[str, Any]:
    """The records with numbers of this person's own."""
    names = {"accounts": "account_no", "loans": "loan_no", "applications": "application_no"}

    def own(kind: str, ones: Sequence[Any]) -> Sequence[Any]:
        name = names[kind]
        return [replace(one, **{name: f"{person_no}-{getattr(one, name)}"}) for one in ones]

    return {kind: own(kind, ones) if kind in names else ones for kind, ones in records.items()}
