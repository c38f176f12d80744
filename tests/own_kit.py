"""The own-data counter in memory: a person who is known or not, drafts, filings, an audit trail, a conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from hotline.audit_store import AuditEntry
from hotline.domain.fund import CertificateKind
from hotline.domain.identity import Known, Level, Purpose
from hotline.domain.messages import ChannelName, Outcome, TurnResult
from hotline.identification import Identification
from hotline.private_store import OPEN_SUBMISSIONS, Begun, Draft, Submission, SubmissionState
from hotline.services.answering import Answering
from hotline.services.offers import Context, Question
from hotline.services.own.counter import build_desk
from hotline.services.own.desk import OwnDesk
from hotline.services.own.limits import Limits
from hotline.settings import ROOT, LimitsSettings
from knowledge_base.loader import load
from knowledge_base.match import Match
from knowledge_base.model import Catalogue
from tests.fake_fund import FakeFundSystem

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
LINK = "https://gjj.example/id/token"
DOWNLOAD = "https://gjj.example/certificates/ticket"


@cache
def catalogue() -> Catalogue:
    """Guangzhou's content as it stands in the checkout."""
    return load(ROOT / "knowledge_base", centre="guangzhou")


class FakeIdentification:
    """Knows whom it is told to know; every link is the same."""

    def __init__(self) -> None:
        self.known_person: Known | None = None
        self.links: list[Purpose] = []

    async def known_in(self, conversation_id: str) -> Known | None:
        return self.known_person

    async def link(self, conversation_id: str, purpose: Purpose) -> str:
        self.links.append(purpose)
        return LINK

    async def unbind_in(self, conversation_id: str) -> bool:
        before, self.known_person = self.known_person, None
        return before is not None


@dataclass
class MemoryDrafts:
    now: datetime = NOW
    kept: dict[tuple[str, str], Draft] = field(default_factory=dict)

    async def save(self, person_id: str, business: str, *, fields: Mapping[str, str], step: str) -> Draft:
        self.now += timedelta(seconds=1)
        expires = self.now + timedelta(days=30)
        draft = Draft(
            person_id=person_id,
            business=business,
            fields=dict(fields),
            step=step,
            updated_at=self.now,
            expires_at=expires,
        )
        self.kept[person_id, business] = draft
        return draft

    async def find(self, person_id: str, business: str) -> Draft | None:
        return self.kept.get((person_id, business))

    async def of(self, person_id: str) -> list[Draft]:
        mine = [draft for (owner, _), draft in self.kept.items() if owner == person_id]
        return sorted(mine, key=lambda draft: draft.updated_at, reverse=True)

    async def drop(self, person_id: str, business: str) -> bool:
        return self.kept.pop((person_id, business), None) is not None


@dataclass
class MemorySubmissions:
    now: datetime = NOW
    kept: dict[str, Submission] = field(default_factory=dict)

    async def begin(self, person_id: str, business: str, *, key: str) -> Begun:
        in_the_way = [
            each
            for each in self.kept.values()
            if each.key == key
            or (each.person_id, each.business, each.state in OPEN_SUBMISSIONS) == (person_id, business, True)
        ]
        if in_the_way:
            return Begun(submission=in_the_way[0], new=False)
        self.kept[key] = Submission(
            key=key,
            person_id=person_id,
            business=business,
            state=SubmissionState.SENDING,
            created_at=self.now,
            updated_at=self.now,
        )
        return Begun(submission=self.kept[key], new=True)

    async def settle(
        self, key: str, state: SubmissionState, *, application_no: str = "", error: str = ""
    ) -> Submission | None:
        before = self.kept.get(key)
        if before is None or before.state not in OPEN_SUBMISSIONS:
            return None
        self.kept[key] = replace(before, state=state, application_no=application_no, error=error, updated_at=self.now)
        return self.kept[key]

    async def find(self, key: str) -> Submission | None:
        return self.kept.get(key)

    async def of(self, person_id: str, *, since: datetime) -> list[Submission]:
        return [each for each in self.kept.values() if each.person_id == person_id and each.updated_at >= since]

    async def open_before(self, moment: datetime, *, limit: int) -> list[Submission]:
        found = [each for each in self.kept.values() if each.state in OPEN_SUBMISSIONS and each.updated_at < moment]
        return found[:limit]


@dataclass
class RecordedAudit:
    entries: list[AuditEntry] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.entries]


class FakeLinks:
    async def address(self, *, person_id: str, kind: CertificateKind, conversation_id: str) -> str:
        return f"{DOWNLOAD}/{kind}"


class Counter:
    """A conversation at the counter: `says` is one message of it, with the slots carried as Rasa carries them."""

    def __init__(self, fund: FakeFundSystem, *, channel: ChannelName = ChannelName.WECHAT) -> None:
        self.fund = fund
        self.identification = FakeIdentification()
        self.drafts, self.submissions, self.audit = MemoryDrafts(), MemorySubmissions(), RecordedAudit()
        self.channel = channel
        self.context = Context()
        self.limits = LimitsSettings()
        self.answering = Answering(catalogue())
        self.today = NOW.date()

    def knows(self, person_no: str, *, level: Level = Level.PROVEN) -> Counter:
        """From now on the conversation is this person's."""
        self.identification.known_person = Known(
            person_id=f"id-{person_no}", person_no=person_no, name_masked="*", level=level
        )
        return self

    def desk(self) -> OwnDesk:
        """The counter over what is in memory now."""
        identification: Identification = self.identification  # type: ignore[assignment]  # what skills use of it
        return build_desk(
            self.fund,
            identification,
            records=(self.drafts, self.submissions),
            links=FakeLinks(),
            limits=Limits(self.fund, self.limits),
            audit=self.audit,
        )

    async def says(self, text: str, intent: str = "ask_knowledge", *, match: Match | None = None) -> TurnResult:
        """The answer to ``text``, which was read as ``intent``."""
        question = Question(text=text, intent=intent, channel=self.channel, today=self.today, match=match)
        decision = await self.desk().decide(self.answering, question, self.context, conversation_id="c1")
        slots = json.loads(json.dumps(decision.context.to_slots()))
        self.context = Context.from_slots(slots)
        return decision.result


def text_of(result: TurnResult) -> str:
    return "\n".join(reply.text for reply in result.replies)


def labels_of(result: TurnResult) -> Sequence[str]:
    return [choice.label for reply in result.replies for choice in reply.choices]


__all__ = ["DOWNLOAD", "LINK", "NOW", "Counter", "Outcome", "catalogue", "labels_of", "text_of"]
