"""What the database refuses of closing a month, whoever asks; and what happens at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.database import DatabaseError, unit_of_work
from ingest.bank.bai2_writer import StatementLine
from ingest.cases import CaseKind, open_case
from ledger.errors import JournalAppendOnlyError, PeriodClosedError
from payouts.closing.carrying import Carry
from payouts.closing.errors import (
    MonthNotProvenError,
    PostedMeanwhileError,
)
from payouts.closing.kinds import RULES, rule_of
from payouts.closing.model import Verdict
from payouts.closing.reading import told
from tests.support.bank import WIRE_CREDIT, own_money
from tests.support.books import CHECKER, Books
from tests.support.closing import (
    AFTER,
    CHECK,
    OCTOBER,
    TIED,
    checked,
    closed,
    closer_of,
    live_october,
    lock,
    telling,
    write,
)
from tests.support.lives import kept

_TIED_BUT = """INSERT INTO period_tie_out
    SELECT '2026-10-01', 1, custodial_account_id, as_of, closing_cents, closing_cents, file_id
    FROM bank_statement WHERE as_of >= '2026-10-01' AND as_of < '2026-11-01' AND as_of <> :but"""


@pytest.fixture
@kept
def october(new_books: Books) -> Books:
    """Give books whose October can be closed."""
    live_october(new_books)
    return new_books


def _after_lock(engine: Engine, statement: str, **parameters: object) -> None:
    """Lock October, and write something in the same transaction."""
    with unit_of_work(engine) as connection:
        lock(connection)
        write(connection, statement, **parameters)


# The month's row -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE period SET state = 'closed' WHERE month = '2026-10-01'",
        "UPDATE period SET month = '2050-01-01' WHERE month = '2049-12-01'",
        "DELETE FROM period WHERE month = '2049-12-01'",
        "TRUNCATE period CASCADE",
        "INSERT INTO period (month, state) VALUES ('2050-01-01', 'closed')",
    ],
)
def test_a_month_changes_by_its_records_alone(new_books: Books, owner: Engine, statement: str) -> None:
    """Not even the owner of the table closes, opens, renames or removes a month by hand."""
    assert new_books.folder
    with pytest.raises((PeriodClosedError, JournalAppendOnlyError)), unit_of_work(owner) as connection:
        connection.execute(text(statement))


def test_a_closed_month_is_not_opened_by_hand(october: Books, owner: Engine, auditor: Engine) -> None:
    """A closed month stays closed, whoever writes to its row; and what was written of its close stays as it was."""
    closed(october, auditor)
    with pytest.raises(PeriodClosedError), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE period SET state = 'open' WHERE month = '2026-10-01'"))
    for table in ("period_close", "period_check", "period_tie_out", "period_checkpoint", "period_package"):
        for step in ("DELETE FROM {}", "UPDATE {} SET version = version", "TRUNCATE {} CASCADE"):
            with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
                connection.execute(text(step.format(table)))


@pytest.mark.parametrize(
    ("month", "day", "actor", "rule"),
    [
        (OCTOBER, date(2026, 10, 31), CHECKER, "month_is_over"),
        (date(2026, 11, 1), date(2026, 12, 1), CHECKER, "earlier_month_is_closed"),
        (OCTOBER, AFTER, "olga", "approver_closes"),
        (date(2050, 1, 1), date(2050, 2, 1), CHECKER, "period_is_open"),
    ],
    ids=["not over", "an earlier one is open", "no approver", "no month"],
)
def test_when_the_database_closes_no_month(october: Books, month: date, day: date, actor: str, rule: str) -> None:
    """Before its end, before an earlier month with entries, by nobody who may, and of no month that there is."""
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        lock(connection, month, day, actor)
    assert caught.value.rule == rule


def test_a_row_is_no_way_round_the_function(october: Books, owner: Engine, app: Engine) -> None:
    """The row itself closes, and asks what the function asks; the application may not write it."""
    row = text(
        "INSERT INTO period_close (month, version, from_month, closed_on, closed_by)"
        " VALUES ('2026-11-01', 7, '2026-11-01', '2026-12-01', :actor)"
    )
    with pytest.raises(PeriodClosedError) as caught, unit_of_work(owner) as connection:
        connection.execute(row, {"actor": CHECKER})
    assert caught.value.rule == "earlier_month_is_closed"
    with pytest.raises(DBAPIError, match="permission denied"), unit_of_work(app) as connection:
        connection.execute(row, {"actor": CHECKER})
    assert october.ask("SELECT count(*) FROM period_close")[0][0] == 0


# What a close rests on -----------------------------------------------------------------------------------------------


def _nothing(connection: Connection) -> None:
    assert connection


def _without_a_day(connection: Connection) -> None:
    write(connection, CHECK, verdict="holds")
    write(connection, _TIED_BUT, but=date(2026, 10, 21))


def _from_a_table_of_its_own(connection: Connection) -> None:
    """Put an empty table before the bank's statements."""
    write(connection, "SET LOCAL search_path = pg_temp, centralpay")
    write(connection, "CREATE TEMPORARY TABLE bank_statement (LIKE centralpay.bank_statement) ON COMMIT DROP")
    write(connection, "GRANT SELECT ON bank_statement TO PUBLIC")
    write(connection, CHECK, verdict="holds")


