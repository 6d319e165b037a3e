"""Where the money of a prescription is: each step of its way, with the sentence that says what is missing."""

from dataclasses import replace
from datetime import date

import pytest

from app.demo.simulator.rules import Pick, Return, Rules
from ingest.directory import find_member
from ingest.errors import UnknownMemberError
from payouts.children.model import Form
from payouts.claim_trail import ClaimTrail, find_claims
from payouts.cycle import cycles
from payouts.fees.assessment import assess
from payouts.remittances.shares import set_form
from tests.support.answers import close, lift, send
from tests.support.bank import paid_in, paid_out
from tests.support.books import MAKER, Books
from tests.support.reversals import PADDING_CENTS, Said, said_set, take_in
from tests.support.trade import FEE_CENTS, PAYER, STRANGER, A, B, C

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 18, 19, 20))
RX = "6000123"
NOT_MATCHED = "The remittance is here, its money is not matched yet."
NOT_PAID_OUT = "The money is here, not yet paid out."


def _found(books: Books, rx: str = RX, member: str | None = None, most: int = 50) -> list[ClaimTrail]:
    with books.begin() as connection:
        return find_claims(connection, rx, member, most=most)


def _only(books: Books, rx: str = RX) -> ClaimTrail:
    (found,) = _found(books, rx)
    return found


def _fund(books: Books, trace: str, *claims: Said, day: date = MONDAY) -> None:
    """Take a set in with its deposit, and match."""
    take_in(books, said_set(trace, claims, day=day))
    books.book(day, paid_in(trace, PADDING_CENTS + sum(claim.cents for claim in claims)))
    assert len(books.match().funded) == 1


def test_a_claim_goes_its_way(books: Books) -> None:
    """Advised, funded, on its way, settled: each step adds its dates and names, and the sentence moves on."""
    said = Said(12_34, rx="0006000123-01", adjustments=(("CO", "45", 2_00), ("PR", "3", 66)))
    take_in(books, said_set("T1", [said], day=MONDAY))
    advised = _only(books)
    assert (advised.missing, advised.funded, advised.paid, advised.promised_cents) == (NOT_MATCHED, None, None, None)
    assert (advised.rx_number, advised.ncpdp_id, advised.payer_id) == ("0006000123-01", A.ncpdp_id, PAYER.payer_id)
    assert (advised.charge_cents, advised.paid_cents, advised.fill_on) == (15_00, 12_34, date(2026, 11, 1))
    assert [(each.words, each.amount_cents) for each in advised.adjustments] == [
        ("charge above the contracted amount (by contract)", 2_00),
        ("copay (owed by the patient)", 66),
    ]
    assert (advised.advice.trace_number, advised.advice.paid_on, advised.advice_state) == ("T1", MONDAY, "accepted")

    books.book(TUESDAY, paid_in("T1", PADDING_CENTS + 12_34, reference="INT1"))
    books.match()
    funded = _only(books)
    assert funded.missing == NOT_PAID_OUT
    assert funded.funded is not None
    assert funded.funded.funded_on == TUESDAY
    (deposit,) = funded.funded.deposits
    assert (deposit.booked_on, deposit.bank_reference, deposit.amount_cents) == (TUESDAY, "INT1", PADDING_CENTS + 12_34)

    cycle_id = books.pay(TUESDAY).cycle_id
    sent = _only(books)
    assert sent.missing == "On its way to the bank for 2026-11-18, not settled yet."
    assert sent.paid is not None
    assert (sent.paid.cycle_id, sent.paid.business_date, sent.paid.effective_date) == (cycle_id, TUESDAY, WEDNESDAY)
    assert (sent.paid.state, sent.paid.amount_cents) == ("released", 12_34)
    assert sent.paid.ach_trace

    books.book(WEDNESDAY, paid_out("OUT", PADDING_CENTS + 12_34))
    books.settle()
    settled = _only(books)
    assert settled.missing is None
    assert settled.paid == sent.paid.model_copy(update={"state": "settled"})


