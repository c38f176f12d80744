from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import httpx
import pytest

from tests.load.pusher import CONVERSATION_TURNS, Citizens, Job, Result
from tests.load.wechat import NoAnswer

pytestmark = pytest.mark.anyio


class Answers:
    """A line that answers by the text and remembers who asked, and how many at once."""

    def __init__(self, replies: dict[str, str | Exception] | None = None) -> None:
        self.replies = replies or {}
        self.asked: defaultdict[str, list[str]] = defaultdict(list)
        self.now = self.most = 0

    async def ask(self, client: httpx.AsyncClient, text: str, *, citizen: str) -> str:
        self.asked[citizen].append(text)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        reply = self.replies.get(text, f"答：{text}")
        if isinstance(reply, Exception):
            raise reply
        return reply


async def asked(line: Answers, questions: list[str], **job: Any) -> tuple[Result, list[int]]:
    made = Job(line={}, warm_up=[], questions=questions, **{"concurrency": 4, **job})
    progress: list[int] = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500))) as client:
        return await Citizens(made, line, client).ask_all(questions, progress.append), progress


async def test_every_question_is_asked_once_and_progress_ends_at_all_of_them() -> None:
    line, questions = Answers(), [f"问题{number}" for number in range(50)]
    result, progress = await asked(line, questions)
    assert sorted(text for texts in line.asked.values() for text in texts) == sorted(questions)
    assert len(result.ms) == 50
    assert result.seconds > 0
    assert progress[-1] == 50


async def test_as_many_ask_at_once_as_wanted_and_no_more() -> None:
    line = Answers()
    await asked(line, [str(number) for number in range(40)], concurrency=7)
    assert line.most == 7


async def test_a_citizen_asks_a_few_questions_and_makes_room_for_the_next() -> None:
    line = Answers()
    await asked(line, [str(number) for number in range(60)], concurrency=3)
    assert max(len(texts) for texts in line.asked.values()) == CONVERSATION_TURNS
    assert len(line.asked) >= 20
    assert all(len(citizen) <= 28 for citizen in line.asked)


async def test_silence_and_lost_connections_are_errors_by_name() -> None:
    line = Answers({"1": NoAnswer("silent"), "2": httpx.ReadTimeout("late"), "3": NoAnswer("silent")})
    result, _ = await asked(line, ["0", "1", "2", "3"])
    assert result.errors == {"silent": 2, "ReadTimeout": 1}
    assert len(result.ms) == 1


async def test_an_error_sentence_is_an_error_and_being_unsure_is_not() -> None:
    line = Answers({"1": "抱歉，刚才没能处理好您的问题。", "2": "没听懂，请再说一次。"})
    result, _ = await asked(line, ["0", "1", "2"], failures=["抱歉，刚才没能"], unsure=["没听懂"])
    assert result.errors == {"error sentence": 1}
    assert result.unsure == 1
    assert len(result.ms) == 2
