"""A member's statement: it foots, it shows every payer's words, and what was kept is the fee and nothing else."""

import csv
import io
import json
from datetime import date, datetime, time

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, event, text

from app.database import unit_of_work
from app.demo.pharmacies import Pharmacy
from ledger.balances import trial_balance
from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.decided import payer_debited
from ledger.errors import ReversalError
from ledger.events import payout_returned
from ledger.posting import reverse
from payouts.fees.assessment import assess
from payouts.papers.sender import Sender
from payouts.people.approvals import ApprovalKind, propose
from payouts.statements.errors import PayerUnknownError
from payouts.statements.model import Statement
from payouts.statements.reading import RECENT, statement, statements
from payouts.statements.rows import statement_csv
from payouts.statements.workbook import dollars, statement_xlsx
from payouts.statements.years import write_years, years
from schemas.errors import WrongUseError
from schemas.money import cents_from_text, text_from_cents
from tests.support.bank import paid_out, sent_back
from tests.support.books import MAKER, Books
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))
NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)


def _made(
    books: Books, store: Pharmacy = A, from_on: date = NOVEMBER, to_on: date = LAST, payer_id: str | None = None
) -> Statement:
    member = books.member(store)
    with books.begin() as connection:
        return statement(connection, member, from_on, to_on, payer_id)


def _reverse(books: Books, event: str) -> None:
    query = "SELECT max(transaction_id) FROM journal_transaction WHERE event::text = :event"
    transaction_id = books.ask(query, event=event)[0][0]
    with books.begin() as connection:
        reverse(connection, transaction_id, fact_key=f"r:{event}", fact_on=THURSDAY, actor=MAKER, reason="by mistake")


def _a_month(books: Books) -> None:
    """Two payers, an adjustment, the fee, a payout, and an advice that is not paid yet."""
    taken = Part(A, (600_00, 400_00), (("WO", 50_00), ("CS", -1_00)))
    books.fund(remittance("T1", MONDAY, taken, Part(B, (1,))))
    with books.begin() as connection:
        assess(connection, NOVEMBER, MAKER)
    books.pay(TUESDAY)
    books.remit(remittance("T2", WEDNESDAY, Part(A, (30_00,)), payer=OTHER_PAYER))


def test_a_statement_lists_everything_and_foots(books: Books) -> None:
    """Advices by payer, adjustments, fee, payout: opening and movements are the closing balance and its parts."""
    _a_month(books)
    made = _made(books)
    assert (made.opening_cents, made.closing_cents) == (0, 30_00)
    assert [(each.trace_number, each.payer_id, each.amount_cents) for each in made.advices] == [
        ("T1", PAYER.payer_id, 951_00),
        ("T2", OTHER_PAYER.payer_id, 30_00),
    ]
    assert [(each.event, each.amount_cents) for each in made.movements] == [
        ("fee_collected", -200_00),
        ("payout_released", -751_00),
    ]
    assert (made.available_cents, made.awaiting_payer_cents, made.held_cents) == (0, 30_00, 0)
    assert [(each.amount_cents, each.effective_date) for each in made.payouts] == [(751_00, WEDNESDAY)]
    assert made.retained_cents == 200_00


def test_adjustments_are_the_payers(books: Books) -> None:
    """A PLB says who took or gave, under its reason: not us."""
    _a_month(books)
    first = _made(books).advices[0]
    assert (first.claim_count, first.claims_cents) == (2, 1_000_00)
    assert [(each.amount_cents, each.label) for each in first.adjustments] == [
        (-50_00, f"taken by payer {PAYER.name}, not by us: overpayment recovered (WO)"),
        (1_00, f"given by payer {PAYER.name}, not by us: adjustment (CS)"),
    ]


