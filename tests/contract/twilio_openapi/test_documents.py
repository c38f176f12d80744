"""Every TwiML document that the channels answer with, against Twilio's rules for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from channels.sms.channel import SmsChannel
from channels.voice.call_state import CallState
from channels.voice.channel import VoiceChannel
from channels.voice.keypad import KEYS, KeypadState, Stage, says
from channels.voice.twiml import entry_address, render_entry, render_waiting
from hotline.domain.messages import Choice, Reply
from hotline.ports import WebhookRequest
from hotline.settings import TwilioSettings
from tests.twiml_rules import MESSAGING, VOICE, wrong_with

pytestmark = pytest.mark.anyio
PUBLIC = "https://hotline.example"
SETTINGS = TwilioSettings()
CALL = "CA0123456789abcdef0123456789abcdef"
CHOICES = (Choice(label="租房提取", text="租房提取公积金"), Choice(label="购房提取", text="购房提取公积金"))
ANSWERS: Sequence[tuple[Reply, ...] | None] = (
    None,
    (),
    (Reply(text="能提取，最高2,000元/月。\n依据：某办法第3条"),),
    (Reply(text="您想问哪一项？", choices=CHOICES),),
    (Reply(text="能提取。每人每月最高两千元。" * 30),),
    (Reply(text="请输入查询密码，输完按井号键。"),),
    (Reply(text="请核实身份。", keypad="balance"),),
    (Reply(text="感谢来电，再见。", ends_call=True),),
    (Reply(text="<Hangup/> & ]]> \x00"),),
)
QUERIES = ("", "?turn=1", "?turn=3&silence=1", "?turn=3&silence=2&menu=1", "?turn=4&of=3&wait=2")
FORMS: Sequence[dict[str, str]] = (
    {},
    {"SpeechResult": "租房能提取吗", "Confidence": "0.9"},
    {"Digits": "1"},
    {"Digits": "0"},
    {"CallStatus": "completed"},
)


def _post(form: dict[str, str], address: str) -> WebhookRequest:
    url = PUBLIC + address
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(SETTINGS.auth_token.get_secret_value().encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        "x-twilio-signature": base64.b64encode(digest).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }
    query = dict(parse_qsl(urlsplit(url).query))
    return WebhookRequest(method="POST", url=url, headers=headers, query=query, body=urlencode(form).encode())


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    "query", ["", "?turn=1", "?turn=3&silence=1", "?turn=3&silence=2&menu=1", "?turn=4&of=3&wait=2"]
)
@pytest.mark.parametrize("form", FORMS)
async def test_telephone(form: dict[str, str], query: str, answer: tuple[Reply, ...] | None) -> None:
    channel = VoiceChannel(SETTINGS, PUBLIC, centre="广州公积金")
    call = {"CallSid": CALL, "AccountSid": SETTINGS.account_sid, "From": "+8613800138000", "CallStatus": "in-progress"}
    received = await channel.receive(_post(call | form, f"/channels/voice{query}"))
    response = channel.respond(received, answer)
    body = response.body if isinstance(response.body, str) else response.body.decode()
    assert wrong_with(body, VOICE) == []


@pytest.mark.parametrize("stage", sorted(KEYS))
def test_entry_by_keypad(stage: Stage) -> None:
    state = KeypadState(turn=2, stage=stage)
    address = entry_address(f"{PUBLIC}/channels/voice", 3, CallState(turn=2))
    assert wrong_with(render_entry(says(state, id_tail="1234"), address, KEYS[stage], voice=SETTINGS.voice)) == []
    assert wrong_with(render_waiting(("请稍候。",), address, voice=SETTINGS.voice)) == []


@pytest.mark.parametrize("answer", [answer for answer in ANSWERS if answer is not None])
async def test_short_message(answer: tuple[Reply, ...]) -> None:
    channel = SmsChannel(SETTINGS, PUBLIC, signature="广州公积金")
    form = {"MessageSid": "SM" + "1" * 32, "AccountSid": SETTINGS.account_sid, "From": "+8613800138000", "Body": "租房"}
    response = channel.respond(await channel.receive(_post(form, "/channels/sms")), answer)
    body = response.body if isinstance(response.body, str) else response.body.decode()
    assert not body or wrong_with(body, MESSAGING) == []
