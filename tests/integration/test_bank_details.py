"""Bank details: asked for, called back, approved by another, cooled, tried, live; and how each of it is refused."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from ingest.errors import UnknownMemberError
from ingest.models import bank_account_context
from ingest.roster import AccountType
from ledger.errors import DecidedOnceError, MakerIsCheckerError, PayoutNotApprovedError
from payouts.accounts.changes import ChangeSource, ask_change, close_matter, withdraw_change
from payouts.accounts.errors import (
    CallBackDoneError,
    CallBackMissingError,
    CallerApprovesError,
    CallerIsAskerError,
    CallTooEarlyError,
    ChangeOpenError,
    ChangeStateError,
    ContactError,
    ContactFollowsError,
    NoCallBackNeededError,
    NothingToCloseError,
    NotStoppedError,
    NumberNotOnFileError,
    SameAccountError,
    UnknownChangeError,
)
from payouts.accounts.prenotes import mark_prenoted, prenote_failed, send_prenotes
from payouts.accounts.stops import lift_stop, stop_account
from payouts.errors import RoleMissingError
from payouts.nacha.reader import read_nacha
from payouts.people.contacts import Contact, record_contact
from payouts.people.users import UserRole, add_user
from tests.support.bank_changes import (
    CALLER,
    FRIDAY,
    MONDAY,
    NEW_NUMBER,
    OWNER,
    TELEPHONE,
    TUESDAY,
    USABLE,
    WEDNESDAY,
    accounts_of_a,
    approved,
    ask,
    call_back,
    courier,
    decide,
    go_live,
    member_of,
    prenoted,
    request_for,
    send_prenote,
    state_of,
    with_contact,
)
from tests.support.books import CHECKER, MAKER, Books
from tests.support.lives import kept
from tests.support.trade import A, B, Part, remittance


@pytest.fixture
@kept
def house(books: Books) -> Books:
    """Give books with a third person, who calls, and a contact of A from long ago."""
    return with_contact(books)


# The way of a change -------------------------------------------------------------------------------------------------


def test_a_change_waits_from_asking_to_the_first_payment(house: Books) -> None:
    """Monday asked, called and approved; cool on Thursday; the prenote settles on Wednesday: usable next Monday.

    Three banking days after Wednesday 2026-11-18 are Thursday, Friday and Monday 2026-11-23. On the Sunday before
    nothing goes live; on the Monday the account does, and the old one ends the day before.
    """
    change = prenoted(house)
    rows = house.ask("SELECT cooling_until, usable_from FROM bank_account_change")
    assert [tuple(row) for row in rows] == [(date(2026, 11, 19), USABLE)]
    assert go_live(house, date(2026, 11, 22)) == []
    assert accounts_of_a(house) == [("0101", A.member_since, None)]
    assert go_live(house, USABLE) == [change]
    assert accounts_of_a(house) == [
        ("0101", A.member_since, USABLE),
        ("7788", USABLE, None),
    ]
    assert (state_of(house, change), go_live(house, date(2026, 11, 30))) == ("live", [])


def test_a_long_cooling_period_counts_from_the_call_back(house: Books) -> None:
    """Ten banking days after Tuesday 2026-11-17, Thanksgiving not counted, are Wednesday 2026-12-02.

    That is later than the third banking day after the prenote, so it is the first day of use.
    """
    change = ask(house, cooling_days=10)
    call_back(house, change, on=TUESDAY)
    decide(house, change)
    with house.begin() as connection:
        send_prenote(house, connection, change, WEDNESDAY)
        assert mark_prenoted(connection, change, WEDNESDAY, MAKER) == date(2026, 12, 2)
    assert house.ask("SELECT cooling_until FROM bank_account_change") == [(date(2026, 12, 2),)]


def test_asking_tells_the_old_contact_and_a_second_person(house: Books) -> None:
    """One letter, one case, one approval; the number is sealed for the account to be, and stands nowhere in clear."""
    change = ask(house)
    letters = house.ask("SELECT kind, recipient, body FROM notice")
    assert [(row.kind, row.recipient) for row in letters] == [
        ("bank_details_asked", "Ada Owner\n1 Main St\nPeoria IL\nada@example.com")
    ]
    assert "ending in 7788" in letters[0].body
    assert "we pay into the account ending in 0101" in letters[0].body
    assert ("bank_details_asked", f"change {change}") in house.cases()
    (row,) = house.ask("SELECT bank_account_id, sealed_number, last_four FROM bank_account_change")
    assert (
        house.keyring.open(bytes(row.sealed_number), bank_account_context(row.bank_account_id)) == NEW_NUMBER.encode()
    )
    for table in ("bank_account_change", "approval", "notice", "exception_case", "activity"):
        assert NEW_NUMBER not in str(house.ask(f"SELECT t::text FROM {table} t"))  # noqa: S608 (names of ours)
    assert accounts_of_a(house) == [("0101", A.member_since, None)]


def test_asking_the_same_again_gives_the_same_change(house: Books) -> None:
    """No second change, letter or approval; other details are refused until the first are taken back."""
    change = ask(house)
    assert ask(house) == change
    assert house.ask("SELECT count(*) FROM notice") == [(1,)]
    with pytest.raises(ChangeOpenError, match="withdraw"):
        ask(house, "999000111")
    with house.begin() as connection:
        withdraw_change(connection, change, "wrong branch", CALLER)
    assert ask(house, "999000111") == change + 1
    assert house.ask("SELECT state FROM approval ORDER BY approval_id") == [("withdrawn",), ("pending",)]
    assert set(house.cases()) == {("bank_details_asked", f"change {change + 1}")}


def test_two_who_ask_at_once_make_one_change(house: Books) -> None:
    """The same details from four people at the same moment are one change with one letter."""
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: ask(house), range(4)))) == 1
    assert house.ask("SELECT count(*) FROM bank_account_change") == [(1,)]
    assert house.ask("SELECT count(*) FROM notice") == [(1,)]


def test_the_account_in_use_is_not_asked_for(house: Books) -> None:
    """A member that is paid there already has nothing to ask."""
    with pytest.raises(SameAccountError, match="0101"):
        ask(house, A.account_number, routing=A.routing)
    with pytest.raises(UnknownMemberError), house.begin() as connection:
        ask_change(connection, request_for(UUID(int=7)), house.keyring, MAKER)


# The call-back -------------------------------------------------------------------------------------------------------


def test_a_contact_that_changed_lately_is_told_and_not_believed(house: Books) -> None:
    """Ten days before the request the telephone was changed: both contacts get a letter, the old number is called.

    It was changed on 2026-11-06, the request is of 2026-11-16: the contact of 2026-10-17 counts.
    """
    thief = Contact(name="Ada Owner", telephone="2125550199", email="ada@thief.example")
    with house.begin() as connection:
        day = date(2026, 11, 6)
        record_contact(connection, member_of(connection), thief, since=day, on=day, actor=MAKER)
    change = ask(house)
    letters = house.ask("SELECT recipient FROM notice ORDER BY notice_id")
    assert [row.recipient.splitlines()[-1] for row in letters] == ["ada@example.com", "ada@thief.example"]
    with pytest.raises(NumberNotOnFileError, match="2026-10-17"):
        call_back(house, change, number="2125550199")
    call_back(house, change, number="+1 (312) 555-0100")
    assert house.ask("SELECT called_number, call_confirmed FROM bank_account_change") == [(TELEPHONE, True)]


def test_a_contact_that_came_with_the_request_proves_nothing(books: Books) -> None:
    """Where no contact was on file before, the first one that is written down afterwards is not called."""
    with books.begin() as connection:
        add_user(connection, CALLER, UserRole.OPERATOR, MAKER)
    change = ask(books)
    assert books.ask("SELECT recipient FROM notice") == [("",)]
    with books.begin() as connection:
        record_contact(connection, member_of(connection), OWNER, since=date(2024, 1, 1), on=MONDAY, actor=MAKER)
    with pytest.raises(NumberNotOnFileError, match="written down before"):
        call_back(books, change)
    assert state_of(books, change) == "asked"


def test_who_asked_does_not_call_back(house: Books) -> None:
    """Another person does, not before the request, once; and nobody calls about what a bank said."""
    change = ask(house)
    with pytest.raises(CallerIsAskerError):
        call_back(house, change, actor=MAKER)
    with pytest.raises(CallTooEarlyError):
        call_back(house, change, on=date(2026, 11, 13))
    with pytest.raises(ContactError, match="ten digits"):
        call_back(house, change, number="555-0100")
    call_back(house, change)
    with pytest.raises(CallBackDoneError):
        call_back(house, change, confirmed=False)
    with pytest.raises(UnknownChangeError):
        call_back(house, 99)


def test_a_denied_call_rejects_the_change_and_nothing_else(house: Books) -> None:
    """The approval is withdrawn, the case stays open as an attempt of fraud, the account in use stays."""
    change = ask(house)
    call_back(house, change, confirmed=False)
    assert state_of(house, change) == "rejected"
    with pytest.raises(DecidedOnceError):
        decide(house, change)
    (detail,) = house.ask("SELECT detail FROM exception_case WHERE state = 'open'")
    assert "fraud" in detail[0]
    house.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    assert house.pay(TUESDAY).total_cents == 500_00
    assert accounts_of_a(house) == [("0101", A.member_since, None)]
    with house.begin() as connection:
        close_matter(connection, change, "reported", CHECKER)
    assert house.cases() == {}
    with pytest.raises(NothingToCloseError), house.begin() as connection:
        close_matter(connection, change, "again", CHECKER)


def test_without_a_call_back_nothing_is_approved(house: Books) -> None:
    """The second person is refused, the approval stays pending, and goes through once the member was called."""
    change = ask(house)
    with pytest.raises(CallBackMissingError, match="call-back"):
        decide(house, change)
    with pytest.raises(MakerIsCheckerError):
        decide(house, change, actor=MAKER)
    call_back(house, change)
    decide(house, change)
    assert state_of(house, change) == "approved"
    assert house.cases() == {}


def test_a_rejected_change_is_done(house: Books) -> None:
    """Its reason is kept, and the same details may be asked anew."""
    change = ask(house)
    call_back(house, change)
    decide(house, change, approve=False)
    assert (state_of(house, change), house.cases()) == ("rejected", {})
    assert ask(house) == change + 1


@pytest.mark.parametrize("until", ["asked", "approved", "prenoted"])
def test_an_open_change_may_be_taken_back(house: Books, until: str) -> None:
    """Asked, approved or tried; then it is over, and its account never goes live. While open its case stays."""
    change = {"asked": ask, "approved": approved, "prenoted": prenoted}[until](house)
    with pytest.raises(ChangeStateError), house.begin() as connection:
        close_matter(connection, change, "it is seen to", CALLER)
    with house.begin() as connection:
        withdraw_change(connection, change, "the owner never asked", CALLER)
    assert (state_of(house, change), go_live(house, date(2026, 12, 31)), house.cases()) == ("withdrawn", [], {})
    with pytest.raises(ChangeStateError, match="withdrawn"), house.begin() as connection:
        withdraw_change(connection, change, "again", CALLER)
    with pytest.raises(ChangeStateError), house.begin() as connection:
        mark_prenoted(connection, change, WEDNESDAY, MAKER)


def test_who_called_back_does_not_approve(house: Books) -> None:
    """Who asks may have believed a forged letter: the call and the approval are two people's, or one thief suffices."""
    change = ask(house)
    call_back(house, change, actor=CHECKER)
    with pytest.raises(CallerApprovesError, match="who called back about change 1"):
        decide(house, change)
    assert state_of(house, change) == "asked"
    with house.begin() as connection:
        add_user(connection, "anna", UserRole.APPROVER, MAKER)
    decide(house, change, actor="anna")
    assert state_of(house, change) == "approved"


