"""Filings whose answer was lost: the core system is asked what became of them, and the citizen is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.fund_system import FundRefused, FundSystem, FundUnavailable
from hotline.identity_store import Bindings
from hotline.private_store import NOT_SENT, Drafts, Submission, Submissions, SubmissionState

log = structlog.get_logger(__name__)

ASK_AFTER: Final = timedelta(seconds=10)
"""Longer than any turn may still be working on its filing."""
LOST_AFTER: Final = timedelta(seconds=60)
"""A filing the core system has not seen after this long never arrived: its requests are not that slow."""
AT_ONCE: Final = 20
NOBODY: Final = "nobody"
"""Error of a filing of somebody who is no longer on record."""


class Verification:
    """Settles open filings. Safe to run in several processes: settling twice changes nothing and tells nobody."""

    def __init__(
        self,
        fund: FundSystem,
        submissions: Submissions,
        drafts: Drafts,
        *,
        bindings: Bindings,
        audit: Audit,
        clock: Callable[[], datetime],
        tell: Callable[[Submission], Awaitable[None]],
    ) -> None:
        self._fund = fund
        self._submissions = submissions
        self._drafts = drafts
        self._bindings = bindings
        self._audit = audit
        self._clock = clock
        self._tell = tell

    async def run_due(self) -> int:
        """How many filings are settled now. Ends early while the core system is away."""
        settled = 0
        for open_one in await self._submissions.open_before(self._clock() - ASK_AFTER, limit=AT_ONCE):
            try:
                settled += await self._settle(open_one)
            except FundUnavailable:
                break
            except FundRefused as refused:
                log.error("filing.verification.refused", reason=refused.code)
        return settled

    async def _settle(self, open_one: Submission) -> bool:
        person = await self._bindings.registered(open_one.person_id)
        if person is None or not person.person_no:  # erased on request: there is nobody to ask about or to tell
            return await self._submissions.settle(open_one.key, SubmissionState.REFUSED, error=NOBODY) is not None
        found = await self._fund.submission(person.person_no, key=open_one.key)
        if found is not None:
            settled = await self._submissions.settle(
                open_one.key, SubmissionState.SUBMITTED, application_no=found.application_no
            )
        elif self._clock() - open_one.created_at > LOST_AFTER:
            settled = await self._submissions.settle(open_one.key, SubmissionState.REFUSED, error=NOT_SENT)
        else:
            return False
        if settled is None:  # another process was faster, and what it left must not be changed
            return False
        await self._put_away(settled)
        await self._audit.record(_entry(settled))
        log.info("filing.verified", state=str(settled.state), kind=settled.business)
        await self._tell(settled)
        return True

    async def _put_away(self, settled: Submission) -> None:
        """The draft of what was filed is gone; what was not filed may be filed again, as another filing."""
        if settled.state is SubmissionState.SUBMITTED:
            await self._drafts.drop(settled.person_id, settled.business)
            return
        draft = await self._drafts.find(settled.person_id, settled.business)
        if draft is not None:
            await self._drafts.save(settled.person_id, settled.business, fields=draft.fields, step=draft.step)


def _entry(settled: Submission) -> AuditEntry:
    return AuditEntry(
        actor_kind=ActorKind.SYSTEM,
        actor_id="verification",
        action=f"application.verified.{settled.state}",
        subject=settled.person_id,
        purpose=settled.business,
        detail={"reference": settled.application_no} if settled.application_no else {},
    )
