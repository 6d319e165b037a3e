"""The forward-balance register: what payers carry forward comes back to zero, and what has not is open."""

from dataclasses import replace
from datetime import date

from app.demo.remittance import PlbPair
from ingest.forward_balances import ForwardBalance, forward_balances
from tests.support.books import Books
from tests.support.trade import OTHER_PAYER, STRANGER, A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))


def _register(books: Books, *, as_of: date | None = None, only_open: bool = False) -> list[ForwardBalance]:
    with books.begin() as connection:
        return forward_balances(connection, as_of=as_of, today=THURSDAY, only_open=only_open)


def _carry(books: Books, trace: str, day: date, cents: int, part: int = 1_000_00) -> None:
    """Take in a set in which A is adjusted by a forward balance: negative is carried, positive taken."""
    books.remit(remittance(trace, day, Part(A, (part,), (("FB", cents),))))


def test_what_is_carried_and_taken_is_zero_again(books: Books) -> None:
    """Carried on Monday, taken in two payments under other references: open until the last cent."""
    _carry(books, "T1", MONDAY, -300_00)
    (opened,) = _register(books, only_open=True)
    assert (opened.ncpdp_id, opened.open_cents, opened.open_since, opened.age_days) == (A.ncpdp_id, 300_00, MONDAY, 3)
    _carry(books, "T2", TUESDAY, 299_99)
    assert [each.open_cents for each in _register(books, only_open=True)] == [1]
    _carry(books, "T3", WEDNESDAY, 1)
    assert _register(books, only_open=True) == []
    (closed,) = _register(books)
    assert (closed.open_cents, closed.open_since, closed.age_days) == (0, None, None)
    assert [(each.reference, each.carried_cents, each.taken_cents, each.open_cents) for each in closed.references] == [
        ("T10", 300_00, 0, 300_00),
        ("T20", 0, 299_99, -299_99),
        ("T30", 0, 1, -1),
    ]


def test_one_reference_stands_in_one_row(books: Books) -> None:
    """A reference that the payer repeats has one row, with the days and advices of all its amounts."""
    for trace, day, cents in (("T1", MONDAY, -5_00), ("T2", WEDNESDAY, 3_00)):
        laid_out = remittance(trace, day, Part(A, (10_00,), (("FB", cents),)))
        pair = PlbPair("FB", "SAME", cents)
        books.remit(replace(laid_out, adjustments=(replace(laid_out.adjustments[0], pairs=(pair,)),)))
    (found,) = _register(books)
    (row,) = found.references
    assert (row.reference, row.carried_cents, row.taken_cents, row.open_cents) == ("SAME", 5_00, 3_00, 2_00)
    assert (row.first_on, row.last_on, row.advice_ids) == (MONDAY, WEDNESDAY, (1, 2))


def test_each_payer_and_payee_stands_alone(books: Books) -> None:
    """What one payer carries for A is not closed by what another takes, nor by what is taken from B."""
    _carry(books, "T1", MONDAY, -5_00)
    books.remit(remittance("T2", TUESDAY, Part(A, (10_00,), (("FB", 5_00),)), payer=OTHER_PAYER))
    books.remit(remittance("T3", TUESDAY, Part(B, (10_00,), (("FB", 5_00),))))
    found = [(each.payer_name, each.ncpdp_id, each.open_cents) for each in _register(books, only_open=True)]
    assert found == [
        ("HARROWGATE BENEFIT MANAGEMENT", A.ncpdp_id, 5_00),
        ("HARROWGATE BENEFIT MANAGEMENT", B.ncpdp_id, -5_00),
        ("TALLGRASS PHARMACY BENEFITS", A.ncpdp_id, -5_00),
    ]


def test_whoever_is_no_member_is_named_by_what_the_payer_says(books: Books) -> None:
    """A balance of an identifier that is no member's is kept under it."""
    books.remit(remittance("T1", MONDAY, Part(A, (10_00,)), Part(STRANGER, (10_00,), (("FB", -5_00),))))
    (found,) = _register(books)
    assert (found.ncpdp_id, found.identifier, found.is_network) == (None, f"NPI:{STRANGER.npi}", False)


def test_a_day_sees_what_was_there_then(books: Books) -> None:
    """As of a day only payments up to it count, and ages are that day's; the age begins anew after a zero."""
    _carry(books, "T1", MONDAY, -5_00)
    _carry(books, "T2", TUESDAY, 5_00)
    _carry(books, "T3", WEDNESDAY, -7_00)
    seen = {day: _register(books, as_of=day)[0] for day in (MONDAY, TUESDAY, THURSDAY)}
    assert {day: (each.open_cents, each.age_days) for day, each in seen.items()} == {
        MONDAY: (5_00, 0),
        TUESDAY: (0, None),
        THURSDAY: (7_00, 1),
    }
    assert seen[THURSDAY].open_since == WEDNESDAY
    assert _register(books, as_of=date(2026, 11, 15)) == []


def test_other_adjustments_and_replaced_advices_are_no_part(books: Books) -> None:
    """An overpayment recovered is none; and what was replaced never was."""
    books.remit(remittance("T1", MONDAY, Part(A, (10_00,), (("WO", 5_00),))))
    _carry(books, "T2", TUESDAY, -5_00)
    assert len(_register(books)) == 1
    with books.begin() as connection:
        connection.exec_driver_sql("UPDATE advice SET state = 'replaced' WHERE trace_number = 'T2'")
    assert _register(books) == []


def test_the_view_is_the_register_of_everything(books: Books) -> None:
    """Whoever asks by SQL sees the same amounts."""
    _carry(books, "T1", MONDAY, -5_00)
    _carry(books, "T2", TUESDAY, 2_00)
    rows = books.ask("SELECT reference, open_cents, total_cents, total_since FROM forward_balance ORDER BY first_on")
    assert [tuple(row) for row in rows] == [("T10", 5_00, 3_00, MONDAY), ("T20", -2_00, 3_00, MONDAY)]
