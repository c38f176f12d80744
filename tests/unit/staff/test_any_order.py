"""Whatever happens in whatever order: a session lets in whom it was given to, while that is right, and nobody else."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotline.domain.desk import Group
from hotline.domain.staff import Role, SignInRefused, StaffState, Stage
from hotline.staff_store import Changes
from tests.staff_kit import ALICE, HERE, Office, an_office

EVENTS = (
    *("sign in", "wrong password", "sign out", "sign out everywhere", "end another", "change password"),
    *("disable", "enable", "other roles", "other groups", "reset password", "use one", "a minute", "half an hour"),
    *("a day at work", "half a day", "clock back"),
)
IDLE, WHOLE = timedelta(minutes=30), timedelta(hours=12)


@dataclass
class Given:
    """A session as it should be."""

    began: datetime
    seen: datetime
    ended: bool = False


@dataclass
class Model:
    """What a reader of the rules would expect."""

    office: Office
    password: str = ""
    must_change: bool = False
    active: bool = True
    sessions: dict[str, Given] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.office.clock.now

    def end_all(self) -> None:
        for each in self.sessions.values():
            each.ended = True

    def open(self, token: str) -> None:
        self.sessions[token] = Given(self.now, self.now)

    def is_in(self, token: str) -> bool:
        each = self.sessions[token]
        return self.active and not each.ended and self.now - each.seen < IDLE and self.now < each.began + WHOLE

    def last(self) -> str:
        return next(reversed(self.sessions), "")

    async def use(self, token: str) -> bool:
        """Whether it lets somebody in; if so, that was a use of it."""
        let_in = await self.office.sign_in.here(token) is not None
        if let_in and self.now - self.sessions[token].seen >= timedelta(minutes=1):
            self.sessions[token].seen = self.now
        return let_in


async def happen(event: str, model: Model) -> None:
    office, token = model.office, model.last()
    if event in ("sign in", "wrong password"):
        try:
            typed = model.password if event == "sign in" else "wrong"
            opened = await office.sign_in.with_password("alice", typed, browser=HERE)
        except SignInRefused:
            return
        assert event == "sign in"
        assert model.active
        assert opened.stage is (Stage.PASSWORD if model.must_change else Stage.FULL)
        if opened.stage is Stage.FULL:
            model.open(opened.token)
    elif event == "change password" and token:
        new = f"another-long-phrase-{len(model.sessions)}"
        try:
            opened = await office.sign_in.change_password(token, old=model.password, new=new, browser=HERE)
        except SignInRefused:
            return
        model.end_all()
        model.password, model.must_change = new, False
        model.open(opened.token)
    elif event.startswith("sign out") and token:
        was_in = model.is_in(token)
        await office.sign_in.sign_out(token, everywhere=event.endswith("everywhere"))
        if was_in and event.endswith("everywhere"):
            model.end_all()
        elif was_in:
            model.sessions[token].ended = True
    elif event == "end another" and token and (here := await office.sign_in.here(token)):
        await model.use(token)
        other = next(iter(model.sessions))
        await office.sign_in.end(here.staff, office.sign_in._hash(other))
        model.sessions[other].ended = True
    else:
        await administer(event, model)


async def administer(event: str, model: Model) -> None:
    office = model.office
    if event in ("disable", "enable"):
        await office.accounts.set_state("alice", StaffState.DISABLED if event == "disable" else StaffState.ACTIVE)
        model.active = event == "enable"
        model.end_all()
    elif event == "other roles":
        await office.accounts.set_roles("alice", [Role.EDITOR])
        model.end_all()
    elif event == "other groups":
        await office.accounts.set_groups("alice", [Group.LOAN])
    elif event == "reset password":
        model.password, model.must_change = await office.accounts.reset_password("alice"), True
        model.end_all()
    else:
        await pass_time(event, model)


async def pass_time(event: str, model: Model) -> None:
    office = model.office
    if event == "use one" and model.last():
        await model.use(model.last())
    elif event == "a day at work":
        for _ in range(25):
            office.clock.ahead(minutes=29)
            for token in model.sessions:
                await model.use(token)
    elif event == "clock back":
        office.clock.ahead(minutes=-10)
    elif event in SPANS:
        office.clock.ahead(seconds=SPANS[event].total_seconds())


SPANS = {"a minute": timedelta(minutes=1), "half an hour": timedelta(minutes=29), "half a day": timedelta(hours=11)}


async def play(events: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with an_office(Path(directory), staff={"second_factor": False}) as office:
            model = Model(office)
            first = await office.accounts.add(ALICE)
            found = await office.members.by_name("alice")
            assert found is not None
            await office.members.change(
                found.staff, Changes(must_change_password=False), entry=None, ends_sessions=False
            )
            model.password = first
            for event in events:
                await happen(event, model)
                for token in model.sessions:
                    expected = model.is_in(token)
                    assert await model.use(token) is expected, (event, events)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=14))
def test_a_session_lets_in_exactly_whom_it_should_after_any_sequence_of_events(events: list[str]) -> None:
    asyncio.run(play(["sign in", *events]))
