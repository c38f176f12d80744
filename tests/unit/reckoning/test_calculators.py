from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from hotline.domain.fund import Loan, LoanState, RepayMethod, Sex
from hotline.domain.loan_maths import Terms, instalment
from hotline.domain.messages import ChannelName
from hotline.services.reckoning.figures import Figures
from hotline.services.reckoning.loanable import Applicant, Green, LimitKind, LoanableAmount, LoanWish, loanable
from hotline.services.reckoning.needs import Missing, Need
from hotline.services.reckoning.rent import RentLimit, RentWish, rent_limit
from hotline.services.reckoning.repayment import (
    MonthlyPayment,
    PrepaymentSaving,
    PrepayWish,
    RepaymentWish,
    monthly_payment,
    prepayment,
)
from hotline.services.reckoning.retirement import Post, Retirement, retirement, retirement_range
from hotline.services.reckoning.saying import Result, ask, say
from knowledge_base.errors import NotInForce
from knowledge_base.model import Catalogue

TODAY = date(2026, 11, 25)
HE = Applicant(balance_fen=20_000_00, monthly_fen=1_000_00, birth_on=date(1990, 3, 7), sex=Sex.MALE)
SHE = Applicant(balance_fen=10_000_00, monthly_fen=500_00, birth_on=date(1992, 3, 7), sex=Sex.FEMALE, post=Post.STAFF)


# --- retirement: rows of the table that the decision prints


@pytest.mark.parametrize(
    ("sex", "post", "born", "years", "months", "reached"),
    [
        (Sex.MALE, None, date(1964, 12, 31), 60, 0, date(2024, 12, 31)),
        (Sex.MALE, None, date(1965, 1, 1), 60, 1, date(2025, 2, 1)),
        (Sex.MALE, None, date(1965, 4, 30), 60, 1, date(2025, 5, 30)),
        (Sex.MALE, None, date(1965, 5, 1), 60, 2, date(2025, 7, 1)),
        (Sex.MALE, None, date(1970, 5, 1), 61, 5, date(2031, 10, 1)),
        (Sex.MALE, None, date(1976, 8, 31), 62, 11, date(2039, 7, 31)),
        (Sex.MALE, None, date(1976, 9, 1), 63, 0, date(2039, 9, 1)),
        (Sex.MALE, None, date(1990, 3, 7), 63, 0, date(2053, 3, 7)),
        (Sex.FEMALE, Post.STAFF, date(1969, 12, 31), 55, 0, date(2024, 12, 31)),
        (Sex.FEMALE, Post.STAFF, date(1970, 1, 1), 55, 1, date(2025, 2, 1)),
        (Sex.FEMALE, Post.STAFF, date(1981, 9, 1), 58, 0, date(2039, 9, 1)),
        (Sex.FEMALE, Post.WORKER, date(1974, 12, 31), 50, 0, date(2024, 12, 31)),
        (Sex.FEMALE, Post.WORKER, date(1975, 1, 1), 50, 1, date(2025, 2, 1)),
        (Sex.FEMALE, Post.WORKER, date(1975, 3, 1), 50, 2, date(2025, 5, 1)),
        (Sex.FEMALE, Post.WORKER, date(1984, 10, 31), 54, 11, date(2039, 9, 30)),
        (Sex.FEMALE, Post.WORKER, date(1984, 11, 1), 55, 0, date(2039, 11, 1)),
    ],
)
def test_the_age_rises_as_the_table_of_the_decision_says(
    guangzhou: Catalogue, *, sex: Sex, post: Post | None, born: date, years: int, months: int, reached: date
) -> None:
    found = retirement(Figures(guangzhou, TODAY), birth_on=born, sex=sex, post=post)
    assert isinstance(found, Retirement)
    assert (found.years, found.months, found.reached_on) == (years, months, reached)
    assert {used.source.strength for used in found.used} == {"weak"}


def test_of_a_woman_the_post_is_asked_and_both_ages_bound_it(guangzhou: Catalogue) -> None:
    figures = Figures(guangzhou, TODAY)
    born = date(1976, 6, 1)
    assert retirement(figures, birth_on=born, sex=Sex.FEMALE) == Missing(needs=(Need.POST,))
    first, last = retirement_range(figures, birth_on=born, sex=Sex.FEMALE)
    assert (first, last) == (date(2027, 3, 1), date(2033, 2, 1))


def test_before_the_rise_nothing_is_reckoned(guangzhou: Catalogue) -> None:
    with pytest.raises(NotInForce):
        retirement(Figures(guangzhou, date(2024, 12, 31)), birth_on=date(1970, 1, 1), sex=Sex.MALE)


# --- loanable amount


