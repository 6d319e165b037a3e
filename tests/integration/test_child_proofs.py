"""Told once and to the cent: what the database refuses of the members' remittances, and the proof behind the guards."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import IntegrityError

from app.database import reading, unit_of_work
from ledger.errors import JournalAppendOnlyError
from ledger.proofs import Proof, Verdict, prove
from payouts.children.model import Form
from payouts.fees.assessment import assess
from payouts.remittances.shares import set_form
from tests.support.books import MAKER, Books
from tests.support.lives import kept
from tests.support.trade import STRANGER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)


@pytest.fixture
@kept
def told(books: Books) -> Books:
    """Give books after a release: A is paid for each of two advices, B combined less its fee, C is told a negative.

    An advice that came later waits, and a stranger's part of the first is the house's.
    """
    books.put_in("OWN", 1_000_00, MONDAY)
    with books.begin() as connection:
        assess(connection, date(2026, 11, 1), MAKER)
        set_form(connection, books.member(A), Form.PER_ADVICE, MAKER)
    parts = Part(A, (600_00, 1_00)), Part(B, (270_00,), (("WO", 20_00),)), Part(STRANGER, (9_00,))
    books.fund(remittance("T1", MONDAY, *parts), day=TUESDAY)
    books.fund(remittance("T2", TUESDAY, Part(A, (400_00,)), Part(C, (-30_00,))))
    books.pay(TUESDAY)
    books.fund(remittance("T3", WEDNESDAY, Part(A, (7_00,)), Part(B, (5_00,))))
    return books


@pytest.fixture
def superuser(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a superuser's session in which no trigger fires and no foreign key is checked."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options="-c search_path=centralpay", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def _proved(books: Books) -> Verdict:
    with reading(books.engine) as connection:
        return prove(connection, Proof.P7)


def test_what_was_told_is_proven(told: Books) -> None:
    """The proof has looked at advices, shares, payouts and remittances, and found nothing wrong."""
    verdict = _proved(told)
    # Three advices and their fundings, six shares of members, three payouts, three remittances.
    assert (verdict.holds, verdict.checked) == (True, 3 + 3 + 6 + 3 + 3)
    told.prove()


_NOT_TOLD = """
    UPDATE child_set SET payout_id = NULL, method = 'NON', payment_cents = 0,
        own_plb_cents = claims_cents - payer_plb_cents
    WHERE payout_id IS NOT NULL"""
_ANOTHERS_CLAIMS = """
    UPDATE child_set SET claims_cents = claims_cents + 1, payment_cents = payment_cents + 1
    WHERE advice_id IS NOT NULL AND payment_cents > 0"""
_AS_A_CLAIM = """
    UPDATE child_set SET claims_cents = claims_cents - payer_plb_cents, payer_plb_cents = 0
    WHERE payer_plb_cents <> 0"""
_ANOTHERS_PAYOUT = "UPDATE payout SET member_id = (SELECT max(member_id::text)::uuid FROM member) WHERE payout_id = 1"

HARM = {
    "told other claims": (_ANOTHERS_CLAIMS, "not told"),
    "told a claim too many": ("UPDATE child_set SET claim_count = 3 WHERE claim_count = 2", "the share is"),
    "told the payer's adjustment as a claim": (_AS_A_CLAIM, "the share is"),
    "told by another cycle": ("UPDATE share_to_remit SET cycle_id = 7 WHERE cycle_id IS NOT NULL", "the share is"),
    "told and not marked": ("UPDATE share_to_remit SET cycle_id = NULL", "not told"),
    "marked and not told": ("UPDATE share_to_remit SET cycle_id = 1 WHERE cycle_id IS NULL", "not told"),
    "a share that would never be told": ("DELETE FROM share_to_remit WHERE cycle_id IS NULL", "the share is"),
    "a set less": ("DELETE FROM child_set WHERE advice_id IS NOT NULL AND set_ordinal = 1", "not told"),
    "told more than is paid": ("UPDATE payout SET amount_cents = amount_cents - 1 WHERE payout_id = 1", "cents paid"),
    "paid and not told": (_NOT_TOLD, "cents paid"),
    "paid to another": (_ANOTHERS_PAYOUT, "cents paid"),
    "own items other than approved": ("UPDATE cycle_own_item SET amount_cents = amount_cents + 1", "approved"),
    "an own item left out": ("DELETE FROM cycle_own_item WHERE reference LIKE 'PSAO-FEE-%'", "approved"),
}


@pytest.mark.parametrize(("harm", "said"), HARM.values(), ids=HARM.keys())
def test_the_proof_fails_after_the_harm(told: Books, superuser: psycopg.Connection, harm: str, said: str) -> None:
    """Behind the backs of guards and keys, whatever is told otherwise than it is owed or paid is found, in words."""
    assert _proved(told).holds
    assert superuser.execute(harm.encode()).rowcount > 0
    verdict = _proved(told)
    assert not verdict.holds
    assert said in verdict.detail


def test_a_share_told_twice_is_found(told: Books, superuser: psycopg.Connection) -> None:
    """Were even the key lost that keeps a share in one set, the children would come to more than the advice."""
    superuser.execute("ALTER TABLE child_set DROP CONSTRAINT share_stands_in_one_set, DROP CONSTRAINT child_set_pkey")
    superuser.execute("ALTER TABLE child_set DROP CONSTRAINT trace_is_one_remittances")
    superuser.execute("INSERT INTO child_set SELECT * FROM child_set WHERE advice_id = 1 LIMIT 1")
    assert "not told" in _proved(told).detail


def _one_more_set(values: str, told_by: str = "child_remittance WHERE file_name LIKE '%02-%'") -> str:
    """Give the statement that adds a ninth set, from its payout on, to a member's file, or to all."""
    return f"INSERT INTO child_set SELECT cycle_id, member_id, 9, {values} FROM {told_by}"  # noqa: S608 (our own words)


