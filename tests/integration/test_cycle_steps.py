"""The guarded state machine: which steps cycles and payouts take, and what of them never changes, whoever asks."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import IntegrityError

from app.database import unit_of_work
from ledger.chart import Account
from ledger.errors import JournalAppendOnlyError, LiabilityInDebitError, PayoutNotApprovedError, ReversalError
from ledger.posting import reverse
from payouts.cycle import cycles
from payouts.errors import SetChangedError
from tests.support.bank import paid_out
from tests.support.books import MAKER, Books
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
STATES = ("proposed", "approved", "released", "settled", "void")
PAYOUT_STATES = ("proposed", "approved", "released", "settled", "returned", "excluded")


@pytest.fixture
def superuser(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a superuser's session in which no trigger fires."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options="-c search_path=centralpay", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def _in_state(books: Books, state: str) -> int:
    """Bring a cycle with payouts to A and B into a state; give its number."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,))))
    cycle_id = books.propose(TUESDAY).cycle_id
    if state == "void":
        with books.begin() as connection:
            cycles.void(connection, cycle_id, "wrong day", MAKER)
    if state in {"approved", "released", "settled"}:
        books.approved(TUESDAY)
    if state in {"released", "settled"}:
        books.release(cycle_id)
    if state == "settled":
        books.book(WEDNESDAY, paid_out("OUT", 500))
        assert len(books.settle()) == 1
    return cycle_id


def _run(engine: Engine, *statements: str) -> None:
    with unit_of_work(engine) as connection:
        for statement in statements:
            connection.execute(text(statement))


def _states(books: Books) -> tuple[str, set[str]]:
    rows = books.ask("SELECT c.state AS cycle, o.state FROM cycle c JOIN payout o USING (cycle_id)")
    return rows[0].cycle, {row.state for row in rows}


ALLOWED = {("proposed", "void"), ("approved", "void")}
"""Steps of a cycle that need nothing but a reason; all others need an approval, a release, or a bank's debit."""


@pytest.mark.parametrize("state", STATES)
def test_a_cycle_takes_only_its_steps(books: Books, owner: Engine, state: str) -> None:
    """From each state, to every other, by the owner of the tables: only voiding before the release passes."""
    cycle_id = _in_state(books, state)
    before = _states(books)
    for asked in STATES:
        if asked == state or (state, asked) in ALLOWED:
            continue
        reason = ", void_reason = 'x', voided_by = proposed_by, voided_at = now()" if asked == "void" else ""
        emptied = ", nacha_sha256 = NULL, released_cents = 0" if state == "released" else ""
        change = f"UPDATE cycle SET state = '{asked}'{reason}{emptied} WHERE cycle_id = {cycle_id}"  # noqa: S608 (ours)
        with pytest.raises((PayoutNotApprovedError, JournalAppendOnlyError)):
            _run(owner, change)
        assert _states(books) == before
    if (state, "void") in ALLOWED:
        reason = "void_reason = 'x', voided_by = proposed_by, voided_at = now()"
        _run(owner, f"UPDATE cycle SET state = 'void', {reason}")  # noqa: S608 (ours)
        assert _states(books)[0] == "void"


@pytest.mark.parametrize("state", STATES)
def test_a_payout_takes_only_its_steps(books: Books, owner: Engine, app: Engine, state: str) -> None:
    """From each state of the cycle payouts go nowhere by themselves but out of a set that has not left."""
    _in_state(books, state)
    (was,) = _states(books)[1]
    for asked in PAYOUT_STATES:
        allowed = asked == was and state != "void"
        allowed |= asked == "excluded" and state in {"proposed", "approved"}
        if allowed:
            continue
        for engine in (owner, app):
            with pytest.raises(JournalAppendOnlyError if asked == was else PayoutNotApprovedError):
                _run(engine, f"UPDATE payout SET state = '{asked}', reason = 'x'")  # noqa: S608 (ours)
        assert _states(books) == (state, {was})


def test_the_ledger_decides_what_left(books: Books, owner: Engine) -> None:
    """No cycle is called released that has posted nothing, and none settled whose money is in transit."""
    _in_state(books, "approved")
    said = "nacha_sha256 = sha256('x'), released_cents = 500"
    for payouts in ("UPDATE payout SET state = 'released'", "SELECT 1"):
        with pytest.raises(PayoutNotApprovedError, match=r"payout_is_as_in_the_ledger|payouts_keep_step"):
            _run(owner, f"UPDATE cycle SET state = 'released', {said}", payouts)  # noqa: S608 (ours)
    books.release(1)
    with pytest.raises(PayoutNotApprovedError, match="payout_is_as_in_the_ledger"):
        _run(owner, "UPDATE cycle SET state = 'settled'", "UPDATE payout SET state = 'settled'")
    with pytest.raises(PayoutNotApprovedError, match="payouts_keep_step"):
        _run(owner, "UPDATE cycle SET state = 'settled'")
    assert _states(books) == ("released", {"released"})


