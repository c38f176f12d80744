"""A call, request by request."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from channels.voice import speech
from channels.voice.channel import VoiceChannel
from channels.voice.wording import wording
from hotline.domain.messages import ChannelName, Choice, InboundKind, Reply
from hotline.ports import Delivery, RefusedRequest, SendError
from hotline.settings import TwilioSettings

pytestmark = pytest.mark.anyio
CALL = "CA0123456789abcdef0123456789abcdef"
CHOICES = (Choice(label="租房提取", text="租房提取公积金"), Choice(label="购房提取", text="购房提取公积金"))
LONG = (Reply(text="能提取。" + "租房的缴存职工每月可以提取一次。" * 8),)


async def test_call_starts_with_a_short_greeting(caller: Any) -> None:
    document = await caller.greeted()
    inbound = caller.received[0].inbound
    assert inbound.channel is ChannelName.VOICE
    assert (inbound.kind, inbound.external_id) == (InboundKind.START, f"{CALL}:0")
    assert (inbound.session_key, inbound.contact_key) == (CALL, "+8613800138000")
    (greeting,) = document.says
    assert all(word in greeting for word in ("广州公积金", "智能", "不是真人", "按0转人工"))
    # Eight seconds at a brisk five syllables a second.
    assert sum(char.isalnum() for char in greeting) <= 40


async def test_listening_is_set_for_mandarin_and_one_key(caller: Any) -> None:
    attributes = (await caller.greeted()).gather().attrib
    assert attributes["input"] == "speech dtmf"
    assert attributes["language"] == "cmn-Hans-CN"
    assert attributes["actionOnEmptyResult"] == "true"
    assert attributes["bargeIn"] == "true"
    assert (attributes["timeout"], attributes["speechTimeout"]) == ("5", "auto")
    assert (attributes["numDigits"], attributes["finishOnKey"]) == ("1", "")
    assert "公积金" in attributes["hints"].split(",")
    assert attributes["action"] == "https://hotline.example/channels/voice?turn=1"


async def test_words_are_spoken_by_a_chinese_voice(caller: Any) -> None:
    (say,) = (await caller.greeted()).gather().findall("Say")
    assert say.attrib == {"voice": "Polly.Zhiyu", "language": "cmn-CN"}


@pytest.mark.parametrize("replies", [None, (), (Reply(text="您好，请问需要什么帮助？"),)])
async def test_greeting_does_not_wait_for_the_core(caller: Any, replies: Any) -> None:
    await caller.does()
    document = caller.hears(replies)
    assert document.verbs == ["Gather"]
    assert "不是真人" in document.says[0]


async def test_spoken_turn_is_decoded(caller: Any) -> None:
    await caller.greeted()
    inbound = (await caller.does(SpeechResult=" 租房能提取吗？ ", Confidence="0.91")).inbound
    assert (inbound.kind, inbound.text) == (InboundKind.TEXT, "租房能提取吗？")
    assert inbound.external_id == f"{CALL}:1"
    assert inbound.meta == {"via": "speech", "confidence": "0.91"}


@pytest.mark.parametrize(("confidence", "unsure"), [("0.4499", True), ("0.45", False), ("0.0", True), ("nan", True)])
async def test_unsure_recognition_is_still_text(caller: Any, confidence: str, unsure: bool) -> None:
    await caller.greeted()
    inbound = (await caller.does(SpeechResult="租房", Confidence=confidence)).inbound
    assert inbound.text == "租房"
    assert inbound.meta["confidence"] == confidence
    assert ("unsure" in inbound.meta) is unsure


async def test_repeated_webhook_has_the_same_identity(caller: Any) -> None:
    await caller.greeted()
    assert await caller.does(SpeechResult="租房") == await caller.does(SpeechResult="租房")


async def test_every_turn_has_its_own_identity(caller: Any) -> None:
    await caller.greeted()
    for _ in range(3):
        await caller.does(SpeechResult="租房")
        caller.hears((Reply(text="能提取。"),))
    assert [one.inbound.external_id for one in caller.received] == [f"{CALL}:{turn}" for turn in range(4)]


@pytest.mark.parametrize("digits", ["0", "00", "000"])
async def test_zero_asks_for_a_person(caller: Any, digits: str) -> None:
    await caller.greeted()
    inbound = (await caller.does(Digits=digits)).inbound
    assert (inbound.kind, inbound.text, inbound.meta) == (InboundKind.TEXT, "转人工", {"via": "dtmf"})


@pytest.mark.parametrize("said", ["人工", "人工。", "转人工", "转人工服务！"])
async def test_saying_it_asks_for_a_person(caller: Any, said: str) -> None:
    await caller.greeted()
    assert (await caller.does(SpeechResult=said, Confidence="0.3")).inbound.text == "转人工"


@pytest.mark.parametrize(
    "replies",
    [
        (Reply(text="能提取。"),),
        (Reply(text="您想问哪一项？", choices=CHOICES),),
        LONG,
        (Reply(text="请输入金额，输完按井号键。"),),
        (),
        None,
    ],
)
async def test_zero_reaches_a_person_at_any_state(caller: Any, replies: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="租房")
    caller.hears(replies)
    inbound = (await caller.does(Digits="0")).inbound
    assert (inbound.text, inbound.external_id) == ("转人工", f"{CALL}:2")


async def test_zero_reaches_a_person_after_silence(caller: Any) -> None:
    await caller.greeted()
    for count in (1, 2):
        await caller.does()
        caller.hears(())
        here = caller.address
        assert (await caller.does(Digits="0", at=here)).inbound.text == "转人工", count
        caller.received.pop()


@pytest.mark.parametrize(("digits", "text"), [("#", "重听"), ("*", "重听"), ("1", "1"), ("9", "9"), ("1234", "1234")])
async def test_keys_become_text(caller: Any, digits: str, text: str) -> None:
    await caller.greeted()
    assert (await caller.does(Digits=digits)).inbound.text == text


async def test_choices_are_offered_by_key(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="提取")
    document = caller.hears((Reply(text="您想问哪一项？", choices=CHOICES),))
    assert document.says == ["您想问哪一项？", "租房提取请按1，购房提取请按2。"]
    assert document.gather().attrib["numDigits"] == "1"
    assert (await caller.does(Digits="2")).inbound.text == "2"


async def test_question_for_a_number_takes_many_keys(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="算贷款")
    attributes = caller.hears((Reply(text="请输入贷款年限，输完按井号键。"),)).gather().attrib
    assert "numDigits" not in attributes
    assert attributes["finishOnKey"] == "#"


async def test_silence_before_a_number_still_takes_many_keys(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="算贷款")
    caller.hears((Reply(text="请输入贷款年限，输完按井号键。"),))
    await caller.does()
    assert "numDigits" not in caller.hears(()).gather().attrib
    assert (await caller.does(Digits="25")).inbound.text == "25"
    assert caller.hears((Reply(text="好的。"),)).gather().attrib["numDigits"] == "1"


async def test_silence_is_told_to_the_core_with_its_count(caller: Any) -> None:
    await caller.greeted()
    inbound = (await caller.does(SpeechResult="", Digits="")).inbound
    assert (inbound.kind, inbound.text, inbound.meta) == (InboundKind.SILENCE, "", {"silence": "1"})


@pytest.mark.parametrize("replies", [None, ()])
async def test_three_silences_end_the_call_politely(caller: Any, replies: Any) -> None:
    greeting = (await caller.greeted()).says[0]
    said = []
    for _ in range(3):
        await caller.does()
        document = caller.hears(replies)
        said.append(document.says[0])
    assert len(said[0]) < len(greeting)
    assert "按1" in said[1]
    assert "按0" in said[1]
    assert "再见" in said[2]
    assert document.verbs == ["Say", "Hangup"]
    ids = [one.inbound.external_id for one in caller.received]
    assert len(set(ids)) == 4


async def test_silences_count_only_in_a_row(caller: Any) -> None:
    await caller.greeted()
    for _ in range(3):
        await caller.does()
        assert caller.hears(()).says == ["没有听到，请再说一遍。"]
        await caller.does(SpeechResult="租房")
        caller.hears((Reply(text="能提取。"),))


async def test_keypad_menu_says_what_its_keys_mean(caller: Any) -> None:
    await caller.greeted()
    for _ in range(2):
        await caller.does()
        caller.hears(())
    inbound = (await caller.does(Digits="2")).inbound
    assert inbound.text == "公积金贷款"
    caller.hears((Reply(text="请说。", choices=CHOICES),))
    assert (await caller.does(Digits="2")).inbound.text == "2"


async def test_core_may_word_a_silence_but_not_for_ever(caller: Any) -> None:
    await caller.greeted()
    for last in (False, False, True):
        await caller.does()
        document = caller.hears((Reply(text="请问您还在吗？"),))
        assert document.says[0] == "请问您还在吗？"
        assert ("Hangup" in document.verbs) is last


async def test_reply_that_ends_the_call_hangs_up(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="再见")
    document = caller.hears((Reply(text="感谢来电，再见。", ends_call=True),))
    assert document.verbs == ["Say", "Hangup"]
    assert document.says == ["感谢来电，再见。"]


async def test_long_answer_is_told_in_portions_of_one_turn(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="租房")
    heard: list[str] = []
    document = caller.hears(LONG)
    while document.says[-1] == wording().go_on:
        heard += document.says[:-1]
        received = await caller.does(Digits="1")
        assert received.inbound.external_id == f"{CALL}:1"
        document = caller.hears(LONG)
    heard += document.says
    assert heard == speech.pages([LONG[0].text])
    assert len(heard) > 2
    assert (await caller.does(SpeechResult="还有")).inbound.external_id == f"{CALL}:2"


async def test_going_on_can_be_said_and_survives_a_silence(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="租房")
    caller.hears(LONG)
    await caller.does()
    caller.hears(())
    received = await caller.does(SpeechResult="继续。")
    assert received.inbound.external_id == f"{CALL}:1"
    assert caller.hears(LONG).says[0] == speech.pages([LONG[0].text])[1]
    assert (await caller.does(SpeechResult="别的")).inbound.external_id == f"{CALL}:3"


async def test_another_question_interrupts_a_long_answer(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="租房")
    caller.hears(LONG)
    inbound = (await caller.does(SpeechResult="贷款呢")).inbound
    assert (inbound.text, inbound.external_id) == ("贷款呢", f"{CALL}:2")


async def test_slow_answer_is_asked_for_again_until_it_comes(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="余额")
    document = caller.hears(None)
    assert document.verbs == ["Gather", "Redirect"]
    assert "请稍候" in document.says[0]
    received = await caller.does(at=document.redirect)
    assert received.inbound.external_id == f"{CALL}:1"
    assert received.inbound.kind is InboundKind.TEXT
    assert caller.hears((Reply(text="能提取。"),)).says == ["能提取。"]
    assert (await caller.does(SpeechResult="谢谢")).inbound.external_id == f"{CALL}:2"


async def test_answer_that_never_comes_ends_in_an_apology(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="余额")
    document, polls = caller.hears(None), 0
    while "Redirect" in document.verbs:
        await caller.does(at=document.redirect)
        document, polls = caller.hears(None), polls + 1
    assert polls == 3
    assert "抱歉" in document.says[0]
    assert "按0转人工" in document.says[0]
    assert (await caller.does(SpeechResult="余额")).inbound.external_id == f"{CALL}:2"


async def test_key_pressed_while_waiting_is_a_turn_of_its_own(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="余额")
    gather = caller.hears(None).gather().attrib
    assert (gather["input"], gather["numDigits"]) == ("dtmf", "1")
    inbound = (await caller.does(Digits="0", at=gather["action"])).inbound
    assert (inbound.text, inbound.external_id) == ("转人工", f"{CALL}:2")


async def test_nothing_to_say_keeps_listening(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="嗯")
    document = caller.hears(())
    assert document.verbs == ["Gather"]
    assert document.says == [wording().listening]


@pytest.mark.parametrize(
    "number",
    ["", "anonymous", "Restricted", "+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"],
)
async def test_withheld_numbers_are_kept_apart(caller: Any, number: str) -> None:
    other = "CA" + "f" * 32
    first = (await caller.does(From=number)).inbound
    second = (await caller.does(From=number, CallSid=other)).inbound
    assert (first.contact_key, second.contact_key) == (CALL, other)
    assert first.session_key != second.session_key


async def test_answer_cannot_break_out_of_its_document(caller: Any) -> None:
    await caller.greeted()
    await caller.does(SpeechResult="租房")
    document = caller.hears((Reply(text="能。<Hangup/> & ]]> \x00\ufffe", choices=(Choice(label="<a>&", text="a"),)),))
    assert document.verbs == ["Gather"]
    assert [child.tag for child in document.gather()] == ["Say", "Pause", "Say"]


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
async def test_end_of_the_call_leaves(caller: Any, status: str) -> None:
    received = await caller.does(at="https://hotline.example/channels/voice/status", CallStatus=status)
    assert received.inbound.kind is InboundKind.LEAVE
    assert (received.inbound.external_id, received.inbound.session_key) == (f"{CALL}:end", CALL)
    assert caller.hears(()).verbs == []


async def test_hang_up_during_a_turn_is_the_same_end(caller: Any) -> None:
    await caller.greeted()
    by_turn = (await caller.does(CallStatus="completed")).inbound
    by_status = (await caller.does(at="https://hotline.example/channels/voice/status", CallStatus="completed")).inbound
    assert by_turn == by_status


@pytest.mark.parametrize("status", ["initiated", "ringing", "in-progress", "answered"])
async def test_other_reports_are_answered_at_once(caller: Any, status: str) -> None:
    received = await caller.does(at="https://hotline.example/channels/voice/status", CallStatus=status)
    assert received.inbound is None
    assert caller.channel.respond(received, None).status == 204


@pytest.mark.parametrize(
    "given",
    [{"CallSid": ""}, {"CallSid": "CA1"}, {"Digits": "1; 2"}, {"SpeechResult": "x", "Confidence": "high"}],
)
async def test_malformed_fields_are_refused(caller: Any, given: dict[str, str]) -> None:
    await caller.greeted()
    with pytest.raises(RefusedRequest) as caught:
        await caller.does(**given)
    assert caught.value.status == 400


@pytest.mark.parametrize("query", ["turn=x", "turn=-1", "turn=1000", "turn=1&wait=9999", "turn=1&page=１"])
async def test_addresses_that_are_not_ours_are_refused(caller: Any, query: str) -> None:
    with pytest.raises(RefusedRequest) as caught:
        await caller.does(at=f"https://hotline.example/channels/voice?{query}")
    assert caught.value.status == 400


async def test_turn_moved_to_another_number_is_refused(caller: Any, sign_request: Any) -> None:
    forged = sign_request(
        caller.form,
        url="https://hotline.example/channels/voice?turn=7",
        signed_url="https://hotline.example/channels/voice?turn=1",
    )
    with pytest.raises(RefusedRequest) as caught:
        await caller.channel.receive(forged)
    assert caught.value.status == 403


async def test_https_signature_does_not_open_the_http_address(caller: Any, sign_request: Any) -> None:
    url = "https://hotline.example/channels/voice"
    forged = sign_request(caller.form, url=url.replace("https", "http"), signed_url=url)
    unsigned = dataclasses.replace(forged, headers={"content-type": "application/x-www-form-urlencoded"})
    for request in (forged, unsigned):
        with pytest.raises(RefusedRequest) as caught:
            await caller.channel.receive(request)
        assert caught.value.status == 403


def test_wait_stays_below_what_twilio_allows() -> None:
    patient = VoiceChannel(TwilioSettings(reply_wait_s=60.0), "https://hotline.example")
    assert patient.capabilities.reply_wait_s == 12.0
    assert patient.capabilities.replies_inline
    assert not patient.capabilities.can_push


async def test_nothing_is_said_outside_a_turn(caller: Any) -> None:
    with pytest.raises(SendError) as caught:
        await caller.channel.send(Delivery(delivery_id="d1", contact_key="+8613800138000", replies=LONG))
    assert not caught.value.retryable
