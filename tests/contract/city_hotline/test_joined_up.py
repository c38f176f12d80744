"""The exchange on the gateway's real application: from the city hotline to the citizen's telephone and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hotline.domain.work_orders import Visit
from hotline.exchange.http import HttpCityHotline
from sandbox.city_hotline.app import create_app as create_city
from sandbox.city_hotline.config import CityConfig
from tests.core_kit import Kit, core_kit
from tests.work_order_kit import DONE, LI
from web.app import create_app

pytestmark = pytest.mark.anyio

MOBILE = "13800138000"
SMS = "/channels/sms?id={number}&from=%2B86" + MOBILE


@dataclass
class Town:
    """The gateway, the city hotline and a citizen with a telephone."""

    kit: Kit
    gateway: httpx.AsyncClient
    city: httpx.AsyncClient
    messages: int = 0

    async def control(self, what: str, **form: object) -> Any:
        return (await self.city.post(f"/control/{what}", json=form)).json()

    async def texts(self, text: str) -> str:
        """What the citizen is answered by SMS."""
        self.messages += 1
        return (await self.gateway.post(SMS.format(number=self.messages), content=text.encode())).text


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with core_kit(tmp_path) as kit:
        gateway = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(kit.core.settings, kit.core)), base_url="http://gateway"
        )
        app: FastAPI = create_city(CityConfig(gateway_url="http://gateway"), client=gateway)
        there = HttpCityHotline(
            kit.core.settings.city_hotline.model_copy(update={"base_url": "http://city"}),
            transport=httpx.ASGITransport(app),
        )
        kit.core.city.tell = there.tell  # type: ignore[method-assign]
        async with gateway, httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city") as city:
            yield Town(kit, gateway, city)
        await there.close()
        await kit.core.city.close()


async def test_an_order_of_the_city_hotline_is_worked_on_asked_for_told_and_reported_back(town: Town) -> None:
    form = {"type": "complaint", "text": "窗口柜员态度差", "mobile": MOBILE, "copies": 3}
    told = await town.control("deliver", **form)
    assert sorted(each["status"] for each in told) == [200, 200, 201]
    number, desk = told[0]["answer"]["number"], town.kit.core.orders.desk
    assert f"工单{number}已登记" in await town.texts(f"{number.lower()} 到哪了")
    accepted = await desk.accept(number, version=1, by=LI)
    begun = await desk.start(number, version=accepted.version, by=LI)
    done = await desk.conclude(number, version=begun.version, by=LI, conclusion=DONE)
    await town.kit.housekeep()
    told_by_sms = [reply.text for sent in town.kit.channels["sms"].sent for reply in sent.replies]  # type: ignore[index]
    assert told_by_sms == [f"工单{number}已办结：{DONE.done}"]
    [known] = (await town.city.get("/control/orders")).json()["orders"]
    assert [each["state"] for each in known["updates"]] == ["accepted", "in_progress", "concluded"]
    bad = Visit(rating=1, reason="还没有道歉")
    await desk.visit(number, version=done.version, by=LI, visit=bad)
    assert "正在重新办理" in await town.texts(number)
    await town.kit.housekeep()
    assert (await town.city.get("/control/orders")).json()["orders"][0]["state"] == "reopened"


async def test_a_number_of_somebody_else_is_not_told_to_this_telephone(town: Town) -> None:
    told = await town.control("deliver", type="consult", text="异地贷款怎么办", mobile="13900139000")
    answer = await town.texts(told[0]["answer"]["number"])
    assert "没有查到您的这个工单" in answer
    assert town.kit.dialogue.asked == []
