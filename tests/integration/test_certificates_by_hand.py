"""Three months of three members, reckoned by hand with the worked amounts of the rules of posting."""

from dataclasses import replace
from datetime import date

import pytest

from app.demo.remittance import PayeeAdjustments, PlbPair
from ingest.direct_pay import begin_direct_pay
from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.decided import advance_written_off, member_corrected
from payouts.certificates.model import Figures, Parts, PopulationFigures, Roll
from payouts.certificates.population import population
from payouts.certificates.reading import members_months, month_ends
from payouts.fees.assessment import assess
from payouts.resolutions.frame import Action
from payouts.resolutions.undo import propose_reversal
from schemas.identifiers import Npi
from tests.support.bank import paid_in, paid_out
from tests.support.books import MAKER, Books, x12_claim, x12_file, x12_head
from tests.support.clearing import approve, ask
from tests.support.direct_pay import to_the_store
from tests.support.lives import kept
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, payer_file, remittance

OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))


@pytest.fixture
@kept
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
    for month, store, opening, changes, closing, retained in BY_HAND:
        figures, _ = _read(lived, month)
        assert _says(figures[store.ncpdp_id]) == (opening, changes, closing, retained), (month, store.ncpdp_id)
    figures, _ = _read(lived, DECEMBER)
    left = {name: roll.closing_cents for name, roll in figures[A.ncpdp_id].on_the_way_cents.items()}
    assert left == {"levied": 500_00, "in_transit": 1_000_00, "unclaimed": 300_00, "fee_withheld": 0}


@pytest.mark.parametrize(
    ("month", "retained", "own", "bank"),
    [
        # 5,000.00 + 200.00; the bank: 5,000.00 + 12,500.00 - 12,300.00.
        (OCTOBER, 200_00, 5_200_00, 5_200_00),
        # 200.00 + 400.00 of fees more; the bank: 2,000.00 - 3,000.00 + 1,700.00 more.
        (NOVEMBER, 600_00, 5_800_00, 5_900_00),
        # 50.00 refunded, 3,000.00 of B's debt given up; the bank: 4,000.00 more.
        (DECEMBER, -50_00, 2_750_00, 9_900_00),
    ],
)
def test_the_account_by_hand(lived: Books, month: date, retained: int, own: int, bank: int) -> None:
    """What the account holds is the PSAO's own money, which grew by the fees alone, and what is the members'."""
    _, made = _read(lived, month)
    assert (made.retained_cents, made.own_cents["closing"], made.bank.closing_cents) == (retained, own, bank)
    assert made.own_cents["flat_fee"] == retained
    assert {name: roll.closing_cents for name, roll in made.held_for_cents.items()} == {
        "own": own,
        "members": bank - own,
        "others": 0,
    }


# What is not a member's, or not ours to pay ---------------------------------------------------------------------------


def test_an_adjustment_of_the_network_by_hand(books: Books) -> None:
    """PAYER takes 40.00 of all beside A 300.00 and B 100.00; divided in December: A gives 30.00, B 10.00.

    | | A | B | others | own | bank |
    | --- | --- | --- | --- | --- | --- |
    | November: 360.00 come | 300.00 | 100.00 | -40.00 | 500.00 | 860.00 |
    | December: divided by claim | 270.00 | 90.00 | 0 | 500.00 | 860.00 |

    In November the 835 pays 360.00: 400.00 to members, -40.00 to others, for whom the PSAO's own money stands.
    """
    books.put_in("OWN", 500_00, date(2026, 11, 2))
    plain = remittance("NET1", date(2026, 11, 3), Part(A, (300_00,)), Part(B, (100_00,)))
    taken = PayeeAdjustments(Npi.from_nine("188800001"), date(2026, 12, 31), (PlbPair("WO", "AUDIT", 40_00),))
    books.fund(replace(plain, adjustments=(taken,), payment_cents=360_00))
    approve(books, ask(books, "network_adjustment", Action.ALLOCATE, day=date(2026, 12, 1)))
    for month, members, others in (
        (NOVEMBER, {A: (0, {"claims": 300_00}, 300_00, 0), B: (0, {"claims": 100_00}, 100_00, 0)}, -40_00),
        (
            DECEMBER,
            {
                A: (300_00, {"taken_by_payers": -30_00}, 270_00, 0),
                B: (100_00, {"taken_by_payers": -10_00}, 90_00, 0),
            },
            0,
        ),
    ):
        figures, made = _read(books, month)
        assert {store: _says(figures[store.ncpdp_id]) for store in members} == members
        held = {name: roll.closing_cents for name, roll in made.held_for_cents.items()}
        assert held == {"members": 360_00 - others, "others": others, "own": 500_00}
        assert made.bank.closing_cents == 860_00
    (said,) = figures[A.ncpdp_id].taken
    assert (said.payer_name, said.amount_cents, said.trace_number) == (PAYER.name, -30_00, None)
    _, made = _read(books, NOVEMBER)
    (of,) = made.remitted
    assert (of.payment_cents, of.reversed_cents, of.members_cents, of.others_cents) == (360_00, 0, 400_00, -40_00)