def _without_a_proof(connection: Connection) -> None:
    write(connection, f"{CHECK} WHERE n.name <> 'P3'", verdict="holds")
    write(connection, TIED)


def _with_a_proof_carried(connection: Connection) -> None:
    """A proof is no matter of carrying over."""
    write(connection, f"{CHECK} WHERE n.name <> 'certificates'", verdict="holds")
    write(
        connection, "INSERT INTO period_check VALUES ('2026-10-01', 1, 99, 'certificates', 'carried', 0, 1, 0, 'one')"
    )
    write(connection, TIED)


def _with_an_exception_left_out(connection: Connection) -> None:
    checked(connection)
    open_case(connection, CaseKind.SET_QUARANTINED, "file 1 set 1", 1_00, "by a test")


_CARRY = """INSERT INTO period_carried
    SELECT '2026-10-01', 1, 'exception ' || exception_id, exception_id, kind, subject, amount_cents, detail, 'later',
           true
    FROM exception_case WHERE state = 'open'"""


def _with_a_failed_proof_carried(connection: Connection) -> None:
    """The command carries no such case over; nor does who writes the rows by hand."""
    checked(connection)
    open_case(connection, CaseKind.PROOF_FAILED, "P3", 0, "by a test")
    write(connection, _CARRY)


def _with_a_cycle_left_out(connection: Connection) -> None:
    checked(connection)
    write(
        connection,
        "INSERT INTO cycle (business_date, effective_on, odfi_routing, company_id, company_name, entry_description,"
        " proposed_by) VALUES ('2026-10-30', '2026-11-02', '091000019', '1', 'X', 'X', :actor)",
        actor=CHECKER,
    )


def _with_a_file_half_read(connection: Connection) -> None:
    checked(connection)
    write(
        connection, "UPDATE received_file SET status = 'reading' WHERE file_id = (SELECT min(file_id) FROM bank_line)"
    )


def _closed_by_hand(engine: Engine, put_down: Callable[[Connection], None]) -> None:
    with unit_of_work(engine) as connection:
        lock(connection)
        put_down(connection)


@pytest.mark.parametrize(
    ("put_down", "rule"),
    [
        (_nothing, "close_has_checks"),
        (_without_a_day, "close_ties_out"),
        (_from_a_table_of_its_own, "close_ties_out"),
        (_without_a_proof, "close_has_checks"),
        (_with_a_proof_carried, "close_has_checks"),
        (_with_an_exception_left_out, "close_names_what_is_open"),
        (_with_a_failed_proof_carried, "close_names_what_is_open"),
        (_with_a_cycle_left_out, "close_names_what_is_open"),
        (_with_a_file_half_read, "close_names_what_is_open"),
    ],
    ids=[
        "no checks",
        "a day less",
        "no statements in a table of its own",
        "a proof less",
        "a proof carried over",
        "an exception that nobody carries over",
        "a case of a failed proof",
        "a cycle half done",
        "a file half read",
    ],
)
def test_a_close_rests_on_something(
    october: Books, owner: Engine, put_down: Callable[[Connection], None], rule: str
) -> None:
    """Without all checks, with a bank day not tied out, or something open and not carried over, it does not commit."""
    with pytest.raises(PeriodClosedError) as caught:
        _closed_by_hand(owner, put_down)
    assert caught.value.rule == rule
    assert october.ask("SELECT state FROM period WHERE month = '2026-10-01'")[0][0] == "open"


