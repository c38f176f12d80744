"""What becomes of a filing: filed, refused, not filed, in doubt. The citizen hears which."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from hotline.domain.fund import Application, NewApplication
from hotline.domain.messages import ChannelName, Outcome
from hotline.fund_system import FundUnavailable
from hotline.private_store import NOT_SENT, SubmissionState
from hotline.services.own import desk
from hotline.services.own.words import words
from tests.fake_fund import FakeFundSystem
from tests.own_kit import Counter, labels_of, text_of
from tests.unit.own.forms import CONFIRMED, RENT, at_summary
from tests.unit.own.kit import PERSON, at_counter, spoken_badly

pytestmark = pytest.mark.anyio

CODES = (
    "not_eligible",
    "frozen",
    "amount_limit",
    "daily_limit",
    "no_card",
    "open_application",
    "key_reused",
    "invalid_field",
)


@dataclass
class Unsteady(FakeFundSystem):
    """Writes may not arrive, or arrive after the caller has stopped waiting."""

    not_sent: bool = False
    write_s: float = 0.0

    async def submit(self, new: NewApplication, *, key: str) -> Application:
        if self.not_sent:
            raise FundUnavailable("not sent")
        filed = await super().submit(new, key=key)
        await asyncio.sleep(self.write_s)
        return filed


def unsteady(channel: ChannelName = ChannelName.WECHAT) -> tuple[Counter, Unsteady]:
    held = RENT.fund()
    fund = Unsteady(now=held.now, _held=held._held)
    return at_counter(fund, channel), fund


def states(counter: Counter) -> list[SubmissionState]:
    return [each.state for each in counter.submissions.kept.values()]


async def test_a_filing_is_on_record_and_its_draft_gone() -> None:
    counter = at_counter()
    await at_summary(counter)
    result = await counter.says(CONFIRMED)
    (kept,) = counter.submissions.kept.values()
    assert (kept.state, kept.application_no, kept.business) == (SubmissionState.SUBMITTED, "B000001", RENT.code)
    assert counter.audit.actions[-2:] == ["application.confirmed", "application.filed"]
    assert counter.audit.entries[-1].detail == {"reference": "B000001"}
    assert labels_of(result) == ["办理进度"]


@pytest.mark.parametrize("channel", [ChannelName.WECHAT, ChannelName.VOICE])
async def test_a_lost_answer_is_in_doubt_and_confirming_again_files_nothing(channel: ChannelName) -> None:
    counter, fund = unsteady(channel)
    await at_summary(counter)
    fund.lose_answers = True
    before = counter.context
    result = await counter.says(CONFIRMED)
    assert "请不要重复提交" in text_of(result)
    assert (result.outcome, states(counter)) == (Outcome.CLARIFIED, [SubmissionState.UNKNOWN])
    counter.context = before
    assert text_of(await counter.says(CONFIRMED)) == text_of(result)
    assert (fund.calls.count("submit"), len(fund.submitted)) == (1, 1)
    assert channel is not ChannelName.VOICE or not spoken_badly(result)


async def test_an_answer_that_takes_too_long_is_in_doubt_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "LIMIT_S", 0.1)
    counter, fund = unsteady()
    await at_summary(counter)
    fund.write_s = 5.0
    result = await counter.says(CONFIRMED)
    assert text_of(result).startswith("“租房提取”正在核实：业务系统没有及时回应")
    assert (states(counter), len(fund.submitted)) == ([SubmissionState.UNKNOWN], 1)


@pytest.mark.parametrize(("lost", "said"), [(True, "正在核实"), (False, "已提交")])
async def test_a_store_that_is_slow_after_the_filing_hides_nothing(
    monkeypatch: pytest.MonkeyPatch, lost: bool, said: str
) -> None:
    counter, fund = unsteady()
    await at_summary(counter)
    settle = counter.submissions.settle

    async def slowly(key: str, state: SubmissionState, **rest: str) -> None:
        await asyncio.sleep(0.3)
        await settle(key, state, **rest)

    monkeypatch.setattr(counter.submissions, "settle", slowly)
    monkeypatch.setattr(desk, "LIMIT_S", 0.1)
    fund.lose_answers = lost
    assert said in text_of(await counter.says(CONFIRMED))
    assert states(counter) == [SubmissionState.UNKNOWN if lost else SubmissionState.SUBMITTED]


async def test_what_was_not_filed_is_said_so_and_can_be_filed_again() -> None:
    counter, fund = unsteady()
    await at_summary(counter)
    fund.not_sent = True
    result = await counter.says(CONFIRMED)
    assert text_of(result).startswith("没有提交成功：业务系统现在连不上，“租房提取”没有提交，已填的内容都还在。")
    (kept,) = counter.submissions.kept.values()
    assert (kept.state, kept.error) == (SubmissionState.REFUSED, NOT_SENT)
    fund.not_sent = False
    await counter.says("接着办", "apply")
    assert text_of(await counter.says(CONFIRMED)).startswith("已提交。")
    assert (states(counter), len(fund.submitted)) == ([SubmissionState.REFUSED, SubmissionState.SUBMITTED], 1)


@pytest.mark.parametrize("code", CODES)
async def test_a_refusal_is_worded_and_what_was_told_is_kept(code: str) -> None:
    counter = at_counter()
    await at_summary(counter)
    counter.fund.refuse(code, reference="B000042")
    result = await counter.says(CONFIRMED)
    sentence = words("desk")["refused"][code].format(reference="B000042", hotline="12329")
    assert text_of(result) == sentence
    assert labels_of(result) == ["转人工"]
    assert states(counter) == [SubmissionState.REFUSED]
    counter.fund.refuse("")
    await counter.says(CONFIRMED)
    assert text_of(await counter.says(CONFIRMED)).startswith("已提交。")


async def test_a_refused_amount_can_be_changed_at_once() -> None:
    counter = at_counter()
    await at_summary(counter)
    counter.fund.refuse("amount_limit")
    await counter.says(CONFIRMED)
    counter.fund.refuse("")
    assert text_of(await counter.says("修改金额")) == "提多少钱？最多6,000元。"


async def test_a_key_that_was_used_tells_what_came_of_it() -> None:
    counter = at_counter()
    await at_summary(counter)
    before, draft = counter.context, counter.drafts.kept["id-P000001", RENT.code]
    await counter.says(CONFIRMED)
    counter.context, counter.drafts.kept["id-P000001", RENT.code] = before, draft
    assert "编号B000001" in text_of(await counter.says(CONFIRMED))
    assert (len(counter.fund.submitted), counter.drafts.kept) == (1, {})


@pytest.mark.parametrize(
    ("error", "begins"), [(NOT_SENT, "没有提交成功"), ("daily_limit", "今天不能再提交：已达到当日限额")]
)
async def test_a_slower_device_hears_how_the_faster_one_was_refused(error: str, begins: str) -> None:
    counter = at_counter()
    await at_summary(counter)
    before, draft = counter.context, counter.drafts.kept["id-P000001", RENT.code]
    await counter.says(CONFIRMED)
    (key,) = counter.submissions.kept
    counter.submissions.kept[key] = replace(
        counter.submissions.kept[key], state=SubmissionState.REFUSED, application_no="", error=error
    )
    counter.context, counter.drafts.kept["id-P000001", RENT.code] = before, draft
    assert text_of(await counter.says(CONFIRMED)).startswith(begins)
    assert counter.drafts.kept["id-P000001", RENT.code].updated_at > draft.updated_at


async def test_an_open_filing_of_the_same_business_stands_in_the_way() -> None:
    counter = at_counter()
    await at_summary(counter)
    await counter.submissions.begin(f"id-{PERSON}", RENT.code, key="of another device")
    assert "请不要重复提交" in text_of(await counter.says(CONFIRMED))
    assert counter.fund.submitted == []
