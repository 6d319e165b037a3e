"""Disbursements: proposed, approved, released once with an instruction, settled or void; what is refused of them."""

import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from app.demo.pharmacies import Pharmacy
from ingest.bank.bai2_writer import StatementLine
from ledger.batch import Batch, Transaction
from ledger.chart import HOUSE, Account
from ledger.decided import escheat_released, levied, levy_released, overpaid, refund_released
from ledger.errors import DecidedOnceError, LedgerRefusedError, MakerIsCheckerError, PayoutNotApprovedError
from ledger.posting import post, reverse
from payouts import decisions
from payouts.disbursing import disbursements
from payouts.disbursing.disbursements import Disbursement, DisbursementKind, DisbursementOrder, Method
from payouts.disbursing.settling import propose_settlement, settle_disbursement, settle_disbursements
from payouts.errors import FloatGateError
from payouts.holding import holds
from payouts.holding.errors import (
    DisbursementBeyondError,
    DisbursementFolderError,
    DisbursementOrderError,
    DisbursementStateError,
    SettlementLineError,
    UnknownDisbursementError,
)
from payouts.holding.holds import HoldKind, HoldOrder
from payouts.people.approvals import list_approvals
from tests.support.bank import paid_in
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)


@pytest.fixture
def levy(books: Books) -> DisbursementOrder:
    """Give books in which 600.00 of A's 1,000.00 are levied under a legal order, and the order to pay them."""
    books.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (500_00,))))
    with books.begin() as connection:
        order = HoldOrder(
            member_id=books.member(A),
            kind=HoldKind.LEGAL,
            reason="levy",
            authority="Circuit Court, 26-L-1",
            review_on=date(2027, 1, 15),
            placed_on=MONDAY,
            payer_id=None,
            limit_cents=1,
        )
        hold_id = holds.open_hold(connection, order, MAKER)
        connection.execute(text("INSERT INTO levy VALUES (:id, 'Department of Revenue')"), {"id": hold_id})
    books.post(levied("levied", MONDAY, order.member_id, 600_00, hold_id, reason="order"))
    return DisbursementOrder(
        DisbursementKind.LEVY, order.member_id, str(hold_id), "Department of Revenue", Method.CHECK, 600_00
    )


def _propose(books: Books, order: DisbursementOrder) -> int:
    with books.begin() as connection:
        return disbursements.propose_disbursement(connection, order, MAKER)


def _decide(books: Books, number: int, actor: str = CHECKER, *, approve: bool = True) -> None:
    with books.begin() as connection:
        (asked,) = [
            each for each in list_approvals(connection) if (each.kind, each.subject) == ("disbursement", str(number))
        ]
        decisions.decide(connection, asked.approval_id, actor, approve=approve, reason=None if approve else "no")


def _release(books: Books, number: int, out: Path | None = None) -> Path:
    folder = out or books.folder / "out"
    return disbursements.release_disbursement(books.begin, number, TUESDAY, folder, MAKER)


def _show(books: Books, number: int) -> Disbursement:
    with books.begin() as connection:
        return disbursements.show_disbursement(connection, number)


def _approved(books: Books, order: DisbursementOrder) -> int:
    number = _propose(books, order)
    _decide(books, number)
    return number


def _debit(books: Books, day: date, cents: int, said: str) -> None:
    books.book(day, StatementLine("475", cents, "CHK1", "", said))


def test_life_of_a_levy(books: Books, levy: DisbursementOrder) -> None:
    """600.00 levied leave under their reference, are in transit, and settle when the bank debits them."""
    number = _approved(books, levy)
    path = _release(books, number)
    assert (books.balance(A, Account.LEVIED), books.balance(A, Account.IN_TRANSIT)) == (0, 600_00)
    said = path.read_text()
    for word in (
        f"CP-{number}",
        "Draw a check",
        "Department of Revenue",
        "USD 600.00",
        "Circuit Court, 26-L-1",
        CHECKER,
    ):
        assert word in said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    _debit(books, WEDNESDAY, 600_00, f"CHECK PAID CP-{number}")
    assert [each.disbursement_id for each in settle_disbursements(books.begin, MAKER)] == [number]
    assert (_show(books, number).state, books.balance(A, Account.IN_TRANSIT)) == ("settled", 0)
    assert settle_disbursements(books.begin, MAKER) == []
    books.prove()