def test_what_the_bank_booked_later_is_no_matter_of_a_month(october: Books, owner: Engine) -> None:
    """A deposit of November that nobody knows is November's; a file that is half read is carried over by its name."""
    october.book(date(2026, 11, 2), StatementLine(WIRE_CREDIT, 100_00, "LATER", "", "WHOSE"))
    october.match()
    assert len(october.ask("SELECT FROM exception_case WHERE state = 'open'")) == 1

    def put_down(connection: Connection) -> None:
        _with_a_file_half_read(connection)
        write(
            connection,
            "INSERT INTO period_carried VALUES"
            " ('2026-10-01', 1, 'files read', NULL, 'check', 'files read', 0, 'one', 'it is known', true)",
        )

    _closed_by_hand(owner, put_down)
    assert october.ask("SELECT state FROM period WHERE month = '2026-10-01'")[0][0] == "closed"


_OTHER_FIGURE = """INSERT INTO period_tie_out SELECT '2026-10-01', 1, custodial_account_id, :day, 1, :booked, file_id
    FROM bank_statement LIMIT 1"""


@pytest.mark.parametrize(
    ("day", "booked", "says"),
    [(date(2026, 10, 30), 2, "books_are_the_banks"), (date(2026, 11, 2), 1, "day_is_of_the_month")],
    ids=["a cent apart", "another month's day"],
)
def test_no_other_figure_ties_out(october: Books, owner: Engine, day: date, booked: int, says: str) -> None:
    """A tie-out of a cent's difference can not be written down at all, nor one of a day outside of the month."""
    assert october.folder
    with pytest.raises(DBAPIError, match=says):
        _after_lock(owner, _OTHER_FIGURE, day=day, booked=booked)


def test_what_the_books_hold_is_not_told_but_reckoned(october: Books, app: Engine, owner: Engine) -> None:
    """The application can not write a tie-out; it asks for one, and where the bank has a cent more there is none."""
    with pytest.raises(DBAPIError, match="permission denied for table period_tie_out"):
        _after_lock(app, _OTHER_FIGURE, day=date(2026, 10, 30), booked=1)
    _bank_says_a_cent_more(owner)
    with pytest.raises(DBAPIError, match="books_are_the_banks"):
        _after_lock(app, TIED)
    assert october.ask("SELECT count(*) FROM period_close")[0][0] == 0


@pytest.mark.parametrize("verdict", ["fails", "blocks"])
def test_no_failing_check_is_written_down(october: Books, app: Engine, verdict: str) -> None:
    """A close whose check fails or blocks is none."""
    assert october.folder
    with pytest.raises(DBAPIError, match="period_check_verdict_check"):
        _after_lock(app, CHECK, verdict=verdict)


def test_nothing_is_added_to_a_close(october: Books, auditor: Engine) -> None:
    """Checks and tie-outs are written with their close, or not at all."""
    closed(october, auditor)
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        connection.execute(
            text("INSERT INTO period_check VALUES ('2026-10-01', 1, 99, 'later', 'holds', 0, 0, 0, 'by a test')")
        )
    assert caught.value.rule == "close_is_of_now"


# Seal and package ----------------------------------------------------------------------------------------------------


def test_a_close_names_the_checkpoint_that_covers_it(october: Books, auditor: Engine) -> None:
    """No checkpoint but the first that covers the close and every entry of its month is taken down."""
    closer = closer_of(october, auditor)
    closer.sealer.seal(CHECKER, closer.clock())
    before = october.ask("SELECT max(size) FROM seal_checkpoint")[0][0]
    with october.begin() as connection:
        lock(connection)
        checked(connection)
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        connection.execute(text("INSERT INTO period_checkpoint VALUES ('2026-10-01', 1, :size)"), {"size": before})
    assert caught.value.rule == "period_is_sealed"
    made = closer.close(OCTOBER, AFTER, [], october.folder / "closed", telling)
    assert made.checkpoint_size is not None
    assert made.checkpoint_size > before


