"""What came of an order is told: to the citizen, and to the city hotline where it came from there.

Both are outboxes. A post that cannot be told now is tried again, longer apart each time; one that can never be told, or
was tried often enough, is given up, and the order's log and the supervisors hear of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from hotline.city_hotline import CityHotline, CityRefused, CityUpdate
from hotline.domain.identity import Contact
from hotline.domain.work_orders import State
from hotline.errors import TemporaryError
from hotline.services.work_orders.words import conclusion_words, confidential_words, rejection_words
from hotline.work_order_store import DuePost, Posts, PostTarget

log = structlog.get_logger()

BATCH: Final = 20
ROUNDS: Final = 5
"""One post of an order goes out in each; a whole slow run has to end, since the timers wait for it."""
LEASE_S: Final = 120
"""Longer than a whole batch may take, so that nothing is sent twice while one process is slow."""
LIMIT_S: Final = 20.0
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 3600.0


class Tell(Protocol):
    """Brings a line to a citizen on his channel. ``key`` is the same when the same line is told again."""

    async def __call__(self, contact: Contact, text: str, *, key: str) -> None:
        """It is on its way. Raises TemporaryError where it may be tried again."""
        ...


class Telling:
    """One kind of post. ``send`` tells it and returns False where there is nothing to tell any more."""

    def __init__(
        self,
        posts: Posts,
        target: PostTarget,
        send: Callable[[DuePost], Awaitable[bool]],
        *,
        attempts: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._posts = posts
        self._target = target
        self._send = send
        self._attempts = attempts
        self._clock = clock

    async def run_due(self) -> int:
        """One attempt for everything that is due, and for what comes after it in the same order; how many were made."""
        tried = 0
        for _ in range(ROUNDS):
            if not (now := await self._round()):
                break
            tried += now
        return tried

    async def _round(self) -> int:
        due = await self._posts.lease(self._target, limit=BATCH, lease_s=LEASE_S)
        ended = await asyncio.gather(*map(self._attempt, due), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(due)

    async def _attempt(self, post: DuePost) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                told = await self._send(post)
        except CityRefused as error:
            await self._give_up(post, str(error))
        except (TemporaryError, TimeoutError) as error:
            await self._failed(post, str(error) or type(error).__name__)
        except Exception:  # a fault of one post must not stop the others
            log.exception("work_order.telling_fault", delivery_id=str(post.id), kind=str(self._target))
            await self._failed(post, "fault")
        else:
            await (self._posts.sent(post) if told else self._posts.dropped(post))

    async def _failed(self, post: DuePost, error: str) -> None:
        if post.attempts >= self._attempts:
            await self._give_up(post, error)
            return
        pause = min(FIRST_PAUSE_S * 4 ** (post.attempts - 1), LONGEST_PAUSE_S)
        await self._posts.later(post, due_at=self._clock() + timedelta(seconds=pause), error=error)

    async def _give_up(self, post: DuePost, error: str) -> None:
        log.warning(
            "work_order.telling_given_up", delivery_id=str(post.id), kind=str(self._target), attempts=post.attempts
        )
        await self._posts.dead(post, error=error)


def to_citizens(tell: Tell) -> Callable[[DuePost], Awaitable[bool]]:
    """Sends what was concluded or why it was rejected. What has changed since is not told any more; of a confidential
    order only that there is news."""

    async def send(post: DuePost) -> bool:
        contact = post.order.contact
        if contact is None or post.standing.state not in (post.state, State.CLOSED):
            return False
        number, channel = post.order.number, contact.channel
        if post.standing.confidential:
            text = confidential_words(number, channel)
        elif post.conclusion is not None:
            text = conclusion_words(post.conclusion, number, channel)
        else:
            text = rejection_words(post.reason, number, channel)
        await tell(contact, text, key=f"work-order-{post.id}")
        return True

    return send


def to_city(city: CityHotline) -> Callable[[DuePost], Awaitable[bool]]:
    """Sends every change of state, with the conclusion or the reason. Notes stay here."""

    async def send(post: DuePost) -> bool:
        update = CityUpdate(
            city_id=post.order.city_id,
            sequence=post.id,
            number=post.order.number,
            state=post.state,
            at=post.at,
            reason=post.reason,
            conclusion=post.conclusion,
        )
        await city.tell(update)
        return True

    return send
