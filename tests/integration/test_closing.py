"""What the database refuses of closing and reopening a month, whoever asks; and what happens at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.database import DatabaseError, unit_of_work
from ingest.cases import CaseKind, open_case
from ledger.errors import JournalAppendOnlyError, PeriodClosedError
from payouts import decisions
from payouts import own_money as own
from payouts.closing.carrying import Carry
from payouts.closing.errors import (
    CloseUnfinishedError,
    MonthNotProvenError,
    PostedMeanwhileError,
)
from payouts.closing.kinds import RULES, rule_of
from payouts.closing.model import Close, Step, Verdict
from payouts.closing.reading import closes, standing, told
from payouts.closing.reopening import propose_reopening
from payouts.people import approvals
from payouts.people.approvals import ApprovalKind
from tests.support.bank import own_money
from tests.support.books import CHECKER, MAKER, Books
from tests.support.closing import banking_days, closer_of, telling

OCTOBER = date(2026, 10, 1)
AFTER = date(2026, 11, 3)
FIRST = date(2026, 10, 1)
_CLOSE = text("SELECT version, is_new FROM close_period(:month, :day, :actor)")


@pytest.fixture
def october(new_books: Books) -> Books:
    """Give books whose October has every statement, 500.00 of own money, and no member yet."""
    new_books.found()
    for day in banking_days(FIRST, date(2026, 10, 31)):
        lines = [own_money("OWN1", 500_00)] if day == date(2026, 10, 2) else []
        new_books.book(day, *lines)
    approval = _own_money(new_books)
    with new_books.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    return new_books


def _own_money(books: Books) -> int:
    with books.begin() as connection:
        return own.propose_deposit(connection, "OWN1", MAKER)


def _closed(books: Books, auditor: Engine, out: Path | None = None) -> Close:
    return closer_of(books, auditor).close(OCTOBER, AFTER, [], out or books.folder / "closed", telling)


def _lock(connection: Connection, month: date = OCTOBER, day: date = AFTER, actor: str = CHECKER) -> tuple[int, bool]:
    row = connection.execute(_CLOSE, {"month": month, "day": day, "actor": actor}).one()
    return row.version, row.is_new


_CHECK = "INSERT INTO period_check VALUES ('2026-10-01', 1, 1, 'looked', :verdict, 0, 0, 0, 'by a test')"
_TIED = """INSERT INTO period_tie_out
    SELECT '2026-10-01', 1, custodial_account_id, as_of, closing_cents, closing_cents, file_id
    FROM bank_statement
    WHERE as_of >= '2026-10-01' AND as_of < '2026-11-01' AND as_of <> ALL (CAST(:without AS date[]))"""


def _checked(connection: Connection, *, without: tuple[date, ...] = ()) -> None:
    """Write down what a close needs: a check, and each day tied out."""
    _write(connection, _CHECK, verdict="holds")
    _write(connection, _TIED, without=list(without))


def _write(connection: Connection, statement: str, **parameters: object) -> None:
    connection.execute(text(statement), parameters)


def _after_lock(books: Books, statement: str, **parameters: object) -> None:
    """Lock October, and write something in the same transaction."""
    with books.begin() as connection:
        _lock(connection)
        _write(connection, statement, **parameters)


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
    _closed(october, auditor)
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
        _lock(connection, month, day, actor)
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
    _checked(connection, without=(date(2026, 10, 21),))


def _closed_by_hand(books: Books, write: Callable[[Connection], None]) -> None:
    with books.begin() as connection:
        _lock(connection)
        write(connection)


@pytest.mark.parametrize(
    ("write", "rule"),
    [(_nothing, "close_has_checks"), (_without_a_day, "close_ties_out")],
    ids=["no checks", "a day less"],
)
def test_a_close_rests_on_something(october: Books, write: Callable[[Connection], None], rule: str) -> None:
    """Without checks, or with a bank day that is not tied out, the close does not commit."""
    with pytest.raises(PeriodClosedError) as caught:
        _closed_by_hand(october, write)
    assert caught.value.rule == rule
    assert october.ask("SELECT state FROM period WHERE month = '2026-10-01'")[0][0] == "open"


_OTHER_FIGURE = """INSERT INTO period_tie_out SELECT '2026-10-01', 1, custodial_account_id, :day, 1, :booked, file_id
    FROM bank_statement LIMIT 1"""


@pytest.mark.parametrize(
    ("day", "booked", "says"),
    [(date(2026, 10, 30), 2, "books_are_the_banks"), (date(2026, 11, 2), 1, "day_is_of_the_month")],
    ids=["a cent apart", "another month's day"],
)
def test_no_other_figure_ties_out(october: Books, day: date, booked: int, says: str) -> None:
    """A tie-out of a cent's difference can not be written down at all, nor one of a day outside of the month."""
    with pytest.raises(DBAPIError, match=says):
        _after_lock(october, _OTHER_FIGURE, day=day, booked=booked)


@pytest.mark.parametrize("verdict", ["fails", "blocks"])
def test_no_failing_check_is_written_down(october: Books, verdict: str) -> None:
    """A close whose check fails or blocks is none."""
    with pytest.raises(DBAPIError, match="period_check_verdict_check"):
        _after_lock(october, _CHECK, verdict=verdict)


