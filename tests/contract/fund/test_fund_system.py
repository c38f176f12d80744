"""What every fund core system has to do, whoever wrote it."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from hotline.domain.fund import (
    OPEN_STATES,
    Account,
    AccountState,
    Application,
    ApplicationState,
    CertificateKind,
    Factor,
    FactorKind,
    Gap,
    LedgerEntry,
    LoanState,
    Person,
)
from hotline.fund_system import FundRefused, FundUnavailable, FundUnknown
from tests.contract.fund.kit import SITUATIONS, Subject, new_key, rent

pytestmark = pytest.mark.anyio

NOBODY = "P0NOBODY"


async def first_account(subject: Subject, person: Person) -> Account:
    return (await subject.fund.accounts(person.person_no))[0]


async def whole_ledger(subject: Subject, person: Person, account: Account, *, limit: int) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    cursor = None
    while True:
        page = await subject.fund.ledger(person.person_no, account.account_no, cursor=cursor, limit=limit)
        assert 0 < len(page.entries) <= limit
        entries += page.entries
        cursor = page.cursor
        if cursor is None:
            assert page.count == len(entries)
            assert page.in_fen == sum(entry.amount_fen for entry in entries if entry.amount_fen > 0)
            assert page.out_fen == -sum(entry.amount_fen for entry in entries if entry.amount_fen < 0)
            return entries


async def test_a_person_is_known_by_card_and_by_password(subject: Subject) -> None:
    for situation in SITUATIONS:
        witness = subject.witnesses[situation]
        by_card = await subject.somebody(situation)
        by_password = await subject.fund.identify(id_number=witness.id_number, factor=witness.password)
        assert by_card == by_password == await subject.fund.person(by_card.person_no)
        assert by_card.id_number == witness.id_number


async def test_no_mismatch_says_who_somebody_is(subject: Subject) -> None:
    me, other = subject.witnesses["employed"], subject.witnesses["gaps"]
    wrong = (
        (me.id_number, other.card),
        (me.id_number, other.password),
        ("440106199003072015", me.card),
        (me.id_number, Factor(kind=FactorKind.QUERY_PASSWORD, value=me.card.value)),
        (me.id_number, Factor(kind=FactorKind.BANK_CARD, value=me.password.value)),
    )
    for id_number, factor in wrong:
        assert await subject.fund.identify(id_number=id_number, factor=factor) is None


async def test_of_nobody_nothing_is_known(subject: Subject) -> None:
    fund = subject.fund
    asks = (
        fund.person(NOBODY),
        fund.accounts(NOBODY),
        fund.ledger(NOBODY, "A1"),
        fund.contributions(NOBODY),
        fund.loans(NOBODY),
        fund.schedule(NOBODY, "L1"),
        fund.applications(NOBODY),
        fund.application(NOBODY, "B1"),
        fund.issue_certificate(NOBODY, CertificateKind.DEPOSIT, key=new_key()),
        fund.cancel(NOBODY, "B1", key=new_key()),
    )
    for ask in asks:
        with pytest.raises(FundRefused, match="not_found"):
            await ask


async def test_everything_of_everybody_can_be_read(subject: Subject) -> None:
    fund = subject.fund
    for situation in SITUATIONS:
        number = (await subject.somebody(situation)).person_no
        for account in await fund.accounts(number):
            assert (await fund.ledger(number, account.account_no, limit=1)).count >= 0
        for loan in await fund.loans(number):
            assert loan.term_months >= len(await fund.schedule(number, loan.loan_no))
        assert (await fund.contributions(number)).consecutive_months >= 0
        assert len(await fund.applications(number)) <= 50


async def test_closed_accounts_come_last(subject: Subject) -> None:
    person = await subject.somebody("several_accounts")
    states = [account.state for account in await subject.fund.accounts(person.person_no)]
    assert Counter(states) == Counter(AccountState)
    assert states[-1] is AccountState.CLOSED


async def test_a_ledger_is_the_same_in_short_and_in_long_pages_and_adds_up(subject: Subject) -> None:
    person = await subject.somebody("long_ledger")
    account = await first_account(subject, person)
    entries = await whole_ledger(subject, person, account, limit=7)
    assert entries == await whole_ledger(subject, person, account, limit=20)
    assert len(entries) > 20
    assert len({entry.entry_no for entry in entries}) == len(entries)
    assert entries[0].balance_fen == account.balance_fen
    for newer, older in pairwise(entries):
        assert newer.posted_on >= older.posted_on
        assert newer.balance_fen - newer.amount_fen == older.balance_fen


async def test_both_ends_of_a_period_belong_to_it(subject: Subject) -> None:
    person = await subject.somebody("long_ledger")
    account = await first_account(subject, person)
    entries = await whole_ledger(subject, person, account, limit=20)
    since, until = entries[9].posted_on, entries[3].posted_on
    page = await subject.fund.ledger(person.person_no, account.account_no, since=since, until=until)
    assert list(page.entries) == [entry for entry in entries if since <= entry.posted_on <= until]
    assert (page.count, page.cursor) == (len(page.entries), None)
    day = timedelta(days=1)
    empty = await subject.fund.ledger(
        person.person_no, account.account_no, since=entries[0].posted_on + day, until=entries[0].posted_on + 2 * day
    )
    assert (empty.entries, empty.cursor, empty.count, empty.in_fen, empty.out_fen) == ((), None, 0, 0, 0)


async def test_contributions_are_all_months_but_the_gaps(subject: Subject) -> None:
    person = await subject.somebody("gaps")
    found = await subject.fund.contributions(person.person_no)
    assert found.first
    assert found.last
    assert found.gaps
    assert found.paid_months == Gap(first=found.first, last=found.last).months - sum(gap.months for gap in found.gaps)
    assert found.consecutive_months == Gap(first=found.gaps[-1].last, last=found.last).months - 1


async def test_a_schedule_begins_with_the_next_instalment_and_ends_with_nothing_owed(subject: Subject) -> None:
    person = await subject.somebody("loan_instalment")
    loan = (await subject.fund.loans(person.person_no))[0]
    due = loan.paid_instalments + 1
    lines = await subject.fund.schedule(person.person_no, loan.loan_no, first=due, limit=3)
    assert [line.number for line in lines] == [due, due + 1, due + 2]
    assert (lines[0].due_on, lines[0].principal_fen, lines[0].interest_fen, lines[0].paid_on) == (
        loan.next_due_on,
        loan.next_principal_fen,
        loan.next_interest_fen,
        None,
    )
    assert lines[0].balance_fen == loan.balance_fen - lines[0].principal_fen
    last = await subject.fund.schedule(person.person_no, loan.loan_no, first=loan.term_months, limit=12)
    assert [(line.number, line.balance_fen) for line in last] == [(loan.term_months, 0)]


async def test_a_loan_says_what_is_overdue_and_that_it_is_settled(subject: Subject) -> None:
    late = (await subject.fund.loans((await subject.somebody("loan_overdue")).person_no))[0]
    assert (late.state, late.overdue_instalments) == (LoanState.OVERDUE, 2)
    assert late.overdue_fen > 0
    done = (await subject.fund.loans((await subject.somebody("loan_settled")).person_no))[0]
    assert (done.state, done.balance_fen, done.next_due_on) == (LoanState.SETTLED, 0, None)
    assert done.settled_on


async def only_application(subject: Subject, situation: str) -> tuple[Person, Application]:
    person = await subject.somebody(situation)
    one = (await subject.fund.applications(person.person_no))[0]
    assert one == await subject.fund.application(person.person_no, one.application_no)
    assert one.stages[-1].state is one.state
    return person, one


async def test_an_application_says_what_is_missing_and_why_it_was_refused(subject: Subject) -> None:
    _, waiting = await only_application(subject, "app_supplement")
    assert waiting.state is ApplicationState.SUPPLEMENT
    assert waiting.missing
    _, refused = await only_application(subject, "app_refused")
    assert refused.state is ApplicationState.REFUSED
    assert refused.refusal
    assert not refused.cancellable


async def test_what_is_being_paid_cannot_be_cancelled(subject: Subject) -> None:
    person, paying = await only_application(subject, "app_paying")
    assert (paying.state, paying.cancellable) == (ApplicationState.PAYING, False)
    with pytest.raises(FundRefused, match="wrong_state"):
        await subject.fund.cancel(person.person_no, paying.application_no, key=new_key())


async def test_nobody_gets_at_what_is_another_persons(subject: Subject) -> None:
    me = (await subject.somebody("employed")).person_no
    borrower, (other, filed) = await subject.somebody("loan_instalment"), await only_application(subject, "app_paying")
    account = await first_account(subject, other)
    loan = (await subject.fund.loans(borrower.person_no))[0]
    fund = subject.fund
    asks = (
        fund.ledger(me, account.account_no),
        fund.schedule(me, loan.loan_no),
        fund.application(me, filed.application_no),
        fund.cancel(me, filed.application_no, key=new_key()),
    )
    for ask in asks:
        with pytest.raises(FundRefused, match="not_found"):
            await ask


async def test_the_same_key_files_once_and_other_content_is_refused(subject: Subject) -> None:
    person, key = await subject.filer(), new_key()
    new = rent(person)
    filed = await subject.fund.submit(new, key=key)
    assert (filed.business, filed.amount_fen, filed.state in OPEN_STATES) == (new.business, 100_000, True)
    again = await asyncio.gather(*(subject.fund.submit(new, key=key) for _ in range(5)))
    assert {one.application_no for one in again} == {filed.application_no}
    with pytest.raises(FundRefused, match="key_reused"):
        await subject.fund.submit(rent(person, fen=90_000), key=key)
    numbers = [one.application_no for one in await subject.fund.applications(person.person_no)]
    assert numbers[0] == filed.application_no
    assert numbers.count(filed.application_no) == 1


async def test_of_several_filings_at_once_one_is_accepted_and_named_by_the_others(subject: Subject) -> None:
    person = await subject.filer()
    answers = await asyncio.gather(
        *(subject.fund.submit(rent(person), key=new_key()) for _ in range(5)), return_exceptions=True
    )
    filed = [one for one in answers if isinstance(one, Application)]
    refused = [one for one in answers if isinstance(one, FundRefused)]
    assert (len(filed), len(refused)) == (1, 4)
    assert {(one.code, one.reference) for one in refused} == {("open_application", filed[0].application_no)}


async def test_an_application_whose_answer_was_lost_is_found_by_its_key(subject: Subject) -> None:
    person, key = await subject.filer(), new_key()
    assert await subject.fund.submission(person.person_no, key=key) is None
    with pytest.raises(FundUnknown):
        await subject.losing.submit(rent(person), key=key)
    found = await subject.fund.submission(person.person_no, key=key)
    assert found
    assert found.application_no == (await subject.fund.applications(person.person_no))[0].application_no
    other = await subject.somebody("gaps")
    assert await subject.fund.submission(other.person_no, key=key) is None


async def test_a_cancelled_application_stays_so_and_makes_room_for_another(subject: Subject) -> None:
    person, key = await subject.filer(), new_key()
    filed = await subject.fund.submit(rent(person), key=new_key())
    with pytest.raises(FundUnknown):
        await subject.losing.cancel(person.person_no, filed.application_no, key=key)
    cancelled = await subject.fund.cancel(person.person_no, filed.application_no, key=key)
    assert (cancelled.application_no, cancelled.state, cancelled.cancellable) == (
        filed.application_no,
        ApplicationState.CANCELLED,
        False,
    )
    with pytest.raises(FundRefused, match="wrong_state"):
        await subject.fund.cancel(person.person_no, filed.application_no, key=new_key())
    second = await subject.fund.submit(rent(person), key=new_key())
    assert second.application_no != filed.application_no
    states = [one.state for one in await subject.fund.applications(person.person_no)]
    assert states == sorted(states, key=lambda state: state not in OPEN_STATES)


async def test_a_certificate_is_issued_once_and_verified_by_its_check_code(subject: Subject) -> None:
    person, key = await subject.somebody("employed"), new_key()
    with pytest.raises(FundUnknown):
        await subject.losing.issue_certificate(person.person_no, CertificateKind.DEPOSIT, key=key)
    issued = await subject.fund.issue_certificate(person.person_no, CertificateKind.DEPOSIT, key=key)
    account = await first_account(subject, person)
    assert (issued.name, issued.id_number, issued.balance_fen) == (person.name, person.id_number, account.balance_fen)
    assert await subject.fund.issue_certificate(person.person_no, CertificateKind.DEPOSIT, key=key) == issued
    assert await subject.fund.certificate(issued.number, check_code=issued.check_code) == issued
    assert await subject.fund.certificate(issued.number, check_code=issued.check_code[::-1] + "0") is None
    assert await subject.fund.certificate("C0NONE", check_code=issued.check_code) is None


async def test_who_has_no_account_gets_no_certificate(subject: Subject) -> None:
    person = await subject.somebody("closed")
    with pytest.raises(FundRefused, match="not_eligible"):
        await subject.fund.issue_certificate(person.person_no, CertificateKind.DEPOSIT, key=new_key())


async def test_a_wrong_secret_gets_nothing(subject: Subject) -> None:
    if subject.unsigned is None:
        pytest.skip("nothing is signed here")
    person = await subject.somebody("employed")
    with pytest.raises(FundUnavailable):
        await subject.unsigned.person(person.person_no)
    with pytest.raises(FundUnavailable):
        await subject.unsigned.submit(rent(person), key=new_key())
