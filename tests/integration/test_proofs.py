"""The proofs hold on good books, and each fails when the books are damaged behind every guard's back."""

from collections.abc import Collection, Iterator
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from app.database import reading, unit_of_work
from ledger.proofs import RELEASE_PROOFS, Proof, Verdict, prove, verify
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.events import Advice, Fee
from tests.model.facts import HOUSE, Payout

FEE = Fee("A", 202601, 200_00)


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give books with an advice and its claims, an advance, a fee through all its states, a payout and a statement.

    The advice pays 700.00: A's claims of 550.00 less a PLB of 50.00, B's 300.00, C's -100.00.
    """
    books = Books(app, owner)
    advice = Advice("1", {"A": 500_00, "B": 300_00, "C": -100_00})
    funding = books.waiting(advice)
    with unit_of_work(app) as connection:
        for statement in _ADVICE:
            ids = {name: books.owners[name] for name in "ABC"}
            connection.execute(text(statement), {"advice": books.number("1"), **ids})
    books.post(funding)
    books.post(events.fee_assessed(books.fact(), [FEE]))
    books.post(events.fee_collected(books.fact(), [FEE]))
    books.post(events.fee_swept(books.fact(), [FEE]))
    books.release(Payout("p", "A", 100_00))
    books.bank("file", -100_00)
    books.post(events.payout_settled(books.fact(), "file", [("A", "p", 100_00)]))
    books.post(events.held(books.fact(), "B", 10_00))
    with unit_of_work(owner) as connection:
        connection.execute(_STATEMENT)
    return books


_ADVICE = (
    "SELECT ensure_claim_partition('2026-01-10')",
    """INSERT INTO advice (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, file_id,
           set_ordinal, payer_name, method, paid_on, payment_cents, claim_count, claims_cents, plb_cents, byte_start,
           byte_end, state, funded_cents)
       SELECT :advice, '1990000000', 'T1', '0000001', 1, sha256('x'), file_id, 1, 'Payer', 'ACH', '2026-01-10',
              70000, 4, 75000, 5000, 0, 9, 'funded', 70000
       FROM received_file""",
    """INSERT INTO claim_line (paid_on, advice_id, segment, owner_id, rx_number, status, charge_cents, paid_cents,
           patient_cents, payer_claim_number, byte_start, byte_end)
       SELECT '2026-01-10', :advice, segment, owner_id, '123', '1', 90000, cents, 0, 'c' || segment, 0, 9
       FROM (VALUES (5, CAST(:A AS uuid), 25000), (9, :A, 30000), (12, :B, 30000), (15, :C, -10000))
           AS c (segment, owner_id, cents)""",
    """INSERT INTO plb_line (advice_id, segment, pair, owner_id, is_network, payee_id, fiscal_date, reason, reference,
           amount_cents)
       VALUES (:advice, 20, 1, :A, false, '0000001', '20261231', 'WO', 'r', 5000)""",
    "INSERT INTO advice_share SELECT * FROM advice_shares(ARRAY[CAST(:advice AS bigint)])",
    "INSERT INTO share_to_remit SELECT owner_id, advice_id FROM advice_share",
)

_STATEMENT = text("""
    INSERT INTO bank_statement (custodial_account_id, as_of, file_id, closing_cents)
    SELECT 1, '2026-01-10', (SELECT file_id FROM received_file), sum(amount_cents) FROM bank_line