def test_statements_of_any_two_days_join(books: Books) -> None:
    """The closing balance of one range is the opening balance of the next."""
    _a_month(books)
    whole = _made(books)
    for day in (date(2026, 11, 15), MONDAY, TUESDAY, WEDNESDAY):
        before = _made(books, to_on=day)
        after = _made(books, from_on=date.fromordinal(day.toordinal() + 1))
        assert before.closing_cents == after.opening_cents
        assert after.closing_cents == whole.closing_cents
        assert len(before.advices) + len(after.advices) == len(whole.advices)
        assert before.retained_cents + after.retained_cents == 200_00


def test_an_advice_that_the_payer_took_whole_is_shown(books: Books) -> None:
    """Claims of 10.00 and an adjustment of 10.00 leave nothing to post, and everything to see."""
    books.fund(remittance("T1", MONDAY, Part(A, (10_00,), (("WO", 10_00),)), Part(B, (5,))))
    books.remit(remittance("Z1", TUESDAY, Part(A, (7_00,), (("WO", 7_00),))))
    made = _made(books)
    assert [(each.date, each.claims_cents, each.adjustments[0].amount_cents) for each in made.advices] == [
        (MONDAY, 10_00, -10_00),
        (TUESDAY, 7_00, -7_00),
    ]
    assert made.closing_cents == 0
    assert _made(books, from_on=TUESDAY).advices[0].trace_number == "Z1"


def test_a_reversed_fee_is_not_retained(books: Books) -> None:
    """What is kept is net of reversals, and the reversal says what it turns."""
    _a_month(books)
    _reverse(books, "fee_swept")
    _reverse(books, "fee_collected")
    made = _made(books)
    assert made.retained_cents == 0
    assert made.movements[-1].description == "reversal: flat monthly fee (by mistake)"
    assert made.closing_cents == 230_00


def test_a_payout_is_not_turned_under_a_statement(books: Books) -> None:
    """A release that left is never reversed: the statement goes on to say that it was paid."""
    _a_month(books)
    with pytest.raises(ReversalError, match="payout_released can not be turned"):
        _reverse(books, "payout_released")
    made = _made(books)
    assert [each.amount_cents for each in made.movements] == [-200_00, -751_00]
    assert made.available_cents == 0


def test_a_reversed_advice_is_shown_with_its_reversal(books: Books) -> None:
    """The advice stays, its reversal stands below it, and nothing is awaited any more."""
    books.remit(remittance("T1", MONDAY, Part(A, (30_00,))))
    _reverse(books, "advised")
    made = _made(books)
    assert [each.amount_cents for each in made.advices] == [30_00]
    assert [(each.description, each.amount_cents) for each in made.movements] == [
        ("reversal: advised by the payer (by mistake)", -30_00)
    ]
    assert made.awaiting_payer_cents == 0


def test_a_returned_payout_is_held(books: Books) -> None:
    """What the bank sent back is owed again, on a hold."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    books.pay(TUESDAY)
    books.book(WEDNESDAY, paid_out("OUT", 500))
    books.settle()
    books.book(THURSDAY, sent_back("BACK", 500))
    line_id = books.ask("SELECT max(bank_line_id) FROM bank_line")[0][0]
    books.post(payout_returned("returned", THURSDAY, books.member(A), 500, line_id))
    made = _made(books)
    assert (made.held_cents, made.closing_cents) == (500, 500)
    assert made.movements[-1].description == "payout returned by the bank, held"


def test_payments_stand_where_the_ledger_has_them(books: Books, owner: Engine) -> None:
    """A cycle of a day whose month was closed meanwhile is posted in the next: there its payment is listed, too."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    cycle = books.approved(TUESDAY)
    with unit_of_work(owner) as connection:
        # Past the guard: a month that is not over is not closed.
        connection.execute(text("ALTER TABLE period DISABLE TRIGGER follows_its_records"))
        connection.execute(text("UPDATE period SET state = 'closed' WHERE month = '2026-11-01'"))
        connection.execute(text("ALTER TABLE period ENABLE TRIGGER follows_its_records"))
    books.release(cycle.cycle_id)
    november, december = _made(books), _made(books, from_on=date(2026, 12, 1), to_on=date(2026, 12, 31))
    assert (november.closing_cents, november.movements, november.payouts) == (500, (), ())
    assert [row.amount_cents for row in december.movements] == [-500]
    assert [(row.amount_cents, row.released_on) for row in december.payouts] == [(500, TUESDAY)]


