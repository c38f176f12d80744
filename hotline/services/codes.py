"""Codes by SMS: made, sent within the carriers' limits, tried a few times, used once."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Protocol

import structlog

from hotline.domain.clock import SHANGHAI
from hotline.domain.id_number import six_digits
from hotline.domain.identity import CodeSent, IdentityRefused, Refusal
from hotline.domain.masking import mask_mobile
from hotline.errors import TemporaryError
from hotline.identity_store import Candidate, CodeLimits, CodeTry, NewCode, SignIns, StoredSignIn
from hotline.ports import SendError
from hotline.privacy.hashes import LookupHash
from hotline.services.identity_wording import code_text
from hotline.settings import IdentitySettings

log = structlog.get_logger()

SEND_LIMIT_S: Final = 10.0
_DAY: Final = timedelta(days=1)


class CodeSender(Protocol):
    """Brings a text to a mobile number. The channel puts the centre's signature in front."""

    async def send(self, mobile: str, text: str) -> None:
        """The carrier has taken the text. Raises SendError, with neither number nor text in it."""
        ...


@dataclass(frozen=True, slots=True)
class _Window:
    """``most`` codes from ``since`` on; the next one from ``until`` on."""

    since: datetime
    until: datetime
    most: int


def free_at(sent: Iterable[datetime], now: datetime, limits: CodeLimits) -> datetime:
    """When the next code may be sent to a number that got codes at ``sent``: ``now``, or later.

    Minute and hour are calendar ones of China, the day is a rolling 24 h, as the large carriers count
    (https://help.aliyun.com/document_detail/44335.htm).
    """
    times = sorted(sent)
    moment = now
    while full := _full_window(times, moment, limits):
        moment = full.until
    return moment


def _full_window(times: list[datetime], moment: datetime, limits: CodeLimits) -> _Window | None:
    minute = moment.astimezone(SHANGHAI).replace(second=0, microsecond=0)
    hour = minute.replace(minute=0)
    today = [each for each in times if each > moment - _DAY]
    leaves = today[-limits.per_day] + _DAY if len(today) >= limits.per_day else moment
    windows = (
        _Window(minute, minute + timedelta(minutes=1), limits.per_minute),
        _Window(hour, hour + timedelta(hours=1), limits.per_hour),
        _Window(moment - _DAY, leaves, limits.per_day),
    )
    return next((each for each in windows if sum(at >= each.since for at in today) >= each.most), None)


class Codes:
    """Sends codes for sign-ins and checks what comes back. A code is kept as a keyed hash alone."""

    def __init__(
        self,
        sign_ins: SignIns,
        sender: CodeSender,
        *,
        hashes: LookupHash,
        settings: IdentitySettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._sign_ins = sign_ins
        self._sender = sender
        self._hashes = hashes
        self._settings = settings
        self._clock = clock
        self._limits = CodeLimits(
            per_minute=settings.codes_per_minute, per_hour=settings.codes_per_hour, per_day=settings.codes_per_day
        )

    async def send(self, sign_in: StoredSignIn, candidate: Candidate) -> CodeSent:
        """A new code is on its way, and it alone counts.

        Raises:
            IdentityRefused: ``too_many_codes`` with ``wait_s``; ``code_not_sent``, which counts for no limit and
                leaves an older code as it was; ``link_expired`` when the sign-in was ended meanwhile.
        """
        code = f"{secrets.randbelow(1_000_000):06}"
        now = self._clock()
        new = self._new(sign_in.session, code, candidate, now)
        reserved = await self._sign_ins.reserve_code(new, self._limits)
        wait_s = max(0, ceil((reserved.free_at - now).total_seconds()))
        if not reserved.ok:
            raise IdentityRefused(Refusal.TOO_MANY_CODES, wait_s=wait_s)
        text = code_text(code, minutes=self._settings.code_minutes, contact=sign_in.contact)
        if not await self._sent(candidate.mobile, text):
            await self._sign_ins.take_back_code(new.code_id)
            raise IdentityRefused(Refusal.CODE_NOT_SENT)
        return CodeSent(mobile_masked=mask_mobile(candidate.mobile), expires_at=new.expires_at, again_after_s=wait_s)

    async def check(self, session: str, code: str) -> CodeTry:
        """The code is the session's newest. What is not six digits is no try.

        Raises:
            IdentityRefused: ``wrong_code`` with the tries left; ``code_expired`` when it is used up or too old.
        """
        typed = six_digits(code)
        if typed is None:
            raise IdentityRefused(Refusal.WRONG_CODE)
        tried = await self._sign_ins.try_code(session, tries=self._settings.code_tries)
        if tried is None:
            raise IdentityRefused(Refusal.CODE_EXPIRED)
        if not self._hashes.matches(tried.code_hash, "code", session, tried.code_id, typed):
            raise IdentityRefused(Refusal.WRONG_CODE, attempts_left=self._settings.code_tries - tried.tries)
        return tried

    def _new(self, session: str, code: str, candidate: Candidate, now: datetime) -> NewCode:
        code_id = str(uuid.uuid4())
        return NewCode(
            code_id=code_id,
            session=session,
            code_hash=self._hashes.of("code", session, code_id, code),
            mobile_hash=self._hashes.of("mobile", candidate.mobile),
            candidate=candidate,
            expires_at=now + timedelta(minutes=self._settings.code_minutes),
            sign_in_until=now + timedelta(minutes=self._settings.code_minutes + self._settings.link_minutes),
        )

    async def _sent(self, mobile: str, text: str) -> bool:
        """False when it surely was not. What the carrier may have taken counts as sent: it may arrive."""
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await self._sender.send(mobile, text)
        except SendError as error:
            log.warning("identity.code.failed", reason=str(error.reason), retryable=error.retryable)
            return error.unknown
        except TemporaryError:
            log.warning("identity.code.failed", reason="temporary")
            return False
        except TimeoutError:
            log.warning("identity.code.failed", reason="time limit")
        return True
