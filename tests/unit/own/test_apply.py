"""Every business from its first words to the core system, and why one cannot be begun."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from hotline.domain.fund import AccountState, ApplicationState, LoanState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.settings import ROOT, ChannelLimits
from tests.fake_fund import a_loan, a_person, an_account, an_application
from tests.own_kit import labels_of, text_of
from tests.unit.own.forms import (
    CONFIRMED,
    FORMS,
    IN_FULL,
    LEAVE,
    MAKEUP,
    RENT,
    RETIRE,
    TRANSFER,
    Form,
    at_summary,
    begun,
)
from tests.unit.own.kit import PAGES, a_clerk, a_fund, at_counter, said, spoken_badly

pytestmark = pytest.mark.anyio

CONTRACT_FILE = ROOT / "docs" / "fund-core-api.yaml"
CONTRACT = yaml.load(CONTRACT_FILE.read_text(encoding="utf-8"), yaml.BaseLoader)["components"]["schemas"]  # noqa: S506
NO_LIMIT = ChannelLimits(single_yuan=900_000, daily_yuan=900_000)
each_form = pytest.mark.parametrize("form", FORMS, ids=[f"{form.code}-{len(form.answers)}" for form in FORMS])


@each_form
@pytest.mark.parametrize("channel", [*PAGES, ChannelName.VOICE])
async def test_a_business_is_filed_with_what_was_said_and_nothing_else(form: Form, channel: ChannelName) -> None:
    counter = at_counter(form.fund(), channel)
    counter.limits = counter.limits.model_copy(update={channel.value: NO_LIMIT})
    heard = [await begun(counter, form)]
    heard += [await counter.says(answer) for answer in form.answers]
    assert labels_of(heard[-1]) == (["确认提交", "修改", "先不提交"] if channel in PAGES else [])
    assert counter.fund.submitted == []
    heard.append(await counter.says(CONFIRMED))
    filed = counter.fund.submitted
    assert [(new.business, new.fields, new.person_no, new.channel) for new in filed] == [
        (form.code, form.fields, "P000001", channel)
    ]
    assert text_of(heard[-1]).startswith("已提交。")
    assert (counter.drafts.kept, counter.context.task) == ({}, None)
    assert all(result.matter == form.code for result in heard)
    if channel is ChannelName.VOICE:
        assert [sentence for result in heard for sentence in spoken_badly(result)] == []


@each_form
def test_what_is_filed_is_what_the_contract_names(form: Form) -> None:
    named = next(
        schema["properties"]["fields"]
        for schema in CONTRACT.values()
        if schema.get("properties", {}).get("business", {}).get("const") == form.code
    )
    kinds = named.get("oneOf", [named])
    assert any(set(form.fields) == set(kind["required"]) == set(kind["properties"]) for kind in kinds)


@each_form
async def test_the_summary_shows_every_answer_before_anything_is_filed(form: Form) -> None:
    counter = at_counter(form.fund())
    counter.limits = counter.limits.model_copy(update={"wechat": NO_LIMIT})
    text = text_of(await at_summary(counter, form))
    assert text.startswith("请核对“")
    assert text.endswith("确认提交吗？")
    assert len([line for line in text.splitlines() if line.startswith("· ")]) >= len(form.answers)


@pytest.mark.parametrize("channel", PAGES)
@pytest.mark.parametrize("level", [Level.BOUND, None])
async def test_only_a_proven_person_begins(channel: ChannelName, level: Level | None) -> None:
    counter = at_counter(channel=channel, level=level)
    result = await begun(counter, RENT)
    assert labels_of(result) == ["验证身份"]
    assert (counter.fund.calls, counter.drafts.kept) == ([], {})
    assert "办业务" in text_of(result) or level is Level.BOUND


async def test_nothing_is_filed_by_text_message() -> None:
    counter = at_counter(channel=ChannelName.SMS)
    assert text_of(await begun(counter, RENT)).startswith("短信里不显示个人账户信息")
    assert counter.fund.calls == []


async def test_whoever_does_not_say_which_is_asked_and_may_choose_by_name_or_number() -> None:
    counter = at_counter()
    result = await counter.says("我要提交申请", "apply")
    assert len(labels_of(result)) == 6
    assert text_of(await counter.says("好像都行")).startswith("抱歉，没看懂您的回答。")
    assert (await counter.says(labels_of(result)[0])).matter == RENT.code
    caller = at_counter(channel=ChannelName.VOICE)
    await caller.says("我要提交申请", "apply")
    assert text_of(await caller.says("1")).startswith("可以办“租房提取”")


# --- why not --------------------------------------------------------------------------------------------------------


async def test_who_has_one_open_is_told_where_it_is() -> None:
    counter = at_counter(a_fund(applications=[an_application(due_on=date(2026, 11, 30))]))
    result = await begun(counter, RENT)
    assert text_of(result).startswith("不能重复提交，同一项业务您已经有一笔在办。租房提取1,400元（编号B000001")
    assert (result.outcome, counter.drafts.kept) == (Outcome.CLARIFIED, {})


async def test_one_that_is_over_is_not_in_the_way() -> None:
    done = an_application(state=ApplicationState.CANCELLED, cancellable=False)
    assert text_of(await begun(at_counter(a_fund(applications=[done])), RENT)).startswith("可以办。")


@pytest.mark.parametrize(
    ("form", "record", "words"),
    [
        (RENT, {"accounts": [an_account(card_tail="")]}, "账户绑定了本人的银行卡"),
        (RENT, {"person": a_person(homes_in_city=1)}, "没有自有住房"),
        (RENT, {"accounts": [an_account(balance_fen=0)]}, "账户里有能用的余额"),
        (RENT, {"accounts": [an_account(frozen_fen=86_520_35)]}, "账户里有能用的余额"),
        (RETIRE, {"accounts": [an_account(frozen_fen=100)], **RETIRE.record}, "账户没有被冻结"),
        (LEAVE, {}, "封存满"),
        (LEAVE, {**LEAVE.record, "person": a_person(household_city="广州")}, "不是广州户籍"),
        (TRANSFER, {"accounts": []}, "业务系统核对后不符合条件"),
        (IN_FULL, {"loans": []}, "有正在还的公积金贷款"),
        (IN_FULL, {"loans": [a_loan(state=LoanState.OVERDUE, overdue_instalments=1)]}, "没有拖欠的月供"),
        (MAKEUP, {}, "补缴由单位申报"),
    ],
)
async def test_a_condition_that_is_not_met_ends_it_before_the_first_question(
    form: Form, record: dict[str, object], words: str
) -> None:
    counter = at_counter(a_fund(**record))
    result = await begun(counter, form)
    assert words in text_of(result)
    assert (result.outcome, counter.context.task, counter.drafts.kept) == (Outcome.CLARIFIED, None, {})


async def test_who_is_too_young_to_retire_is_told_from_when_and_what_early_retirees_do() -> None:
    text = text_of(await begun(at_counter(), RETIRE))
    assert text.startswith("现在还不能办退休提取，2053年3月7日起可以办。")
    assert text.endswith("已经提前办了退休的，请带退休证或退休审批表到柜台办。")
    frozen = at_counter(a_fund(**{**RETIRE.record, "accounts": [an_account(frozen_fen=100)]}))
    assert "提前办了退休" not in text_of(await begun(frozen, RETIRE))


@pytest.mark.parametrize("words", ["我要把公积金转出去，转到外地", "帮我办转出"])
async def test_money_that_goes_away_is_applied_for_in_the_other_city(words: str) -> None:
    counter = at_counter()
    assert "向新城市的公积金中心申请转入" in text_of(await counter.says(words, "apply"))
    assert counter.drafts.kept == {}


# --- facts of the form ----------------------------------------------------------------------------------------------


async def test_rent_is_limited_by_the_months_and_by_what_is_there() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    assert "最多6,000元" in text_of(await said(counter, "9月", "11月"))
    poor = at_counter(a_fund(accounts=[an_account(balance_fen=3_000_00, frozen_fen=500_00)]))
    await begun(poor, RENT)
    assert "最多2,500元" in text_of(await said(poor, "9月", "11月"))


async def test_what_is_frozen_in_one_account_does_not_lessen_another() -> None:
    stuck = an_account(account_no="A000002", balance_fen=100_00, frozen_fen=900_00)
    counter = at_counter(a_fund(accounts=[an_account(balance_fen=1_000_00), stuck]))
    await begun(counter, RENT)
    assert "最多1,000元" in text_of(await said(counter, "11月", "11月"))


async def test_a_caller_presses_a_key_for_a_choice() -> None:
    counter = at_counter(channel=ChannelName.VOICE)
    assert text_of(await begun(counter, IN_FULL)).endswith("全部还清请按1。还一部分请按2。")
    assert text_of(await counter.says("2")) == "想提前还多少？至少一万元。"
    assert text_of(await said(counter, "五万")).endswith("月供减少，期限不变请按1。月供不变，期限缩短请按2。")


async def test_a_small_rest_can_only_be_repaid_in_full() -> None:
    counter = at_counter(a_fund(loans=[a_loan(balance_fen=9_000_00)]))
    assert labels_of(await begun(counter, IN_FULL)) == ["全部还清"]


@pytest.mark.parametrize(
    ("words", "problem"), [("九千", "太少了，至少10,000元。"), ("60万", "太多了，最多532,410.61元。")]
)
async def test_a_part_is_neither_too_small_nor_all_of_it(words: str, problem: str) -> None:
    counter = at_counter()
    await begun(counter, IN_FULL)
    assert text_of(await said(counter, "还一部分", words)).startswith(problem)


async def test_a_clerk_of_two_employers_says_for_which() -> None:
    counter = at_counter(a_fund(person=a_clerk("广州星河软件有限公司", "南沙码头公司")))
    assert labels_of(await begun(counter, MAKEUP)) == ["广州星河软件有限公司", "南沙码头公司"]
    await said(counter, "南沙码头", *MAKEUP.answers, CONFIRMED)
    assert counter.fund.submitted[0].fields["unit_no"] == "U2"


async def test_two_accounts_one_of_them_sealed_are_both_counted() -> None:
    sealed = an_account(account_no="A000002", state=AccountState.SEALED, sealed_on=date(2025, 1, 1), balance_fen=500_00)
    counter = at_counter(a_fund(accounts=[an_account(balance_fen=1_000_00), sealed]))
    await begun(counter, RENT)
    assert "最多1,500元" in text_of(await said(counter, "11月", "11月"))
