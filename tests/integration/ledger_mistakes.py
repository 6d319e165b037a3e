"""Transactions that break a rule, each with the error and the name of the rule that it must meet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from sqlalchemy import text

from app.database import unit_of_work
from ledger.errors import (
    CashUnbalancedError,
    EntryUnbalancedError,
    FactConflictError,
    FeeNotDueError,
    FloatMissingError,
    InsufficientBalanceError,
    LedgerRefusedError,
    LiabilityInDebitError,
    MatrixError,
    PayoutNotApprovedError,
    PeriodClosedError,
    ReversalError,
)
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.events import Advice, Fact, Fee
from tests.model.facts import HOUSE, Disbursement, Ledger, Line, Payout, Transaction

JANUARY, FEBRUARY = 202601, 202602
FEE = Fee("A", JANUARY, 200_00)

Build = Callable[[Books], Transaction]
Case = tuple[type[LedgerRefusedError], str, Build]


def _one_line(books: Books) -> Transaction:
    good = events.suspended(books.fact(), "d", 60)
    return replace(good, lines=good.lines[:1])


def _tilted(books: Books) -> Transaction:
    good = events.suspended(books.fact(), "d", 60)
    return replace(good, lines=(good.lines[0], replace(good.lines[1], amount_cents=-59)))


def _two_owners_in_one_sum(books: Books) -> Transaction:
    lines = (Line("A", Ledger.CUSTODY, "due_available", 10), Line("B", Ledger.CUSTODY, "held", -10))
    return replace(events.held(books.fact(), "A", 10), lines=lines)


def _no_lines(books: Books) -> Transaction:
    return replace(events.held(books.fact(), "A", 10), lines=())


def _zero(books: Books) -> Transaction:
    good = events.held(books.fact(), "A", 10)
    return replace(good, lines=tuple(replace(line, amount_cents=0) for line in good.lines))


def _beyond_range(books: Books) -> Transaction:
    return events.operating_opened(books.fact(), 10**15)


def _promise_made_payable(books: Books) -> Transaction:
    lines = (
        Line("A", Ledger.CUSTODY, "advised", -5, "x"),
        Line("A", Ledger.CUSTODY, "due_unfunded", 5, "x"),
        Line("B", Ledger.CUSTODY, "advised", -5, "x"),
        Line("B", Ledger.CUSTODY, "cash", 5),
        Line(HOUSE, Ledger.CUSTODY, "unmatched_deposit", 5, "d"),
        Line(HOUSE, Ledger.CUSTODY, "cash", -5),
    )
    return Transaction("funded", books.fact().key, date(2026, 1, 10), lines)


def _wrong_side(books: Books) -> Transaction:
    return events.operating_opened(books.fact(), -100)


def _wrong_owner_kind(books: Books) -> Transaction:
    good = events.operating_opened(books.fact(), 100)
    return replace(good, lines=tuple(replace(line, owner="A") for line in good.lines))


def _asked_advance(books: Books) -> Transaction:
    lines = (Line(HOUSE, Ledger.CUSTODY, "operating_float", 5), Line(HOUSE, Ledger.CUSTODY, "cash", -5))
    return Transaction("advanced", books.fact().key, date(2026, 1, 10), lines)


def _fee_of_another_amount(books: Books) -> Transaction:
    return events.fee_assessed(books.fact(), [replace(FEE, amount_cents=199_99)])


def _fee_before_membership(books: Books) -> Transaction:
    return events.fee_assessed(books.fact(), [replace(FEE, month=202412)])


def _fee_twice_in_one(books: Books) -> Transaction:
    return events.fee_assessed(books.fact(), [FEE, FEE])


def _fee_twice(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    return events.fee_assessed(books.fact(), [FEE])


def _collected_without_receivable(books: Books) -> Transaction:
    return events.fee_collected(books.fact(), [FEE])


def _collected_in_part(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    return events.fee_collected(books.fact(), [replace(FEE, amount_cents=100_00)])


def _collected_after_waiver(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    books.post(events.fee_waived(books.fact(), FEE))
    return events.fee_collected(books.fact(), [FEE])


def _collected_twice(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    books.post(events.fee_collected(books.fact(), [FEE]))
    return events.fee_collected(books.fact(), [FEE])


def _waived_after_collection(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    books.post(events.fee_collected(books.fact(), [FEE]))
    return events.fee_waived(books.fact(), FEE)


def _month_that_is_not_there(books: Books) -> Transaction:
    return events.suspended(Fact(books.fact().key, date(2203, 1, 1)), "d", 10)


def _other_body(books: Books) -> Transaction:
    books.post(events.suspended(books.fact("same"), "d", 60))
    return events.suspended(books.fact("same"), "d", 40)


def _held_beyond(books: Books) -> Transaction:
    return events.held(books.fact(), "A", 900_01)


def _levied_beyond(books: Books) -> Transaction:
    return events.levied(books.fact(), "A", 900_01)


def _fee_beyond(books: Books) -> Transaction:
    fee = replace(FEE, member="B")
    books.post(events.fee_assessed(books.fact(), [fee]))
    return events.fee_collected(books.fact(), [fee])


def _payout_beyond(books: Books) -> Transaction:
    payout = Payout("p", "A", 900_01)
    books.approve(payout)
    return events.payout_released(books.fact(), [payout])


def _lifted_without_hold(books: Books) -> Transaction:
    return events.hold_lifted(books.fact(), "A", 1)


def _deposit_twice(books: Books) -> Transaction:
    books.bank("other", 500)
    books.post(events.suspended(books.fact(), "d", 100))
    return events.suspended(books.fact(), "d", 1)


def _fee_swept_uncollected(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    return events.fee_swept(books.fact(), [FEE])


def _fee_of_another_month_swept(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE, replace(FEE, month=FEBRUARY)]))
    books.post(events.fee_collected(books.fact(), [FEE]))
    return events.fee_swept(books.fact(), [replace(FEE, month=FEBRUARY)])


def _debit_twice(books: Books) -> Transaction:
    books.bank("out", -100)
    books.bank("other", -500)
    books.post(events.payer_debited(books.fact(), "out", "A", 100))
    return events.payer_debited(books.fact(), "out", "A", 1)


def _fee_waived_unassessed(books: Books) -> Transaction:
    books.post(events.fee_assessed(books.fact(), [FEE]))
    return events.fee_waived(books.fact(), replace(FEE, month=FEBRUARY))


def _item_without_name(books: Books) -> Transaction:
    good = events.suspended(books.fact(), "d", 60)
    return replace(good, lines=tuple(replace(line, reference=None) for line in good.lines))


def _float_below_zero(books: Books) -> Transaction:
    books.bank("charge", -6_000_00)
    return events.bank_charged(books.fact(), "charge", 5_000_01)


def _unknown_payee_beyond_float(books: Books) -> Transaction:
    books.post(books.waiting(Advice("good", {"A": 1}, {"x": 3_000_00})))
    return books.waiting(Advice("bad", {"A": 6_000_00}, {"y": -5_000_01}))


def _network_beyond_float(books: Books) -> Transaction:
    return books.waiting(Advice("net", {"A": 6_000_00}, {}, -5_000_01))


def _float_taken_from_under(books: Books) -> Transaction:
    books.post(books.waiting(Advice("net", {"A": 6_000_00}, {"y": -1_000_00}, -3_000_00)))
    books.bank("out", -2_000_00)
    return events.float_withdrawn(books.fact(), "out", 1_000_01)


def _bank_line_of_another_amount(books: Books) -> Transaction:
    books.add_bank_line("e", 100)
    return events.deposited(books.fact(), "e", 99)


def _bank_line_under_another_name(books: Books) -> Transaction:
    books.add_bank_line("e", 100)
    good = events.deposited(books.fact(), "e", 100)
    return replace(good, lines=tuple(replace(line, reference="d" if line.reference else None) for line in good.lines))


def _bank_line_twice(books: Books) -> Transaction:
    return events.deposited(books.fact(), "d", 100)


def _bank_line_that_is_not_there(books: Books) -> Transaction:
    return events.deposited(books.fact(), "nowhere", 100)


def _bank_fact_without_line(books: Books) -> Transaction:
    return replace(events.deposited(books.fact(), "d", 100), bank_line=None)


def _line_named_by_another_event(books: Books) -> Transaction:
    books.add_bank_line("e", 100)
    return replace(events.suspended(books.fact(), "d", 10), bank_line="e")


def _one_owners_cash(books: Books) -> Transaction:
    whole = events.opened(books.fact(), "d", {"A": 100})
    return replace(whole, lines=whole.lines[:2])


def _float_without_mirror(books: Books) -> Transaction:
    whole = events.float_deposited(books.fact(), "d", 100)
    return replace(whole, lines=whole.lines[:2])


def _advance_of_another(books: Books) -> Transaction:
    books.pay("down", {"A": -1_000_00, "B": -200_00, "C": 2_000_00})
    whole = events.advance_written_off(books.fact(), "A", 50_00)
    return replace(
        whole,
        lines=tuple(replace(line, owner="B") if line.ledger is Ledger.OPERATING else line for line in whole.lines),
    )


def _never_approved(books: Books) -> Transaction:
    return events.payout_released(books.fact(), [Payout("p", "A", 100_00)])


def _another_amount(books: Books) -> Transaction:
    books.approve(Payout("p", "A", 100_00))
    return events.payout_released(books.fact(), [Payout("p", "A", 100_01)])


def _another_member(books: Books) -> Transaction:
    books.approve(Payout("p", "A", 100_00))
    return events.payout_released(books.fact(), [Payout("p", "B", 100_00)])


def _released_twice(books: Books) -> Transaction:
    books.release(Payout("p", "A", 100_00))
    return events.payout_released(books.fact(), [Payout("p", "A", 100_00)])


def _levied(books: Books, cents: int = 100_00) -> Disbursement:
    """Levy and have somebody approve that it leaves."""
    books.post(events.levied(books.fact(), "A", cents))
    approved = Disbursement("levy", "levy_released", "A", cents)
    books.approve_disbursement(approved, proposer="finance", approver="controller")
    return approved


def _levy_never_approved(books: Books) -> Transaction:
    books.post(events.levied(books.fact(), "A", 100_00))
    return events.levy_released(books.fact(), "A", "levy", 100_00)


def _levy_of_another_amount(books: Books) -> Transaction:
    approved = _levied(books)
    return events.levy_released(books.fact(), "A", approved.disbursement_id, 99_99)


def _levy_of_another_member(books: Books) -> Transaction:
    approved = _levied(books)
    books.post(events.levied(books.fact(), "B", 100_00))
    return events.levy_released(books.fact(), "B", approved.disbursement_id, 100_00)


def _levy_released_twice(books: Books) -> Transaction:
    approved = _levied(books)
    books.post(events.levy_released(books.fact(), "A", approved.disbursement_id, 100_00))
    books.post(events.levied(books.fact(), "A", 100_00))
    return events.levy_released(books.fact(), "A", approved.disbursement_id, 100_00)


def _changed(books: Books, change: str) -> Transaction:
    """Change what was approved, its own guards switched off: the ledger asks again by itself."""
    books.approve(Payout("p", "A", 100_00))
    with unit_of_work(books.owner) as connection:
        for table in ("cycle", "payout"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(change))
        for table in ("cycle", "payout"):
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    return events.payout_released(books.fact(), [Payout("p", "A", 100_00)])


def _set_changed_after_approval(books: Books) -> Transaction:
    return _changed(books, "UPDATE payout SET fee_cents = 1")


def _cycle_void(books: Books) -> Transaction:
    return _changed(
        books, "UPDATE cycle SET state = 'void', void_reason = 'x', voided_by = proposed_by, voided_at = now()"
    )


def _payout_excluded(books: Books) -> Transaction:
    return _changed(books, "UPDATE payout SET state = 'excluded', reason = 'held'")


def _approval_of_another_cycle(books: Books) -> Transaction:
    return _changed(
        books,
        """WITH other AS (INSERT INTO approval (kind, subject, set_hash, proposed_by, state, decided_by, decided_at)
                          SELECT 'cycle', '999', cycle_set_hash(cycle_id), 'finance', 'approved', 'controller', now()
                          FROM cycle RETURNING approval_id)
           UPDATE cycle SET approval_id = other.approval_id FROM other""",
    )


def _approval_pending(books: Books) -> Transaction:
    return _changed(
        books,
        """WITH other AS (INSERT INTO approval (kind, subject, set_hash, proposed_by)
                          SELECT 'cycle', cycle_id::text, cycle_set_hash(cycle_id), 'finance'
                          FROM cycle RETURNING approval_id)
           UPDATE cycle SET approval_id = other.approval_id FROM other""",
    )


def _reversal(books: Books, number: int, lines: tuple[Line, ...]) -> Transaction:
    return Transaction("reversed", books.fact().key, date(2026, 1, 11), lines, reverses=number)


def _advised(books: Books) -> tuple[int, Transaction]:
    asked = events.advised(books.fact(), Advice("wrong", {"A": 500, "B": 700}))
    return books.post(asked)[0].transaction_id, asked


def _reversal_of_a_part(books: Books) -> Transaction:
    number, asked = _advised(books)
    return _reversal(books, number, tuple(line.turned() for line in asked.lines if line.owner == "A"))


def _reversal_doubled(books: Books) -> Transaction:
    number, asked = _advised(books)
    return _reversal(books, number, tuple(replace(line, amount_cents=-2 * line.amount_cents) for line in asked.lines))


def _reversal_that_debits_another_item(books: Books) -> Transaction:
    number, asked = _advised(books)
    turned = [line.turned() for line in asked.lines]
    return _reversal(books, number, tuple(_moved(line) if line.amount_cents > 0 else line for line in turned))


def _reversal_that_credits_another_item(books: Books) -> Transaction:
    number, asked = _advised(books)
    turned = [line.turned() for line in asked.lines]
    return _reversal(books, number, tuple(_moved(line) if line.amount_cents < 0 else line for line in turned))


def _moved(line: Line) -> Line:
    return replace(line, reference="other")


def _reversed_twice(books: Books) -> Transaction:
    number, asked = _advised(books)
    books.reverse(number, "undo", date(2026, 1, 11))
    return _reversal(books, number, tuple(line.turned() for line in asked.lines))


def _reversal_of_a_reversal(books: Books) -> Transaction:
    number, asked = _advised(books)
    undone = books.reverse(number, "undo", date(2026, 1, 11)).transaction_id
    return _reversal(books, undone, asked.lines)


def _reversal_of_nothing(books: Books) -> Transaction:
    return _reversal(books, 987_654, events.held(books.fact(), "A", 1).lines)


def _other_event_that_reverses(books: Books) -> Transaction:
    return replace(events.held(books.fact(), "A", 1), reverses=1)


def _reversed_bank_fact(books: Books) -> Transaction:
    number = books.bank("odd", 700).transaction_id
    good = events.deposited(books.fact(), "odd", 700)
    return _reversal(books, number, tuple(line.turned() for line in good.lines))


CASES: list[Case] = [
    (EntryUnbalancedError, "entry_sums_to_zero", _one_line),
    (EntryUnbalancedError, "entry_sums_to_zero", _tilted),
    (EntryUnbalancedError, "entry_sums_to_zero", _two_owners_in_one_sum),
    (EntryUnbalancedError, "entry_has_lines", _no_lines),
    (EntryUnbalancedError, "amount_in_range", _zero),
    (EntryUnbalancedError, "amount_in_range", _beyond_range),
    (EntryUnbalancedError, "unfunded_sums_to_zero", _promise_made_payable),
    (MatrixError, "line_obeys_matrix", _wrong_side),
    (MatrixError, "line_obeys_matrix", _wrong_owner_kind),
    (MatrixError, "advance_is_never_asked_for", _asked_advance),
    (FeeNotDueError, "fee_is_the_contracts", _fee_of_another_amount),
    (FeeNotDueError, "fee_is_the_contracts", _fee_before_membership),
    (FeeNotDueError, "fee_is_the_contracts", _fee_twice_in_one),
    (FeeNotDueError, "fee_is_the_contracts", _fee_twice),
    (FeeNotDueError, "fee_is_collected_whole", _collected_without_receivable),
    (FeeNotDueError, "fee_is_collected_whole", _collected_in_part),
    (FeeNotDueError, "fee_is_collected_whole", _collected_after_waiver),
    (FeeNotDueError, "fee_is_collected_whole", _collected_twice),
    (FeeNotDueError, "receivable_covers_withheld", _waived_after_collection),
    (PeriodClosedError, "period_is_open", _month_that_is_not_there),
    (FactConflictError, "fact_is_posted_once", _other_body),
    (InsufficientBalanceError, "available_is_enough", _held_beyond),
    (InsufficientBalanceError, "available_is_enough", _levied_beyond),
    (InsufficientBalanceError, "available_is_enough", _fee_beyond),
    (InsufficientBalanceError, "available_is_enough", _payout_beyond),
    (LiabilityInDebitError, "liability_not_in_debit", _lifted_without_hold),
    (LiabilityInDebitError, "open_item_not_overdrawn", _deposit_twice),
    (LiabilityInDebitError, "open_item_not_overdrawn", _debit_twice),
    (LiabilityInDebitError, "open_item_not_overdrawn", _fee_waived_unassessed),
    (LiabilityInDebitError, "open_item_has_reference", _item_without_name),
    (FloatMissingError, "liability_not_in_debit", _float_below_zero),
    (FloatMissingError, "float_covers_the_house", _unknown_payee_beyond_float),
    (FloatMissingError, "float_covers_the_house", _network_beyond_float),
    (FloatMissingError, "float_covers_the_house", _float_taken_from_under),
    (LiabilityInDebitError, "liability_not_in_debit", _fee_swept_uncollected),
    (LiabilityInDebitError, "open_item_not_overdrawn", _fee_of_another_month_swept),
    (CashUnbalancedError, "cash_follows_the_bank", _bank_line_of_another_amount),
    (CashUnbalancedError, "cash_follows_the_bank", _bank_line_under_another_name),
    (CashUnbalancedError, "bank_line_is_posted_once", _bank_line_twice),
    (CashUnbalancedError, "journal_transaction_bank_line_id_fkey", _bank_line_that_is_not_there),
    (CashUnbalancedError, "bank_facts_name_their_line", _bank_fact_without_line),
    (CashUnbalancedError, "bank_facts_name_their_line", _line_named_by_another_event),
    (CashUnbalancedError, "cash_follows_the_bank", _one_owners_cash),
    (CashUnbalancedError, "cash_follows_the_bank", _reversed_bank_fact),
    (CashUnbalancedError, "mirrors_agree", _float_without_mirror),
    (CashUnbalancedError, "mirrors_agree", _advance_of_another),
    (PayoutNotApprovedError, "payout_is_approved", _never_approved),
    (PayoutNotApprovedError, "payout_is_approved", _another_amount),
    (PayoutNotApprovedError, "payout_is_approved", _another_member),
    (PayoutNotApprovedError, "payout_is_approved", _set_changed_after_approval),
    (PayoutNotApprovedError, "payout_is_approved", _cycle_void),
    (PayoutNotApprovedError, "payout_is_approved", _payout_excluded),
    (PayoutNotApprovedError, "payout_is_approved", _approval_of_another_cycle),
    (PayoutNotApprovedError, "payout_is_approved", _approval_pending),
    (PayoutNotApprovedError, "payout_is_released_once", _released_twice),
    (PayoutNotApprovedError, "disbursement_is_approved", _levy_never_approved),
    (PayoutNotApprovedError, "disbursement_is_approved", _levy_of_another_amount),
    (PayoutNotApprovedError, "disbursement_is_approved", _levy_of_another_member),
    (PayoutNotApprovedError, "disbursement_is_released_once", _levy_released_twice),
    (ReversalError, "reversal_is_the_negation", _reversal_of_a_part),
    (ReversalError, "reversal_is_the_negation", _reversal_doubled),
    (ReversalError, "reversal_is_the_negation", _reversal_that_debits_another_item),
    (ReversalError, "reversal_is_the_negation", _reversal_that_credits_another_item),
    (ReversalError, "transaction_is_reversed_once", _reversed_twice),
    (ReversalError, "reversal_of_a_reversal", _reversal_of_a_reversal),
    (ReversalError, "reversal_of_what_is_posted", _reversal_of_nothing),
    (ReversalError, "reversal_names_its_original", _other_event_that_reverses),
]
