"""The core system is away, slow, refuses, or says what cannot be true: every skill says so and nothing is lost."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from hotline.domain.fund import Account
from hotline.domain.messages import ChannelName, Outcome
from hotline.errors import TemporaryError
from hotline.fund_system import FundRefused, FundUnavailable
from hotline.services.own import desk
from hotline.services.own.words import words
from tests.fake_fund import FakeFundSystem
from tests.own_kit import Counter, labels_of, text_of
from tests.unit.own.forms import RENT, begun
from tests.unit.own.kit import a_fund, a_match, at_counter, spoken_badly

pytestmark = pytest.mark.anyio

SKILLS = (
    ("ask_balance", "我的余额"),
    ("ask_ledger", "明细"),
    ("ask_contributions", "缴存情况"),
    ("ask_loan", "我的贷款"),
    ("ask_progress", "进度"),
    ("get_certificate", "开证明"),
    ("calculate", "我能贷多少"),
    ("may_i", "我能不能租房提取"),
    ("apply", "我要办租房提取"),
    ("cancel_application", "撤销申请"),
)
each_skill = pytest.mark.parametrize(("intent", "text"), SKILLS)
AWAY = "业务系统现在反应很慢，暂时查不到您的信息"


@each_skill
@pytest.mark.parametrize("channel", [ChannelName.WECHAT, ChannelName.VOICE])
async def test_every_skill_says_that_the_core_system_is_away(channel: ChannelName, intent: str, text: str) -> None:
    counter = at_counter(channel=channel)
    counter.fund.away = True
    result = await counter.says(text, intent)
    assert result.outcome is Outcome.CLARIFIED
    assert text_of(result).startswith("业务系统现在")
    assert labels_of(result) == ([] if channel is ChannelName.VOICE else ["转人工"])
    assert channel is not ChannelName.VOICE or not spoken_badly(result)


@each_skill
async def test_no_skill_waits_longer_than_the_turn_allows(
    intent: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "LIMIT_S", 0.05)
    counter = at_counter()
    counter.fund.slow_s = 5.0
    began = time.perf_counter()
    assert text_of(await counter.says(text, intent)).startswith(AWAY)
    assert time.perf_counter() - began < 1.0


@each_skill
async def test_a_person_the_core_system_does_not_know_is_told_kindly(intent: str, text: str) -> None:
    counter = at_counter(FakeFundSystem())
    result = await counter.says(text, intent)
    assert text_of(result) == words("desk")["refused"]["not_found"]
    assert (labels_of(result), counter.context.task) == (["转人工"], None)


@dataclass
class Refusing(FakeFundSystem):
    """Says no to every read."""

    code: str = ""

    async def accounts(self, person_no: str) -> list[Account]:
        raise FundRefused(self.code, reference="B000042")


@pytest.mark.parametrize(
    "code",
    [
        "open_application",
        "not_eligible",
        "frozen",
        "amount_limit",
        "daily_limit",
        "no_card",
        "wrong_state",
        "invalid_field",
        "not_found",
        "key_reused",
    ],
)
async def test_every_refusal_has_its_sentence(code: str) -> None:
    assert f"``{code}``" in (FundRefused.__doc__ or "")
    counter = at_counter(Refusing(code=code))
    text = text_of(await counter.says("我的余额", "ask_balance"))
    assert text == words("desk")["refused"][code].format(reference="B000042", hotline="12329")
    assert set(words("desk")["refused"]) == {
        name for name in words("desk")["refused"] if f"``{name}``" in (FundRefused.__doc__ or "")
    }


@dataclass
class Lying(FakeFundSystem):
    """Its client finds out that an answer cannot be true."""

    async def accounts(self, person_no: str) -> list[Account]:
        raise FundUnavailable("balance_fen is negative")


async def test_what_cannot_be_true_is_never_told() -> None:
    text = text_of(await at_counter(Lying()).says("我的余额", "ask_balance"))
    assert text.startswith(AWAY)
    assert "negative" not in text


async def test_rules_are_answered_while_the_core_system_is_away_and_the_form_waits() -> None:
    counter = at_counter()
    await begun(counter, RENT)
    counter.fund.away = True
    asked = "租房提取要什么材料？"
    result = await counter.says(asked, match=a_match(asked, "withdraw-rent", aspect="materials"))
    assert result.outcome is Outcome.ANSWERED
    assert text_of(result).splitlines()[0] != AWAY
    assert (counter.context.task or {})["asking"] == "first_month"
    counter.fund.away = False
    assert text_of(await counter.says("9月")) == "提到哪个月为止？比如“这个月”。"


async def test_a_form_that_cannot_be_begun_leaves_nothing_behind() -> None:
    counter = at_counter()
    counter.fund.away = True
    await begun(counter, RENT)
    assert (counter.drafts.kept, counter.context.task) == ({}, None)


@dataclass
class BrokenAudit:
    async def record(self, entry: object) -> None:
        raise TemporaryError("the database is away")


async def test_a_look_that_cannot_be_recorded_does_not_happen() -> None:
    counter = at_counter()
    counter.audit = BrokenAudit()  # type: ignore[assignment]
    with pytest.raises(TemporaryError):
        await counter.says("我的余额", "ask_balance")
    assert counter.fund.calls == []


async def test_fund_of_the_kit_is_up() -> None:
    """The other tests of this file would pass on a core system that never answers."""
    counter: Counter = at_counter(a_fund())
    for intent, text in SKILLS:
        assert not text_of(await counter.says(text, intent)).startswith(AWAY)
