"""The flat monthly fee: from contract to receivable, once a month for every member, whatever was paid."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from app.database import unit_of_work
from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.errors import FeeNotDueError
from ledger.events import fee_assessed
from ledger.posting import reverse
from ledger.proofs import Proof, prove
from payouts import decisions, own_money
from payouts.fees.assessment import Assessed, assess
from payouts.fees.errors import FeeOrderError
from payouts.fees.register import register
from payouts.fees.truing_up import TruedUp, set_proration, true_up
from payouts.people.approvals import list_approvals
from tests.support.bank import paid_out
from tests.support.books import CHECKER, MAKER, Books, roster_row
from tests.support.fees import (
    DECEMBER,
    MONDAY,
    NOVEMBER,
    OCTOBER,
    TUESDAY,
    assess_fees,
    collect,
    import_rows,
    leave,
    receivable,
)
from tests.support.trade import A, B, C, Part, pharmacy, remittance

NOTHING = TruedUp(waived=0, waived_cents=0, refunded=0, refunded_cents=0, waiting=0, waiting_cents=0)


def test_every_member_is_assessed_once(books: Books) -> None:
    """Idle members too; a second assessment of the month finds nothing left to do."""
    assert assess_fees(books) == (3, 600_00)
    assert assess_fees(books) == (0, 0)
    assert [receivable(books, store) for store in (A, B, C)] == [200_00] * 3
    books.prove()


def test_the_report_names_the_month(books: Books) -> None:
    """The month is given as YYYY-MM."""
    with books.begin() as connection:
        assert assess(connection, NOVEMBER, MAKER) == Assessed(month="2026-11", members=3, amount_cents=600_00)


def test_two_assessments_at_once_assess_once(books: Books) -> None:
    """Two processes that assess the same month at the same moment make one receivable a member."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: assess_fees(books), range(2)))
    assert [receivable(books, store) for store in (A, B, C)] == [200_00] * 3
    books.prove()


def test_a_member_that_joins_later_is_assessed_alone(books: Books) -> None:
    """A member taken on after the month's assessment is assessed by the next one, a month begun counts whole."""
    assess_fees(books)
    late = pharmacy(104, fee_cents=150_00, since=date(2026, 11, 20))
    assert import_rows(books, roster_row(late)).status == "accepted"
    assert assess_fees(books) == (1, 150_00)
    assert receivable(books, late) == 150_00
    assert assess_fees(books, OCTOBER) == (3, 600_00)
    books.prove()


def test_a_free_contract_and_a_member_gone_pay_nothing(new_books: Books) -> None:
    """A fee of nothing makes no receivable; neither does a month after the membership."""
    new_books.found()
    free = pharmacy(105, fee_cents=0)
    import_rows(new_books, roster_row(A), roster_row(B, member_until="2026-10-31"), roster_row(free))
    assert assess_fees(new_books) == (1, 200_00)
    assert receivable(new_books, B) == 0
    assert assess_fees(new_books, OCTOBER) == (2, 400_00)
    new_books.prove()


def test_a_new_fee_counts_from_the_month_that_begins_with_it(books: Books) -> None:
    """Of two contracts in a month the one of its first day of membership says the fee."""
    raised = roster_row(A, monthly_fee="250.00", fee_since="2026-11-15")
    assert import_rows(books, raised).status == "accepted"
    assert assess_fees(books) == (3, 600_00)
    assert assess_fees(books, DECEMBER) == (3, 650_00)
    books.prove()


def test_two_owners_in_one_month_pay_each_their_own(new_books: Books) -> None:
    """A store that changes hands in the month has two members: the old one leaves and pays nothing, the new one all."""
    new_books.found()
    new_owner = roster_row(A, member_since="2026-11-10", fee_since="2026-11-10", tin="839999999", monthly_fee="90.00")
    import_rows(new_books, roster_row(A, member_until="2026-11-09"), new_owner)
    assert assess_fees(new_books) == (1, 90_00)
    new_books.prove()


def test_a_reversed_fee_may_be_assessed_again(books: Books) -> None:
    """After the reversal of an assessment the month is assessed anew, once."""
    assess_fees(books)
    transaction_id = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'fee_assessed'")[0][0]
    with books.begin() as connection:
        reverse(connection, transaction_id, fact_key="r", fact_on=NOVEMBER, actor=MAKER, reason="by mistake")
    assert receivable(books) == 0
    assert assess_fees(books) == (3, 600_00)
    assert assess_fees(books) == (0, 0)
    assert receivable(books) == 200_00
    books.prove()


def test_a_waived_fee_is_not_assessed_again(books: Books) -> None:
    """A waiver leaves the assessment standing."""
    assess_fees(books)
    books.waive(A, NOVEMBER, 200_00, on=NOVEMBER)
    assert assess_fees(books) == (0, 0)
    assert receivable(books) == 0
    books.prove()