def test_a_package_names_what_it_supersedes(october: Books, auditor: Engine) -> None:
    """The first version supersedes nothing; a row that says otherwise is refused."""
    with october.begin() as connection:
        lock(connection)
        checked(connection)
    closer = closer_of(october, auditor)
    closer.sealer.seal(CHECKER, closer.clock())
    with october.begin() as connection:
        connection.execute(
            text("INSERT INTO period_checkpoint SELECT '2026-10-01', 1, checkpoint_of_close('2026-10-01', 1)")
        )
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        connection.execute(
            text("INSERT INTO period_package VALUES ('2026-10-01', 1, sha256('x'), sha256('y'), 'charles')")
        )
    assert caught.value.rule == "package_supersedes_the_last"


# At once -------------------------------------------------------------------------------------------------------------


def test_who_posts_is_waited_for(october: Books) -> None:
    """A month into which somebody is posting is closed when that is done, not before."""
    with october.begin() as posting:
        _reversal(posting, october)
        with pytest.raises(DatabaseError, match="lock timeout"):
            _lock_at_once(october)
    with october.begin() as connection:
        assert lock(connection) == (1, True)
        checked(connection)


def _lock_at_once(books: Books) -> None:
    with books.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
        lock(connection)


def _reversal(connection: Connection, books: Books) -> None:
    number = books.ask("SELECT transaction_id FROM journal_transaction WHERE event = 'float_deposited'")[0][0]
    connection.execute(
        text("SELECT * FROM reverse_transaction('mary', :number, 'undo', '2026-10-15', 'a test')"), {"number": number}
    )


def test_who_posts_meanwhile_goes_into_the_next_month(october: Books) -> None:
    """Who wants to post into a month that is being closed waits, is refused, and asked again posts into November."""

    def late() -> None:
        with october.begin() as connection:
            _reversal(connection, october)

    with ThreadPoolExecutor(1) as others:
        with october.begin() as closing:
            lock(closing)
            checked(closing)
            waiting = others.submit(late)
            closing.execute(text("SELECT pg_sleep(0.3)"))
            assert not waiting.done()
        with pytest.raises(PeriodClosedError):
            waiting.result(20)
    late()
    (effective_on,) = october.ask("SELECT effective_on FROM journal_transaction WHERE event = 'reversed'")[0]
    assert effective_on == date(2026, 11, 1)


def test_of_two_who_close_one_is_first(october: Books, auditor: Engine) -> None:
    """Both are told of the same close: one version, one package."""
    with ThreadPoolExecutor(2) as both:
        made = [
            both.submit(
                closer_of(october, auditor).close, OCTOBER, AFTER, [], october.folder / f"closed-{number}", telling
            )
            for number in (1, 2)
        ]
        first, second = (each.result(60) for each in made)
    assert (first.version, second.version) == (1, 1)
    assert first.manifest_sha256 == second.manifest_sha256
    assert october.ask("SELECT count(*) FROM period_close")[0][0] == 1


def test_what_is_posted_while_it_is_proven_is_proven_too(october: Books, auditor: Engine) -> None:
    """Something is posted between the proofs and the lock: the month is proven once more, and closed with it.

    Before: 500.00 of own money at the end of October. After: they are unexplained again, and the close says so.
    """
    times: list[int] = []

    def between() -> None:
        times.append(1)
        if len(times) == 1:
            with october.begin() as connection:
                _reversal(connection, october)

    closer = closer_of(october, auditor, between=between)
    made = closer.close(OCTOBER, AFTER, [], october.folder / "closed", telling)
    with october.begin() as connection:
        checks = {each.name: each for each in told(connection, made).checks}
    assert (checks["deposits unexplained"].verdict, checks["deposits unexplained"].amount_cents) == ("listed", 500_00)
    assert checks["P1"].checked == 5
    assert len(times) == 3, "two readings for proofs, one for the package"


def test_a_month_that_never_rests_is_not_closed(october: Books, auditor: Engine) -> None:
    """Something is posted every time that it is proven: it is not closed, and says so."""
    lines = iter(range(1, 99))

    def between() -> None:
        number = next(lines)
        october.receive(october.bank.statement(date(2026, 10, 31), own_money(f"X{number}", 1_00)), "bank.bai")

    with pytest.raises(PostedMeanwhileError):
        closer_of(october, auditor, between=between).close(OCTOBER, AFTER, [], october.folder / "closed", telling)
    assert october.ask("SELECT count(*) FROM period_close")[0][0] == 0


# Tie-out -------------------------------------------------------------------------------------------------------------


