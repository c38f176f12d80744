"""What an agent may know of a person from the core system, in a few labelled values."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog
import yaml

from hotline.domain.fund import OPEN_STATES, Account, AccountState, Application, Loan, LoanState
from hotline.domain.money import yuan
from hotline.fund_system import FundRefused, FundSystem, FundUnavailable
from hotline.services.own.skill import COMMON, month

log = structlog.get_logger(__name__)

LIMIT_S: Final = 1.5
"""For everything that is asked, side by side: the page waits for it."""
SHOWN: Final = 3
"""Loans, and applications, named one by one."""

_FILE: Final = Path(__file__).with_name("core_facts.yml")

Fact = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Label and value. ``missing``: something was not answered in time and is left out."""

    found: tuple[Fact, ...]
    missing: bool


class CoreFacts:
    """Reads the core system. Safe for concurrent use; keeps nothing."""

    def __init__(self, fund: FundSystem, *, names: Callable[[str], str], limit_s: float = LIMIT_S) -> None:
        """``names``: what people call a business, by the code of its matter."""
        self._fund = fund
        self._names = names
        self._limit_s = limit_s

    async def of(self, person_no: str) -> Facts:
        """What was told of the person within the limit."""
        reads = (self._accounts, self._loans, self._applications)
        told = await asyncio.gather(*(self._in_time(read(person_no)) for read in reads))
        return Facts(found=tuple(fact for facts in told for fact in facts or ()), missing=None in told)

    async def _in_time(self, reading: Awaitable[list[Fact]]) -> list[Fact] | None:
        """None: no answer that could be shown."""
        try:
            async with asyncio.timeout(self._limit_s):
                return await reading
        except (FundUnavailable, TimeoutError):
            log.warning("desk.facts.away")
        except FundRefused as refused:
            log.warning("desk.facts.refused", reason=refused.code)
        return None

    async def _accounts(self, person_no: str) -> list[Fact]:
        held = [each for each in await self._fund.accounts(person_no) if each.state is not AccountState.CLOSED]
        if not held:
            return [_fact("state", "none")]
        states = dict.fromkeys(COMMON.name("account_state", each.state) for each in held)
        facts = [_balance(held), (_label("state"), _joined(states))]
        paid_to = max((each.paid_to for each in held if each.paid_to), default=None)
        return [*facts, _fact("paid_to", "text", month=month(paid_to))] if paid_to else facts

    async def _loans(self, person_no: str) -> list[Fact]:
        loans = await self._fund.loans(person_no)
        open_still = [_loan(each) for each in loans if each.state is not LoanState.SETTLED]
        return [(_label("loan"), _joined(open_still[:SHOWN]))] if open_still else [_fact("loan", "none")]

    async def _applications(self, person_no: str) -> list[Fact]:
        found = [each for each in await self._fund.applications(person_no) if each.state in OPEN_STATES]
        if not found:
            return [_fact("applications", "none")]
        text = _joined(self._application(each) for each in found[:SHOWN])
        more = _say("applications", "more", count=len(found)) if len(found) > SHOWN else ""
        return [(_label("applications"), text + more)]

    def _application(self, application: Application) -> str:
        state = COMMON.name("application_state", application.state)
        return _say("applications", "text", business=self._names(application.business), state=state)


def _balance(held: Sequence[Account]) -> Fact:
    total, frozen = sum(each.balance_fen for each in held), sum(each.frozen_fen for each in held)
    return _fact("balance", "frozen" if frozen else "text", total=yuan(total), frozen=yuan(frozen))


def _loan(loan: Loan) -> str:
    how = "overdue" if loan.state is LoanState.OVERDUE else "repaying"
    return _say(
        "loan", how, balance=yuan(loan.balance_fen), count=loan.overdue_instalments, owed=yuan(loan.overdue_fen)
    )


def _fact(group: str, key: str, **values: object) -> Fact:
    return _label(group), _say(group, key, **values)


def _label(group: str) -> str:
    return str(_words()[group]["label"])


def _say(group: str, key: str, **values: object) -> str:
    return str(_words()[group][key]).format(**values)


def _joined(texts: Iterable[str]) -> str:
    return str(_words()["joiner"]).join(texts)


@cache
def _words() -> Mapping[str, Any]:
    """The parsed core_facts.yml; callers must not change it."""
    loaded: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return loaded