def test_direct_pay_by_hand(books: Books) -> None:
    """OTHER pays C 1,200.00 itself and A 500.00 through us: C's month is nothing, and the 835s paid us 500.00.

    C's fee of 200.00 is due all the same, and stays open: nothing of C's goes through the account.
    """
    assert books.receive(payer_file(books.folder / "payers.csv").read_bytes(), "payers.csv").status == "accepted"
    with books.begin() as connection:
        begin_direct_pay(
            connection, C.ncpdp_id, str(OTHER_PAYER.payer_id), NOVEMBER, reason="the payer wrote", actor=MAKER
        )
    day = date(2026, 11, 3)
    assert books.remit(to_the_store("DIR1", day, Part(C, (1_234_50,), (("WO", 34_50),)), store=C, payer=OTHER_PAYER))
    books.remit(remittance("T1", day, Part(A, (500_00,)), payer=OTHER_PAYER))
    books.book(day, paid_in("T1", 500_00, payer=OTHER_PAYER))
    books.match()
    _assess(books, NOVEMBER)
    figures, made = _read(books, NOVEMBER)
    assert _says(figures[C.ncpdp_id]) == (0, {}, 0, 0)
    assert (figures[C.ncpdp_id].payers, figures[C.ncpdp_id].taken) == ((), ())
    (fee,) = figures[C.ncpdp_id].fees
    assert (fee.due_cents, fee.collected_cents, fee.open_cents) == (200_00, 0, 200_00)
    assert _says(figures[A.ncpdp_id]) == (0, {"claims": 500_00}, 500_00, 0)
    assert [(of.payer_id, of.advices, of.payment_cents) for of in made.remitted] == [
        (str(OTHER_PAYER.payer_id), 1, 500_00)
    ]
    assert (made.bank.in_cents, made.bank.closing_cents) == (500_00, 500_00)


def test_an_advice_that_gave_way_and_came_back_by_hand(books: Books) -> None:
    """One set says A 1,000.00 less 10.00, another A 970.00 and B 10.00; the first is replaced, and put back.

    An advice that is put back is advised once more in the same month; it was taken for one that pays 990.00 and gave
    1,980.00, so that no population was certified and the month could never be closed.

    | of November | A | B | 835s |
    | --- | --- | --- | --- |
    | the first set, twice | 2,000.00 less 20.00 | | 990.00 and 990.00 |
    | the other, once | 970.00 | 10.00 | 980.00 |
    | reversed: the first and the other | -1,960.00 | -10.00 | -1,970.00 |
    | closing | 990.00 | 0 | 990.00 |
    """
    day = "20261103"
    first = x12_head("T1", "990.00", day=day) + x12_claim("1", "1000.00", npi=A.npi)
    first += [f"PLB*{A.npi}*20261231*WO:T1*10"]
    other = x12_head("T1", "980.00", day=day) + x12_claim("1", "970.00", npi=A.npi) + x12_claim("2", "10.00", npi=B.npi)
    assert books.receive(x12_file(first), "first.835").status == "accepted"
    assert books.receive(x12_file(other, control_number=8), "other.835").status == "conflict"
    approve(books, ask(books, "set_conflict", Action.REPLACE))
    _put_back(books)
    figures, made = _read(books, NOVEMBER)
    awaited = {"claims": 2_970_00, "taken_by_payers": -20_00, "advices_reversed": -1_960_00}
    assert _says(figures[A.ncpdp_id]) == (0, awaited, 990_00, 0)
    assert _says(figures[B.ncpdp_id]) == (0, {"claims": 10_00, "advices_reversed": -10_00}, 0, 0)
    (of,) = made.remitted
    assert (of.advices, of.payment_cents, of.reversed_cents) == (3, 2_960_00, -1_970_00)
    assert (of.members_cents, of.others_cents) == (990_00, 0)
    (payer,) = figures[A.ncpdp_id].payers
    assert (payer.corrected_cents, payer.awaited_after_cents) == (-1_960_00, 990_00)


