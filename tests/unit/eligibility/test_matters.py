"""Every matter with its conditions: all met, each one not met, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from hotline.domain.fund import AccountState, ApplicationState, LoanState, Marriage, Sex
from hotline.services.eligibility import Outcome, Situation, Status, Verdict, check
from knowledge_base.model import Catalogue
from tests.fund_records import a_loan, a_person, an_account, an_application, contributions

TODAY = date(2026, 11, 25)
NORMAL = an_account()
SEALED = an_account(state=AccountState.SEALED, sealed_on=date(2026, 3, 10))
PERSON = a_person(homes_in_city=0, insured_elsewhere=False, insurance_stopped_months=8, household_city="梅州市")
BASE = Situation(
    city="广州", person=PERSON, accounts=(NORMAL,), contributions=contributions(), loans=(), applications=()
)
HOME = {"buyer": "yes", "residential": "yes", "house_city": "广州市"}
MET = {
    "withdraw-rent": replace(BASE, said={"renting": "yes"}),
    "withdraw-leave": replace(BASE, accounts=(SEALED,)),
    "withdraw-retire": replace(BASE, person=replace(PERSON, birth_on=date(1964, 3, 1))),
    "withdraw-repay-loan": replace(BASE, loans=(a_loan(),), said=HOME),
    "withdraw-purchase": replace(BASE, said=HOME),
    "loan-conditions": replace(BASE, said={"residential": "yes", "down_payment_paid": "yes"}),
    "loan-prepay": replace(BASE, loans=(a_loan(),)),
    "transfer-other-city": replace(
        BASE, said={"transfer_direction": "in", "old_account_sealed": "yes", "old_loan_unsettled": "no"}
    ),
}
FROZEN = replace(NORMAL, frozen_fen=1_00)
CLOSED = an_account(state=AccountState.CLOSED, closed_on=date(2026, 1, 1))
YOUNG_LOAN = a_loan(granted_on=date(2026, 2, 1), paid_instalments=9, next_due_on=date(2026, 12, 18))


def verdict(catalogue: Catalogue, matter: str, situation: Situation, today: date = TODAY) -> Verdict:
    found = check(catalogue, matter, situation, today)
    assert found is not None
    return found


def statuses(found: Verdict) -> dict[str, Status]:
    return {result.id: result.status for result in found.results}


def said(situation: Situation, **answers: str) -> Situation:
    return replace(situation, said={**situation.said, **answers})


@pytest.mark.parametrize("matter", MET)
def test_who_meets_every_condition_can(guangzhou: Catalogue, matter: str) -> None:
    found = verdict(guangzhou, matter, MET[matter])
    assert found.outcome is Outcome.CAN, statuses(found)
    assert found.questions == ()
    assert set(statuses(found).values()) == {Status.MET}


UNMET = [
    ("withdraw-rent", "balance", {"accounts": (replace(NORMAL, balance_fen=0),)}),
    ("withdraw-rent", "balance", {"accounts": (replace(NORMAL, frozen_fen=NORMAL.balance_fen),)}),
    ("withdraw-rent", "balance", {"accounts": (CLOSED,)}),
    ("withdraw-rent", "card", {"accounts": (replace(NORMAL, card_tail=""),)}),
    ("withdraw-rent", "no_open", {"applications": (an_application(),)}),
    ("withdraw-rent", "no_home", {"person": replace(PERSON, homes_in_city=1)}),
    ("withdraw-rent", "renting", {"said": {"renting": "no"}}),
    ("withdraw-leave", "sealed", {"accounts": (NORMAL,)}),
    ("withdraw-leave", "sealed", {"accounts": (SEALED, NORMAL)}),
    ("withdraw-leave", "sealed", {"accounts": (replace(SEALED, sealed_on=date(2026, 5, 26)),)}),
    ("withdraw-leave", "household", {"person": replace(PERSON, household_city="广州市")}),
    ("withdraw-leave", "left_job", {"person": replace(PERSON, insurance_stopped_months=0)}),
    ("withdraw-leave", "not_elsewhere", {"person": replace(PERSON, insured_elsewhere=True)}),
    ("withdraw-leave", "not_frozen", {"accounts": (replace(SEALED, frozen_fen=1_00),)}),
    ("withdraw-leave", "loan", {"loans": (a_loan(),)}),
    ("withdraw-leave", "balance", {"accounts": (replace(SEALED, balance_fen=0),)}),
    ("withdraw-retire", "age", {"person": PERSON}),
    ("withdraw-retire", "not_frozen", {"accounts": (FROZEN,)}),
    ("withdraw-repay-loan", "home_loan", {"loans": (), "said": {**HOME, "home_loan": "no"}}),
    ("withdraw-repay-loan", "buyer", {"said": {**HOME, "buyer": "no"}}),
    ("withdraw-repay-loan", "residential", {"said": {**HOME, "residential": "no"}}),
    ("withdraw-repay-loan", "place", {"said": {**HOME, "house_city": "成都", "spouse_city": "长沙"}}),
    ("withdraw-purchase", "place", {"said": {**HOME, "house_city": "成都", "spouse_city": "没有"}}),
    ("withdraw-purchase", "buyer", {"said": {**HOME, "buyer": "no"}}),
    ("withdraw-purchase", "residential", {"said": {**HOME, "residential": "no"}}),
    ("loan-conditions", "state", {"accounts": (SEALED,)}),
    ("loan-conditions", "months", {"contributions": contributions(consecutive_months=5)}),
    ("loan-conditions", "months", {"contributions": contributions(last=date(2026, 8, 1))}),
    ("loan-conditions", "months", {"contributions": contributions(first=None, last=None, consecutive_months=0)}),
    ("loan-conditions", "unsettled", {"loans": (a_loan(),)}),
    ("loan-conditions", "times", {"loans": (a_loan(state=LoanState.SETTLED), a_loan(state=LoanState.SETTLED))}),
    ("loan-conditions", "age", {"person": replace(PERSON, birth_on=date(1958, 11, 25))}),
    ("loan-conditions", "own_use", {"said": {"residential": "no", "down_payment_paid": "yes"}}),
    ("loan-conditions", "down_payment", {"said": {"residential": "yes", "down_payment_paid": "no"}}),
    ("loan-prepay", "loan", {"loans": (a_loan(state=LoanState.SETTLED),)}),
    ("loan-prepay", "overdue", {"loans": (a_loan(state=LoanState.OVERDUE, overdue_fen=3_228_86),)}),
    ("loan-prepay", "repaid", {"loans": (YOUNG_LOAN,)}),
    ("transfer-other-city", "state_in", {"accounts": (SEALED,)}),
    ("transfer-other-city", "months_in", {"contributions": contributions(consecutive_months=2)}),
    ("transfer-other-city", "not_frozen", {"accounts": (FROZEN,)}),
]


@pytest.mark.parametrize(("matter", "condition", "change"), UNMET)
def test_one_condition_not_met_is_enough_and_is_named(
    guangzhou: Catalogue, matter: str, condition: str, change: dict[str, object]
) -> None:
    found = verdict(guangzhou, matter, replace(MET[matter], **change))  # type: ignore[arg-type]
    assert found.outcome is Outcome.CANNOT
    assert statuses(found)[condition] is Status.NOT_MET
    result = next(result for result in found.results if result.id == condition)
    assert result.advice
    assert "{" not in result.advice + result.text


UNKNOWN = [
    ("withdraw-rent", "renting", {"said": {}}, "renting"),
    ("withdraw-rent", "no_home", {"person": replace(PERSON, homes_in_city=None)}, "home_in_city"),
    ("withdraw-leave", "left_job", {"person": replace(PERSON, insurance_stopped_months=3)}, "left_job"),
    ("withdraw-leave", "not_elsewhere", {"person": replace(PERSON, insured_elsewhere=None)}, "paying_elsewhere"),
    ("withdraw-leave", "sealed", {"accounts": (replace(SEALED, sealed_on=None),)}, None),
    (
        "withdraw-retire",
        "age",
        {"person": replace(PERSON, sex=Sex.FEMALE, birth_on=date(1974, 6, 1))},
        "post",
    ),
    ("withdraw-repay-loan", "home_loan", {"loans": ()}, "home_loan"),
    ("withdraw-repay-loan", "monthly", {"loans": (a_loan(granted_on=date(2024, 3, 1)),)}, None),
    ("withdraw-repay-loan", "place", {"said": {**HOME, "house_city": ""}}, "house_city"),
    ("withdraw-purchase", "place", {"said": {**HOME, "house_city": "成都"}}, "spouse_city"),
    (
        "withdraw-purchase",
        "place",
        {"said": {**HOME, "house_city": "佛山"}, "person": replace(PERSON, homes_in_city=None)},
        "home_in_city",
    ),
    ("loan-conditions", "months", {"contributions": contributions(last=date(2026, 9, 1))}, None),
    ("loan-conditions", "months", {"contributions": None}, None),
    ("loan-conditions", "own_use", {"said": {"down_payment_paid": "yes"}}, "residential"),
    ("transfer-other-city", "old_sealed", {"said": {"transfer_direction": "in"}}, "old_account_sealed"),
]


@pytest.mark.parametrize(("matter", "condition", "change", "question"), UNKNOWN)
def test_what_is_not_known_is_asked_for_or_shown_by_a_paper(
    guangzhou: Catalogue, *, matter: str, condition: str, change: dict[str, object], question: str | None
) -> None:
    found = verdict(guangzhou, matter, replace(MET[matter], **change))  # type: ignore[arg-type]
    assert found.outcome is Outcome.CONFIRM
    result = next(result for result in found.results if result.id == condition)
    assert (result.status, result.ask) == (Status.UNKNOWN, question)
    assert result.advice or question
    assert question is None or question in found.questions


@pytest.mark.parametrize("matter", MET)
def test_of_somebody_nothing_is_known_of_nothing_is_promised_or_denied(guangzhou: Catalogue, matter: str) -> None:
    found = verdict(guangzhou, matter, Situation(city="广州"))
    assert found.outcome is Outcome.CONFIRM
    assert set(statuses(found).values()) <= {Status.UNKNOWN}


@pytest.mark.parametrize(
    ("sealed_on", "today", "status", "open_on"),
    [
        ("2026-05-25", "2026-11-25", Status.MET, None),
        ("2026-05-26", "2026-11-25", Status.NOT_MET, "2026-11-26"),
        ("2026-08-31", "2027-02-27", Status.NOT_MET, "2027-02-28"),
        ("2026-08-31", "2027-02-28", Status.MET, None),
        ("2027-08-31", "2028-02-28", Status.NOT_MET, "2028-02-29"),
        ("2027-08-29", "2028-02-29", Status.MET, None),
    ],
)
def test_sealed_months_end_on_the_same_day_or_the_last_of_the_month(
    guangzhou: Catalogue, *, sealed_on: str, today: str, status: Status, open_on: str | None
) -> None:
    account = replace(SEALED, sealed_on=date.fromisoformat(sealed_on))
    found = verdict(guangzhou, "withdraw-leave", replace(BASE, accounts=(account,)), date.fromisoformat(today))
    assert statuses(found)["sealed"] is status
    assert found.open_on == (date.fromisoformat(open_on) if open_on else None)


def test_the_newest_of_several_sealings_counts(guangzhou: Catalogue) -> None:
    older = replace(SEALED, account_no="A2", sealed_on=date(2020, 1, 1))
    newer = replace(SEALED, sealed_on=date(2026, 10, 1))
    found = verdict(guangzhou, "withdraw-leave", replace(BASE, accounts=(older, newer)))
    assert found.open_on == date(2027, 4, 1)


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (date(2026, 11, 1), Status.MET),
        (date(2026, 10, 1), Status.MET),
        (date(2026, 9, 1), Status.UNKNOWN),
        (date(2026, 8, 1), Status.NOT_MET),
    ],
)
def test_a_run_of_months_must_reach_the_present(guangzhou: Catalogue, last: date, status: Status) -> None:
    found = verdict(
        guangzhou, "loan-conditions", replace(MET["loan-conditions"], contributions=contributions(last=last))
    )
    assert statuses(found)["months"] is status


def test_age_is_counted_from_the_birthday(guangzhou: Catalogue) -> None:
    """Born 29 February 1960: 68 on 29 February 2028; a man of 60 before the rise retired in 2020."""
    someone = replace(MET["loan-conditions"], person=replace(PERSON, birth_on=date(1960, 2, 29)))
    late = replace(someone, contributions=contributions(last=date(2028, 2, 1)))
    assert statuses(verdict(guangzhou, "loan-conditions", late, date(2028, 2, 28)))["age"] is Status.MET
    assert statuses(verdict(guangzhou, "loan-conditions", late, date(2028, 2, 29)))["age"] is Status.NOT_MET


@pytest.mark.parametrize(
    ("answers", "status"),
    [({"post": "worker"}, Status.MET), ({"post": "staff"}, Status.NOT_MET), ({"retired": "yes"}, Status.MET)],
)
def test_between_the_two_ages_a_womans_post_or_her_retirement_decides(
    guangzhou: Catalogue, answers: dict[str, str], status: Status
) -> None:
    woman = replace(PERSON, sex=Sex.FEMALE, birth_on=date(1974, 6, 1))
    found = verdict(guangzhou, "withdraw-retire", replace(BASE, person=woman, said=answers))
    assert statuses(found)["age"] is status


def test_a_day_to_wait_for_is_named_only_where_time_alone_is_missing(guangzhou: Catalogue) -> None:
    waiting = replace(BASE, loans=(YOUNG_LOAN,))
    assert verdict(guangzhou, "loan-prepay", waiting).open_on == date(2027, 2, 19)
    also = replace(waiting, applications=(an_application(business="loan-prepay"),))
    assert verdict(guangzhou, "loan-prepay", also).open_on is None


@pytest.mark.parametrize("state", ApplicationState)
def test_only_an_open_application_of_the_same_business_stands_in_the_way(
    guangzhou: Catalogue, state: ApplicationState
) -> None:
    open_ones = {"accepted", "checking", "reviewing", "supplement", "paying"}
    same = replace(MET["withdraw-rent"], applications=(an_application(state=state),))
    other = replace(MET["withdraw-rent"], applications=(an_application(state=state, business="loan-prepay"),))
    expected = Outcome.CANNOT if state.value in open_ones else Outcome.CAN
    assert verdict(guangzhou, "withdraw-rent", same).outcome is expected
    assert verdict(guangzhou, "withdraw-rent", other).outcome is Outcome.CAN


def test_a_home_in_the_spouses_city_or_a_neighbours_will_do(guangzhou: Catalogue) -> None:
    matter, base = "withdraw-purchase", MET["withdraw-purchase"]
    assert verdict(guangzhou, matter, said(base, house_city="长沙市", spouse_city="长沙")).outcome is Outcome.CAN
    assert verdict(guangzhou, matter, said(base, house_city="梅州")).outcome is Outcome.CAN
    assert verdict(guangzhou, matter, said(base, house_city="佛山市")).outcome is Outcome.CAN
    owner = replace(said(base, house_city="佛山市"), person=replace(PERSON, homes_in_city=1))
    assert verdict(guangzhou, matter, owner).outcome is Outcome.CANNOT


@pytest.mark.parametrize("place", ["广州", "广州市", "广东省广州市天河区", "天河", "增城", "梅州", "广东梅州"])
def test_a_place_is_known_by_any_of_its_names(guangzhou: Catalogue, place: str) -> None:
    assert (
        verdict(guangzhou, "withdraw-purchase", said(MET["withdraw-purchase"], house_city=place)).outcome is Outcome.CAN
    )


def test_who_is_single_is_not_asked_for_a_spouse(guangzhou: Catalogue) -> None:
    single = replace(
        said(MET["withdraw-purchase"], house_city="成都"), person=replace(PERSON, marriage=Marriage.SINGLE)
    )
    assert verdict(guangzhou, "withdraw-purchase", single).outcome is Outcome.CANNOT


def test_the_direction_of_a_transfer_is_asked_first_and_decides_what_counts(guangzhou: Catalogue) -> None:
    found = verdict(guangzhou, "transfer-other-city", BASE)
    assert (found.outcome, found.questions) == (Outcome.CONFIRM, ("transfer_direction",))
    out = replace(BASE, accounts=(SEALED,), said={"transfer_direction": "out", "paid_there": "yes"})
    found = verdict(guangzhou, "transfer-other-city", out)
    assert found.outcome is Outcome.CAN
    assert set(statuses(found)) == {"state_out", "loan_out", "paid_there", "not_frozen"}


def test_a_loan_that_agreed_to_monthly_repayment_has_nothing_left_to_sign(guangzhou: Catalogue) -> None:
    loan = a_loan(granted_on=date(2025, 3, 1), monthly_withdrawal=True)
    found = verdict(guangzhou, "withdraw-repay-loan", replace(BASE, loans=(loan,), said=HOME))
    assert found.outcome is Outcome.CAN


def test_without_conditions_in_force_there_is_no_verdict(guangzhou: Catalogue) -> None:
    assert check(guangzhou, "withdraw-elevator", BASE, TODAY) is None
    assert check(guangzhou, "withdraw-leave", BASE, date(2019, 2, 21)) is None


def test_a_figure_not_in_force_leaves_no_plain_yes(guangzhou: Catalogue) -> None:
    """The prepayment figure of Guangzhou begins later than the national conditions."""
    first = guangzhou.parameters["loan_prepay_after_years"].values[0].effective_from
    before = verdict(guangzhou, "loan-prepay", MET["loan-prepay"], date(first.year - 1, 6, 1))
    assert "repaid" not in statuses(before)
    assert before.outcome is Outcome.CONFIRM


def test_where_only_national_conditions_are_known_nobody_is_told_a_plain_yes(wuhu: Catalogue) -> None:
    found = verdict(wuhu, "withdraw-rent", replace(MET["withdraw-rent"], city="芜湖"))
    assert (found.outcome, found.national_only) == (Outcome.CONFIRM, True)
    assert set(statuses(found).values()) == {Status.MET}


def test_a_centres_own_figure_decides(wuhu: Catalogue) -> None:
    """Wuhu lets pay early after six months, Guangzhou after a year."""
    found = verdict(wuhu, "loan-prepay", replace(BASE, city="芜湖", loans=(YOUNG_LOAN,)))
    assert found.outcome is Outcome.CAN