def test_refund_to_a_payer(books: Books, levy: DisbursementOrder) -> None:
    """An excess of 70.00 leaves the house's book by wire and settles; not more than that is owed."""
    books.book(TUESDAY, paid_in("NONE", 70_00))
    ((line_id,),) = books.ask("SELECT bank_line_id FROM bank_line WHERE amount_cents = 7000")
    books.post(overpaid("over", TUESDAY, line_id, 70_00, reason="sent twice"))
    refund = DisbursementOrder(DisbursementKind.REFUND, HOUSE, str(line_id), "Harrowgate", Method.WIRE, 70_00)
    with pytest.raises(DisbursementBeyondError) as caught:
        _propose(books, replace(refund, amount_cents=70_01))
    assert caught.value.free_cents == 70_00
    number = _approved(books, refund)
    assert "Send a wire" in _release(books, number).read_text()
    _debit(books, WEDNESDAY, 70_00, f"WIRE OUT CP-{number}")
    assert len(settle_disbursements(books.begin, MAKER)) == 1
    assert books.house(Account.DUE_TO_PAYER) == books.house(Account.IN_TRANSIT) == 0
    books.prove()
    assert levy.amount_cents == 600_00


def test_release_again_pays_nothing_twice(books: Books, levy: DisbursementOrder) -> None:
    """The second release writes the same bytes and posts nothing."""
    number = _approved(books, levy)
    first = _release(books, number).read_bytes()
    again = disbursements.release_disbursement(books.begin, number, WEDNESDAY, books.folder / "other", MAKER)
    assert (again.read_bytes(), books.balance(A, Account.IN_TRANSIT)) == (first, 600_00)


def test_maker_is_not_checker_and_nothing_leaves_unapproved(books: Books, levy: DisbursementOrder) -> None:
    """Who proposed it may not approve it; proposed it can not be released; rejected it is void and its money free."""
    number = _propose(books, levy)
    with pytest.raises(MakerIsCheckerError):
        _decide(books, number, MAKER)
    with pytest.raises(DisbursementStateError):
        _release(books, number)
    with pytest.raises(DisbursementBeyondError):
        _propose(books, replace(levy, amount_cents=1))
    _decide(books, number, approve=False)
    assert _show(books, number).state == "void"
    assert _propose(books, levy) > number


def test_void_after_the_release_is_a_reversal(books: Books, levy: DisbursementOrder) -> None:
    """A check that is stopped: the release is reversed, the 600.00 are levied again, and another is proposed."""
    number = _approved(books, levy)
    _release(books, number)
    with books.begin() as connection:
        disbursements.void_disbursement(connection, number, "check stopped", on=WEDNESDAY, actor=MAKER)
    assert (_show(books, number).state, books.balance(A, Account.LEVIED)) == ("void", 600_00)
    with pytest.raises(DisbursementStateError):
        _release(books, number)
    with books.begin() as connection, pytest.raises(DisbursementStateError):
        disbursements.void_disbursement(connection, number, "again", on=WEDNESDAY, actor=MAKER)
    _release(books, _approved(books, levy))
    books.prove()


def test_states_follow_reversals_whoever_makes_them(books: Books, levy: DisbursementOrder) -> None:
    """A settlement that was turned leaves it released and its debit open; a release that was turned makes it void."""
    number = _approved(books, levy)
    _release(books, number)
    _debit(books, WEDNESDAY, 600_00, f"CHECK PAID CP-{number}")
    settle_disbursements(books.begin, MAKER)
    with pytest.raises(LedgerRefusedError):
        _reverse(books, "levy_released")
    _reverse(books, "payout_settled")
    assert (_show(books, number).state, books.balance(A, Account.IN_TRANSIT)) == ("released", 600_00)
    assert [row.state for row in books.ask("SELECT state FROM bank_line WHERE amount_cents < 0")] == ["unmatched"]
    assert len(settle_disbursements(books.begin, MAKER)) == 1
    _reverse(books, "payout_settled")
    _reverse(books, "levy_released")
    assert (_show(books, number).state, books.balance(A, Account.LEVIED)) == ("void", 600_00)
    assert settle_disbursements(books.begin, MAKER) == []
    books.prove()


def _reverse(books: Books, event: str) -> None:
    statement = "SELECT max(transaction_id) FROM journal_transaction WHERE event = CAST(:event AS event_name)"
    ((number,),) = books.ask(statement, event=event)
    with books.begin() as connection:
        reverse(connection, number, fact_key=f"turned {number}", fact_on=WEDNESDAY, actor=MAKER, reason="wrong")


def test_approving_what_is_gone_is_refused(books: Books, levy: DisbursementOrder) -> None:
    """Between proposal and approval the levy is turned: there is nothing left to pay, the proposal still waits."""
    number = _propose(books, levy)
    _reverse(books, "levied")
    with pytest.raises(DisbursementBeyondError):
        _decide(books, number)
    assert _show(books, number).state == "proposed"


