"""How the stand-in for Twilio hears keys: one after the other, until the gather has what it wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from sandbox.twilio import router
from sandbox.twilio_parties import Account

pytestmark = pytest.mark.anyio
ACCOUNT = Account(sid="AC1", token="t", number="+8612329", gateway="http://gateway.example")
EMPTY = 'actionOnEmptyResult="true"'


class Gateway:
    """Answers the first request with ``document`` and every later one with a gather for one key."""

    def __init__(self, document: str) -> None:
        self.document = document
        self.forms: list[dict[str, str]] = []

    @property
    def entries(self) -> list[tuple[str | None, str | None]]:
        return [(form.get("Digits"), form.get("FinishedOnKey")) for form in self.forms[1:]]

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/{path:path}")
        async def hook(path: str, request: Request) -> Response:
            self.forms.append({key: str(value) for key, value in (await request.form()).items()})
            next_one = '<Response><Gather input="dtmf" numDigits="1" finishOnKey="" action="/next"/></Response>'
            return Response(self.document if len(self.forms) == 1 else next_one, media_type="text/xml")

        return app


class Phone:
    def __init__(self, client: httpx.AsyncClient, call: str) -> None:
        self._client = client
        self._call = call

    async def does(self, what: str, status: int = 200, **given: str) -> dict[str, Any]:
        response = await self._client.post(f"/twilio/sandbox/call/{what}", json={"call_sid": self._call} | given)
        assert response.status_code == status, response.text
        return dict(response.json())


@pytest.fixture
async def dial() -> AsyncIterator[Any]:
    clients: list[httpx.AsyncClient] = []

    async def start(attributes: str, after: str = "") -> tuple[Phone, Gateway]:
        gateway = Gateway(f'<Response><Gather action="/keys" {attributes}/>{after}</Response>')
        app = FastAPI()
        app.include_router(router(ACCOUNT, transport=httpx.ASGITransport(gateway.app())))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.example")
        clients.append(client)
        told = (await client.post("/twilio/sandbox/call/start", json={})).json()
        return Phone(client, told["call_sid"]), gateway

    yield start
    for client in clients:
        await client.aclose()


async def test_keys_one_by_one_are_one_entry(dial: Any) -> None:
    phone, gateway = await dial('input="dtmf" numDigits="6"')
    for key in "24681":
        assert (await phone.does("press", digits=key))["state"] == "listening"
    assert gateway.entries == []
    await phone.does("press", digits="0")
    assert gateway.entries == [("246810", "")]


async def test_the_finishing_key_ends_an_entry_and_is_no_part_of_it(dial: Any) -> None:
    phone, gateway = await dial('input="dtmf" numDigits="19"')
    await phone.does("press", digits="2468")
    await phone.does("press", digits="10#77")
    assert gateway.entries == [("246810", "#")]


async def test_another_finishing_key_and_none_at_all(dial: Any) -> None:
    phone, gateway = await dial('input="dtmf" finishOnKey="*"')
    await phone.does("press", digits="1#2*")
    assert gateway.entries == [("1#2", "*")]
    phone, gateway = await dial('input="dtmf" numDigits="3" finishOnKey=""')
    await phone.does("press", digits="#*0")
    assert gateway.entries == [("#*0", "")]


async def test_more_keys_than_wanted_are_not_heard(dial: Any) -> None:
    phone, gateway = await dial('input="speech dtmf" numDigits="1" finishOnKey=""')
    await phone.does("press", digits="0123")
    assert gateway.entries == [("0", "")]


async def test_a_pause_ends_an_entry_by_itself(dial: Any) -> None:
    phone, gateway = await dial('input="dtmf" numDigits="6" timeout="0.2"')
    await phone.does("press", digits="12")
    await asyncio.sleep(0.1)
    await phone.does("press", digits="3")
    await asyncio.sleep(0.12)
    assert gateway.entries == []
    await asyncio.sleep(0.2)
    assert gateway.entries == [("123", "")]
    await asyncio.sleep(0.2)
    assert len(gateway.entries) == 1


async def test_a_pause_that_is_played_ends_it_at_once(dial: Any) -> None:
    phone, gateway = await dial(f'input="dtmf" numDigits="6" {EMPTY}')
    await phone.does("press", digits="12")
    await phone.does("silence")
    assert gateway.entries == [("12", "")]


async def test_the_finishing_key_alone_is_an_empty_entry(dial: Any) -> None:
    phone, gateway = await dial(f'input="dtmf" {EMPTY}')
    await phone.does("press", digits="#")
    assert gateway.entries == [("", "#")]


async def test_silence_without_an_action_goes_on_in_the_document(dial: Any) -> None:
    phone, _ = await dial('input="speech dtmf"', after="<Say>再见</Say>")
    told = await phone.does("silence")
    assert told["state"] == "ended"
    assert [each["text"] for each in told["heard"]] == ["再见"]


async def test_words_are_not_heard_where_keys_alone_are_collected(dial: Any) -> None:
    phone, gateway = await dial('input="dtmf" numDigits="18"')
    await phone.does("say", status=409, text="四三零一")
    assert gateway.entries == []


async def test_words_put_unfinished_keys_aside(dial: Any) -> None:
    phone, gateway = await dial('input="speech dtmf"')
    await phone.does("press", digits="12")
    await phone.does("say", text="租房")
    assert gateway.forms[-1]["SpeechResult"] == "租房"
    await phone.does("press", digits="3")
    assert gateway.entries[-1] == ("3", "")


async def test_hanging_up_ends_an_entry_unheard(dial: Any) -> None:
    phone, gateway = await dial('input="dtmf" numDigits="6" timeout="0.1"')
    await phone.does("press", digits="12")
    await phone.does("hangup")
    await asyncio.sleep(0.2)
    assert gateway.forms[-1]["CallStatus"] == "completed"
    assert all("Digits" not in form for form in gateway.forms)
