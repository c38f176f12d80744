"""The pages of work orders over SQLite and a desk in memory, for working on them and for the browser tests:

``uvicorn --app-dir tests/unit/web/work_orders --factory orders_app:create_app``
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI, Request
from PIL import Image
from starlette.responses import JSONResponse, Response

from hotline.domain.desk import Group
from hotline.domain.work_orders import OrderType, Priority, Source, WorkOrder
from tests.fake_desk import FakeDesk
from tests.unit.web.work_orders.orders_kit import CHEN, LIN, WANG, add_conversation, build
from tests.work_order_kit import HE, PHONE, OrderKit, add_persons, as_stream, build_kit, sqlite_in

RUDE = (
    "昨天上午在天河管理部办租房提取，排了一个多小时，3号窗口的柜员说材料不全，第一次没有说要带无房证明，"
    "第二次去又说复印件不清楚。跑了三趟，态度很不耐烦。请核实并给个说法。"
)


def create_app() -> FastAPI:
    """With doors for tests to play colleagues: ``POST /fake/ACT`` with its parameters in the query."""
    desk = FakeDesk()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory(prefix="orders-pages-") as folder:
            kit = build_kit(await sqlite_in(Path(folder)), Path(folder))
            await _fill(kit)
            app.include_router(_doors(desk, kit).router)
            app.router.routes.extend(build(desk, kit).router.routes)
            yield
            await kit.database.close()

    return FastAPI(openapi_url=None, lifespan=lifespan)


def _doors(desk: FakeDesk, kit: OrderKit) -> FastAPI:
    doors = FastAPI(openapi_url=None)

    @doors.post("/fake/{act}")
    async def play(act: str, request: Request) -> Response:
        given, number = dict(request.query_params), request.query_params.get("number", "")
        if act == "open":
            kind = OrderType(given.get("type", "complaint"))
            order = await kit.open(given["text"], type=kind, person_id=HE, contact=PHONE)
            return JSONResponse({"number": order.number})
        if act == "accept":
            version = (await kit.services.desk.view(number, by=LIN)).order.version
            await kit.services.desk.accept(number, version=version, by=CHEN)
        elif act == "tell":
            await desk.tell("order", number=number)
        return Response(status_code=204)

    @doors.get("/fake/state/{number}")
    async def state(number: str) -> Response:
        view = await kit.services.desk.view(number, by=LIN)
        order = view.order
        told = {"state": order.state, "owner": order.owner, "group": order.group, "version": order.version}
        return JSONResponse({**told, "text": order.text, "files": [each.name for each in view.files]})

    return doors


async def _fill(kit: OrderKit) -> None:
    """Orders of every kind, some of them late."""
    await add_persons(kit.database)
    await add_conversation(kit)
    now = datetime.now(UTC)
    kit.clock.now = now
    for days, text, changes in (
        (9, "贷款审批等了三周没有消息，请催办。", {"type": OrderType.APPEAL, "source": Source.CITY_HOTLINE}),
        (4, "建议网上大厅增加提取进度推送。", {"type": OrderType.SUGGESTION, "source": Source.BOT}),
        (1, "有人在小区门口发传单，说可以代办提取，收两成手续费。", {"type": OrderType.FRAUD_REPORT}),
        (0, "越秀管理部的小李很耐心，帮我把材料一次办齐了。", {"type": OrderType.PRAISE, "matter": ""}),
    ):
        kit.clock.now = now
        kit.clock.forward(days=-days)
        await kit.open(text, **{"person_id": HE, **changes})
    kit.clock.now = now
    kit.clock.forward(days=-2)
    await _worked_on(kit)
    kit.clock.now = now
    await kit.until_quiet()


async def _worked_on(kit: OrderKit) -> WorkOrder:
    desk = kit.services.desk
    order = await kit.open(RUDE, person_id=HE, contact=PHONE, priority=Priority.URGENT, source=Source.CALLBACK)
    order = await desk.assign(order.number, version=1, by=LIN, owner="wang", group=Group.COMPLAINT)
    kit.clock.forward(hours=3)
    order = await kit.in_progress(order, by=WANG)
    await desk.note(order.number, by=WANG, text="已调取 3 号窗口当天的录像，联系了天河管理部陈主任，下午回话。")
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    await kit.services.evidence.add(order.number, "排队取号单.png", as_stream(out.getvalue()), by=WANG)
    secret = await kit.open("举报某中介伪造租赁合同提取公积金。", confidential=True, type=OrderType.FRAUD_REPORT)
    await desk.assign(secret.number, version=1, by=LIN, owner="wang", group=Group.COMPLAINT)
    return order
