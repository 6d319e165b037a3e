"""An advice that gave way and came back across a month's end: each month has its money once."""

from datetime import date

from payouts.certificates.model import Parts
from payouts.certificates.reading import members_months, month_ends
from payouts.resolutions.frame import Action
from payouts.resolutions.undo import propose_reversal
from tests.support.bank import paid_in
from tests.support.books import MAKER, Books, x12_claim, x12_file, x12_head
from tests.support.clearing import approve, ask
from tests.support.trade import A, B

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def test_an_advice_put_back_after_the_months_end_is_funded_then(books: Books) -> None:
    """A's 990.00 give way to A 980.00 and B 20.00 in October, their money comes, and in November they stand again.

    The deposit was open all the time, and the first set of 26 October: matched on the 30th, when it was there, October
    closed with 990.00 available to A and -10.00 awaited, of a set that did not stand on that day.

    | closing | A available | A awaits | B awaits |
    | --- | --- | --- | --- |
    | October: 990.00 at the bank are nobody's yet | 0 | 980.00 | 20.00 |
    | November: put back on the 3rd, and matched | 990.00 | 0 | 0 |
    """
    day = "20261026"
    first = x12_head("T1", "990.00", day=day) + x12_claim("1", "990.00", npi=A.npi, filled="20261001")
    other = x12_head("T1", "1000.00", day=day) + x12_claim("1", "980.00", npi=A.npi, filled="20261001")
    other += x12_claim("2", "20.00", npi=B.npi, filled="20261001")
    assert books.receive(x12_file(first), "first.835").status == "accepted"
    assert books.receive(x12_file(other, control_number=8), "other.835").status == "conflict"
    approve(books, ask(books, "set_conflict", Action.REPLACE, day=date(2026, 10, 27)))
    books.book(date(2026, 10, 30), paid_in("T1", 990_00))
    assert books.match().funded == ()
    october = _parts(books, OCTOBER)
    assert october == [
        Parts(available=0, awaiting_payer=980_00, held=0),
        Parts(available=0, awaiting_payer=20_00, held=0),
    ]
    _put_back(books, date(2026, 11, 3))
    assert len(books.match().funded) == 1
    assert _parts(books, OCTOBER) == october
    assert _parts(books, NOVEMBER) == [
        Parts(available=990_00, awaiting_payer=0, held=0),
        Parts(available=0, awaiting_payer=0, held=0),
    ]
    books.prove()


def _parts(books: Books, month: date) -> list[Parts]:
    """Give what A and B are owed at a month's end, by the parts of their certificates."""
    with books.begin() as connection:
        read = list(members_months(connection, None, *month_ends(month, month)))
    assert [each.faults for each in read if each.faults] == []
    found = {each.member.ncpdp_id: each.figures for each in read}
    return [found[store.ncpdp_id].closing_parts_cents for store in (A, B)]


def _put_back(books: Books, day: date) -> None:
    (row,) = books.ask("SELECT max(transaction_id) AS number FROM journal_transaction WHERE event = 'advised'")
    with books.begin() as connection:
        approval_id = propose_reversal(connection, row.number, day, "it was wrong", MAKER)
    approve(books, approval_id)