def reckoned(catalogue: Catalogue, *applicants: Applicant, **wish: object) -> LoanableAmount:
    found = loanable(catalogue, LoanWish(applicants=applicants, **wish), TODAY)  # type: ignore[arg-type]
    assert isinstance(found, LoanableAmount)
    return found


def limit(found: LoanableAmount, kind: LimitKind) -> int:
    return next(each.amount_fen for each in found.limits if each.kind is kind)


def test_the_formula_is_balance_times_eight_and_contributions_until_retirement(guangzhou: Catalogue) -> None:
    """From 25 November 2026 to 7 March 2053 are 315 full months."""
    found = reckoned(guangzhou, HE)
    assert limit(found, LimitKind.DEPOSITS) == 8 * 20_000_00 + 315 * 1_000_00 == found.amount_fen
    assert found.binding.kind is LimitKind.DEPOSITS
    used = {each.name: each for each in found.used}
    assert used["loan_balance_multiple"].source.strength == "weak"
    assert used["loan_cap_single"].effective_from == date(2024, 11, 26)


def test_two_applicants_are_reckoned_each_and_added(guangzhou: Catalogue) -> None:
    """Hers: until 7 March 2050, 279 months."""
    found = reckoned(guangzhou, HE, SHE)
    alone = reckoned(guangzhou, HE)
    assert found.amount_fen - alone.amount_fen == 8 * 10_000_00 + 279 * 500_00
    assert limit(found, LimitKind.CAP) == 1_600_000_00


@pytest.mark.parametrize(
    ("people", "children", "green", "cap"),
    [
        (1, None, Green.NONE, 800_000),
        (1, 1, Green.NONE, 800_000),
        (1, 2, Green.NONE, 1_120_000),
        (1, None, Green.ONE_STAR, 880_000),
        (1, None, Green.TWO_STAR, 960_000),
        (1, 2, Green.TWO_STAR, 1_120_000),
        (2, 2, Green.NONE, 2_240_000),
        (2, None, Green.ONE_STAR, 1_760_000),
        (2, 3, Green.TWO_STAR, 2_240_000),
    ],
)
def test_bonuses_raise_the_cap_and_do_not_add_up(
    guangzhou: Catalogue, *, people: int, children: int | None, green: Green, cap: int
) -> None:
    rich = replace(HE, balance_fen=10_000_000_00)
    found = reckoned(guangzhou, *[rich] * people, children=children, green=green)
    assert (found.binding.kind, found.amount_fen) == (LimitKind.CAP, cap * 100)


def test_the_income_bounds_the_instalment(guangzhou: Catalogue) -> None:
    found = reckoned(guangzhou, HE, income_fen=3_000_00)
    most = limit(found, LimitKind.INCOME)
    assert found.binding.kind is LimitKind.INCOME
    assert instalment(Terms(principal_fen=most, months=found.months, rate_percent=found.rate_percent)) <= 1_500_00
    assert instalment(Terms(principal_fen=most + 500, months=found.months, rate_percent=found.rate_percent)) > 1_500_00


@pytest.mark.parametrize(("wish", "share"), [({}, 80), ({"home_number": 2}, 80), ({"subsidised": True}, 85)])
def test_the_down_payment_is_taken_off_the_price(guangzhou: Catalogue, wish: dict[str, object], share: int) -> None:
    found = reckoned(guangzhou, HE, price_fen=500_000_00, **wish)
    assert limit(found, LimitKind.PRICE) == 5_000_00 * share
    assert found.binding.kind is LimitKind.PRICE


def test_the_term_ends_with_age_and_what_is_common(guangzhou: Catalogue) -> None:
    assert reckoned(guangzhou, HE).months == 360
    assert reckoned(guangzhou, HE, months=120).months == 120
    older = replace(HE, birth_on=date(1970, 5, 1))  # retires at 61 years 5 months: five more are within 68
    assert reckoned(guangzhou, older).months == 9 * 12 + 10
    oldest = replace(HE, birth_on=date(1958, 11, 25))
    assert reckoned(guangzhou, oldest).months == 0
    assert reckoned(guangzhou, oldest).amount_fen == 0


def test_a_short_term_and_a_second_home_have_their_own_rates(guangzhou: Catalogue) -> None:
    assert reckoned(guangzhou, HE, months=60).rate_percent == Decimal("2.1")
    assert reckoned(guangzhou, HE, months=61).rate_percent == Decimal("2.6")
    assert reckoned(guangzhou, HE, home_number=2).rate_percent == Decimal("3.075")


