"""Returns and their money: found by name or by sum, once, late, by a person; and what the database refuses."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from app.database import unit_of_work
from app.demo.simulator.answers import Answer, AnswerKind, write_answers
from app.demo.simulator.rules import Again, Return, ReturnCredits, Rules
from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.errors import JournalAppendOnlyError, PayoutNotApprovedError
from ledger.posting import reverse
from payouts.answers.errors import AmountDiffersError, AnswerStateError, NotReturnedYetError
from payouts.answers.returns import close_answer, post_returns, propose_match
from payouts.errors import BankReferenceError, RoleMissingError
from payouts.people.users import UserRole, add_user
from tests.support.answers import (
    FRIDAY,
    NEXT_MONDAY,
    NEXT_TUESDAY,
    OF_A,
    THURSDAY,
    WEDNESDAY,
    a_return,
    answers,
    bring,
    close,
    decide,
    held,
    pay,
    send,
    states,
    sweep,
)
from tests.support.bank import paid_out
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import PAYER, A, B, Part, remittance

# The money of returns ------------------------------------------------------------------------------------------------


def test_a_returned_payment_is_held_for_its_member(books: Books) -> None:
    """A's 700.00 settle, come back as R03 with a credit that names the trace: held for A, B's 300.00 stay paid."""
    pay(books, Rules(returns=[Return(code="R03", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY)
    assert states(books) == ["settled", "settled"]
    close(books, FRIDAY)
    assert states(books) == ["returned", "settled"]
    assert held(books) == {"A": 700_00, "B": 0}
    assert books.house(Account.UNMATCHED_DEPOSIT) == 0
    (answer,) = answers(books)
    assert (answer.kind, answer.code, answer.treatment, answer.state) == ("return", "R03", "account_dead", "posted")
    assert answer.original is not None
    assert answer.hold is not None
    assert (answer.original.state, answer.hold.kind, answer.hold.held_cents) == ("returned", "returned", 700_00)
    day, reference = books.ask("""SELECT t.effective_on, l.reference FROM line l JOIN entry e USING (owner_id, entry_id)
        JOIN journal_transaction t USING (transaction_id) WHERE l.account = 'held'""")[0]
    assert (day, reference) == (FRIDAY, answer.hold.hold_id)
    books.prove()


def test_a_return_waits_for_its_money(books: Books) -> None:
    """The return comes on Friday, its credit two banking days later: a case until then."""
    pay(books, Rules(returns=[Return(code="R02", pick=OF_A, credited_after_days=2)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    assert states(books) == ["settled", "settled"]
    assert books.cases()["return_without_money", "answer 1"] == 700_00
    close(books, NEXT_MONDAY)
    assert held(books) == {"A": 0, "B": 0}
    close(books, NEXT_TUESDAY)
    assert states(books) == ["returned", "settled"]
    assert held(books) == {"A": 700_00, "B": 0}
    assert ("return_without_money", "answer 1") not in books.cases()


def test_a_return_of_what_is_not_settled_waits(books: Books) -> None:
    """The answer comes before the debit of the file: its credit stays open, and is posted once the payout settled."""
    (one, _) = pay(books)
    assert bring(books, [a_return(one)], WEDNESDAY).status == "accepted"
    books.book(WEDNESDAY, StatementLine("257", 700_00, "BACK", "", f"ACH RETURN {one.trace_number}"))
    assert sweep(books) == []
    assert states(books) == ["released", "released"]
    books.book(THURSDAY, paid_out("OUT", 1_000_00))
    assert [posted.payout_id for posted in sweep(books)] == [1]
    assert held(books) == {"A": 700_00, "B": 0}
    books.prove()


def test_the_returns_of_one_file_are_found_by_their_sum(books: Books) -> None:
    """One credit of 1,000.00 for the day's returns of 700.00 and 300.00, naming nothing: both are posted."""
    rules = Rules(returns=[Return(code="R03")], return_credits=ReturnCredits.DAY_TOTAL)
    pay(books, rules)
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    assert states(books) == ["returned", "returned"]
    assert held(books) == {"A": 700_00, "B": 300_00}
    assert books.ask("SELECT DISTINCT bank_line_id FROM ach_answer") == [(3,)]
    books.prove()


