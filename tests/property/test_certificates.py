"""Certificates of random books: each is proven, all together are the population's, and that ties to the bank."""

import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from app.database import Role, connected
from payouts.certificates.kinds import PARTS
from payouts.certificates.model import MemberMonths, PopulationFigures
from payouts.certificates.population import population
from payouts.certificates.reading import members_months
from schemas.errors import CentralpayError
from tests.property.test_statements import DAYS, LIFE, STEP, STORES, Step, take
from tests.support.books import Books
from tests.support.certificates import certifier

EXAMPLES = 60 if os.environ.get("CENTRALPAY_LONG") == "1" else 4
"""Some minutes; without CENTRALPAY_LONG, some seconds."""
SPANS = (
    (date(2026, 10, 1), date(2026, 10, 31)),
    (date(2026, 11, 1), date(2026, 11, 30)),
    (date(2026, 12, 1), date(2026, 12, 31)),
    (date(2026, 11, 1), date(2026, 12, 31)),
    (date(2027, 1, 1), date(2027, 12, 31)),
)


@example(LIFE)
@settings(
    max_examples=EXAMPLES,
    # A database for each example: what fails is told as it is, for making it smaller takes minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(st.tuples(st.integers(0, len(DAYS) - 1), STEP), min_size=4, max_size=14))
def test_certificates_of_random_books_tie(
    new_database: Callable[[], AbstractContextManager[str]], steps: list[tuple[int, Step]]
) -> None:
    """Advices funded or not, adjustments, fees, refunds, payouts, returns, holds, take-backs, reversals, in two years.

    Of every member and span of months nothing is unproven; the members' figures add up to the population's; what was
    kept, bank and 835s are what plain sums of bank lines, advices and fee lines say; the next span opens where one
    closes; and what is issued and sealed is the same.
    """
    with new_database() as url, connected(url, Role.APP) as engine, tempfile.TemporaryDirectory() as folder:
        books = Books(engine, Path(folder))
        books.found(*STORES)
        books.put_in("OWN", 50_000_00, DAYS[0])
        for number, (day, step) in enumerate(sorted(steps, key=lambda each: each[0])):
            # What is refused changes nothing; the books go on.
            with suppress(CentralpayError, IndexError):
                take(books, number, DAYS[day], step)
        closings: dict[date, dict[str, int]] = {}
        with books.begin() as connection:
            for span in SPANS:
                members = list(members_months(connection, None, *span))
                made, faults = population(connection, *span)
                assert ([each.faults for each in members if each.faults], faults) == ([], ())
                _adds_up(members, made)
                _ties(connection, made, *span)
                closings[span[1]] = {each.member.ncpdp_id: each.figures.closing_cents for each in members}
                opened = closings.get(date.fromordinal(span[0].toordinal() - 1))
                if opened is not None:
                    found = {each.member.ncpdp_id: each.figures.opening_cents for each in members}
                    assert found == opened
        assert certifier(books).issue_everybody(*SPANS[3], lambda *_: None) == len(STORES)
        certifier(books).issue_population(*SPANS[3], lambda *_: None)


def _adds_up(members: Iterable[MemberMonths], made: PopulationFigures) -> None:
    """Hold the population's figures against a plain sum of its members'."""
    of = [each.figures for each in members]
    assert made.members == len(of)
    assert made.opening_cents == sum(each.opening_cents for each in of)
    assert made.closing_cents == sum(each.closing_cents for each in of)
    assert made.retained_cents == sum(each.retained_cents for each in of)
    for part in PARTS:
        assert made.changes_cents[part] == sum(each.changes_cents[part] for each in of)
    for each in of:
        assert each.changes_cents["taken_by_payers"] == sum(row.amount_cents for row in each.taken)
        assert each.changes_cents["claims"] == sum(row.claims_cents for row in each.payers)


def _ties(connection: Connection, made: PopulationFigures, from_on: date, to_on: date) -> None:
    """Hold the population's figures against what the bank, the 835s and the fee's account say by themselves."""
    span = {"from_on": from_on, "to_on": to_on}

    def ask(statement: str) -> int:
        return int(connection.execute(text(statement), span).scalar_one())

    lines = "SELECT coalesce(sum(amount_cents), 0) FROM bank_line WHERE as_of BETWEEN :from_on AND :to_on"
    assert (made.bank.in_cents, -made.bank.out_cents) == (
        ask(f"{lines} AND amount_cents > 0"),
        ask(f"{lines} AND amount_cents < 0"),
    )
    assert made.bank.closing_cents == ask("SELECT coalesce(sum(amount_cents), 0) FROM bank_line WHERE as_of <= :to_on")
    # In these books every advice is dated by the day of its payment, and of a zero payment nothing is posted.
    paid = "SELECT coalesce(sum(payment_cents), 0) FROM advice WHERE paid_on BETWEEN :from_on AND :to_on"
    assert sum(each.payment_cents for each in made.remitted) == ask(paid)
    # A fee is swept by the release that collects it, and what is refunded leaves the float: by the house's lines alone.
    kept = """SELECT coalesce(-sum(l.amount_cents), 0) FROM line l JOIN entry e USING (owner_id, entry_id)
        JOIN journal_transaction t USING (transaction_id)
        LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses
        WHERE l.account = 'operating_float' AND coalesce(o.event, l.event) IN ('fee_swept', 'fee_refunded')
          AND l.effective_on BETWEEN :from_on AND :to_on"""
    withheld = """SELECT coalesce(-sum(amount_cents), 0) FROM line WHERE account = 'fee_withheld'
        AND effective_on BETWEEN :from_on AND :to_on"""
    assert made.retained_cents == ask(kept) + ask(withheld)
    income = """SELECT count(*) FROM line JOIN account USING (ledger, account)
        WHERE type = 'income' AND account <> 'fee_revenue'"""
    assert ask(income) == 0
