"""The stand-in for Twilio, in front of a gateway made of the real channels and a ten-line core."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator

from channels.sms.channel import SmsChannel
from channels.voice.channel import VoiceChannel
from hotline.domain.messages import Inbound, InboundKind, Reply
from hotline.ports import Channel, RefusedRequest, WebhookRequest
from hotline.settings import TwilioSettings
from sandbox.twilio import router
from sandbox.twilio_parties import Account, sign

pytestmark = pytest.mark.anyio
BASE = "http://gateway.example"
SETTINGS = TwilioSettings(reply_wait_s=0.3)
ACCOUNT = Account(
    sid=SETTINGS.account_sid, token=SETTINGS.auth_token.get_secret_value(), number=SETTINGS.number, gateway=BASE
)
REST = f"/twilio/2010-04-01/Accounts/{ACCOUNT.sid}"
AUTH = (ACCOUNT.sid, ACCOUNT.token)


class Core:
    """Answers every message once and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Inbound] = []
        self.refused: list[str] = []
        self.reports: list[str] = []
        self.answers: dict[str, asyncio.Task[tuple[Reply, ...]]] = {}

    async def answer(self, inbound: Inbound, *, wait_s: float) -> tuple[Reply, ...] | None:
        if inbound.external_id not in self.answers:
            self.asked.append(inbound)
            self.answers[inbound.external_id] = asyncio.create_task(self._think(inbound))
        try:
            return await asyncio.wait_for(asyncio.shield(self.answers[inbound.external_id]), wait_s)
        except TimeoutError:
            return None

    async def _think(self, inbound: Inbound) -> tuple[Reply, ...]:
        if inbound.kind is not InboundKind.TEXT:
            return ()
        await asyncio.sleep(0.5 if "慢" in inbound.text else 0)
        return (Reply(text=f"您说：{inbound.text}。", ends_call="再见" in inbound.text),)


def gateway(core: Core) -> FastAPI:
    app = FastAPI()
    channels: dict[str, Channel] = {
        "sms": SmsChannel(SETTINGS, BASE, signature="广州公积金"),
        "voice": VoiceChannel(SETTINGS, BASE, centre="广州公积金"),
    }

    @app.post("/channels/{name}")
    @app.post("/channels/{name}/status")
    async def hook(name: str, request: Request) -> Response:
        channel = channels[name]
        seen = WebhookRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            query=dict(request.query_params),
            body=await request.body(),
        )
        try:
            received = await channel.receive(seen)
        except RefusedRequest as refusal:
            core.refused.append(refusal.reason)
            return Response(refusal.reason, refusal.status)
        replies = None
        if received.inbound is None:
            core.reports.append(seen.body.decode())
        else:
            replies = await core.answer(received.inbound, wait_s=channel.capabilities.reply_wait_s)
        told = channel.respond(received, replies)
        return Response(told.body, told.status, media_type=told.media_type)

    return app


@pytest.fixture
def core() -> Core:
    return Core()