def test_a_part_of_a_file_is_no_sum_of_it(books: Books) -> None:
    """A file returns 300.00, settled, and 200.00, not settled yet: an unnamed credit of 300.00 is neither's.

    The bank credits the file with 500.00; once the other payment settled, that is the sum of both.
    """
    (one, _) = pay(books, a=300_00, b=100_00)
    close(books, WEDNESDAY)
    books.fund(remittance("T2", THURSDAY, Part(B, (200_00,))))
    (later,) = send(books, FRIDAY)
    bring(books, [a_return(one), a_return(later, number=2)], FRIDAY)
    books.book(FRIDAY, StatementLine("257", 300_00, "ELSE", "", "ACH RETURN"))
    assert sweep(books) == []
    assert states(books) == ["settled", "settled", "released"]
    books.book(NEXT_MONDAY, paid_out("OUT2", 200_00), StatementLine("257", 500_00, "BOTH", "", "ACH RETURN"))
    assert len(sweep(books)) == 2
    assert states(books) == ["returned", "settled", "returned"]
    assert books.house(Account.UNMATCHED_DEPOSIT) == 300_00
    books.prove()


@pytest.mark.parametrize("credits_", [(500_00, 500_00), (500_00,)])
def test_between_two_files_of_one_sum_nobody_guesses(books: Books, credits_: tuple[int, ...]) -> None:
    """Two files with a return of 500.00 each and credits that name nothing: a person says which is whose."""
    one, other = pay(books, a=500_00, b=500_00)
    close(books, WEDNESDAY)
    for place, entry in enumerate((one, other)):
        content = write_answers([a_return(entry)], THURSDAY, file_of_day=place)
        assert books.receive(content, "answers.ach").status == "accepted"
    lines = [StatementLine("257", cents, f"B{place}", "", "ACH RETURN") for place, cents in enumerate(credits_)]
    books.book(THURSDAY, *lines)
    assert sweep(books) == []
    assert states(books) == ["settled", "settled"]


@pytest.mark.parametrize(
    "line", [StatementLine("142", 700_00, "X", "", "ACH CREDIT"), StatementLine("257", 699_99, "X", "", "R")]
)
def test_another_kind_of_credit_or_amount_is_no_return(books: Books, line: StatementLine) -> None:
    """A credit of the amount that names nothing and is of no return's type, or one of a cent less, is left alone."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one)], THURSDAY)
    books.book(THURSDAY, line)
    assert sweep(books) == []


def test_a_credit_that_names_only_the_pharmacy_is_enough_with_a_returns_type(books: Books) -> None:
    """Of two equal returns of one file each credit names its pharmacy: each finds its own."""
    one, other = pay(books, a=500_00, b=500_00)
    close(books, WEDNESDAY)
    bring(books, [a_return(one), a_return(other, number=2)], THURSDAY)
    lines = [StatementLine("257", 500_00, f"X{store.ncpdp_id[-1]}", "", f"RETURN {store.ncpdp_id}") for store in (B, A)]
    books.book(THURSDAY, *lines)
    assert len(sweep(books)) == 2
    assert held(books) == {"A": 500_00, "B": 500_00}
    named = books.ask(
        "SELECT s.ncpdp_id, b.description FROM ach_answer a JOIN bank_line b USING (bank_line_id) "
        "JOIN payout USING (payout_id) JOIN member USING (member_id) JOIN pharmacy s USING (pharmacy_id)"
    )
    assert all(ncpdp_id in description for ncpdp_id, description in named)


def test_sweeps_at_once_post_once(books: Books) -> None:
    """Two processes that sweep at the same moment: one posts, both end well."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one)], THURSDAY)
    books.book(THURSDAY, StatementLine("257", 700_00, "BACK", "", f"ACH RETURN {one.trace_number}"))
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(post_returns, books.begin, MAKER) for _ in range(2)]
        assert sorted(len(each.result()) for each in runs) == [0, 1]
    assert held(books) == {"A": 700_00, "B": 0}
    books.prove()


