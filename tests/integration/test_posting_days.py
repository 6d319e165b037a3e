"""On which day what follows a reversal is posted: on no day is money in two places, or in none."""

from contextlib import AbstractContextManager
from datetime import date

from sqlalchemy import Connection, Engine, text

from ingest.bank.bai2_writer import StatementLine
from ingest.free_days import free_on
from ingest.funding import sweep
from ledger.chart import Account
from payouts import own_money
from payouts.resolutions.actions import resolve
from payouts.resolutions.frame import Action, Resolution
from payouts.resolutions.standing_cases import settle_standing_cases
from payouts.resolutions.undo import propose_reversal
from tests.support.bank import ACH_DEBIT, WIRE_CREDIT, paid_in, paid_out
from tests.support.books import MAKER, Books, x12_claim, x12_file, x12_head
from tests.support.clearing import approve, ask, case_id
from tests.support.trade import STRANGER, A, B, Part, remittance

EARLY, DAY, LATER = date(2026, 11, 3), date(2026, 11, 16), date(2026, 12, 2)

_WRONG = """
    SELECT account::text, reference, effective_on, cents FROM (
        SELECT owner_id, account, reference, effective_on,
               sum(sum(amount_cents)) OVER (PARTITION BY owner_id, account, reference ORDER BY effective_on) AS cents
        FROM line WHERE account IN ('advised', 'due_unfunded', 'unknown_payee_unfunded', 'unmatched_deposit',
                               'unmatched_debit', 'suspense')
        GROUP BY owner_id, account, reference, effective_on) d
    WHERE CASE WHEN account IN ('advised', 'unmatched_debit') THEN cents < 0 ELSE cents > 0 END
    ORDER BY account, reference, effective_on"""


def _on_their_wrong_side(books: Books) -> list[tuple[str, int, date, int]]:
    """Give what would be owed the wrong way round on some day: an item that is used before it is there."""
    return [tuple(row) for row in books.ask(_WRONG)]


def _reverse(books: Books, event: str, day: date) -> None:
    (row,) = books.ask(
        "SELECT max(transaction_id) AS number FROM journal_transaction WHERE event = :event", event=event
    )
    with books.begin() as connection:
        approval_id = propose_reversal(connection, row.number, day, "it was wrong", MAKER)
    approve(books, approval_id)


def _funded_on(books: Books) -> list[date]:
    rows = books.ask("SELECT effective_on FROM journal_transaction WHERE event = 'funded' ORDER BY transaction_id")
    return [row.effective_on for row in rows]


def _in_conflict(books: Books, day: date) -> None:
    """Take in two sets of one payment that say different things of A."""
    head = f"{day:%Y%m%d}"
    first = x12_head("T1", "100.00", day=head) + x12_claim("1", "100.00", npi=A.npi)
    other = x12_head("T1", "90.00", day=head) + x12_claim("1", "90.00", npi=A.npi)
    assert books.receive(x12_file(first), "first.835").status == "accepted"
    assert books.receive(x12_file(other, control_number=8), "other.835").status == "conflict"


def test_an_advice_that_took_anothers_place_is_funded_from_its_own_day(books: Books) -> None:
    """Its deposit came before the replacement: it was funded before it was advised, and -90.00 awaited in between."""
    _in_conflict(books, EARLY)
    approve(books, ask(books, "set_conflict", Action.REPLACE, day=DAY))
    books.book(EARLY, paid_in("T1", 90_00))
    assert len(books.match().funded) == 1
    assert _on_their_wrong_side(books) == []
    assert _funded_on(books) == [DAY]


def test_a_reversal_is_not_before_what_it_reverses(books: Books) -> None:
    """835s come days before their payment: one that was replaced before its day was reversed before it was advised."""
    _in_conflict(books, DAY)
    approve(books, ask(books, "set_conflict", Action.REPLACE, day=EARLY))
    assert _on_their_wrong_side(books) == []
    rows = books.ask("SELECT DISTINCT effective_on FROM journal_transaction WHERE event <> 'deposited'")
    assert [row.effective_on for row in rows] == [DAY]


