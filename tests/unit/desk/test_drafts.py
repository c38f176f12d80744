"""What an agent may send: not too long, nobody's numbers, no words that are not said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hotline.agent_desk import Refusal
from hotline.domain.messages import ChannelName
from hotline.domain.redaction import redact
from hotline.services.desk.drafts import DraftCheck, published_numbers, unsayable
from hotline.settings import ROOT
from hotline.wording import mask
from knowledge_base.errors import NotInForce
from knowledge_base.loader import load
from knowledge_base.model import Aspect, Catalogue
from knowledge_base.render import render
from tests.unit.answering.content import CATALOGUE, RENT

ID_NUMBER = "440106199003072015"
CARD = "6217003320001234569"
MOBILE = "13800135678"
COUNTER = "0553-3836118"
BOX = "gjj@example.gov.cn"
PERSONAL = (ID_NUMBER, CARD, MOBILE, "020-83645678", "chen@example.com")
EMOJI = "🙂"


def with_numbers(*numbers: str) -> Catalogue:
    """The small catalogue, with these published in one of its answers."""
    where = Aspect(key="channels", title="在哪办", text=f"请到柜台办，问{'、'.join(numbers)}。", short="到柜台办。")
    matter = replace(RENT, aspects={**RENT.aspects, "channels": where})
    return replace(CATALOGUE, matters={**CATALOGUE.matters, "rent": matter})


CHECK = DraftCheck(lambda: CATALOGUE)
PUBLISHED = DraftCheck(lambda: with_numbers(COUNTER, BOX))


def refusal(text: str, channel: ChannelName = ChannelName.WEB, check: DraftCheck = CHECK) -> Refusal | None:
    return check.check(text, channel).refusal


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u200b", " \ufeff"])
def test_what_nobody_can_see_is_empty(text: str) -> None:
    assert refusal(text) is Refusal.EMPTY


@pytest.mark.parametrize(
    ("channel", "most"),
    [
        (ChannelName.WEB, 2000),
        (ChannelName.WECHAT, 600),
        (ChannelName.VOICE, 200),
        (ChannelName.SMS, 4 * 67 - len("【测试】")),
    ],
)
def test_each_channel_has_its_length(channel: ChannelName, most: int) -> None:
    fits, longer = CHECK.check("字" * most, channel), CHECK.check("字" * (most + 1), channel)
    assert (fits.refusal, fits.characters, fits.limit) == (None, most, most)
    assert (longer.refusal, longer.characters, longer.limit) == (Refusal.TOO_LONG, most + 1, most)


@pytest.mark.parametrize(("characters", "parts"), [(1, 1), (66, 1), (67, 2), (130, 2), (131, 3), (264, 4), (265, 5)])
def test_an_sms_is_counted_in_parts_with_its_signature(characters: int, parts: int) -> None:
    assert CHECK.check("字" * characters, ChannelName.SMS).parts == parts
    assert CHECK.check("字" * characters, ChannelName.WEB).parts == 0


def test_a_wechat_bubble_is_bounded_by_bytes_too() -> None:
    wide = CHECK.check(EMOJI * 520, ChannelName.WECHAT)
    assert (wide.refusal, wide.characters, wide.limit) == (Refusal.TOO_LONG, 520, 512)
    assert refusal(EMOJI * 512, ChannelName.WECHAT) is None


@given(st.text(max_size=700), st.sampled_from(ChannelName))
@example(EMOJI * 132, ChannelName.SMS)
@example("\ud800" * 700, ChannelName.WECHAT)
def test_what_is_too_long_is_longer_than_the_limit_that_is_shown(text: str, channel: ChannelName) -> None:
    seen = CHECK.check(text, channel)
    assert (seen.characters > seen.limit) == (seen.refusal is Refusal.TOO_LONG) or seen.refusal is Refusal.EMPTY
    if channel is ChannelName.SMS and seen.characters <= seen.limit:
        assert seen.parts <= 4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"您的证件号是{ID_NUMBER}对吗", ("id_number",)),
        (f"回电{MOBILE}", ("phone",)),
        (f"卡号{CARD}，手机{MOBILE}", ("card", "phone")),
        ("密码是123456", ("pin",)),
        ("请打一三八零零一三五六七八", ("phone",)),
    ],
)
def test_a_personal_number_is_named_and_masked(text: str, found: tuple[str, ...]) -> None:
    seen = CHECK.check(text, ChannelName.WEB)
    assert (seen.refusal, seen.found) == (Refusal.PERSONAL, found)
    assert seen.masked == redact(text, mask()).text != text


@pytest.mark.parametrize("text", ["请拨打12329", "12345也可以", "每月2000元，自2026年7月1日起", f"窗口电话{COUNTER}。"])
def test_the_centres_own_numbers_may_be_said(text: str) -> None:
    seen = PUBLISHED.check(text, ChannelName.WEB)
    assert (seen.refusal, seen.masked) == (None, text)


def test_a_published_address_may_be_said_and_another_not() -> None:
    seen = PUBLISHED.check(f"发到{BOX}，不是chen@example.com", ChannelName.WEB)
    assert (seen.found, seen.masked) == (("email",), f"发到{BOX}，不是{mask().email}")


@pytest.mark.parametrize("text", [f"{COUNTER}12", f"44010{COUNTER}", f"1{COUNTER} 20", f"x{BOX}", f"{BOX}a"])
def test_a_published_number_inside_a_longer_one_covers_nothing(text: str) -> None:
    assert PUBLISHED.check(text, ChannelName.WEB).masked == redact(text, mask()).text


def test_what_is_published_later_may_be_said_from_then_on() -> None:
    catalogues = [with_numbers(COUNTER)]
    check = DraftCheck(lambda: catalogues[-1])
    assert refusal("问020-83645678", check=check) is Refusal.PERSONAL
    catalogues.append(with_numbers(COUNTER, "020-83645678"))
    assert refusal("问020-83645678", check=check) is None


def test_figures_and_dates_in_answers_are_no_numbers_of_the_centre() -> None:
    assert published_numbers(with_numbers("2026-07-01 2026-12-31", "12329", "2000 3000", CARD)) == frozenset()


@given(
    before=st.text(st.characters(exclude_categories=["N", "L", "Co"]), max_size=20),
    number=st.sampled_from(PERSONAL),
    after=st.text(st.characters(exclude_categories=["N", "L", "Co"], exclude_characters="-–—. \t@_%+"), max_size=20),
    channel=st.sampled_from(ChannelName),
)
def test_no_personal_number_is_left_in_the_masked_text(
    before: str, number: str, after: str, channel: ChannelName
) -> None:
    text = f"{before.rstrip('-–—. @_%+')}，{number}，{COUNTER}{after}"
    seen = PUBLISHED.check(text, channel)
    assert number not in seen.masked
    assert COUNTER in seen.masked
    assert seen.refusal in (Refusal.PERSONAL, Refusal.TOO_LONG)


@pytest.mark.parametrize(
    "text",
    [
        "你这人真是傻逼",
        "你 这 个 蠢 货",
        "您放心，保证能批",
        "材料不全也没关系，一定给您办下来",
        "您可以走后门",
        "爱找谁找谁",
        "这事你别信银行",
        "把验证码发给我",
        "ＰＳ：傻ｘ",
        "这个不难。保证通过",
    ],
)
def test_what_may_not_be_said_is_refused_and_named(text: str) -> None:
    seen = CHECK.check(text, ChannelName.WECHAT)
    assert seen.refusal is Refusal.SENSITIVE
    assert seen.found


def test_the_word_is_named_as_it_stands_in_the_list() -> None:
    assert unsayable("保 证 能 批！绝对没问题") == ("保证能批", "绝对没问题")


@pytest.mark.parametrize(
    "text",
    [
        "我们不能保证通过，要看审核",
        "没有人能保证批下来",
        "请不要把验证码发给我，也不要告诉别人",
        "不用托关系，按规定办",
        "办理不收好处费",
        "他妈妈的公积金",
        "请您提供亲属关系证明",
    ],
)
def test_an_honest_sentence_with_such_words_may_be_said(text: str) -> None:
    assert refusal(text) is None


def answers(centre: str) -> Iterator[tuple[str, ChannelName, str]]:
    catalogue = load(ROOT / "knowledge_base", centre=centre)
    for matter in catalogue.matters.values():
        for aspect in matter.aspects.values():
            for channel in ChannelName if aspect.answered else ():
                try:
                    said = render(catalogue, matter, aspect, channel=channel.value, on=date(2026, 11, 25))
                except NotInForce:
                    continue
                yield f"{matter.code}.{aspect.key}", channel, said.text


@pytest.mark.parametrize("centre", ["guangzhou", "wuhu"])
def test_every_approved_answer_may_be_sent_as_it_is(centre: str) -> None:
    catalogue = load(ROOT / "knowledge_base", centre=centre)
    check = DraftCheck(lambda: catalogue)
    refused = [
        (entry, channel, seen.refusal, seen.found)
        for entry, channel, text in answers(centre)
        if (seen := check.check(text, channel)).refusal is not None
    ]
    assert refused == []
