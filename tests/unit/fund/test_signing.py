"""The signature of requests. Expected values were computed with openssl dgst."""

from __future__ import annotations

import hashlib
import hmac
import time

import httpx
import pytest

from hotline.domain.fund import CertificateKind
from hotline.fund.signing import sign
from hotline.fund_system import FundUnavailable
from hotline.settings import ROOT
from tests.unit.fund.kit import SECRET, answer, played

pytestmark = pytest.mark.anyio

TIMESTAMP, NONCE = "1795000000", "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            httpx.Request("GET", "http://core.invalid/v1/persons/P000001"),
            "54b494b30ea2e710a0310f056d438ed251f292c78967710c40c2bb5cd93388dc",
        ),
        (
            httpx.Request(
                "POST",
                "http://core.invalid/gjj/v1/persons/P%2F1/certificates?a=1&b=%E4%B8%AD",
                content=b'{"kind":"deposit"}',
            ),
            "1570cd8b55cd631e1b557606f5db4dd0dc7e343269043826a4646b97c38e2098",
        ),
    ],
    ids=["without a body", "with prefix, query and body"],
)
def test_the_signature_is_that_of_another_program(request_: httpx.Request, expected: str) -> None:
    assert sign(request_, SECRET, timestamp=TIMESTAMP, nonce=NONCE) == expected


def test_the_signature_is_that_of_the_example_in_the_contract() -> None:
    request = httpx.Request("GET", "http://core.invalid/v1/persons/100000000001/accounts")
    signed = sign(request, "embedded-fund-secret-change-me", timestamp="1795575600", nonce="0123456789abcdef")
    assert signed in (ROOT / "docs/fund-core-api.yaml").read_text(encoding="utf-8")


async def test_what_is_sent_carries_a_signature_over_itself_and_never_the_same_nonce() -> None:
    seen: list[httpx.Request] = []

    def play(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(503)

    fund = played(play)
    with pytest.raises(FundUnavailable):
        await fund.ledger("P000001", "A1", limit=5)
    await fund.healthy()
    assert [request.url.raw_path for request in seen[:2]] == [b"/gjj/v1/persons/P000001/accounts/A1/ledger?limit=5"] * 2
    for request in seen:
        headers = request.headers
        lines = (
            request.method,
            request.url.raw_path.decode(),
            headers["x-fund-timestamp"],
            headers["x-fund-nonce"],
            hashlib.sha256(request.content).hexdigest(),
        )
        expected = hmac.new(SECRET.encode(), "\n".join(lines).encode(), "sha256").hexdigest()
        assert abs(int(headers["x-fund-timestamp"]) - time.time()) < 5
        assert (headers["x-fund-client"], headers["x-fund-signature"]) == ("us", expected)
    assert len({request.headers["x-fund-nonce"] for request in seen}) == len(seen) == 3


async def test_a_refused_signature_is_an_outage_of_ours() -> None:
    fund = played(answer(401, code="signature", detail="", reference=None))
    with pytest.raises(FundUnavailable, match="signature"):
        await fund.issue_certificate("P000001", CertificateKind.DEPOSIT, key="k")