def test_a_denial_says_why(books: Books) -> None:
    """Its reject codes stand in words, and there is nothing to pay."""
    take_in(books, said_set("T1", [Said(0, rejects=("70", "75"), charge_cents=0)], day=MONDAY))
    denied = _only(books)
    assert [(each.code, each.words) for each in denied.reasons] == [
        ("70", "product not covered"),
        ("75", "prior authorization required"),
    ]
    assert (denied.status_words, denied.missing) == ("denied", "Denied: nothing to pay.")


def test_a_claim_that_the_payer_does_not_pay_is_no_denial(books: Books) -> None:
    """Processed, and the patient owes it all."""
    take_in(books, said_set("T1", [Said(0, adjustments=(("PR", "1", 9_00),))], day=MONDAY))
    assert _only(books).missing == "The payer's part is zero: nothing to pay."


def test_a_reversal_and_its_original_know_each_other(books: Books) -> None:
    """What was taken back names the reversal, the reversal its original, by trace, day, advice and segment."""
    _fund(books, "T1", Said(10_00))
    _fund(books, "T2", Said(50_00, rx="6000999", number="OTHER"), Said(-10_00), day=TUESDAY)
    reversal, original = _found(books)
    assert original.missing == "Taken back by the payer on 2026-11-17 under trace T2."
    assert original.taken_back_by == reversal.advice
    assert reversal.takes_back is not None
    assert reversal.takes_back.original == original.advice
    assert reversal.missing == NOT_PAID_OUT


def test_a_reversal_without_original_says_so(books: Books) -> None:
    """It is not in the books; or there are several, and a person has to choose."""
    take_in(books, said_set("T1", [Said(-10_00)], day=MONDAY))
    assert _only(books).missing == "The claim that it takes back is not in the books."
    take_in(books, said_set("T2", [Said(1_00, number="N"), Said(1_00, number="N")], day=MONDAY))
    take_in(books, said_set("T3", [Said(-1_00, number="N")], day=TUESDAY))
    assert _found(books)[0].missing == "It could take back 2 claims; a person has to choose."


def test_whoever_is_no_member_waits(books: Books) -> None:
    """A claim of an identifier that is nobody's says so, and still tells its funding."""
    _fund(books, "T1", Said(10_00, npi=STRANGER.npi))
    found = _only(books)
    assert (found.ncpdp_id, found.identifier) == (None, f"NPI:{STRANGER.npi}")
    assert found.missing == (
        f"NPI:{STRANGER.npi} names no member on the claim's date; the money waits until one is found."
    )
    assert found.funded is not None
    assert (found.funded.funded_on, len(found.funded.deposits)) == (MONDAY, 1)


def test_a_returned_payout_is_told_until_it_is_paid_again(books: Books) -> None:
    """The bank sent it back: it is held; lifted by two people it leaves with cycle 2, and nothing is missing."""
    books.bank.rules = Rules(returns=[Return(code="R32", pick=Pick(amount_cents=10_00), after_days=1)])
    _fund(books, "T1", Said(10_00))
    send(books, TUESDAY)
    close(books, WEDNESDAY, THURSDAY)
    found = _only(books)
    assert found.missing == "The bank sent the payout back; it is held until it is paid again."
    assert found.paid is not None
    assert found.paid.returned is not None
    assert (found.paid.returned.code, found.paid.returned.paid_again_cycle_id) == ("R32", None)
    lift(books, 1, THURSDAY)
    books.bank.rules = Rules()
    (again,) = send(books, FRIDAY)
    assert _only(books).missing == "The payout was returned (R32) and paid again in cycle 2, which is not settled yet."
    close(books, date(2026, 11, 23))
    found = _only(books)
    assert found.missing is None
    assert found.paid is not None
    assert found.paid.returned is not None
    assert (found.paid.returned.paid_again_cycle_id, found.paid.returned.paid_again_trace) == (2, again.trace_number)
    with books.begin() as connection:
        first, second = (cycles.show(connection, cycle_id).payouts for cycle_id in (1, 2))
    (back,) = (each for each in first if each.state == "returned")
    assert (back.chain, second[0].chain) == (
        "came back, answer 1; paid again in cycle 2",
        "pays again what answer 1 brought",
    )


