"""Registers over real books: their totals are the books', a tampered row breaks a tie, files are safe."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import make_url, text

from app.demo.simulator.rules import Return, Rules
from ingest.bank.bai2_writer import StatementLine
from payouts import decisions
from payouts.cycle.errors import LimitAmountError
from payouts.cycle.limits import LimitName, list_limits, propose_limit
from payouts.registers import payment_days
from payouts.registers.catalogue import REGISTERS, kind_of
from payouts.registers.forms import heading, register_csv, register_xlsx
from payouts.registers.model import Register, RegisterDaysError, Span, UnknownRegisterError
from payouts.registers.money_rows import PaymentDaysRow
from payouts.registers.reading import read_register
from payouts.resolutions.undo import propose_reversal
from tests.support.answers import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    OF_A,
    THURSDAY,
    WEDNESDAY,
    close,
    lift,
    other_account,
    pay,
    send,
)
from tests.support.bank import ACH_CREDIT
from tests.support.books import CHECKER, MAKER, Books
from tests.support.lives import kept
from tests.support.trade import A, B, C, Part, remittance

FIRST, LAST = date(2026, 11, 1), date(2026, 12, 31)
Tamper = Callable[..., None]


def read(books: Books, name: str, from_on: date = FIRST, to_on: date = LAST) -> Register:
    """Read a register of the days, or as of the last of them."""
    with books.begin() as connection:
        return read_register(connection, name, None if kind_of(name).span is Span.DAY else from_on, to_on)


@pytest.fixture
@kept
def lived(books: Books) -> Books:
    """Give books with payments, one of which came back, went to another account; a negative, a reversal, a debit."""
    pay(books, Rules(returns=[Return(code="R02", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    books.bank.rules = Rules()
    usable = other_account(books, A, NEXT_MONDAY)
    lift(books, 1, usable)
    send(books, usable)
    books.put_in("OWN1", 1_000_00, FRIDAY + timedelta(days=20))
    books.fund(remittance("NEG1", FRIDAY + timedelta(days=20), Part(B, (-120_00,)), Part(C, (150_00,))))
    return books


@pytest.fixture
def tamper(lived: Books, database_url: str) -> Tamper:
    """Give what changes rows as a superuser does, with triggers off."""
    del lived
    libpq = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)

    def change(*statements: str) -> None:
        with psycopg.connect(libpq, options="-c search_path=centralpay") as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                assert connection.execute(statement.encode()).rowcount != 0, statement

    return change


@pytest.mark.parametrize("name", REGISTERS)
def test_every_register_agrees_with_the_books(lived: Books, name: str) -> None:
    """After returns, a move to another account and a negative every total is the books'; sums are those of the rows."""
    made = read(lived, name)
    assert [tie for tie in made.ties if not tie.agrees] == []
    assert made.ties
    for column, total in made.totals.items():
        assert total == sum(getattr(row, column) or 0 for row in made.rows)


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_can_be_asked_for_any_days(lived: Books, name: str) -> None:
    """Day by day through the story, it agrees on each evening; before the books began it has no rows of money."""
    for days in range(0, 35, 3):
        made = read(lived, name, FIRST, MONDAY + timedelta(days=days))
        assert made.agrees, (days, made.ties)
    before = read(lived, name, date(2026, 1, 1), date(2026, 1, 31))
    assert before.agrees
    assert all(total == 0 for total in before.totals.values())