def test_a_cycle_begins_proposed(books: Books, owner: Engine) -> None:
    """Neither a cycle nor a payout is born in a later state, and no payout joins a cycle that is decided."""
    _in_state(books, "approved")
    columns = "business_date, effective_on, odfi_routing, company_id, company_name, entry_description, proposed_by"
    payout = "INSERT INTO payout (cycle_id, member_id, amount_cents, fee_cents"
    born = (
        f"INSERT INTO cycle ({columns}, state) SELECT {columns}, 'approved' FROM cycle",  # noqa: S608 (ours)
        f"{payout}, state) SELECT 1, member_id, 0, 0, 'approved' FROM member",  # noqa: S608 (ours)
        f"{payout}, advice_id) SELECT 1, member_id, 0, 0, 1 FROM member",  # noqa: S608 (ours)
    )
    for statement in born:
        with pytest.raises(PayoutNotApprovedError):
            _run(owner, statement)
    with pytest.raises(PayoutNotApprovedError, match="nobody approved"):
        _run(
            owner,
            "UPDATE cycle SET state = 'void', void_reason = 'x', voided_by = proposed_by, voided_at = now()",
            f"INSERT INTO cycle ({columns}) SELECT {columns} FROM cycle",  # noqa: S608 (ours)
            "UPDATE cycle SET state = 'approved' WHERE state = 'proposed'",
        )


@pytest.mark.parametrize("state", ["proposed", "approved"])
def test_a_void_cycle_has_a_reason(books: Books, owner: Engine, state: str) -> None:
    """Who voids says why, to the tables as to the command; and only a void cycle has such a reason."""
    _in_state(books, state)
    for change in ("state = 'void'", "state = 'void', void_reason = '', voided_by = 'mary'", "void_reason = 'x'"):
        with pytest.raises(IntegrityError, match=r"void_has_a_reason|void_reason_check"):
            _run(owner, f"UPDATE cycle SET {change}, voided_at = now()")  # noqa: S608 (ours)
    assert _states(books)[0] == state


