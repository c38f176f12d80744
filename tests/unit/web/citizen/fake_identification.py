"""Identity in memory: links are names, everybody is himself, and what is to be refused is said beforehand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hotline.domain.fund import Factor
from hotline.domain.identity import CodeSent, Contact, IdentityRefused, Known, Level, Purpose, Refusal, SignIn
from hotline.domain.messages import ChannelName

CODE = "246810"


@dataclass
class FakeIdentification:
    """Implements `hotline.identification.Identification`. A link's token is ``channel.purpose.number``.

    ``refusals`` are raised one after the other by the method of their name; ``said`` is what each method was told."""

    openid: str = "oSbx_chen_xiaoshan_000000001"
    again_after_s: int = 60
    refusals: dict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    said: dict[str, list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    browsers: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    async def link_channel(self, token: str) -> ChannelName:
        self._note("link_channel")
        try:
            return ChannelName(token.split(".")[0])
        except ValueError:
            raise IdentityRefused(Refusal.LINK_EXPIRED) from None

    async def open_link(self, token: str, *, browser: str, address: str, openid: str = "") -> SignIn:
        self._note("open_link", token=token, browser=browser, address=address, openid=openid)
        channel, purpose, _ = token.split(".")
        if token in self.used:
            raise IdentityRefused(Refusal.LINK_USED)
        if (channel == "wechat" and openid != self.openid) or self.browsers.setdefault(token, browser) != browser:
            raise IdentityRefused(Refusal.OTHER_BROWSER)
        return SignIn(
            session=f"session-of-{token}",
            purpose=Purpose(purpose),
            channel=ChannelName(channel),
            conversation_id="c1",
            expires_at=datetime.now(UTC) + timedelta(minutes=10),
            consent_needed=purpose == "bind",
        )

    async def prove(
        self, session: str, *, browser: str, address: str, id_number: str, factor: Factor, consent: bool
    ) -> CodeSent:
        self._note("prove", browser=browser, address=address, id_number=id_number, factor=factor, consent=consent)
        return self._sent()

    async def send_again(self, session: str, *, browser: str) -> CodeSent:
        self._note("send_again", browser=browser)
        return self._sent()

    async def confirm(self, session: str, *, browser: str, code: str) -> Known:
        self._note("confirm", browser=browser, code=code)
        if session in self.used:
            raise IdentityRefused(Refusal.LINK_USED)
        if code != CODE:
            raise IdentityRefused(Refusal.WRONG_CODE, attempts_left=4)
        self.used |= {session, session.removeprefix("session-of-")}
        until = datetime.now(UTC) + timedelta(minutes=10)
        return Known(person_id="p1", person_no="n1", name_masked="陈**", level=Level.PROVEN, proven_until=until)

    async def known(self, contact: Contact) -> Known | None:
        return None

    async def known_in(self, conversation_id: str) -> Known | None:
        return None

    async def link(self, conversation_id: str, purpose: Purpose) -> str:
        return f"/id/web.{purpose}.1"

    async def begin_keypad(self, conversation_id: str, purpose: Purpose) -> SignIn:
        raise IdentityRefused(Refusal.CORE_AWAY)

    async def unbind(self, contact: Contact) -> bool:
        return False

    async def unbind_all(self, person_id: str) -> int:
        return 0

    def _note(self, name: str, **told: object) -> None:
        self.said[name].append(told)
        if self.refusals[name]:
            raise self.refusals[name].pop(0)

    def _sent(self) -> CodeSent:
        expires_at = datetime.now(UTC) + timedelta(minutes=5)
        return CodeSent(mobile_masked="138****5678", expires_at=expires_at, again_after_s=self.again_after_s)
