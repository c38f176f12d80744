"""The dialogue Rasa leads, over loopback HTTP."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

import httpx

from hotline.dialogue.wire import WrongShape, from_messages
from hotline.domain.messages import TurnRequest, TurnResult
from hotline.errors import TemporaryError
from hotline.settings import RasaSettings

PATH = "/webhooks/gateway/turn"
CONNECTIONS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30.0)


class RasaDialogue:
    """Dialogue by the Rasa core. Use as an async context manager, or call `aclose`."""

    def __init__(self, settings: RasaSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=settings.url,
            headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
            timeout=httpx.Timeout(settings.timeout_s),
            limits=CONNECTIONS,
            transport=transport,
            trust_env=False,  # a proxy of the machine has no business between two processes of one machine
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """No connection stays open."""
        await self._client.aclose()

    async def respond(self, request: TurnRequest) -> TurnResult:
        """Rasa's answer. Raises TemporaryError for anything that is not one, within the time limit."""
        started = time.perf_counter()
        answer = await self._ask(request)
        ms = answer.get("ms") if isinstance(answer.get("ms"), dict) else {}
        whole = round((time.perf_counter() - started) * 1000, 2)
        try:
            return from_messages(answer.get("messages"), answer.get("turn", {}), {**(ms or {}), "rasa": whole})
        except WrongShape as error:
            raise TemporaryError(f"Rasa's answer is unusable: {error}") from error

    async def _ask(self, request: TurnRequest) -> dict[str, Any]:
        try:
            response = await self._client.post(PATH, json=_body(request))
            response.raise_for_status()
            answer = response.json()
        except httpx.HTTPStatusError as error:
            raise TemporaryError(f"Rasa answered {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise TemporaryError(f"Rasa did not answer: {type(error).__name__}") from error
        except ValueError as error:
            raise TemporaryError("Rasa's answer is not JSON") from error
        if not isinstance(answer, dict):
            raise TemporaryError("Rasa's answer is not an object")
        return answer


def _body(request: TurnRequest) -> dict[str, Any]:
    return {
        "conversation_id": request.conversation_id,
        "message_id": request.message_id,
        "kind": request.kind.value,
        "text": request.text,
        "channel": request.channel.value,
        "locale": request.locale,
        "as_of": request.as_of.isoformat() if request.as_of else None,
    }
