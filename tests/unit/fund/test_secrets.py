"""What is personal stays out of logs and of the texts of errors, whatever the core system says."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from hotline.domain.fund import CertificateKind, Factor, FactorKind, NewApplication
from hotline.errors import HotlineError
from hotline.fund.http import HttpFundSystem
from hotline.fund_system import FundRefused
from hotline.logging import ALLOWED_KEYS
from tests.fake_fund import CARD, ID_NUMBER, a_person
from tests.unit.fund.kit import SECRET, answer, played, refusal, wire

pytestmark = pytest.mark.anyio

PERSON_NO, ACCOUNT_NO, APPLICATION_NO, KEY = "P777123", "A777456", "B777789", "key-777000"
NAME, MOBILE = "欧阳明月", "13900007777"
PERSONAL = (ID_NUMBER, CARD, PERSON_NO, ACCOUNT_NO, APPLICATION_NO, KEY, NAME, MOBILE, SECRET)
EVERYTHING = " ".join(PERSONAL)
SOMEBODY = wire(a_person(person_no="P777124", name=NAME, mobile=MOBILE))
ASKS: Sequence[Callable[[HttpFundSystem], Awaitable[object]]] = (
    lambda fund: fund.identify(id_number=ID_NUMBER, factor=Factor(kind=FactorKind.BANK_CARD, value=CARD)),
    lambda fund: fund.person(PERSON_NO),
    lambda fund: fund.ledger(PERSON_NO, ACCOUNT_NO),
    lambda fund: fund.application(PERSON_NO, APPLICATION_NO),
    lambda fund: fund.submission(PERSON_NO, key=KEY),
    lambda fund: fund.cancel(PERSON_NO, APPLICATION_NO, key=KEY),
    lambda fund: fund.issue_certificate(PERSON_NO, CertificateKind.DEPOSIT, key=KEY),
    lambda fund: fund.submit(
        NewApplication(
            person_no=PERSON_NO,
            business="withdraw-rent",
            fields={"card": CARD},
            confirmed_at=datetime(2026, 11, 25, tzinfo=UTC),
            channel="web",
        ),
        key=KEY,
    ),
)


def _quoting(request: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError(f"illegal status line: {EVERYTHING}", request=request)


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    "play",
    [
        _quoting,
        answer(500, detail=EVERYTHING),
        answer(401, code="signature", detail=EVERYTHING),
        refusal(400, "malformed", detail=EVERYTHING),
        httpx.Response(200, text=EVERYTHING),
        answer(person_no=EVERYTHING[:60], person=SOMEBODY | {"id_number": "44010619880512402X"}),
        answer(person_no=PERSON_NO, person=SOMEBODY | {"birth_on": ID_NUMBER, "sex": NAME, "children": CARD}),
    ],
    ids=["transport", "500", "401", "400", "no JSON", "somebody else", "wrong types"],
)
async def test_nothing_personal_is_told(ask: Callable[[HttpFundSystem], Awaitable[object]], play: Any) -> None:
    with capture_logs() as logs, pytest.raises(HotlineError) as told:
        await ask(played(play))
    texts = str(logs) + "".join(traceback.format_exception(told.value)) + repr(told.value)
    assert [secret for secret in PERSONAL if secret in texts] == []
    assert "fund.call" in {entry["event"] for entry in logs}


async def test_a_detail_that_breaks_the_contract_loses_its_numbers() -> None:
    detail = f"{ID_NUMBER} {CARD} {MOBILE} account 4401060000012345: amount above limit"
    with pytest.raises(FundRefused) as refused:
        await played(refusal(422, "amount_limit", detail=detail)).issue_certificate(
            PERSON_NO, CertificateKind.DEPOSIT, key=KEY
        )
    assert str(refused.value) == "amount_limit: *** *** *** account ***: amount above limit"


async def test_a_lie_and_a_refused_signature_are_logged_as_errors() -> None:
    with capture_logs() as logs, pytest.raises(HotlineError):
        await played(answer(person=SOMEBODY)).person(PERSON_NO)
    assert [(e["event"], e["path"], e["reason"]) for e in logs if e["log_level"] == "error"] == [
        ("fund.answer.untrue", "/v1/persons/{person_no}", "another person")
    ]
    with capture_logs() as logs, pytest.raises(HotlineError):
        await played(answer(401)).person(PERSON_NO)
    assert [e["event"] for e in logs if e["log_level"] == "error"] == ["fund.signature.refused"]


async def test_every_attempt_is_logged_by_its_template_status_and_time() -> None:
    plays = iter([httpx.Response(503), answer(certificate=None)])
    with capture_logs() as logs:
        await played(lambda request: next(plays)).certificate("C1", check_code="1")  # 503, then no certificate
    calls = [entry for entry in logs if entry["event"] == "fund.call"]
    assert [(call["kind"], call["path"], call["status"]) for call in calls] == [
        ("POST", "/v1/certificates/verify", 503),
        ("POST", "/v1/certificates/verify", 200),
    ]
    assert all(call["ms"] >= 0 and set(call) - {"log_level"} <= ALLOWED_KEYS for call in calls)
