"""A gateway of a few lines for the platform to push to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio
import httpx

from sandbox.config import SandboxConfig
from sandbox.wechat_crypto import encrypt, sign
from sandbox.wechat_push import opened

OPENID = "oSbx_chen_xiaoshan_000000001"
CONFIG = SandboxConfig(gateway_url="http://gateway.test", push_timeout_s=0.3)


def sealed_reply(fields: Mapping[str, str]) -> str:
    """What a right server answers."""
    inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    encrypted = encrypt(f"<xml>{inner}</xml>", aes_key=CONFIG.aes_key, app_id=CONFIG.app_id)
    signature = sign(CONFIG.token, "1", "n", encrypted)
    return (
        f"<xml><Encrypt>{encrypted}</Encrypt><MsgSignature>{signature}</MsgSignature>"
        "<TimeStamp>1</TimeStamp><Nonce>n</Nonce></xml>"
    )


def text_reply(text: str, *, to: str = OPENID) -> str:
    return sealed_reply({"ToUserName": to, "FromUserName": CONFIG.original_id, "MsgType": "text", "Content": text})


@dataclass(slots=True)
class Gateway:
    """Remembers what it was pushed and answers as told: a body, a status, a delay or a fault."""

    answers: list[str | int | float | Exception] = field(default_factory=list)
    messages: list[dict[str, str]] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.queries.append(query)
        if request.method == "GET":
            return httpx.Response(200, text=query["echostr"])
        envelope = request.content.decode().replace(
            "</xml>",
            f"<MsgSignature>{query['msg_signature']}</MsgSignature><TimeStamp>{query['timestamp']}</TimeStamp>"
            f"<Nonce>{query['nonce']}</Nonce></xml>",
        )
        self.messages.append(opened(CONFIG, envelope))
        answer = self.answers.pop(0) if self.answers else "success"
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            await anyio.sleep(answer)
            return httpx.Response(200, text="success")
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, text=answer)
