"""The register of fees, and the invoices for what stays open."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Engine, event, text

from app.database import unit_of_work
from ledger.errors import FeeNotDueError, JournalAppendOnlyError
from payouts.fees.errors import FeeOrderError
from payouts.fees.invoices import issue_invoices, list_invoices
from payouts.fees.register import register, register_csv
from payouts.people.notices import NoticeKind
from tests.support.books import MAKER, Books, roster_row
from tests.support.fees import (
    MONDAY,
    NOVEMBER,
    OCTOBER,
    TUESDAY,
    assess_fees,
    collect,
    import_rows,
    leave,
)
from tests.support.trade import A, B, C, Part, pharmacy, remittance

# The register -------------------------------------------------------------------------------------------------------


def test_the_register_holds_fees_against_contracts(books: Books) -> None:
    """Due, assessed, waived, collected, refunded and open of A, B and C in November; none differs; the totals foot."""
    collect(books, A)
    books.refund(A, NOVEMBER, 20_00, on=TUESDAY)
    books.waive(B, NOVEMBER, 50_00, on=TUESDAY)
    with books.begin() as connection:
        made = register(connection, NOVEMBER, NOVEMBER)
    assert {row.ncpdp_id: tuple(row.model_dump().values())[:9] for row in made.rows} == {
        A.ncpdp_id: (200_00, 200_00, 0, 200_00, 200_00, 20_00, 0, 0, 0),
        B.ncpdp_id: (200_00, 200_00, 50_00, 0, 0, 0, 0, 150_00, 0),
        C.ncpdp_id: (200_00, 200_00, 0, 0, 0, 0, 0, 200_00, 0),
    }
    assert tuple(made.totals.model_dump().values()) == (600_00, 600_00, 50_00, 200_00, 200_00, 20_00, 0, 350_00, 0)
    lines = register_csv(made).splitlines()
    assert lines[0] == (
        "month,ncpdp_id,member_id,contract,monthly_fee,proration,contract_from,contract_until,"
        "due,assessed,waived,collected,swept,refunded,invoiced,open,difference,invoice,why"
    )
    terms = f"{made.rows[0].contract_id},200.00,none,2024-01-01,"
    sums = "200.00,200.00,0.00,200.00,200.00,20.00,0.00,0.00,0.00"
    assert lines[1] == f"2026-11,{A.ncpdp_id},{books.member(A)},{terms},{sums},,"
    assert lines[-1] == "total,,,,,,,,600.00,600.00,50.00,200.00,200.00,20.00,0.00,350.00,0.00,,"


def test_who_was_not_assessed_is_in_the_register(books: Books) -> None:
    """A member that joined after the assessment differs by its whole fee, until it is assessed."""
    assess_fees(books)
    late = pharmacy(104, fee_cents=150_00, since=date(2026, 11, 20))
    import_rows(books, roster_row(late))
    with books.begin() as connection:
        assert register(connection, NOVEMBER, NOVEMBER).totals.difference_cents == -150_00
    assess_fees(books)
    with books.begin() as connection:
        assert register(connection, NOVEMBER, NOVEMBER).totals.difference_cents == 0


def test_an_exit_leaves_no_difference(books: Books) -> None:
    """What the contract no longer asks was waived: due nothing, assessed 200.00, waived 200.00, difference nothing."""
    assess_fees(books)
    leave(books, A, "2026-11-10")
    with books.begin() as connection:
        (row,) = register(connection, NOVEMBER, NOVEMBER, books.member(A)).rows
    assert (row.due_cents, row.assessed_cents, row.waived_cents, row.open_cents, row.difference_cents) == (
        0,
        200_00,
        200_00,
        0,
        0,
    )


def test_months_run_forwards(books: Books) -> None:
    """A register from November to October is none."""
    with pytest.raises(FeeOrderError), books.begin() as connection:
        register(connection, NOVEMBER, OCTOBER)


# Invoices -----------------------------------------------------------------------------------------------------------


def _invoice(books: Books, day: date, **words: int) -> list[tuple[str, int, int | None]]:
    with books.begin() as connection:
        found = issue_invoices(connection, day, MAKER, **words)
    numbers = [None if each.invoice is None else each.invoice.invoice_number for each in found]
    return [(each.ncpdp_id, each.open_cents, number) for each, number in zip(found, numbers, strict=True)]


def test_a_month_open_for_long_is_invoiced_once(books: Books) -> None:
    """45 days after the first of October nothing, on the 46th one invoice each; again only with another month."""
    assess_fees(books, OCTOBER)
    assert _invoice(books, date(2026, 11, 15)) == []
    stores = (A, B, C)
    issued = [(store.ncpdp_id, 200_00, number) for number, store in enumerate(stores, 1)]
    assert _invoice(books, date(2026, 11, 16)) == issued
    assert _invoice(books, date(2026, 11, 17)) == [(store.ncpdp_id, 200_00, None) for store in stores]
    assert books.cases() == {("fee_unpaid", store.ncpdp_id): 200_00 for store in stores}
    assess_fees(books, NOVEMBER)
    assert _invoice(books, date(2026, 12, 1)) == [(store.ncpdp_id, 400_00, n) for n, store in enumerate(stores, 4)]
    with books.begin() as connection:
        invoices = list_invoices(connection, books.member(A))
    assert [(each.invoice_number, each.total_cents, len(each.lines)) for each in invoices] == [
        (1, 200_00, 1),
        (4, 400_00, 2),
    ]
    assert (invoices[0].issued_on, invoices[0].due_on) == (date(2026, 11, 16), date(2026, 12, 16))
    notices = books.ask("SELECT kind, subject, body FROM notice ORDER BY notice_id")
    assert len(notices) == 6
    assert (notices[3].kind, notices[3].subject) == (NoticeKind.FEE_INVOICED, "Invoice 4 for your monthly fee")
    assert "2026-10  200.00\n2026-11  200.00\nPlease send 400.00 by 2026-12-31" in notices[3].body


def test_many_members_are_invoiced_in_as_many_statements_as_one(books: Books) -> None:
    """One invoice in October for the only one who is late, three in November: the same number of statements."""
    assess_fees(books, OCTOBER)
    for store in (B, C):
        books.waive(store, OCTOBER, 200_00, on=MONDAY)
    asked: list[str] = []
    event.listen(books.engine, "before_cursor_execute", lambda _c, _cursor, said, *_: asked.append(said))
    assert len(_invoice(books, date(2026, 11, 16))) == 1
    alone = len(asked)
    assess_fees(books, NOVEMBER)
    asked.clear()
    assert [number for _, _, number in _invoice(books, date(2026, 12, 31))] == [2, 3, 4]
    assert len(asked) == alone


def test_who_pays_some_of_it_is_not_invoiced(books: Books) -> None:
    """A, from whom October was collected in November, has a balance now and then: its November waits for the next."""
    assess_fees(books, OCTOBER)
    assess_fees(books, NOVEMBER)
    books.fund(remittance("T1", MONDAY, Part(A, (300_00,))))
    books.pay(TUESDAY)
    assert [name for name, _, _ in _invoice(books, date(2026, 12, 20))] == [B.ncpdp_id, C.ncpdp_id]


def test_a_case_ends_when_nothing_is_open(books: Books) -> None:
    """Waived or collected, the member's fee is unpaid no more."""
    assess_fees(books, OCTOBER)
    _invoice(books, date(2026, 12, 1))
    books.waive(B, OCTOBER, 200_00, on=date(2026, 12, 1))
    assert ("fee_unpaid", B.ncpdp_id) not in books.cases()
    books.fund(remittance("T1", date(2026, 12, 1), Part(A, (300_00,))))
    books.pay(date(2026, 12, 2))
    assert books.cases() == {("fee_unpaid", C.ncpdp_id): 200_00}