def test_a_cycle_that_paid_nothing_is_told(books: Books) -> None:
    """The flat fee took all that was available: the member was told, and no payout went with it."""
    _fund(books, "T1", Said(FEE_CENTS))
    with books.begin() as connection:
        assess(connection, date(2026, 11, 1), MAKER)
    cycle_id = books.pay(TUESDAY).cycle_id
    found = _only(books)
    assert found.missing == (
        f"Cycle {cycle_id} told of it and paid nothing: what was due was negative, held or the fee's."
    )
    assert found.paid is not None
    assert (found.paid.state, found.paid.amount_cents) == (None, None)
    assert found.paid.remittance_trace


def test_a_member_paid_for_each_advice_has_the_payout_of_this_one(books: Books) -> None:
    """Two advices, two payouts: the claim's trail names its own."""
    with books.begin() as connection:
        set_form(connection, find_member(connection, A.ncpdp_id), Form.PER_ADVICE, MAKER)
    _fund(books, "T1", Said(10_00))
    _fund(books, "T2", Said(7_00, rx="6000999", number="OTHER"))
    books.pay(TUESDAY)
    first, second = _only(books), _only(books, "6000999")
    assert first.paid is not None
    assert second.paid is not None
    assert (first.paid.amount_cents, second.paid.amount_cents) == (10_00, 7_00)
    assert first.paid.remittance_trace != second.paid.remittance_trace


def test_a_replaced_remittance_is_told(books: Books) -> None:
    """Another line stands for this one."""
    take_in(books, said_set("T1", [Said(10_00)], day=MONDAY))
    with books.begin() as connection:
        connection.exec_driver_sql("UPDATE advice SET state = 'replaced'")
    assert _only(books).missing == "The payer's remittance was replaced; another line stands for this one."


def test_an_advice_of_zero_is_funded_without_a_deposit(books: Books) -> None:
    """Money taken from one and given to another in a payment of nothing has a day and no bank line."""
    books.put_in("OWN", PADDING_CENTS + 10_00, MONDAY)
    debit = Said(-PADDING_CENTS - 10_00, rx="6000999", number="OLD", npi=C.npi)
    take_in(books, said_set("T1", [Said(10_00), debit], day=TUESDAY))
    assert [each.amount_cents for each in books.match().funded] == [0]
    found = _only(books)
    assert found.funded is not None
    assert (found.funded.funded_on, found.funded.deposits) == (TUESDAY, ())


@pytest.mark.parametrize("asked", ["6000123", "006000123", "6000123-05", " 6000123"])
def test_all_forms_of_a_number_find_all_its_lines(books: Books, asked: str) -> None:
    """Whatever zeros and suffix, asked and written; the latest payment first, in every month."""
    take_in(books, said_set("T1", [Said(1_00, rx="0006000123")], day=date(2026, 9, 16)))
    take_in(books, said_set("T2", [Said(2_00, rx="6000123-02", npi=B.npi)], day=date(2026, 10, 16)))
    take_in(books, said_set("T3", [Said(3_00)], day=MONDAY))
    assert [each.paid_cents for each in _found(books, asked)] == [3_00, 2_00, 1_00]
    assert [each.paid_cents for each in _found(books, asked, most=2)] == [3_00, 2_00]
    assert [each.paid_cents for each in _found(books, asked, A.ncpdp_id)] == [3_00, 1_00]
    assert [each.paid_cents for each in _found(books, asked, str(books.member(B)))] == [2_00]
    assert _found(books, asked, C.ncpdp_id) == []
    assert _found(books, "7000123") == []


def test_a_pharmacy_that_is_no_member_is_wrong_use(books: Books) -> None:
    """A mistyped NCPDP id is told as such, not as an empty answer."""
    with pytest.raises(UnknownMemberError, match="0000000"):
        _found(books, RX, "0000000")


def test_the_look_up_goes_by_the_number(books: Books) -> None:
    """In each month the lines are found by the index on their normal form, whoever the member is."""
    for month in (8, 9, 10, 11):
        take_in(books, said_set(f"T{month}", [replace(Said(1_00), number=f"N{month}")], day=date(2026, month, 16)))
    with books.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # four lines a month are read faster than an index
        plan = connection.exec_driver_sql(
            "EXPLAIN SELECT * FROM claim_line WHERE rx_key(rx_number) = rx_key('0006000123-01')"
        )
        assert sum("Index Cond" in row[0] and "hashtext" in row[0] for row in plan) == 4
