"""Calls by ConversationRelay over real sockets: WebSocket and webhooks together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from relay_line import CALL, PUBLIC, RELAY, TWILIO, Twilio, closed, gateway, given, heard
from structlog.testing import capture_logs

from channels.voice.relay.documents import ticket_of
from channels.voice.relay.wording import relay_wording
from channels.voice.session import HungUp, Spoken, Transferred

pytestmark = pytest.mark.anyio


@pytest.fixture
async def twilio(tmp_path: Path) -> AsyncIterator[Twilio]:
    async with gateway(tmp_path) as line:
        yield line


# --- a call --------------------------------------------------------------------------------------------------------


async def test_start_of_a_call_is_answered_with_the_socket_and_its_ticket(twilio: Twilio) -> None:
    document = await twilio.document("/channels/voice", CallStatus="ringing", From="+8613800138000")
    assert [verb.tag for verb in document] == ["Connect"]
    assert given(document) == {"ticket": ticket_of(CALL, TWILIO)}
    assert twilio.dialogue.calls == []


async def test_caller_is_greeted_heard_and_answered(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        await twilio.talks(socket, given={"extra": "1"})
        assert (await heard(socket))["token"] == "您好。"
        await twilio.dialogue.until(Spoken)
        await socket.send(json.dumps({"type": "prompt", "voicePrompt": "租房", "lang": "cmn-Hans-CN", "last": True}))
        assert (await heard(socket))["token"] == "您说：租房。"
        call = twilio.dialogue.calls[0].call
        assert (call.id, call.line, call.caller, call.called) == (CALL, "relay", "+8613800138000", "+8612329")
    await twilio.dialogue.until(HungUp)
    assert [verb.tag for verb in await twilio.document(f"{RELAY}/after", CallStatus="completed")] == []
    assert twilio.relay.calls.count == 0


async def test_withheld_number_is_nobodys(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        await twilio.talks(socket, **{"from": "+266696687"})
        await heard(socket)
        assert twilio.dialogue.calls[0].call.caller == ""


async def test_fifty_calls_at_once_are_kept_apart(twilio: Twilio) -> None:
    async def one(number: int) -> str:
        async with twilio.connect() as socket:
            await twilio.talks(socket, call=f"CA{number:032x}")
            await heard(socket)
            await socket.send(json.dumps({"type": "prompt", "voicePrompt": str(number), "last": True}))
            return str((await heard(socket))["token"])

    told = await asyncio.gather(*(one(number) for number in range(50)))
    assert told == [f"您说：{number}。" for number in range(50)]


async def test_two_sockets_for_one_call_have_one_dialogue(twilio: Twilio) -> None:
    async with twilio.connect() as first, twilio.connect() as second:
        await twilio.talks(first)
        await heard(first)
        await twilio.talks(second)
        assert await closed(first) == 1000
        await second.send(json.dumps({"type": "prompt", "voicePrompt": "喂", "last": True}))
        assert (await heard(second))["token"] == "您说：喂。"
        assert len(twilio.dialogue.calls) == 1


async def test_goodbye_is_said_before_the_call_ends(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        await twilio.talks(socket)
        await heard(socket)
        await socket.send(json.dumps({"type": "dtmf", "digit": "9"}))
        assert (await heard(socket))["token"] == "再见。"
        ending = await heard(socket)
        assert ending["type"] == "end"
    document = await twilio.document(f"{RELAY}/after", SessionStatus="ended", HandoffData=ending["handoffData"])
    assert [verb.tag for verb in document] == ["Hangup"]


# --- an agent's telephone ------------------------------------------------------------------------------------------


async def _rings(twilio: Twilio) -> ElementTree.Element:
    """The caller has pressed 0; the document that makes Twilio ring the agent."""
    async with twilio.connect() as socket:
        await twilio.talks(socket)
        await heard(socket)
        await socket.send(json.dumps({"type": "dtmf", "digit": "0"}))
        ending = await heard(socket)
        assert ending["type"] == "end"
        assert "1380" not in ending["handoffData"]
    document = await twilio.document(f"{RELAY}/after", SessionStatus="ended", HandoffData=ending["handoffData"])
    assert [verb.tag for verb in document] == ["Dial"]
    return document


async def test_agent_answers_hears_the_whisper_and_hangs_up_first(twilio: Twilio) -> None:
    document = await _rings(twilio)
    (sip,) = document.iter("Sip")
    assert sip.text == "sip:8001@pbx.example.cn?X-Hotline-Conversation=c1"
    child = {"CallSid": "CA" + "7" * 32, "ParentCallSid": CALL}
    whisper = await twilio.document(f"{RELAY}/whisper", **child)
    assert [(verb.tag, verb.text) for verb in whisper] == [("Say", "租房。")]
    repeated = await twilio.document(f"{RELAY}/whisper", **child)
    assert len(repeated) == 0
    back = await twilio.document(f"{RELAY}/dialled", DialCallStatus="completed", DialCallDuration="61")
    assert given(back)["dialled"] == "completed"
    async with twilio.connect() as socket:
        await twilio.talks(socket, given=given(back), callStatus="IN_PROGRESS")
        assert (await heard(socket))["token"] == "还有问题吗？"
    assert twilio.dialogue.became == [Transferred.ANSWERED]
    assert len(twilio.dialogue.calls) == 1


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled", "unheard of"])
async def test_agent_who_is_not_there_gives_the_caller_back(twilio: Twilio, status: str) -> None:
    await _rings(twilio)
    back = await twilio.document(f"{RELAY}/dialled", DialCallStatus=status)
    async with twilio.connect() as socket:
        await twilio.talks(socket, given=given(back))
        assert (await heard(socket))["token"] == "没有接通。"
    assert twilio.dialogue.became[0] is not Transferred.ANSWERED


async def test_caller_who_hangs_up_while_it_rings_ends_the_call(twilio: Twilio) -> None:
    await _rings(twilio)
    document = await twilio.document(f"{RELAY}/dialled", DialCallStatus="canceled", CallStatus="completed")
    assert len(document) == 0
    await twilio.dialogue.until(HungUp)
    assert twilio.dialogue.became == [Transferred.CALLER_GONE]


# --- faults --------------------------------------------------------------------------------------------------------


async def test_broken_socket_is_followed_by_a_sentence_and_another_socket(twilio: Twilio) -> None:
    async with twilio.connect() as socket:
        await twilio.talks(socket)
        await heard(socket)
        await twilio.dialogue.until(Spoken)
        socket.transport.abort()
    document = await twilio.document(f"{RELAY}/after", SessionStatus="failed", ErrorCode="64105")
    assert (document[0].tag, document[0].text) == ("Say", relay_wording().again)
    async with twilio.connect() as again:
        await twilio.talks(again, given=given(document))
        await again.send(json.dumps({"type": "prompt", "voicePrompt": "喂", "last": True}))
        assert (await heard(again))["token"] == "您说：喂。"
    assert len(twilio.dialogue.calls) == 1


async def test_call_of_a_gateway_that_was_restarted_goes_on_one_webhook_a_turn(twilio: Twilio) -> None:
    document = await twilio.document(f"{RELAY}/after", SessionStatus="failed", ErrorCode="64105")
    async with twilio.connect() as socket:
        await twilio.talks(socket, given=given(document))
        ending = await heard(socket)
    follows = await twilio.document(f"{RELAY}/after", SessionStatus="ended", HandoffData=ending["handoffData"])
    assert [verb.tag for verb in follows] == ["Say", "Redirect"]
    (redirect,) = follows.iter("Redirect")
    listens = await twilio.document((redirect.text or "").removeprefix(PUBLIC))
    assert [verb.tag for verb in listens] == ["Gather"]
    assert twilio.dialogue.calls == []


async def test_relay_that_breaks_again_and_again_is_given_up(twilio: Twilio) -> None:
    path, tags = f"{RELAY}/after", []
    for _ in range(3):
        document = await twilio.document(path, SessionStatus="failed", ErrorCode="64105", SessionDuration="1")
        tags.append(document[-1].tag)
        if document[-1].tag == "Connect":
            path = (document[-1].get("action") or "").removeprefix(PUBLIC)
    assert tags == ["Connect", "Connect", "Redirect"]
    lasted = await twilio.document(path, SessionStatus="failed", ErrorCode="64105", SessionDuration="90")
    assert lasted[-1].tag == "Connect"


@pytest.mark.parametrize("data", ["", "{", "[1]", '{"next": "dial"}', '{"next": "fly"}'])
async def test_handoff_that_is_not_ours_leaves_the_caller_in_good_hands(twilio: Twilio, data: str) -> None:
    document = await twilio.document(f"{RELAY}/after", SessionStatus="ended", HandoffData=data)
    assert document[0].tag == "Say"
    assert document[-1].tag in ("Connect", "Redirect")


async def test_webhook_without_a_proper_call_is_refused(twilio: Twilio) -> None:
    assert (await twilio.posts(f"{RELAY}/after", CallSid="CA1")).status_code == 400


@pytest.mark.parametrize(("result", "tag"), [("bridged", "Hangup"), ("queue-full", "Redirect"), ("error", "Redirect")])
async def test_caller_who_leaves_the_queue(twilio: Twilio, result: str, tag: str) -> None:
    assert (await twilio.document(f"{RELAY}/queued", QueueResult=result))[-1].tag == tag


async def test_recording_is_noted_once_whatever_the_order(twilio: Twilio) -> None:
    form = {"RecordingSid": "RE" + "1" * 32, "RecordingDuration": "61"}
    with capture_logs() as logs:
        for status in ("completed", "in-progress", "completed"):
            answer = await twilio.posts("/channels/voice/recording", RecordingStatus=status, **form)
            assert answer.status_code == 204
    noted = [entry["status"] for entry in logs if entry["event"] == "voice.recording.reported"]
    assert noted == ["completed", "in-progress"]


async def test_end_of_the_call_is_reported_in_any_order_and_is_the_same_end(twilio: Twilio) -> None:
    for status in ("completed", "ringing", "completed", "in-progress"):
        assert (await twilio.posts("/channels/voice/status", CallStatus=status)).status_code in (200, 204)


async def test_sound_for_waiting_is_to_be_had(twilio: Twilio) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{twilio.port}", trust_env=False) as client:
        sound = await client.get(f"{RELAY}/sounds/waiting.wav")
        assert (sound.headers["content-type"], sound.content[:4]) == ("audio/wav", b"RIFF")
        assert (await client.get(f"{RELAY}/sounds/other.wav")).status_code == 404