def test_a_hold_moves_nothing_that_is_owed(books: Books) -> None:
    """Money on a hold is still owed: no movement, another part of the closing balance."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    legs = pair(books.member(A), Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), 200)
    books.post(Transaction(Event.HELD, "held", TUESDAY, tuple(legs), "in question"))
    made = _made(books)
    assert made.movements == ()
    assert (made.available_cents, made.held_cents, made.closing_cents) == (300, 200, 500)


def test_a_negative_member_owes(books: Books) -> None:
    """A balance below zero is shown as such; the advance that covers it is not the member's money."""
    books.put_in("OWN", 500, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (-300,)), Part(B, (300,))), day=TUESDAY)
    made = _made(books)
    assert (made.available_cents, made.closing_cents) == (-300, -300)
    assert made.retained_cents == 0


def test_csv_and_json_say_the_same(books: Books) -> None:
    """Every line with its running balance, which ends at the closing balance; JSON is the model."""
    _a_month(books)
    made = _made(books)
    rows = list(csv.DictReader(io.StringIO(statement_csv(made))))
    assert rows[0]["entry"] == "opening balance"
    assert sum(cents_from_text(row["amount"]) for row in rows if row["amount"]) == made.closing_cents
    assert cents_from_text(rows[-1]["balance"]) == cents_from_text(rows[-2]["balance"]) == made.closing_cents
    assert Statement.model_validate(json.loads(made.model_dump_json())) == made


def test_csv_holds_no_formula(books: Books) -> None:
    """A trace or payer's name that a spreadsheet would take for a formula is escaped."""
    books.remit(remittance("=1+1", MONDAY, Part(A, (5,))))
    assert ",'=1+1," in statement_csv(_made(books))


def test_a_range_ends_after_it_begins(books: Books) -> None:
    """The other way round is wrong use."""
    with pytest.raises(WrongUseError, match="before it begins"):
        _made(books, from_on=TUESDAY, to_on=MONDAY)


def test_an_idle_member_has_an_empty_statement(books: Books) -> None:
    """Nothing happened: zero, zero, nothing kept."""
    made = _made(books, B)
    assert (made.opening_cents, made.closing_cents, made.retained_cents, made.advices) == (0, 0, 0, ())


# The year, and payments at a glance ----------------------------------------------------------------------------------


def test_the_year_totals_what_the_statements_list(books: Books) -> None:
    """1,030.00 claimed, 49.00 taken by payers, 200.00 fee, 751.00 paid: 30.00 at the end, from nothing."""
    _a_month(books)
    year = _made(books, from_on=LAST).year
    assert (year.year, year.opening_cents, year.closing_cents) == (2026, 0, 30_00)
    assert {name: cents for name, cents in year.parts.items() if cents} == {
        "claims_cents": 1_030_00,
        "payer_taken_cents": -49_00,
        "fee_cents": -200_00,
        "paid_cents": -751_00,
    }


def test_a_year_opens_with_the_one_before(books: Books) -> None:
    """What is owed on 31 December opens the next year, whose parts begin at nothing."""
    _a_month(books)
    year = _made(books, from_on=date(2027, 1, 1), to_on=date(2027, 1, 31)).year
    assert (year.year, year.opening_cents, year.closing_cents) == (2027, 30_00, 30_00)
    assert set(year.parts.values()) == {0}