def test_a_contact_that_is_dated_back_is_refused(house: Books) -> None:
    """The bank has reported the 13th: a thief who writes his telephone down as of the 1st of September is refused.

    Else it would be the number of thirty days ago, to be called on the very day on which he asks for the money.
    """
    house.fund(remittance("T1", date(2026, 11, 13), Part(A, (5_00,))))
    thief = Contact(name="T", telephone="2125550199", email="t@example.com")
    day, refused = date(2026, 9, 1), pytest.raises(ContactFollowsError, match="from 2026-11-13 at the earliest")
    with house.begin() as connection, refused:
        record_contact(connection, member_of(connection), thief, since=day, on=day, actor=MAKER)
    change = ask(house)
    assert house.ask("SELECT call_back_number(:change)", change=change) == [(TELEPHONE,)]


def test_the_second_person_sees_who_wrote_the_contact_down(house: Books) -> None:
    """A first contact may be as old as the membership, whoever writes it: its writer and day stand in the approval."""
    ask(house)
    ((facts,),) = house.ask("SELECT facts FROM approval")
    ((day,),) = house.ask("SELECT (recorded_at AT TIME ZONE 'America/New_York')::date FROM member_contact")
    assert facts["contact_written_by"] == f"{MAKER}, {day}"


# A bank's own words --------------------------------------------------------------------------------------------------


