"""The TwiML around a relay: taken by Twilio as it is meant, and without personal data."""

from __future__ import annotations

import json
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from relay_kit import CALL

from channels.voice.relay.documents import Documents, socket_url, ticket_of
from channels.voice.relay.sounds import wav
from channels.voice.relay.wording import relay_wording
from hotline.settings import TwilioRelaySettings, TwilioSettings
from tests.twiml_rules import wrong_with

WORKFLOW = "WW" + "0" * 32
SETTINGS = TwilioSettings(
    mode="relay", relay=TwilioRelaySettings(agents="sip:{extension}@pbx.example.cn", workflow_sid=WORKFLOW)
)
DOCUMENTS = Documents(SETTINGS, "https://hotline.example/")
HANDOFF = {"next": "dial", "extension": "8001", "ring_s": "20", "headers": '{"X-Hotline-Conversation": "c 1&2"}'}


def _root(document: str) -> ElementTree.Element:
    assert wrong_with(document) == []
    return ElementTree.fromstring(document)  # noqa: S314


def _one(document: str, tag: str) -> ElementTree.Element:
    (found,) = _root(document).iter(tag)
    return found


def test_relay_hears_everything_and_reports_how_far_it_is() -> None:
    relay = _one(DOCUMENTS.relay(CALL), "ConversationRelay")
    expected = {
        "url": "wss://hotline.example/channels/voice/relay",
        "ttsLanguage": "cmn-CN",
        "transcriptionLanguage": "cmn-Hans-CN",
        "dtmfDetection": "true",
        "interruptible": "any",
        "reportInputDuringAgentSpeech": "any",
        "partialPrompts": "true",
        "profanityFilter": "false",
        "events": "speaker-events tokens-played",
    }
    assert {name: relay.get(name) for name in expected} == expected
    assert "公积金" in (relay.get("hints") or "").split(",")
    assert relay.get("welcomeGreeting") is None
    connect = _one(DOCUMENTS.relay(CALL), "Connect")
    assert connect.get("action") == "https://hotline.example/channels/voice/relay/after"


def test_relay_begun_anew_says_why_and_counts() -> None:
    document = DOCUMENTS.relay(CALL, says=relay_wording().again, tried=1, given={"resumed": "1"})
    assert [verb.tag for verb in _root(document)] == ["Say", "Connect"]
    assert (_one(document, "Connect").get("action") or "").endswith("?tried=1")
    given = {each.get("name"): each.get("value") for each in _root(document).iter("Parameter")}
    assert given == {"ticket": ticket_of(CALL, SETTINGS), "resumed": "1"}


def test_ticket_is_of_one_call_and_one_account() -> None:
    other = TwilioSettings(auth_token="another")
    assert len({ticket_of(CALL, SETTINGS), ticket_of(CALL[:-1] + "0", SETTINGS), ticket_of(CALL, other)}) == 3


@pytest.mark.parametrize(
    ("public", "url"),
    [
        ("https://hotline.example", "wss://hotline.example/channels/voice/relay"),
        ("https://hotline.example/base/", "wss://hotline.example/base/channels/voice/relay"),
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/channels/voice/relay"),
    ],
)
def test_address_of_the_socket_follows_the_public_one(public: str, url: str) -> None:
    assert socket_url(public) == url


def test_agents_telephone_rings_by_sip_with_the_conversation_in_a_header() -> None:
    document = DOCUMENTS.dial(HANDOFF)
    dial = _one(document, "Dial").attrib
    assert (dial["answerOnBridge"], dial["timeout"], dial["callerId"]) == ("true", "20", "+8612329")
    assert dial["action"] == "https://hotline.example/channels/voice/relay/dialled"
    sip = _one(document, "Sip")
    assert sip.get("url") == "https://hotline.example/channels/voice/relay/whisper"
    address, _, headers = (sip.text or "").partition("?")
    assert (address, unquote(headers)) == ("sip:8001@pbx.example.cn", "X-Hotline-Conversation=c 1&2")


def test_agents_telephone_rings_by_number() -> None:
    settings = SETTINGS.model_copy(update={"relay": TwilioRelaySettings(agents="+8620{extension}")})
    document = Documents(settings, "https://hotline.example").dial(HANDOFF | {"extension": "83828001"})
    assert _one(document, "Number").text == "+862083828001"


@pytest.mark.parametrize(
    "change",
    [
        {"extension": ""},
        {"extension": "8001@evil.example"},
        {"extension": "80 01"},
        {"ring_s": "-1"},
        {"ring_s": "soon"},
        {"headers": "{"},
    ],
)
def test_transfer_that_is_not_ours_rings_nobody(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        DOCUMENTS.dial(HANDOFF | change)


@pytest.mark.parametrize("headers", [{"Route": "sip:evil"}, {"X-A": "x" * 2000}, ["X-A"], {"X A": "1"}])
def test_headers_that_do_not_belong_are_left_out(headers: object) -> None:
    sip = _one(DOCUMENTS.dial(HANDOFF | {"headers": json.dumps(headers)}), "Sip")
    assert sip.text == "sip:8001@pbx.example.cn"


@pytest.mark.parametrize(("asked", "rings"), [("1", "5"), ("9999", "600"), ("25", "25")])
def test_ringing_lasts_as_long_as_twilio_allows(asked: str, rings: str) -> None:
    assert _one(DOCUMENTS.dial(HANDOFF | {"ring_s": asked}), "Dial").get("timeout") == rings


def test_other_documents_are_taken_by_twilio() -> None:
    words = relay_wording()
    assert [verb.tag for verb in _root(DOCUMENTS.gather(words.slower))] == ["Say", "Redirect"]
    assert [verb.tag for verb in _root(DOCUMENTS.hang_up())] == ["Hangup"]
    assert [verb.tag for verb in _root(DOCUMENTS.whisper("租房提取，已核实。"))] == ["Say"]
    assert [verb.tag for verb in _root(DOCUMENTS.whisper(""))] == []
    task = _one(DOCUMENTS.enqueue(words.person, reason="relay_failed"), "Task")
    assert json.loads(task.text or "") == {"reason": "relay_failed"}


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ("<Response><Conect/></Response>", "no such element: Conect"),
        ('<Response><Say lang="x">a</Say></Response>', "Say: no such attribute: lang"),
        ("<Response><Hangup/><Say>a</Say></Response>", "what follows Hangup is not reached"),
        ("<Response><Gather><Hangup/></Gather></Response>", "Hangup in Gather"),
        ("<Response><Say/></Response>", "Say: text ''"),
        ("<Response><Say>a</Say>b</Response>", "text between the elements of Response"),
        ('<Response><Dial timeout="1"/></Response>', "Dial: timeout='1'"),
        ("<Response><Connect/></Response>", "Connect: action is missing"),
        ("<Say/>", "root is Say"),
    ],
)
def test_the_rules_notice_what_twilio_would_not_take(document: str, wrong: str) -> None:
    assert wrong in wrong_with(document)


def test_waiting_sound_is_a_wav_of_some_seconds() -> None:
    sound = wav("waiting")
    assert sound[:4] == b"RIFF"
    assert len(sound) == 44 + 2 * 8000 * 4
    with pytest.raises(KeyError):
        wav("../secret")
