"""The circuit breaker and the bulkhead."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
import time_machine

from hotline.fund_system import FundRefused, FundUnavailable
from tests.fake_fund import a_person
from tests.unit.fund.kit import answer, played, refusal, wire

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
HERE = answer(person=wire(a_person()))


class Core:
    """Answers with ``response`` after ``delay_s``, or raises it; counts what reaches it."""

    def __init__(self, response: httpx.Response | type[httpx.TransportError]) -> None:
        self.response = response
        self.delay_s = 0.0
        self.reached = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.reached += 1
        await asyncio.sleep(self.delay_s)
        if isinstance(self.response, httpx.Response):
            return self.response
        raise self.response("away", request=request)


async def test_after_failures_in_a_row_the_core_is_left_alone_and_then_probed() -> None:
    core = Core(httpx.ConnectError)
    fund = played(core, failures_to_open=4, open_s=10.0)
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(2):  # each read is tried twice
            with pytest.raises(FundUnavailable):
                await fund.person("P000001")
        assert core.reached == 4
        with pytest.raises(FundUnavailable) as alone:
            await fund.person("P000001")
        assert (core.reached, alone.value.retry_after_s) == (4, 10.0)
        clock.shift(10.5)
        with pytest.raises(FundUnavailable):
            await fund.person("P000001")
        assert core.reached == 5  # one probe, whose repetition finds the circuit open again
        core.response = HERE
        clock.shift(10.5)
        assert await fund.person("P000001") == await fund.person("P000001") == a_person()
        assert core.reached == 7


async def test_while_one_call_probes_the_others_are_refused() -> None:
    core = Core(httpx.Response(503))
    fund = played(core, failures_to_open=2, open_s=10.0)
    with time_machine.travel(NOW, tick=False) as clock:
        with pytest.raises(FundUnavailable):
            await fund.person("P000001")
        core.response, core.delay_s = HERE, 0.05
        clock.shift(10.5)
        answers = await asyncio.gather(*(fund.person("P000001") for _ in range(5)), return_exceptions=True)
    assert [type(one).__name__ for one in answers] == ["Person", *["FundUnavailable"] * 4]
    assert core.reached == 3


async def test_a_refusal_is_an_answer_and_no_failure() -> None:
    core = Core(refusal(404, "not_found"))
    fund = played(core, failures_to_open=2)
    for _ in range(5):
        with pytest.raises(FundRefused):
            await fund.person("P000002")
    assert core.reached == 5


async def test_failures_that_do_not_follow_each_other_do_not_open_the_circuit() -> None:
    core = Core(HERE)
    fund = played(core, failures_to_open=3)
    for response in (httpx.Response(503), HERE) * 3:
        core.response = response
        await asyncio.gather(fund.person("P000001"), return_exceptions=True)
    assert core.reached == 9


async def test_calls_that_are_given_up_do_not_open_the_circuit() -> None:
    core = Core(HERE)
    core.delay_s = 30.0
    fund = played(core, failures_to_open=2)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fund.person("P000001"), 0.01)
    core.delay_s = 0.0
    assert await fund.person("P000001") == a_person()


async def test_a_probe_that_is_given_up_leaves_the_circuit_open() -> None:
    core = Core(httpx.Response(503))
    fund = played(core, failures_to_open=2, open_s=10.0)
    with time_machine.travel(NOW, tick=False) as clock:
        with pytest.raises(FundUnavailable):
            await fund.person("P000001")
        core.response, core.delay_s = HERE, 30.0
        clock.shift(10.5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fund.person("P000001"), 0.01)
        with pytest.raises(FundUnavailable):
            await fund.person("P000001")
    assert core.reached == 3


async def test_a_full_bulkhead_refuses_at_once_and_is_free_again_afterwards() -> None:
    core = Core(HERE)
    core.delay_s = 0.05
    fund = played(core, concurrent_calls=2, failures_to_open=1)
    answers = await asyncio.gather(*(fund.person("P000001") for _ in range(5)), return_exceptions=True)
    assert [type(one).__name__ for one in answers] == ["Person", "Person", *["FundUnavailable"] * 3]
    assert core.reached == 2
    assert await fund.person("P000001") == a_person()