_TAMPERED = {
    "835": """UPDATE advice SET payment_cents = payment_cents + 1, claims_cents = claims_cents + 1,
              funded_cents = funded_cents + 1 WHERE trace_number = 'T1'""",
    "payouts": """UPDATE bank_line SET amount_cents = amount_cents - 1 WHERE bank_line_id =
                  (SELECT settled_by_bank_line FROM cycle WHERE cycle_id = 1)""",
    "outstanding": "UPDATE line SET owner_id = uuidv7() WHERE account = 'in_transit' AND event = 'payout_released'",
    "suspense": "UPDATE bank_line SET amount_cents = amount_cents - 1 WHERE amount_cents < 0",
    "negatives": "UPDATE line SET amount_cents = amount_cents + 1 WHERE account = 'advance_receivable'",
    "holds": "UPDATE line SET owner_id = uuidv7() WHERE account = 'held' AND event = 'payout_returned'",
    "corrections": "UPDATE line SET amount_cents = amount_cents + 1 WHERE event = 'reversed' AND amount_cents > 0",
    "approvals": "UPDATE cycle SET approval_id = NULL WHERE cycle_id = 1",
    "payment-days": """UPDATE line SET amount_cents = amount_cents + 1 WHERE account = 'due_available'
                       AND event = 'funded'""",
    "users": "UPDATE journal_transaction SET actor = 'ghost' WHERE transaction_id = 1",
    "bank-details": """UPDATE bank_account_change SET bank_account_id = uuidv7()""",
}


@pytest.mark.parametrize("name", REGISTERS)
def test_a_tampered_row_breaks_a_tie(lived: Books, tamper: Tamper, name: str) -> None:
    """A row behind each register changed as superuser: one of its totals no longer is what the books say."""
    if name == "corrections":
        reverse_the_float(lived)
        assert len(read(lived, name).rows) == 1
    assert read(lived, name).agrees
    tamper(_TAMPERED[name])
    made = read(lived, name)
    assert not made.agrees
    assert [tie.difference for tie in made.ties if not tie.agrees]


def reverse_the_float(books: Books) -> None:
    """Have two people turn a deposit of own money that nothing needs any more."""
    books.fund(remittance("POS1", LAST - timedelta(days=10), Part(B, (500_00,))))
    (row,) = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'float_deposited'")
    with books.begin() as connection:
        approval = propose_reversal(connection, row[0], LAST - timedelta(days=9), "a mistake", MAKER)
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def test_a_return_is_told_with_its_payout(lived: Books) -> None:
    """A's 700.00 came back by R02 on Friday and left again to the account that ends in the new number's digits."""
    made = read(lived, "payouts")
    rows = [row.model_dump() for row in made.rows]
    first = next(row for row in rows if row["state"] == "returned")
    assert (first["owner"], first["amount_cents"], first["return_code"]) == (A.ncpdp_id, 700_00, "R02")
    assert (first["settled_cents"], first["returned_cents"], first["outstanding_cents"]) == (700_00, 700_00, 0)
    again = rows[-1]
    assert (again["owner"], again["amount_cents"], again["account_last_four"]) == (A.ncpdp_id, 700_00, "0011")
    details = read(lived, "bank-details").rows[0].model_dump()
    assert (details["requested_by"], details["called_by"], details["approved_by"]) == (MAKER, "clara", CHECKER)
    assert (details["account_last_four"], details["paid_into_cents"]) == ("0011", 700_00)


def test_what_came_back_is_not_called_paid(lived: Books) -> None:
    """A's share left, was debited and came back on Friday: paid on Thursday, returned on Friday, and so since then."""
    said = {}
    for day in (THURSDAY, FRIDAY, LAST):
        made = read(lived, "payment-days", FIRST, day)
        rows = {row["owner"]: row for row in (each.model_dump() for each in made.rows) if row["ready_on"] <= THURSDAY}
        said[day] = (rows[A.ncpdp_id]["state"], rows[B.ncpdp_id]["state"], made.figures["returned"])
    assert said == {THURSDAY: ("paid", "paid", 0), FRIDAY: ("returned", "paid", 1), LAST: ("returned", "paid", 1)}