def test_nothing_is_added_to_a_close(october: Books, auditor: Engine) -> None:
    """Checks and tie-outs are written with their close, or not at all."""
    _closed(october, auditor)
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
        _lock(connection)
        _checked(connection)
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        connection.execute(text("INSERT INTO period_checkpoint VALUES ('2026-10-01', 1, :size)"), {"size": before})
    assert caught.value.rule == "period_is_sealed"
    made = closer.close(OCTOBER, AFTER, [], october.folder / "closed", telling)
    assert made.checkpoint_size is not None
    assert made.checkpoint_size > before


def test_a_package_names_what_it_supersedes(october: Books, auditor: Engine) -> None:
    """The first version supersedes nothing; a row that says otherwise is refused."""
    with october.begin() as connection:
        _lock(connection)
        _checked(connection)
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
        assert _lock(connection) == (1, True)
        _checked(connection)


def _lock_at_once(books: Books) -> None:
    with books.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
        _lock(connection)


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
            _lock(closing)
            _checked(closing)
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
    with unit_of_work(owner) as connection:
        connection.execute(text("ALTER TABLE bank_statement DISABLE TRIGGER USER"))
        connection.execute(
            text("UPDATE bank_statement SET closing_cents = closing_cents + 1 WHERE as_of = '2026-10-14'")
        )
        connection.execute(text("ALTER TABLE bank_statement ENABLE TRIGGER USER"))
    with pytest.raises(MonthNotProvenError, match=r"2026-10-14: the bank closes at 500\.01, the books at 500\.00"):
        _closed(october, auditor)
    assert october.ask("SELECT count(*) FROM period_close")[0][0] == 0


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


# Reopening -----------------------------------------------------------------------------------------------------------


def _ask(books: Books, actor: str = MAKER) -> int:
    with books.begin() as connection:
        return propose_reopening(connection, OCTOBER, "late", actor)


@pytest.mark.parametrize("state", ["pending", "rejected"])
def test_only_what_two_people_decided_opens_a_month(october: Books, auditor: Engine, owner: Engine, state: str) -> None:
    """An approval that is pending or rejected opens nothing, not even for the owner of the tables."""
    _closed(october, auditor)
    approval = _ask(october)
    if state == "rejected":
        with october.begin() as connection:
            decisions.decide(connection, approval, CHECKER, approve=False, reason="no")
    with pytest.raises(PeriodClosedError) as caught, unit_of_work(owner) as connection:
        connection.execute(text("SELECT * FROM reopen_period(:approval)"), {"approval": approval})
    assert caught.value.rule == "reopening_is_approved"


def test_an_approval_of_something_else_opens_no_month(october: Books, auditor: Engine, owner: Engine) -> None:
    """Neither an approval of another kind, nor one of another version."""
    _closed(october, auditor)
    with october.begin() as connection:
        other = approvals.propose(connection, ApprovalKind.REOPENING, "2026-10", {"version": 2, "reason": "x"}, MAKER)
    with unit_of_work(owner) as connection:
        connection.execute(
            text(
                "UPDATE approval SET state = 'approved', decided_by = :who, decided_at = now() WHERE approval_id = :id"
            ),
            {"who": CHECKER, "id": other},
        )
    done = october.ask("SELECT approval_id FROM approval WHERE kind = 'float_deposit'")[0][0]
    row = text(
        "INSERT INTO period_reopening (month, version, approval_id, reason, requested_by, approved_by)"
        " VALUES ('2026-10-01', 1, :approval, 'x', 'mary', 'charles')"
    )
    for approval in (other, done):
        with pytest.raises(PeriodClosedError) as caught, unit_of_work(owner) as connection:
            connection.execute(row, {"approval": approval})
        assert caught.value.rule == "reopening_is_approved"


def test_an_unfinished_close_is_finished_before_it_is_opened(october: Books, auditor: Engine) -> None:
    """Locked and not packed yet: first what stood is written, then it may be opened; once, and as a new version."""
    with october.begin() as connection:
        _lock(connection)
        _checked(connection)
        found = standing(connection, OCTOBER)
    assert found is not None
    assert found.step is Step.LOCKED
    with pytest.raises(CloseUnfinishedError):
        _ask(october)
    made = _closed(october, auditor)
    assert made.step is Step.PACKED
    approval = _ask(october)
    with october.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
        assert [each.step for each in closes(connection, OCTOBER)] == [Step.REOPENED]
        assert standing(connection, OCTOBER) is None
    with pytest.raises(PeriodClosedError) as caught, october.begin() as connection:
        connection.execute(text("SELECT * FROM reopen_period(:approval)"), {"approval": approval})
    assert caught.value.rule == "period_is_closed"
    assert _closed(october, auditor).version == 2


def test_an_approval_that_the_world_overtook_opens_nothing(october: Books, auditor: Engine) -> None:
    """Asked for October, and November was closed before it was approved: refused, and October stays closed."""
    _closed(october, auditor)
    approval = _ask(october)
    for day in banking_days(date(2026, 11, 2), date(2026, 11, 30)):
        october.book(day)
    closer_of(october, auditor).close(date(2026, 11, 1), date(2026, 12, 1), [], october.folder / "closed", telling)
    with pytest.raises(Exception, match="while 2026-11 is closed"), october.begin() as connection:
        decisions.decide(connection, approval, CHECKER, approve=True)
    assert october.ask("SELECT state FROM period WHERE month = '2026-10-01'")[0][0] == "closed"
