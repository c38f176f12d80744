"""Whatever is said in whatever order, through two processes that may die: no question of a citizen's is swallowed by
one of the gateway's, and no word he has left is lost or doubled."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given, note, settings
from hypothesis import strategies as st

from hotline.domain.conversations import Owner
from hotline.domain.messages import Reply
from hotline.domain.work_orders import Source
from hotline.services.asides import words
from hotline.services.asides.leave_word import WORD_FOR
from tests.unit.asides.kit import NOWHERE, Crash, Gateway, gateways

QUESTIONS = ("租房提取要什么材料", "贷款额度怎么算", "离职多久能取", "我要查余额", "公积金比例", "转账多久到")
ANSWERS = (
    "满意",
    "不满意",
    "非常满意",
    "很好",
    "1",
    "2",
    "5",
    "三",
    "答非所问",
    "太慢了",
    "不想说了",
    "是",
    "不用",
    "好的",
)
WISHES = ("留言", "好了", "取消", "转人工", "回电", "再见", "没有了")
DEAD_FOR = timedelta(seconds=31)

say = st.tuples(st.just("say"), st.sampled_from((*QUESTIONS, *ANSWERS, *WISHES, *WISHES)))
steps = st.lists(
    st.one_of(
        say,
        say,
        say,
        st.tuples(st.just("rated"), st.sampled_from(("不满意", "满意", "5"))),
        st.tuples(st.just("die"), st.sampled_from((*QUESTIONS, *ANSWERS, *WISHES))),
        st.tuples(st.just("wait"), st.sampled_from((1, 5, 9, 11, 31))),
        st.tuples(st.sampled_from(("sweep", "serve", "queue", "take", "away", "back", "again")), st.none()),
    ),
    min_size=4,
    max_size=24,
)


@dataclass
class Model:
    """What should become of what is said, written down independently: who has the conversation, what is being left as
    word and until when, and which words have to be an order in the end."""

    owner: Owner = Owner.BOT
    word: list[str] | None = None
    until: datetime | None = None
    orders: list[str] = field(default_factory=list)
    unregistered: bool = False
    """A word of this conversation has ended while no order could be opened."""
    last_at: datetime | None = None

    def passes(self, now: datetime) -> None:
        """Time, and what it ends."""
        if self.owner is Owner.BOT and self.last_at and now - self.last_at >= timedelta(minutes=30):
            self.ends()
            self.unregistered = False
        if self.until and now > self.until:
            self.ends()

    def ends(self) -> None:
        if self.word:
            self.orders.append("\n".join(self.word))
            self.unregistered = True
        self.word = self.until = None

    def hears(self, text: str, now: datetime) -> bool:
        """Whether a message of a conversation the bot has is part of a word or a command of one."""
        if self.word is None:
            if text == "留言" and not self.unregistered:
                self.word, self.until = [], now + WORD_FOR
            return text == "留言"
        if text == "转人工":
            self.ends()
            return False
        if text == "取消" or (text in ("不用", "不想说了") and not self.word):
            self.word = self.until = None
        elif text in ("好了", "没有了", "好的", "不用", "不想说了"):
            if self.word:
                self.ends()
        elif text == "回电" and not self.word:
            self.word = self.until = None
        elif text != "留言":
            self.word.append(text)
            self.until = now + WORD_FOR
        return True


class Play:
    """The steps played on the real store, beside the model."""

    def __init__(self, processes: list[Gateway]) -> None:
        self.processes, self.at = processes, 0
        self.world, self.model = processes[0].world, Model()
        self.sent: list[tuple[str, str]] = []

    @property
    def gateway(self) -> Gateway:
        self.at += 1
        return self.processes[self.at % len(self.processes)]

    async def step(self, what: str, detail: str | int | None) -> None:
        match what:
            case "say" | "die":
                await self.hears(str(detail), dies=what == "die")
            case "rated":
                await self.people("serve")
                await self.hears(str(detail), dies=False)
            case "wait":
                self.world.clock.pass_(minutes=int(detail or 0))
            case "sweep":
                await self.gateway.asides.run_once()
                if not self.world.orders.is_away:
                    self.model.passes(self.world.clock.now)
            case "away" | "back":
                self.world.orders.is_away = what == "away"
            case "again" if self.sent:
                number, text = self.sent[-1]
                await self.gateway.hear(text, number=number)
            case "serve" | "queue" | "take":
                await self.people(what)

    async def hears(self, text: str, *, dies: bool) -> None:
        now, before = self.world.clock.now, len(self.world.answered)
        self.model.passes(now)
        if not self.world.orders.is_away and self.model.owner in (Owner.BOT, Owner.QUEUED):
            self.model.unregistered = False
        if self.model.owner is Owner.QUEUED and text == "留言":
            self.model.owner = Owner.BOT
        is_the_bots = self.model.owner is Owner.BOT
        aside = is_the_bots and self.model.hears(text, now)
        replies = await self.sends(text, dies=dies)
        self.model.last_at = self.world.clock.now
        if is_the_bots:
            assert replies, "nobody is left without a word"
        if is_the_bots and not aside and text in QUESTIONS:
            assert self.world.answered[before:][-1:] == [text], "a question was swallowed"
        if aside:
            assert len(self.world.answered) == before, "a word was answered by the bot"

    async def sends(self, text: str, *, dies: bool) -> list[Reply]:
        gateway = self.gateway
        number = f"m{len(self.sent)}"
        self.sent.append((number, text))
        if not dies:
            return await gateway.hear(text, number=number)
        gateway.crashes = True
        try:
            await gateway.hear(text, number=number)
        except Crash:
            await self.gateway.take_up()
        gateway.crashes = False
        return await self.gateway.hear(text, number=number)

    async def people(self, what: str) -> None:
        """Somebody waits for a person, or one takes the conversation; with ``serve`` he says goodbye at once."""
        self.model.passes(self.world.clock.now)
        if not self.sent or self.model.owner is Owner.AGENT:
            return
        gateway = self.gateway
        open_ones = await gateway.desks.live(limit=9)
        is_the_bots = bool(open_ones) and open_ones[0].owner is Owner.BOT
        if what == "queue" and is_the_bots:
            self.model.ends()
            self.model.owner = Owner.QUEUED
            await gateway.wait_for_person()
        elif what == "serve" and is_the_bots:
            self.model.ends()
            served = await gateway.serve()
            await gateway.ask_agent_rating(served)
        elif what == "take" and open_ones:
            self.model.ends()
            conversation = await gateway.conversation()
            await gateway.held.take_over(conversation.id, staff_id="s1", telling=NOWHERE)
            served = await gateway.held.end(conversation.id, staff_id="s1", telling=NOWHERE)
            self.model.owner = Owner.BOT
            assert served is not None
            await gateway.ask_agent_rating(served)

    async def ends(self) -> None:
        """Long afterwards everything left is registered, once, by either process."""
        self.world.orders.is_away = False
        for process in (*self.processes, *self.processes):
            self.world.clock.pass_(hours=1)
            await process.asides.run_once()
        self.model.ends()
        left = [each.text for each in self.world.orders.opened.values() if each.source is Source.LEAVE_WORD]
        assert sorted(left) == sorted(self.model.orders), "a word was lost or doubled"
        asked = [line for line in await self.processes[0].lines() if line == words.sentence("rate_bot", _WECHAT)]
        assert len(asked) <= 1, "asked twice in a day"


_WECHAT = words.ChannelName.WECHAT


@settings(max_examples=60, deadline=None)
@given(steps)
def test_no_question_is_swallowed_and_no_word_lost(played: list[tuple[str, str | int | None]]) -> None:
    note(f"played: {played}")

    async def play() -> None:
        with tempfile.TemporaryDirectory() as directory:
            async with gateways(Path(directory), 2) as processes:
                stage = Play(processes)
                for what, detail in played:
                    await stage.step(what, detail)
                await stage.ends()

    asyncio.run(play())