def test_only_what_is_needed_is_asked_for_the_most_telling_first(guangzhou: Catalogue) -> None:
    def needs(one: Applicant) -> tuple[Need, ...]:
        found = loanable(guangzhou, LoanWish(applicants=(one,)), TODAY)
        return found.needs if isinstance(found, Missing) else ()

    assert needs(Applicant()) == (Need.BALANCE, Need.MONTHLY, Need.BIRTH, Need.SEX)
    assert needs(replace(SHE, post=None)) == (Need.POST,)
    assert needs(replace(HE, monthly_fen=None)) == (Need.MONTHLY,)
    assert needs(HE) == ()


def test_a_centre_without_published_figures_gives_no_estimate(wuhu: Catalogue) -> None:
    with pytest.raises(NotInForce):
        loanable(wuhu, LoanWish(applicants=(HE,)), TODAY)
    with pytest.raises(NotInForce):
        rent_limit(wuhu, RentWish(registered=True, rent_fen=1_000_00), TODAY)


# --- repayment


def test_both_ways_of_repaying_stand_side_by_side(guangzhou: Catalogue) -> None:
    found = monthly_payment(guangzhou, RepaymentWish(amount_fen=800_000_00, months=360), TODAY)
    assert isinstance(found, MonthlyPayment)
    assert (found.equal_instalment.first_fen, found.equal_principal.first_fen) == (3_202_72, 3_955_55)
    assert [used.name for used in found.used] == ["loan_rate_split_years", "loan_rate_first_long"]


def test_the_rate_of_the_day_is_taken(guangzhou: Catalogue) -> None:
    found = monthly_payment(guangzhou, RepaymentWish(amount_fen=1_000_000_00, months=360), date(2025, 5, 7))
    assert isinstance(found, MonthlyPayment)
    assert found.equal_instalment.first_fen == 4_135_57


def test_a_payment_without_amount_or_term_asks_for_them(guangzhou: Catalogue) -> None:
    assert monthly_payment(guangzhou, RepaymentWish(), TODAY) == Missing(needs=(Need.AMOUNT, Need.TERM))
    assert monthly_payment(guangzhou, RepaymentWish(amount_fen=1_00), TODAY) == Missing(needs=(Need.TERM,))


LOAN = Loan(
    loan_no="L1",
    state=LoanState.REPAYING,
    amount_fen=600_000_00,
    granted_on=date(2023, 5, 18),
    term_months=240,
    method=RepayMethod.EQUAL_INSTALMENT,
    rate_percent=Decimal("2.6"),
    balance_fen=532_410_62,
    paid_instalments=41,
)


def test_paying_part_of_a_loan_early_compares_both_ways(guangzhou: Catalogue) -> None:
    found = prepayment(guangzhou, PrepayWish.of(LOAN, paid_fen=100_000_00), TODAY)
    assert isinstance(found, PrepaymentSaving)
    assert found.keep_term.before.terms.months == 199
    assert found.keep_instalment.saved_fen > found.keep_term.saved_fen > 0
    assert found.keep_instalment.months_saved > 0
    assert found.too_little_fen is None


def test_paying_all_of_a_loan_needs_no_amount(guangzhou: Catalogue) -> None:
    found = prepayment(guangzhou, PrepayWish.of(LOAN, in_full=True), TODAY)
    assert isinstance(found, PrepaymentSaving)
    assert found.keep_term.after is None
    assert found.keep_term.paid_fen == LOAN.balance_fen


def test_prepayment_asks_for_what_is_not_known(guangzhou: Catalogue) -> None:
    assert prepayment(guangzhou, PrepayWish.of(LOAN), TODAY) == Missing(needs=(Need.PAID,))
    assert prepayment(guangzhou, PrepayWish(in_full=True), TODAY) == Missing(needs=(Need.OWED, Need.LEFT))


def test_a_centre_with_a_least_amount_says_so(wuhu: Catalogue) -> None:
    found = prepayment(wuhu, PrepayWish.of(LOAN, paid_fen=9_999_99), TODAY)
    assert isinstance(found, PrepaymentSaving)
    assert found.too_little_fen == 10_000_00
    assert "1万元" in say(found, ChannelName.WEB)
    enough = prepayment(wuhu, PrepayWish.of(LOAN, paid_fen=10_000_00), TODAY)
    assert isinstance(enough, PrepaymentSaving)
    assert enough.too_little_fen is None


# --- rent


