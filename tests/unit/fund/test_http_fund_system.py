"""Which failure becomes which error, what is repeated, and what leaves for the core system."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from hotline.domain.fund import CertificateKind, Factor, FactorKind, NewApplication
from hotline.errors import ConfigError
from hotline.fund.http import HttpFundSystem
from hotline.fund_system import FundRefused, FundUnavailable, FundUnknown
from tests.fake_fund import CARD, ID_NUMBER, a_ledger, a_loan, a_person, an_account, an_application
from tests.unit.fund.kit import answer, played, refusal, settings, wire

pytestmark = pytest.mark.anyio

ME = "P000001"
ID_X = "44010619880512402X"
FACTOR = Factor(kind=FactorKind.BANK_CARD, value=CARD)
NEW = NewApplication(
    person_no=ME,
    business="withdraw-rent",
    fields={"amount_fen": "140000"},
    confirmed_at=datetime(2026, 11, 25, 2, 0, tzinfo=UTC),
    channel="wechat",
)
Ask = Callable[[HttpFundSystem], Awaitable[object]]
READS: dict[str, Ask] = {
    "person": lambda fund: fund.person(ME),
    "accounts": lambda fund: fund.accounts(ME),
    "ledger": lambda fund: fund.ledger(ME, "A000001"),
    "contributions": lambda fund: fund.contributions(ME),
    "loans": lambda fund: fund.loans(ME),
    "schedule": lambda fund: fund.schedule(ME, "L000001"),
    "applications": lambda fund: fund.applications(ME),
    "application": lambda fund: fund.application(ME, "B000001"),
    "submission": lambda fund: fund.submission(ME, key="k1"),
    "certificate": lambda fund: fund.certificate("C000001", check_code="123456"),
}
IDENTIFY: Ask = lambda fund: fund.identify(id_number=ID_NUMBER, factor=FACTOR)  # noqa: E731
WRITES: dict[str, Ask] = {
    "submit": lambda fund: fund.submit(NEW, key="k1"),
    "cancel": lambda fund: fund.cancel(ME, "B000001", key="k1"),
    "issue_certificate": lambda fund: fund.issue_certificate(ME, CertificateKind.DEPOSIT, key="k1"),
}
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
SENT = (httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)

every_read = pytest.mark.parametrize("ask", READS.values(), ids=READS)
every_write = pytest.mark.parametrize("ask", WRITES.values(), ids=WRITES)


@dataclass
class Core:
    """Plays its answers one after the other, the last one for ever; an error is raised."""

    plays: list[httpx.Response | type[httpx.TransportError]]
    seen: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
        if isinstance(play, httpx.Response):
            return play
        raise play("away", request=request)


@every_read
async def test_every_read_that_fails_is_tried_once_more(ask: Ask) -> None:
    core = Core([httpx.Response(503)])
    with pytest.raises(FundUnavailable):
        await ask(played(core))
    assert len(core.seen) == 2


@pytest.mark.parametrize("failure", [*NOT_SENT, *SENT, httpx.Response(500), httpx.Response(302)])
async def test_a_read_is_tried_once_more_whatever_failed(failure: httpx.Response | type[httpx.TransportError]) -> None:
    core = Core([failure])
    with pytest.raises(FundUnavailable):
        await played(core).person(ME)
    assert len(core.seen) == 2


async def test_a_read_whose_repetition_succeeds_is_answered() -> None:
    core = Core([httpx.ReadError, answer(person=wire(a_person()))])
    assert await played(core).person(ME) == a_person()


@pytest.mark.parametrize("failure", [*NOT_SENT, *SENT, httpx.Response(503)])
async def test_an_identification_is_never_repeated(failure: httpx.Response | type[httpx.TransportError]) -> None:
    core = Core([failure])
    with pytest.raises(FundUnavailable):
        await IDENTIFY(played(core))
    assert len(core.seen) == 1


@every_write
@pytest.mark.parametrize("failure", NOT_SENT)
async def test_a_write_that_was_not_sent_did_not_happen(ask: Ask, failure: type[httpx.TransportError]) -> None:
    core = Core([failure])
    with pytest.raises(FundUnavailable):
        await ask(played(core))
    assert len(core.seen) == 1


@every_write
@pytest.mark.parametrize("failure", [*SENT, httpx.Response(500), httpx.Response(503), httpx.Response(302)])
async def test_a_write_that_was_sent_and_not_answered_may_have_happened(
    ask: Ask, failure: httpx.Response | type[httpx.TransportError]
) -> None:
    core = Core([failure])
    with pytest.raises(FundUnknown):
        await ask(played(core))
    assert len(core.seen) == 1


@every_write
async def test_a_write_with_an_untrue_answer_may_have_happened(ask: Ask) -> None:
    with pytest.raises(FundUnknown):
        await ask(played(answer(person_no="P000002", application=wire(an_application()))))


@every_read
@pytest.mark.parametrize("lie", [answer(person_no="P000002"), httpx.Response(200, text="<html>"), httpx.Response(201)])
async def test_a_read_with_an_untrue_answer_is_an_outage(ask: Ask, lie: httpx.Response) -> None:
    with pytest.raises(FundUnavailable):
        await ask(played(lie))


@every_write
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "not_found"),
        (409, "open_application"),
        (409, "key_reused"),
        (409, "wrong_state"),
        (422, "not_eligible"),
        (422, "frozen"),
        (422, "amount_limit"),
        (422, "daily_limit"),
        (422, "no_card"),
        (422, "invalid_field"),
    ],
)
async def test_a_refused_write_says_why(ask: Ask, status: int, code: str) -> None:
    with pytest.raises(FundRefused) as refused:
        await ask(played(refusal(status, code, detail="field month", reference="B000007")))
    assert (refused.value.code, refused.value.detail, refused.value.reference) == (code, "field month", "B000007")


@every_write
@pytest.mark.parametrize(
    "response",
    [
        refusal(422, "bad_weather"),
        refusal(404, "frozen"),
        refusal(400, "malformed"),
        refusal(403, "not_eligible"),
        refusal(429, "daily_limit"),
        httpx.Response(404, text="<html>"),
        httpx.Response(422),
    ],
    ids=["unknown code", "code of another status", "400", "403", "429", "no JSON", "empty"],
)
async def test_a_refusal_outside_the_closed_list_is_an_outage(ask: Ask, response: httpx.Response) -> None:
    with pytest.raises(FundUnavailable):
        await ask(played(response))


async def test_a_read_may_be_refused_for_not_being_there_and_for_nothing_else() -> None:
    with pytest.raises(FundRefused, match="not_found"):
        await played(refusal(404, "not_found")).application(ME, "B000009")
    with pytest.raises(FundUnavailable):
        await played(refusal(422, "frozen")).accounts(ME)
    with pytest.raises(FundUnavailable):
        await IDENTIFY(played(refusal(404, "not_found")))


@pytest.mark.parametrize(
    "number", ["", ".", "..", "../../persons/P2", "B1?x=1", "B1/cancel", "B%2F1", "一号", "B-1", "B" * 33]
)
async def test_a_number_that_would_change_the_path_is_nobodys(number: str) -> None:
    core = Core([httpx.Response(500)])
    fund = played(core)
    for ask in (fund.application(ME, number), fund.cancel(ME, number, key="k1"), fund.accounts(number)):
        with pytest.raises(FundRefused, match="not_found"):
            await ask
    assert core.seen == []


@pytest.mark.parametrize(
    ("id_number", "kind", "value"),
    [
        ("", FactorKind.BANK_CARD, CARD),
        ("12329", FactorKind.BANK_CARD, CARD),
        (ID_NUMBER, FactorKind.BANK_CARD, "246813"),
        (ID_NUMBER, FactorKind.QUERY_PASSWORD, CARD),
        (ID_NUMBER, FactorKind.QUERY_PASSWORD, "密码密码密码"),
    ],
)
async def test_what_cannot_be_an_id_number_or_a_factor_is_nobodys(id_number: str, kind: FactorKind, value: str) -> None:
    core = Core([httpx.Response(500)])
    assert await played(core).identify(id_number=id_number, factor=Factor(kind=kind, value=value)) is None
    assert core.seen == []


@pytest.mark.parametrize(("number", "code"), [("", "123456"), ("C 1", "123456"), ("C1", ""), ("C1", "编号")])
async def test_what_cannot_be_a_certificate_is_none(number: str, code: str) -> None:
    core = Core([httpx.Response(500)])
    assert await played(core).certificate(number, check_code=code) is None
    assert core.seen == []


async def test_an_application_leaves_with_its_key_and_without_the_person_in_its_body() -> None:
    filed = an_application(business="withdraw-rent")
    core = Core([answer(201, person_no=ME, application=wire(filed))])
    assert await played(core).submit(NEW, key="k1") == filed
    request = core.seen[0]
    assert (request.method, request.url.path) == ("POST", "/gjj/v1/persons/P000001/applications")
    assert (request.headers["idempotency-key"], request.headers["content-type"]) == ("k1", "application/json")
    assert json.loads(request.content) == {
        "business": "withdraw-rent",
        "fields": {"amount_fen": "140000"},
        "confirmed_at": "2026-11-25T02:00:00Z",
        "channel": "wechat",
    }


async def test_secrets_of_an_identification_leave_in_the_body_alone() -> None:
    core = Core([answer(person=None)])
    assert await played(core).identify(id_number=ID_X.lower(), factor=FACTOR) is None
    request = core.seen[0]
    assert json.loads(request.content) == {"id_number": ID_X, "factor": {"kind": "bank_card", "value": CARD}}
    assert [secret for secret in (ID_X, CARD) if secret in f"{request.url} {request.headers}"] == []


async def test_a_page_is_asked_for_by_period_cursor_and_length() -> None:
    entries = [wire(entry) for entry in a_ledger(240_000, 240_000)]
    page: dict[str, Any] = {
        "account_no": "A000001",
        "entries": entries,
        "cursor": "c2",
        "count": 9,
        "in_fen": 900_000,
        "out_fen": 0,
    }
    core = Core([answer(person_no=ME, **page)])
    found = await played(core).ledger(
        ME, "A000001", since=date(2026, 1, 1), until=date(2026, 12, 31), cursor="c1", limit=2
    )
    assert (found.cursor, found.count, found.entries) == ("c2", 9, a_ledger(240_000, 240_000))
    assert dict(core.seen[0].url.params) == {
        "since": "2026-01-01",
        "until": "2026-12-31",
        "cursor": "c1",
        "limit": "2",
    }


async def test_accounts_and_loans_are_read() -> None:
    assert await played(answer(person_no=ME, accounts=[wire(an_account())])).accounts(ME) == (an_account(),)
    assert await played(answer(person_no=ME, loans=[wire(a_loan())])).loans(ME) == (a_loan(),)


async def _never(request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(30)
    raise AssertionError


@pytest.mark.parametrize(
    ("ask", "error", "least", "most"),
    [
        (READS["person"], FundUnavailable, 0.1, 0.28),
        (IDENTIFY, FundUnavailable, 0.1, 0.19),
        (WRITES["submit"], FundUnknown, 0.1, 0.19),
    ],
    ids=["read", "identify", "write"],
)
async def test_a_core_that_never_answers_costs_the_time_limit(
    ask: Ask, error: type[Exception], least: float, most: float
) -> None:
    fund = played(_never, connect_timeout_s=0.05, read_timeout_s=0.12, write_timeout_s=0.06, read_budget_s=0.25)
    started = monotonic()
    with pytest.raises(error):
        await ask(fund)
    assert least < monotonic() - started < most


async def test_a_read_is_not_repeated_when_its_budget_is_used_up() -> None:
    reached = []

    async def never(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        return await _never(request)

    with pytest.raises(FundUnavailable):
        await played(never, read_timeout_s=0.1, read_budget_s=0.15).person(ME)
    assert len(reached) == 1


@pytest.mark.parametrize(
    ("play", "healthy"),
    [(answer(), True), (answer(401), False), (answer(503), False), (httpx.ConnectError, False)],
    ids=["up", "signature refused", "down", "away"],
)
async def test_health_is_whether_the_core_answers(
    play: httpx.Response | type[httpx.TransportError], healthy: bool
) -> None:
    fund = played(Core([play]))
    assert await fund.healthy() is healthy
    await fund.close()


def test_a_certificate_without_its_key_or_file_is_an_error_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="belong together"):
        HttpFundSystem(settings(client_certificate=tmp_path / "c.pem"))
    with pytest.raises(ConfigError, match="No such file"):
        HttpFundSystem(settings(base_url="https://core.invalid", ca_bundle=tmp_path / "ca.pem"))
