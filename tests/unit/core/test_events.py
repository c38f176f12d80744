"""Events become messages of the conversation they belong to, where somebody can be told something by himself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from hotline.domain.identity import Contact, Known, Level
from hotline.domain.messages import ChannelName, Inbound, InboundKind
from hotline.private_store import Submission, SubmissionState
from hotline.services.events import Events
from tests.own_kit import NOW

pytestmark = pytest.mark.anyio

KNOWN = Known(person_id="id-1", person_no="P000001", name_masked="陈**", level=Level.PROVEN)
FILED = Submission(
    key="k1",
    person_id="id-1",
    business="withdraw-rent",
    state=SubmissionState.SUBMITTED,
    application_no="B000001",
    created_at=NOW,
    updated_at=NOW,
)


def contact(channel: ChannelName, address: str = "someone") -> Contact:
    return Contact(channel=channel, address=address)


@dataclass
class FakeBindings:
    conversations: Mapping[str, Contact] = field(default_factory=dict)
    bound: Sequence[Contact] = ()

    async def contact_of(self, conversation_id: str) -> Contact | None:
        return self.conversations.get(conversation_id)

    async def contacts_of(self, person_id: str) -> Sequence[Contact]:
        return self.bound if person_id == "id-1" else ()


def events(bindings: FakeBindings) -> tuple[Events, list[Inbound]]:
    taken: list[Inbound] = []

    async def submit(inbound: Inbound) -> bool:
        taken.append(inbound)
        return True

    return Events(submit, bindings), taken  # type: ignore[arg-type]  # what events use of the bindings


@pytest.mark.parametrize("channel", [ChannelName.WECHAT, ChannelName.WEB])
async def test_a_proof_goes_on_in_its_own_conversation(channel: ChannelName) -> None:
    happened, taken = events(FakeBindings(conversations={"c1": contact(channel)}))
    await happened.proved("c1", KNOWN)
    (event,) = taken
    assert (event.channel, event.contact_key, event.kind) == (channel, "someone", InboundKind.PROVED)
    assert (event.text, event.session_key) == ("", "")


@pytest.mark.parametrize("channel", [ChannelName.VOICE, ChannelName.SMS])
async def test_a_caller_goes_on_by_himself_and_a_text_message_names_no_business(channel: ChannelName) -> None:
    happened, taken = events(FakeBindings({"c1": contact(channel)}, [contact(channel)]))
    await happened.proved("c1", KNOWN)
    await happened.verified(FILED)
    assert taken == []


async def test_a_conversation_that_is_gone_is_told_nothing() -> None:
    happened, taken = events(FakeBindings())
    await happened.proved("c9", KNOWN)
    await happened.verified(FILED)
    assert taken == []


async def test_two_proofs_are_two_events() -> None:
    happened, taken = events(FakeBindings(conversations={"c1": contact(ChannelName.WEB)}))
    await happened.proved("c1", KNOWN)
    await happened.proved("c1", KNOWN)
    assert len({event.external_id for event in taken}) == 2


async def test_the_outcome_of_a_filing_is_told_once_where_the_person_was_bound_last() -> None:
    bound = [contact(ChannelName.VOICE), contact(ChannelName.WECHAT, "newest"), contact(ChannelName.WEB, "older")]
    happened, taken = events(FakeBindings(bound=bound))
    await happened.verified(FILED)
    await happened.verified(FILED)
    assert {(event.channel, event.contact_key, event.kind) for event in taken} == {
        (ChannelName.WECHAT, "newest", InboundKind.VERIFIED)
    }
    assert len({event.external_id for event in taken}) == 1  # the inbox takes each id once


async def test_an_event_carries_no_words_and_no_number() -> None:
    happened, taken = events(FakeBindings(bound=[contact(ChannelName.WEB)]))
    await happened.verified(FILED)
    assert "B000001" not in str(taken)
    assert "P000001" not in str(taken)