def test_a_person_takes_part_of_a_days_total(books: Books) -> None:
    """Of a credit of 900.00 for several things 700.00 are A's return, by one person's word and another's approval."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one)], THURSDAY)
    books.book(THURSDAY, StatementLine("257", 900_00, "TOTAL", "", "ACH RETURNS"))
    assert sweep(books) == []
    with books.begin() as connection:
        approval = propose_match(connection, 1, "TOTAL", MAKER)
    decide(books, approval)
    assert states(books) == ["returned", "settled"]
    assert books.house(Account.UNMATCHED_DEPOSIT) == 200_00
    assert ("return_without_money", "answer 1") not in books.cases()
    books.prove()


def test_what_a_person_may_not_match(books: Books) -> None:
    """A line that is not there, one that holds less, a payment not settled, a posted answer: each is refused."""
    one, other = pay(books)
    bring(books, [a_return(one)], WEDNESDAY)
    with books.begin() as connection, pytest.raises(NotReturnedYetError, match="not settled yet"):
        propose_match(connection, 1, "X", MAKER)
    close(books, WEDNESDAY)
    books.book(
        THURSDAY,
        StatementLine("257", 699_99, "LESS", "", "R"),
        StatementLine("257", 700_00, "BACK", "", one.trace_number),
    )
    with books.begin() as connection, pytest.raises(BankReferenceError):
        propose_match(connection, 1, "NOTHERE", MAKER)
    with books.begin() as connection, pytest.raises(AmountDiffersError) as refused:
        propose_match(connection, 1, "LESS", MAKER)
    assert refused.value.difference_cents == -1
    assert len(sweep(books)) == 1
    with books.begin() as connection, pytest.raises(AnswerStateError, match="posted"):
        propose_match(connection, 1, "LESS", MAKER)
    assert other.amount_cents == 300_00


def test_an_approval_that_came_too_late_posts_nothing(books: Books) -> None:
    """The sweep posts what a person proposed before; approving it then is refused and changes nothing."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one)], THURSDAY)
    books.book(THURSDAY, StatementLine("257", 700_00, "BACK", "", one.trace_number))
    with books.begin() as connection:
        approval = propose_match(connection, 1, "BACK", MAKER)
    assert len(sweep(books)) == 1
    with pytest.raises(AnswerStateError):
        decide(books, approval)
    assert held(books) == {"A": 700_00, "B": 0}


def test_payments_to_us_beside_answers_are_handed_on(books: Books) -> None:
    """The bank's file of received items books nothing: its entry is joined to the statement's line, once."""
    books.bank.receive(PAYER, 120_00, "T9", WEDNESDAY)
    done = books.bank.close(WEDNESDAY)
    assert done.received is not None
    assert books.receive(done.bai2, "bank.bai").status == "accepted"
    before = books.house(Account.UNMATCHED_DEPOSIT)
    verdict = books.receive(done.received, "received.ach")
    assert (verdict.status, verdict.kind) == ("accepted", "nacha")
    assert "1 received entries" in verdict.summary
    assert books.house(Account.UNMATCHED_DEPOSIT) == before == 120_00
    assert answers(books) == []


