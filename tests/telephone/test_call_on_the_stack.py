"""Somebody calls by SIP: he is understood, served and passed on, and what he hears is what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.voice.call_state import CallState
from channels.voice.plan import Manner, plan
from channels.voice.sounding.build import build_voice
from channels.voice.speech import pages
from hotline.domain.messages import InboundKind
from hotline.ports import ChatLine
from tests.telephone.desk_agent import DeskAgent
from tests.telephone.known_phrases import known_phrases
from tests.telephone.phone_stack import PhoneStack, phone_stack
from tests.telephone.sip_caller import MISSING, PhoneCall
from tests.telephone.sounds import loudness, silence, sounds_like, speech, tone, tone_share

pytestmark = [pytest.mark.anyio, pytest.mark.stack, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
QUESTION = "租房提取公积金要什么材料"
OTHER = "公积金贷款最高能贷多少"
LIKE = 0.7


@pytest.fixture(scope="module")
def telephone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneStack]:
    with (
        known_phrases((QUESTION, OTHER)) as recogniser,
        phone_stack(
            tmp_path_factory.mktemp("telephone"), recogniser="remote", GJJ_TELEPHONE__RECOGNISER_URL=recogniser
        ) as running,
    ):
        yield running


async def quiet(call: PhoneCall, *, after: float = 0.0, for_s: float = 1.2, timeout_s: float = 40) -> None:
    """Returns when something has been said since ``after`` and nothing is said any more."""
    async with asyncio.timeout(timeout_s):
        while True:
            heard = await call.heard(after)
            last, now = heard.loud_until(), max((at for at, _ in heard.chunks), default=0.0)
            if last and now - last > for_s:
                return
            await asyncio.sleep(0.2)


async def transcript(telephone: PhoneStack, caller: str, *, longer_than: int = 0) -> list[ChatLine]:
    for _ in range(100):
        if len(lines := await telephone.transcript(caller)) > longer_than:
            return lines
        await asyncio.sleep(0.3)
    raise AssertionError("nothing more was said")


async def said(telephone: PhoneStack, text: str) -> bytes:
    """The text as the line's own voice reads it."""
    voice = build_voice(telephone.stack.settings)
    try:
        return await voice.speak(text)
    finally:
        await voice.close()


async def test_a_spoken_question_is_answered_aloud(telephone: PhoneStack) -> None:
    async with telephone.telephones() as caller:
        phone = await telephone.phone(caller, "13800138001")
        call = await telephone.call(phone)
        await quiet(call)
        greeting = (await call.heard()).pcm
        manner = Manner(centre="广州公积金", recorded=True)
        words = plan(InboundKind.START, CallState(turn=1), (), manner=manner).says[0]
        assert "通话会录音" in words
        assert sounds_like(greeting, await said(telephone, words)) > LIKE
        began = await call.say(speech(QUESTION) + silence(0.2))
        await call.said()
        lines = await transcript(telephone, "13800138001", longer_than=1)
        await quiet(call, after=began + 1)
        assert lines[0].author == "citizen"
        assert lines[0].text == QUESTION
        answer = next(line for line in lines if line.author == "bot")
        heard = (await call.heard(began)).pcm
        assert loudness(heard) > 0
        assert sounds_like(heard, await said(telephone, pages([answer.text])[0])) > LIKE, answer.text
        await call.hang_up()


async def test_somebody_who_presses_zero_reaches_an_agents_telephone(telephone: PhoneStack) -> None:
    async with telephone.telephones() as caller, DeskAgent.ready(telephone.stack.gateway, "agent1") as agent:
        extension = await telephone.phone(caller, "8001")
        await extension.answers("ring")
        phone = await telephone.phone(caller, "13800138002")
        call = await telephone.call(phone)
        await asyncio.sleep(1)
        await call.press("0")  # into the greeting: it stops
        conversation = await agent.accept()
        rung = await extension.rung(20)
        assert rung.headers["X-Hotline-Conversation"] == conversation
        await rung.accept()
        await rung.established(10)
        await asyncio.sleep(6)  # what is whispered to the agent
        mark = await rung.say(tone(1000, 2.0))
        await call.say(tone(600, 2.0))
        await asyncio.sleep(3)
        assert tone_share((await call.heard(mark)).pcm, 1000) > 0.5
        assert tone_share((await rung.heard(mark)).pcm, 600) > 0.5
        parted = await rung.hang_up()
        await quiet(call, after=parted)
        farewell = (await call.heard(parted)).pcm
        assert sounds_like(farewell, await said(telephone, "人工服务已结束。")) > LIKE
        await call.hang_up()
        await asyncio.sleep(2)
        wav = await telephone.recording(conversation)
        assert len(wav) > 8000 * 2 * 10  # two channels of A-law for more than ten seconds
        assert "call" in agent.kinds


async def test_an_agent_who_does_not_answer_loses_the_call_to_the_next(telephone: PhoneStack) -> None:
    async with telephone.telephones() as caller, DeskAgent.ready(telephone.stack.gateway, "agent2") as agent:
        extension = await telephone.phone(caller, "8002")
        await extension.answers("busy")
        phone = await telephone.phone(caller, "13800138003")
        call = await telephone.call(phone)
        await asyncio.sleep(1)
        await call.press("0")
        conversation = await agent.accept()
        lines: list[str] = []
        async with asyncio.timeout(30):
            while not any("没有接起" in text for text in lines):
                lines = [line.text for line in await telephone.lines(conversation)]
                await asyncio.sleep(0.3)
        await call.hang_up()


def test_the_figures_are_counted(telephone: PhoneStack) -> None:
    counted = telephone.stack.hotline("calls", "--json")
    assert counted.returncode == 0, counted.stderr
    assert '"calls": 3' in counted.stdout, counted.stdout


def test_no_number_of_a_caller_stands_in_a_log(telephone: PhoneStack, tmp_path: Path) -> None:
    for name in ("telephone", "gateway"):
        assert "1380013800" not in telephone.stack.log(name)
