"""On the telephone the counter asks for a proof by keypad, at once and in few words."""

from __future__ import annotations

import json

import pytest

from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, TurnResult
from knowledge_base.match import Match
from tests.fake_fund import FakeFundSystem, a_person, an_account
from tests.own_kit import Counter, text_of
from tests.unit.answering.content import match

pytestmark = pytest.mark.anyio


@pytest.fixture
def fund() -> FakeFundSystem:
    fund = FakeFundSystem()
    fund.add(a_person(), accounts=[an_account(balance_fen=1_200_000)])
    return fund


@pytest.fixture
def caller(fund: FakeFundSystem) -> Counter:
    return Counter(fund, channel=ChannelName.VOICE)


def _keypads(result: TurnResult) -> list[str]:
    return [reply.keypad for reply in result.replies]


def _about(code: str, text: str) -> Match:
    """What a text about that matter is read as."""
    made = json.dumps(match(text, {"rent": 0.9}).to_dict())
    return Match.from_dict(json.loads(made.replace('"rent"', f'"{code}"')))


async def test_who_asks_for_his_balance_keys_in_who_he_is(caller: Counter) -> None:
    result = await caller.says("我的余额是多少", "ask_balance")
    assert _keypads(result) == ["bind"]
    assert text_of(result) == "查账户余额要先核实身份，请按键输入，转人工请按0。"
    assert caller.identification.links == []


async def test_the_rules_are_not_read_out_before_the_keypad(caller: Counter, fund: FakeFundSystem) -> None:
    found = _about("withdraw-rent", "租房提取办到哪了")
    by_ear = await caller.says("租房提取办到哪了", "ask_progress", match=found)
    assert (len(by_ear.replies), _keypads(by_ear)) == (1, ["bind"])
    by_eye = await Counter(fund, channel=ChannelName.WECHAT).says("租房提取办到哪了", "ask_progress", match=found)
    assert len(text_of(by_eye)) > len(text_of(by_ear))
    assert not any(_keypads(by_eye))


async def test_a_number_that_is_bound_proves_the_same_person(caller: Counter) -> None:
    caller.knows("P000001", level=Level.BOUND)
    assert _keypads(await caller.says("我的余额是多少", "ask_balance")) == ["step_up"]


@pytest.mark.parametrize("level", [None, Level.BOUND])
async def test_wanting_to_be_known_is_enough(caller: Counter, level: Level | None) -> None:
    if level:
        caller.knows("P000001", level=level)
    result = await caller.says("验证身份", "bind")
    assert all(_keypads(result))
    assert "点" not in text_of(result)


async def test_what_was_asked_for_follows_the_proof(caller: Counter) -> None:
    await caller.says("我的余额是多少", "ask_balance")
    caller.knows("P000001")
    result = await caller.says("/prove", "prove")
    assert text_of(result) == "已核实是您本人。\n您的公积金余额是一万二千元。"
    assert _keypads(result) == [""]


async def test_the_words_before_the_keypad_are_not_repeated_without_it(caller: Counter) -> None:
    await caller.says("我的余额是多少", "ask_balance")
    assert caller.context.last_reply == "请再说一遍您要查什么。"


async def test_a_proof_in_the_middle_of_a_sum_is_collected_before_the_sum_goes_on(caller: Counter) -> None:
    begun = await caller.says("算一下贷款月供", "calculate")
    assert caller.context.task is not None
    between = await caller.says("我的余额是多少", "ask_balance")
    assert _keypads(between) == ["bind"]
    assert "接着办" not in text_of(between)
    caller.knows("P000001")
    again = await caller.says("/prove", "prove")
    assert text_of(begun).splitlines()[-1] in text_of(again)


@pytest.mark.parametrize("channel", [ChannelName.WEB, ChannelName.WECHAT, ChannelName.SMS])
async def test_no_other_channel_collects_keys(fund: FakeFundSystem, channel: ChannelName) -> None:
    counter = Counter(fund, channel=channel)
    for text, intent in (("我的余额是多少", "ask_balance"), ("验证身份", "bind")):
        assert not any(_keypads(await counter.says(text, intent)))