@pytest.mark.parametrize("cents", [1, 200_01])
def test_no_other_amount_can_be_assessed(books: Books, cents: int) -> None:
    """The database refuses a fee that the contract does not ask for: no share of anything can be dressed as a fee."""
    with pytest.raises(FeeNotDueError):
        books.post(fee_assessed("wrong", NOVEMBER, [(books.member(A), cents)]))


# The months of joining and leaving ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("until", "cents"), [("2026-11-29", 0), ("2026-11-30", 200_00)])
def test_the_exit_month_is_free_but_for_who_stays_to_its_last_day(new_books: Books, until: str, cents: int) -> None:
    """A member that leaves on the 29th of November pays none for it; on the 30th it was there all month."""
    new_books.found()
    import_rows(new_books, roster_row(A, member_until=until))
    assert assess_fees(new_books)[1] == cents
    assert assess_fees(new_books, OCTOBER)[1] == 200_00
    new_books.prove()


def test_by_day_the_first_and_the_last_month_are_counted(new_books: Books) -> None:
    """From the 20th: 11 of 30 days of 200.00 are 73.33; until the 10th of December: 10 of 31 days are 64.51."""
    new_books.found()
    store = pharmacy(104, since=date(2026, 11, 20))
    import_rows(new_books, roster_row(store, member_until="2026-12-10"))
    with new_books.begin() as connection:
        set_proration(connection, new_books.member(store), "daily", on=NOVEMBER, actor=MAKER)
    assert assess_fees(new_books, NOVEMBER) == (1, 73_33)
    assert assess_fees(new_books, DECEMBER) == (1, 64_51)
    new_books.prove()


def test_proration_stays_under_a_new_fee(books: Books) -> None:
    """What was agreed on first and last months is the next contract's, too; and no other word is taken for it."""
    with books.begin() as connection:
        set_proration(connection, books.member(A), "daily", on=NOVEMBER, actor=MAKER)
    assert import_rows(books, roster_row(A, monthly_fee="250.00", fee_since="2026-12-01")).status == "accepted"
    rules = books.ask("SELECT proration FROM contract WHERE member_id = :member", member=books.member(A))
    assert [rule for (rule,) in rules] == ["daily", "daily"]
    with pytest.raises(FeeOrderError), books.begin() as connection:
        set_proration(connection, books.member(A), "weekly", on=NOVEMBER, actor=MAKER)


# An exit that is recorded late --------------------------------------------------------------------------------------


def test_an_exit_recorded_late_waives_what_is_open(books: Books) -> None:
    """A leaves on the 10th after November was assessed: its 200.00 are waived with the roster; nobody has to judge."""
    assess_fees(books)
    leave(books, A, "2026-11-10")
    assert [receivable(books, store) for store in (A, B)] == [0, 200_00]
    assert assess_fees(books) == (0, 0)
    with books.begin() as connection:
        assert list_approvals(connection, None) == []
        assert true_up(connection, MAKER, TUESDAY) == NOTHING
    books.prove()


def test_an_exit_recorded_late_refunds_what_was_collected(books: Books) -> None:
    """The fee of 200.00 that was collected from A goes from the float back to what is available to it."""
    collect(books, A)
    assert (books.house(Account.OPERATING_FLOAT), books.balance(A, Account.DUE_AVAILABLE)) == (200_00, 0)
    leave(books, A, "2026-11-10")
    assert (books.house(Account.OPERATING_FLOAT), books.balance(A, Account.DUE_AVAILABLE)) == (0, 200_00)
    books.prove()
    assert books.pay(date(2026, 11, 18)).total_cents == 200_00


def test_by_day_only_the_difference_is_given_back(books: Books) -> None:
    """Of 200.00 assessed ten of thirty days are 66.66; of what B was forgiven, 50.00, nothing more is given back."""
    with books.begin() as connection:
        for store in (A, B):
            set_proration(connection, books.member(store), "daily", on=NOVEMBER, actor=MAKER)
    assess_fees(books)
    books.waive(B, NOVEMBER, 50_00, on=TUESDAY)
    leave(books, A, "2026-11-10")
    assert receivable(books, A) == 66_66
    # Twenty-five days are 166.66; the 50.00 forgiven are more than the 33.34 that the contract does not ask.
    leave(books, B, "2026-11-25")
    assert receivable(books, B) == 150_00
    books.prove()


