"""Guards read the books, whatever the caller put in their way: tables of its own, the past, a path without ours.

Each attack is made by raw SQL that names the schema, after the caller has laid a lie before the names that the guard
uses. All were tried without the guards' path, too: what passed then is told.
"""

from collections.abc import Callable, Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.cluster import Cluster
from app.database import unit_of_work
from ledger.errors import LedgerRefusedError
from payouts.accounts.stops import stop_account
from payouts.holding import holds
from schemas.errors import RefusedError
from tests.integration.ledger_mistakes import CASES, Build
from tests.integration.ledger_rows import insert_lines
from tests.integration.ledger_story import Books as Story
from tests.model import events
from tests.model.facts import Transaction
from tests.support.bank_changes import CALLER, with_contact
from tests.support.books import MAKER, Books
from tests.support.logins import Login, login
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
_LEDGER = (
    "account", "advice", "approval", "balance", "bank_line", "contract", "cycle", "disbursement", "entry", "hold",
    "journal_transaction", "line", "member", "owner", "payout", "period", "posting_rule",
)  # fmt: skip
_KNOWN = ("size", "entry_floor", "entry_ceiling", "transaction_floor", "transaction_ceiling", "trail_floor")
Lie = tuple[str, ...]


# Lies ----------------------------------------------------------------------------------------------------------------


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(text(statement))


def _run_alone(engine: Engine, *statements: str) -> None:
    with unit_of_work(engine) as connection:
        _run(connection, *statements)


def _own_tables(connection: Connection, lies: Lie) -> None:
    """Put tables of one's own before those of the books."""
    _run(connection, *lies, "SET LOCAL search_path = pg_temp, centralpay")


def _the_past(connection: Connection, lies: Lie) -> None:
    """Put the schema of the past before that of the present, at a moment when nothing was known yet."""
    del lies  # it needs no table
    _run(connection, *(f"SELECT set_config('centralpay.known_{name}', '0', true)" for name in _KNOWN))
    for name in ("trail_ceiling", "entries_since", "trail_since"):
        _run(connection, f"SELECT set_config('centralpay.known_{name}', '{int(name != 'trail_ceiling')}', true)")
    _run(connection, "SET LOCAL search_path = centralpay_known, centralpay, pg_temp")


def _empty(*tables: str) -> Lie:
    like = "INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING GENERATED INCLUDING INDEXES"
    return tuple(f"CREATE TEMP TABLE {table} (LIKE centralpay.{table} {like})" for table in tables)


def _changed(table: str, change: str) -> Lie:
    return (
        f"CREATE TEMP TABLE {table} AS SELECT * FROM centralpay.{table}",  # noqa: S608 (our own words)
        f"UPDATE pg_temp.{table} SET {change}",  # noqa: S608 (our own words)
    )


Lay = Callable[[Connection, Lie], None]
LIARS = pytest.mark.parametrize("lay", [_own_tables, _the_past], ids=["own tables", "the past"])


def _attack(engine: Engine, lay: Lay, lies: Lie, do: Callable[[Connection], object]) -> None:
    """Do something in one transaction, behind a lie."""
    with unit_of_work(engine) as connection:
        lay(connection, lies)
        do(connection)


@pytest.fixture(autouse=True)
def may_make_tables(cluster: Cluster, database_url: str) -> Iterator[Login]:
    """Let everybody make temporary tables, as an administrator could: the guards do not lean on their lack."""
    with login(cluster, database_url, "centralpay_admin") as superuser:
        superuser.connection.execute(f"GRANT TEMPORARY ON DATABASE {superuser.connection.info.dbname} TO PUBLIC")
        yield superuser


# What the application writes -----------------------------------------------------------------------------------------


def _proposed(books: Books) -> None:
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,))))
    books.propose(TUESDAY)


def _in_transit(books: Books) -> None:
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,))))
    books.pay(TUESDAY)


def _held(books: Books) -> None:
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    order = holds.HoldOrder(books.member(A), holds.HoldKind.REVIEW, "r", "section 4", date(2026, 12, 16), MONDAY)
    with books.begin() as connection:
        holds.place_hold(connection, order, MAKER)
        _run(connection, "INSERT INTO approval (kind, subject, proposed_by) VALUES ('hold_lift', '1', 'mary')")