@pytest.mark.parametrize(
    ("wish", "person", "household", "total"),
    [
        (RentWish(), 2_000, 2_000, 2_000),
        (RentWish(people=2, months=12), 2_000, 4_000, 48_000),
        (RentWish(children=1, months=3), 2_000, 2_000, 6_000),
        (RentWish(children=2, has_minor=True), 2_800, 2_800, 2_800),
        (RentWish(people=2, children=2, has_minor=True, months=12), 2_800, 5_600, 67_200),
        (RentWish(people=3, children=2, has_minor=True), 2_800, 5_600, 5_600),
        (RentWish(children=2, has_minor=False), 2_000, 2_000, 2_000),
        (RentWish(months=12, balance_fen=10_000_00), 2_000, 2_000, 10_000),
        (RentWish(registered=True, rent_fen=3_500_00, months=2), None, 3_500, 7_000),
    ],
)
def test_the_rent_limit_counts_people_children_months_and_balance(
    guangzhou: Catalogue, *, wish: RentWish, person: int | None, household: int, total: int
) -> None:
    found = rent_limit(guangzhou, wish, TODAY)
    assert isinstance(found, RentLimit)
    assert (found.person_fen, found.household_fen, found.total_fen) == (
        None if person is None else person * 100,
        household * 100,
        total * 100,
    )


def test_an_earlier_day_has_the_limit_of_then(guangzhou: Catalogue) -> None:
    with pytest.raises(NotInForce):  # whether children counted then is not known
        rent_limit(guangzhou, RentWish(children=0), date(2024, 11, 25))
    found = rent_limit(guangzhou, RentWish(), date(2024, 11, 25))
    assert isinstance(found, RentLimit)
    assert found.person_fen == 1_400_00


def test_rent_asks_for_the_rent_or_for_a_minor_only_where_it_matters(guangzhou: Catalogue) -> None:
    assert rent_limit(guangzhou, RentWish(registered=True), TODAY) == Missing(needs=(Need.RENT,))
    assert rent_limit(guangzhou, RentWish(children=2), TODAY) == Missing(needs=(Need.MINOR,))


# --- in words


def results(catalogue: Catalogue) -> list[Result]:
    rich = replace(HE, balance_fen=10_000_000_00)
    found = [
        loanable(catalogue, LoanWish(applicants=(HE,)), TODAY),
        loanable(catalogue, LoanWish(applicants=(HE, SHE), children=2, income_fen=20_000_00), TODAY),
        loanable(catalogue, LoanWish(applicants=(HE,), price_fen=300_000_00), TODAY),
        loanable(catalogue, LoanWish(applicants=(rich, rich), children=2), TODAY),
        loanable(catalogue, LoanWish(applicants=(replace(HE, birth_on=date(1950, 1, 1)),)), TODAY),
        monthly_payment(catalogue, RepaymentWish(amount_fen=2_240_000_00, months=360), TODAY),
        prepayment(catalogue, PrepayWish.of(LOAN, paid_fen=123_456_78), TODAY),
        prepayment(catalogue, PrepayWish.of(LOAN, in_full=True), TODAY),
        rent_limit(catalogue, RentWish(people=2, children=2, has_minor=True, months=12), TODAY),
        rent_limit(catalogue, RentWish(balance_fen=123_45), TODAY),
        rent_limit(catalogue, RentWish(registered=True, rent_fen=3_456_78), TODAY),
        retirement(Figures(catalogue, TODAY), birth_on=date(1970, 5, 1), sex=Sex.MALE),
    ]
    return [each for each in found if not isinstance(each, Missing)]


def test_every_result_fits_its_channel_and_says_that_review_decides(guangzhou: Catalogue) -> None:
    found = results(guangzhou)
    assert len(found) == 12
    for result in found:
        voice, sms, web = (say(result, channel) for channel in (ChannelName.VOICE, ChannelName.SMS, ChannelName.WEB))
        assert len(voice) <= 60, voice
        assert len(sms) <= 120, sms
        assert "以审核为准" in voice
        assert "以审核为准" in sms
        assert web.endswith("以审核为准。")
        assert "{" not in voice + sms + web


def test_the_short_answer_stands_first_then_formula_figures_and_doubt(guangzhou: Catalogue) -> None:
    text = say(reckoned(guangzhou, HE), ChannelName.WEB)
    lines = text.split("\n")
    assert lines[0] == "估算能贷约47.5万元，由账户余额、月缴存额和到退休的时间算出。"
    assert "余额×8＋月缴存额×到退休的月数：47.5万元" in lines
    assert "一人申请贷款最高额度80万元（2024年11月26日起，据转载）" in text
    assert "账户余额的倍数8倍（2022年1月1日起，待核实）" in text


def test_the_telephone_hears_words_not_digits(guangzhou: Catalogue) -> None:
    found = rent_limit(guangzhou, RentWish(people=2, months=3), TODAY)
    assert isinstance(found, RentLimit)
    assert "每月最多四千元" in say(found, ChannelName.VOICE)
    assert "每月最多4,000元" in say(found, ChannelName.SMS)


def test_every_need_has_a_question() -> None:
    assert all(ask(need).endswith("？") for need in Need)