@pytest.mark.parametrize(
    ("cents", "said"),
    [(600_00, "CHECK PAID"), (599_99, "CHECK PAID CP-{}"), (600_00, "CHECK CP-{}0"), (600_00, "CHECK XCP-{}")],
)
def test_debit_settles_by_reference_and_amount_only(
    books: Books, levy: DisbursementOrder, cents: int, said: str
) -> None:
    """The amount without the reference, the reference with another amount, a longer reference: nothing settles."""
    number = _approved(books, levy)
    _release(books, number)
    _debit(books, WEDNESDAY, cents, said.format(number))
    assert settle_disbursements(books.begin, MAKER) == []
    assert _show(books, number).state == "released"


def test_two_debits_of_one_reference_settle_nothing(books: Books, levy: DisbursementOrder) -> None:
    """Never guess: two debits under one reference are a person's; that one names the line, and only one that fits."""
    number = _approved(books, levy)
    _release(books, number)
    sent = ((600_00, "CHK1"), (600_00, "CHK2"), (5, "CHK1"))
    books.book(WEDNESDAY, *(StatementLine("475", cents, name, "", f"CP-{number}") for cents, name in sent))
    assert settle_disbursements(books.begin, MAKER) == []
    ids = [
        row.bank_line_id for row in books.ask("SELECT bank_line_id FROM bank_line WHERE amount_cents < 0 ORDER BY 1")
    ]
    with books.begin() as connection, pytest.raises(SettlementLineError):
        settle_disbursement(connection, number, ids[2], WEDNESDAY, MAKER)
    with books.begin() as connection:
        assert settle_disbursement(connection, number, ids[0], WEDNESDAY, MAKER).settled_by_bank_line == ids[0]


def test_by_the_word_of_two_people(books: Books, levy: DisbursementOrder) -> None:
    """A debit of the amount that names nothing is the check's, one says, and another approves; once."""
    number = _approved(books, levy)
    _release(books, number)
    _debit(books, WEDNESDAY, 600_00, "CHECK PAID")
    with books.begin() as connection:
        asked = propose_settlement(connection, number, "CHK1", MAKER)
    with pytest.raises(MakerIsCheckerError), books.begin() as connection:
        decisions.decide(connection, asked, MAKER, approve=True)
    with books.begin() as connection:
        decisions.decide(connection, asked, CHECKER, approve=True)
    assert (_show(books, number).state, books.balance(A, Account.IN_TRANSIT)) == ("settled", 0)
    with pytest.raises(DisbursementStateError), books.begin() as connection:
        propose_settlement(connection, number, "CHK1", MAKER)
    books.prove()


def test_nothing_leaves_while_the_float_does_not_cover(books: Books, levy: DisbursementOrder) -> None:
    """An unexplained debit larger than the float stops the release; nothing is posted."""
    number = _approved(books, levy)
    _debit(books, TUESDAY, 5_00, "NOBODY KNOWS")
    with pytest.raises(FloatGateError):
        _release(books, number)
    assert (_show(books, number).state, books.balance(A, Account.LEVIED)) == ("approved", 600_00)


def test_folder_is_looked_at_first(books: Books, levy: DisbursementOrder, tmp_path: Path) -> None:
    """A folder that can not be made is found before anything leaves."""
    number = _approved(books, levy)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DisbursementFolderError, match="is not released"):
        _release(books, number, tmp_path / "file" / "out")
    assert _show(books, number).state == "approved"


@pytest.mark.parametrize(
    "change",
    [{"payee": " "}, {"amount_cents": 0}, {"subject": "x"}, {"owner_id": HOUSE}, {"kind": DisbursementKind.REFUND}],
)
def test_senseless_orders_are_refused(books: Books, levy: DisbursementOrder, change: dict[str, object]) -> None:
    """No payee, no amount, no item, a levy of the house, a refund of a member; and a number that is none."""
    with pytest.raises(DisbursementOrderError):
        _propose(books, replace(levy, **change))  # type: ignore[arg-type]
    with pytest.raises(UnknownDisbursementError):
        _show(books, 10**22)


# What the database refuses, past the functions above -----------------------------------------------------------------


def _refused(books: Books, transaction: Transaction) -> LedgerRefusedError:
    batch = Batch()
    batch.add(transaction)
    with pytest.raises(LedgerRefusedError) as caught, books.begin() as connection:
        post(connection, batch, MAKER)
    return caught.value