def _levied(books: Books) -> None:
    order = """INSERT INTO hold (member_id, kind, reason, authority, limit_cents, review_on, placed_on, placed_by)
               SELECT member_id, 'legal', 'r', 'court 7', 500, '2026-12-16', '2026-11-16', 'mary' FROM member LIMIT 1"""
    with books.begin() as connection:
        _run(connection, order, order, "INSERT INTO levy SELECT min(hold_id), 'Sheriff' FROM hold")


def _with_contact(books: Books) -> None:
    with_contact(books).fund(remittance("T1", date(2026, 11, 13), Part(A, (300,))))


def _stopped(books: Books) -> None:
    account = with_contact(books).ask("SELECT bank_account_id FROM bank_account WHERE last_four = '0101'")[0][0]
    with books.begin() as connection:
        stop_account(connection, account, "R02", on=MONDAY, actor=CALLER)


_APPROVED = _changed("approval", "state = 'approved'")
_APP_CASES: list[tuple[str, Callable[[Books], None], Lie, str]] = [
    (
        "cycle_takes_its_steps",
        _proposed,
        _APPROVED,
        """UPDATE centralpay.cycle SET state = 'approved',
               approval_id = (SELECT min(approval_id) FROM centralpay.approval);
           UPDATE centralpay.payout SET state = 'approved'""",
    ),
    (
        "payout_is_as_in_the_ledger",
        _in_transit,
        _empty("line"),
        "UPDATE centralpay.cycle SET state = 'settled'; UPDATE centralpay.payout SET state = 'settled'",
    ),
    (
        "account_was_asked_for",
        _proposed,
        _empty("bank_account", "bank_account_change"),
        """INSERT INTO centralpay.bank_account (member_id, in_use, routing_number, account_type, sealed_number,
                                                last_four)
           SELECT member_id, '[2020-01-01,2020-02-01)', '091000019', 'checking', 'x', '6666' FROM centralpay.member""",
    ),
    (
        "hold_keeps_nothing_at_its_end",
        _held,
        (*_APPROVED, *_empty("line")),
        "UPDATE centralpay.hold SET state = 'lifted', ended_at = now(), approval_id = 1",
    ),
    (
        "levy_is_one_order",
        _levied,
        _empty("hold", "levy"),
        "INSERT INTO centralpay.levy SELECT max(hold_id), 'Sheriff' FROM centralpay.hold",
    ),
    (
        "contact_is_not_dated_back",
        _with_contact,
        _empty("bank_statement", "member_contact"),
        """UPDATE centralpay.member_contact SET in_use = '[2024-01-01,2026-09-01)';
           INSERT INTO centralpay.member_contact (member_id, in_use, name, telephone, email, recorded_by, recorded_on)
           SELECT member_id, '[2026-09-01,)', 'x', '2125550199', 'x@example.com', 'mary', '2026-09-01'
           FROM centralpay.member_contact""",
    ),
    (
        "stop_is_lifted_by_an_approver",
        _stopped,
        _changed("app_user", "role = 'admin'"),
        "UPDATE centralpay.bank_account_stop SET lifted_by = 'clara', lifted_at = now(), lift_reason = 'x'",
    ),
]


@LIARS
@pytest.mark.parametrize(("rule", "prepare", "lies", "attack"), _APP_CASES, ids=[case[0] for case in _APP_CASES])
def test_the_application_misleads_no_guard(
    books: Books, app: Engine, rule: str, prepare: Callable[[Books], None], lies: Lie, attack: str, lay: Lay
) -> None:
    """States, approvals, accounts and orders: each guard refuses by its own rule, as it does without the lie.

    Without the guards' path each of them passed behind tables of one's own, and most behind the past: a cycle was
    approved by nobody, and every member had another bank account for which nobody had asked.
    """
    prepare(books)
    with pytest.raises(RefusedError) as caught:
        _attack(app, lay, lies, lambda connection: _run(connection, *attack.split(";")))
    cause = caught.value.__cause__
    assert isinstance(cause, DBAPIError)
    assert isinstance(cause.orig, psycopg.Error)
    assert cause.orig.diag.constraint_name == rule


# The journal ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def story(app: Engine, owner: Engine) -> Story:
    """Give a ledger with 900.00 payable to A, 100.00 to B, and a deposit of 1.00 that waits."""
    story = Story(app, owner)
    story.pay("start", {"A": 900_00, "B": 100_00})
    story.bank("d", 100)
    return story