_AGAIN = (
    "payout_id, advice_id, 'X', method, claim_count, claims_cents, payer_plb_cents, own_plb_cents, payment_cents",
    "child_set WHERE advice_id = 1 AND claim_count = 1",
)
_ITEM = "INSERT INTO cycle_own_item SELECT cycle_id, member_id, {} FROM cycle_remittance"
_PAYOUT = """
    INSERT INTO payout (cycle_id, member_id, advice_id, amount_cents, fee_cents, bank_account_id)
    SELECT cycle_id, member_id, advice_id, 1, 0, bank_account_id FROM payout WHERE {}"""

REFUSED = {
    "a set that does not balance": (_one_more_set("NULL, NULL, 'X', 'NON', 0, 0, 0, 1, 0"), "child_set_balances"),
    "a payment below zero": (_one_more_set("1, NULL, 'X', 'ACH', 0, 0, 0, 1, -1"), "child_set_payment_cents_check"),
    "money without a payout": (_one_more_set("NULL, NULL, 'X', 'NON', 0, 0, 0, -1, 1"), "money_goes_by_a_payout"),
    "claims of no payer": (_one_more_set("NULL, NULL, 'X', 'NON', 1, 0, 0, 0, 0"), "own_set_has_no_claims"),
    "a share told again": (_one_more_set(*_AGAIN), "share_stands_in_one_set"),
    "one trace number for two": (
        _one_more_set("NULL, NULL, 'X', 'NON', 0, 0, 0, 0, 0", "child_remittance"),
        "trace_is_one_remittances",
    ),
    "an adjustment of nothing": (_ITEM.format("'PSAO-X', 'CS', 0"), "cycle_own_item_amount_cents_check"),
    "an adjustment in a payer's name": (_ITEM.format("'WO-1', 'CS', 1"), "cycle_own_item_reference_check"),
    "a second payout for an advice": (_PAYOUT.format("advice_id = 1"), "payout_is_of_one_advice"),
    "a second combined payout": (_PAYOUT.format("advice_id IS NULL"), "payout_is_of_one_advice"),
}


@pytest.mark.parametrize(("statement", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_the_database_refuses(told: Books, statement: str, rule: str) -> None:
    """What may not be is refused by the table itself, to the application as to anybody."""
    with pytest.raises(IntegrityError, match=rule), unit_of_work(told.engine) as connection:
        connection.execute(text(statement))


TOLD_ANEW = (
    "UPDATE share_to_remit SET cycle_id = NULL WHERE cycle_id IS NOT NULL",
    "UPDATE share_to_remit SET cycle_id = cycle_id",
)


@pytest.mark.parametrize("change", TOLD_ANEW)
def test_a_share_that_was_told_stays_told(told: Books, change: str) -> None:
    """Not even the application can have a share told again."""
    with pytest.raises(JournalAppendOnlyError, match="share_is_told_once"), unit_of_work(told.engine) as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cycle SET children_sha256 = sha256('another')",
        "UPDATE cycle SET nacha_sha256 = sha256('another')",
        "UPDATE cycle SET released_cents = released_cents + 1",
    ],
)
def test_the_files_of_a_release_stay(told: Books, change: str) -> None:
    """A release that is repeated leaves what was sent: not even the application can name other files."""
    with pytest.raises(JournalAppendOnlyError, match="released_files_stay"), unit_of_work(told.engine) as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    "table", ["share_to_remit", "cycle_remittance", "cycle_share", "cycle_own_item", "child_remittance", "child_set"]
)
def test_what_was_told_is_append_only(told: Books, owner: Engine, table: str) -> None:
    """The owner of the tables can neither change nor remove what was frozen or told."""
    assert told.ask(f"SELECT FROM {table}")
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):  # noqa: S608 (our own words)
        with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
            connection.execute(text(statement))
