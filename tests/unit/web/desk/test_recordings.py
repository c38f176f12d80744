"""Recordings at the desk: who may hear them, why, and the browser phone's headers and password."""

from __future__ import annotations

import re

import pytest

from hotline.errors import ConfigError
from tests.fake_calls import tone
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.call_kit import PHONE_URL, Exchange
from tests.unit.web.desk.desk_kit import visiting
from web.desk.headers import checked_phone_url

pytestmark = pytest.mark.anyio
SOUND = "/desk/recordings/call-c-call.wav"


@pytest.fixture
def exchange(desk: FakeDesk) -> Exchange:
    exchange = Exchange(desk)
    exchange.calls.ends("c-call", desk.clock())
    return exchange


@pytest.mark.parametrize("staff", ["wang", "lin", "shen"])
async def test_agent_of_the_call_supervisor_and_auditor_hear_it_and_it_is_on_record(
    exchange: Exchange, staff: str
) -> None:
    async with exchange.visited_by(staff) as member:
        card = await member.get("/desk/c/c-call/recording")
        heard = await member.get(SOUND, purpose="complaint")
    assert 'data-recording="/desk/recordings/call-c-call.wav"' in card.text
    assert re.findall(r'<option value="(\w+)"', card.text) == ["quality", "complaint", "own_check"]
    assert heard.content == tone()
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.headers["x-recording-gaps"] == "0.8,1.5"
    assert heard.headers["cache-control"] == "no-store"
    assert exchange.recordings.looks == [("call-c-call", staff, "complaint")]


async def test_other_agents_and_strangers_hear_nothing(exchange: Exchange) -> None:
    async with exchange.visited_by("chen") as chen, exchange.visited_by("") as nobody:
        assert (await chen.get("/desk/c/c-call/recording")).status_code == 403
        assert (await chen.get(SOUND, purpose="quality")).status_code == 403
        assert (await nobody.get(SOUND, purpose="quality")).status_code == 401
    assert exchange.recordings.looks == []


@pytest.mark.parametrize("purpose", ["", "curiosity", "quality\x00"])
async def test_nothing_is_heard_without_a_purpose_of_the_list(exchange: Exchange, purpose: str) -> None:
    async with exchange.visited_by("lin") as lin:
        answer = await lin.get(SOUND, purpose=purpose)
    assert answer.status_code == 422
    assert answer.json()["message"] == "请先选择听录音的用途。"
    assert exchange.recordings.looks == []


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [("none", 404, "没有录音"), ("gone", 404, "保存期限"), ("unreadable", 500, "损坏"), ("not_allowed", 403, "班长")],
)
async def test_recording_that_cannot_be_played_is_explained(
    exchange: Exchange, code: str, status: int, said: str
) -> None:
    exchange.recordings.refuses = code
    async with exchange.visited_by("lin") as lin:
        answer = await lin.get(SOUND, purpose="quality")
    assert answer.status_code == status
    assert said in answer.json()["message"]


async def test_call_that_goes_on_has_nothing_to_hear_yet(desk: FakeDesk) -> None:
    async with Exchange(desk).visited_by("wang") as wang:
        assert "通话还在进行" in (await wang.get("/desk/c/c-call/recording")).text


async def test_page_of_recordings_is_for_supervisors_and_auditors(exchange: Exchange) -> None:
    async with exchange.visited_by("shen") as shen, exchange.visited_by("lin") as lin:
        page = (await shen.get("/desk/recordings")).text
        assert 'id="find-form"' in page
        assert 'href="/desk"' not in page
        assert 'href="/desk/recordings"' in (await lin.get("/desk")).text
        assert (await shen.get("/desk")).status_code == 303, "the desk itself is not for auditors"
        assert (await shen.get("/desk/c/c-call")).status_code == 401
    async with exchange.visited_by("wang") as wang:
        assert (await wang.get("/desk/recordings")).status_code == 403
        assert 'href="/desk/recordings"' not in (await wang.get("/desk")).text


async def test_history_offers_recordings_of_own_calls_alone(exchange: Exchange) -> None:
    async with exchange.visited_by("wang") as wang, exchange.visited_by("lin") as lin:
        own, every = (await wang.get("/desk/c/c-call")).text, (await lin.get("/desk/c/c-call")).text
    assert 'hx-get="/desk/c/c-call/recording"' in own
    assert 'hx-get="/desk/c/c-901/recording"' not in own, "a colleague has had this one"
    assert 'hx-get="/desk/c/c-901/recording"' in every


# --- the browser phone


async def test_phone_may_connect_to_its_switch_alone_and_ask_for_the_microphone(desk: FakeDesk) -> None:
    async with Exchange(desk).with_browser_phones().visited_by("wang") as wang:
        page, other = await wang.get("/desk"), await wang.get("/desk/c/c-call")
    policy = page.headers["content-security-policy"]
    assert f"connect-src 'self' {PHONE_URL};" in policy
    assert "script-src 'self';" in policy
    assert "media-src 'self' blob:" in policy
    assert "microphone=(self)" in page.headers["permissions-policy"]
    assert 'src="/static/vendor/jssip/jssip.min.js"' in page.text
    assert 'data-extension="8001"' in page.text
    assert other.status_code == 200


@pytest.mark.parametrize(("staff", "browser"), [("zhou", True), ("wang", False)])
async def test_without_extension_or_switch_there_is_no_phone(desk: FakeDesk, staff: str, browser: bool) -> None:
    exchange = Exchange(desk).with_browser_phones() if browser else Exchange(desk)
    async with exchange.visited_by(staff) as member:
        page, given = await member.get("/desk"), await member.post("/desk/phone")
    assert 'id="phone"' not in page.text
    assert "jssip" not in page.text
    assert "connect-src 'self';" in page.headers["content-security-policy"]
    assert "microphone=()" in page.headers["permissions-policy"]
    assert given.status_code == 403


async def test_password_is_given_to_its_own_member_by_a_script_of_ours(desk: FakeDesk) -> None:
    exchange = Exchange(desk).with_browser_phones()
    async with exchange.visited_by("wang") as wang, exchange.visited_by("chen") as chen:
        his, hers = (await wang.post("/desk/phone")).json(), (await chen.post("/desk/phone")).json()
        foreign, page = await wang.post("/desk/phone", token="wrong"), await wang.get("/desk")
    assert his["uri"] == "sip:8001@pbx.example.cn"
    assert his["url"] == PHONE_URL
    assert len(his["password"]) == 32
    assert his["password"] != hers["password"]
    assert foreign.status_code == 403
    assert his["password"] not in page.text


async def test_desk_without_a_telephone_gives_no_phone(desk: FakeDesk) -> None:
    async with visiting(desk, "wang") as wang:
        assert (await wang.post("/desk/phone")).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "https://pbx.example.cn/ws",
        "ws://pbx.example.cn/ws",
        "wss://pbx.example.cn/ws; script-src *",
        "wss://a b/ws",
        "wss://pbx.example.cn/ws\nSet-Cookie: x=1",
        "wss://*/ws",
    ],
)
def test_address_that_would_widen_the_policy_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        checked_phone_url(url)


@pytest.mark.parametrize("url", ["", PHONE_URL, "wss://pbx.example.cn/ws", "ws://127.0.0.1:8088/ws"])
def test_right_addresses_stand(url: str) -> None:
    assert checked_phone_url(url) == url
