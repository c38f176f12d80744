"""Today's calls on the wall."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hotline.settings import TelephoneSettings
from tests.fake_calls import DAY, NOTHING
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.call_kit import Exchange
from web.supervisor.hotline import hotline_today

pytestmark = pytest.mark.anyio


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(FakeDesk(now=datetime(2026, 11, 25, 9, 0, tzinfo=UTC)))


async def test_wall_tells_figures_with_their_definitions(exchange: Exchange) -> None:
    exchange.calls.busy_day()
    async with exchange.visited_by("lin") as lin:
        html = (await lin.get("/supervisor/wall")).text
    for name, value in (
        ("呼入量", "412"),
        ("自助服务量", "214"),
        ("放弃量", "12"),
        ("15秒接起率", "77"),
        ("平均等待", "0:11"),
    ):
        assert re.search(rf'<dt>{name}</dt><dd><b class="value">{value}<', html), name
    assert html.count("15秒接起量 ÷ 人工请求量") == 2, "as a tooltip and in the legend"
    assert html.count('class="bar-calls"') == 9
    assert "10 时 74 通（放弃 4）" in html


async def test_share_below_the_standard_warns(exchange: Exchange) -> None:
    low, high = (hotline_today(replace(DAY, within_15_s=share), {}) for share in (100, 165))
    assert [each.warns for each in low.figures].count(True) == 1
    assert not any(each.warns for each in high.figures)


async def test_wall_without_calls_and_without_a_line_has_no_hotline(exchange: Exchange) -> None:
    exchange.settings = TelephoneSettings(line="none")
    async with exchange.visited_by("lin") as lin:
        assert "今日热线" not in (await lin.get("/supervisor/wall")).text


async def test_line_without_calls_is_shown_empty(exchange: Exchange) -> None:
    async with exchange.visited_by("lin") as lin:
        html = (await lin.get("/supervisor/wall")).text
    assert "今日热线" in html
    assert "还没有来电" in html
    assert 'class="bar-calls"' not in html


async def test_day_is_counted_over_seldom(exchange: Exchange) -> None:
    exchange.calls.busy_day()
    async with exchange.visited_by("lin") as lin:
        for _ in range(3):
            await lin.get("/supervisor/wall")
    assert exchange.calls.counted == 1


def test_chart_has_the_office_hours_and_those_with_calls() -> None:
    today = hotline_today(DAY, {6: replace(NOTHING, calls=1), 20: replace(NOTHING, calls=4, abandoned=4)})
    assert [bar.hour for bar in today.bars] == list(range(6, 21))
    last = today.bars[-1]
    assert last.height == last.abandoned_height == 64
    assert len({bar.x for bar in today.bars}) == len(today.bars)
