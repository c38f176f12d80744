"""Every written conversation, played through the gateway, Rasa and the actions on each of its channels."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.conversations.runner import Case, cases, play
from tests.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.anyio]

PLAYS = [(case, channel) for case in cases() for channel in case.channels]
OUTAGE = "outage"


def named(plays: list[tuple[Case, str]]) -> list[Any]:
    return [pytest.param(case, channel, id=f"{case.kind}/{case.name} on {channel}") for case, channel in plays]


async def problems_of(case: Case, channel: str, stack: Stack) -> list[str]:
    async def turn(conversation: str, text: str, channel: str) -> Mapping[str, Any]:
        return await asyncio.to_thread(stack.turn, text, conversation=conversation, channel=channel)

    return await play(case, turn, channel=channel)


@pytest.mark.parametrize(("case", "channel"), named([play for play in PLAYS if play[0].kind != OUTAGE]))
async def test_a_conversation_goes_as_written(case: Case, channel: str, stack: Stack) -> None:
    assert await problems_of(case, channel, stack) == []


@pytest.fixture(scope="module")
def without_rasa(stack: Stack) -> Iterator[Stack]:
    """The stack while Rasa hangs, after the gateway has noticed."""
    stack.stop("rasa")
    try:
        for _ in range(2):
            stack.turn("租房提取")
        yield stack
    finally:
        stack.go_on("rasa")
        stack.wait_until_well()


@pytest.mark.parametrize(("case", "channel"), named([play for play in PLAYS if play[0].kind == OUTAGE]))
async def test_an_outage_goes_as_written(case: Case, channel: str, without_rasa: Stack) -> None:
    assert await problems_of(case, channel, without_rasa) == []
