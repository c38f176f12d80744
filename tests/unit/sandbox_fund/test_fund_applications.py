"""Filing, moving, paying, cancelling: each once, and only by whom it may be done."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from caller import RENT, TODAY, Caller, Wall
from fastapi import FastAPI

from sandbox.fund.calendar import is_workday, workdays_after
from sandbox.fund.ledger import accrued_fen
from sandbox.fund.rules import rules, wording

pytestmark = pytest.mark.anyio
PREPAY = {"kind": "partial", "amount_fen": "10000000", "on": "2026-12-01", "keep": "term"}
MAKEUP = {
    "first_month": "2026-09-01",
    "last_month": "2026-10-01",
    "people": "3",
    "amount_fen": "480000",
    "reason": "late payroll",
}


async def balance(core: Caller, who: str) -> int:
    return sum(one["balance_fen"] for one in (await core.get(who, "accounts"))["accounts"])


async def state_of(core: Caller, who: str, number: str) -> str:
    found: str = (await core.get(who, "applications", number))["application"]["state"]
    return found


async def test_an_application_moves_through_its_states_and_pays_once(core: Caller, wall: Wall) -> None:
    before = await balance(core, "employed")
    number = (await core.filed("employed", "withdraw-rent", RENT))["application_no"]
    seen = []
    for seconds in (0, 2, 2, 30, 30, 300):
        wall.pass_by(seconds)
        seen.append(await state_of(core, "employed", number))
    assert seen == ["accepted", "checking", "reviewing", "paying", "completed", "completed"]
    found = (await core.get("employed", "applications", number))["application"]
    times = [datetime.fromisoformat(one["at"]) for one in found["stages"]]
    assert [(later - times[0]).total_seconds() for later in times] == [0, 2, 4, 34, 64]
    assert not found["cancellable"]
    assert await balance(core, "employed") == before - 350_000
    ledger = await core.get("employed", "accounts", core.cast["employed"]["accounts"][0], "ledger", limit=1)
    newest = ledger["entries"][0]
    assert (newest["kind"], newest["amount_fen"]) == ("withdraw", -350_000)
    assert newest["posted_on"] == TODAY.isoformat()


async def test_after_a_long_time_all_steps_have_happened_in_order(core: Caller, wall: Wall) -> None:
    number = (await core.filed("employed", "withdraw-rent", RENT))["application_no"]
    wall.pass_by(3600)
    found = (await core.get("employed", "applications", number))["application"]
    assert [one["state"] for one in found["stages"]] == ["accepted", "checking", "reviewing", "paying", "completed"]


@pytest.mark.parametrize(
    ("who", "business", "fields", "reason"),
    [
        ("homeowner", "withdraw-rent", RENT, "home_in_city"),
        ("insured_elsewhere", "withdraw-leave", {"left_on": "2026-03-20", "promise": "yes"}, "insured_elsewhere"),
        ("loan_overdue", "withdraw-rent", RENT, "loan_overdue"),
    ],
)
async def test_a_check_that_fails_refuses_with_its_reason(
    core: Caller, wall: Wall, who: str, business: str, fields: dict[str, str], reason: str
) -> None:
    before = await balance(core, who)
    number = (await core.filed(who, business, fields))["application_no"]
    wall.pass_by(600)
    found = (await core.get(who, "applications", number))["application"]
    assert (found["state"], found["refusal"]) == ("refused", wording()["refusals"][reason])
    assert await balance(core, who) == before


async def test_leaving_pays_the_whole_balance_with_its_interest_and_closes_the_account(
    core: Caller, wall: Wall
) -> None:
    account = (await core.get("sealed_leave", "accounts"))["accounts"][0]
    fields = {"left_on": "2026-03-20", "promise": "yes"}
    filed = await core.filed("sealed_leave", "withdraw-leave", fields)
    since = date(2026, 6, 30)
    interest = accrued_fen([(since, account["balance_fen"])], since=since, until=TODAY, rules=rules())
    assert interest > 0
    assert filed["amount_fen"] == account["balance_fen"] + interest
    wall.pass_by(600)
    closed = (await core.get("sealed_leave", "accounts"))["accounts"][0]
    assert (closed["state"], closed["closed_on"], closed["balance_fen"]) == ("closed", TODAY.isoformat(), 0)
    page = await core.get("sealed_leave", "accounts", account["account_no"], "ledger", limit=2)
    assert [(one["kind"], one["amount_fen"]) for one in page["entries"]] == [
        ("withdraw", -filed["amount_fen"]),
        ("interest", interest),
    ]


async def test_retiring_closes_every_account(core: Caller, wall: Wall) -> None:
    await core.filed("retired", "withdraw-retire", {"promise": "yes"})
    wall.pass_by(600)
    assert {one["state"] for one in (await core.get("retired", "accounts"))["accounts"]} == {"closed"}
    assert await balance(core, "retired") == 0


async def test_a_transfer_arrives_in_the_account(core: Caller, wall: Wall) -> None:
    before = await balance(core, "employed")
    filed = await core.filed("employed", "transfer-other-city", {"from_city": "Wuhan", "from_unit_name": "Works"})
    assert filed["amount_fen"] is None
    wall.pass_by(600)
    found = (await core.get("employed", "applications", filed["application_no"]))["application"]
    assert await balance(core, "employed") == before + found["amount_fen"]


async def test_prepaying_lowers_what_is_owed_and_in_full_settles_the_loan(core: Caller, wall: Wall) -> None:
    who = "loan_instalment"
    loan = (await core.get(who, "loans"))["loans"][0]
    await core.filed(who, "loan-prepay", PREPAY | {"loan_no": loan["loan_no"]})
    wall.pass_by(600)
    after = (await core.get(who, "loans"))["loans"][0]
    assert after["balance_fen"] == loan["balance_fen"] - 10_000_000
    assert (
        after["next_principal_fen"] + after["next_interest_fen"]
        < loan["next_principal_fen"] + loan["next_interest_fen"]
    )
    full = await core.filed(who, "loan-prepay", {"loan_no": loan["loan_no"], "kind": "full", "on": "2026-11-25"})
    assert full["amount_fen"] == after["balance_fen"]
    wall.pass_by(600)
    settled = (await core.get(who, "loans"))["loans"][0]
    assert (settled["state"], settled["settled_on"]) == ("settled", TODAY.isoformat())


@pytest.mark.parametrize(("people", "state"), [("3", "supplement"), ("1", "completed")])
async def test_a_makeup_for_several_waits_for_the_list(core: Caller, wall: Wall, people: str, state: str) -> None:
    unit = (await core.get("clerk_two"))["person"]["clerk_of"][1]["unit_no"]
    filed = await core.filed("clerk_two", "contribute-makeup", MAKEUP | {"unit_no": unit, "people": people})
    wall.pass_by(3600)
    found = (await core.get("clerk_two", "applications", filed["application_no"]))["application"]
    assert found["state"] == state
    assert bool(found["missing"]) == (state == "supplement")
    assert (found["due_on"] is None) == (state == "supplement")


REFUSED = [
    ("near_retirement", "withdraw-retire", {"promise": "yes"}, "not_eligible"),
    ("closed", "withdraw-retire", {"promise": "yes"}, "not_eligible"),
    ("sealed_recent", "withdraw-leave", {"left_on": "2026-08-20", "promise": "yes"}, "not_eligible"),
    ("sealed_local", "withdraw-leave", {"left_on": "2026-03-20", "promise": "yes"}, "not_eligible"),
    ("employed", "withdraw-leave", {"left_on": "2026-03-20", "promise": "yes"}, "not_eligible"),
    ("sealed_leave", "withdraw-leave", {"left_on": "2026-12-20", "promise": "yes"}, "invalid_field"),
    ("employed", "withdraw-rent", RENT | {"amount_fen": "400001"}, "amount_limit"),
    ("newcomer", "withdraw-rent", RENT | {"first_month": "2026-01-01", "amount_fen": "1900000"}, "amount_limit"),
    ("employed", "withdraw-rent", RENT | {"last_month": "2026-12-01"}, "invalid_field"),
    ("employed", "withdraw-rent", RENT | {"first_month": "2026-11-01"}, "invalid_field"),
    ("employed", "withdraw-rent", RENT | {"first_month": "2026-09-02"}, "invalid_field"),
    ("employed", "withdraw-rent", RENT | {"promise": "no"}, "invalid_field"),
    ("employed", "withdraw-rent", RENT | {"extra": "1"}, "invalid_field"),
    ("employed", "withdraw-lottery", RENT, "invalid_field"),
    ("app_completed", "withdraw-rent", RENT | {"first_month": "2026-08-01"}, "not_eligible"),
    ("sealed_recent", "withdraw-rent", RENT, "not_eligible"),
    ("no_card", "withdraw-rent", RENT, "no_card"),
    ("frozen", "withdraw-rent", RENT | {"first_month": "2023-08-01", "amount_fen": "5500000"}, "frozen"),
    ("newcomer", "transfer-other-city", {"from_city": "Wuhan", "from_unit_name": "Works"}, "not_eligible"),
    ("loan_overdue", "loan-prepay", PREPAY, "not_eligible"),
    ("loan_settled", "loan-prepay", PREPAY, "not_eligible"),
    ("loan_instalment", "loan-prepay", PREPAY | {"amount_fen": "999999"}, "amount_limit"),
    ("loan_instalment", "loan-prepay", PREPAY | {"amount_fen": "70000000"}, "amount_limit"),
    ("loan_instalment", "loan-prepay", PREPAY | {"on": "2026-11-24"}, "invalid_field"),
    ("loan_instalment", "loan-prepay", PREPAY | {"on": "2027-01-24"}, "invalid_field"),
    ("loan_instalment", "loan-prepay", {"kind": "partial", "on": "2026-12-01"}, "invalid_field"),
    ("employed", "contribute-makeup", MAKEUP, "not_eligible"),
    ("clerk_one", "contribute-makeup", MAKEUP | {"unit_no": "300000000004"}, "not_eligible"),
]


@pytest.mark.parametrize(("who", "business", "fields", "code"), REFUSED)
async def test_what_the_rules_do_not_allow_is_refused_at_once(
    core: Caller, who: str, business: str, fields: dict[str, str], code: str
) -> None:
    loans = core.cast[who]["loans"]
    own = {"loan-prepay": {"loan_no": loans[0]} if loans else {}, "contribute-makeup": {"unit_no": "300000000006"}}
    response = await core.submit(who, business, own.get(business, {}) | fields)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert (await core.get(who, "applications"))["applications"] == [] or who == "app_completed"


async def test_the_name_of_a_wrong_field_is_told_but_nothing_that_was_in_it(core: Caller) -> None:
    response = await core.submit("employed", "withdraw-rent", RENT | {"amount_fen": "430102199603120028"})
    assert response.json() == {"code": "invalid_field", "detail": "amount_fen", "reference": ""}
    response = await core.submit("employed", "withdraw-rent", RENT | {"430102199603120028": "1"})
    assert response.json()["detail"] == "fields"


async def test_a_confirmation_from_the_future_is_refused(core: Caller) -> None:
    later = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    response = await core.submit("employed", "withdraw-rent", RENT, confirmed=later)
    assert response.json() == {"code": "invalid_field", "detail": "confirmed_at", "reference": ""}


async def test_the_same_business_is_open_once_and_the_open_one_is_named(core: Caller) -> None:
    first = await core.filed("employed", "withdraw-rent", RENT)
    second = await core.submit("employed", "withdraw-rent", RENT)
    assert second.status_code == 409
    assert second.json() == {
        "code": "open_application",
        "detail": "withdraw-rent",
        "reference": first["application_no"],
    }
    other = await core.submit("employed", "transfer-other-city", {"from_city": "Wuhan", "from_unit_name": "Works"})
    assert other.status_code == 201


async def test_a_repeated_key_gives_the_same_application(core: Caller) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answers = [await core.submit("employed", "withdraw-rent", RENT, key="k-1", confirmed=at) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert len({one.json()["application"]["application_no"] for one in answers}) == 1
    found = (await core.get("employed", "submissions", "k-1"))["application"]
    assert found == answers[0].json()["application"]
    assert (await core.get("employed", "submissions", "k-2"))["application"] is None
    assert (await core.get("family", "submissions", "k-1"))["application"] is None


async def test_ten_submits_of_one_key_at_the_same_time_file_once(core: Caller) -> None:
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    answers = await asyncio.gather(
        *(core.submit("employed", "withdraw-rent", RENT, key="k-1", confirmed=at) for _ in range(10))
    )
    assert sorted(one.status_code for one in answers) == [200] * 9 + [201]
    assert len((await core.get("employed", "applications"))["applications"]) == 1


async def test_a_key_used_for_something_else_is_refused(core: Caller) -> None:
    filed = (await core.submit("employed", "withdraw-rent", RENT, key="k-1")).json()["application"]
    other = await core.submit("employed", "withdraw-rent", RENT | {"amount_fen": "100000"}, key="k-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    cancelled = await core.cancel("employed", filed["application_no"], key="k-1")
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "key_reused")
    assert (await core.submit("family", "withdraw-rent", RENT, key="k-1")).status_code == 201


async def test_a_refused_write_leaves_its_key_free(core: Caller) -> None:
    assert (
        await core.submit("employed", "withdraw-rent", RENT | {"amount_fen": "999999999"}, key="k")
    ).status_code == 422
    assert (await core.submit("employed", "withdraw-rent", RENT, key="k")).status_code == 201


async def test_cancelling_works_until_it_is_paid_and_frees_the_business(core: Caller, wall: Wall) -> None:
    filed = await core.filed("employed", "withdraw-rent", RENT)
    for expected in (200, 200):
        answer = await core.cancel("employed", filed["application_no"], key="c-1")
        assert (answer.status_code, answer.json()["application"]["state"]) == (expected, "cancelled")
    wall.pass_by(600)
    assert await state_of(core, "employed", filed["application_no"]) == "cancelled"
    again = await core.filed("employed", "withdraw-rent", RENT)
    wall.pass_by(40)
    late = await core.cancel("employed", again["application_no"])
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")


async def test_too_many_applications_a_day_are_refused(core: Caller) -> None:
    for _ in range(rules().filings_per_day):
        filed = await core.filed("employed", "withdraw-rent", RENT)
        await core.cancel("employed", filed["application_no"])
    assert (await core.submit("employed", "withdraw-rent", RENT)).json()["code"] == "daily_limit"


ALL = ("accepted", "checking", "reviewing", "supplement", "paying", "completed", "refused", "cancelled")


@pytest.mark.parametrize("state", ALL)
async def test_an_application_can_be_moved_to_every_state_and_stays_there(core: Caller, wall: Wall, state: str) -> None:
    number = (await core.filed("employed", "withdraw-rent", RENT))["application_no"]
    assert (await core.advance(number, state)).json()["application"]["state"] == state
    wall.pass_by(3600)
    found = (await core.get("employed", "applications", number))["application"]
    assert (found["state"], found["stages"][-1]["state"]) == (state, state)
    assert bool(found["missing"]) == (state == "supplement")
    assert bool(found["refusal"]) == (state == "refused")


async def test_what_is_over_cannot_be_moved(core: Caller) -> None:
    before = await balance(core, "app_completed")
    number = core.cast["app_completed"]["applications"][0]
    assert (await core.advance(number, "completed")).json()["code"] == "wrong_state"
    assert (await core.advance("YW000", "completed")).status_code == 404
    assert await balance(core, "app_completed") == before


async def test_money_that_is_frozen_meanwhile_is_not_paid(core: Caller, wall: Wall, app: FastAPI) -> None:
    number = (await core.filed("employed", "withdraw-rent", RENT))["application_no"]
    account = core.cast["employed"]["accounts"][0]
    query = "UPDATE accounts SET frozen_fen = balance_fen WHERE account_no = ?"
    app.state.database.connection.execute(query, [account])
    before = await balance(core, "employed")
    wall.pass_by(600)
    found = (await core.get("employed", "applications", number))["application"]
    assert (found["state"], found["refusal"]) == ("refused", wording()["refusals"]["balance_gone"])
    assert await balance(core, "employed") == before


async def test_open_applications_are_told_first_and_newest_first(core: Caller) -> None:
    await core.filed("app_completed", "transfer-other-city", {"from_city": "Wuhan", "from_unit_name": "Works"})
    found = (await core.get("app_completed", "applications"))["applications"]
    assert [one["state"] for one in found] == ["accepted", "completed"]


async def certificate(core: Caller, who: str, kind: str, key: str) -> Any:
    return await core.client.post(core.path(who, "certificates"), json={"kind": kind}, headers={"Idempotency-Key": key})


async def test_a_certificate_is_issued_once_verified_and_does_not_change(core: Caller, wall: Wall) -> None:
    first, second = [await certificate(core, "employed", "deposit", "z-1") for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    made = first.json()["certificate"]
    assert second.json()["certificate"] == made
    await core.filed("employed", "withdraw-rent", RENT)
    wall.pass_by(600)
    for code, expected in ((made["check_code"], made), ("WRONG123", None)):
        answer = await core.client.post("/v1/certificates/verify", json={"number": made["number"], "check_code": code})
        assert answer.json()["certificate"] == expected


@pytest.mark.parametrize(
    ("who", "kind", "status"),
    [
        ("sealed_leave", "deposit", 201),
        ("closed", "deposit", 422),
        ("employed", "other_city_loan", 201),
        ("sealed_leave", "other_city_loan", 422),
        ("loan_instalment", "other_city_loan", 422),
        ("loan_settled", "other_city_loan", 201),
    ],
)
async def test_who_may_have_which_certificate(core: Caller, who: str, kind: str, status: int) -> None:
    assert (await certificate(core, who, kind, "z")).status_code == status


async def test_time_limits_count_working_days(core: Caller) -> None:
    filed = await core.filed("employed", "withdraw-rent", RENT)
    assert filed["due_on"] == "2026-11-30"
    assert not is_workday(date(2026, 10, 1))
    assert is_workday(date(2026, 10, 10)), "a make-up day"
    assert workdays_after(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert [is_workday(date(2036, 10, day)) for day in (3, 4, 5, 6)] == [True, False, False, True]
