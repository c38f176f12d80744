"""提前还款预约: all of a loan or a part of it, on a day to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hotline.domain.fund import LoanState
from hotline.services.own.businesses.business import Inputs, Record
from hotline.services.own.fields import WORDS, Field, FieldKind
from hotline.services.own.skill import Ask, Declined, figure

DAYS_AHEAD: Final = 31
"""An appointment is made for at most so many days ahead: docs/fund-core-api.yaml, LoanPrepay."""
LEAST_FEN: Final = 10_000 * 100
"""A part is at least so much where the centre has published no figure of its own: the same."""
LEAST: Final = "loan_prepay_min"


class Prepay:
    """The loan is the one that is being repaid; of several the first."""

    code = "loan-prepay"

    def known(self, record: Record, ask: Ask) -> Inputs:
        loans = [each for each in record.loans if each.state is not LoanState.SETTLED]
        if not loans:
            raise Declined("no_loan")
        if loans[0].state is LoanState.OVERDUE:
            raise Declined("overdue_first")
        least = figure(ask, LEAST) * 100 if LEAST in ask.catalogue.parameters else LEAST_FEN
        return {
            "_loan": loans[0].loan_no,
            "_balance": str(loans[0].balance_fen),
            "_least": str(int(least)),
            **({"_card": loans[0].card_tail} if loans[0].card_tail else {}),
        }

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        least, owed = int(inputs["_least"]), int(inputs["_balance"])
        kinds = dict(WORDS.find("loan-prepay.kinds"))
        if owed <= least:
            del kinds["partial"]
        kind = Field(name="kind", kind=FieldKind.CHOICE, choices=kinds)
        when = Field(
            name="on",
            kind=FieldKind.DAY,
            earliest=ask.today + timedelta(days=1),
            latest=ask.today + timedelta(days=DAYS_AHEAD),
        )
        if inputs.get("kind") != "partial":
            return (kind, when)
        amount = Field(name="amount_fen", kind=FieldKind.AMOUNT, least=least, most=owed - 1, may_be_all=False)
        keep = Field(name="keep", kind=FieldKind.CHOICE, choices=WORDS.find("loan-prepay.keeps"))
        return (kind, amount, keep, when)

    def filed(self, inputs: Inputs) -> Inputs:
        names = ("kind", "on", "amount_fen", "keep") if inputs["kind"] == "partial" else ("kind", "on")
        return {"loan_no": inputs["_loan"], **{name: inputs[name] for name in names}}

    def amount_fen(self, inputs: Inputs) -> int:
        return int(inputs["amount_fen"] if inputs["kind"] == "partial" else inputs["_balance"])