def test_a_reversed_advice_stands_apart_in_the_year(books: Books) -> None:
    """Its claims stay claimed, and the same is reversed: the year tells both."""
    books.remit(remittance("T1", MONDAY, Part(A, (30_00,), (("WO", 10_00),))))
    _reverse(books, "advised")
    year = _made(books).year
    told = (year.claims_cents, year.payer_taken_cents, year.advices_reversed_cents, year.closing_cents)
    assert told == (30_00, -10_00, -20_00, 0)


def test_the_last_payments_are_twelve_oldest_first(books: Books) -> None:
    """Thirteen payments in one cycle, one for each advice: the first is left out, the others stand in their order."""
    books.ask("UPDATE contract SET remittance_form = 'per_advice' RETURNING 1")
    books.fund(*(remittance(f"T{number:02}", MONDAY, Part(A, (number * 1_00,))) for number in range(1, 14)))
    books.pay(TUESDAY)
    made = _made(books)
    assert len(made.payouts) == 13
    assert RECENT == 12
    assert [each.amount_cents for each in made.recent_payouts] == [each.amount_cents for each in made.payouts][1:]
    assert {(each.business_date, each.effective_date, each.state) for each in made.recent_payouts} == {
        (TUESDAY, WEDNESDAY, "released")
    }
    assert _made(books, to_on=MONDAY).recent_payouts == ()


def test_an_advice_names_the_payment_that_told_it(books: Books) -> None:
    """An advice that was paid bears the trace number of that payment, one that waits bears none."""
    _a_month(books)
    made = _made(books)
    assert [each.paid_in for each in made.advices] == [made.payouts[0].trace_number, None]


# Who took it ---------------------------------------------------------------------------------------------------------


def test_every_deduction_says_who_took_it(books: Books) -> None:
    """The payer its adjustment, we the fee; a payout is taken by nobody, and what is given neither."""
    _a_month(books)
    made = _made(books)
    assert [each.taken_by for each in made.movements] == ["us: the flat fee", None]
    assert [each.taken_by for each in made.advices[0].adjustments] == [f"payer {PAYER.name}", None]


def test_what_is_reversed_says_whose_it_was(books: Books) -> None:
    """An advice taken back is its payer's doing, by name."""
    books.remit(remittance("T1", MONDAY, Part(A, (30_00,))))
    _reverse(books, "advised")
    assert [each.taken_by for each in _made(books).movements] == [f"payer {PAYER.name}"]


def test_what_a_payer_took_by_debit_bears_its_name(books: Books) -> None:
    """3.00 taken from the account by OTHER_PAYER, as two people decided: its name, and nothing is kept by us."""
    books.put_in("OWN", 5_00, MONDAY)
    facts = {"payer_id": OTHER_PAYER.payer_id, "payer": OTHER_PAYER.name}
    with books.begin() as connection:
        number = propose(connection, ApprovalKind.PAYER_DEBIT, "1", facts, MAKER)
    books.book(TUESDAY, paid_out("TAKE", 3_00))
    line_id = books.ask("SELECT max(bank_line_id) FROM bank_line")[0][0]
    takings = [(books.member(A), 3_00)]
    books.post(payer_debited(f"payer_debited:{number}", TUESDAY, line_id, takings, reason="overpaid"))
    made = _made(books)
    assert [(each.amount_cents, each.taken_by) for each in made.movements] == [(-3_00, f"payer {OTHER_PAYER.name}")]
    assert (made.year.payer_taken_cents, made.retained_cents) == (-3_00, 0)


# One payer -----------------------------------------------------------------------------------------------------------


