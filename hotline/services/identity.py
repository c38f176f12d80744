"""Who is asking: sign-ins by link and by keypad, proof, binding, and their end.

A secret given here goes to the core system and nowhere else. Each attempt is counted as wrong before the core system
is asked and given back when it was right, so that neither many requests at once nor a dropped connection guess for
free.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, NoReturn

import structlog

from hotline.audit_store import ActorKind, Audit, AuditEntry
from hotline.domain.clock import SHANGHAI
from hotline.domain.fund import Factor, FactorKind, Person
from hotline.domain.id_number import IdNumber, card_number, parse, six_digits
from hotline.domain.identity import CodeSent, Contact, IdentityRefused, Known, Level, Purpose, Refusal, SignIn
from hotline.domain.masking import mask_name
from hotline.domain.messages import ChannelName
from hotline.errors import HotlineError, TemporaryError
from hotline.fund_system import FundSystem, FundUnavailable
from hotline.identity_store import Bound, Candidate, IdentityStores, SignInState, StoredSignIn
from hotline.privacy.hashes import LookupHash
from hotline.services.codes import Codes, CodeSender
from hotline.services.identity_locks import Locks, contact_hash
from hotline.services.identity_wording import notice
from hotline.settings import Settings

log = structlog.get_logger()

OnProven = Callable[[str, Known], Awaitable[None]]

LINK_PATH: Final = "/id/"
KEYPAD_BROWSER: Final = "keypad"
"""The browser of a sign-in by telephone keypad. Pages must not take it from outside."""
REFUSED_AFTER_S: Final = 0.5
"""A mismatch and a lock are answered no sooner: how fast the answer comes tells nothing."""
_EVEN: Final = frozenset({Refusal.MISMATCH, Refusal.LOCKED})
_AUDITED: Final = frozenset({Refusal.MISMATCH, Refusal.WRONG_CODE, Refusal.OTHER_BROWSER, Refusal.ANOTHER_PERSON})
_ID_LENGTH: Final = 22
_TAG_LENGTH: Final = 20


class UnknownConversation(HotlineError):
    """There is no such conversation."""


class IdentityService:
    """Implements `hotline.identification.Identification`."""

    def __init__(
        self,
        stores: IdentityStores,
        fund: FundSystem,
        *,
        audit: Audit,
        sender: CodeSender,
        hashes: LookupHash,
        settings: Settings,
        clock: Callable[[], datetime],
        on_proven: OnProven,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bindings, self._sign_ins = stores.bindings, stores.sign_ins
        self._fund = fund
        self._audit = audit
        self._hashes = hashes
        self._settings = settings.identity
        self._public_url = settings.gateway.public_url.rstrip("/")
        self._clock = clock
        self._on_proven = on_proven
        self._pause = pause
        self._locks = Locks(stores.attempts, hashes=hashes, allowed=self._settings.wrong_before_lock)
        self._codes = Codes(stores.sign_ins, sender, hashes=hashes, settings=self._settings, clock=clock)

    async def known(self, contact: Contact) -> Known | None:
        """On the telephone at most bound: a proof counts only in the call it was made in."""
        bound = await self._bindings.bound(contact)
        return self._known(bound, conversation_id="") if bound else None

    async def known_in(self, conversation_id: str) -> Known | None:
        bound = await self._bindings.bound_in(conversation_id)
        return self._known(bound, conversation_id=conversation_id) if bound else None

    async def link(self, conversation_id: str, purpose: Purpose) -> str:
        """Raises UnknownConversation."""
        link_id = secrets.token_urlsafe(16)
        await self._begin(conversation_id, purpose, token_hash=self._hashes.of("link.id", link_id))
        return f"{self._public_url}{LINK_PATH}{link_id}{self._tag(link_id)}"

    async def link_channel(self, token: str) -> ChannelName:
        """Also of a link that has been used: the page says so after the same detour."""
        stored = await self._stored_link(token)
        if stored is None:
            raise IdentityRefused(Refusal.LINK_EXPIRED)
        return stored.contact.channel

    async def open_link(self, token: str, *, browser: str, address: str, openid: str = "") -> SignIn:
        stored = self._still_good(await self._stored_link(token))
        if not self._made_for(stored, browser=browser, openid=openid):
            await self._refused(stored, IdentityRefused(Refusal.OTHER_BROWSER))
        if stored.state is SignInState.MADE:
            expires_at = self._clock() + timedelta(minutes=self._settings.link_minutes)
            await self._sign_ins.open(stored.session, browser_hash=self._browser_hash(browser), expires_at=expires_at)
        opened = await self._own(stored.session, browser)
        await self._locks.check(self._locks.keys(opened.contact, address=address))
        return await self._shown(opened)

    async def begin_keypad(self, conversation_id: str, purpose: Purpose) -> SignIn:
        """Raises UnknownConversation besides IdentityRefused."""
        stored = await self._begin(conversation_id, purpose, browser_hash=self._browser_hash(KEYPAD_BROWSER))
        await self._locks.check(self._locks.keys(stored.contact))
        return await self._shown(stored)

    async def prove(
        self, session: str, *, browser: str, address: str, id_number: str, factor: Factor, consent: bool
    ) -> CodeSent:
        stored = await self._own(session, browser)
        number, checked = self._id_number(id_number), _factor(factor)
        bound = await self._bindings.bound(stored.contact)
        if not consent and await self._consent_needed(stored.purpose, bound):
            raise IdentityRefused(Refusal.NO_CONSENT)
        person = await self._evenly(self._identified(stored, number, checked, address=address))
        if stored.purpose is Purpose.STEP_UP and bound and not _same(bound.person_no, person.person_no):
            await self._refused(stored, IdentityRefused(Refusal.ANOTHER_PERSON))
        if not person.mobile:
            raise IdentityRefused(Refusal.NO_MOBILE)
        return await self._codes.send(stored, _candidate(person, number, consent=consent))

    async def send_again(self, session: str, *, browser: str) -> CodeSent:
        stored = await self._own(session, browser)
        candidate = await self._sign_ins.candidate(session)
        if candidate is None:
            raise IdentityRefused(Refusal.LINK_EXPIRED)
        return await self._codes.send(stored, candidate)

    async def confirm(self, session: str, *, browser: str, code: str) -> Known:
        stored = await self._own(session, browser)
        try:
            tried = await self._codes.check(session, code)
        except IdentityRefused as refused:
            await self._refused(stored, refused)
        proven_for = timedelta(minutes=self._settings.proven_minutes)
        bound = await self._bindings.complete(session, tried.code_id, proven_for=proven_for)
        known = self._known(bound, conversation_id=stored.conversation_id)
        log.info("identity.proven", channel=str(stored.contact.channel), conversation_id=stored.conversation_id)
        await self._tell(stored.conversation_id, known)
        return known

    async def unbind(self, contact: Contact) -> bool:
        return await self._bindings.unbind(contact)

    async def unbind_in(self, conversation_id: str) -> bool:
        contact = await self._bindings.contact_of(conversation_id)
        return contact is not None and await self._bindings.unbind(contact)

    async def unbind_all(self, person_id: str) -> int:
        return await self._bindings.unbind_all(person_id)

    async def _begin(
        self, conversation_id: str, purpose: Purpose, *, token_hash: str = "", browser_hash: str = ""
    ) -> StoredSignIn:
        contact = await self._bindings.contact_of(conversation_id)
        if contact is None:
            raise UnknownConversation("there is no such conversation")
        stored = StoredSignIn(
            session=secrets.token_urlsafe(24),
            token_hash=token_hash,
            contact=contact,
            conversation_id=conversation_id,
            purpose=purpose,
            browser_hash=browser_hash,
            state=SignInState.OPENED if browser_hash else SignInState.MADE,
            expires_at=self._clock() + timedelta(minutes=self._settings.link_minutes),
        )
        await self._sign_ins.begin(stored)
        return stored

    async def _identified(self, stored: StoredSignIn, number: IdNumber, factor: Factor, *, address: str) -> Person:
        keys = self._locks.keys(stored.contact, address=address, id_number=number.value)
        charge = await self._locks.charge(keys)
        try:
            person = await self._fund.identify(id_number=number.value, factor=factor)
        except FundUnavailable:
            await self._locks.refund(keys)
            raise IdentityRefused(Refusal.CORE_AWAY) from None
        if person is None:
            wrong = IdentityRefused(Refusal.MISMATCH, wait_s=charge.locked_s, attempts_left=charge.left)
            await self._refused(stored, wrong)
        await self._locks.refund(keys)
        return person

    async def _evenly(self, asked: Awaitable[Person]) -> Person:
        """Refusals that could tell something by their speed all take the same time at least."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await asked
        except IdentityRefused as refused:
            if refused.reason in _EVEN:
                await self._pause(max(0.0, began + REFUSED_AFTER_S - loop.time()))
            raise

    async def _stored_link(self, token: str) -> StoredSignIn | None:
        link_id, tag = token[:_ID_LENGTH], token[_ID_LENGTH:]
        if not _same(tag, self._tag(link_id)):
            return None
        return await self._sign_ins.by_token(self._hashes.of("link.id", link_id))

    async def _own(self, session: str, browser: str) -> StoredSignIn:
        """The unfinished sign-in ``session`` of this browser."""
        stored = self._still_good(await self._sign_ins.by_session(session))
        if not _same(stored.browser_hash, self._browser_hash(browser)):
            await self._refused(stored, IdentityRefused(Refusal.OTHER_BROWSER))
        return stored

    def _still_good(self, stored: StoredSignIn | None) -> StoredSignIn:
        if stored and stored.state is SignInState.DONE:
            raise IdentityRefused(Refusal.LINK_USED)
        if stored is None or stored.state is SignInState.ENDED or stored.expires_at <= self._clock():
            raise IdentityRefused(Refusal.LINK_EXPIRED)
        return stored

    def _made_for(self, stored: StoredSignIn, *, browser: str, openid: str) -> bool:
        """Whether whoever opens a link may be the one it was made for, as far as the channel can tell."""
        if stored.contact.channel is ChannelName.WEB:
            return _same(browser, stored.contact.address)
        if stored.contact.channel is ChannelName.WECHAT and self._settings.wechat_oauth:
            return _same(openid, stored.contact.address)
        return True

    async def _shown(self, stored: StoredSignIn) -> SignIn:
        bound = await self._bindings.bound(stored.contact)
        return SignIn(
            session=stored.session,
            purpose=stored.purpose,
            channel=stored.contact.channel,
            conversation_id=stored.conversation_id,
            expires_at=stored.expires_at,
            consent_needed=await self._consent_needed(stored.purpose, bound),
        )

    async def _consent_needed(self, purpose: Purpose, bound: Bound | None) -> bool:
        """Whoever binds agrees; a step-up, which proves the same person, asks only for a notice not yet agreed to."""
        if purpose is Purpose.BIND or bound is None:
            return True
        return not await self._bindings.agreed(bound.person_id, notice().version)

    def _known(self, bound: Bound, *, conversation_id: str) -> Known:
        until = bound.proven_until
        here = bound.contact.channel is not ChannelName.VOICE or bound.proven_in == conversation_id
        proven = until is not None and here and until > self._clock()
        return Known(
            person_id=bound.person_id,
            person_no=bound.person_no,
            name_masked=bound.name_masked,
            level=Level.PROVEN if proven else Level.BOUND,
            proven_until=until if proven else None,
        )

    async def _refused(self, stored: StoredSignIn, refused: IdentityRefused) -> NoReturn:
        """What may be somebody's attack leaves a row in the audit trail."""
        log.info(
            "identity.refused",
            reason=refused.reason.value,
            channel=str(stored.contact.channel),
            conversation_id=stored.conversation_id,
        )
        if refused.reason in _AUDITED:
            entry = AuditEntry(
                actor_kind=ActorKind.CONTACT,
                actor_id=contact_hash(self._hashes, stored.contact),
                action="identity.refused",
                purpose=stored.purpose.value,
                channel=stored.contact.channel.value,
                conversation_id=stored.conversation_id,
                detail={"reason": refused.reason.value, "locked_s": refused.wait_s},
            )
            await self._audit.record(entry)
        raise refused

    async def _tell(self, conversation_id: str, known: Known) -> None:
        """The conversation goes on with what was asked. The proof stands even when it cannot be told just now."""
        try:
            await self._on_proven(conversation_id, known)
        except TemporaryError as error:
            log.warning("identity.not_told", conversation_id=conversation_id, reason=str(error))

    def _id_number(self, text: str) -> IdNumber:
        number = parse(text, on=self._clock().astimezone(SHANGHAI).date())
        if number is None:
            raise IdentityRefused(Refusal.MALFORMED_ID)
        return number

    def _tag(self, link_id: str) -> str:
        return self._hashes.of("link", link_id)[:_TAG_LENGTH]

    def _browser_hash(self, browser: str) -> str:
        return self._hashes.of("browser", browser)


def _factor(factor: Factor) -> Factor:
    read = card_number if factor.kind is FactorKind.BANK_CARD else six_digits
    value = read(factor.value)
    if value is None:
        raise IdentityRefused(Refusal.MALFORMED_FACTOR)
    return Factor(kind=factor.kind, value=value)


def _candidate(person: Person, number: IdNumber, *, consent: bool) -> Candidate:
    return Candidate(
        person_no=person.person_no,
        id_number=number.value,
        mobile=person.mobile,
        name_masked=mask_name(person.name),
        consent=notice().version if consent else "",
    )


def _same(one: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
