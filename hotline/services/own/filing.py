"""An application leaves for the core system once, and the citizen is told the truth: filed, not filed, or in doubt."""

from __future__ import annotations

import hashlib

import structlog

from hotline.audit_store import Audit
from hotline.domain.fund import Application, NewApplication
from hotline.domain.messages import Choice, Outcome
from hotline.fund_system import FundRefused, FundSystem, FundUnavailable, FundUnknown
from hotline.private_store import NOT_SENT, Draft, Drafts, Submission, Submissions, SubmissionState
from hotline.services.own.businesses.business import Business
from hotline.services.own.fields import WORDS
from hotline.services.own.looks import did
from hotline.services.own.progress import business as name_of
from hotline.services.own.progress import tell
from hotline.services.own.skill import Ask, Told
from hotline.services.own.writes import kept, may_have_happened
from hotline.services.understanding import BY_NUMBER

log = structlog.get_logger(__name__)


class Filing:
    """Files drafts. Safe to repeat: two devices that confirm the same draft file it once."""

    def __init__(self, fund: FundSystem, drafts: Drafts, submissions: Submissions, *, audit: Audit) -> None:
        self._fund = fund
        self._drafts = drafts
        self._submissions = submissions
        self._audit = audit

    async def file(self, ask: Ask, business: Business, draft: Draft) -> Told:
        """The draft is filed under a key made from it, so that the same confirmation is never another filing."""
        key = _key(draft)
        begun = await self._submissions.begin(ask.person_id, business.code, key=key)
        if not begun.new:
            return await self._before(ask, business, begun.submission)
        try:
            with may_have_happened():
                return await self._new(ask, business, draft, key=key)
        except FundUnknown:
            await kept(self._submissions.settle(key, SubmissionState.UNKNOWN))
            return self._told("in_doubt", ask, business)

    async def _new(self, ask: Ask, business: Business, draft: Draft, *, key: str) -> Told:
        await self._audit.record(did("application.confirmed", ask, purpose=business.code))
        new = NewApplication(
            person_no=ask.person_no,
            business=business.code,
            fields=business.filed(draft.fields),
            confirmed_at=ask.now,
            channel=ask.channel,
        )
        try:
            application = await self._fund.submit(new, key=key)
        except FundUnavailable:
            await kept(self._refused(ask, business, key=key, error=NOT_SENT))
            return self._told("not_filed", ask, business)
        except FundRefused as refused:
            await kept(self._refused(ask, business, key=key, error=refused.code))
            raise
        await kept(self._filed(ask, business, application, key=key))
        return self._told_filed(ask, business, application)

    async def _filed(self, ask: Ask, business: Business, application: Application, *, key: str) -> None:
        number = application.application_no
        await self._submissions.settle(key, SubmissionState.SUBMITTED, application_no=number)
        await self._drafts.drop(ask.person_id, business.code)
        await self._audit.record(did("application.filed", ask, purpose=business.code, detail={"reference": number}))

    async def _before(self, ask: Ask, business: Business, earlier: Submission) -> Told:
        """Another device was faster, or the same words came twice."""
        if earlier.state is SubmissionState.SUBMITTED:
            application = await self._fund.application(ask.person_no, earlier.application_no)
            await self._drafts.drop(ask.person_id, business.code)
            return self._told_filed(ask, business, application)
        if earlier.state is not SubmissionState.REFUSED:
            return self._told("in_doubt", ask, business)
        await self._renew(ask, business)
        if earlier.error == NOT_SENT:
            return self._told("not_filed", ask, business)
        raise FundRefused(earlier.error)

    async def _refused(self, ask: Ask, business: Business, *, key: str, error: str) -> None:
        """The filing is over."""
        await self._submissions.settle(key, SubmissionState.REFUSED, error=error)
        await self._renew(ask, business)

    async def _renew(self, ask: Ask, business: Business) -> None:
        """The draft counts as changed, so that filing it again is another filing."""
        draft = await self._drafts.find(ask.person_id, business.code)
        if draft is not None:
            await self._drafts.save(ask.person_id, business.code, fields=draft.fields, step=draft.step)

    def _told_filed(self, ask: Ask, business: Business, application: Application) -> Told:
        text = WORDS.say("filed", ask.channel, told=tell(application, ask))
        label = str(WORDS.find("progress_label"))
        choices = (Choice(label=label, text=label),) if ask.channel not in BY_NUMBER else ()
        return Told(text=text, choices=choices, matter=business.code)

    def _told(self, key: str, ask: Ask, business: Business) -> Told:
        log.warning("own.filing", outcome=key, kind=business.code)
        text = WORDS.say(key, ask.channel, business=name_of(business.code, ask))
        return Told(text=text, outcome=Outcome.CLARIFIED, matter=business.code)


def _key(draft: Draft) -> str:
    """The same for every confirmation of this draft as it stands: who, what, and when it was last changed."""
    identity = "\x1f".join([draft.person_id, draft.business, draft.updated_at.isoformat()])
    return hashlib.sha256(identity.encode()).hexdigest()[:40]
