"""The people of cast.yml, as they are today."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from sandbox.fund.borrowing import repayments
from sandbox.fund.calendar import last_posted_month, month_of, months_after, remit_on
from sandbox.fund.ledger import Base, Move, remittances
from sandbox.fund.loans import Terms
from sandbox.fund.numbers import account_no, loan_no
from sandbox.fund.rules import Rules, names, read, wording
from sandbox.fund.specs import AccountSpec, ApplicationSpec, LoanSpec, PersonSpec
from sandbox.fund.units import FLEXIBLE, unit

_RELATIVE = re.compile(r"<(month|day|loan)([+-]\d+)?>")


@cache
def written() -> Sequence[Mapping[str, Any]]:
    """cast.yml as it stands."""
    loaded: Sequence[Mapping[str, Any]] = read("cast.yml")
    return loaded


def cast(today: date, rules: Rules) -> list[PersonSpec]:
    """Everybody of cast.yml; the same file and day give the same people."""
    return [_person(raw, today, rules) for raw in written()]


def _person(raw: Mapping[str, Any], today: date, rules: Rules) -> PersonSpec:
    known = {"insured_elsewhere": False, "insurance_stopped_months": 0} | raw["known"]
    clerk_of = tuple(unit(number) for number in known.pop("clerk_of", ()))
    number = raw["id_number"]
    loans = tuple(_loan(loan, raw, place, today) for place, loan in enumerate(raw.get("loans", ())))
    accounts = [_account(one, raw, place, today, rules) for place, one in enumerate(raw["accounts"])]
    accounts[0] = repayments(accounts[0], loans, today)
    return PersonSpec(
        index=raw["index"],
        name=raw["name"],
        id_number=number,
        mobile=raw["mobile"],
        birth_on=datetime.strptime(number[6:14], "%Y%m%d").replace(tzinfo=UTC).date(),
        sex="male" if int(number[16]) % 2 else "female",
        household_city=raw["household_city"],
        password=raw["password"],
        clerk_of=clerk_of,
        accounts=tuple(accounts),
        loans=loans,
        applications=tuple(_application(one, raw, today) for one in raw.get("applications", ())),
        cast_key=raw["key"],
        **known,
    )


def _account(raw: Mapping[str, Any], person: Mapping[str, Any], place: int, today: date, rules: Rules) -> AccountSpec:
    flexible = raw["unit"] == "flexible"
    unit_no, unit_name = unit(FLEXIBLE if flexible else raw["unit"])
    ended_on = _ended_on(raw, today)
    last = months_after(ended_on, -1) if ended_on else last_posted_month(today, rules.remit_day)
    first = months_after(last, 1 - raw["months"])
    base = Base(raw["base_yuan"] * 100, *raw["percent"])
    closed = "closed_months" in raw
    return AccountSpec(
        account_no=account_no(person["index"], place),
        unit_no=unit_no,
        unit_name=unit_name,
        kind="flexible" if flexible else "employed",
        base=base,
        opened_on=first,
        sealed_on=ended_on,
        closed_on=ended_on + timedelta(days=20) if ended_on and closed else None,
        moves=tuple(_moves(raw, (first, last), base, today, rules)),
        frozen_fen=raw.get("frozen_yuan", 0) * 100,
        frozen_by=names()["courts"][raw["frozen_by"]] if "frozen_by" in raw else "",
        card_number="" if raw.get("card") == "none" else person["card_number"],
    )


def _ended_on(raw: Mapping[str, Any], today: date) -> date | None:
    """The first day of the month the account was sealed in, so that full months since then are as written."""
    months = raw.get("sealed_months", raw.get("closed_months"))
    return None if months is None else months_after(month_of(today), -months)


def _moves(raw: Mapping[str, Any], span: tuple[date, date], base: Base, today: date, rules: Rules) -> list[Move]:
    first, last = span
    unpaid = {months_after(last, -ago) for far, near in raw.get("without", ()) for ago in range(near, far + 1)}
    moves = remittances(first, last, base, rules=rules, without=frozenset(unpaid))
    notes = wording()["notes"]
    for ago in raw.get("makeup", ()):
        month = months_after(last, -ago)
        later = remit_on(months_after(month, 2), rules.remit_day)
        moves.append(Move(later, "makeup", base.monthly_fen, month, notes["makeup"]))
    for one in raw.get("withdrawals", ()):
        on = today - timedelta(days=one["days_ago"])
        moves.append(Move(on, "withdraw", -one["yuan"] * 100, None, notes["withdraw-rent"]))
    if "closed_months" in raw:
        closed_by = raw["closed_by"]
        kind = "transfer_out" if closed_by == "transfer_out" else "withdraw"
        moves.append(Move(months_after(last, 1) + timedelta(days=20), kind, None, None, notes[closed_by]))
    return moves


def _loan(raw: Mapping[str, Any], person: Mapping[str, Any], place: int, today: date) -> LoanSpec:
    granted_on = months_after(month_of(today), -raw["granted_months"]).replace(day=raw["day"])
    return LoanSpec(
        loan_no=loan_no(person["index"], place),
        terms=Terms(
            amount_fen=raw["yuan"] * 100,
            granted_on=granted_on,
            term_months=raw["term_months"],
            method=raw["method"],
            home_number=raw["home"],
        ),
        overdue=raw.get("overdue", 0),
        card_number=person["card_number"],
        monthly_withdrawal=raw.get("monthly_withdrawal", False),
    )


def _application(raw: Mapping[str, Any], person: Mapping[str, Any], today: date) -> ApplicationSpec:
    morning = datetime.combine(today - timedelta(days=raw["days_ago"]), time(1, 30), tzinfo=UTC)
    refusal = raw.get("refusal")
    return ApplicationSpec(
        business=raw["business"],
        state=raw["state"],
        submitted_at=morning,
        fields={name: _dated(str(value), person["index"], today) for name, value in raw["fields"].items()},
        amount_fen=raw["yuan"] * 100 if "yuan" in raw else None,
        refusal=wording()["refusals"][refusal] if refusal else "",
    )


def _dated(value: str, index: int, today: date) -> str:
    found = _RELATIVE.fullmatch(value)
    if not found:
        return value
    what, count = found[1], int(found[2] or 0)
    if what == "loan":
        return loan_no(index, 0)
    return (today + timedelta(days=count) if what == "day" else months_after(month_of(today), count)).isoformat()
