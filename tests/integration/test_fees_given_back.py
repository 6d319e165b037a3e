"""A fee waived or refunded by two people, and what the database refuses of it, whoever writes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from app.demo.pharmacies import Pharmacy
from ledger.batch import Batch
from ledger.chart import Account
from ledger.decided import fee_refunded
from ledger.errors import FeeNotDueError, LiabilityInDebitError
from ledger.events import fee_waived
from ledger.posting import post, reverse
from payouts import decisions
from payouts.errors import AskedOtherwiseError
from payouts.fees.errors import FeeNotCollectedError, FeeNotOpenError, FeeOrderError
from payouts.fees.giving_back import propose_refund, propose_waiver
from payouts.people.approvals import ApprovalKind, list_approvals, propose
from schemas.errors import CentralpayError
from tests.support.books import CHECKER, MAKER, Books
from tests.support.fees import (
    MONDAY,
    NOVEMBER,
    TUESDAY,
    assess_fees,
    collect,
    leave,
    receivable,
)
from tests.support.trade import A, B, Part, remittance

# Given back by two people -------------------------------------------------------------------------------------------


def _ask(books: Books, kind: ApprovalKind, cents: int | None, reason: str = "agreed", store: Pharmacy = A) -> int:
    ask = propose_waiver if kind is ApprovalKind.FEE_WAIVER else propose_refund
    with books.begin() as connection:
        return ask(connection, books.member(store), NOVEMBER, cents, reason, on=TUESDAY, actor=MAKER)


def _decide(books: Books, approval_id: int, *, approve: bool = True) -> None:
    with books.begin() as connection:
        decisions.decide(connection, approval_id, CHECKER, approve=approve, reason=None if approve else "no")


def test_a_part_is_waived_and_the_rest_is_collected(books: Books) -> None:
    """Of 200.00 are waived 50.00; the cycle collects 150.00, and the database holds P6 to it."""
    assess_fees(books)
    books.waive(A, NOVEMBER, 50_00, on=TUESDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    released = books.pay(TUESDAY)
    assert (released.total_cents, released.fee_cents) == (350_00, 150_00)
    assert books.house(Account.OPERATING_FLOAT) == 150_00
    books.prove()


def test_a_refund_comes_from_the_float(books: Books) -> None:
    """Of 200.00 collected are refunded 80.00 and then 120.00; a third refund finds nothing."""
    collect(books, A)
    books.refund(A, NOVEMBER, 80_00, on=TUESDAY)
    assert (books.house(Account.OPERATING_FLOAT), books.balance(A, Account.DUE_AVAILABLE)) == (120_00, 80_00)
    books.prove()
    _decide(books, _ask(books, ApprovalKind.FEE_REFUND, None))
    assert (books.house(Account.OPERATING_FLOAT), books.balance(A, Account.DUE_AVAILABLE)) == (0, 200_00)
    with pytest.raises(FeeNotCollectedError):
        _ask(books, ApprovalKind.FEE_REFUND, None)
    books.prove()


@pytest.mark.parametrize("kind", [ApprovalKind.FEE_WAIVER, ApprovalKind.FEE_REFUND])
@pytest.mark.parametrize(("cents", "reason"), [(1, "  "), (0, "agreed"), (-5, "agreed")])
def test_an_order_needs_an_amount_and_a_reason(books: Books, kind: ApprovalKind, cents: int, reason: str) -> None:
    """Without them nothing is asked for."""
    assess_fees(books)
    with pytest.raises(FeeOrderError):
        _ask(books, kind, cents, reason)


@pytest.mark.parametrize("cents", [200_01, None])
def test_no_more_is_given_back_than_there_is(books: Books, cents: int | None) -> None:
    """More than is open is not waived; what is open is not refunded."""
    assess_fees(books)
    with pytest.raises(FeeNotCollectedError):
        _ask(books, ApprovalKind.FEE_REFUND, cents)
    if cents is None:
        books.waive(A, NOVEMBER, 200_00, on=TUESDAY)
    with pytest.raises(FeeNotOpenError):
        _ask(books, ApprovalKind.FEE_WAIVER, cents)


def test_the_world_may_move_before_the_approval(books: Books) -> None:
    """A waiver that was asked for before the fee was collected is refused when it is approved, and stays pending."""
    assess_fees(books)
    approval = _ask(books, ApprovalKind.FEE_WAIVER, None)
    with pytest.raises(AskedOtherwiseError):
        _ask(books, ApprovalKind.FEE_WAIVER, 10_00)
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    books.pay(TUESDAY)
    with pytest.raises(FeeNotOpenError):
        _decide(books, approval)
    with books.begin() as connection:
        assert [each.approval_id for each in list_approvals(connection)] == [approval]
    books.prove()


def test_what_was_rejected_may_be_asked_again(books: Books) -> None:
    """A rejected waiver posts nothing; asked again and approved it is posted."""
    assess_fees(books)
    _decide(books, _ask(books, ApprovalKind.FEE_WAIVER, None), approve=False)
    assert receivable(books) == 200_00
    _decide(books, _ask(books, ApprovalKind.FEE_WAIVER, None))
    assert receivable(books) == 0


def _undo(books: Books, event: str) -> None:
    (transaction_id,) = books.ask(
        "SELECT max(transaction_id) FROM journal_transaction WHERE event = CAST(:event AS event_name)", event=event
    )[0]
    with books.begin() as connection:
        reverse(connection, transaction_id, fact_key=f"r{transaction_id}", fact_on=TUESDAY, actor=MAKER, reason="wrong")


def test_a_waiver_is_undone_by_reversal_and_given_anew(books: Books) -> None:
    """The fee is open again; another waiver takes another approval: the first one is spent."""
    assess_fees(books)
    books.waive(A, NOVEMBER, 200_00, on=TUESDAY)
    _undo(books, "fee_waived")
    assert receivable(books) == 200_00
    key = books.ask("SELECT facts ->> 'fact_key' FROM approval WHERE kind = 'fee_waiver'")[0][0]
    books.post(fee_waived(key, TUESDAY, (books.member(A), NOVEMBER, 200_00), "agreed"))
    assert receivable(books) == 200_00  # a replay: the fact is posted once
    books.waive(A, NOVEMBER, 200_00, on=TUESDAY)
    assert receivable(books) == 0
    books.prove()


def test_what_the_contract_does_not_ask_stays_given_back(books: Books) -> None:
    """The waiver that an exit made necessary can not be reversed."""
    assess_fees(books)
    leave(books, A, "2026-11-10")
    with pytest.raises(FeeNotDueError, match="fee_is_within_the_contract"):
        _undo(books, "fee_waived")


def test_a_waiver_stays_once_the_rest_is_collected(books: Books) -> None:
    """Otherwise a month would be collected in two parts."""
    assess_fees(books)
    books.waive(A, NOVEMBER, 50_00, on=TUESDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    books.pay(TUESDAY)
    with pytest.raises(FeeNotDueError, match="fee_is_collected_whole"):
        _undo(books, "fee_waived")


# What the database refuses, whoever writes ---------------------------------------------------------------------------


def _as_owner(books: Books, owner: Engine, kind: str, cents: int, key: str = "mine") -> None:
    fee = (books.member(A), NOVEMBER, cents)
    batch = Batch()
    given = fee_waived(key, TUESDAY, fee, "mine")
    batch.add(given if kind == "fee_waiver" else fee_refunded(key, TUESDAY, fee, reason="mine"))
    with unit_of_work(owner) as connection:
        post(connection, batch, MAKER)


@pytest.mark.parametrize("kind", ["fee_waiver", "fee_refund"])
def test_nothing_is_given_back_unexplained(books: Books, owner: Engine, kind: str) -> None:
    """Neither the contract nor an approval explains it: refused, for the owner of the tables too."""
    assess_fees(books)
    if kind == "fee_refund":
        books.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
        books.pay(TUESDAY)
    with pytest.raises(FeeNotDueError, match="fee_given_back_is_explained"):
        _as_owner(books, owner, kind, 1)
    books.prove()


@pytest.mark.parametrize(
    "wrong", ["pending", "other member", "other month", "other amount", "other fact", "other kind"]
)
def test_an_approval_names_exactly_what_is_posted(books: Books, owner: Engine, wrong: str) -> None:
    """Approved for another member, month, amount, fact or kind, or not approved: it explains nothing."""
    assess_fees(books)
    member = books.member(B if wrong == "other member" else A)
    facts = {
        "member_id": str(member),
        "month": "2026-10" if wrong == "other month" else "2026-11",
        "amount_cents": 99 if wrong == "other amount" else 100,
        "fact_key": "another" if wrong == "other fact" else "mine",
    }
    kind = ApprovalKind.FEE_REFUND if wrong == "other kind" else ApprovalKind.FEE_WAIVER
    with books.begin() as connection:
        approval = propose(connection, kind, "forged", facts, MAKER)
    if wrong != "pending":
        with unit_of_work(owner) as connection:
            done = (
                "UPDATE approval SET state = 'approved', decided_by = :who, decided_at = now() WHERE approval_id = :id"
            )
            connection.execute(text(done), {"who": CHECKER, "id": approval})
    with pytest.raises(FeeNotDueError, match="fee_given_back_is_explained"):
        _as_owner(books, owner, "fee_waiver", 100)
    assert receivable(books) == 200_00


def _approve_fact(books: Books, owner: Engine, kind: str, cents: int) -> None:
    facts = {"member_id": str(books.member(A)), "month": "2026-11", "amount_cents": cents, "fact_key": "mine"}
    with unit_of_work(owner) as connection:
        approval = propose(connection, ApprovalKind(kind), "forged", facts, MAKER)
        done = "UPDATE approval SET state = 'approved', decided_by = :who, decided_at = now() WHERE approval_id = :id"
        connection.execute(text(done), {"who": CHECKER, "id": approval})


def test_even_approved_no_more_is_refunded_than_was_collected(books: Books, owner: Engine) -> None:
    """Of 200.00 collected 150.00 were refunded: an approved refund of 50.01 is refused, one of 50.00 is not."""
    collect(books, A, B)
    books.refund(A, NOVEMBER, 150_00, on=TUESDAY)
    _approve_fact(books, owner, "fee_refund", 50_01)
    with pytest.raises(FeeNotDueError, match="fee_refunded_was_collected"):
        _as_owner(books, owner, "fee_refund", 50_01)
    books.refund(A, NOVEMBER, 50_00, on=TUESDAY)
    books.prove()


def test_even_approved_no_more_is_waived_than_is_open(books: Books, owner: Engine) -> None:
    """Of 200.00 open an approved waiver of 200.01 is refused: the item would be overdrawn."""
    assess_fees(books)
    _approve_fact(books, owner, "fee_waiver", 200_01)
    with pytest.raises(LiabilityInDebitError, match="open_item_not_overdrawn"):
        _as_owner(books, owner, "fee_waiver", 200_01)


def test_two_refunds_at_once_give_back_once(books: Books) -> None:
    """Two approved refunds of the whole, carried out at the same moment: one is posted, the other is refused."""
    collect(books, A)
    first = _ask(books, ApprovalKind.FEE_REFUND, 150_00)
    with books.begin() as connection:
        facts = dict(list_approvals(connection)[0].facts) | {"fact_key": "fee_refund:again"}
        second = propose(connection, ApprovalKind.FEE_REFUND, "again", facts, MAKER)

    def carry_out(approval: int) -> bool:
        try:
            _decide(books, approval)
        except CentralpayError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(carry_out, (first, second))) == [False, True]
    assert books.balance(A, Account.DUE_AVAILABLE) == 150_00
    books.prove()