""")


@pytest.fixture
def superuser(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a superuser's session in which no trigger fires."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options="-c search_path=centralpay", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def _prove(books: Books, proof: Proof, owners: Collection[UUID] | None = None) -> Verdict:
    with reading(books.app) as connection:
        return prove(connection, proof, owners)


def test_empty_books_are_good(app: Engine) -> None:
    """With nothing posted every proof holds, over nothing."""
    with reading(app) as connection:
        verdicts = verify(connection)
    assert [verdict.proof for verdict in verdicts] == list(Proof)
    assert all(verdict.holds and verdict.detail == "" and verdict.owners == () for verdict in verdicts)


def test_good_books_are_good(books: Books) -> None:
    """On good books every proof has looked at something and found nothing wrong, for the whole and for each owner."""
    with reading(books.app) as connection:
        verdicts = verify(connection)
    # These books open months and lay members behind the triggers, so that the seal has something to say of them:
    # P11 has tests of its own.
    assert verdicts.pop().proof is Proof.P11
    assert [verdict for verdict in verdicts if not verdict.holds] == []
    assert [verdict for verdict in verdicts if not verdict.checked] == []
    for proof in RELEASE_PROOFS:
        for name, owner in books.owners.items():
            verdict = _prove(books, proof, [owner])
            assert verdict.holds
            assert verdict.checked or (name, proof) in {(HOUSE, Proof.P5), *((n, Proof.P6) for n in ("B", "C", HOUSE))}


def _add(side: str, cents: int, whose: str, *accounts: str) -> str:
    """Give the statement that changes stored balances without a line."""
    names = ", ".join(f"'{account}'" for account in accounts)
    return f"UPDATE balance SET {side}_cents = {side}_cents + {cents} WHERE account IN ({names}) AND {{{whose}}}"  # noqa: S608 (our own words)


_LONE_LINE = """
    INSERT INTO line (owner_id, entry_id, line_no, event, ledger, account, amount_cents, effective_on)
    SELECT owner_id, -1, 1, 'held', 'custody', 'held', 5, '2026-01-10' FROM owner WHERE {B}"""
_COLLECTED_MORE = """
    UPDATE line SET amount_cents = amount_cents - 1 WHERE event = 'fee_collected' AND account = 'fee_withheld'"""
_WAIVED_TOO = """
    UPDATE line SET event = 'fee_waived', account = 'fee_waived'
    WHERE event = 'fee_swept' AND account = 'fee_receivable'"""
_BOTH_SIDES = """
    UPDATE balance SET debit_cents = debit_cents + 1, credit_cents = credit_cents + 1 WHERE account = 'held' AND {B}"""
_NO_LINES = "INSERT INTO balance SELECT owner_id, 'custody', 'levied', 0, 5, 1 FROM owner WHERE {C}"

HARM = {
    "line changed": (Proof.P1, "A", "UPDATE line SET amount_cents = amount_cents + 1 WHERE account = 'cash' AND {A}"),
    "line gone": (Proof.P1, "B", "DELETE FROM line WHERE account = 'held' AND {B}"),
    "lone line": (Proof.P1, "B", _LONE_LINE),
    "promised without a claim to it": (Proof.P2, "A", _add("debit", 1, "A", "advised")),
    "member's cash beside its liabilities": (Proof.P3, "A", _add("debit", 1, "A", "cash")),
    "debt without its advance": (Proof.P3, "C", _add("debit", 500, "C", "operating_advance", "due_available")),
    "member's cash below zero": (Proof.P3, "A", _add("credit", 900_00, "A", "cash")),
    "house that owes more than it has": (Proof.P3, HOUSE, _add("credit", 5_200_01, HOUSE, "cash")),
    "statement that leaves something out": (Proof.P5, "B", _add("credit", 1, "B", "held")),
    "fee that is not the contract's": (Proof.P6, "A", "UPDATE contract SET monthly_fee_cents = 19999"),
    "fee collected beyond what was assessed": (Proof.P6, "A", _COLLECTED_MORE),
    "fee waived and collected": (Proof.P6, "A", _WAIVED_TOO),
    "claim line changed": (Proof.P8, "A", "UPDATE claim_line SET paid_cents = paid_cents + 1 WHERE segment = 5"),
    "claim lines that cancel out": (Proof.P8, "A", "UPDATE claim_line SET paid_cents = 55000 - paid_cents WHERE {A}"),
    "claim line gone": (Proof.P8, "B", "DELETE FROM claim_line WHERE {B}"),
    "take-back of the payer left out": (Proof.P8, "A", "DELETE FROM plb_line"),
    "share that is not the entry": (Proof.P8, "C", "UPDATE advice_share SET claims_cents = -9999 WHERE {C}"),
    "advance that operating does not know": (Proof.P9, "C", _add("credit", 1, "C", "operating_advance")),
    "float that operating does not know": (Proof.P9, HOUSE, _add("credit", 1, HOUSE, "operating_float")),
    "balance that is not its lines": (Proof.P10, "B", _BOTH_SIDES),
    "balance of a line more": (
        Proof.P10,
        "B",
        "UPDATE balance SET version = version + 1 WHERE account = 'held' AND {B}",
    ),
    "balance gone": (Proof.P10, "B", "DELETE FROM balance WHERE account = 'held' AND {B}"),
    "balance of no lines": (Proof.P10, "C", _NO_LINES),
}


@pytest.mark.parametrize(("proof", "whose", "harm"), HARM.values(), ids=HARM.keys())
def test_proof_fails_and_names_whose(
    books: Books, superuser: psycopg.Connection, proof: Proof, whose: str, harm: str
) -> None:
    """A proof that held fails after the harm, names the owner and no other, and fails for that owner when asked."""
    assert _prove(books, proof).holds
    conditions = {name: f"owner_id = '{owner}'" for name, owner in books.owners.items()}
    done = superuser.execute(harm.format(**conditions).encode())
    assert done.rowcount > 0
    verdict = _prove(books, proof)
    assert not verdict.holds
    assert verdict.failing >= 1
    assert verdict.owners == (books.owners[whose],)
    assert verdict.detail
    if proof in RELEASE_PROOFS:
        assert not _prove(books, proof, [books.owners[whose]]).holds
        others = [owner for name, owner in books.owners.items() if name != whose]
        if not (proof is Proof.P9 and whose == HOUSE):  # the float is everybody's matter
            assert _prove(books, proof, others).holds


HARM_TO_ALL = {
    "a bank that closes elsewhere": (Proof.P4, "UPDATE bank_statement SET closing_cents = closing_cents + 1"),
    "a bank line never booked": (Proof.P4, "UPDATE line SET amount_cents = amount_cents - 1 WHERE event = 'debited'"),
    "cash counted on another day": (Proof.P4, "UPDATE bank_line SET as_of = '2026-01-11' WHERE amount_cents < 0"),
    "an advice that pays otherwise": (
        Proof.P7,
        """UPDATE advice SET payment_cents = payment_cents + 1, claims_cents = claims_cents + 1,
               funded_cents = funded_cents + 1""",
    ),
    "an advice funded and not marked so": (Proof.P7, "UPDATE advice SET state = 'accepted'"),
    "an advice said to be funded in part": (Proof.P7, "UPDATE advice SET state = 'accepted', funded_cents = 69999"),
    "an advice marked and not funded": (Proof.P7, "UPDATE line SET event = 'held' WHERE event = 'funded'"),
    "an advice split beyond its sum": (
        Proof.P7,
        "UPDATE line SET amount_cents = amount_cents + 1 WHERE event = 'advised' AND account = 'advised'",
    ),
    "a funding beyond its deposits": (
        Proof.P7,
        "UPDATE line SET amount_cents = amount_cents + 1 WHERE event = 'funded' AND account = 'unmatched_deposit'",
    ),
    "shares that do not make the payment": (Proof.P7, "UPDATE advice_share SET claims_cents = claims_cents + 1"),
}


@pytest.mark.parametrize(("proof", "harm"), HARM_TO_ALL.values(), ids=HARM_TO_ALL.keys())
def test_proof_of_the_whole_fails(books: Books, superuser: psycopg.Connection, proof: Proof, harm: str) -> None:
    """A proof of what belongs to no single owner fails after the harm and says what differs."""
    assert _prove(books, proof).holds
    assert superuser.execute(harm.encode()).rowcount > 0
    verdict = _prove(books, proof)
    assert not verdict.holds
    assert verdict.owners == ()
    assert verdict.detail
