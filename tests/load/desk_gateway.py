"""The gateway the desk's load runs against: everything real but the dialogue, which only passes people on, and WeChat,
which takes every message in some milliseconds and writes down in which order.

Started by tests.load.desk as ``python -m tests.load.desk_gateway PORT DATABASE FOLDER AGENTS CAPACITY``.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import uvicorn

from hotline.bootstrap import build_core
from hotline.domain.desk import Group, Lane
from hotline.domain.messages import ChannelName, Outcome, Reply, TurnRequest, TurnResult
from hotline.domain.staff import Role, Staff
from hotline.logging import configure_logging
from hotline.ports import Channel, Delivery, Receipt
from hotline.services.staff.trail import by_member
from hotline.storage_bootstrap import build_storage
from tests.core_kit import CATALOGUE, FakeChannel, FakeDialogue, fake_channels, settings_in
from tests.staff_kit import PASSWORD, cheap_passwords
from web.app import create_app

VENDOR_S = 0.02
"""What WeChat takes for a message."""


@dataclass
class CountedChannel(FakeChannel):
    """Writes down what it has sent, in order: address and text."""

    log: TextIO = field(default_factory=io.StringIO)

    async def send(self, delivery: Delivery) -> Receipt:
        await asyncio.sleep(VENDOR_S)
        for reply in delivery.replies:
            self.log.write(json.dumps([delivery.contact_key, reply.text], ensure_ascii=False) + "\n")
        return Receipt(vendor_id=delivery.delivery_id)


def passes_on(request: TurnRequest) -> TurnResult:
    """Everybody wants a person."""
    return TurnResult(replies=(Reply(text="好"),), outcome=Outcome.HANDOFF, hand_over="requested")


async def serve(port: int, database: str, folder: Path, *, agents: int, capacity: int) -> None:
    """Until it is told to end; what was sent is in ``folder``/sent.jsonl."""
    configure_logging("CRITICAL", "gateway")
    public = {"port": port, "public_url": f"http://127.0.0.1:{port}"}
    settings = settings_in(folder, database_url=database, gateway=public)
    storage = build_storage(settings)
    for number in range(agents):
        member = Staff(
            id=f"a{number:03}",
            name=f"agent{number:03}",
            display_name=f"A{number:03}",
            work_no=f"{number:04}",
            roles=frozenset({Role.AGENT}),
            groups=frozenset(Group),
            capacity={Lane.CHAT: capacity, Lane.SMS: 1, Lane.VOICE: 1},
            is_demo=True,
        )
        hashed = await cheap_passwords().hashed(PASSWORD)
        await storage.members.add(member, password_hash=hashed, entry=by_member("staff.added", member))
    kinds = fake_channels()
    log = (folder / "sent.jsonl").open("w", encoding="utf-8", buffering=1)
    wechat = CountedChannel(ChannelName.WECHAT, kinds[ChannelName.WECHAT].capabilities, log=log)
    channels: dict[ChannelName, Channel] = {**kinds, ChannelName.WECHAT: wechat}
    dialogue = FakeDialogue(passes_on)
    core = build_core(settings, storage, catalogue=CATALOGUE, channels=channels, dialogue=dialogue)
    core.sign_in._passwords = cheap_passwords()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, core), port=port, log_level="critical", backlog=4096, timeout_keep_alive=120
        )
    )
    await server.serve()


if __name__ == "__main__":
    port, database, folder, agents, capacity = sys.argv[1:6]
    asyncio.run(serve(int(port), database, Path(folder), agents=int(agents), capacity=int(capacity)))
