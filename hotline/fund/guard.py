"""A core system that fails is left alone, and one that is slow does not hold every turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from purgatory import AsyncCircuitBreakerFactory, ContextChanged, Event
from purgatory.domain.model import HALF_OPENED, OpenedState

from hotline.fund_system import FundUnavailable
from hotline.settings import FundSettings

log = structlog.get_logger()

_CIRCUIT = "fund"


class Guard:
    """A bulkhead that refuses instead of queueing, and a circuit breaker.

    After ``failures_to_open`` failed attempts in a row nothing is asked for ``open_s`` seconds; then one attempt probes
    while all others are still refused, and its result closes or opens the circuit. An exception that leaves `attempt`
    is a failure; an attempt the caller gave up says nothing about the core system, except as a probe."""

    def __init__(self, settings: FundSettings) -> None:
        self._places = asyncio.Semaphore(settings.concurrent_calls)
        self._open_s = settings.open_s
        self._probing = False
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=settings.failures_to_open,
            default_ttl=settings.open_s,
            exclude=[(asyncio.CancelledError, self._says_nothing)],
        )
        self._breakers.add_listener(_log_change)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places for concurrent calls is held. Raises FundUnavailable at once when all are taken."""
        if self._places.locked():
            log.warning("fund.bulkhead.full")
            raise FundUnavailable("too many calls to the fund core system at once")
        async with self._places:
            yield

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """What happens inside is counted. Raises FundUnavailable at once while the circuit is open."""
        breaker = await self._breakers.get_breaker(_CIRCUIT)
        if breaker.context.state == HALF_OPENED:
            raise self._left_alone()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(breaker)
            except OpenedState as opened:
                opened.__traceback__ = None  # one object is raised every time and would grow by a frame with each
                raise self._left_alone() from None
            self._probing = breaker.context.state == HALF_OPENED
            yield

    def _says_nothing(self, _: BaseException) -> bool:
        return not self._probing

    def _left_alone(self) -> FundUnavailable:
        return FundUnavailable("the fund core system is left alone for a while", retry_after_s=self._open_s)


def _log_change(_: str, __: str, event: Event) -> None:
    if isinstance(event, ContextChanged):
        log.warning("fund.circuit.changed", state=event.state)
