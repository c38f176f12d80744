from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.wechat.codec import passive_xml
from channels.wechat.envelope import CURRENT, Envelope
from hotline.ports import RefusedRequest, WebhookRequest
from hotline.settings import WeChatSettings
from tests.load.lines import RestLine, WeChatLine, described, line_of
from tests.load.wechat import Account, NoAnswer, Push, push, reply_text

SETTINGS = WeChatSettings()
ACCOUNT = Account.of(SETTINGS)
OPENID = "o0123456789abcdef0123456789a"
TEXTS = st.text(st.characters(min_codepoint=0x20, exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)


def opened(sent: Push) -> dict[str, str]:
    request = WebhookRequest(
        method="POST", url="http://test/channels/wechat", headers={}, query=sent.query, body=sent.body, client_ip=""
    )
    return dict(Envelope(SETTINGS).open(request, time.time()).fields)


def sealed_reply(text: str, *, to: str = OPENID, sender: str = SETTINGS.original_id) -> str:
    now = time.time()
    return Envelope(SETTINGS).seal(passive_xml(text, to=to, sender=sender, created=int(now)), CURRENT, now)


@given(TEXTS.filter(lambda text: text == text.strip()))
def test_the_channel_opens_what_a_citizen_sends(text: str) -> None:
    fields = opened(push(ACCOUNT, text, openid=OPENID, msg_id=42, now=int(time.time())))
    assert fields["Content"] == text
    assert (fields["FromUserName"], fields["MsgId"], fields["MsgType"]) == (OPENID, "42", "text")


@given(TEXTS.filter(lambda text: text == text.strip()))
def test_a_citizen_reads_what_the_channel_answers(text: str) -> None:
    assert reply_text(ACCOUNT, sealed_reply(text), openid=OPENID) == text


def test_every_push_has_a_nonce_and_a_cipher_text_of_its_own() -> None:
    pushes = [push(ACCOUNT, "租房能取吗", openid=OPENID, msg_id=1, now=1_700_000_000) for _ in range(50)]
    assert len({sent.query["nonce"] for sent in pushes}) == 50
    assert len({sent.body for sent in pushes}) == 50


def test_a_push_changed_on_its_way_is_refused_by_the_channel() -> None:
    sent = push(ACCOUNT, "租房能取吗", openid=OPENID, msg_id=1, now=int(time.time()))
    with pytest.raises(RefusedRequest):
        opened(Push(sent.query, sent.body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[A")))


@pytest.mark.parametrize("body", ["", "success", " success\n"])
def test_silence_is_no_answer(body: str) -> None:
    with pytest.raises(NoAnswer, match="silent"):
        reply_text(ACCOUNT, body, openid=OPENID)


@pytest.mark.parametrize("body", ["oops", "<xml></xml>", "<html><b>502</b></html>"])
def test_what_is_no_sealed_reply_is_no_answer(body: str) -> None:
    with pytest.raises(NoAnswer):
        reply_text(ACCOUNT, body, openid=OPENID)


def test_a_reply_for_somebody_else_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="somebody else"):
        reply_text(ACCOUNT, sealed_reply("能。", to="oSomebodyElse"), openid=OPENID)


def test_a_reply_with_a_wrong_signature_is_no_answer() -> None:
    other = Account(token="other", aes_key=ACCOUNT.aes_key, app_id=ACCOUNT.app_id, original_id=ACCOUNT.original_id)
    with pytest.raises(NoAnswer, match="bad signature"):
        reply_text(other, sealed_reply("能。"), openid=OPENID)


def test_a_reply_under_another_key_is_no_answer() -> None:
    other = Account(token=ACCOUNT.token, aes_key="x" * 43, app_id=ACCOUNT.app_id, original_id=ACCOUNT.original_id)
    with pytest.raises(NoAnswer, match="unreadable"):
        reply_text(other, sealed_reply("能。"), openid=OPENID)


@pytest.mark.parametrize("line", [WeChatLine("http://127.0.0.1:1/channels/wechat", ACCOUNT), RestLine("http://x/y")])
def test_a_line_survives_its_way_into_another_process(line: WeChatLine | RestLine) -> None:
    assert described(line_of(described(line))) == described(line)
