"""What finds torn sets finds them: each rule is broken on purpose, past all guards of the database."""

from dataclasses import replace
from datetime import date

import psycopg
import pytest

from app.demo.remittance import PayeeAdjustments, PlbPair
from tests.support.books import Books
from tests.support.trade import STRANGER, A, Part, remittance
from tests.support.whole_sets import flaws

DAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        ("DELETE FROM claim_line WHERE segment = (SELECT min(segment) FROM claim_line)", "an advice has all claims"),
        ("DELETE FROM plb_line", "an advice has all PLB amounts"),
        ("UPDATE claim_line SET advice_id = 99", "claims and PLBs are of an advice"),
        ("DELETE FROM advice_share", "the shares of an advice"),
        ("DELETE FROM share_to_remit", "a share of a member"),
        ("DELETE FROM line", "an advice is posted"),
        ("DELETE FROM remittance_set WHERE status = 'accepted'", "an accepted set and its advice"),
        ("DELETE FROM exception_case WHERE kind = 'unknown_payee'", "money of strangers"),
        ("DELETE FROM exception_case WHERE kind = 'network_adjustment'", "an adjustment of the network"),
        ("DELETE FROM exception_case WHERE kind = 'set_conflict'", "a set that was not taken"),
    ],
)
def test_what_is_torn_is_found(books: Books, database_url: str, damage: str, rule: str) -> None:
    """Books in order have no flaw; without one of its parts a set has the flaw that says so."""
    books.remit(remittance("T1", DAY, Part(A, (5, 6), (("WO", 1),)), Part(STRANGER, (7,))))
    books.remit(remittance("T1", DAY, Part(A, (5,))))
    network = remittance("T2", DAY, Part(A, (5,)), payment_cents=2)
    plb = PayeeAdjustments(network.payee.identifier, date(2026, 12, 31), (PlbPair("WO", "X", 3),))
    books.remit(replace(network, adjustments=(plb,)))
    assert flaws(database_url) == {}
    with psycopg.connect(database_url, options="-c search_path=centralpay") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(damage)
    assert [found for found in flaws(database_url) if found.startswith(rule)]