def test_a_payers_statement_follows_its_advices_from_advised_to_funded(books: Books) -> None:
    """PAYER advised 951.00 and sent it; OTHER_PAYER advised 30.00 and still owes it: each foots by itself."""
    _a_month(books)
    first, other = _made(books, payer_id=PAYER.payer_id), _made(books, payer_id=OTHER_PAYER.payer_id)
    assert (first.payer_name, [each.trace_number for each in first.advices]) == (PAYER.name, ["T1"])
    assert [(each.event, each.amount_cents, each.taken_by) for each in first.movements] == [("funded", -951_00, None)]
    assert (first.opening_cents, first.closing_cents, first.awaiting_payer_cents) == (0, 0, 0)
    assert (other.closing_cents, other.awaiting_payer_cents, other.movements) == (30_00, 30_00, ())
    assert (first.available_cents, other.available_cents, first.retained_cents) == (0, 0, 0)
    # A payment is nobody's but the member's: it is listed whole where it told an advice of the payer.
    assert [each.amount_cents for each in first.payouts] == [751_00]
    assert other.payouts == ()


def test_payers_statements_are_what_is_awaited_in_the_combined_one(books: Books) -> None:
    """On any day the payers' closings sum to what the combined statement awaits, and their claims to its claims."""
    _a_month(books)
    for day in (MONDAY, TUESDAY, WEDNESDAY, LAST):
        whole = _made(books, to_on=day)
        parts = [_made(books, to_on=day, payer_id=each.payer_id) for each in (PAYER, OTHER_PAYER)]
        assert sum(part.closing_cents for part in parts) == whole.awaiting_payer_cents
        assert sum(part.claims_cents for part in parts) == whole.claims_cents
        assert sum(part.adjustments_cents for part in parts) == whole.adjustments_cents
        assert sum(part.year.claims_cents for part in parts) == whole.year.claims_cents


def test_nobodys_payer_is_refused(books: Books) -> None:
    """An id under which nobody ever remitted is wrong use."""
    with pytest.raises(PayerUnknownError, match="1000000009"):
        _made(books, payer_id="1000000009")


# Many at once --------------------------------------------------------------------------------------------------------


def test_many_statements_are_each_ones_own(books: Books) -> None:
    """Read together or one by one, in any order asked for, a member's statement is the same."""
    _a_month(books)
    ids = [books.member(store) for store in (C, A, B)]
    with books.begin() as connection:
        together = list(statements(connection, ids, NOVEMBER, LAST))
        everybody = list(statements(connection, None, NOVEMBER, LAST))
    assert together == [_made(books, store) for store in (C, A, B)]
    assert everybody == [_made(books, store) for store in sorted((A, B, C), key=lambda each: each.ncpdp_id)]


def test_many_statements_take_no_more_questions_than_one(books: Books) -> None:
    """The database is asked as often for three members as for one."""
    _a_month(books)
    asked: list[str] = []
    event.listen(books.engine, "before_cursor_execute", lambda *words: asked.append(words[2]))
    _ = _made(books)
    counts = []
    for ids in ([books.member(A)], [books.member(store) for store in (A, B, C)]):
        with books.begin() as connection:
            asked.clear()
            assert len(list(statements(connection, ids, NOVEMBER, LAST))) == len(ids)
            counts.append(len(asked))
    assert counts[0] == counts[1] <= 10


def test_everybody_is_who_the_range_says_anything_of(books: Books) -> None:
    """Before anyone was a member, and with nothing in the books, there is nobody."""
    with books.begin() as connection:
        assert list(statements(connection, None, date(2001, 1, 1), date(2001, 1, 31))) == []
    _a_month(books)
    with books.begin() as connection:
        found = [each.ncpdp_id for each in statements(connection, None, date(2001, 1, 1), date(2001, 1, 31))]
    # Who is owed something today is told of any day: its statement opens and closes with what stood then.
    assert found == [A.ncpdp_id]


# XLSX ----------------------------------------------------------------------------------------------------------------

_SENDER = Sender(name="EXAMPLE PHARMACY SERVICES")


def _book(made: Statement) -> dict[str, list[tuple[object, ...]]]:
    """Read a workbook back: the rows of each sheet."""
    book = load_workbook(io.BytesIO(statement_xlsx(made, _SENDER)))
    return {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}