def test_maker_as_checker_is_counted(lived: Books, tamper: Tamper) -> None:
    """An approval whose decider is made its proposer, or is no approver, is counted where none may be."""
    tamper(
        "ALTER TABLE approval DROP CONSTRAINT maker_is_not_checker",
        "UPDATE approval SET decided_by = proposed_by WHERE approval_id = 1",
        "UPDATE approval SET decided_by = 'clara' WHERE approval_id = 2",
    )
    totals = {tie.what: tie.register_total for tie in read(lived, "approvals", FIRST, date(2099, 1, 1)).ties}
    assert totals["maker is checker: none"] == 1
    assert totals["decided by a person without the role: none"] == 1


def test_an_unmatched_deposit_ages(lived: Books) -> None:
    """The buckets hold their last day: 7, 30, 60, 90 days after the bank's day, and one more."""
    since = LAST + timedelta(days=31)
    lived.book(since, StatementLine(ACH_CREDIT, 5_00, "AGE1", "", "NOBODY KNOWS"))
    for days, column in ((7, "to_7"), (8, "to_30"), (30, "to_30"), (31, "to_60"), (60, "to_60"), (61, "to_90")):
        row = read(lived, "suspense", to_on=since + timedelta(days=days)).rows[-1].model_dump()
        assert (row["days"], row[f"{column}_cents"]) == (days, 5_00)
    over = read(lived, "suspense", to_on=since + timedelta(days=91)).rows[-1].model_dump()
    assert (over["over_90_cents"], over["to_90_cents"]) == (5_00, 0)


def test_a_cell_is_no_formula(lived: Books, tamper: Tamper) -> None:
    """A payer whose name begins with = is text in CSV and in the workbook, and amounts are plain dollars."""
    tamper("UPDATE advice SET payer_name = '=cmd|calc' WHERE trace_number = 'T1'")
    made = read(lived, "835")
    rows = list(csv.DictReader(io.StringIO(register_csv(made))))
    assert rows[0]["payer_name"] == "'=cmd|calc"
    assert rows[0]["payment"] == "1000.00"
    assert len(rows) == len(made.rows)
    content = register_xlsx(made)
    assert content == register_xlsx(made)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        words = book.read("xl/sharedStrings.xml").decode()
    assert "=cmd|calc" in words
    assert "<f>" not in sheet
    assert "<v>1000.00</v>" in sheet


@pytest.mark.parametrize("name", REGISTERS)
def test_the_columns_of_a_file_have_different_names(name: str) -> None:
    """In dollars and without the unit no two columns are called the same: programs read them by their names."""
    names = [heading(column) for column in REGISTERS[name].row.columns()]
    assert len(names) == len(set(names))
    assert set(REGISTERS[name].hidden) | set(REGISTERS[name].unsummed) <= set(REGISTERS[name].row.columns())


def test_what_is_no_register_is_refused(books: Books) -> None:
    """A name that is none, days for one of a day, none for one of days: wrong use, and it says what there is."""
    with books.begin() as connection:
        with pytest.raises(UnknownRegisterError, match="payment-days"):
            read_register(connection, "everything", FIRST, LAST)
        with pytest.raises(RegisterDaysError, match="as of a day"):
            read_register(connection, "holds", FIRST, LAST)
        with pytest.raises(RegisterDaysError, match="of days"):
            read_register(connection, "835", None, LAST)
        with pytest.raises(RegisterDaysError, match="no days"):
            read_register(connection, "835", LAST, FIRST)


def test_waiting_is_counted_from_fact_to_fact(books: Books, database_url: str) -> None:
    """November is closed when remittance and money of the 20th come: posted on 1 December, they wait since the 20th."""
    books.fund(remittance("EARLY", FRIDAY, Part(A, (1_00,))))
    _close_november(database_url)
    books.fund(remittance("LATE", FRIDAY, Part(A, (700_00,))))
    made = read(books, "payment-days", date(2026, 12, 1), date(2026, 12, 1))
    assert made.agrees
    (row,) = [row.model_dump() for row in made.rows]
    assert (row["trace_number"], row["ready_on"], row["banking_days"]) == ("LATE", FRIDAY, 6)


