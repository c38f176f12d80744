"""Everybody's ledger, interest and schedule add up, and the same seed gives the same people."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy_financial
import pytest
from caller import PEOPLE, TODAY
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.fund.build import build, ready
from sandbox.fund.config import FundConfig
from sandbox.fund.database import terms_of
from sandbox.fund.loans import Prepayment, Terms, rate_on, schedule, standing


def entries(rows: sqlite3.Connection) -> dict[str, list[sqlite3.Row]]:
    found: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for row in rows.execute("SELECT * FROM entries ORDER BY account_no, seq"):
        found[row["account_no"]].append(row)
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_seed_and_day_give_the_same_database_byte_for_byte(built: Path, tmp_path: Path) -> None:
    again = FundConfig(state_dir=tmp_path / "a", people=PEOPLE)
    other = FundConfig(state_dir=tmp_path / "b", people=PEOPLE, seed=1)
    build(again, TODAY)
    build(other, TODAY)
    assert digest(again.database) == digest(built)
    assert digest(other.database) != digest(built)


def test_a_database_serves_until_size_seed_or_month_change(tmp_path: Path) -> None:
    config = FundConfig(state_dir=tmp_path, people=3)
    assert not ready(config, TODAY)
    build(config, TODAY)
    assert ready(config, TODAY)
    assert ready(config, TODAY + timedelta(days=6))
    assert not ready(config, TODAY + timedelta(days=20)), "December's contributions have been posted by then"
    assert not ready(FundConfig(state_dir=tmp_path, people=4), TODAY)
    assert not ready(FundConfig(state_dir=tmp_path, people=3, seed=7), TODAY)
    config.database.write_bytes(b"no database")
    assert not ready(config, TODAY)


def test_balances_are_running_sums_of_the_postings_and_never_below_zero(rows: sqlite3.Connection) -> None:
    ledgers = entries(rows)
    for account in rows.execute("SELECT * FROM accounts"):
        balance = 0
        lines = ledgers[account["account_no"]]
        for line in lines:
            balance += line["amount_fen"]
            assert balance == line["balance_fen"] >= 0
        assert balance == account["balance_fen"]
        assert account["frozen_fen"] <= balance
        assert [line["posted_on"] for line in lines] == sorted(line["posted_on"] for line in lines)
        assert not lines or lines[-1]["posted_on"] <= TODAY.isoformat()
        if account["state"] == "closed":
            assert balance == 0


def test_interest_is_that_of_every_single_day(rows: sqlite3.Connection) -> None:
    checked = 0
    for lines in entries(rows).values():
        by_day = {date.fromisoformat(line["posted_on"]): line["balance_fen"] for line in lines}
        start = date.fromisoformat(lines[0]["posted_on"])
        for line in (one for one in lines if one["kind"] == "interest"):
            end = date.fromisoformat(line["posted_on"])
            before = 0 if start == date.fromisoformat(lines[0]["posted_on"]) else by_day[start]
            assert line["amount_fen"] == brute_force_interest(by_day, start, end, before)
            start = end
            checked += 1
    assert checked > 800


def brute_force_interest(by_day: dict[date, int], start: date, end: date, balance: int) -> int:
    """1.5 % a year over 360 days of the balance at the end of each day from ``start`` to the day before ``end``."""
    total = 0
    for place in range((end - start).days):
        balance = by_day.get(start + timedelta(days=place), balance)
        total += balance
    return int(total * Fraction(15, 1000) / 360 + Fraction(1, 2))


def test_a_month_is_remitted_once_and_its_amount_is_base_times_percent_in_whole_yuan(rows: sqlite3.Connection) -> None:
    ledgers = entries(rows)
    for account in rows.execute("SELECT * FROM accounts"):
        paid = [line for line in ledgers[account["account_no"]] if line["month"]]
        months = [line["month"] for line in paid]
        assert len(months) == len(set(months))
        assert account["paid_to"] == max(months)
        parts = [Decimal(account[f"{who}_percent"]) * account["base_fen"] / 10_000 for who in ("personal", "unit")]
        whole = sum(int(part.quantize(Decimal(1), rounding=ROUND_HALF_UP)) for part in parts)
        newest = [line for line in paid if line["kind"] == "remit"][-1]
        assert newest["amount_fen"] == account["monthly_fen"] == whole * 100
        assert all(line["amount_fen"] % 100 == 0 for line in paid)


def test_the_base_changes_in_july_only(rows: sqlite3.Connection) -> None:
    changes = 0
    for lines in entries(rows).values():
        remitted = [line for line in lines if line["kind"] == "remit"]
        for before, after in pairwise(remitted):
            if before["amount_fen"] != after["amount_fen"]:
                changes += 1
                years = [int(line["month"][:4]) - (int(line["month"][5:7]) < 7) for line in (before, after)]
                assert years[0] < years[1]
    assert changes > 100


def test_schedules_of_all_loans_repay_the_amount_to_the_fen(rows: sqlite3.Connection) -> None:
    loans = rows.execute("SELECT * FROM loans").fetchall()
    assert len(loans) > 30
    for row in loans:
        terms = terms_of(row)
        lines = schedule(terms, TODAY)
        repaid = sum(line.principal_fen for line in lines) + sum(one.amount_fen for one in terms.prepayments)
        assert repaid == terms.amount_fen
        where = standing(terms, TODAY, overdue=row["overdue"])
        paid = sum(line.principal_fen for line in lines[: where.paid_instalments])
        early = sum(one.amount_fen for one in terms.prepayments if one.on <= TODAY)
        assert where.balance_fen == terms.amount_fen - paid - early
        assert (where.state == "settled") == (where.balance_fen == 0)


def test_accounts_that_pay_a_loan_have_a_withdrawal_for_each_instalment(rows: sqlite3.Connection) -> None:
    ledgers = entries(rows)
    loans = rows.execute(
        "SELECT * FROM loans JOIN (SELECT account_no, person_no, opened_on FROM accounts WHERE state = 'normal')"
        " USING (person_no) WHERE monthly_withdrawal"
    ).fetchall()
    assert loans
    for row in loans:
        due = [line.due_on.isoformat() for line in schedule(terms_of(row), TODAY) if line.due_on <= TODAY]
        lines = ledgers[row["account_no"]]
        taken = {line["posted_on"] for line in lines if line["kind"] == "withdraw"}
        for day in (day for day in due if day > row["opened_on"] and day not in taken):
            assert [line for line in lines if line["posted_on"] <= day][-1]["balance_fen"] == 0


@settings(max_examples=60, deadline=None)
@given(
    amount=st.integers(1_000_000, 100_000_000),
    months=st.integers(1, 360),
    method=st.sampled_from(["equal_instalment", "equal_principal"]),
    granted=st.dates(date(2016, 1, 1), date(2026, 11, 1)),
    home=st.sampled_from([1, 2]),
)
def test_any_schedule_ends_at_nothing(amount: int, months: int, method: str, granted: date, home: int) -> None:
    terms = Terms(amount_fen=amount, granted_on=granted, term_months=months, method=method, home_number=home)
    lines = schedule(terms, TODAY)
    assert len(lines) == months
    assert sum(line.principal_fen for line in lines) == amount
    assert all(line.principal_fen >= 0 for line in lines)
    assert lines[-1].balance_fen == 0
    assert [line.number for line in lines] == list(range(1, months + 1))


def plain(method: str = "equal_instalment", **changed: object) -> Terms:
    given = {"amount_fen": 70_000_000, "granted_on": date(2025, 6, 12), "term_months": 360, "home_number": 1}
    return Terms(method=method, **(given | changed))  # type: ignore[arg-type]


def test_the_level_payment_is_the_one_of_an_independent_formula() -> None:
    first = schedule(plain(), TODAY)[0]
    payment = numpy_financial.pmt(0.026 / 12, 360, -700_000)
    assert first.principal_fen + first.interest_fen == round(float(payment) * 100)


@pytest.mark.parametrize(
    ("granted", "months", "home", "on", "rate"),
    [
        (date(2023, 7, 12), 360, 1, date(2025, 12, 31), "2.85"),
        (date(2023, 7, 12), 360, 1, date(2026, 1, 1), "2.60"),
        (date(2023, 7, 12), 360, 1, date(2024, 6, 1), "3.10"),
        (date(2024, 6, 1), 360, 1, date(2024, 6, 1), "2.85"),
        (date(2025, 5, 8), 360, 1, date(2025, 5, 8), "2.60"),
        (date(2025, 5, 8), 60, 1, date(2025, 5, 8), "2.10"),
        (date(2025, 5, 8), 61, 2, date(2025, 5, 8), "3.075"),
        (date(2025, 5, 8), 60, 2, date(2025, 5, 8), "2.525"),
        (date(2024, 12, 1), 12, 1, date(2025, 6, 1), "2.35"),
    ],
)
def test_a_loan_has_the_rate_of_its_time(granted: date, months: int, home: int, on: date, rate: str) -> None:
    terms = plain(granted_on=granted, term_months=months, home_number=home)
    assert rate_on(terms, on, known_on=on) == Decimal(rate)


def test_a_change_of_rate_is_told_once_it_is_fixed_and_not_before() -> None:
    terms = plain(granted_on=date(2023, 7, 12))
    before, fixed, after = (standing(terms, date(*day)) for day in ((2025, 5, 7), (2025, 5, 8), (2026, 1, 1)))
    assert (before.next_rate_percent, before.next_rate_on) == (None, None)
    assert (fixed.rate_percent, fixed.next_rate_percent) == (Decimal("2.85"), Decimal("2.60"))
    assert fixed.next_rate_on == date(2026, 1, 1)
    assert (after.rate_percent, after.next_rate_on) == (Decimal("2.60"), None)


@pytest.mark.parametrize("method", ["equal_instalment", "equal_principal"])
def test_prepaying_keeps_the_term_or_the_instalment(method: str) -> None:
    rest = schedule(plain(method), TODAY)
    payment = rest[20].principal_fen + rest[20].interest_fen
    early = Prepayment(rest[19].due_on + timedelta(days=3), 20_000_000, "")
    same_term, same_part = (
        schedule(plain(method, prepayments=(early._replace(keep=keep),)), TODAY) for keep in ("term", "instalment")
    )
    assert len(same_term) == 360
    assert same_term[20].principal_fen + same_term[20].interest_fen < payment
    assert len(same_part) < 300
    assert abs(same_part[20].principal_fen - rest[20].principal_fen) <= (50_000 if method == "equal_instalment" else 0)
    for lines in (same_term, same_part):
        assert sum(line.principal_fen for line in lines) == 50_000_000


SITUATIONS = {
    ("accounts", "state"): {"normal", "sealed", "closed"},
    ("accounts", "kind"): {"employed", "flexible"},
    ("accounts", "card_number = ''"): {0, 1},
    ("accounts", "frozen_fen > 0"): {0, 1},
    ("loans", "method"): {"equal_instalment", "equal_principal"},
    ("loans", "home_number"): {1, 2},
    ("loans", "overdue > 0"): {0, 1},
    ("loans", "prepayments = '[]'"): {0, 1},
    ("loans", "monthly_withdrawal"): {0, 1},
    ("persons", "mobile = ''"): {0, 1},
    ("persons", "marriage"): {None, "single", "married", "divorced", "widowed"},
    ("persons", "insured_elsewhere"): {None, 0, 1},
    ("persons", "clerk_of = '[]'"): {0, 1},
    ("applications", "state"): {
        *("accepted", "checking", "reviewing", "supplement", "paying", "refused", "cancelled"),
    },
}


@pytest.mark.parametrize("what", SITUATIONS, ids=" ".join)
def test_every_situation_occurs_among_generated_people(what: tuple[str, str], rows: sqlite3.Connection) -> None:
    table, told = what
    query = f"SELECT DISTINCT {told} FROM {table} WHERE person_no > '100000001000'"  # noqa: S608 - our own text
    assert {row[0] for row in rows.execute(query)} == SITUATIONS[what]


def test_every_kind_of_posting_occurs(rows: sqlite3.Connection) -> None:
    kinds = {row[0] for row in rows.execute("SELECT DISTINCT kind FROM entries")}
    assert kinds == {"remit", "makeup", "interest", "withdraw", "transfer_in", "transfer_out", "refund"}
