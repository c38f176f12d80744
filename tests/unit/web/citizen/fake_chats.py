"""A core in memory: keeps lines, answers like the real one after a moment, and tells its readers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hotline.domain.messages import ChannelName, Choice, Inbound, InboundKind, Reply
from hotline.errors import TemporaryError
from hotline.ports import ChatLine, Typing

GREETING = Reply(
    text="您好，我是广州住房公积金管理中心的智能助手（机器）。提取、贷款、缴存、转移的问题都可以问我，也可以随时转人工。",
    choices=(Choice(label="余额查询", text="余额查询"), Choice(label="转人工", text="转人工")),
)
RENT = Reply(
    text="能提。在广州没有自有住房、租房住的，每人每月最多提2000元；租房合同备案的，按实际租金提，不受这个限额约束。\n"
    "办理：在“广州住房公积金”微信公众号或网上业务大厅提交，一般3个工作日内到账。\n"
    "依据：广州2024年11月26日租房提取和贷款政策通知，2024年11月26日起施行",
    choices=(
        Choice(label="要什么材料", text="租房提取要什么材料？"),
        Choice(label="多久到账", text="租房提取多久到账？"),
        Choice(label="合同没有备案也能提吗", text="租房合同没有备案，能提取公积金吗？"),
    ),
)
PERSON = Reply(text="好的，正在为您转人工坐席，请稍等。您前面还有2位，大约需要3分钟。")
STEPS = Reply(
    text="需要这些材料：\n" + "\n".join(f"{n}. 第{n}份材料的名称和说明，原件，复印件留存。" for n in range(1, 25))
)
UNKNOWN = Reply(
    text="没能确定您问的是哪一项，您想问的是：",
    choices=(
        Choice(label="租房提取", text="租房提取公积金，每月能提多少？"),
        Choice(label="购房提取", text="买了房，怎么提取公积金？"),
        Choice(label="都不是，转人工", text="转人工"),
    ),
)
AGENT = "您好，我是坐席0012号，很高兴为您服务。请问您想办理哪项业务？"


def canned(text: str) -> Reply:
    """What the fake says to ``text``."""
    for words, reply in (("人工", PERSON), ("租房", RENT), ("材料", STEPS)):
        if words in text:
            return reply
    return UNKNOWN


@dataclass
class FakeChats:
    """Implements `hotline.ports.Chats`. ``is_down``: every call fails for a while; ``ends``: streams stop
    when nothing is left, so that a test can read one to its end."""

    delay_s: float = 0.3
    is_down: bool = False
    ends: bool = False
    received: list[Inbound] = field(default_factory=list)
    read: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a stream has been opened."""
    _lines: dict[str, list[ChatLine]] = field(default_factory=lambda: defaultdict(list))
    _queues: dict[str, set[asyncio.Queue[ChatLine | Typing]]] = field(default_factory=lambda: defaultdict(set))
    _work: set[asyncio.Task[None]] = field(default_factory=set)

    async def submit(self, inbound: Inbound) -> bool:
        self._check()
        if any(known.external_id == inbound.external_id for known in self.received):
            return False
        self.received.append(inbound)
        if inbound.kind is InboundKind.TEXT:
            self.add(inbound.contact_key, "citizen", inbound.text, message_id=inbound.external_id)
        task = asyncio.create_task(self._answer(inbound))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return True

    async def history(
        self, channel: ChannelName, contact_key: str, *, after: int = 0, limit: int = 200
    ) -> list[ChatLine]:
        self._check()
        return [line for line in self._lines[contact_key] if line.seq > after][-limit:]

    async def stream(self, channel: ChannelName, contact_key: str, *, after: int) -> AsyncIterator[ChatLine | Typing]:
        self._check()
        queue: asyncio.Queue[ChatLine | Typing] = asyncio.Queue()
        self._queues[contact_key].add(queue)
        self.read.set()
        try:
            for line in await self.history(channel, contact_key, after=after):
                yield line
            while not self.ends:
                yield await queue.get()
        finally:
            self._queues[contact_key].discard(queue)

    def readers(self, contact_key: str) -> int:
        """How many streams of this contact are open."""
        return len(self._queues[contact_key])

    async def settled(self) -> None:
        """True afterwards: every submitted message is answered."""
        await asyncio.gather(*self._work)

    def add(self, contact_key: str, author: str, text: str, **more: object) -> ChatLine:
        """One more line, told to everybody who reads this contact's conversation."""
        lines = self._lines[contact_key]
        line = ChatLine(seq=len(lines) + 1, author=author, text=text, at=datetime.now(UTC).isoformat())
        line = replace(line, **more)  # type: ignore[arg-type]
        lines.append(line)
        self._tell(contact_key, line)
        return line

    def _tell(self, contact_key: str, event: ChatLine | Typing) -> None:
        for queue in self._queues[contact_key]:
            queue.put_nowait(event)

    async def _answer(self, inbound: Inbound) -> None:
        self._tell(inbound.contact_key, Typing(on=True))
        await asyncio.sleep(self.delay_s)
        reply = GREETING if inbound.kind is InboundKind.START else canned(inbound.text)
        self.add(inbound.contact_key, "bot", reply.text, choices=reply.choices)
        self._tell(inbound.contact_key, Typing(on=False))
        if reply is PERSON:
            self.add(inbound.contact_key, "system", "坐席0012号已接入")
            self.add(inbound.contact_key, "agent", AGENT)

    def _check(self) -> None:
        if self.is_down:
            raise TemporaryError("storage is away")
