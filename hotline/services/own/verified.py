"""What became of a filing that was in doubt: told as soon as it is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Outcome
from hotline.private_store import NOT_SENT, OPEN_SUBMISSIONS, Submission, Submissions, SubmissionState
from hotline.services.own.fields import WORDS
from hotline.services.own.progress import business as name_of
from hotline.services.own.skill import Ask, Told

NEWS_FOR: Final = timedelta(minutes=10)
"""What was settled longer ago is told by the progress skill alone."""


class Verified:
    """Runs for the intent ``verify``, which the gateway sends and nobody says."""

    intent = "verify"
    matter = "query-sms-progress"
    own_only = False

    def __init__(self, submissions: Submissions) -> None:
        self._submissions = submissions

    def needs(self, channel: ChannelName) -> Level:
        return Level.BOUND

    async def answer(self, ask: Ask) -> Told:
        found = await self._submissions.of(ask.person_id, since=ask.now - NEWS_FOR)
        settled = [each for each in found if each.state not in OPEN_SUBMISSIONS]
        text = _told(settled[0], ask) if settled else WORDS.say("news_over", ask.channel)
        return Told(text=text, outcome=Outcome.ANSWERED)


def _told(submission: Submission, ask: Ask) -> str:
    key = "now_filed"
    if submission.state is SubmissionState.REFUSED:
        key = "now_not_filed" if submission.error == NOT_SENT else "now_refused"
    name = name_of(submission.business, ask)
    return WORDS.say(key, ask.channel, business=name, number=submission.application_no)
