"""Three months of three members, reckoned by hand with the worked amounts of the rules of posting."""

from datetime import date

import pytest

from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.decided import advance_written_off, member_corrected
from payouts.certificates.model import Figures, PopulationFigures
from payouts.certificates.population import population
from payouts.certificates.reading import members_months, month_ends
from payouts.fees.assessment import assess
from tests.support.bank import paid_out
from tests.support.books import MAKER, Books
from tests.support.trade import A, B, C, Part, remittance

OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))


@pytest.fixture
def lived(books: Books) -> Books:
    """Live through three months: all that can become of a member's money is in them."""
    books.put_in("OWN", 5_000_00, date(2026, 10, 5))
    _october(books)
    _november(books)
    _december(books)
    return books


def _october(books: Books) -> None:
    """A 10,000.00, B 2,700.00 less 200.00; B's fee is waived; both are paid."""
    day = date(2026, 10, 6)
    books.fund(remittance("T1", day, Part(A, (10_000_00,)), Part(B, (2_700_00,), (("WO", 200_00),))))
    _assess(books, OCTOBER)
    books.waive(B, OCTOBER, 200_00, on=day)
    books.pay(date(2026, 10, 7))
    books.book(date(2026, 10, 8), paid_out("O1", 9_800_00 + 2_500_00))
    books.settle()


def _november(books: Books) -> None:
    """A 2,000.00, of which 500.00 are levied and 300.00 a state's; B -3,000.00; of C's 1,700.00 100.00 are A's."""
    parts = Part(A, (2_000_00,)), Part(B, (100_00,), (("WO", 3_100_00),)), Part(C, (1_700_00,))
    books.fund(remittance("T2", date(2026, 11, 3), *parts))
    _assess(books, NOVEMBER)
    day = date(2026, 11, 4)
    for event, debit, credit, cents in (
        (Event.LEVIED, Account.DUE_AVAILABLE, Account.LEVIED, 500_00),
        (Event.HELD, Account.DUE_AVAILABLE, Account.HELD, 400_00),
        (Event.UNCLAIMED, Account.HELD, Account.UNCLAIMED, 300_00),
    ):
        lines = tuple(pair(books.member(A), Ledger.CUSTODY, (debit, None), (credit, None), cents))
        books.post(Transaction(event, event.value, day, lines, "by hand"))
    books.post(member_corrected("COR", day, books.member(C), books.member(A), 100_00, reason="claims of A"))
    books.pay(date(2026, 11, 6))


def _december(books: Books) -> None:
    """50.00 of A's fee are given back; B's debt is written off before 4,000.00 come for it."""
    books.refund(A, OCTOBER, 50_00, on=date(2026, 12, 2))
    books.post(advance_written_off("OFF", date(2026, 12, 3), books.member(B), 3_000_00, reason="gone"))
    books.fund(remittance("T3", date(2026, 12, 4), Part(B, (4_000_00,))))
    _assess(books, DECEMBER)


def _assess(books: Books, month: date) -> None:
    with books.begin() as connection:
        assess(connection, month, MAKER)


def _read(books: Books, month: date) -> tuple[dict[str, Figures], PopulationFigures]:
    span = month_ends(month, month)
    with books.begin() as connection:
        found = list(members_months(connection, None, *span))
        made, faults = population(connection, *span)
    assert [each.faults for each in found if each.faults] == []
    assert faults == ()
    return {each.member.ncpdp_id: each.figures for each in found}, made


def _says(figures: Figures) -> tuple[int, dict[str, int], int, int]:
    changes = {part: cents for part, cents in figures.changes_cents.items() if cents}
    return figures.opening_cents, changes, figures.closing_cents, figures.retained_cents


BY_HAND = [
    (OCTOBER, A, 0, {"claims": 10_000_00, "payouts": -9_800_00, "flat_fee": -200_00}, 0, 200_00),
    (OCTOBER, B, 0, {"claims": 2_700_00, "taken_by_payers": -200_00, "payouts": -2_500_00}, 0, 0),
    (OCTOBER, C, 0, {}, 0, 0),
    (
        *(NOVEMBER, A, 0),
        {
            "claims": 2_000_00,
            "corrections": 100_00,
            "levies": -500_00,
            "unclaimed": -300_00,
            "payouts": -1_000_00,
            "flat_fee": -200_00,
        },
        *(100_00, 200_00),
    ),
    (NOVEMBER, B, 0, {"claims": 100_00, "taken_by_payers": -3_100_00}, -3_000_00, 0),
    # October's fee is collected with November's: in October nothing came for C.
    (
        *(NOVEMBER, C, 0),
        {"claims": 1_700_00, "corrections": -100_00, "payouts": -1_200_00, "flat_fee": -400_00},
        *(0, 400_00),
    ),
    (DECEMBER, A, 100_00, {"flat_fee": 50_00}, 150_00, -50_00),
    (DECEMBER, B, -3_000_00, {"claims": 4_000_00, "written_off": 3_000_00}, 4_000_00, 0),
    (DECEMBER, C, 0, {}, 0, 0),
]


def test_members_months_by_hand(lived: Books) -> None:
    """Opening, each change, closing and what was kept are what a person reckons with a pencil."""
    for month, store, opening, changes, closing, kept in BY_HAND:
        figures, _ = _read(lived, month)
        assert _says(figures[store.ncpdp_id]) == (opening, changes, closing, kept), (month, store.ncpdp_id)
    figures, _ = _read(lived, DECEMBER)
    left = {name: roll.closing_cents for name, roll in figures[A.ncpdp_id].on_the_way_cents.items()}
    assert left == {"levied": 500_00, "in_transit": 1_000_00, "unclaimed": 300_00, "fee_withheld": 0}


@pytest.mark.parametrize(
    ("month", "kept", "own", "bank"),
    [
        # 5,000.00 + 200.00; the bank: 5,000.00 + 12,500.00 - 12,300.00.
        (OCTOBER, 200_00, 5_200_00, 5_200_00),
        # 200.00 + 400.00 of fees more; the bank: 2,000.00 - 3,000.00 + 1,700.00 more.
        (NOVEMBER, 600_00, 5_800_00, 5_900_00),
        # 50.00 refunded, 3,000.00 of B's debt given up; the bank: 4,000.00 more.
        (DECEMBER, -50_00, 2_750_00, 9_900_00),
    ],
)
def test_the_account_by_hand(lived: Books, month: date, kept: int, own: int, bank: int) -> None:
    """What the account holds is the PSAO's own money, which grew by the fees alone, and what is the members'."""
    _, made = _read(lived, month)
    assert (made.retained_cents, made.own_cents["closing"], made.bank.closing_cents) == (kept, own, bank)
    assert made.own_cents["flat_fee"] == kept
    assert {name: roll.closing_cents for name, roll in made.held_for_cents.items()} == {
        "own": own,
        "members": bank - own,
        "others": 0,
    }
