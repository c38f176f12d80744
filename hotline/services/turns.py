"""A stored message gets its turn: decide, store, deliver. One turn at a time in a conversation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from hotline.domain.conversations import DeliveryStatus, Job, Owner
from hotline.domain.messages import ChannelName, InboundKind, Outcome, Reply, TurnRequest, TurnResult
from hotline.domain.text import MAX_DIALOGUE_CHARS, has_words
from hotline.errors import TemporaryError
from hotline.ports import Channel, Dialogue, Typing
from hotline.services.asides.asides import Asides
from hotline.services.desk.requests import Requests
from hotline.services.hub import Hub
from hotline.services.waiters import Waiters
from hotline.store import Finished, Store
from hotline.wording import say

log = structlog.get_logger()

STORE_PAUSES_S = (0.2, 0.5, 1.0, 2.0)
EVENTS = (InboundKind.PROVED, InboundKind.VERIFIED)
"""Nobody said them: whoever is waiting for a person or talking to one is not interrupted."""
INTERNAL = "internal"
"""``meta["origin"]`` of turns asked by our own tools: answered inline, never pushed to a vendor."""


class TurnWorker:
    """Works conversations that this process has claimed."""

    def __init__(
        self,
        store: Store,
        dialogue: Dialogue,
        *,
        requests: Requests,
        asides: Asides,
        hub: Hub,
        waiters: Waiters,
        channels: Mapping[ChannelName, Channel],
        clock: Callable[[], datetime],
        worker: str,
        deliveries_due: asyncio.Event,
    ) -> None:
        self._store = store
        self._dialogue = dialogue
        self._requests = requests
        self._asides = asides
        self._hub = hub
        self._waiters = waiters
        self._channels = channels
        self._clock = clock
        self.worker = worker
        self.deliveries_due = deliveries_due
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsaved: dict[int, tuple[Job, TurnResult, str]] = {}

    def start(self, job: Job) -> None:
        """Work ``job`` and whatever waits behind it in the same conversation, in the background."""
        task = asyncio.create_task(self._work(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Returns when nothing is being worked any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self, job: Job | None) -> None:
        while job is not None:
            with structlog.contextvars.bound_contextvars(
                conversation_id=job.conversation_id, inbox_id=job.inbox_id, channel=str(job.channel)
            ):
                try:
                    job = await self._turn(job)
                except TemporaryError:
                    # The claim runs out and the message is taken up again, with the answer already decided.
                    log.error("turn.not_stored", reason="database")
                    return

    async def _turn(self, job: Job) -> Job | None:
        started = time.perf_counter()
        address = (job.channel, job.contact_key)
        if job.owner == Owner.BOT:
            self._hub.publish(address, [Typing(on=True)])
        else:
            self._requests.heard()
        job, result, status = await self._decided(job)
        ms = {**result.ms, "queue": _since(job.received_at, self._clock())}
        result = replace(result, ms={**ms, "turn": round((time.perf_counter() - started) * 1000, 1)})
        self._unsaved[job.inbox_id] = (job, result, status)
        finished = await self._stored(job, result, status)
        del self._unsaved[job.inbox_id]
        self._hub.publish(address, [*finished.lines, Typing(on=False)])
        log.info(
            "turn.finished",
            intent=result.intent,
            outcome=str(result.outcome),
            matter=result.matter,
            aspect=result.aspect,
            degraded=result.degraded,
            ms=result.ms,
            status="dropped" if finished.dropped else status,
        )
        return finished.next_job

    async def _decided(self, job: Job) -> tuple[Job, TurnResult, str]:
        """What to say, under which owner version, and how the inbox row ends. A fault becomes a sentence: the citizen
        always gets one."""
        if job.inbox_id in self._unsaved:
            return self._unsaved[job.inbox_id]
        try:
            if job.owner == Owner.WRAP_UP and job.kind not in EVENTS:
                job = await self._requests.resumed(job)
            if settled := await self._settled(job):
                return *settled, "done"
            result = await self._decide(job)
            if reason := self._requests.reason(job, result):
                job, result = await self._requests.request(job, result, reason)
            return job, await self._rated(job, result), "done"
        except Exception:  # the message is stored; whatever goes wrong, its sender is told something
            log.exception("turn.failed")
            return job, _sentence("failed", intent="fault", outcome=Outcome.REJECTED), "failed"

    async def _settled(self, job: Job) -> tuple[Job, TurnResult] | None:
        """What is not the dialogue's: the answer to something the gateway asked, or a word to the queue."""
        if job.owner == Owner.BOT:
            aside = await self._asides.answer(job)
            return (job, aside) if aside is not None else None
        if job.owner != Owner.QUEUED:
            return None
        if self._requests.says_he_leaves(job) and (left := await self._requests.leave(job)):
            return left
        return await self._asides.while_queued(job)

    async def _rated(self, job: Job, result: TurnResult) -> TurnResult:
        """The turn, and where it ends a conversation with the bot the question how it was."""
        asked = await self._asides.rating_after(job, result) if job.owner == Owner.BOT else None
        return replace(result, replies=(*result.replies, asked)) if asked is not None else result

    async def _decide(self, job: Job) -> TurnResult:
        if job.kind in (InboundKind.LEAVE, InboundKind.IGNORED):
            return TurnResult(replies=(), intent=str(job.kind))
        if job.owner != Owner.BOT:
            return TurnResult(replies=(), intent=str(job.kind)) if job.kind in EVENTS else await self._held(job)
        if job.kind == InboundKind.SILENCE:
            return TurnResult(replies=(), intent="silence", outcome=Outcome.CLARIFIED)
        if job.kind == InboundKind.START and self._channels[job.channel].capabilities.greets_itself:
            return TurnResult(replies=(), intent="greet")
        if job.kind == InboundKind.UNSUPPORTED:
            return _sentence("unsupported", intent="unsupported")
        if job.kind == InboundKind.TEXT and not has_words(job.text):
            return _sentence("empty", intent="empty")
        return await self._dialogue.respond(
            TurnRequest(
                conversation_id=job.conversation_id,
                message_id=str(job.inbox_id),
                text=job.text[:MAX_DIALOGUE_CHARS],
                kind=job.kind,
                channel=job.channel,
                as_of=job.as_of,
            )
        )

    async def _held(self, job: Job) -> TurnResult:
        """A person holds the conversation or is waited for: the words are kept for them, the bot stays silent."""
        if job.owner == Owner.QUEUED:
            return await self._requests.still_queued(job)
        return TurnResult(replies=(), intent="held", outcome=Outcome.HANDOFF)

    async def _stored(self, job: Job, result: TurnResult, status: str) -> Finished:
        key = (job.channel, job.external_id)
        inline = self._channels[job.channel].fits_inline(result.replies) and self._waiters.promise(key)
        told: tuple[Reply, ...] | None = result.replies  # said even if it cannot be stored
        try:
            finished = await self._finish(job, result, status=status, inline=inline)
            told = () if finished.dropped else result.replies if inline else None
        finally:
            self._waiters.resolve(key, told)
        if finished.delivery_id and not inline:
            self.deliveries_due.set()
        return finished

    async def _finish(self, job: Job, result: TurnResult, *, status: str, inline: bool) -> Finished:
        """Stored, after as many tries as a busy database may need. Raises TemporaryError."""
        delivery = self._delivery(job, inline=inline)
        finish = partial(self._store.finish, job, result, status=status, delivery=delivery, worker=self.worker)
        for pause in STORE_PAUSES_S:
            try:
                return await finish(due_at=self._clock())
            except TemporaryError:
                await asyncio.sleep(pause)
        return await finish(due_at=self._clock())

    def _delivery(self, job: Job, *, inline: bool) -> DeliveryStatus:
        if inline or job.meta.get("origin") == INTERNAL:
            return DeliveryStatus.INLINE
        capabilities = self._channels[job.channel].capabilities
        stored = capabilities.stored_is_delivered or not capabilities.can_push
        return DeliveryStatus.STORED if stored else DeliveryStatus.PENDING


def _sentence(key: str, *, intent: str, outcome: Outcome = Outcome.CLARIFIED) -> TurnResult:
    return TurnResult(replies=(Reply(text=say(key)),), intent=intent, outcome=outcome)


def _since(moment: datetime, now: datetime) -> float:
    return round((now - moment) / timedelta(milliseconds=1), 1)
