"""The citizen page over the in-memory core, for working on the page and for the browser tests:

``uvicorn --app-dir tests/unit/web/citizen --factory dev_app:create_app``
"""

from __future__ import annotations

import os

from fake_chats import FakeChats
from fastapi import FastAPI

from hotline.settings import GatewaySettings, Settings
from knowledge_base.model import Centre
from web.citizen.assets import static_files
from web.citizen.limits import ChatLimits, Rate
from web.citizen.routes import router

CENTRE = Centre(code="guangzhou", name="广州住房公积金管理中心", city="广州", sms_signature="广州公积金")
GENEROUS = Rate(burst=1000, per_s=1000)


def create_app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    chats = FakeChats(delay_s=float(os.environ.get("FAKE_DELAY_S", "0.3")))
    settings = Settings(gateway=GatewaySettings(public_url="http://127.0.0.1"))
    limits = ChatLimits(messages_of_visitor=GENEROUS, messages_of_address=GENEROUS)
    app.mount("/static", static_files())
    app.include_router(router(chats, settings, centre=CENTRE, limits=limits))
    return app
