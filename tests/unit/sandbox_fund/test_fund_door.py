"""Signatures, malformed requests and troubles on demand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from caller import RENT, Caller, sign

from sandbox.fund.answers import Refused
from sandbox.fund.signing import LIFETIME_S, Signatures

pytestmark = pytest.mark.anyio


async def send(core: Caller, request: httpx.Request) -> httpx.Response:
    return await core.client.send(request, auth=None)


def asking(core: Caller, *, query: str = "") -> httpx.Request:
    return httpx.Request("GET", f"http://fund.test{core.path('employed', 'accounts')}{query}")


async def test_a_signed_request_is_answered_once(core: Caller) -> None:
    request = asking(core)
    sign(request)
    assert (await send(core, request)).status_code == 200
    again = await send(core, request)
    assert (again.status_code, again.json()) == (401, {"code": "unauthorized", "detail": "nonce", "reference": ""})


@pytest.mark.parametrize("header", ["X-Fund-Client", "X-Fund-Timestamp", "X-Fund-Nonce", "X-Fund-Signature"])
@pytest.mark.parametrize("change", ["gone", "other"])
async def test_every_header_is_needed_as_it_was_signed(core: Caller, header: str, change: str) -> None:
    request = asking(core)
    sign(request)
    if change == "gone":
        del request.headers[header]
    else:
        others = {"X-Fund-Timestamp": str(int(time.time()) - 1), "X-Fund-Nonce": "0" * 16}
        request.headers[header] = others.get(header, "somebody-else")
    assert (await send(core, request)).status_code == 401


@pytest.mark.parametrize(("age", "status"), [(290, 200), (310, 401), (-290, 200), (-310, 401)])
async def test_a_request_is_fresh_for_five_minutes(core: Caller, age: int, status: int) -> None:
    request = asking(core)
    sign(request, at=time.time() - age)
    assert (await send(core, request)).status_code == status


@pytest.mark.parametrize("nonce", ["short", "x" * 65, "0123456789abcde!"])
async def test_a_nonce_has_its_form(core: Caller, nonce: str) -> None:
    request = asking(core)
    sign(request, nonce=nonce)
    assert (await send(core, request)).status_code == 401


async def test_a_wrong_secret_another_path_query_or_body_is_refused(core: Caller) -> None:
    wrong = asking(core)
    sign(wrong, secret="something else")
    signed = asking(core)
    sign(signed)
    path = httpx.Request("GET", f"http://fund.test{core.path('family', 'accounts')}", headers=signed.headers)
    query = httpx.Request("GET", f"{signed.url}?limit=1", headers=signed.headers)
    body = httpx.Request("GET", signed.url, headers=signed.headers, content=b"{}")
    for request in (wrong, path, query, body):
        assert (await send(core, request)).status_code == 401


def test_the_signature_of_the_contracts_example_is_right() -> None:
    contract = (Path(__file__).parents[3] / "docs/fund-core-api.yaml").read_text(encoding="utf-8")
    request = httpx.Request("GET", "http://fund.test/v1/persons/100000000001/accounts")
    sign(request, at=1_795_575_600, nonce="0123456789abcdef")
    assert request.headers["X-Fund-Signature"] in contract


def test_nonces_are_forgotten_when_their_request_is_old() -> None:
    now = 1_000_000.0
    signatures = Signatures("hotline", "secret", now=lambda: now)
    for place in range(100):
        now += LIFETIME_S / 10
        request = httpx.Request("GET", "http://fund.test/v1/x")
        sign(request, secret="secret", at=now, nonce=f"nonce-nonce-{place:04d}")
        signatures.check("GET", "/v1/x", request.headers, b"")
        with pytest.raises(Refused):
            signatures.check("GET", "/v1/x", request.headers, b"")
    assert len(signatures._seen) <= 21


MALFORMED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "?what=1", {}),
    ("GET", "/accounts?limit=1", {}),
    ("GET", "/accounts/200000000010/ledger?limit=101", {}),
    ("GET", "/accounts/200000000010/ledger?limit=0", {}),
    ("GET", "/accounts/200000000010/ledger?limit=1.0", {}),
    ("GET", "/accounts/200000000010/ledger?since=2026-13-01", {}),
    ("GET", "/accounts/200000000010/ledger?since=20260101", {}),
    ("GET", "/accounts/200000000010/ledger?cursor=x", {}),
    ("GET", "/loans/DK1/schedule?first=0", {}),
    ("GET", "/submissions/%20", {}),
    ("POST", "/applications", {"json": {}}),
    ("POST", "/applications", {"content": b"\xff"}),
    ("POST", "/applications", {"content": b"[" * 2000}),
    ("POST", "/certificates", {"json": {"kind": "deposit"}}),
    ("POST", "/certificates", {"json": {"kind": "other"}, "headers": {"Idempotency-Key": "k"}}),
    ("POST", "/certificates", {"json": {"kind": "deposit", "more": 1}, "headers": {"Idempotency-Key": "k"}}),
    ("POST", "/certificates", {"json": {"kind": "deposit"}, "headers": {"Idempotency-Key": "k" * 65}}),
    ("POST", "/certificates", {"content": b" " * 70_000, "headers": {"Idempotency-Key": "k"}}),
]


@pytest.mark.parametrize(("method", "rest", "more"), MALFORMED)
async def test_what_has_not_its_form_is_a_bad_request(
    core: Caller, method: str, rest: str, more: dict[str, Any]
) -> None:
    response = await core.client.request(method, core.path("employed") + rest, **more)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("extra", [{}, {"fields": {"promise": 1}}, {"confirmed_at": "2026-11-25 03:00:00"}, {"x": 1}])
async def test_an_application_without_its_form_is_a_bad_request(core: Caller, extra: dict[str, Any]) -> None:
    body = {"business": "withdraw-retire", "fields": {"promise": "yes"}, "channel": "web"} | extra
    headers = {"Idempotency-Key": "k"}
    response = await core.client.post(core.path("employed", "applications"), json=body, headers=headers)
    assert response.status_code == 400


async def test_unknown_paths_and_methods_have_errors_of_the_same_form(core: Caller) -> None:
    nowhere = await core.client.get("/v1/nowhere")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    deleted = await core.client.delete(core.path("employed"))
    assert (deleted.status_code, deleted.json()["code"], deleted.headers["allow"]) == (405, "method_not_allowed", "GET")


async def test_errors_come_as_often_as_planned_and_where_planned(core: Caller) -> None:
    await core.fault("error", paths="/accounts$", times=2)
    statuses = [(await core.client.get(core.path("employed", rest))).status_code for rest in ("loans",)]
    statuses += [(await core.client.get(core.path("employed", "accounts"))).status_code for _ in range(3)]
    assert statuses == [200, 503, 503, 200]
    await core.fault("error")
    assert (await core.client.get(core.path("employed"))).json()["code"] == "unavailable"
    assert (await core.client.get("/health")).status_code == 200
    await core.fault("none")
    assert (await core.client.get(core.path("employed"))).status_code == 200


async def test_a_slow_answer_is_slow_and_right(core: Caller) -> None:
    await core.fault("slow", seconds=0.2, times=1)
    began = time.monotonic()
    assert (await core.get("employed"))["person"]["person_no"] == core.cast["employed"]["person_no"]
    assert time.monotonic() - began >= 0.2


async def test_an_answer_dropped_after_a_write_leaves_what_was_written(core: Caller) -> None:
    await core.fault("drop_after_write", times=1)
    assert (await core.client.get(core.path("employed", "accounts"))).status_code == 200, "reads are not meant"
    at = "2026-11-20T03:00:00Z"
    with pytest.raises(ConnectionAbortedError):
        await core.submit("employed", "withdraw-rent", RENT, key="k-1", confirmed=at)
    found = (await core.get("employed", "submissions", "k-1"))["application"]
    again = await core.submit("employed", "withdraw-rent", RENT, key="k-1", confirmed=at)
    assert (again.status_code, again.json()["application"]["application_no"]) == (200, found["application_no"])


async def test_a_request_that_hangs_does_nothing(core: Caller) -> None:
    await core.fault("hang", seconds=0.05, times=1)
    with pytest.raises(ConnectionAbortedError):
        await core.submit("employed", "withdraw-rent", RENT, key="k-1")
    assert (await core.get("employed", "submissions", "k-1"))["application"] is None


@pytest.mark.parametrize("what", ["person", "type", "missing", "word"])
async def test_a_wrong_answer_is_wrong_in_the_way_asked_for(core: Caller, what: str) -> None:
    right = await core.get("employed", "accounts")
    await core.fault("wrong", what=what, times=1)
    wrong = await core.get("employed", "accounts")
    assert wrong != right
    account = wrong["accounts"][0]
    assert (wrong["person_no"] != right["person_no"]) == (what == "person")
    assert any(isinstance(account[name], str) for name in account if name.endswith("_fen")) == (what == "type")
    assert (account.keys() != right["accounts"][0].keys()) == (what == "missing")
    assert (account.get("kind") == "unheard-of") == (what == "word")


async def test_wrong_answers_take_turns(core: Caller) -> None:
    await core.fault("wrong")
    told = [(await core.client.get(core.path("employed"))).text for _ in range(4)]
    await core.fault("none")
    assert len({*told, (await core.client.get(core.path("employed"))).text}) >= 4


async def test_nonsense_for_a_fault_is_refused(core: Caller) -> None:
    for form in ({"mode": "explode"}, {"mode": "slow", "seconds": -1}, {"mode": "error", "paths": "("}):
        assert (await core.client.post("/control/faults", json=form)).status_code == 400
