"""提前还款预约: all of a loan or a part of it, on a day to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hotline.domain.fund import LoanState
from hotline.services.own.businesses.business import Inputs, Record
from hotline.services.own.fields import WORDS, Field, FieldKind
from hotline.services.own.skill import Ask, Declined

DAYS_AHEAD: Final = 90
"""An appointment is made for at most so many days ahead."""
LEAST_FEN: Final = 100


class Prepay:
    """The loan is the one that is being repaid; of several the first."""

    code = "loan-prepay"

    def known(self, record: Record, ask: Ask) -> Inputs:
        loans = [each for each in record.loans if each.state is not LoanState.SETTLED]
        if not loans:
            raise Declined("no_loan")
        if loans[0].state is LoanState.OVERDUE:
            raise Declined("overdue_first")
        return {"_loan": loans[0].loan_no, "_balance": str(loans[0].balance_fen), "_card": loans[0].card_tail}

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        kind = Field(name="kind", kind=FieldKind.CHOICE, choices=WORDS.find("loan-prepay.kinds"))
        when = Field(
            name="on",
            kind=FieldKind.DAY,
            earliest=ask.today + timedelta(days=1),
            latest=ask.today + timedelta(days=DAYS_AHEAD),
        )
        if inputs.get("kind") != "partial":
            return (kind, when)
        most = int(inputs["_balance"]) - LEAST_FEN
        amount = Field(name="amount_fen", kind=FieldKind.AMOUNT, least=LEAST_FEN, most=most)
        keep = Field(name="keep", kind=FieldKind.CHOICE, choices=WORDS.find("loan-prepay.keeps"))
        return (kind, amount, keep, when)

    def filed(self, inputs: Inputs) -> Inputs:
        names = ("kind", "on", "amount_fen", "keep") if inputs["kind"] == "partial" else ("kind", "on")
        return {"loan_no": inputs["_loan"], **{name: inputs[name] for name in names}}

    def amount_fen(self, inputs: Inputs) -> int:
        return int(inputs["amount_fen"] if inputs["kind"] == "partial" else inputs["_balance"])