def test_what_is_matched_by_hand_after_a_reversal_is_funded_on_its_day(books: Books) -> None:
    """A sweep dated it so, a match by hand did not: what was A's until December was B's from November on as well."""
    books.remit(remittance("T1", EARLY, Part(A, (100_00,))), remittance("T2", EARLY, Part(B, (100_00,))))
    books.book(EARLY, StatementLine(WIRE_CREDIT, 100_00, "CHEQUE", "", "A CHEQUE"))
    books.match()
    approve(books, _matched_by_hand(books, "T1"))
    _reverse(books, "funded", LATER)
    approve(books, _matched_by_hand(books, "T2"))
    assert _on_their_wrong_side(books) == []
    assert _funded_on(books) == [EARLY, LATER]
    assert (books.balance(A, Account.DUE_AVAILABLE), books.balance(B, Account.DUE_AVAILABLE)) == (0, 100_00)


def test_a_reversal_during_a_sweep_counts(books: Books) -> None:
    """Between reading the pools and funding others fund the same and reverse it: the day is asked under the lock."""
    books.remit(remittance("T1", EARLY, Part(A, (100_00,))))
    books.book(EARLY, paid_in("T1", 100_00))
    begun: list[int] = []

    def begin() -> AbstractContextManager[Connection]:
        begun.append(len(begun))
        if len(begun) == 2:
            assert len(books.match().funded) == 1
            _reverse(books, "funded", LATER)
        return books.begin()

    assert len(sweep(begin, MAKER).funded) == 1
    assert _funded_on(books) == [EARLY, LATER]
    assert _on_their_wrong_side(books) == []


def test_what_was_not_reversed_keeps_its_day(books: Books) -> None:
    """Of a deposit of 300.00 the 100.00 that were used and given back are free later; the 200.00 were all the time."""
    books.remit(remittance("T1", EARLY, Part(A, (100_00,))), remittance("T2", EARLY, Part(B, (200_00,))))
    books.book(EARLY, paid_in("T1", 300_00))
    assert len(books.match().funded) == 1
    _reverse(books, "funded", LATER)
    with books.begin() as connection:
        free = [free_on(connection, EARLY, lines={1: cents}) for cents in (200_00, 200_01, 300_00)]
    assert free == [EARLY, LATER, LATER]


def test_own_money_that_was_taken_for_a_payers_is_ours_from_the_reversal_on(books: Books) -> None:
    """Declared on the bank's day, it was a member's and the PSAO's until the reversal."""
    books.fund(remittance("T1", EARLY, Part(A, (100_00,))))
    _reverse(books, "funded", LATER)
    with books.begin() as connection:
        approval_id = own_money.propose_deposit(connection, "INT1", MAKER)
    approve(books, approval_id)
    assert _on_their_wrong_side(books) == []
    rows = books.ask("SELECT effective_on FROM journal_transaction WHERE event = 'float_deposited'")
    assert [row.effective_on for row in rows] == [LATER]


def test_a_debit_explained_anew_is_explained_from_the_reversal_on(books: Books) -> None:
    """A charge that was none, and the PSAO's own money that left: told on the bank's day, both had left on it."""
    books.put_in("OWN", 500_00, EARLY)
    books.book(DAY, StatementLine(ACH_DEBIT, 40_00, "FEE", "", "SERVICE CHARGE"))
    books.match()
    approve(books, ask(books, "debit_unexplained", Action.BANK_CHARGE, day=DAY))
    _reverse(books, "bank_charged", LATER)
    books.match()
    approve(books, ask(books, "debit_unexplained", Action.BANK_CHARGE, day=DAY))
    _reverse(books, "bank_charged", LATER)
    with books.begin() as connection:
        approval_id = own_money.propose_withdrawal(connection, "FEE", MAKER)
    approve(books, approval_id)
    assert _on_their_wrong_side(books) == []
    assert books.house(Account.UNMATCHED_DEBIT) == 0


