"""The contract of drafts and submissions, on every database they run on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from hotline.privacy.ciphers import FieldCipher, Unreadable
from hotline.private_store import Begun, SubmissionState
from hotline.storage.database import Database
from hotline.storage.private_records import SqlDrafts, SqlSubmissions
from hotline.storage.tables import drafts, persons
from tests.contract.storage.conftest import Migrated
from tests.databases import KINDS

pytestmark = pytest.mark.anyio

HE, SHE = "person-1", "person-2"
RENT, PURCHASE = "withdraw-rent", "withdraw-purchase"
FIELDS = {"amount_fen": "120000", "card": "6217003320001234569", "reason": "租房"}


@dataclass
class Bench:
    url: str
    database: Database
    now: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

    def __post_init__(self) -> None:
        cipher = FieldCipher({1: bytes(range(32))}, cipher="aes-256-gcm")
        self.drafts = SqlDrafts(self.database, cipher=cipher, clock=self.clock)
        self.submissions = SqlSubmissions(self.database, clock=self.clock)

    def clock(self) -> datetime:
        return self.now


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> AsyncIterator[Bench]:
    async with migrated(request.param, tmp_path) as url:
        database = Database(url)
        made = Bench(url, database)
        async with database.write() as tx:
            for person in (HE, SHE):
                names = ("person_no", "person_no_hash", "id_number", "id_number_hash", "mobile", "name_masked")
                values = {name: person for name in names}
                await tx.execute(insert(persons).values(id=person, registered_at=made.now, **values))
        yield made
        await database.close()


async def test_a_draft_comes_back_as_it_was_last_saved(bench: Bench) -> None:
    await bench.drafts.save(HE, RENT, fields={"amount_fen": "1"}, step="amount")
    bench.now += timedelta(days=3)
    saved = await bench.drafts.save(HE, RENT, fields=FIELDS, step="confirm")
    assert await bench.drafts.find(HE, RENT) == saved
    assert (saved.fields, saved.step, saved.updated_at) == (FIELDS, "confirm", bench.now)
    assert saved.expires_at == bench.now + timedelta(days=30)
    assert FIELDS["card"] not in repr(saved)


async def test_a_person_has_his_own_drafts_last_changed_first(bench: Bench) -> None:
    for person, business in ((HE, RENT), (SHE, RENT), (HE, PURCHASE)):
        bench.now += timedelta(seconds=1)
        await bench.drafts.save(person, business, fields={}, step="amount")
    assert [draft.business for draft in await bench.drafts.of(HE)] == [PURCHASE, RENT]
    assert await bench.drafts.find(SHE, PURCHASE) is None


async def test_a_draft_is_gone_after_thirty_days_and_when_it_is_dropped(bench: Bench) -> None:
    await bench.drafts.save(HE, RENT, fields=FIELDS, step="confirm")
    await bench.drafts.save(HE, PURCHASE, fields=FIELDS, step="confirm")
    assert await bench.drafts.drop(HE, PURCHASE)
    assert not await bench.drafts.drop(HE, PURCHASE)
    bench.now += timedelta(days=30)
    assert await bench.drafts.of(HE) == []
    assert await bench.drafts.find(HE, RENT) is None


async def test_saving_at_once_leaves_one_draft_that_can_be_read(bench: Bench) -> None:
    saving = (bench.drafts.save(HE, RENT, fields={"n": str(n)}, step="amount") for n in range(10))
    await asyncio.gather(*saving)
    (draft,) = await bench.drafts.of(HE)
    assert draft.fields["n"] in {str(n) for n in range(10)}


async def test_what_is_in_a_draft_stands_sealed_and_in_its_row_alone(bench: Bench) -> None:
    await bench.drafts.save(HE, RENT, fields=FIELDS, step="confirm")
    await bench.drafts.save(SHE, RENT, fields={}, step="amount")
    async with bench.database.write() as tx:
        whole = str((await tx.execute(text("SELECT * FROM drafts"))).all())
        his = await tx.scalar(select(drafts.c.fields).where(drafts.c.person_id == HE))
        await tx.execute(update(drafts).where(drafts.c.person_id == SHE).values(fields=his))
    assert FIELDS["card"] not in whole
    assert FIELDS["reason"] not in whole
    with pytest.raises(Unreadable):
        await bench.drafts.find(SHE, RENT)


async def test_a_filing_is_begun_once(bench: Bench) -> None:
    begun = await bench.submissions.begin(HE, RENT, key="k1")
    again = await bench.submissions.begin(HE, RENT, key="k1")
    another = await bench.submissions.begin(HE, RENT, key="k2")
    assert begun.new
    assert begun.submission.state is SubmissionState.SENDING
    assert again == another == Begun(submission=begun.submission, new=False)
    assert await bench.submissions.find("k1") == begun.submission
    assert await bench.submissions.find("k2") is None


async def test_of_filings_begun_at_once_one_is_new(bench: Bench) -> None:
    begun = await asyncio.gather(*(bench.submissions.begin(HE, RENT, key=f"k{n}") for n in range(8)))
    assert sum(each.new for each in begun) == 1
    assert len({each.submission.key for each in begun}) == 1


async def test_others_and_other_business_are_not_in_the_way(bench: Bench) -> None:
    begun = [
        await bench.submissions.begin(person, business, key=f"{person} {business}")
        for person, business in ((HE, RENT), (SHE, RENT), (HE, PURCHASE))
    ]
    assert all(each.new for each in begun)


@pytest.mark.parametrize("state", [SubmissionState.SUBMITTED, SubmissionState.REFUSED])
async def test_what_is_settled_stays_so_and_makes_room_for_the_next(bench: Bench, state: SubmissionState) -> None:
    await bench.submissions.begin(HE, RENT, key="k1")
    bench.now += timedelta(seconds=2)
    settled = await bench.submissions.settle("k1", state, application_no="B000001", error="daily_limit")
    assert settled
    assert (settled.state, settled.application_no, settled.error, settled.updated_at) == (
        state,
        "B000001",
        "daily_limit",
        bench.now,
    )
    assert await bench.submissions.settle("k1", SubmissionState.UNKNOWN) is None
    assert await bench.submissions.find("k1") == settled
    assert not (await bench.submissions.begin(HE, RENT, key="k1")).new
    assert (await bench.submissions.begin(HE, RENT, key="k2")).new


async def test_a_filing_in_doubt_is_in_the_way_until_it_is_settled(bench: Bench) -> None:
    await bench.submissions.begin(HE, RENT, key="k1")
    doubtful = await bench.submissions.settle("k1", SubmissionState.UNKNOWN)
    assert doubtful
    assert (await bench.submissions.begin(HE, RENT, key="k2")).submission == doubtful
    assert await bench.submissions.settle("k1", SubmissionState.SUBMITTED, application_no="B1")


async def test_open_filings_are_found_when_they_have_waited_long_enough(bench: Bench) -> None:
    for key, business in (("old", RENT), ("done", PURCHASE), ("newer", "loan")):
        await bench.submissions.begin(HE, business, key=key)
        bench.now += timedelta(minutes=1)
    await bench.submissions.settle("done", SubmissionState.SUBMITTED)
    waiting = await bench.submissions.open_before(bench.now, limit=10)
    assert [each.key for each in waiting] == ["old", "newer"]
    assert [each.key for each in await bench.submissions.open_before(bench.now, limit=1)] == ["old"]
    assert await bench.submissions.open_before(bench.now - timedelta(minutes=3), limit=10) == []
