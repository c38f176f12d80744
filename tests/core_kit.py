"""A core on a database of its own with a dialogue and a channel that tests steer."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hotline.bootstrap import Core, build_core
from hotline.desk_store import Telling
from hotline.domain.conversations import DeliveryStatus
from hotline.domain.desk import Agent, AgentState, Group
from hotline.domain.messages import ChannelName, Inbound, Reply, TurnRequest, TurnResult
from hotline.ports import Capabilities, Channel, Delivery, Receipt, Received, SendError, WebhookRequest, WebhookResponse
from hotline.settings import Settings
from hotline.storage.migrate import migrate
from hotline.storage_bootstrap import Storage, build_storage
from knowledge_base.model import Catalogue, Centre

CENTRE = Centre(code="test", name="测试住房公积金管理中心", city="测试", sms_signature="【测试公积金】")
CATALOGUE = Catalogue(centre=CENTRE, matters={}, parameters={})
AGENT = Agent(staff_id="a1", display_name="李静", work_no="1024", groups=frozenset(Group))


@dataclass
class FakeDialogue:
    """Answers with an echo, or with whatever ``script`` makes of the request."""

    script: Callable[[TurnRequest], TurnResult] | None = None
    delay_s: float = 0.0
    asked: list[TurnRequest] = field(default_factory=list)

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.asked.append(request)
        await asyncio.sleep(self.delay_s)
        if self.script:
            return self.script(request)
        return TurnResult(replies=(Reply(text=f"答：{request.text}"),), intent="echo", confidence=1.0)


@dataclass
class FakeChannel:
    """A channel whose webhooks carry the text as body and the id in the query."""

    name: ChannelName
    capabilities: Capabilities
    longest: int = 1000
    errors: list[SendError] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)

    async def receive(self, request: WebhookRequest) -> Received:
        inbound = Inbound(
            channel=self.name,
            external_id=request.query["id"],
            contact_key=request.query.get("from", "citizen"),
            text=request.body.decode(),
        )
        return Received(inbound=inbound)

    def respond(self, received: Received, replies: Sequence[Reply] | None) -> WebhookResponse:
        return WebhookResponse(body="success" if not replies else "|".join(r.text for r in replies))

    def fits_inline(self, replies: Sequence[Reply]) -> bool:
        return sum(len(reply.text) for reply in replies) <= self.longest

    async def send(self, delivery: Delivery) -> Receipt:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(delivery)
        return Receipt(vendor_id="v1")


def fake_channels(wait_s: float = 1.0) -> dict[ChannelName, FakeChannel]:
    """WeChat-like, SMS-like, telephone-like and page-like channels."""
    kinds = {
        ChannelName.WECHAT: Capabilities(reply_wait_s=wait_s, replies_inline=True, can_push=True),
        ChannelName.SMS: Capabilities(reply_wait_s=wait_s, replies_inline=True, can_push=True),
        ChannelName.VOICE: Capabilities(reply_wait_s=wait_s, replies_inline=True, can_push=False),
        ChannelName.WEB: Capabilities(reply_wait_s=0, replies_inline=False, can_push=True, stored_is_delivered=True),
    }
    return {name: FakeChannel(name, capabilities) for name, capabilities in kinds.items()}


@dataclass(frozen=True)
class Kit:
    core: Core
    storage: Storage
    dialogue: FakeDialogue
    channels: Mapping[ChannelName, FakeChannel]

    async def take_over(self, conversation_id: str) -> None:
        """A person holds the conversation now."""
        ways = dict.fromkeys(ChannelName, DeliveryStatus.STORED)
        assert await self.storage.held.take_over(
            conversation_id, staff_id=AGENT.staff_id, telling=Telling(replies={}, ways=ways)
        )

    async def housekeep(self, seconds: float = 0.3, *, until: Callable[[], bool] | None = None) -> None:
        """Let the background loops run for a moment; with ``until`` for as long as it takes, ten seconds at most."""
        task = asyncio.create_task(self.core.housekeeping.run())
        for _ in range(200 if until else 0):
            if until and until():
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self.core.turns.idle()


def settings_in(directory: Path, **changes: object) -> Settings:
    return Settings.model_validate({"state_dir": directory, "log_level": "CRITICAL", **changes})


@cache
def migrated_template() -> Path:
    """A migrated, empty SQLite file: made once, copied for every test."""
    path = Path(tempfile.mkdtemp(prefix="hotline-test-")) / "template.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@asynccontextmanager
async def core_kit(
    directory: Path, *, wait_s: float = 1.0, agent: Agent | None = None, database_url: str = ""
) -> AsyncIterator[Kit]:
    """A migrated, closed-at-the-end core. ``agent``: who is ready at the desk."""
    settings = settings_in(directory, database_url=database_url)
    if database_url:
        await asyncio.to_thread(migrate, database_url)
    else:
        shutil.copy(await asyncio.to_thread(migrated_template), directory / "hotline.db")
    storage = build_storage(settings)
    channels = fake_channels(wait_s)
    dialogue = FakeDialogue()
    typed: Mapping[ChannelName, Channel] = channels
    core = build_core(settings, storage, catalogue=CATALOGUE, channels=typed, dialogue=dialogue)
    if agent is not None:
        await storage.desks.connect(agent)
        await storage.desks.set_state(agent.staff_id, AgentState.READY)
    try:
        yield Kit(core, storage, dialogue, channels)
    finally:
        await core.turns.idle()
        await storage.database.close()
