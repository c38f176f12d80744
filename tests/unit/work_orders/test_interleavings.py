"""Two members of staff, a supervisor, the clock and two processes, in any order: nothing that may not happen does."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hotline.domain.desk import Group
from hotline.domain.work_orders import (
    ALLOWED,
    OPEN,
    Actor,
    Alarm,
    ChangeKind,
    Event,
    OrderRefused,
    Refusal,
    State,
    Visit,
    WorkOrder,
)
from hotline.services.work_orders.desk import WorkOrderDesk
from tests.work_order_kit import BOSS, DONE, HE, LI, WANG, OrderKit, add_persons, build_kit, sqlite_in

Act = Callable[[WorkOrderDesk, str, int, Actor], Awaitable[WorkOrder]]
BAD = Visit(rating=1, reason="没有解决")
ACTS: dict[str, Act] = {
    "accept": lambda desk, number, seen, by: desk.accept(number, version=seen, by=by),
    "start": lambda desk, number, seen, by: desk.start(number, version=seen, by=by),
    "wait": lambda desk, number, seen, by: desk.wait_for_citizen(number, version=seen, by=by, asked="请补充"),
    "conclude": lambda desk, number, seen, by: desk.conclude(number, version=seen, by=by, conclusion=DONE),
    "close": lambda desk, number, seen, by: desk.close(number, version=seen, by=by),
    "reject": lambda desk, number, seen, by: desk.reject(number, version=seen, by=by, reason="不归我们管"),
    "good": lambda desk, number, seen, by: desk.visit(number, version=seen, by=by, visit=Visit(rating=5)),
    "bad": lambda desk, number, seen, by: desk.visit(number, version=seen, by=by, visit=BAD),
    "unreached": lambda desk, number, seen, by: desk.visit(number, version=seen, by=by, visit=Visit(rating=None)),
    "reopen": lambda desk, number, seen, by: desk.reopen(number, version=seen, by=by, reason="市民补充材料"),
    "extend": lambda desk, number, seen, by: desk.extend(number, version=seen, by=by, workdays=2, reason="等待银行"),
    "assign": lambda desk, number, seen, by: desk.assign(number, version=seen, by=by, owner=by.id, group=Group.LOAN),
    "secret": lambda desk, number, seen, by: desk.set_confidential(number, version=seen, by=by, on=True),
}
FORWARD = ("accept", "start", "conclude")
people = st.sampled_from([LI, WANG, BOSS])
which = st.integers(0, 99)


class Orders(RuleBasedStateMachine):
    """``seen``: the version each of the three has on his page."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="hotline-orders-"))
        self.numbers: list[str] = []
        self.touched: set[str] = set()
        self.seen: dict[tuple[str, str], int] = {}
        self.last: tuple[str, str, int, Actor] | None = None
        self.kits: list[OrderKit] = []

    @initialize()
    def begin(self) -> None:
        async def made() -> list[OrderKit]:
            url = await sqlite_in(self.folder)
            one = build_kit(url, self.folder)
            await add_persons(one.database)
            return [one, build_kit(url, self.folder, clock=one.clock)]

        self.kits = self.runner.run(made())
        self.file()

    def teardown(self) -> None:
        if self.kits:
            self.end()
        for kit in self.kits:
            self.runner.run(kit.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    @rule()
    def file(self) -> None:
        """The citizen files another order."""
        number = self.runner.run(self.kits[0].open(f"第{len(self.numbers)}件事", person_id=HE)).number
        self.numbers.append(number)
        self.touched.add(number)

    @rule(by=people, at=which)
    def look(self, by: Actor, at: int) -> None:
        """His page shows the order as it is now."""
        number = self.numbers[at % len(self.numbers)]
        self.seen[by.id, number] = self.now(number).version

    @rule(by=people, at=which, what=st.sampled_from([*ACTS, *FORWARD]), process=st.booleans())
    def act(self, by: Actor, at: int, what: str, process: bool) -> None:
        """He changes what his page shows."""
        number = self.numbers[at % len(self.numbers)]
        seen = self.seen.get((by.id, number), 1)
        before = self.now(number)
        after = self.attempt(what, number, seen, by, process=process)
        if after is not None:
            assert seen == before.version or after == before
            self.seen[by.id, number] = after.version
            self.last = (what, number, seen, by)
        else:
            assert self.now(number) == before

    @rule(process=st.booleans())
    def send_again(self, process: bool) -> None:
        """The last request that was done comes once more, from the other process perhaps."""
        if self.last is None:
            return
        what, number, seen, by = self.last
        before = self.now(number)
        self.attempt(what, number, seen, by, process=process)
        assert self.now(number) == before

    @rule(by=people, what=st.sampled_from(FORWARD), at=which)
    def both_at_once(self, by: Actor, what: str, at: int) -> None:
        """He and a colleague do the same with the same version at the same time: one of them does it, or nobody."""
        number = self.numbers[at % len(self.numbers)]
        version = self.now(number).version
        other = WANG if by is LI else LI

        async def together() -> list[object]:
            tries = (
                ACTS[what](kit.services.desk, number, version, who)
                for kit, who in zip(self.kits, (by, other), strict=True)
            )
            return await asyncio.gather(*tries, return_exceptions=True)

        ended = self.runner.run(together())
        done = [each for each in ended if isinstance(each, WorkOrder)]
        assert len(done) <= 1
        assert all(isinstance(each, WorkOrder | OrderRefused) for each in ended)
        assert self.now(number).version == version + len(done)

    @rule(by=people, one=which, other=which)
    def merge(self, by: Actor, one: int, other: int) -> None:
        gone, kept = (self.now(self.numbers[at % len(self.numbers)]) for at in (one, other))
        versions = (gone.version, kept.version)
        desk = self.kits[0].services.desk
        try:
            merged = self.runner.run(desk.merge(gone.number, into=kept.number, versions=versions, by=by))
        except OrderRefused as refused:
            assert refused.refusal in (Refusal.NOT_MERGEABLE, Refusal.NOT_ALLOWED)  # noqa: PT017 - or it was merged
        else:
            assert merged.number == kept.number
        self.touched |= {gone.number, kept.number}

    @rule(hours=st.sampled_from([0.5, 6, 30, 100]))
    def time_passes(self, hours: float) -> None:
        self.kits[0].clock.forward(hours=hours)

    @rule()
    def housekeep(self) -> None:
        """Both processes at once."""

        async def together() -> None:
            await asyncio.gather(*(kit.services.due.run_due() for kit in self.kits))

        self.runner.run(together())

    @invariant()
    def the_log_tells_how_every_order_came_to_be_as_it_is(self) -> None:
        while self.touched:
            number = self.touched.pop()
            order, changes = self.now(number), self.changes(number)
            self.touched.discard(number)
            assert [each.version for each in changes] == list(range(1, order.version + 1))
            assert changes[-1].state_to is order.state
            for before, after in pairwise(changes):
                assert after.state_from is before.state_to
                assert after.state_from is after.state_to or after.state_to in ALLOWED[after.state_from]  # type: ignore[index]
            self.is_sound(order, changes)

    def is_sound(self, order: WorkOrder, changes: list[Event]) -> None:
        kinds = [each.kind for each in changes]
        reopened = sum(each.state_to is State.REOPENED and each.state_from is not State.REOPENED for each in changes)
        assert reopened == order.reopened <= 1
        if order.state in (State.CONCLUDED, State.CLOSED):
            assert order.conclusion is not None
        if order.state is State.CLOSED:
            assert ChangeKind.CONCLUDED in kinds
        if order.state is State.MERGED:
            standing = self.runner.run(self.kits[0].services.orders.standing(order))
            assert standing.state is not State.MERGED
        assert (order.timer.alarm in (Alarm.NONE, Alarm.VISIT)) or order.state in OPEN

    def end(self) -> None:
        """Long after, everything has rung and everybody was told, each once."""
        for _ in range(3):
            self.kits[0].clock.forward(days=20)
            self.runner.run(self.kits[0].until_quiet())
        self.touched.update(self.numbers)
        self.the_log_tells_how_every_order_came_to_be_as_it_is()
        keys = [key for kit in self.kits for _, _, key in kit.citizens.told]
        assert len(keys) == len(set(keys))
        for number in self.numbers:
            self.rang_once_a_deadline(number)

    def rang_once_a_deadline(self, number: str) -> None:
        """Since the last new deadline no alarm came twice, and an order that is open has had all of them."""
        order = self.now(number)
        events = self.runner.run(self.kits[0].services.orders.events(order))
        rung: list[Alarm] = []
        for event in events:
            if event.kind in (ChangeKind.EXTENDED, ChangeKind.REOPENED, ChangeKind.TAKEN_IN, ChangeKind.VISITED):
                rung = []
            elif event.kind is ChangeKind.RANG and event.number == number:
                rung.append(Alarm(event.data["alarm"]))
        assert len(rung) == len(set(rung))
        if order.state in OPEN:
            assert Alarm.LATE in rung or ChangeKind.TAKEN_IN in [event.kind for event in events]
            assert order.timer.alarm is Alarm.NONE

    # --- how

    def now(self, number: str) -> WorkOrder:
        self.touched.add(number)
        found = self.runner.run(self.kits[1].services.orders.find(number))
        assert found is not None
        return found

    def changes(self, number: str) -> list[Event]:
        """The order's own changes, wherever its log is by now."""
        orders = self.kits[1].services.orders
        standing = self.runner.run(orders.standing(self.now(number)))
        found = self.runner.run(orders.events(standing))
        return [each for each in found if each.number == number and each.version is not None]

    def attempt(self, what: str, number: str, seen: int, by: Actor, *, process: bool) -> WorkOrder | None:
        try:
            return self.runner.run(ACTS[what](self.kits[process].services.desk, number, seen, by))
        except OrderRefused:
            return None


Orders.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOrders = Orders.TestCase
