"""Applications generated people have filed; each stands still in its state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from sandbox.fund.calendar import month_of, months_after
from sandbox.fund.rules import names, wording
from sandbox.fund.specs import ApplicationSpec, PersonSpec
from sandbox.fund.units import unit

_STATES = ("accepted", "checking", "reviewing", "supplement", "paying", "refused", "cancelled")


def application_of(spec: PersonSpec, dice: Random, today: date) -> ApplicationSpec | None:
    """About one in twelve has an application of the last months; money of a completed one is in nobody's ledger, so
    there are none."""
    account = spec.accounts[0]
    if account.closed_on or dice.random() >= 0.08:
        return None
    state = dice.choice(_STATES)
    business = dice.choice(("withdraw-rent", "withdraw-rent", "transfer-other-city"))
    days_ago = dice.randrange(1, 4) if state in _STATES[:5] else dice.randrange(5, 90)
    amount, fields = _content(business, dice, today)
    return ApplicationSpec(
        business=business,
        state=state,
        submitted_at=datetime.combine(today - timedelta(days=days_ago), time(1, dice.randrange(60)), tzinfo=UTC),
        fields=fields,
        amount_fen=amount,
        refusal=wording()["refusals"]["by_hand"] if state == "refused" else "",
    )


def _content(business: str, dice: Random, today: date) -> tuple[int | None, Mapping[str, str]]:
    if business == "transfer-other-city":
        return None, {"from_city": dice.choice(names()["cities"][1:])["name"], "from_unit_name": unit(0)[1]}
    amount = dice.randrange(10, 41) * 10_000
    months = {"first_month": months_after(month_of(today), -2), "last_month": months_after(month_of(today), -1)}
    return amount, {
        **{name: month.isoformat() for name, month in months.items()},
        "amount_fen": str(amount),
        "promise": "yes",
    }