def _close_november(database_url: str) -> None:
    """Close the months up to November by a superuser's hand."""
    libpq = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, options="-c search_path=centralpay") as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE period SET state = 'closed' WHERE month <= '2026-11-01'")


def test_an_835_of_a_closed_month_is_the_next_ones(books: Books, database_url: str) -> None:
    """November is closed when an 835 of the 20th comes: it is December's alone, and November agrees as before.

    By its own date it was in November's register, too, where nothing had been advised of it.
    """
    books.fund(remittance("EARLY", FRIDAY, Part(A, (1_00,))))
    _close_november(database_url)
    books.remit(remittance("LATE", FRIDAY, Part(A, (700_00,))))
    for first, last, traces in ((FIRST, date(2026, 11, 30), ["EARLY"]), (date(2026, 12, 1), LAST, ["LATE"])):
        made = read(books, "835", first, last)
        assert made.agrees, made.ties
        assert [row.model_dump()["trace_number"] for row in made.rows] == traces


def test_what_is_dated_back_is_no_disagreement(books: Books) -> None:
    """B owes 300.00 since the 20th; on the 23rd 100.00 of the 18th come for it, and repay as much of it on their day.

    As of the 19th 100.00 were repaid before anything was lent: that is how it was posted, and no fault of the books. It
    was told as one on each evening from the 18th to the 19th.
    """
    books.put_in("OWN1", 1_000_00, MONDAY)
    books.fund(remittance("NEG1", FRIDAY, Part(B, (-300_00,)), Part(C, (400_00,))))
    books.fund(remittance("LATE", WEDNESDAY, Part(B, (100_00,))), day=WEDNESDAY)
    for day, closing in ((WEDNESDAY, -100_00), (THURSDAY, -100_00), (FRIDAY, 200_00), (LAST, 200_00)):
        made = read(books, "negatives", FIRST, day)
        assert made.agrees, made.ties
        assert made.totals["closing_cents"] == closing


def test_what_is_dated_back_of_who_was_never_lent_anything_is_none_either(books: Books) -> None:
    """A has 100.00 since the 20th when a set of the 18th takes 60.00: as of the 19th it owes 60.00, lent by nobody.

    Nothing had to be lent, for A had the money when that came. What was dated back was left out of members that were
    lent something once, and of no other: a month that was closed after such a set said NO in its package.
    """
    books.put_in("OWN1", 1_000_00, MONDAY)
    books.fund(remittance("T1", FRIDAY, Part(A, (100_00,))))
    books.fund(remittance("LATE", WEDNESDAY, Part(A, (-60_00,)), Part(C, (90_00,))), day=WEDNESDAY)
    for day in (WEDNESDAY, THURSDAY, FRIDAY, LAST):
        made = read(books, "negatives", FIRST, day)
        assert made.agrees, made.ties
        assert made.totals["closing_cents"] == 0


def test_money_matched_anew_waited_all_the_time(books: Books) -> None:
    """700.00 of Wednesday are matched, that is reversed on Friday and matched anew: they are there since Wednesday.

    The books have them once on each evening, and the register counts the days from the bank's day.
    """
    books.fund(remittance("T1", WEDNESDAY, Part(A, (700_00,))))
    (found,) = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'funded'")
    with books.begin() as connection:
        approval_id = propose_reversal(connection, found.transaction_id, FRIDAY, "a mistake", MAKER)
    with books.begin() as connection:
        decisions.decide(connection, approval_id, CHECKER, approve=True)
    assert len(books.match().funded) == 1
    for day in (WEDNESDAY, THURSDAY, FRIDAY):
        assert read(books, "outstanding", FIRST, day).totals["available_cents"] == 700_00
        assert read(books, "835", FIRST, day).totals["funded_cents"] == 700_00
    (row,) = [row.model_dump() for row in read(books, "payment-days").rows]
    assert (row["ready_on"], row["amount_cents"], row["state"]) == (WEDNESDAY, 700_00, "waits")