_OPEN_MONTHS = "INSERT INTO pg_temp.period (month, state) SELECT month, 'open' FROM centralpay.period"
_RICH = """INSERT INTO pg_temp.balance (owner_id, ledger, account, debit_cents, credit_cents, version)
           SELECT owner_id, ledger, account, 0, 1000000000000, 1 FROM centralpay.balance"""
_ALL_MAY = "INSERT INTO pg_temp.posting_rule SELECT * FROM centralpay.posting_rule"
_BOOKS_OF_ONES_OWN = (*_empty(*_LEDGER), _OPEN_MONTHS, _RICH, _ALL_MAY)


def _ways(story: Story, asked: Transaction) -> list[tuple[Engine, Callable[[Connection], object]]]:
    """Give the two ways into the journal: the application's function, and raw SQL of the tables' owner."""
    return [
        (story.app, lambda connection: story.post_on(connection, asked)),
        (story.owner, lambda connection: story.write_on(connection, asked)),
    ]


_OF_EACH_RULE = {rule: (kind, rule, build) for kind, rule, build in CASES}


@pytest.mark.parametrize(("kind", "rule", "build"), _OF_EACH_RULE.values(), ids=_OF_EACH_RULE)
def test_nobody_misleads_the_journals_guards(
    story: Story, kind: type[LedgerRefusedError], rule: str, build: Build
) -> None:
    """A mistake of each rule of the ledger, by ``post`` and by the tables' owner: refused by the same rule as ever."""
    wrong = build(story)
    before = story.accounts()
    for lay in (_own_tables, _the_past):
        for engine, do in _ways(story, wrong):
            with pytest.raises(LedgerRefusedError) as caught:
                _attack(engine, lay, _BOOKS_OF_ONES_OWN, do)
            assert (type(caught.value), caught.value.rule) == (kind, rule)
    assert story.accounts() == before


def _write_late(story: Story, connection: Connection) -> None:
    story.write_on(connection, events.held(story.fact(), "A", 10_00))


def _keep_too_much(story: Story, connection: Connection) -> None:
    story.write_on(connection, events.held(story.fact(), "A", 900_01), date(2026, 2, 1))


def _add_to_an_old_entry(story: Story, connection: Connection) -> None:
    assert story.owners
    old = connection.execute(text("SELECT * FROM centralpay.line WHERE account = 'due_available' LIMIT 1")).one()
    row = {**old._mapping, "line_no": 91}
    insert_lines(connection, [row, {**row, "line_no": 92, "amount_cents": -old.amount_cents}])


@pytest.mark.parametrize(
    ("rule", "lies", "attack"),
    [
        ("period_is_open", (*_empty("period"), _OPEN_MONTHS), _write_late),
        ("available_is_enough", (*_empty("balance"), _RICH), _keep_too_much),
        ("line_of_a_new_entry", _changed("entry", "xid = pg_current_xact_id()"), _add_to_an_old_entry),
    ],
    ids=["a closed month", "a balance", "an old entry"],
)
def test_one_table_of_ones_own_changes_no_entry(
    story: Story, rule: str, lies: Lie, attack: Callable[[Story, Connection], None]
) -> None:
    """A closed month, a balance and an old entry, each as its own table of the owner says: the books say otherwise.

    Without the guards' path all three were written, and the proofs found them later.
    """
    story.close_period(202601)
    with pytest.raises(LedgerRefusedError) as caught:
        _attack(story.owner, _own_tables, lies, lambda connection: attack(story, connection))
    assert caught.value.rule == rule


@LIARS
def test_what_is_right_goes_into_the_books(story: Story, lay: Lay) -> None:
    """A lie keeps nothing away from the books either: lines and balances are the real ones, and the proofs hold."""
    for place in range(2):
        engine, do = _ways(story, events.held(story.fact(), "A", 10_00))[place]
        _attack(engine, lay, _BOOKS_OF_ONES_OWN, do)
    assert story.balance("A", "held") == 20_00
    assert story.failing() == []


@pytest.mark.parametrize("path", ["''", "pg_catalog", "pg_temp", "centralpay_known", "public"])
def test_a_path_without_ours_changes_nothing(story: Story, path: str) -> None:
    """Append-only by name and in our words, not by chance because a function was not found."""
    with pytest.raises(LedgerRefusedError) as caught:
        _run_alone(story.owner, f"SET LOCAL search_path = {path}", "UPDATE centralpay.line SET amount_cents = 1")
    assert caught.value.rule == "journal_is_append_only"
