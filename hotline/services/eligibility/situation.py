"""What is known of a citizen when it is asked whether he may do something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hotline.domain.fund import Account, AccountState, Application, Contributions, Loan, LoanState, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """From the core system as far as it was asked (None: it was not), and what the citizen said.

    ``said``: question to answer, both of `knowledge_base.eligibility.QUESTIONS`. ``city``: the centre's.
    """

    city: str
    person: Person | None = None
    accounts: Sequence[Account] | None = None
    contributions: Contributions | None = None
    loans: Sequence[Loan] | None = None
    applications: Sequence[Application] | None = None
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def open_accounts(self) -> tuple[Account, ...] | None:
        """Accounts that are not closed."""
        if self.accounts is None:
            return None
        return tuple(account for account in self.accounts if account.state is not AccountState.CLOSED)

    @property
    def unsettled_loans(self) -> tuple[Loan, ...] | None:
        if self.loans is None:
            return None
        return tuple(loan for loan in self.loans if loan.state is not LoanState.SETTLED)

    def says(self, question: str) -> bool | None:
        """The answer to a yes-or-no question; None where it was not answered."""
        answer = self.said.get(question)
        return None if answer is None else answer == "yes"
