"""Every outside system behind a small port. Implementations say their means in their name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from hotline.domain.messages import ChannelName, Choice, Inbound, Reply, TurnRequest, TurnResult


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """An HTTP request as a channel sees it: no framework. ``url`` is the public one, query included;
    header names are lower-case; ``body`` is at most 1 MiB (the web layer refuses more with 413)."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    client_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResponse:
    """What the channel's vendor gets back."""

    body: str = ""
    status: int = 200
    media_type: str = "text/plain; charset=utf-8"


class RefusedRequest(Exception):
    """The request is not from the vendor or cannot be read: nothing is stored, ``status`` is answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A verified request. ``inbound`` None: answer ``response`` at once (handshake, status callback).

    ``context`` is whatever `respond` of the same channel needs to build its answer (nonce, reply key)."""

    inbound: Inbound | None = None
    response: WebhookResponse | None = None
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the core must know of a channel to treat it rightly."""

    reply_wait_s: float
    """How long a webhook may wait for the answer before `respond` is called without one."""
    replies_inline: bool
    """True: an answer that is ready in time goes back in the webhook's response and is not sent again."""
    can_push: bool
    """True: `send` can deliver later; False: an answer not fetched inline waits for the next request."""
    greets_itself: bool = False
    """True: the channel words the greeting and what is said into a silence (telephone)."""
    stored_is_delivered: bool = False
    """True: the citizen's page reads its lines from storage, so nothing has to be sent."""


class SendReason(StrEnum):
    """Why sending failed: a closed list."""

    CONNECTION = "connection"
    THROTTLED = "throttled"
    REJECTED = "rejected"
    RECIPIENT_GONE = "recipient_gone"
    CONTENT = "content"
    CONFIG = "config"


class SendError(Exception):
    """A message could not be sent. ``retryable`` False: it never will be. ``unknown`` True: the vendor
    may have taken it (time-out after the request left), so it must not be sent again blindly."""

    def __init__(
        self, reason: SendReason, detail: str, *, retryable: bool, unknown: bool = False, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retryable = retryable
        self.unknown = unknown
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One reply on its way out. ``delivery_id`` is stable over retries and is the idempotency key."""

    delivery_id: str
    contact_key: str
    replies: Sequence[Reply]
    by_person: bool = False
    """Whether a member of staff wrote it: it is not shortened as the machine's answers are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The vendor took it. ``vendor_id`` as the vendor names the message, empty where it names none."""

    vendor_id: str = ""


class Channel(Protocol):
    """A channel translates; it never decides. One object per channel, safe for concurrent use."""

    name: ChannelName
    capabilities: Capabilities

    async def receive(self, request: WebhookRequest) -> Received:
        """Verify and decode one request. Raises RefusedRequest; never anything else for bad input."""
        ...

    def respond(self, received: Received, replies: Sequence[Reply] | None) -> WebhookResponse:
        """The HTTP response: with ``replies`` in it, or (None) an acknowledgement without them."""
        ...

    def fits_inline(self, replies: Sequence[Reply]) -> bool:
        """True when `respond` can carry all of ``replies``. Always True where ``can_push`` is False."""
        ...

    async def send(self, delivery: Delivery) -> Receipt:
        """Deliver outside a webhook. Raises SendError, never a vendor's exception."""
        ...


class Allowance(Protocol):
    """What a channel with a counted window still takes from us for one citizen."""

    @property
    def left(self) -> int:
        """Messages until the citizen's next one."""
        ...

    @property
    def until(self) -> float:
        """When the window ends, in epoch seconds; of no meaning where nothing is left."""
        ...


@runtime_checkable
class ShowsTyping(Protocol):
    """A channel that can show the citizen that somebody writes."""

    async def show_typing(self, contact_key: str, *, on: bool = True) -> None:
        """Raises SendError."""
        ...


@runtime_checkable
class Windows(Protocol):
    """A channel that counts: `isinstance` tells it from those that do not."""

    async def allowance(self, contact_key: str) -> Allowance | None:
        """None: nothing is known of this citizen, and the vendor decides."""
        ...


class ReplayGuard(Protocol):
    """Remembers nonces for a while, in storage that all gateway processes share."""

    async def uses(self, scope: str, nonce: str, fingerprint: str, *, ttl_s: int) -> int | None:
        """How often ``nonce`` came with ``fingerprint`` before, within ``ttl_s`` seconds: 0 exactly once, by
        atomic insert. None when it came with another fingerprint."""
        ...


class Dialogue(Protocol):
    """Decides what to say next."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        """Raises TemporaryError when it cannot answer in time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLine:
    """One line of a conversation as its citizen sees it. ``seq`` grows within the contact and never repeats."""

    seq: int
    author: str
    """citizen, bot, agent or system."""
    text: str
    at: str
    """ISO 8601, UTC."""
    choices: Sequence[Choice] = ()
    message_id: str = ""
    """For citizen lines: the external id the page gave it."""
    signed: str = ""
    """For an agent's lines: how the citizen is told who speaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """Somebody is writing an answer (``on``) or has stopped."""

    on: bool
    author: str = "bot"


class Chats(Protocol):
    """What a live page needs of the core (webchat). Implemented by hotline.services.chats."""

    async def submit(self, inbound: Inbound) -> bool:
        """Store and answer in the background. True when new, False for a repetition (nothing happens twice)."""
        ...

    async def history(
        self, channel: ChannelName, contact_key: str, *, after: int = 0, limit: int = 200
    ) -> list[ChatLine]:
        """Lines with ``seq`` > ``after``, oldest first; the newest ``limit`` of them."""
        ...

    def stream(self, channel: ChannelName, contact_key: str, *, after: int) -> AsyncIterator[ChatLine | Typing]:
        """Endless: lines with ``seq`` > ``after`` as they come, and typing states. Cancel to stop."""
        ...