# Once, twice, late ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", list(Again))
def test_the_same_return_again_changes_nothing(books: Books, again: Again) -> None:
    """The file comes a second time, or its answers under another header: one answer, one posting."""
    pay(books, Rules(returns=[Return(code="R03", pick=OF_A, again=again)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY, NEXT_MONDAY)
    assert len(answers(books)) == 1
    assert held(books) == {"A": 700_00, "B": 0}
    books.prove()


def test_a_second_return_of_one_payment_waits_for_a_person(books: Books) -> None:
    """Another return of the same entry, with its own trace: open, about the first, its credit stays unexplained."""
    (one, _) = pay(books, Rules(returns=[Return(code="R03", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    bring(books, [a_return(one, "R02", number=77)], NEXT_MONDAY)
    books.book(NEXT_MONDAY, StatementLine("257", 700_00, "AGAIN", "", one.trace_number))
    assert sweep(books) == []
    second = answers(books)[1]
    assert (second.state, second.about_answer_id) == ("open", 1)
    assert books.cases()["return_without_money", "answer 2"] == 700_00
    assert books.house(Account.UNMATCHED_DEPOSIT) == 700_00
    with books.begin() as connection:
        close_answer(connection, 2, "the bank returned twice; its credit goes back", MAKER)
    assert ("return_without_money", "answer 2") not in books.cases()
    books.prove()


def test_a_late_return_is_taken(books: Books) -> None:
    """A return 25 banking days after settlement, after the member was paid by another cycle: posted like any other."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    books.fund(remittance("T2", THURSDAY, Part(A, (40_00,))))
    send(books, FRIDAY)
    close(books, NEXT_MONDAY)
    late = date(2026, 12, 28)
    bring(books, [a_return(one, "R06", day=late)], late)
    books.book(late, StatementLine("257", 700_00, "LATE", "", one.trace_number))
    assert len(sweep(books)) == 1
    assert states(books) == ["returned", "settled", "settled"]
    books.prove()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("ACCT 12-3456-7890 CLOSED", "ACCT …7890 CLOSED"),
        ("ACCT 12 34 567890", "ACCT …7890"),
        ("NO AB12345 HERE", "NO …2345 HERE"),
        ("QUESTIONABLE", "QUESTIONABLE"),
    ],
)
def test_no_account_number_stays_in_what_a_bank_wrote(books: Books, said: str, kept: str) -> None:
    """Parted by dashes or blanks, or with letters in it: of a number in the text of a return its end is kept."""
    (one, _) = pay(books)
    bring(books, [a_return(one, note=said)], WEDNESDAY)
    assert answers(books)[0].text == kept


def test_no_account_number_stays_of_a_correction(books: Books) -> None:
    """A bank parts the corrected number by blanks: of it the end is kept, and of a corrected name no long word."""
    _, other = pay(books)
    said = {"C01": "12 34 56AB 90", "C04": "SMITH RX"}
    for place, (code, words) in enumerate(said.items()):
        note = Answer(
            kind=AnswerKind.CHANGE,
            code=code,
            entry=other,
            trace_number=f"0910000100007{place:02d}",
            settled_on=WEDNESDAY,
            text=words,
        )
        assert books.receive(write_answers([note], WEDNESDAY, file_of_day=place), "noc.ach").status == "accepted"
    assert [each.text for each in answers(books)] == ["…AB90", "…MITH RX"]


def test_a_return_of_nothing_of_ours_waits_for_a_person(books: Books) -> None:
    """A trace that we never sent: kept, queued as a case, closed by a person with a reason."""
    (one, _) = pay(books)
    stranger = replace(one, trace_number="091000010009999")
    assert bring(books, [a_return(stranger)], WEDNESDAY).status == "accepted"
    (answer,) = answers(books)
    assert (answer.state, answer.original) == ("open", None)
    assert books.cases()["answer_unknown", "answer 1"] == 700_00
    with books.begin() as connection:
        close_answer(connection, 1, "another company's", MAKER)
    assert "answer_unknown" not in {kind for kind, _ in books.cases()}
    with books.begin() as connection, pytest.raises(AnswerStateError):
        close_answer(connection, 1, "again", MAKER)


def test_what_froze_a_member_is_put_aside_by_an_approver(books: Books) -> None:
    """Closing a legal return would end the demand for an authority's release: an operator alone may not."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one, "R16")], THURSDAY)
    with books.begin() as connection:
        add_user(connection, "olga", UserRole.OPERATOR, MAKER)
    with books.begin() as connection, pytest.raises(RoleMissingError):
        close_answer(connection, 1, "the bank meant another", "olga")
    with books.begin() as connection:
        close_answer(connection, 1, "the bank meant another", CHECKER)
    assert answers(books)[0].state == "closed"


def test_a_return_of_another_amount_waits_for_a_person(books: Books) -> None:
    """A bank returns a cent less than was sent: never posted by a rule, never by a person either."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(replace(one, amount_cents=699_99))], THURSDAY)
    books.book(THURSDAY, StatementLine("257", 699_99, "LESS", "", one.trace_number))
    assert sweep(books) == []
    with books.begin() as connection, pytest.raises(NotReturnedYetError, match="amount"):
        propose_match(connection, 1, "LESS", MAKER)


def test_a_file_is_taken_whole_or_not_at_all(books: Books) -> None:
    """A file with a payment to another account among the answers, or with a broken addenda, changes nothing."""
    one, other = pay(books)
    content = write_answers([a_return(one), a_return(other, number=2)], THURSDAY, file_of_day=0)
    broken = content.replace(b"R03" + other.trace_number.encode(), b"R03X" + other.trace_number.encode()[1:])
    assert broken != content
    for bad in (
        broken,
        content.replace(b"799R03" + other.trace_number.encode(), b"705R03" + other.trace_number.encode()),
    ):
        verdict = books.receive(bad, "answers.ach")
        assert verdict.status == "quarantined"
        assert verdict.findings
    assert answers(books) == []
    assert "return_without_money" not in {kind for kind, _ in books.cases()}
    assert books.receive(content, "answers.ach").status == "accepted"
    assert books.receive(content, "answers.ach").status == "duplicate"


# What the database refuses -------------------------------------------------------------------------------------------


def _returned(books: Books) -> None:
    pay(books, Rules(returns=[Return(code="R03", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)


_ASIDE = """
    UPDATE ach_answer
    SET (state, bank_line_id, fact_key, closed_by, close_reason) = ('closed', NULL, NULL, 'x', 'x')"""
REFUSED = {
    "another amount": ("UPDATE ach_answer SET amount_cents = 1", JournalAppendOnlyError),
    "another payout": ("UPDATE ach_answer SET payout_id = 2", JournalAppendOnlyError),
    "put aside while posted": (
        _ASIDE,
        JournalAppendOnlyError,
    ),
    "opened while posted": (
        "UPDATE ach_answer SET state = 'open', bank_line_id = NULL, fact_key = NULL",
        JournalAppendOnlyError,
    ),
    "another hold": ("UPDATE ach_answer SET hold_id = NULL", JournalAppendOnlyError),
    "another bank line": ("UPDATE ach_answer SET bank_line_id = 1", JournalAppendOnlyError),
    "paid again to another member": ("UPDATE ach_answer SET paid_again_by = 2", PayoutNotApprovedError),
    "paid again by itself": ("UPDATE ach_answer SET paid_again_by = 1", PayoutNotApprovedError),
    "removed": ("DELETE FROM ach_answer", JournalAppendOnlyError),
    "settled while returned": ("UPDATE payout SET state = 'settled' WHERE payout_id = 1", PayoutNotApprovedError),
    "returned without an answer": ("UPDATE payout SET state = 'returned' WHERE payout_id = 2", PayoutNotApprovedError),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_the_database_keeps_answers_and_payouts_together(books: Books, owner: Engine, name: str) -> None:
    """By raw SQL and as the owner of the tables: what was said stays, and states are what the ledger says."""
    _returned(books)
    statement, error = REFUSED[name]
    with pytest.raises(error), unit_of_work(owner) as connection:
        connection.execute(text(statement))


_POSTED = "UPDATE ach_answer SET state = 'posted', bank_line_id = 1, fact_key = :key"


def test_an_answer_is_posted_only_with_its_posting(books: Books, owner: Engine) -> None:
    """Another fact's name, or none that exists, does not make an answer posted."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one)], THURSDAY)
    for key in ("payout_settled:cycle:1", "nothing"):
        with pytest.raises(PayoutNotApprovedError), unit_of_work(owner) as connection:
            connection.execute(text(_POSTED), {"key": key})


def test_a_second_standing_return_is_refused(books: Books, owner: Engine) -> None:
    """Two answers can not both bring back one payment, whoever writes them."""
    _returned(books)
    with unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE ach_answer DISABLE TRIGGER keeps_its_steps"))
    with pytest.raises(IntegrityError, match="one_standing_return"), unit_of_work(owner) as connection:
        connection.execute(
            text("""
            INSERT INTO ach_answer (file_id, line, kind, code, original_trace, answer_trace, amount_cents,
                received_on, text, payout_id, treatment, state, bank_line_id, fact_key)
            SELECT file_id, 1, 'return', 'R02', original_trace, 1, amount_cents, received_on, '', payout_id,
                treatment, 'posted', bank_line_id, 'x'
            FROM ach_answer""")
        )


def test_a_return_against_the_wrong_credit_is_reversed_and_found_again(books: Books) -> None:
    """Its posting reversed, the answer is open, the payout settled, the credit open; the next sweep posts it anew."""
    _returned(books)
    before = books.ask("SELECT owner_id, account, debit_cents - credit_cents FROM balance ORDER BY 1, 2")
    (transaction,) = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'payout_returned'")
    with books.begin() as connection:
        reverse(connection, transaction[0], fact_key="undo", fact_on=FRIDAY, actor=MAKER, reason="another's credit")
    assert states(books) == ["settled", "settled"]
    (answer,) = answers(books)
    assert (answer.state, answer.money) == ("open", None)
    assert books.house(Account.UNMATCHED_DEPOSIT) == 700_00
    books.prove()
    assert len(sweep(books)) == 1
    assert books.ask("SELECT owner_id, account, debit_cents - credit_cents FROM balance ORDER BY 1, 2") == before
    assert answers(books)[0].state == "posted"
    books.prove()