@pytest.fixture
async def phone(core: Core) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(router(ACCOUNT, transport=httpx.ASGITransport(gateway(core))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.example") as client:
        yield client


def test_signature_is_the_one_twilio_publishes() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign(url, form, token="12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_signature_agrees_with_twilios_own_library() -> None:
    url, form = f"{BASE}/channels/voice?turn=1&of=2", {"SpeechResult": "租房 & 购房", "Digits": "", "A": "+1"}
    assert RequestValidator(ACCOUNT.token).validate(url, form, sign(url, form, token=ACCOUNT.token))
    digest = hmac.new(ACCOUNT.token.encode(), url.encode(), hashlib.sha1).digest()
    assert sign(url, {}, token=ACCOUNT.token) == base64.b64encode(digest).decode()


async def _text(phone: httpx.AsyncClient, text: str, **more: Any) -> dict[str, Any]:
    response = await phone.post("/twilio/sandbox/text", json={"text": text} | more)
    assert response.status_code == 200
    return dict(response.json())


async def test_citizen_reads_the_answer_to_a_text(phone: httpx.AsyncClient, core: Core) -> None:
    told = await _text(phone, "租房能提取吗", **{"from": "+8613700137000"})
    assert told["status"] == 200
    assert [answer["body"] for answer in told["answers"]] == ["【广州公积金】您说：租房能提取吗。"]
    assert told["answers"][0]["parts"] == 1
    assert core.asked[0].contact_key == "+8613700137000"
    outbox = (await phone.get("/twilio/outbox", params={"to": "+8613700137000"})).json()
    assert outbox == told["answers"]
    assert (await phone.get("/twilio/outbox", params={"to": "+8613900139000"})).json() == []


async def test_repeated_text_is_the_same_message(phone: httpx.AsyncClient, core: Core) -> None:
    first = await _text(phone, "租房")
    again = await _text(phone, "租房", sid=first["sid"])
    assert [a["body"] for a in first["answers"]] == [a["body"] for a in again["answers"]]
    assert len(core.asked) == 1


async def test_picture_arrives_as_one(phone: httpx.AsyncClient, core: Core) -> None:
    assert (await _text(phone, "", media=1))["status"] == 200
    assert core.asked[0].kind is InboundKind.UNSUPPORTED


async def test_wrong_secret_is_noticed_by_the_gateway(core: Core) -> None:
    app = FastAPI()
    stranger = Account(sid=ACCOUNT.sid, token="other", number=ACCOUNT.number, gateway=BASE)
    app.include_router(router(stranger, transport=httpx.ASGITransport(gateway(core))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.example") as phone:
        told = await _text(phone, "租房")
    assert (told["status"], told["answers"]) == (403, [])
    assert core.refused == ["wrong signature"]


def _message(**change: str) -> dict[str, str]:
    return {"To": "+8613800138000", "From": ACCOUNT.number, "Body": "【广州公积金】能提取。"} | change


async def test_rest_message_is_kept_and_reported(phone: httpx.AsyncClient, core: Core) -> None:
    callback = f"{BASE}/channels/sms/status?delivery=d1"
    response = await phone.post(f"{REST}/Messages.json", data=_message(StatusCallback=callback), auth=AUTH)
    assert response.status_code == 201
    assert response.json()["status"] == "queued"
    (kept,) = (await phone.get("/twilio/outbox")).json()
    assert (kept["sid"], kept["body"]) == (response.json()["sid"], "【广州公积金】能提取。")
    for _ in range(100):
        if len(core.reports) == 2:
            break
        await asyncio.sleep(0.01)
    assert ["MessageStatus=sent" in core.reports[0], "MessageStatus=delivered" in core.reports[1]] == [True, True]
    assert core.refused == []


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"To": ""}, 21604, 400),
        ({"To": "13800138000"}, 21211, 400),
        ({"To": "+15005550009"}, 21614, 400),
        ({"To": "+15005550004"}, 21610, 400),
        ({"From": "+1"}, 21606, 400),
        ({"Body": ""}, 21602, 400),
        ({"Body": "字" * 1601}, 21617, 400),
    ],
)
async def test_rest_errors_have_twilios_shape(
    phone: httpx.AsyncClient, change: dict[str, str], code: int, status: int
) -> None:
    response = await phone.post(f"{REST}/Messages.json", data=_message(**change), auth=AUTH)
    assert response.status_code == status
    assert response.json()["code"] == code
    assert response.json()["status"] == status
    assert (await phone.get("/twilio/outbox")).json() == []


@pytest.mark.parametrize("auth", [None, (ACCOUNT.sid, "wrong"), ("AC1", ACCOUNT.token)])
async def test_rest_api_wants_the_account(phone: httpx.AsyncClient, auth: tuple[str, str] | None) -> None:
    response = await phone.post(f"{REST}/Messages.json", data=_message(), auth=auth)
    assert (response.status_code, response.json()["code"]) == (401, 20003)


async def test_stopped_number_gets_nothing_until_it_starts_again(phone: httpx.AsyncClient) -> None:
    await _text(phone, "STOP")
    blocked = await phone.post(f"{REST}/Messages.json", data=_message(), auth=AUTH)
    assert blocked.json()["code"] == 21610
    await _text(phone, "START")
    assert (await phone.post(f"{REST}/Messages.json", data=_message(), auth=AUTH)).status_code == 201


async def test_planned_faults_happen_as_often_as_planned(phone: httpx.AsyncClient) -> None:
    await phone.post("/twilio/sandbox/fault", json={"code": 20429, "times": 2})
    codes = [(await phone.post(f"{REST}/Messages.json", data=_message(), auth=AUTH)).status_code for _ in range(3)]
    assert codes == [429, 429, 201]


class Line:
    """A caller at the sandbox."""

    def __init__(self, phone: httpx.AsyncClient) -> None:
        self._phone = phone
        self.sid = ""

    async def start(self, number: str = "+8613800138000") -> dict[str, Any]:
        told = (await self._phone.post("/twilio/sandbox/call/start", json={"from": number})).json()
        self.sid = told["call_sid"]
        return dict(told)

    async def does(self, what: str, **given: Any) -> dict[str, Any]:
        response = await self._phone.post(f"/twilio/sandbox/call/{what}", json={"call_sid": self.sid} | given)
        assert response.status_code == 200, response.text
        return dict(response.json())


def _said(told: dict[str, Any]) -> list[str]:
    return [item["text"] for item in told["heard"] if item["kind"] == "say"]


async def test_caller_is_greeted_and_answered(phone: httpx.AsyncClient, core: Core) -> None:
    line = Line(phone)
    told = await line.start()
    assert told["state"] == "listening"
    assert "不是真人" in _said(told)[0]
    assert _said(await line.does("say", text="租房", confidence=0.3)) == ["您说：租房。"]
    assert _said(await line.does("press", digits="0")) == ["您说：转人工。"]
    assert [one.text for one in core.asked] == ["", "租房", "转人工"]
    assert core.asked[1].meta["unsure"] == "1"


async def test_three_silences_end_the_call_and_the_gateway_knows(phone: httpx.AsyncClient, core: Core) -> None:
    line = Line(phone)
    await line.start()
    states = [(await line.does("silence"))["state"] for _ in range(3)]
    assert states == ["listening", "listening", "ended"]
    assert core.asked[-1].kind is InboundKind.LEAVE


async def test_slow_answer_is_waited_for(phone: httpx.AsyncClient, core: Core) -> None:
    line = Line(phone)
    await line.start()
    said = _said(await line.does("say", text="慢一点"))
    assert "请稍候" in said[0]
    assert said[-1] == "您说：慢一点。"
    assert [one.text for one in core.asked] == ["", "慢一点"]


async def test_key_while_waiting_is_heard(phone: httpx.AsyncClient, core: Core) -> None:
    line = Line(phone)
    await line.start()
    waiting = asyncio.create_task(line.does("say", text="慢"))
    await asyncio.sleep(0.1)
    assert (await line.does("press", digits="0"))["state"] == "speaking"
    assert _said(await waiting)[-1] == "您说：转人工。"
    assert core.asked[-1].meta == {"via": "dtmf"}


async def test_goodbye_hangs_up_and_nothing_follows(phone: httpx.AsyncClient, core: Core) -> None:
    line = Line(phone)
    await line.start()
    assert (await line.does("say", text="再见"))["state"] == "ended"
    assert core.asked[-1].kind is InboundKind.LEAVE
    late = await phone.post("/twilio/sandbox/call/say", json={"call_sid": line.sid, "text": "喂"})
    assert late.status_code == 409


async def test_hanging_up_tells_the_gateway_once(phone: httpx.AsyncClient, core: Core) -> None:
    line = Line(phone)
    await line.start()
    assert (await line.does("hangup"))["state"] == "ended"
    await line.does("hangup")
    assert [one.kind for one in core.asked] == [InboundKind.START, InboundKind.LEAVE]


async def test_withheld_callers_are_kept_apart(phone: httpx.AsyncClient, core: Core) -> None:
    first, second = Line(phone), Line(phone)
    await first.start("")
    await second.start("")
    assert [one.contact_key for one in core.asked] == [first.sid, second.sid]


async def test_rest_call_update_takes_a_live_call_over(phone: httpx.AsyncClient) -> None:
    line = Line(phone)
    await line.start()
    document = "<Response><Say>坐席来了</Say><Hangup/></Response>"
    response = await phone.post(f"{REST}/Calls/{line.sid}.json", data={"Twiml": document}, auth=AUTH)
    assert response.json()["status"] == "completed"
    shown = (await phone.get(f"/twilio/sandbox/call/{line.sid}")).json()
    assert _said(shown)[-1] == "坐席来了"
    unknown = await phone.post(f"{REST}/Calls/CA1.json", data={"Status": "completed"}, auth=AUTH)
    assert unknown.json()["code"] == 20404


async def test_unreachable_gateway_is_told_as_twilio_would() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    app = FastAPI()
    app.include_router(router(ACCOUNT, transport=httpx.MockTransport(refuse)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.example") as phone:
        told = await Line(phone).start()
        assert (await phone.post("/twilio/sandbox/text", json={"text": "租房"})).status_code == 502
    assert told["state"] == "ended"
    assert told["heard"] == [{"kind": "error", "text": "11205 ConnectError"}]


@pytest.mark.parametrize("path", ["/sms-phone", "/call"])
async def test_pages_load_nothing_from_elsewhere(phone: httpx.AsyncClient, path: str) -> None:
    page = await phone.get(path)
    assert page.status_code == 200
    names = [part.split('"')[0] for part in page.text.split('="twilio/static/')[1:]]
    assert len(names) == 2
    for name in names:
        assert (await phone.get(f"/twilio/static/{name}")).status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_account_is_read_from_the_gateways_environment() -> None:
    given = {"GJJ_TWILIO__ACCOUNT_SID": "AC9", "GJJ_GATEWAY__PUBLIC_URL": "https://hotline.example/"}
    account = Account.from_environment(given)
    assert (account.sid, account.gateway) == ("AC9", "https://hotline.example")
    defaults = TwilioSettings()
    assert Account.from_environment({}).token == defaults.auth_token.get_secret_value()
    assert Account.from_environment({}).number == defaults.number