# Days of payment -----------------------------------------------------------------------------------------------------


def share(ready_on: date, settled_on: date | None, limit: int | None) -> PaymentDaysRow:
    """Give a share that was ready and debited on these days."""
    return PaymentDaysRow(
        owner="1400101", payer_name="P", trace_number="T", ready_on=ready_on, amount_cents=1, cycle_id=1,
        released_on=settled_on, settled_on=settled_on, state="paid" if settled_on else "waits", limit_days=limit,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ready_on", "settled_on", "limit", "days", "banking", "is_over"),
    [
        (date(2026, 11, 25), date(2026, 11, 27), 1, 2, 1, False),
        (date(2026, 11, 20), date(2026, 11, 23), 1, 3, 1, False),
        (date(2026, 11, 20), date(2026, 11, 24), 1, 4, 2, True),
        (date(2026, 11, 20), date(2026, 11, 20), 1, 0, 0, False),
        (date(2026, 11, 20), None, 5, 10, 5, False),
        (date(2026, 11, 19), None, 5, 11, 6, True),
        (date(2026, 11, 2), None, None, 28, 18, False),
    ],
    ids=["holiday", "weekend", "one over", "same day", "waits at the limit", "waits over it", "no limit"],
)
def test_banking_days_are_counted(
    *, ready_on: date, settled_on: date | None, limit: int | None, days: int, banking: int, is_over: bool
) -> None:
    """Neither weekends nor holidays count, nor the first day; what is not paid is counted up to the day asked for."""
    row = payment_days.counted(share(ready_on, settled_on, limit), date(2026, 11, 30))
    assert (row.days, row.banking_days, row.is_over) == (days, banking, is_over)


def test_the_distribution_is_by_nearest_rank() -> None:
    """Of ten payments of 1 to 10 banking days the median is the fifth, nine tenths the ninth; of none there is none."""
    days = [date(2026, 6, 1) + timedelta(days=number) for number in (1, 2, 3, 4, 7, 8, 9, 10, 11, 14)]
    rows = [payment_days.counted(share(date(2026, 6, 1), each, None), LAST) for each in days]
    figures = payment_days.distribution(rows)
    assert (figures["median_banking_days"], figures["p90_banking_days"], figures["most_banking_days"]) == (5, 9, 10)
    none = payment_days.distribution([])
    assert (none["median_banking_days"], none["limit"]) == (None, "no limit")


def test_the_limit_of_days_is_decided_by_two(books: Books) -> None:
    """It is of days and of no money, kept from its day on; the database holds that the two never mix."""
    with books.begin() as connection:
        for wrong in ({"cents": 5_00}, {"cents": None, "days": 0}, {"cents": None, "days": 366}):
            with pytest.raises(LimitAmountError):
                propose_limit(connection, LimitName.PAYMENT_DAYS, **wrong, since=FIRST, today=FIRST, actor=MAKER)
        with pytest.raises(LimitAmountError):
            propose_limit(connection, LimitName.ENTRY, None, FIRST, today=FIRST, actor=MAKER, days=5)
        asked = propose_limit(connection, LimitName.PAYMENT_DAYS, None, FIRST, today=FIRST, actor=MAKER, days=5)
    with books.begin() as connection:
        decisions.decide(connection, asked, CHECKER, approve=True)
        (limit,) = [each for each in list_limits(connection) if each.name is LimitName.PAYMENT_DAYS]
    assert (limit.days, limit.cents, limit.since, limit.set_by) == (5, None, FIRST, CHECKER)
    for wrong_row in ("('payment_days', '2026-12-01', 500, NULL, 'x')", "('entry', '2026-12-01', NULL, 5, 'x')"):
        with pytest.raises(Exception, match="limit_is_of_its_unit"), books.begin() as connection:
            connection.execute(text(_LIMIT + wrong_row))


_LIMIT = "INSERT INTO dated_limit (name, since, cents, days, set_by) VALUES "
