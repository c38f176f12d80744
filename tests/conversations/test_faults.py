"""What citizens get while a part of the product is hung or gone."""

from __future__ import annotations

import os
import signal
import time

import pytest

from hotline import supervisor
from tests.stack import Stack

pytestmark = pytest.mark.stack

QUESTION = "离职以后公积金怎么取出来"


def _until(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.2)
    raise AssertionError("did not become true")


def test_a_hung_rasa_is_answered_around_within_the_time_limit_and_then_quickly(stack: Stack) -> None:
    stack.stop("rasa")
    try:
        first = stack.turn(QUESTION)
        assert first["degraded"]
        assert first["matter"] == "withdraw-leave"
        stack.turn("贷款要什么条件")  # two failures in a row, then Rasa is left alone for a while
        began = time.monotonic()
        second = stack.turn("租房提取要什么材料")
        assert second["degraded"]
        assert second["matter"] == "withdraw-rent"
        assert time.monotonic() - began < 2.0
    finally:
        stack.go_on("rasa")
    stack.wait_until_well()


def test_a_dead_action_server_leaves_nobody_without_an_answer(stack: Stack) -> None:
    stack.stop("actions")
    try:
        answer = stack.turn(QUESTION)
        assert answer["answer"]
    finally:
        stack.go_on("actions")
    _until(lambda: stack.turn(QUESTION)["matter"] == "withdraw-leave")


def test_a_rasa_that_died_is_started_again(stack: Stack) -> None:
    found = supervisor.running(stack.settings)
    assert found is not None
    os.kill(found.pids["rasa"], signal.SIGKILL)
    assert stack.turn(QUESTION)["degraded"]

    def replaced() -> bool:
        now = supervisor.running(stack.settings)
        return now is not None and now.pids["rasa"] != found.pids["rasa"]

    _until(replaced)
    stack.wait_until_well()
