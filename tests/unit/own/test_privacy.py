"""What is kept of a look at own data: a trail of who looked at what, and nothing personal anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotline.audit_store import ActorKind, AuditEntry
from hotline.domain.fund import Account, AccountState
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName
from tests.fake_fund import FakeFundSystem, a_loan, an_account, an_application
from tests.own_kit import Counter, RecordedAudit, text_of
from tests.unit.own.forms import CONFIRMED, FORMS, Form, at_summary
from tests.unit.own.kit import a_fund, at_counter, leaks
from tests.unit.own.test_core_away import SKILLS

pytestmark = pytest.mark.anyio

ANSWERS = (
    *(answer for form in FORMS for answer in form.answers),
    CONFIRMED,
    "修改",
    "修改金额",
    "接着办",
    "接着填",
    "重新填写",
    "取消",
    "再看几笔",
    "看另一个账户",
    "确定撤销",
    "不是",
    "50万",
    "1980年3月7日",
    "男",
    "不知道",
)


def everything() -> FakeFundSystem:
    second = an_account(account_no="A000002", unit_name="南沙码头公司", balance_fen=8_000_00)
    applications = [an_application(business="withdraw-leave"), an_application(application_no="B000002", business="x")]
    return a_fund(accounts=[an_account(), second], loans=[a_loan()], applications=applications)


SAID = st.sampled_from(
    [*((text, intent) for intent, text in SKILLS), *((text, "ask_knowledge") for text in ANSWERS), ("", "prove")]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(SAID, min_size=1, max_size=9),
    channel=st.sampled_from(list(ChannelName)),
    level=st.sampled_from([None, Level.BOUND, Level.PROVEN]),
)
def test_no_slot_answer_or_audit_entry_holds_a_number_or_a_name(
    messages: list[tuple[str, str]], channel: ChannelName, level: Level | None
) -> None:
    import asyncio

    async def talk() -> None:
        counter = at_counter(everything(), channel, level=level)
        for text, intent in messages:
            result = await counter.says(text, intent)
            assert leaks(counter.context.to_slots()) == []
            assert leaks(text_of(result)) == []
        assert [leak for entry in counter.audit.entries for leak in leaks(_without_ids(entry))] == []
        if channel is ChannelName.SMS:
            assert counter.fund.calls == []

    asyncio.run(talk())


def _without_ids(entry: AuditEntry) -> str:
    """Our own person_id is made from the core system's number in these tests alone."""
    return str(entry).replace("id-P000001", "")


@dataclass
class Ordered(FakeFundSystem):
    """Notes its reads in the order in which the trail is written."""

    trail: list[str] = field(default_factory=list)

    async def _reached(self, name: str) -> None:
        self.trail.append(f"fund.{name}")
        await super()._reached(name)


@dataclass
class OrderedAudit(RecordedAudit):
    trail: list[str] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        self.trail.append(entry.action)
        await super().record(entry)


def watched(held: FakeFundSystem) -> tuple[Counter, list[str]]:
    fund = Ordered(now=held.now, _held=held._held)
    counter = at_counter(fund)
    counter.audit = OrderedAudit(trail=fund.trail)
    return counter, fund.trail


@pytest.mark.parametrize(("intent", "text"), SKILLS)
async def test_a_look_is_on_record_before_the_data_is_fetched(intent: str, text: str) -> None:
    counter, trail = watched(a_fund())
    await counter.says(text, intent)
    assert trail[0] == f"{intent}.shown"
    assert len(trail) > 1
    entry = counter.audit.entries[0]
    assert (entry.actor_kind, entry.actor_id, entry.subject) == (ActorKind.PERSON, "id-P000001", "id-P000001")
    assert (entry.purpose, entry.channel, entry.conversation_id) == (intent, ChannelName.WECHAT, "c1")


@pytest.mark.parametrize("form", FORMS[:1])
async def test_an_act_is_on_record_before_it_is_done(form: Form) -> None:
    counter, trail = watched(form.fund())
    await at_summary(counter, form)
    await counter.says(CONFIRMED)
    assert trail.index("application.confirmed") < trail.index("fund.submit") < trail.index("application.filed")
    await counter.says("撤销申请", "cancel_application")
    await counter.says("确定撤销")
    assert trail.index("application.cancel_confirmed") < trail.index("fund.cancel")
    assert trail.index("fund.cancel") < trail.index("application.cancelled")


async def test_nobody_known_leaves_no_trail() -> None:
    counter = at_counter(level=None)
    for intent, text in SKILLS:
        await counter.says(text, intent)
    assert counter.audit.entries == []


async def test_the_draft_alone_holds_what_was_told() -> None:
    counter = at_counter()
    await at_summary(counter)
    (draft,) = counter.drafts.kept.values()
    assert draft.fields["amount_fen"] == "550000"
    assert "550000" not in str(counter.context.task)
    assert "550000" not in repr(draft)


def test_an_account_does_not_show_its_number() -> None:
    account: Account = an_account(state=AccountState.NORMAL, opened_on=date(2016, 7, 1))
    assert account.account_no not in repr(account)