def _notified(books: Books, change: int) -> None:
    """Write down the notification of change that asks for a change, as the bank's file brings it."""
    with books.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO ach_answer (file_id, line, kind, code, original_trace, answer_trace, amount_cents, received_on,
                                    text, treatment, asked_change_id)
            SELECT max(file_id), 1, 'change', 'C01', 91000010000001, 81000010000001, 0, :on, '', 'change', :change
            FROM received_file"""),
            {"on": MONDAY, "change": change},
        )


def test_a_banks_correction_takes_a_second_person_and_no_call(house: Books) -> None:
    """Usable on the day of its receipt, without cooling or prenote; nobody is called."""
    change = ask(house, source=ChangeSource.BANK, routing=A.routing)
    with pytest.raises(NoCallBackNeededError):
        call_back(house, change)
    _notified(house, change)
    decide(house, change)
    assert house.ask("SELECT state, cooling_until, usable_from FROM bank_account_change") == [
        ("approved", None, MONDAY)
    ]
    assert go_live(house, TUESDAY) == [change]
    assert accounts_of_a(house) == [("0101", A.member_since, MONDAY), ("7788", MONDAY, None)]
    assert [row.kind for row in house.ask("SELECT kind FROM notice ORDER BY notice_id")] == [
        "bank_details_asked",
        "bank_details_changed",
    ]


def test_nobody_speaks_for_a_bank(house: Books) -> None:
    """A change that says it is a bank's, with no notification of one on file, is not approved by anybody."""
    change = ask(house, source=ChangeSource.BANK)
    with pytest.raises(PayoutNotApprovedError, match="no notification"):
        decide(house, change)
    assert state_of(house, change) == "asked"


