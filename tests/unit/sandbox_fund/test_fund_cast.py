"""The people of cast.yml are in the situations it says."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import httpx
import pytest
from caller import TODAY, Caller
from fastapi import FastAPI

from sandbox.fund.numbers import id_check_digit, luhn_digit
from sandbox.fund.rules import read

CAST: list[dict[str, Any]] = read("cast.yml")
APPLICATIONS = [one for one in CAST if "applications" in one]


@pytest.mark.parametrize("one", CAST, ids=lambda one: one["key"])
def test_numbers_have_their_check_digits_and_are_nobody_elses(one: dict[str, Any]) -> None:
    number, card = one["id_number"], one["card_number"]
    assert number[17] == id_check_digit(number[:17])
    assert card[-1] == luhn_digit(card[:-1])
    assert re.fullmatch(r"[0-9]{6}", one["password"])
    for name in ("key", "index", "id_number", "card_number"):
        assert sum(other[name] == one[name] for other in CAST) == 1


@pytest.mark.anyio
async def test_everybody_is_known_by_card_and_by_password(core: Caller) -> None:
    for key, one in core.cast.items():
        for kind, value in (("bank_card", one["card_number"]), ("query_password", one["password"])):
            body = {"id_number": one["id_number"], "factor": {"kind": kind, "value": value}}
            if not value:
                assert key == "no_card"
                continue
            response = await core.client.post("/v1/identify", json=body)
            assert response.json()["person"]["person_no"] == one["person_no"], key


@pytest.mark.anyio
async def test_a_wrong_factor_and_an_unknown_number_have_the_same_answer(core: Caller) -> None:
    one, other = core.cast["employed"], core.cast["family"]
    pairs = [
        (one["id_number"], other["card_number"]),
        (one["id_number"], "6217000000000099999"),
        ("110101199001010007", one["card_number"]),
    ]
    answers = set()
    for number, card in pairs:
        body = {"id_number": number, "factor": {"kind": "bank_card", "value": card}}
        response = await core.client.post("/v1/identify", json=body)
        answers.add((response.status_code, response.text))
    assert answers == {(200, '{"person":null}')}


@pytest.mark.anyio
async def test_the_old_form_of_an_id_number_finds_its_owner(core: Caller) -> None:
    one = core.cast["id_old"]
    old = one["id_number"][:6] + one["id_number"][8:17]
    body = {"id_number": old, "factor": {"kind": "query_password", "value": one["password"]}}
    person = (await core.client.post("/v1/identify", json=body)).json()["person"]
    assert person["id_number"] == one["id_number"]
    assert core.cast["id_x"]["id_number"].endswith("X")


@pytest.mark.anyio
async def test_accounts_are_as_told(core: Caller) -> None:
    async def accounts(who: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await core.get(who, "accounts"))["accounts"]
        return found

    assert (await accounts("flexible"))[0]["kind"] == "flexible"
    assert [one["state"] for one in await accounts("several_accounts")] == ["normal", "sealed", "closed"]
    for who, months in (("sealed_recent", 3), ("sealed_leave", 8), ("sealed_local", 8)):
        sealed_on = date.fromisoformat((await accounts(who))[0]["sealed_on"])
        assert (TODAY.year - sealed_on.year) * 12 + TODAY.month - sealed_on.month == months
    frozen = (await accounts("frozen"))[0]
    assert 0 < frozen["frozen_fen"] < frozen["balance_fen"]
    assert frozen["frozen_by"]
    assert (await accounts("no_card"))[0]["card_tail"] == ""
    assert [one["state"] for one in await accounts("closed")] == ["closed"]


@pytest.mark.anyio
async def test_people_are_as_told(core: Caller) -> None:
    async def person(who: str) -> dict[str, Any]:
        found: dict[str, Any] = (await core.get(who))["person"]
        return found

    assert (await person("family"))["marriage"] == "married"
    assert (await person("family"))["children"] == 2
    assert (await person("no_mobile"))["mobile"] == ""
    assert [len((await person(who))["clerk_of"]) for who in ("employed", "clerk_one", "clerk_two")] == [0, 1, 2]
    assert (await person("homeowner"))["homes_in_city"] == 1
    assert (await person("closed"))["homes_in_city"] is None
    assert (await person("insured_elsewhere"))["insured_elsewhere"] is True
    assert (await person("sealed_leave"))["household_city"] != (await person("sealed_local"))["household_city"]


@pytest.mark.anyio
async def test_contributions_are_as_told(core: Caller) -> None:
    gaps = (await core.get("gaps", "contributions"))["contributions"]
    assert [(one["first"], one["last"]) for one in gaps["gaps"]] == [
        ("2025-03-01", "2025-05-01"),
        ("2026-02-01", "2026-02-01"),
    ]
    assert (gaps["paid_months"], gaps["consecutive_months"]) == (32, 9)
    newcomer = (await core.get("newcomer", "contributions"))["contributions"]
    assert (newcomer["paid_months"], newcomer["gaps"]) == (3, [])
    old = (await core.get("long_ledger", "contributions"))["contributions"]
    assert (old["paid_months"], old["consecutive_months"]) == (240, 240)


@pytest.mark.anyio
async def test_loans_are_as_told(core: Caller) -> None:
    async def loan(who: str) -> dict[str, Any]:
        found: dict[str, Any] = (await core.get(who, "loans"))["loans"][0]
        return found

    level = await loan("loan_instalment")
    assert (level["method"], level["rate_percent"], level["next_rate_percent"]) == ("equal_instalment", "2.60", None)
    assert (await loan("loan_principal"))["rate_percent"] == "3.075"
    assert (await loan("loan_principal"))["monthly_withdrawal"] is True
    overdue = await loan("loan_overdue")
    lines = await core.get(
        "loan_overdue", "loans", overdue["loan_no"], "schedule", first=overdue["paid_instalments"] + 1
    )
    unpaid = lines["instalments"][:2]
    assert (overdue["state"], overdue["overdue_instalments"]) == ("overdue", 2)
    assert overdue["overdue_fen"] == sum(one["principal_fen"] + one["interest_fen"] for one in unpaid)
    assert [one["paid_on"] for one in unpaid] == [None, None]
    settled = await loan("loan_settled")
    assert (settled["state"], settled["balance_fen"], settled["next_due_on"]) == ("settled", 0, None)
    assert settled["settled_on"] == "2026-08-15"


@pytest.mark.anyio
@pytest.mark.parametrize("one", APPLICATIONS, ids=lambda one: one["key"])
async def test_applications_stand_still_in_their_state(one: dict[str, Any], core: Caller) -> None:
    told = one["applications"][0]
    found = (await core.get(one["key"], "applications"))["applications"][0]
    assert found["state"] == told["state"] == found["stages"][-1]["state"]
    assert found["business"] == told["business"]
    assert bool(found["missing"]) == (told["state"] == "supplement")
    assert bool(found["refusal"]) == (told["state"] == "refused")
    assert (found["due_on"] is None) == (told["state"] == "supplement")
    assert found["cancellable"] == (told["state"] in ("accepted", "checking", "reviewing", "supplement"))


def test_there_is_an_application_in_every_state() -> None:
    assert {one["applications"][0]["state"] for one in APPLICATIONS} == {
        *("accepted", "checking", "reviewing", "supplement", "paying", "completed", "refused", "cancelled")
    }


@pytest.mark.anyio
async def test_a_long_ledger_is_paged_without_loss(core: Caller) -> None:
    account = core.cast["long_ledger"]["accounts"][0]
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"limit": 30} | ({"cursor": cursor} if cursor else {})
        page = await core.get("long_ledger", "accounts", account, "ledger", **query)
        seen += page["entries"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(seen) == page["count"] == len({one["entry_no"] for one in seen}) > 255
    assert sum(one["amount_fen"] for one in seen) == page["in_fen"] - page["out_fen"] == seen[0]["balance_fen"]
    year = await core.get(
        "long_ledger", "accounts", account, "ledger", since="2025-01-01", until="2025-12-31", limit=100
    )
    assert year["count"] == len(year["entries"]) == 13
    assert {one["posted_on"][:4] for one in year["entries"]} == {"2025"}


@pytest.mark.anyio
async def test_nobody_sees_what_is_anothers(core: Caller) -> None:
    account, loan = core.cast["family"]["accounts"][0], core.cast["loan_overdue"]["loans"][0]
    application = core.cast["app_paying"]["applications"][0]
    for rest in (("accounts", account, "ledger"), ("loans", loan, "schedule"), ("applications", application)):
        response = await core.client.get(core.path("employed", *rest))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert (await core.cancel("employed", application)).status_code == 404


@pytest.mark.anyio
async def test_resetting_brings_the_cast_back(core: Caller) -> None:
    rent = {"first_month": "2026-10-01", "last_month": "2026-10-01", "amount_fen": "100000", "promise": "yes"}
    before = await core.get("employed", "accounts")
    number = (await core.filed("employed", "withdraw-rent", rent))["application_no"]
    await core.advance(number, "completed")
    await core.fault("error")
    assert (await core.client.post("/control/reset")).status_code == 200
    assert await core.get("employed", "accounts") == before
    assert (await core.get("employed", "applications"))["applications"] == []


@pytest.mark.anyio
async def test_control_is_for_callers_on_the_same_machine(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://fund.test") as far:
        assert (await far.get("/control/cast")).status_code == 404
        assert (await far.get("/health")).json() == {"status": "ok", "people": 434}
