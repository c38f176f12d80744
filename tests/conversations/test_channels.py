"""One question, four doors, one fact: through the real processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.stack import Stack

pytestmark = pytest.mark.stack

QUESTION = "租房提取一个月能取多少"
FACT = "2000元"
ANSWER_LIMIT_S = 12


def wait_for(look: Callable[[], Any]) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    until = time.monotonic() + ANSWER_LIMIT_S
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("nothing came")


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.sandbox, timeout=30, trust_env=False) as client:
        yield client


def _shown_on_phone(sandbox: httpx.Client, openid: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    with sandbox.stream("GET", "/phone/events", params={"openid": openid}) as events:
        until = time.monotonic() + ANSWER_LIMIT_S
        for line in events.iter_lines():
            if line.startswith("data:"):
                lines.append(json.loads(line.removeprefix("data:")))
            if any(FACT in json.dumps(item, ensure_ascii=False) for item in lines) or time.monotonic() > until:
                break
    return lines


def test_an_encrypted_wechat_push_is_answered_from_the_catalogue(stack: Stack, sandbox: httpx.Client) -> None:
    openid = sandbox.get("/phone/account").json()["citizens"][0]["openid"]
    sandbox.post("/phone/follow", json={"openid": openid}).raise_for_status()
    sandbox.post("/phone/say", json={"openid": openid, "text": QUESTION}).raise_for_status()
    assert any(FACT in str(item) for item in _shown_on_phone(sandbox, openid))


def test_the_web_page_gives_the_same_fact(stack: Stack) -> None:
    with httpx.Client(base_url=stack.gateway, timeout=10, trust_env=False) as page:
        page.get("/chat").raise_for_status()
        headers = {"Origin": stack.gateway, "Content-Type": "application/json"}
        body = {"id": "0b5ad7f4-6f5c-4a57-a9a6-3c2d1b0e9f88", "text": QUESTION}
        for _ in range(2):  # the second is a repetition
            assert page.post("/chat/messages", json=body, headers=headers).status_code < 300
        lines = wait_for(
            lambda: [
                line
                for line in page.get("/chat/history").json()["lines"]
                if line["author"] == "bot" and FACT in line["text"]
            ]
        )
        assert len(lines) == 1


def test_a_signed_twilio_text_message_gives_the_same_fact_in_two_parts_at_most(sandbox: httpx.Client) -> None:
    answer = sandbox.post("/twilio/sandbox/text", json={"from": "+8613800138001", "text": QUESTION}).json()
    text = str(answer)
    assert FACT in text
    assert "【广州公积金】" in text


def test_a_signed_twilio_call_says_the_same_fact(sandbox: httpx.Client) -> None:
    call = sandbox.post("/twilio/sandbox/call/start", json={"from": "+8613800138002"}).json()
    assert "机器" in str(call) or "智能" in str(call)
    answer = sandbox.post("/twilio/sandbox/call/say", json={"call_sid": call["call_sid"], "text": QUESTION}).json()
    assert FACT in str(answer)


def test_zero_on_the_keypad_asks_for_a_person_and_tells_a_number(sandbox: httpx.Client) -> None:
    call = sandbox.post("/twilio/sandbox/call/start", json={"from": "+8613800138003"}).json()
    answer = sandbox.post("/twilio/sandbox/call/press", json={"call_sid": call["call_sid"], "digits": "0"}).json()
    assert "登记号" in str(answer)


@pytest.mark.parametrize("path", ["/channels/wechat", "/channels/sms", "/channels/voice"])
def test_an_unsigned_push_is_refused(stack: Stack, path: str) -> None:
    response = httpx.post(f"{stack.gateway}{path}", content=b"<xml/>", timeout=10, trust_env=False)
    assert response.status_code in (400, 403)


def test_the_command_line_names_matter_aspect_source_and_date(stack: Stack) -> None:
    done = stack.hotline("ask", QUESTION, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["matter"] == "withdraw-rent"
    assert answer["aspect"] == "amount"
    assert answer["outcome"] == "answered"
    assert FACT in answer["answer"]
    assert any(source["issued_on"] == "2024-11-26" for source in answer["sources"])


def test_an_answer_as_of_an_earlier_day_has_that_days_figure(stack: Stack) -> None:
    answer = stack.turn(QUESTION, as_of="2024-06-01")
    assert "1400元" in str(answer["answer"])


def test_what_was_just_discussed_is_carried_over(stack: Stack) -> None:
    stack.turn("租房可以提公积金吗", conversation="carry")
    answer = stack.turn("那需要什么材料？", conversation="carry")
    assert (answer["matter"], answer["aspect"]) == ("withdraw-rent", "materials")


def test_it_says_that_it_is_a_machine(stack: Stack) -> None:
    answer = stack.turn("你是真人还是机器人")
    assert answer["intent"] == "bot_challenge"
    assert "机器" in str(answer["answer"]) or "智能助手" in str(answer["answer"])


@pytest.mark.parametrize("text", ["提", "😀", "", "\x00", "公积金" * 3000])
def test_odd_text_gets_a_sentence(stack: Stack, text: str) -> None:
    assert stack.turn(text)["answer"]


def test_status_says_that_everything_is_well(stack: Stack) -> None:
    done = stack.hotline("status")
    assert done.returncode == 0
    assert "down" not in done.stdout


def test_logs_hold_no_personal_number_and_no_text(stack: Stack) -> None:
    stack.turn("我的身份证440106199001011234，电话13800138000，帮我看看")
    time.sleep(0.3)
    for name in ("gateway", "rasa", "actions", "sandbox"):
        log = stack.log(name)
        assert "440106199001011234" not in log
        assert "13800138000" not in log
        assert "帮我看看" not in log