def test_a_new_account_begins_after_the_last_payment_into_the_old(house: Books) -> None:
    """A correction received on Monday and approved later does not rewrite where Tuesday's payment went.

    Released on Monday, effective Tuesday 2026-11-17, into the account ending in 0101: the other begins on Wednesday.
    """
    change = ask(house, source=ChangeSource.BANK, routing=A.routing)
    house.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    house.pay(MONDAY)
    _notified(house, change)
    decide(house, change)
    assert go_live(house, TUESDAY) == []
    assert go_live(house, WEDNESDAY) == [change]
    assert accounts_of_a(house)[1] == ("7788", WEDNESDAY, None)


# Prenotes ------------------------------------------------------------------------------------------------------------


def test_one_file_tries_all_approved_changes(house: Books) -> None:
    """Two approved changes, checking and savings: codes 23 and 33, nothing of money, settling the next banking day."""
    first = approved(house)
    with house.begin() as connection:
        record_contact(
            connection, member_of(connection, B.ncpdp_id), OWNER, since=B.member_since, on=MONDAY, actor=MAKER
        )
    with house.begin() as connection:
        request = request_for(member_of(connection, B.ncpdp_id), "12-AB-9", account_type=AccountType.SAVINGS)
        second = ask_change(connection, request, house.keyring, MAKER)
    call_back(house, second)
    decide(house, second)
    with house.begin() as connection:
        file, sent = send_prenotes(courier(house, connection), house.keyring, TUESDAY)
    assert file is not None
    assert [(each.change_id, each.settles_on, each.usable_from) for each in sent] == [
        (first, WEDNESDAY, USABLE),
        (second, WEDNESDAY, USABLE),
    ]
    (read,) = read_nacha(house.vault.open(file.sha256), file.name).files[0].batches
    assert [(entry.transaction_code, entry.account_number.strip(), entry.amount_cents) for entry in read.entries] == [
        ("23", NEW_NUMBER, 0),
        ("33", "12-AB-9", 0),
    ]
    with house.begin() as connection:
        assert send_prenotes(courier(house, connection), house.keyring, WEDNESDAY) == (None, [])