def test_a_workbook_says_what_the_statement_says(books: Books) -> None:
    """Four sheets; each listing ends with its total, and they come from the opening to the closing balance."""
    _a_month(books)
    made = _made(books)
    book = _book(made)
    assert list(book) == ["Summary", "Advices", "Movements", "Payouts"]
    summary = {row[0]: row[1] for row in book["Summary"] if row[0]}
    assert (summary["NCPDP id"], summary["kept by us: the flat fee and nothing else"]) == (A.ncpdp_id, 200)
    assert (book["Advices"][-1][8], book["Movements"][-1][3], book["Payouts"][-1][3]) == (981, -951, 751)
    assert summary["closing balance"] == 30
    advice, *adjustments = book["Advices"][1:4]
    assert (advice[0], advice[1], advice[3], advice[5]) == (datetime.combine(MONDAY, time()), PAYER.payer_id, "T1", 2)
    assert [(row[7], row[8]) for row in adjustments] == [(f"payer {PAYER.name}", -50), (None, 1)]
    assert [row[2] for row in book["Movements"][1:3]] == ["us: the flat fee", None]


@pytest.mark.parametrize("cents", [1, -1, 10, 99, 100, 123_456_789_01, -999_999_999_999_99])
def test_money_in_a_workbook_is_written_digit_by_digit(cents: int) -> None:
    """A cell holds the cents as they are, two places after the point, whatever their size."""
    written = f"{dollars(cents):.16G}"
    assert written == text_from_cents(cents)


def test_a_workbook_is_the_same_bytes_again_and_runs_no_formula(books: Books) -> None:
    """Two writings are one; a trace that looks like a formula is text, and an id keeps its zeros."""
    books.remit(remittance("=1+1", MONDAY, Part(A, (5,))))
    made = _made(books)
    assert statement_xlsx(made, _SENDER) == statement_xlsx(made, _SENDER)
    book = load_workbook(io.BytesIO(statement_xlsx(made, _SENDER)))
    cell = book["Advices"]["D2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    assert book["Advices"]["I2"].number_format.startswith("#,##0.00")
    assert book["Advices"]["B2"].data_type == "s"


# The year of everybody -----------------------------------------------------------------------------------------------


def test_the_year_of_everybody_ties_to_the_trial_balance(books: Books) -> None:
    """A line a member; the totals of available, awaiting and held are those of the trial balance by account."""
    _a_month(books)
    with books.begin() as connection:
        text_out = io.StringIO()
        totals = write_years(years(connection, 2026), text_out)
        balances = trial_balance(connection, date(2026, 12, 31))
    rows = list(csv.DictReader(io.StringIO(text_out.getvalue())))
    assert [row["ncpdp_id"] for row in rows] == [*sorted(each.ncpdp_id for each in (A, B, C)), "total"]
    by_account = {
        account: -sum(row.balance_cents for row in balances if row.account == account and row.member_id is not None)
        for account in ("due_available", "due_unfunded", "held")
    }
    told = (totals["available_cents"], totals["awaiting_payer_cents"], totals["held_cents"])
    assert told == tuple(by_account.values()) == (0, 30_00, 0)
    last = rows[-1]
    assert cents_from_text(last["closing"]) == totals["closing_cents"] == 30_00
    for row in rows:
        parts = ("opening", "claims", "payer_taken", "fee", "paid", "advices_reversed", "returned", "levied")
        moved = sum(cents_from_text(row[name]) for name in (*parts, "unclaimed", "corrected", "other"))
        assert moved == cents_from_text(row["closing"])


def test_the_years_lines_are_the_statements_years(books: Books) -> None:
    """A member's line says what its statement to 31 December says."""
    _a_month(books)
    with books.begin() as connection:
        lines = {each.member_id: each for each in years(connection, 2026)}
    for store in (A, B, C):
        made = _made(books, store, to_on=date(2026, 12, 31))
        line = lines[made.member_id]
        assert line.totals == made.year
        assert (line.available_cents, line.awaiting_payer_cents) == (made.available_cents, made.awaiting_payer_cents)
