"""A certificate to download: the page issues it at the moment it is opened."""

from __future__ import annotations

from typing import Final, Protocol

from hotline.domain.fund import CertificateKind
from hotline.domain.identity import Level
from hotline.domain.messages import ChannelName, Choice, Outcome
from hotline.fund_system import FundSystem
from hotline.services.own.skill import COMMON, Ask, Told
from hotline.services.own.words import Words
from hotline.services.understanding import BY_NUMBER

_WORDS = Words("certificate")
OTHER_CITY: Final = "loan-other-city-certificate"


class CertificateLinks(Protocol):
    """Makes the address of one download."""

    async def address(self, *, person_id: str, kind: CertificateKind, conversation_id: str) -> str:
        """Good once, for ten minutes, for the contact of that conversation."""
        ...


class CertificateDownload:
    """Runs for the intent ``get_certificate``."""

    intent = "get_certificate"
    matter = "query-certificate"
    own_only = True

    def __init__(self, fund: FundSystem, links: CertificateLinks) -> None:
        self._fund = fund
        self._links = links

    def needs(self, channel: ChannelName) -> Level:
        return Level.PROVEN

    async def answer(self, ask: Ask) -> Told:
        """A link, or why there is no certificate to be had."""
        kind = self._kind(ask)
        name = COMMON.name("certificate_kind", kind)
        if not await self._fund.accounts(ask.person_no):
            return Told(text=_WORDS.say("no_account", ask.channel, name=name), outcome=Outcome.CLARIFIED)
        if ask.channel in BY_NUMBER:
            return Told(text=_WORDS.say("on_a_page", ask.channel, name=name), outcome=Outcome.CLARIFIED)
        address = await self._links.address(person_id=ask.person_id, kind=kind, conversation_id=ask.conversation_id)
        download = Choice(label=_WORDS.say("download", ask.channel), text=name, url=address)
        other = CertificateKind.DEPOSIT if kind is CertificateKind.OTHER_CITY_LOAN else CertificateKind.OTHER_CITY_LOAN
        label = _WORDS.say("other", ask.channel, name=COMMON.name("certificate_kind", other))
        matter = OTHER_CITY if kind is CertificateKind.OTHER_CITY_LOAN else self.matter
        choices = (download, Choice(label=label, text=label))
        return Told(text=_WORDS.say(f"ready.{kind}", ask.channel, name=name), choices=choices, matter=matter)

    def _kind(self, ask: Ask) -> CertificateKind:
        named = any(word in ask.text for word in _WORDS.find("other_city_words"))
        return CertificateKind.OTHER_CITY_LOAN if named or ask.matter == OTHER_CITY else CertificateKind.DEPOSIT