def test_a_file_whose_debit_was_taken_for_a_charge_settles_from_the_reversal_on(books: Books) -> None:
    """Until 2 December the books say that the bank kept 100.00; settled on the bank's day, A had them as well."""
    books.put_in("OWN", 500_00, EARLY)
    books.fund(remittance("T1", EARLY, Part(A, (100_00,))))
    cycle = books.pay(EARLY).cycle_id
    books.book(DAY, paid_out("OUT", 100_00))
    books.match()
    with books.begin() as connection:
        settle_standing_cases(connection)
    approve(books, ask(books, "debit_unexplained", Action.BANK_CHARGE, day=DAY))
    _reverse(books, "bank_charged", LATER)
    assert [each.cycle_id for each in books.settle()] == [cycle]
    assert _on_their_wrong_side(books) == []
    rows = books.ask("SELECT effective_on FROM journal_transaction WHERE event = 'payout_settled'")
    assert [row.effective_on for row in rows] == [LATER]


def test_a_deposit_that_was_set_aside_funds_from_the_day_on_which_it_is_back(books: Books) -> None:
    """Set aside on the 16th and let be matched on 2 December: funded on its own day it was in suspense and A's."""
    books.book(EARLY, paid_in("T1", 100_00))
    books.match()
    number = case_id(books, "deposit_without_advice")
    with books.begin() as connection:
        resolve(connection, Resolution(case_id=number, action=Action.SUSPEND, reason="whose?", day=DAY), MAKER)
    books.match()
    number = case_id(books, "deposit_without_advice")
    with books.begin() as connection:
        asked = Resolution(case_id=number, action=Action.UNSUSPEND, reason="it came", day=LATER, bank_lines=(1,))
        approval_id = resolve(connection, asked, MAKER)
    assert approval_id is not None
    approve(books, approval_id)
    books.remit(remittance("T1", EARLY, Part(A, (100_00,))))
    assert len(books.match().funded) == 1
    assert _on_their_wrong_side(books) == []
    assert _funded_on(books) == [LATER]


def test_what_was_found_and_taken_back_is_funded_where_it_is(books: Books) -> None:
    """A stranger's 50.00 were B's from the 16th to 2 December; funded on the 3rd, they were taken from who had none."""
    books.remit(remittance("T1", EARLY, Part(STRANGER, (50_00,))))
    books.match()
    approve(books, ask(books, "unknown_payee", Action.ASSIGN, member=B.ncpdp_id, day=DAY))
    _reverse(books, "payee_found_unfunded", LATER)
    books.book(EARLY, paid_in("T1", 50_00))
    assert len(books.match().funded) == 1
    assert _on_their_wrong_side(books) == []
    assert _funded_on(books) == [LATER]


def test_a_month_that_is_open_again_takes_nothing_before_what_it_rests_on(books: Books, owner: Engine) -> None:
    """Advised on 1 December because November was closed, it was funded in November when that was open again."""
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE period DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE period SET state = 'closed' WHERE month = '2026-11-01'"))
    books.remit(remittance("T1", EARLY, Part(A, (100_00,))))
    with owner.begin() as connection:
        connection.execute(text("UPDATE period SET state = 'open' WHERE month = '2026-11-01'"))
        connection.execute(text("ALTER TABLE period ENABLE TRIGGER USER"))
    books.book(EARLY, paid_in("T1", 100_00))
    assert len(books.match().funded) == 1
    assert _on_their_wrong_side(books) == []
    assert _funded_on(books) == [date(2026, 12, 1)]


def _matched_by_hand(books: Books, trace: str) -> int:
    """Ask that the one deposit pays an advice; give the approval."""
    (row,) = books.ask("SELECT advice_id FROM advice WHERE trace_number = :trace", trace=trace)
    with books.begin() as connection:
        settle_standing_cases(connection)
    books.match()
    (case,) = books.ask("SELECT exception_id FROM exception_case WHERE subject = 'bank line 1' AND state = 'open'")
    asked = Resolution(
        case_id=case.exception_id, action=Action.MATCH, reason="it says so", day=LATER, advices=(row.advice_id,)
    )
    with books.begin() as connection:
        approval_id = resolve(connection, asked, MAKER)
    assert approval_id is not None
    return approval_id