def test_a_cent_that_the_bank_has_not_is_found(october: Books, owner: Engine, auditor: Engine) -> None:
    """A closing balance that is a cent off on one day: not closed, and the day is named with both figures."""
    _bank_says_a_cent_more(owner)
    with pytest.raises(MonthNotProvenError, match=r"2026-10-14: the bank closes at 500\.01, the books at 500\.00"):
        closed(october, auditor)
    assert october.ask("SELECT count(*) FROM period_close")[0][0] == 0


def _bank_says_a_cent_more(owner: Engine) -> None:
    with unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE bank_statement DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE bank_statement SET closing_cents = closing_cents + 1 WHERE as_of = '2026-10-14'")
        )
        connection.execute(text("ALTER TABLE bank_statement ENABLE TRIGGER USER"))


@pytest.mark.parametrize(("cents", "verdict"), [(0, Verdict.HOLDS), (1, Verdict.FAILS)])
def test_an_account_that_was_left(october: Books, owner: Engine, auditor: Engine, cents: int, verdict: Verdict) -> None:
    """An account that the bank closed in September at nothing has no more statements; one that has a cent should."""
    with unit_of_work(owner) as connection:
        write(connection, "ALTER TABLE bank_statement DISABLE TRIGGER USER")
        write(connection, "INSERT INTO custodial_account VALUES (77, '0077', 'sealed')")
        write(
            connection,
            "INSERT INTO bank_statement (custodial_account_id, as_of, file_id, opening_cents, closing_cents)"
            " SELECT 77, '2026-09-30', min(file_id), 0, :cents FROM bank_statement",
            cents=cents,
        )
        write(connection, "ALTER TABLE bank_statement ENABLE TRIGGER USER")
    looked = closer_of(october, auditor).check(OCTOBER, [], telling)
    tie_out = next(each for each in looked.checks if each.name == "bank tie-out")
    assert (tie_out.verdict, "0077" in tie_out.detail) == (verdict, cents != 0)


@pytest.mark.parametrize(("method", "verdict"), [("wire", Verdict.BLOCKS), ("check", Verdict.HOLDS)])
def test_a_check_is_cashed_later(october: Books, owner: Engine, auditor: Engine, method: str, verdict: Verdict) -> None:
    """A wire of October that the bank has not debited blocks the close; a check that nobody has cashed does not."""
    with unit_of_work(owner) as connection:
        write(connection, "ALTER TABLE disbursement DISABLE TRIGGER USER")
        write(
            connection,
            "INSERT INTO disbursement (kind, owner_id, subject, payee, method, amount_cents, state, proposed_by,"
            " released_on) "
            "VALUES ('refund', house_id(), '1', 'A PAYER', :method, 100, 'released', 'mary', '2026-10-30')",
            method=method,
        )
        write(connection, "ALTER TABLE disbursement ENABLE TRIGGER USER")
    looked = closer_of(october, auditor).check(OCTOBER, [], telling)
    assert next(each.verdict for each in looked.checks if each.name == "payouts in transit") is verdict


# Exceptions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_kind_has_its_rule(kind: CaseKind) -> None:
    """Whether a month is closed with it stands in one table, with the reason."""
    assert RULES[kind.value].why
    assert rule_of("something new").blocks


@pytest.mark.parametrize("kind", list(CaseKind))
def test_every_open_exception_is_judged(october: Books, auditor: Engine, kind: CaseKind) -> None:
    """One that blocks stands in the way, and is carried over by name alone, if at all; another is carried always."""
    with october.begin() as connection:
        open_case(connection, kind, "something", 1_00, "a test")
    case_id = october.ask("SELECT exception_id FROM exception_case")[0][0]
    rule, closer = rule_of(kind.value), closer_of(october, auditor)
    found = closer.check(OCTOBER, [], telling)
    (check,) = (each for each in found.checks if each.name == f"exceptions: {kind.value}")
    expected = Verdict.LISTED if not rule.blocks else Verdict.BLOCKS if rule.carriable else Verdict.FAILS
    assert check.verdict is expected
    assert len(found.carried) == (not rule.blocks)
    if rule.blocks and rule.carriable:
        found = closer.check(OCTOBER, [Carry(str(case_id), "known")], telling)
        assert [(each.reason, each.by_name) for each in found.carried] == [("known", True)]
        assert found.of(Verdict.BLOCKS) == ()
