"""What filing a business takes: facts the core system knows, fields only the citizen knows, and what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hotline.domain.fund import Account, AccountState, Application, Contributions, Loan, Person
from hotline.fund_system import FundSystem
from hotline.services.own.fields import Field
from hotline.services.own.skill import Ask

Inputs = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the core system knows of the person, read at one time."""

    person: Person
    accounts: tuple[Account, ...]
    contributions: Contributions
    loans: tuple[Loan, ...]
    applications: tuple[Application, ...]

    @property
    def in_use(self) -> tuple[Account, ...]:
        """Accounts that are not closed."""
        return tuple(each for each in self.accounts if each.state is not AccountState.CLOSED)

    @property
    def free_fen(self) -> int:
        """What could be taken out: balances less what is frozen."""
        return sum(max(0, each.balance_fen - each.frozen_fen) for each in self.in_use)


async def read_record(fund: FundSystem, person_no: str) -> Record:
    """All of it, asked for side by side."""
    person, accounts, contributions, loans, applications = await asyncio.gather(
        fund.person(person_no),
        fund.accounts(person_no),
        fund.contributions(person_no),
        fund.loans(person_no),
        fund.applications(person_no),
    )
    return Record(
        person=person,
        accounts=tuple(accounts),
        contributions=contributions,
        loans=tuple(loans),
        applications=tuple(applications),
    )


class Business(Protocol):
    """One kind of application. Pure: what it knows is in the record or in the draft's inputs."""

    code: str
    """Matter code of the catalogue, and the core system's business code."""

    def known(self, record: Record, ask: Ask) -> Inputs:
        """What need not be asked, kept in the draft: limits, the account, the loan. Keys start with ``_``.

        Raises Declined where the business makes no sense for this person."""
        ...

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        """All fields for what has been said so far, in the order they are asked for."""
        ...

    def filed(self, inputs: Inputs) -> Inputs:
        """The fields of the application, as docs/fund-core-api.yaml has them."""
        ...

    def amount_fen(self, inputs: Inputs) -> int:
        """The money that moves, for the limits of a channel; 0: none does."""
        ...