def test_a_prenote_that_comes_back_fails_the_change(house: Books) -> None:
    """The account in use stays, a person is told, and other details may be asked for."""
    change = prenoted(house)
    with house.begin() as connection:
        prenote_failed(connection, change, "R03", MAKER, on=FRIDAY)
        prenote_failed(connection, change, "R03", MAKER, on=FRIDAY)
    assert (state_of(house, change), go_live(house, date(2026, 12, 31))) == ("failed", [])
    assert set(house.cases()) == {("prenote_failed", f"change {change}")}
    assert accounts_of_a(house) == [("0101", A.member_since, None)]
    assert ask(house, "999000111") == change + 1


def test_a_prenote_that_comes_back_late_stops_the_account(house: Books) -> None:
    """The account is live already: it is stopped, so that the next payment waits."""
    change = prenoted(house)
    go_live(house, USABLE)
    with house.begin() as connection:
        prenote_failed(connection, change, "R04", MAKER, on=date(2026, 11, 24))
    assert state_of(house, change) == "live"
    assert house.ask(
        "SELECT b.last_four, s.reason FROM bank_account_stop s JOIN bank_account b USING (bank_account_id)"
    ) == [("7788", "R04 to its prenote")]


def test_a_prenote_that_was_not_sent_counts_for_nothing(house: Books) -> None:
    """Without an entry in a file for the bank the database lets no change be tried, on that day or another."""
    change = approved(house)
    with pytest.raises(DecidedOnceError, match="no prenote"), house.begin() as connection:
        mark_prenoted(connection, change, WEDNESDAY, MAKER)
    with house.begin() as connection:
        send_prenote(house, connection, change, WEDNESDAY)
    with pytest.raises(DecidedOnceError, match="no prenote"), house.begin() as connection:
        mark_prenoted(connection, change, TUESDAY, MAKER)


# Stops ---------------------------------------------------------------------------------------------------------------


def test_a_stopped_account_waits_for_an_approver(house: Books) -> None:
    """A second stop changes nothing; an operator can not lift it; an approver does with a reason, once."""
    account = house.ask("SELECT bank_account_id FROM bank_account WHERE last_four = '0101'")[0][0]
    with house.begin() as connection:
        assert stop_account(connection, account, "R02", on=MONDAY, actor=CALLER)
        assert not stop_account(connection, account, "closed", on=TUESDAY, actor=CALLER)
    with pytest.raises(RoleMissingError), house.begin() as connection:
        lift_stop(connection, account, "they say it is open", CALLER)
    with house.begin() as connection:
        lift_stop(connection, account, "its bank says that it is open", CHECKER)
    with pytest.raises(NotStoppedError), house.begin() as connection:
        lift_stop(connection, account, "again", CHECKER)
    with house.begin() as connection:
        assert stop_account(connection, account, "R02", on=FRIDAY, actor=CALLER)
    rows = house.ask("SELECT reason, lifted_by FROM bank_account_stop ORDER BY stopped_at")
    assert [tuple(row) for row in rows] == [("R02", CHECKER), ("R02", None)]


# Two at once ---------------------------------------------------------------------------------------------------------


def test_two_who_let_accounts_go_live_at_once_do_it_once(house: Books) -> None:
    """Of four at the same moment one does, the others find nothing left; there is one new account and one letter."""
    change = prenoted(house)
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: go_live(house, USABLE), range(4))) == [[], [], [], [change]]
    assert len(accounts_of_a(house)) == 2
    assert house.ask("SELECT count(*) FROM notice WHERE kind = 'bank_details_changed'") == [(1,)]


@pytest.mark.parametrize("number", range(5))
def test_of_a_decision_and_a_withdrawal_at_once_one_is_first(house: Books, number: int) -> None:
    """Approving, withdrawing and denying at the same moment: each waits for the other, and the change ends in one."""
    assert number >= 0
    change = ask(house)
    call_back(house, change)

    def approve() -> None:
        with suppress(ChangeStateError, DecidedOnceError):
            decide(house, change)

    def withdraw() -> None:
        with suppress(ChangeStateError), house.begin() as connection:
            withdraw_change(connection, change, "no", CALLER)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(each) for each in (approve, withdraw, approve, withdraw)]:
            done.result()
    (approval,) = house.ask("SELECT state FROM approval")[0]
    assert (state_of(house, change), approval) in {("withdrawn", "withdrawn"), ("withdrawn", "approved")}
    assert house.cases() == {}
