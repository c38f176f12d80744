"""The conditions of a business on a person's record: for the check that is asked for, and before a form is begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hotline.services import eligibility
from hotline.services.own.businesses.business import Record
from hotline.services.own.fields import WORDS
from hotline.services.own.skill import Ask

QUESTION_FACTS: Final[Mapping[str, str]] = {"local_household": "hukou"}
"""Questions whose answer may have been said before, and the fact it was kept as."""


def situation(record: Record, ask: Ask, *, said: Mapping[str, str]) -> eligibility.Situation:
    """Record and words together."""
    return eligibility.Situation(
        city=ask.catalogue.centre.city,
        person=record.person,
        accounts=record.accounts,
        contributions=record.contributions,
        loans=record.loans,
        applications=record.applications,
        said=said,
    )


def may(business: str, record: Record, ask: Ask) -> str | None:
    """Why the business cannot be filed now, in words; None where no condition is known to be unmet."""
    verdict = eligibility.check(ask.catalogue, business, situation(record, ask, said={}), ask.today)
    if verdict is None or verdict.outcome is not eligibility.Outcome.CANNOT:
        return None
    notes = WORDS.find(business).get("unmet", {})
    unmet = [result.id for result in verdict.results if result.status is eligibility.Status.NOT_MET]
    told = eligibility.say(verdict, ask.channel, ask.catalogue, ask.today)
    return "\n".join([told, *(str(notes[each]) for each in unmet if each in notes)])
