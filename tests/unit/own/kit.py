"""People at the counter, and what may be heard, read and kept of them."""

from __future__ import annotations

import re
from typing import Any

from channels.voice.speech import speakable
from hotline.domain.fund import Employer, Marriage
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, TurnResult
from knowledge_base.match import AspectGuess, Candidate, Entry, Match
from knowledge_base.normalise import Normalised
from tests.fake_fund import CARD, ID_NUMBER, FakeFundSystem, a_ledger, a_loan, a_person, a_schedule, an_account
from tests.own_kit import NOW, Counter, catalogue, text_of

PERSON = "P000001"
PAGES = (ChannelName.WEB, ChannelName.WECHAT)
MOST_SPOKEN = 60
"""Characters of a sentence that a caller takes in at once."""
SPOKEN_DIGITS = re.compile(r"\d[\d,.]*\s*[万亿]?元")
SECRETS = (ID_NUMBER, CARD, "陈家明", "13800135678", "A000001", "A000002", "L000001", PERSON)
"""What no slot, audit entry or answer holds: ID number, card, name, telephone, account, loan and person numbers."""


def a_fund(**changes: Any) -> FakeFundSystem:
    """The core system with one person in it: employed, a loan, no home in the city; ``changes`` as for `add`."""
    fund = FakeFundSystem(now=lambda: NOW)
    usual: dict[str, Any] = {
        "person": a_person(marriage=Marriage.SINGLE, children=0, homes_in_city=0, insured_elsewhere=False),
        "accounts": [an_account()],
        "ledger": a_ledger(*[2_400_00] * 8, -1_400_00),
        "loans": [a_loan()],
        "schedule": a_schedule(),
    }
    usual |= changes
    fund.add(usual.pop("person"), **usual)
    return fund


def a_clerk(*names: str) -> Any:
    """Who may declare for these employers."""
    units = tuple(Employer(unit_no=f"U{at}", name=name) for at, name in enumerate(names, start=1))
    return a_person(clerk_of=units)


def at_counter(
    fund: FakeFundSystem | None = None,
    channel: ChannelName = ChannelName.WECHAT,
    *,
    level: Level | None = Level.PROVEN,
) -> Counter:
    """A conversation of that person; ``level`` None: nobody is known."""
    counter = Counter(fund or a_fund(), channel=channel)
    return counter if level is None else counter.knows(PERSON, level=level)


async def said(counter: Counter, *messages: str) -> TurnResult:
    """The answer to the last of ``messages``."""
    for message in messages:
        result = await counter.says(message)
    return result


def a_match(text: str, code: str, p: float = 0.9, *, exact: bool = False, aspect: str = "overview") -> Match:
    """``text`` as the matcher would find it to be about ``code``."""
    matter = catalogue().matters[code]
    return Match(
        normalised=Normalised(text, text, text),
        candidates=(Candidate(code=code, name=matter.name, topic=matter.topic, scope=matter.scope, p=p),),
        aspect=aspect,
        aspect_p=0.9,
        aspect_cue=False,
        aspects=(AspectGuess(code=code, aspect=aspect, p=0.9),),
        mentions=(code,),
        exact=code if exact else None,
        asks_outside=0.0,
        entries=(Entry(code=code, aspect=aspect, p=p),),
    )


def spoken_badly(result: TurnResult) -> list[str]:
    """Sentences that are too long for a caller, and amounts that are not in words."""
    sentences = re.split(r"[。！？；\n]", speakable(text_of(result)))
    long = [sentence for sentence in sentences if len(sentence) > MOST_SPOKEN]
    return [*long, *SPOKEN_DIGITS.findall(text_of(result))]


def leaks(kept: object) -> list[str]:
    """Secrets that stand in what was kept."""
    return [secret for secret in SECRETS if secret in str(kept)]