CHANGES = [
    "UPDATE payout SET amount_cents = amount_cents + 1",
    "UPDATE payout SET fee_cents = 1",
    "UPDATE payout SET member_id = (SELECT member_id FROM payout ORDER BY member_id LIMIT 1)",
    "UPDATE payout SET bank_account_id = (SELECT bank_account_id FROM bank_account ORDER BY 1 LIMIT 1)",
    "UPDATE payout SET cycle_id = cycle_id + 1",
    "UPDATE payout SET trace_number = '1'",
    "UPDATE payout SET reason = 'another'",
    "UPDATE cycle SET effective_on = effective_on + 1",
    "UPDATE cycle SET company_name = 'ANOTHER'",
    "UPDATE cycle SET proposed_by = 'charles'",
    "UPDATE cycle SET cut_off_at = now()",
    "UPDATE cycle SET seen = pg_current_snapshot()::text",
    "UPDATE cycle SET approval_id = NULL",
    "UPDATE cycle SET released_by = 'charles'",
    "UPDATE cycle SET settled_by_bank_line = 1",
    "UPDATE payout_fee SET amount_cents = 1",
    "UPDATE cycle_omission SET reason = 'held'",
    "DELETE FROM payout_fee",
    "DELETE FROM cycle_omission",
    "DELETE FROM payout",
    "DELETE FROM cycle",
    "TRUNCATE payout CASCADE",
    "TRUNCATE cycle CASCADE",
    "DELETE FROM bank_account",
    "TRUNCATE bank_account CASCADE",
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_proposed_never_changes(books: Books, owner: Engine, change: str) -> None:
    """Whose, how much, into which account, when, by whom: not even the owner of the tables changes or removes it."""
    _in_state(books, "released")
    with pytest.raises(JournalAppendOnlyError):
        _run(owner, change)


ACCOUNT_CHANGES = {
    "routing": "routing_number = '091000019'",
    "type": "account_type = 'savings'",
    "last four": "last_four = '9999'",
    "member": "member_id = (SELECT member_id FROM member m WHERE m.member_id <> bank_account.member_id LIMIT 1)",
    "id": "bank_account_id = uuidv7()",
    "number": "sealed_number = sealed_number || '\\x00'::bytea",
    "a beginning": "in_use = daterange(lower(in_use) + 1, upper(in_use))",
    "a longer use": "in_use = daterange(lower(in_use) - 1, upper(in_use))",
}


@pytest.mark.parametrize("change", ACCOUNT_CHANGES.values(), ids=ACCOUNT_CHANGES.keys())
def test_a_bank_account_is_never_changed(books: Books, owner: Engine, change: str) -> None:
    """A member gets another account; of the one that is there only the end of its use may come earlier."""
    of_a = f"WHERE member_id = '{books.member(A)}'"
    with pytest.raises(JournalAppendOnlyError, match="bank_account_stays"):
        _run(owner, f"UPDATE bank_account SET {change} {of_a}")  # noqa: S608 (ours)
    _run(owner, f"UPDATE bank_account SET in_use = daterange(lower(in_use), '2026-12-01') {of_a}")  # noqa: S608 (ours)
    with pytest.raises(JournalAppendOnlyError, match="bank_account_stays"):
        _run(owner, f"UPDATE bank_account SET in_use = daterange(lower(in_use), NULL) {of_a}")  # noqa: S608 (ours)


BEHIND = [
    "UPDATE bank_account SET routing_number = '091000019'",
    "UPDATE bank_account SET account_type = 'savings'",
    "UPDATE bank_account SET last_four = '9999'",
    "UPDATE payout SET amount_cents = amount_cents - 1",
    "UPDATE cycle SET effective_on = effective_on + 1",
    "UPDATE cycle SET company_id = '1888888888'",
]


@pytest.mark.parametrize("harm", BEHIND)
def test_the_hash_covers_it(books: Books, superuser: psycopg.Connection, harm: str) -> None:
    """Changed behind the guards after the approval, the set is another one: it is not released."""
    cycle_id = _in_state(books, "approved")
    superuser.execute(harm.encode())
    with pytest.raises(SetChangedError):
        books.release(cycle_id)
    assert _states(books) == ("approved", {"approved"})


def test_a_number_sealed_anew_is_the_same_set(books: Books, superuser: psycopg.Connection) -> None:
    """The master key is no part of what is approved: rotating it between approval and release changes no hash."""
    cycle_id = _in_state(books, "approved")
    before = books.ask("SELECT cycle_set_hash(1)")[0][0]
    superuser.execute("UPDATE bank_account SET sealed_number = sealed_number || '\\x00'::bytea")
    assert books.ask("SELECT cycle_set_hash(1)")[0][0] == before
    assert cycle_id == 1


# Reversals -----------------------------------------------------------------------------------------------------------


def _reverse(books: Books, event: str) -> None:
    statement = "SELECT transaction_id FROM journal_transaction WHERE event::text = :event"
    ((number,),) = books.ask(statement, event=event)
    with books.begin() as connection:
        reverse(connection, number, fact_key=f"undo:{event}", fact_on=WEDNESDAY, actor=MAKER, reason="it was wrong")


@pytest.mark.parametrize("state", ["released", "settled"])
def test_a_release_is_never_reversed(books: Books, state: str) -> None:
    """The file has left: what was sent comes back as a return, never by turning the posting."""
    _in_state(books, state)
    with pytest.raises((ReversalError, LiabilityInDebitError), match=r"can not be turned|in_transit"):
        _reverse(books, "payout_released")
    assert _states(books) == (state, {state})
    books.prove()


def test_a_settlement_that_was_wrong_is_turned_and_found_again(books: Books) -> None:
    """The debit was another's: the cycle is released again, the debit is open, and the right debit settles it.

    Before: 5.00 settled, bank at 0.00. Reversed: 5.00 in transit, a debit of 5.00 unexplained. The same debit explained
    anew: as before.
    """
    cycle_id = _in_state(books, "settled")
    _reverse(books, "payout_settled")
    assert _states(books) == ("released", {"released"})
    assert books.balance(A, Account.IN_TRANSIT) == 300
    assert books.house(Account.UNMATCHED_DEBIT) == -500
    assert books.ask("SELECT state FROM bank_line WHERE amount_cents < 0")[0][0] == "unmatched"
    books.prove()
    assert [each.cycle_id for each in books.settle()] == [cycle_id]
    assert _states(books) == ("settled", {"settled"})
    assert books.balance(A, Account.IN_TRANSIT) == 0
    assert books.house(Account.UNMATCHED_DEBIT) == 0
    books.prove()
