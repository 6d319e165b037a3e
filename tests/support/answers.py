"""A bank that answers: payouts sent to it, its days closed and taken in, accounts that members move to."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from app.demo.pharmacies import Pharmacy
from app.demo.simulator.answers import Answer, AnswerKind, write_answers
from app.demo.simulator.bank import Day
from app.demo.simulator.entries import SentEntry
from app.demo.simulator.rules import Pick, Rules
from ingest.directory import find_member
from ingest.receiving import FileVerdict
from ingest.roster import AccountType
from ledger.chart import Account
from payouts import decisions
from payouts.accounts.changes import ChangeRequest, ChangeSource, ask_change, record_call_back
from payouts.accounts.live import make_live
from payouts.accounts.prenotes import mark_prenoted
from payouts.answers.returns import Posted, post_returns
from payouts.answers.trail import AnswerRow, list_answers
from payouts.holding.lifts import ask_lift
from payouts.people.contacts import Contact, record_contact
from payouts.people.users import UserRole, add_user
from schemas.calendar import add_banking_days
from schemas.identifiers import AbaRouting
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 18, 19, 20))
NEXT_MONDAY, NEXT_TUESDAY, NEXT_WEDNESDAY = (date(2026, 11, day) for day in (23, 24, 25))
"""Thursday 26 is Thanksgiving."""
NEXT_FRIDAY = date(2026, 11, 27)
OF_A, OF_B = Pick(identification=A.ncpdp_id), Pick(identification=B.ncpdp_id)

CALLER, TELEPHONE = "clara", "3125550100"
OTHER_NUMBER = "8800990011"


def pay(books: Books, rules: Rules | None = None, *, a: int = 700_00, b: int = 300_00) -> tuple[SentEntry, ...]:
    """Fund A and B on Monday, release on Tuesday, and hand the file to the bank, which settles it on Wednesday."""
    books.bank.rules = rules or Rules()
    books.fund(remittance("T1", MONDAY, Part(A, (a,)), Part(B, (b,))))
    return send(books, TUESDAY)


def send(books: Books, day: date) -> tuple[SentEntry, ...]:
    """Pay what is available, and hand the file to the bank."""
    released = books.pay(day)
    assert released.nacha_file is not None
    (sent,) = books.bank.send(Path(released.nacha_file).read_bytes(), day)
    return sent.entries


def close(books: Books, *days: date) -> list[Day]:
    """Let the bank close days; take in their statements and answers, and sweep after each."""
    closed = []
    for day in days:
        done = books.bank.close(day)
        assert books.receive(done.bai2, "bank.bai").status == "accepted"
        for content in done.answers:
            assert books.receive(content, "answers.ach").status in {"accepted", "duplicate"}
        sweep(books)
        closed.append(done)
    return closed


def sweep(books: Books) -> list[Posted]:
    """Settle what was debited, then post the returns whose money is there."""
    books.settle()
    return post_returns(books.begin, MAKER)


def answers(books: Books, *, everything: bool = True) -> list[AnswerRow]:
    """Give the answers that were taken in."""
    with books.begin() as connection:
        return list_answers(connection, everything=everything)


def states(books: Books) -> list[str]:
    """Give the payouts' states in their order."""
    return [row[0] for row in books.ask("SELECT state FROM payout ORDER BY payout_id")]


def held(books: Books) -> dict[str, int]:
    """Give what is held for A and for B."""
    return {name: books.balance(store, Account.HELD) for name, store in (("A", A), ("B", B))}


def bring(books: Books, said: Sequence[Answer], day: date) -> FileVerdict:
    """Take in a file of these answers."""
    return books.receive(write_answers(said, day, file_of_day=0), "answers.ach")


def a_return(entry: SentEntry, code: str = "R03", *, number: int = 1, day: date = FRIDAY, note: str = "") -> Answer:
    """Return an entry."""
    trace = f"{entry.routing[:8]}{number:07d}"
    return Answer(kind=AnswerKind.RETURN, code=code, entry=entry, trace_number=trace, settled_on=day, text=note)


def decide(books: Books, approval_id: int, *, approve: bool = True) -> None:
    """Let the second person decide."""
    with books.begin() as connection:
        decisions.decide(connection, approval_id, CHECKER, approve=approve, reason=None if approve else "not so")


def lift(books: Books, hold_id: int, on: date) -> None:
    """Lift all that a hold keeps, by two people."""
    with books.begin() as connection:
        approval = ask_lift(connection, hold_id, None, "paid again", MAKER, on=on)
    decide(books, approval)


def approval_of(books: Books, change_id: int) -> int:
    """Give the approval of a change of bank details."""
    asked = "SELECT approval_id FROM bank_account_change WHERE change_id = :change_id"
    return int(books.ask(asked, change_id=change_id)[0][0])


def other_account(books: Books, store: Pharmacy, asked_on: date, number: str = OTHER_NUMBER) -> date:
    """Have a store move to another account, asked for, called back, approved, tried; give its first day."""
    _, usable = tried_account(books, store, asked_on, number)
    with books.begin() as connection:
        assert [each.since for each in make_live(connection, usable, MAKER)] == [usable]
    return usable


def tried_account(books: Books, store: Pharmacy, asked_on: date, number: str = OTHER_NUMBER) -> tuple[int, date]:
    """Have a store ask for another account, confirm it in a call-back, try it; give the change and its first day."""
    with books.begin() as connection:
        add_user(connection, CALLER, UserRole.OPERATOR, MAKER)
        member_id = find_member(connection, store.ncpdp_id)
        if not books.ask("SELECT FROM member_contact WHERE member_id = :member_id", member_id=member_id):
            contact = Contact(name="Ada Owner", telephone=TELEPHONE, email="ada@example.com", postal_address="")
            first = date(2024, 1, 1)
            record_contact(connection, member_id, contact, since=first, on=first, actor=MAKER)
    with books.begin() as connection:
        request = ChangeRequest(
            member_id=member_id,
            routing=AbaRouting.from_eight("09100002"),
            account_number=SecretStr(number),
            account_type=AccountType.CHECKING,
            source=ChangeSource.MEMBER,
            reason="the owner wrote",
            requested_on=asked_on,
        )
        change_id = ask_change(connection, request, books.keyring, MAKER)
    with books.begin() as connection:
        said = (connection, change_id, TELEPHONE, "Ada Owner", CALLER)
        record_call_back(*said, confirmed=True, called_on=asked_on)
    decide(books, approval_of(books, change_id))
    settles_on = add_banking_days(asked_on, 2)
    with books.begin() as connection:
        connection.execute(text(_PRENOTE), {"change_id": change_id, "on": settles_on, "first_trace": PRENOTE_TRACES})
        return change_id, mark_prenoted(connection, change_id, settles_on, MAKER)


PRENOTE_TRACES = 91000019000000
"""The trace number of a change's prenote is so much and the change's."""
_PRENOTE = """
    WITH sent AS (
        INSERT INTO ach_file (kind, business_date, effective_on, id_modifier, name, sha256, credit_cents, debit_cents,
                              entries, made_by)
        VALUES ('prenotes', CAST(:on AS date) - 1, :on, 'P', 'prenote ' || :change_id, sha256('x'), 0, 0, 1, 'mary')
        RETURNING ach_file_id)
    INSERT INTO ach_entry (trace_number, in_use, ach_file_id, kind, change_id, amount_cents)
    SELECT :first_trace + :change_id, daterange(:on, CAST(CAST(:on AS date) + interval '1 year' AS date)),
           ach_file_id, 'prenote', :change_id, 0 FROM sent"""