def test_11_only_what_is_approved_leaves_once(books: Books, levy: DisbursementOrder) -> None:
    """Not approved, another amount, another owner, another item, as another event, twice: refused to the cent."""
    a, b, hold = levy.owner_id, books.member(B), int(levy.subject)
    books.post(levied("more", MONDAY, a, 100_00, hold, reason="order"))
    proposed, number = _propose(books, replace(levy, amount_cents=50_00)), _approved(books, levy)
    wrong = [
        levy_released("w1", TUESDAY, a, (hold, 999, 600_00)),
        levy_released("w2", TUESDAY, a, (hold, proposed, 50_00)),
        levy_released("w3", TUESDAY, a, (hold, number, 600_01)),
        levy_released("w4", TUESDAY, a, (hold, number, 599_99)),
    ]
    for transaction in wrong:
        error = _refused(books, transaction)
        assert (type(error), error.rule) == (PayoutNotApprovedError, "disbursement_is_approved")
    # Past what the balances refuse first, of another owner, account and item.
    assert _refused(books, levy_released("w5", TUESDAY, b, (hold, number, 600_00))).number in {8, 11}
    assert _refused(books, escheat_released("w6", TUESDAY, a, (hold, number, 600_00))).number in {8, 11}
    assert _refused(books, refund_released("w7", TUESDAY, (hold, number, 600_00))).number in {8, 11}
    nameless = levy_released("w8", TUESDAY, a, (hold, number, 600_00))
    lines = tuple(
        replace(line, reference=None if line.account is Account.LEVIED else number) for line in nameless.lines
    )
    error = _refused(books, replace(nameless, lines=lines))
    assert (type(error), error.rule) == (PayoutNotApprovedError, "disbursement_of_its_item")
    books.post(levy_released("right", TUESDAY, a, (hold, number, 600_00)))
    books.post(levied("again", TUESDAY, a, 300_00, hold, reason="order"))
    books.post(levied("and again", TUESDAY, b, 1, _hold_of(books), reason="order"))
    books.fund(remittance("T2", TUESDAY, Part(A, (900_00,))))
    books.post(levied("once more", TUESDAY, a, 600_00, hold, reason="order"))
    error = _refused(books, levy_released("twice", TUESDAY, a, (hold, number, 600_00)))
    assert (type(error), error.rule) == (PayoutNotApprovedError, "disbursement_is_released_once")


def _hold_of(books: Books) -> int:
    with books.begin() as connection:
        order = HoldOrder(books.member(B), HoldKind.LEGAL, "levy", "Court", date(2027, 1, 1), MONDAY)
        return holds.open_hold(connection, order, MAKER)


@pytest.mark.parametrize(
    "change",
    [
        "amount_cents = 1",
        "payee = 'me'",
        "subject = '9'",
        "method = 'wire'",
        "kind = 'escheat'",
        "state = 'settled', released_on = '2026-11-17', settled_by_bank_line = 1",
        "state = 'released', released_on = '2026-11-17'",
        "state = 'proposed'",
    ],
)
def test_disbursement_stays_as_it_was_proposed(
    books: Books, owner: Engine, levy: DisbursementOrder, change: str
) -> None:
    """Amount, payee, item never change; no state is skipped, and released is only what the ledger released."""
    _approved(books, levy)
    with pytest.raises(DecidedOnceError), unit_of_work(owner) as connection:
        connection.execute(text(f"UPDATE disbursement SET {change}"))  # noqa: S608 (our own words)


def test_disbursement_is_not_approved_by_hand(books: Books, owner: Engine, levy: DisbursementOrder) -> None:
    """The state approved asks for an approval of that disbursement; it begins proposed."""
    number = _propose(books, levy)
    with pytest.raises(PayoutNotApprovedError), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE disbursement SET state = 'approved'"))
    with pytest.raises(DecidedOnceError), unit_of_work(owner) as connection:
        connection.execute(
            text("""INSERT INTO disbursement (kind, owner_id, subject, payee, method, amount_cents, state, proposed_by)
                    SELECT kind, owner_id, subject, payee, method, amount_cents, 'approved', proposed_by
                    FROM disbursement""")
        )
    assert _show(books, number).state == "proposed"


@pytest.mark.parametrize(("payee", "store"), [("Mary", A), ("Department of Revenue", B)])
def test_levy_is_paid_to_whom_its_order_names(
    books: Books, levy: DisbursementOrder, payee: str, store: Pharmacy
) -> None:
    """The court's money is A's and goes to the Department of Revenue: not to Mary, and not out of B's book."""
    row = text("""INSERT INTO disbursement (kind, owner_id, subject, payee, method, amount_cents, proposed_by)
                  VALUES ('levy', :owner_id, :subject, :payee, 'wire', 60000, 'mary')""")
    facts = {"owner_id": books.member(store), "subject": levy.subject, "payee": payee}
    with pytest.raises(PayoutNotApprovedError, match="is not whom the order"), books.begin() as connection:
        connection.execute(row, facts)
