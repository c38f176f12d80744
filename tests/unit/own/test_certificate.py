"""Certificates: a link for who is proven, never a file in the chat."""

from __future__ import annotations

import pytest

from hotline.domain.fund import CertificateKind
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from tests.own_kit import DOWNLOAD, labels_of, text_of
from tests.unit.own.kit import PAGES, a_fund, a_match, at_counter, spoken_badly

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("channel", PAGES)
async def test_a_proven_person_gets_a_link_and_the_other_kind_is_offered(channel: ChannelName) -> None:
    counter = at_counter(channel=channel)
    result = await counter.says("开缴存证明", "get_certificate")
    download, other = result.replies[-1].choices
    assert (download.label, download.url) == ("下载证明", f"{DOWNLOAD}/{CertificateKind.DEPOSIT}")
    assert (other.label, other.url) == ("开异地贷款缴存使用证明", "")
    assert "10分钟内有效、只能打开一次" in text_of(result)
    assert counter.fund.calls == ["accounts"]


@pytest.mark.parametrize("words", ["我要异地贷款证明", "开异地贷款缴存使用证明"])
async def test_the_certificate_for_another_city_is_recognised(words: str) -> None:
    result = await at_counter().says(words, "get_certificate")
    assert result.replies[-1].choices[0].url.endswith(CertificateKind.OTHER_CITY_LOAN)
    assert result.matter == "loan-other-city-certificate"


async def test_the_matter_says_which_kind_where_the_words_do_not() -> None:
    match = a_match("开那个证明", "loan-other-city-certificate")
    result = await at_counter().says("开那个证明", "get_certificate", match=match)
    assert result.replies[-1].choices[0].url.endswith(CertificateKind.OTHER_CITY_LOAN)


@pytest.mark.parametrize("channel", PAGES)
async def test_being_bound_is_not_enough(channel: ChannelName) -> None:
    counter = at_counter(channel=channel, level=Level.BOUND)
    result = await counter.says("开缴存证明", "get_certificate")
    assert result.outcome is Outcome.CLARIFIED
    assert labels_of(result) == ["验证身份"]
    assert counter.fund.calls == []


async def test_a_caller_is_told_where_to_fetch_it() -> None:
    result = await at_counter(channel=ChannelName.VOICE).says("开缴存证明", "get_certificate")
    assert text_of(result) == "住房公积金缴存证明要在微信公众号或网页里下载，请到那里说“开证明”。"
    assert not spoken_badly(result)


async def test_without_an_account_there_is_no_certificate() -> None:
    result = await at_counter(a_fund(accounts=[])).says("开缴存证明", "get_certificate")
    assert text_of(result).startswith("不能开：没有查到您名下的公积金账户")
    assert labels_of(result) == []
