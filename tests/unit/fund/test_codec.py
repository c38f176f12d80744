"""Records travel to the core system's JSON and back unchanged; what cannot be true does not get in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hotline.domain.clock import SHANGHAI
from hotline.domain.fund import (
    Account,
    AccountState,
    ApplicationState,
    Contributions,
    Employer,
    Gap,
    LedgerPage,
    LoanState,
    Marriage,
    NewApplication,
    Stage,
)
from hotline.fund import codec
from hotline.fund.codec import Untrue
from hotline.fund.wire import PersonWire
from tests.fake_fund import (
    ID_NUMBER,
    a_ledger,
    a_loan,
    a_person,
    a_schedule,
    an_account,
    an_application,
    contributions,
)
from tests.unit.fund.kit import wire

ME = "P000001"
FEN = st.integers(0, 10**12)
PERCENT = st.decimals(0, 100, places=2)
MONTHS = st.dates(date(1992, 1, 1), date(2060, 12, 31)).map(lambda day: day.replace(day=1))


def body(**content: Any) -> bytes:
    return json.dumps({"person_no": ME, **content}).encode()


def page(*amounts: int, **changes: Any) -> bytes:
    entries = a_ledger(*amounts)
    written = {
        "account_no": "A000001",
        "entries": [wire(entry) for entry in entries],
        "cursor": None,
        "count": len(entries),
        "in_fen": sum(a for a in amounts if a > 0),
        "out_fen": -sum(a for a in amounts if a < 0),
    }
    return body(**written | changes)


def read_page(written: bytes, **query: str) -> LedgerPage:
    return codec.ledger(written, ME, "A000001", query={"limit": "20", **query})


def test_a_person_comes_back_with_everything_known_about_him() -> None:
    person = a_person(
        marriage=Marriage.MARRIED,
        children=2,
        homes_in_city=0,
        insured_elsewhere=False,
        insurance_stopped_months=0,
        clerk_of=(Employer(unit_no="U1", name="广州星河软件有限公司"),),
    )
    assert codec.person(body(person=wire(person)), ME) == person
    assert codec.identified(body(person=wire(person)), id_number=ID_NUMBER) == person
    assert codec.identified(body(person=None), id_number=ID_NUMBER) is None


@given(
    st.builds(
        an_account,
        base_fen=FEN,
        balance_fen=FEN,
        personal_percent=PERCENT,
        unit_percent=PERCENT,
        paid_to=st.none() | MONTHS,
    )
)
def test_every_account_comes_back_as_it_was(account: Account) -> None:
    assert codec.accounts(body(accounts=[wire(account)]), ME) == (account,)


@given(st.lists(st.integers(-10_000, 10_000), max_size=20))
def test_postings_that_add_up_come_back_as_they_were(amounts: list[int]) -> None:
    assert read_page(page(*amounts)).entries == a_ledger(*amounts)


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=9), st.data())
def test_one_wrong_balance_makes_a_ledger_untrue(amounts: list[int], data: st.DataObject) -> None:
    written = json.loads(page(*amounts))
    place = data.draw(st.integers(0, len(amounts) - 1))
    written["entries"][place]["balance_fen"] += data.draw(st.integers(1, 100))
    with pytest.raises(Untrue, match="balances that do not follow"):
        read_page(json.dumps(written).encode())


@given(MONTHS, st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=5), st.integers(1, 30))
def test_paid_months_are_counted_as_we_count_them(first: date, runs: list[tuple[int, int]], last_run: int) -> None:
    """``runs``: months paid, then months missed."""
    gaps, place = [], 0
    for paid, missed in runs:
        gaps.append(Gap(first=later(first, place + paid), last=later(first, place + paid + missed - 1)))
        place += paid + missed
    record = Contributions(
        first=first,
        last=later(first, place + last_run - 1),
        paid_months=sum(paid for paid, _ in runs) + last_run,
        consecutive_months=last_run,
        gaps=tuple(gaps),
    )
    assert codec.contributions(body(contributions=wire(record)), ME) == record
    for lie in ({"paid_months": record.paid_months + 1}, {"consecutive_months": record.consecutive_months + 1}):
        with pytest.raises(Untrue):
            codec.contributions(body(contributions=wire(record) | lie), ME)


def later(month: date, months: int) -> date:
    total = month.year * 12 + month.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def test_who_never_paid_has_no_months() -> None:
    nobody = Contributions(first=None, last=None, paid_months=0, consecutive_months=0)
    assert codec.contributions(body(contributions=wire(nobody)), ME) == nobody


def test_loans_schedules_and_applications_come_back_as_they_were() -> None:
    loan = a_loan(next_rate_percent=Decimal("2.35"), next_rate_on=date(2027, 1, 1))
    assert codec.loans(body(loans=[wire(loan)]), ME) == (loan,)
    lines = a_schedule(3)
    written = body(loan_no="L1", instalments=[wire(line) for line in lines])
    assert codec.schedule(written, ME, "L1", first=42, limit=3) == lines
    one = an_application(missing=("租赁合同",))
    assert codec.applications(body(applications=[wire(one)]), ME) == (one,)
    assert codec.application(body(application=wire(one)), ME, one.application_no) == one
    assert codec.submission(body(application=wire(one)), ME) == one
    assert codec.submission(body(application=None), ME) is None


def test_what_is_filed_names_its_moment_in_utc() -> None:
    confirmed = datetime(2026, 11, 25, 10, 30, 15, 250_000, tzinfo=SHANGHAI)
    new = NewApplication(
        person_no=ME, business="withdraw-rent", fields={"month": "2026-11-01"}, confirmed_at=confirmed, channel="web"
    )
    assert json.loads(codec.filing(new)) == {
        "business": "withdraw-rent",
        "fields": {"month": "2026-11-01"},
        "confirmed_at": "2026-11-25T02:30:15.250000Z",
        "channel": "web",
    }
    with pytest.raises(ValueError, match="zone"):
        codec.moment(datetime(2026, 11, 25, 10, 30))  # noqa: DTZ001 - a naive time is what is tested


@pytest.mark.parametrize(
    "change",
    [
        {"balance_fen": -1},
        {"balance_fen": "8652035"},
        {"balance_fen": 8652035.0},
        {"balance_fen": None},
        {"balance_fen": True},
        {"frozen_fen": 86_520_36},
        {"personal_percent": 12},
        {"personal_percent": "101"},
        {"personal_percent": "NaN"},
        {"opened_on": "2016-07-01T00:00:00Z"},
        {"opened_on": "2016-02-30"},
        {"opened_on": 1467331200},
        {"paid_to": "2026-10-02"},
        {"state": "asleep"},
        {"state": "closed", "closed_on": None},
        {"card_tail": "6217003320001234569"},
        {"account_no": ""},
        {"account_no": "A/1"},
        {"monthly_fen": ...},
        {"paid_to": ...},
    ],
    ids=str,
)
def test_an_account_that_cannot_be_is_not_read(change: dict[str, Any]) -> None:
    written = {name: value for name, value in (wire(an_account()) | change).items() if value is not ...}
    with pytest.raises(Untrue):
        codec.accounts(body(accounts=[written]), ME)


CLOSED = wire(an_account(state=AccountState.CLOSED, closed_on=date(2026, 1, 5)))
LOAN, LINES, FILED = wire(a_loan()), [wire(line) for line in a_schedule(3)], wire(an_application())
ENDED = (Stage(state=ApplicationState.REFUSED, at=datetime(2026, 11, 17, tzinfo=UTC)),)
LIES: dict[str, Callable[[], object]] = {
    "another person's accounts": lambda: codec.accounts(body(person_no="P000002", accounts=[CLOSED]), ME),
    "another person": lambda: codec.person(body(person=wire(a_person(person_no="P000002"))), ME),
    "another ID number": lambda: codec.identified(body(person=wire(a_person())), id_number="44010619880512402X"),
    "an account twice": lambda: codec.accounts(body(accounts=[CLOSED, CLOSED]), ME),
    "another account's ledger": lambda: read_page(page(100, account_no="A2")),
    "a longer page": lambda: read_page(page(1, 1, 1), limit="2"),
    "oldest first": lambda: read_page(page(0, 0, entries=[wire(e) for e in reversed(a_ledger(0, 0))])),
    "before the period": lambda: read_page(page(100), since="2026-10-21"),
    "after the period": lambda: read_page(page(100), until="2026-10-19"),
    "a wrong sum": lambda: read_page(page(100, -40, out_fen=41)),
    "a wrong count": lambda: read_page(page(100, -40, count=3)),
    "more on the page than in all": lambda: read_page(page(100, 50, cursor="c", in_fen=140)),
    "more owed than lent": lambda: codec.loans(body(loans=[LOAN | {"balance_fen": 600_000_01}]), ME),
    "settled and owed": lambda: codec.loans(body(loans=[LOAN | {"state": LoanState.SETTLED}]), ME),
    "overdue by nothing": lambda: codec.loans(body(loans=[LOAN | {"state": LoanState.OVERDUE}]), ME),
    "a rate without its day": lambda: codec.loans(body(loans=[LOAN | {"next_rate_percent": "2.1"}]), ME),
    "another loan": lambda: codec.schedule(body(loan_no="L2", instalments=LINES), ME, "L1", first=42, limit=3),
    "other instalments": lambda: codec.schedule(body(loan_no="L1", instalments=LINES), ME, "L1", first=41, limit=3),
    "a gap in a schedule": lambda: codec.schedule(
        body(loan_no="L1", instalments=LINES[::2]), ME, "L1", first=42, limit=3
    ),
    "a debt that grows": lambda: codec.schedule(
        body(loan_no="L1", instalments=[LINES[0], LINES[1] | {"balance_fen": LINES[0]["balance_fen"]}]),
        ME,
        "L1",
        first=42,
        limit=3,
    ),
    "another application": lambda: codec.application(body(application=FILED), ME, "B000002"),
    "another business": lambda: codec.filed(body(application=FILED), filing(business="withdraw-leave")),
    "a stage that is not the last": lambda: codec.submission(
        body(application=FILED | {"state": ApplicationState.PAYING}), ME
    ),
    "a cancellable end": lambda: codec.submission(
        body(application=wire(an_application(state=ApplicationState.REFUSED, stages=ENDED))), ME
    ),
    "no stages": lambda: codec.submission(body(application=FILED | {"stages": []}), ME),
    "stages out of order": lambda: codec.submission(
        body(application=FILED | {"stages": [FILED["stages"][1] | {"at": "2026-11-17T00:00:00Z"}, FILED["stages"][1]]}),
        ME,
    ),
    "a time without a zone": lambda: codec.submission(
        body(application=FILED | {"submitted_at": "2026-11-16T02:30:00"}), ME
    ),
    "consecutive without paid": lambda: codec.contributions(
        body(contributions=wire(contributions()) | {"first": None}), ME
    ),
    "no JSON": lambda: codec.accounts(b"<html>", ME),
    "a list": lambda: codec.accounts(b"[]", ME),
    "nothing": lambda: codec.accounts(b"", ME),
}


def filing(business: str) -> NewApplication:
    at = datetime(2026, 11, 25, tzinfo=UTC) - timedelta(minutes=1)
    return NewApplication(person_no=ME, business=business, fields={}, confirmed_at=at, channel="web")


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_is_refused(lie: Callable[[], object]) -> None:
    with pytest.raises(Untrue):
        lie()


def test_an_error_names_the_field_and_the_rule_and_no_value() -> None:
    with pytest.raises(Untrue) as untrue:
        codec.identified(body(person=wire(a_person(mobile="13800135678x"))), id_number=ID_NUMBER)
    assert str(untrue.value) == "person.mobile string_pattern_mismatch"
    with pytest.raises(Untrue, match=r"^accounts\.0 no more is frozen than there is$"):
        codec.accounts(body(accounts=[wire(an_account(frozen_fen=10**9))]), ME)


@pytest.mark.parametrize("asked", ["44010619880512402X", "440106880512402"])
def test_an_id_number_may_be_asked_for_in_its_forms(asked: str) -> None:
    person = a_person(id_number="44010619880512402X")
    assert codec.identified(body(person=wire(person)), id_number=asked) == person


def test_the_last_page_of_several_holds_a_part_of_the_sums() -> None:
    assert len(read_page(page(100, -40, count=9, in_fen=900), cursor="c1").entries) == 2


def test_even_the_error_underneath_quotes_nothing() -> None:
    with pytest.raises(ValidationError) as error:
        PersonWire.model_validate_json(json.dumps(wire(a_person()) | {"mobile": ID_NUMBER}))
    assert ID_NUMBER not in str(error.value)


def test_a_field_nobody_here_knows_is_left_alone() -> None:
    assert codec.person(body(person=wire(a_person()) | {"fax": "1"}, trace="2"), ME) == a_person()
