"""What a calculation may have to be told: a closed list, so that the dialogue asks for one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Need(StrEnum):
    """Each is worded as a question by wording.yml beside this file."""

    BALANCE = "balance"
    """The account's balance."""
    MONTHLY = "monthly"
    """What is paid in every month, both parts together."""
    BIRTH = "birth"
    SEX = "sex"
    POST = "post"
    """Of a woman: whether her post had the retirement age of 50 or of 55."""
    AMOUNT = "amount"
    """How much is borrowed."""
    TERM = "term"
    """For how long: months."""
    OWED = "owed"
    """What is left of the loan."""
    LEFT = "left"
    """Instalments still to come."""
    PAID = "paid"
    """How much is paid early."""
    RENT = "rent"
    """The rent a month, where the contract is registered."""
    MINOR = "minor"
    """Whether one of the children is a minor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The calculation cannot be made before these are known, the most telling one first; no more than are needed."""

    needs: tuple[Need, ...]


def missing(**given: object) -> Missing:
    """What of ``given`` (need to value) is None, in that order."""
    return Missing(needs=tuple(Need(name) for name, value in given.items() if value is None))
