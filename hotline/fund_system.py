"""The fund core system as a port. Its HTTP form is docs/fund-core-api.yaml, which a centre's integrator implements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from hotline.domain.fund import (
    Account,
    Application,
    Certificate,
    CertificateKind,
    Contributions,
    Factor,
    Instalment,
    LedgerPage,
    Loan,
    NewApplication,
    Person,
)
from hotline.errors import HotlineError, TemporaryError


class FundUnavailable(TemporaryError):
    """Nothing was done or learnt: the core system is slow, away, broken, or said what cannot be true."""


class FundUnknown(HotlineError):
    """A write left for the core system and no answer came back: it may have happened. `FundSystem.submission` or the
    same write with the same key tells."""


class FundRefused(HotlineError):
    """The core system understood and said no. ``code`` is one of the closed list in docs/fund-core-api.yaml:
    ``open_application`` (``reference`` names it), ``not_eligible``, ``frozen``, ``amount_limit``, ``daily_limit``,
    ``no_card``, ``invalid_field``, ``wrong_state``, ``not_found``, ``key_reused``. ``detail`` is for the
    log, without personal data."""

    def __init__(self, code: str, detail: str = "", *, reference: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.reference = reference


class FundSystem(Protocol):
    """Every method may raise FundUnavailable; writes may also raise FundRefused and FundUnknown. Safe for concurrent
    use. ``person_no`` comes from a proven identity, never from a message."""

    async def identify(self, *, id_number: str, factor: Factor) -> Person | None:
        """The person whose ID number and factor match; None for any mismatch, in the same time and without saying
        which of the two was wrong."""
        ...

    async def person(self, person_no: str) -> Person:
        """Raises FundRefused ``not_found``."""
        ...

    async def accounts(self, person_no: str) -> Sequence[Account]:
        """All accounts, those in use first, closed ones last."""
        ...

    async def ledger(
        self,
        person_no: str,
        account_no: str,
        *,
        since: date | None = None,
        until: date | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> LedgerPage:
        """Postings from ``since`` to ``until``, both included. Raises FundRefused ``not_found`` for an account that
        is not this person's."""
        ...

    async def contributions(self, person_no: str) -> Contributions: ...

    async def loans(self, person_no: str) -> Sequence[Loan]:
        """Unsettled ones first."""
        ...

    async def schedule(self, person_no: str, loan_no: str, *, first: int = 1, limit: int = 12) -> Sequence[Instalment]:
        """Instalments from number ``first`` on."""
        ...

    async def applications(self, person_no: str) -> Sequence[Application]:
        """Open ones first, each group newest first; at most the newest 50."""
        ...

    async def application(self, person_no: str, application_no: str) -> Application:
        """Raises FundRefused ``not_found``, also for another person's."""
        ...

    async def submit(self, new: NewApplication, *, key: str) -> Application:
        """Filed once: the same ``key`` with the same content gives the same application, with other content
        FundRefused ``key_reused``."""
        ...

    async def submission(self, person_no: str, *, key: str) -> Application | None:
        """What became of a `submit` whose answer was lost; None: it never arrived."""
        ...

    async def cancel(self, person_no: str, application_no: str, *, key: str) -> Application:
        """Raises FundRefused ``wrong_state`` when it is too late."""
        ...

    async def issue_certificate(self, person_no: str, kind: CertificateKind, *, key: str) -> Certificate:
        """Raises FundRefused ``not_eligible`` where the person may not have one."""
        ...

    async def certificate(self, number: str, *, check_code: str) -> Certificate | None:
        """The certificate, or None where number and check code do not belong together."""
        ...