@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        (
            "INSERT INTO fee_invoice SELECT 5, member_id, issued_on, due_on, 1, 'x', now(), 9 FROM fee_invoice LIMIT 1",
            "invoice_is_the_next",
        ),
        ("INSERT INTO fee_invoice_line VALUES (1, '2026-09-01', 5)", "invoice_foots"),
        ("UPDATE fee_invoice SET total_cents = 1", "journal_is_append_only"),
        ("DELETE FROM fee_invoice_line", "journal_is_append_only"),
    ],
)
def test_an_invoice_is_numbered_and_stays(books: Books, owner: Engine, harm: str, rule: str) -> None:
    """No gap in the numbers, no other line, no change: refused for the owner of the tables too."""
    assess_fees(books, OCTOBER)
    with books.begin() as connection:
        issue_invoices(connection, date(2026, 12, 1), MAKER)
    with pytest.raises((FeeNotDueError, JournalAppendOnlyError), match=rule), unit_of_work(owner) as connection:
        connection.execute(text(harm))


def test_invoices_at_once_have_no_gap(books: Books) -> None:
    """Two runs at the same moment issue each member's invoice once, numbered 1 to 3."""
    assess_fees(books, OCTOBER)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: _invoice(books, date(2026, 12, 1)), range(2)))
    with books.begin() as connection:
        assert [each.invoice_number for each in list_invoices(connection)] == [1, 2, 3]
