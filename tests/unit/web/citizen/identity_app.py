"""The identity pages over identity in memory, with the chat page and the sandbox phone beside them:

``PORT=8000 uvicorn --app-dir tests/unit/web/citizen --factory identity_app:create_app``

``POST /fake/refuse?step=prove&reason=locked&wait_s=600`` makes the next step fail.
"""

from __future__ import annotations

import os

import httpx
from dev_app import CENTRE
from fake_chats import FakeChats
from fake_identification import FakeIdentification
from fastapi import FastAPI

from hotline.domain.identity import IdentityRefused, Refusal
from hotline.settings import GatewaySettings, IdentitySettings, Settings, WeChatSettings
from sandbox.app import create_app as create_sandbox
from sandbox.config import SandboxConfig
from web.citizen.assets import static_files
from web.citizen.identity import identity_router
from web.citizen.routes import router
from web.citizen.wechat_oauth import WeChatOAuth


def create_app() -> FastAPI:
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    settings = Settings(
        gateway=GatewaySettings(public_url=url),
        identity=IdentitySettings(wechat_oauth_url=f"{url}/connect/oauth2/authorize"),
        wechat=WeChatSettings(api_base=f"{url}/wechat"),
    )
    sandbox = create_sandbox(SandboxConfig(gateway_url=url))
    identification = FakeIdentification(openid=os.environ.get("OPENID", FakeIdentification.openid))
    app = FastAPI(openapi_url=None)
    app.mount("/static", static_files())
    app.include_router(router(FakeChats(), settings, centre=CENTRE))
    wechat = WeChatOAuth(settings, transport=httpx.ASGITransport(sandbox))
    app.include_router(identity_router(identification, settings, centre=CENTRE, wechat=wechat))

    @app.post("/fake/refuse")
    async def refuse(step: str, reason: Refusal, wait_s: int = 0, tries: int | None = None) -> None:
        identification.refusals[step].append(IdentityRefused(reason, wait_s=wait_s, attempts_left=tries))

    @app.get("/fake/counts")
    async def counts() -> dict[str, int]:
        return {step: len(told) for step, told in identification.said.items()}

    @app.post("/fake/say")
    async def say(openid: str, text: str) -> None:
        """The account says something to a follower."""
        chat = sandbox.state.platform.chat(openid)
        chat.set_follows(True)
        chat.add("account", text)

    app.mount("/", sandbox)
    return app
