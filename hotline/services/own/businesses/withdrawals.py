"""Withdrawals: for rent, on retirement, after leaving."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from hotline.domain.fund import AccountState
from hotline.domain.periods import add_months, whole_months
from hotline.services.own.businesses.business import Inputs, Record
from hotline.services.own.fields import Field, FieldKind
from hotline.services.own.skill import Ask, Declined, figure

RENT_MONTHS_BACK: Final = 12
"""Rent of this many months back can be asked for at once."""


class WithdrawRent:
    """租房提取 without a registered contract: up to the monthly limit for each month of rent."""

    code = "withdraw-rent"

    def known(self, record: Record, ask: Ask) -> Inputs:
        limit = int(figure(ask, "rent_limit_month") * 100)
        return {"_free": str(record.free_fen), "_limit": str(limit), **_paid_to_card(record)}

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        this = date(ask.today.year, ask.today.month, 1)
        first = date.fromisoformat(inputs["first_month"]) if "first_month" in inputs else this
        earliest = add_months(this, -RENT_MONTHS_BACK)
        return (
            Field(name="first_month", kind=FieldKind.MONTH, earliest=earliest, latest=this),
            Field(name="last_month", kind=FieldKind.MONTH, earliest=first, latest=this),
            Field(name="amount_fen", kind=FieldKind.AMOUNT, least=100, most=_rent_most(inputs)),
            Field(name="promise", kind=FieldKind.PROMISE),
        )

    def filed(self, inputs: Inputs) -> Inputs:
        return {name: inputs[name] for name in ("first_month", "last_month", "amount_fen", "promise")}

    def amount_fen(self, inputs: Inputs) -> int:
        return int(inputs.get("amount_fen", 0))


class WithdrawRetire:
    """退休提取: everything, and the account is closed."""

    code = "withdraw-retire"

    def known(self, record: Record, ask: Ask) -> Inputs:
        return {"_free": str(record.free_fen), **_paid_to_card(record)}

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        return (Field(name="promise", kind=FieldKind.PROMISE),)

    def filed(self, inputs: Inputs) -> Inputs:
        return {"promise": inputs["promise"]}

    def amount_fen(self, inputs: Inputs) -> int:
        return int(inputs["_free"])


class WithdrawLeave:
    """离职提取: everything, half a year after the account was sealed."""

    code = "withdraw-leave"

    def known(self, record: Record, ask: Ask) -> Inputs:
        if not any(each.state is AccountState.SEALED for each in record.in_use):
            raise Declined("refused.not_eligible")
        return {"_free": str(record.free_fen), **_paid_to_card(record)}

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        return (
            Field(name="left_on", kind=FieldKind.DAY, latest=ask.today),
            Field(name="promise", kind=FieldKind.PROMISE),
        )

    def filed(self, inputs: Inputs) -> Inputs:
        return {name: inputs[name] for name in ("left_on", "promise")}

    def amount_fen(self, inputs: Inputs) -> int:
        return int(inputs["_free"])


def _paid_to_card(record: Record) -> Inputs:
    """The card the money goes to. Raises Declined where none is tied."""
    tails = [each.card_tail for each in record.in_use if each.card_tail]
    if not tails:
        raise Declined("refused.no_card")
    return {"_card": tails[0]}


def _rent_most(inputs: Inputs) -> int:
    """The monthly limit for each month asked for, and no more than there is."""
    free, limit = int(inputs["_free"]), int(inputs["_limit"])
    if "first_month" not in inputs or "last_month" not in inputs:
        return min(free, limit)
    first, last = (date.fromisoformat(inputs[name]) for name in ("first_month", "last_month"))
    return min(free, limit * (whole_months(first, last) + 1))