def test_without_float_a_case_waits_and_is_settled_by_itself(books: Books) -> None:
    """The float of 400.00 has left but 200.00: one refund is posted, the other is declared until money is there."""
    collect(books, A, B)
    books.book(TUESDAY, _own_money_out(200_00))
    _withdraw(books)
    rows = roster_row(A, member_until="2026-11-10"), roster_row(B, member_until="2026-11-10")
    assert import_rows(books, *rows).status == "accepted"
    assert (books.balance(A, Account.DUE_AVAILABLE), books.balance(B, Account.DUE_AVAILABLE)) == (200_00, 0)
    assert books.cases() == {("fee_over_contract", f"{B.ncpdp_id} 2026-11"): 200_00}
    books.prove()
    books.put_in("MORE", 200_00, date(2026, 11, 18))
    with books.begin() as connection:
        done = true_up(connection, MAKER, date(2026, 11, 18))
    assert done == NOTHING.model_copy(update={"refunded": 1, "refunded_cents": 200_00})
    assert (books.balance(B, Account.DUE_AVAILABLE), books.cases()) == (200_00, {})
    books.prove()


def _own_money_out(cents: int) -> StatementLine:
    return paid_out("OWNOUT", cents)


def _withdraw(books: Books) -> None:
    with books.begin() as connection:
        approval = own_money.propose_withdrawal(connection, "OWNOUT", MAKER)
    with books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)


def test_a_membership_ended_past_the_import_is_refused(books: Books, owner: Engine) -> None:
    """At commit the database sees that the month that was assessed is more than the contract asks."""
    assess_fees(books)
    with pytest.raises(FeeNotDueError, match="fee_is_within_the_contract"), unit_of_work(owner) as connection:
        _end(connection, books.member(A))
    books.prove()


def _end(connection: Connection, member: UUID) -> None:
    for statement in (
        "UPDATE member_identifier SET valid = daterange(lower(valid), '2026-11-11') WHERE member_id = :member",
        "UPDATE contract SET in_force = daterange(lower(in_force), '2026-11-11') WHERE member_id = :member",
        "UPDATE member SET membership = daterange(lower(membership), '2026-11-11') WHERE member_id = :member",
    ):
        connection.execute(text(statement), {"member": member})


def test_the_proof_sees_a_membership_that_ended_past_the_guards(books: Books, owner: Engine) -> None:
    """Where the guard is taken away, P6 says whose fee is more than the contract asks."""
    assess_fees(books)
    with unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE member DISABLE TRIGGER fees_follow"))
        connection.execute(text("ALTER TABLE contract DISABLE TRIGGER fees_follow"))
        _end(connection, books.member(A))
    with books.begin() as connection:
        verdict = prove(connection, Proof.P6)
    assert (verdict.holds, verdict.owners) == (False, (books.member(A),))
    with books.begin() as connection:
        true_up(connection, MAKER, TUESDAY)
    books.prove()


def test_an_exit_recorded_while_fees_are_assessed(books: Books) -> None:
    """The assessment waits until the exit is recorded, and assesses B and C; A's November is none any more."""
    with ThreadPoolExecutor(1) as pool:
        with books.begin() as connection:
            _end(connection, books.member(A))
            # As an import does at its end: from here on nobody else assesses or gives back.
            true_up(connection, MAKER, TUESDAY)
            assessed = pool.submit(assess_fees, books)
            with pytest.raises(TimeoutError):
                assessed.result(timeout=1)
        assert assessed.result(timeout=20) == (2, 400_00)
    books.prove()


def test_a_fee_that_was_assessed_is_not_raised_afterwards(books: Books, owner: Engine) -> None:
    """A roster whose higher fee reaches back into November is refused whole; a lower one gives the difference back."""
    assess_fees(books)
    refused = import_rows(books, roster_row(A, monthly_fee="250.00", fee_since="2026-11-01"))
    assert (refused.status, [each.rule for each in refused.findings]) == ("quarantined", ["fee_stays_as_assessed"])
    with pytest.raises(FeeNotDueError, match="fee_stays_as_assessed"), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE contract SET monthly_fee_cents = 25000"))
    assert import_rows(books, roster_row(A, monthly_fee="150.00", fee_since="2026-11-01")).status == "accepted"
    assert receivable(books, A) == 150_00
    books.prove()


# Collection ---------------------------------------------------------------------------------------------------------


def test_the_oldest_month_is_collected_whole(books: Books) -> None:
    """Two months of 200.00 are open and 300.00 are there: October is collected, November waits, 100.00 are paid."""
    assess_fees(books, OCTOBER)
    assess_fees(books, NOVEMBER)
    books.fund(remittance("T1", MONDAY, Part(A, (300_00,))))
    released = books.pay(TUESDAY)
    assert (released.total_cents, released.fee_cents) == (100_00, 200_00)
    with books.begin() as connection:
        rows = register(connection, OCTOBER, NOVEMBER, books.member(A)).rows
    assert [(row.month, row.collected_cents, row.open_cents) for row in rows] == [
        (OCTOBER, 200_00, 0),
        (NOVEMBER, 0, 200_00),
    ]
    books.prove()