def test_a_reversed_funding_that_had_repaid_an_advance_by_hand(books: Books) -> None:
    """B owes 300.00; its 400.00 of the 10th repay that; on 2 December that is reversed, and matched anew.

    The reversal turns the repayment with the funding, in one entry. It was taken for lines of ``funded`` on the
    accounts of the advance, which a member's book does not have: nobody was certified and no month closed after it. And
    matched anew on the day of the deposit, November had the money twice: 800.00 of 400.00 available, -400.00 awaited.

    | | B available | B awaited | B's advance | A | own, lent or not | bank |
    | --- | --- | --- | --- | --- | --- | --- |
    | November | 100.00 | 0 | 0 | 400.00 | 1,000.00 | 1,500.00 |
    | reversed | -300.00 | 400.00 | 300.00 | 400.00 | 1,000.00 | 1,500.00 |
    | December, matched anew | 100.00 | 0 | 0 | 400.00 | 1,000.00 | 1,500.00 |
    """
    books.put_in("OWN", 1_000_00, date(2026, 11, 2))
    books.fund(remittance("T1", date(2026, 11, 9), Part(A, (400_00,)), Part(B, (-300_00,))))
    books.fund(remittance("T2", date(2026, 11, 10), Part(B, (400_00,))))
    _reverse(books, "funded", date(2026, 12, 2))
    figures, made = _read(books, DECEMBER)
    assert figures[B.ncpdp_id].closing_parts_cents == Parts(available=-300_00, awaiting_payer=400_00, held=0)
    assert figures[B.ncpdp_id].advance_cents == Roll(
        opening_cents=0, in_cents=300_00, out_cents=0, closing_cents=300_00
    )
    assert made.own_cents["closing"] == 1_000_00
    assert len(books.match().funded) == 1
    for month in (NOVEMBER, DECEMBER):
        figures, made = _read(books, month)
        assert figures[B.ncpdp_id].closing_parts_cents == Parts(available=100_00, awaiting_payer=0, held=0), month
        assert figures[B.ncpdp_id].advance_cents.closing_cents == 0
        assert {name: roll.closing_cents for name, roll in made.held_for_cents.items()} == {
            "members": 500_00,
            "others": 0,
            "own": 1_000_00,
        }
        assert made.bank.closing_cents == 1_500_00
    books.prove()


def test_a_reversed_refund_to_who_owes_by_hand(books: Books) -> None:
    """B owes 300.00 when 50.00 of its fee are refunded, which repay as much of it; both are turned round.

    The refund leaves the float and the repayment enters it, in one entry of the reversal: told apart, the PSAO's own
    money is what it was, and all that was kept of the fee is 200.00.
    """
    books.put_in("OWN", 1_000_00, date(2026, 11, 2))
    books.fund(remittance("T1", date(2026, 11, 3), Part(B, (200_00,))))
    _assess(books, NOVEMBER)
    books.pay(date(2026, 11, 4))
    books.fund(remittance("T2", date(2026, 11, 9), Part(A, (400_00,)), Part(B, (-300_00,))))
    books.refund(B, NOVEMBER, 50_00, on=date(2026, 11, 10))
    figures, made = _read(books, NOVEMBER)
    assert (figures[B.ncpdp_id].retained_cents, made.own_cents["flat_fee"], made.own_cents["closing"]) == (
        *(150_00, 150_00),
        1_150_00,
    )
    _reverse(books, "fee_refunded", date(2026, 11, 11))
    figures, made = _read(books, NOVEMBER)
    assert (figures[B.ncpdp_id].retained_cents, made.own_cents["flat_fee"], made.own_cents["closing"]) == (
        *(200_00, 200_00),
        1_200_00,
    )
    assert figures[B.ncpdp_id].advance_cents.closing_cents == 300_00
    books.prove()


def _put_back(books: Books) -> None:
    """Reverse what the other set advised, by two people."""
    _reverse(books, "advised", date(2026, 11, 4))


def _reverse(books: Books, event: str, day: date) -> None:
    """Reverse the last transaction of an event, by two people."""
    (row,) = books.ask(
        "SELECT max(transaction_id) AS number FROM journal_transaction WHERE event = :event", event=event
    )
    with books.begin() as connection:
        approval_id = propose_reversal(connection, row.number, day, "it was wrong", MAKER)
    approve(books, approval_id)
