"""What the database refuses of bank details, contacts, letters and stops: raw SQL, as the application and the owner."""

from datetime import date

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from payouts.accounts.changes import ChangeSource
from payouts.accounts.stops import stop_account
from tests.support.bank_changes import (
    CALLER,
    MONDAY,
    WEDNESDAY,
    approved,
    ask,
    call_back,
    prenoted,
    send_prenote,
    with_contact,
)
from tests.support.books import Books
from tests.support.lives import kept
from tests.support.trade import A, B, Part, remittance

_CHANGE = "UPDATE bank_account_change SET "
_CALL = f"{_CHANGE} called_at = now(), called_on = '2026-11-16', spoke_with = 'x', "
_APPROVED = f"{_CHANGE} state = 'approved', cooling_until = '2026-11-19'"
_ANOTHER = """
    INSERT INTO bank_account_change (member_id, source, routing_number, account_type, sealed_number, last_four,
                                     reason, requested_by, requested_on, state, usable_from)
    SELECT member_id, 'member', '091000019', 'checking', 'x', '1234', 'r', 'mary', '2026-11-16', {}
    FROM member_contact"""
_COLUMNS = "bank_account_id, member_id, in_use, routing_number, account_type, sealed_number, last_four"
_ACCOUNT = f"INSERT INTO bank_account ({_COLUMNS}) "
_UNASKED = f"""
    {_ACCOUNT} SELECT uuidv7(), member_id, '[2020-01-01,2020-02-01)', '091000019', 'checking', 'x', '1234'
    FROM member_contact"""  # noqa: S608 (our own words)
_OF_THE_CHANGE = f"""
    {_ACCOUNT} SELECT bank_account_id, member_id, '[2020-01-01,2020-02-01)', routing_number, account_type,
                      sealed_number, last_four
    FROM bank_account_change"""  # noqa: S608 (our own words)
_BY_RAW_SQL = [
    ("change_is_approved", _APPROVED),
    ("change_takes_its_steps", f"{_CHANGE} state = 'prenoted'"),
    ("change_takes_its_steps", f"{_CHANGE} state = 'live'"),
    ("change_takes_its_steps", f"{_CHANGE} state = 'failed'"),
    ("change_takes_its_steps", f"{_CHANGE} usable_from = '2026-11-17'"),
    ("change_takes_its_steps", f"{_CHANGE} cooling_until = '2026-11-17'"),
    ("change_stays_as_asked", f"{_CHANGE} approval_id = NULL"),
    ("called_at_the_old_number", f"{_CALL} called_by = 'clara', called_number = '2125550199', call_confirmed = true"),
    ("caller_is_not_asker", f"{_CALL} called_by = 'mary', called_number = '3125550100', call_confirmed = true"),
    ("denied_goes_no_further", f"{_CALL} called_by = 'clara', called_number = '3125550100', call_confirmed = false"),
    ("call_is_whole", f"{_CHANGE} call_confirmed = true"),
    ("change_begins_asked", _ANOTHER.format("'approved', NULL")),
    ("change_begins_asked", _ANOTHER.format("'asked', '2026-11-16'")),
    ("one_open_change", _ANOTHER.format("'asked', NULL")),
    ("account_was_asked_for", _UNASKED),
    ("account_was_asked_for", _OF_THE_CHANGE),
    ("contact_only_ends", "UPDATE member_contact SET in_use = '[2020-01-01,2027-01-01)'"),
    (
        "contact_follows",
        """UPDATE member_contact SET in_use = '[2024-01-01,2026-11-01)';
           INSERT INTO member_contact (member_id, in_use, name, telephone, email, recorded_by, recorded_on)
           SELECT member_id, '[2026-11-01,)', 'x', '2125550199', 'x@example.com', 'mary', '2026-11-16'
           FROM member_contact""",
    ),
    ("membership_begins_once", "UPDATE member SET membership = '[2026-11-16,)'"),
    ("notice_stays", "UPDATE notice SET written_at = NULL"),
]


@pytest.fixture
@kept
def house(books: Books) -> Books:
    """Give books with a third person, who calls, and a contact of A from long ago."""
    return with_contact(books)


def _refusal(engine: Engine, statements: str) -> str:
    """Run statements in one transaction that is refused; give the name of what refuses it."""

    def run() -> None:
        with engine.begin() as connection:
            for statement in statements.split(";"):
                connection.execute(text(statement))

    with pytest.raises(DBAPIError) as refused:
        run()
    original = refused.value.orig
    assert isinstance(original, psycopg.Error)
    return original.diag.constraint_name or original.sqlstate or "?"


@pytest.mark.parametrize(("rule", "statements"), _BY_RAW_SQL)
@pytest.mark.parametrize("role", ["app", "owner"])
def test_no_step_is_skipped_by_raw_sql(
    house: Books, request: pytest.FixtureRequest, role: str, rule: str, statements: str
) -> None:
    """A change that is asked for, its call, approval, days and account: as the application and as the owner."""
    ask(house)
    assert _refusal(request.getfixturevalue(role), statements) == rule


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_signature_without_a_call_back_moves_nothing(house: Books, request: pytest.FixtureRequest, role: str) -> None:
    """Though the second person has approved: the member's yes stands in the row, or the change stays asked."""
    ask(house)
    signed = "UPDATE approval SET state = 'approved', decided_by = 'charles', decided_at = now()"
    assert _refusal(request.getfixturevalue(role), f"{signed}; {_APPROVED}") == "call_back_confirmed"


@pytest.mark.parametrize("role", ["app", "owner"])
def test_who_called_does_not_sign(house: Books, request: pytest.FixtureRequest, role: str) -> None:
    """Charles called back and signs, too: the database wants another signature."""
    call_back(house, ask(house), actor="charles")
    signed = "UPDATE approval SET state = 'approved', decided_by = 'charles', decided_at = now()"
    assert _refusal(request.getfixturevalue(role), f"{signed}; {_APPROVED}") == "caller_is_not_approver"


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_contact_is_not_dated_back(house: Books, request: pytest.FixtureRequest, role: str) -> None:
    """Whatever day of writing down is said: not before the last day that the bank reported, the 13th."""
    house.fund(remittance("T1", date(2026, 11, 13), Part(A, (5_00,))))
    dated_back = """
        UPDATE member_contact SET in_use = '[2024-01-01,2026-09-01)';
        INSERT INTO member_contact (member_id, in_use, name, telephone, email, recorded_by, recorded_on)
        SELECT member_id, '[2026-09-01,)', 'x', '2125550199', 'x@example.com', 'mary', '2026-09-01'
        FROM member_contact"""
    assert _refusal(request.getfixturevalue(role), dated_back) == "contact_is_not_dated_back"


def test_a_banks_word_is_about_its_member(house: Books, app: Engine) -> None:
    """A notification about a payment to B asks for nothing of A's."""
    ask(house, source=ChangeSource.BANK)
    house.fund(remittance("T1", date(2026, 11, 13), Part(B, (5_00,))))
    house.propose(date(2026, 11, 13))
    notified = """
        INSERT INTO ach_answer (file_id, line, kind, code, original_trace, answer_trace, amount_cents, received_on,
                                text, treatment, asked_change_id, payout_id)
        SELECT max(file_id), 1, 'change', 'C01', 1, 2, 0, '2026-11-16', '', 'change', 1,
               (SELECT max(payout_id) FROM payout)
        FROM received_file"""
    signed = """
        UPDATE approval SET state = 'approved', decided_by = 'charles', decided_at = now()
        WHERE kind = 'bank_details'"""
    approve = f"{_CHANGE} state = 'approved', usable_from = '2026-11-16'"
    assert _refusal(app, f"{notified}; {signed}; {approve}") == "bank_has_asked"


@pytest.mark.parametrize(
    ("rule", "settles_on", "rest"),
    [
        ("it_waits_for_its_prenote", "'2026-11-18'", "usable_from = '2026-11-20'"),
        ("it_is_known_when_usable", "'2026-11-18'", "usable_from = NULL"),
        ("change_was_tried", "NULL", "usable_from = '2026-11-23'"),
        ("change_was_tried", "'2026-11-19'", "usable_from = '2026-11-25'"),
        ("change_takes_its_steps", "'2026-11-18'", "usable_from = '2026-11-25', cooling_until = '2026-11-16'"),
    ],
)
def test_the_days_of_waiting_are_kept(house: Books, owner: Engine, rule: str, settles_on: str, rest: str) -> None:
    """A prenote settles on Wednesday 2026-11-18: no day before Saturday counts, and no day without a prenote."""
    change = approved(house)
    with house.begin() as connection:
        send_prenote(house, connection, change, WEDNESDAY)
    assert _refusal(owner, f"{_CHANGE} state = 'prenoted', prenote_settles_on = {settles_on}, {rest}") == rule


def test_a_long_cooling_period_is_kept(house: Books, owner: Engine) -> None:
    """Ten banking days from Monday end on 2026-12-01: the prenote alone makes no account usable before that."""
    change = approved(house, cooling_days=10)
    with house.begin() as connection:
        send_prenote(house, connection, change, WEDNESDAY)
    early = "prenote_settles_on = '2026-11-18', usable_from = '2026-11-30'"
    assert _refusal(owner, f"{_CHANGE} state = 'prenoted', {early}") == "it_waits_until_cool"


@pytest.mark.parametrize("role", ["app", "owner"])
def test_no_account_is_used_before_its_day(house: Books, request: pytest.FixtureRequest, role: str) -> None:
    """Usable from Monday 2026-11-23: not from Sunday, not with another number; and not live without an account."""
    prenoted(house)
    engine = request.getfixturevalue(role)

    def begin(day: str, number: str) -> str:
        return f"""
            UPDATE bank_account SET in_use = daterange(lower(in_use), '{day}') WHERE last_four = '0101';
            {_ACCOUNT} SELECT bank_account_id, member_id, daterange('{day}', NULL), routing_number, account_type,
                              {number}, last_four FROM bank_account_change"""  # noqa: S608 (our own words)

    assert _refusal(engine, begin("2026-11-22", "sealed_number")) == "account_was_asked_for"
    assert _refusal(engine, begin("2026-11-23", "'x'")) == "account_was_asked_for"
    assert _refusal(engine, f"{_CHANGE} state = 'live'") == "live_has_its_account"


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("change_stays_as_asked", f"{_CHANGE} routing_number = '071001025'"),
        ("change_stays_as_asked", f"{_CHANGE} requested_on = '2020-01-01'"),
        ("change_stays_as_asked", f"{_CHANGE} sealed_number = 'x'"),
        ("change_stays_as_asked", f"{_CHANGE} spoke_with = 'somebody else'"),
        ("journal_is_append_only", "DELETE FROM bank_account_change"),
        ("journal_is_append_only", "TRUNCATE bank_account_change CASCADE"),
        ("journal_is_append_only", "DELETE FROM member_contact"),
        ("journal_is_append_only", "DELETE FROM notice"),
        ("notice_stays", "UPDATE notice SET body = 'all is well', written_at = now()"),
        ("contact_only_ends", "UPDATE member_contact SET telephone = '2125550199'"),
        (
            "contact_only_ends",
            "UPDATE member_contact SET telephone = '2125550199', in_use = daterange(lower(in_use), '2026-12-01')",
        ),
    ],
)
def test_what_was_written_down_stays(house: Books, owner: Engine, rule: str, statement: str) -> None:
    """Not even the owner of the tables changes what was asked, said in the call, written, or known of a contact."""
    change = ask(house)
    call_back(house, change)
    assert _refusal(owner, statement) == rule


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        (
            "stop_is_lifted_by_an_approver",
            "UPDATE bank_account_stop SET lifted_by = 'clara', lifted_at = now(), lift_reason = 'x'",
        ),
        ("lift_says_why", "UPDATE bank_account_stop SET lifted_by = 'charles', lifted_at = now()"),
        ("stop_is_lifted_once", "UPDATE bank_account_stop SET reason = 'nothing'"),
        ("journal_is_append_only", "DELETE FROM bank_account_stop"),
        (
            "one_open_stop",
            """INSERT INTO bank_account_stop (bank_account_id, stopped_on, reason, stopped_by, stopped_at)
               SELECT bank_account_id, stopped_on, 'x', 'mary', '2020-01-01' FROM bank_account_stop""",
        ),
    ],
)
def test_a_stop_is_lifted_by_an_approver(house: Books, owner: Engine, rule: str, statement: str) -> None:
    """With a reason and once; nothing else of it changes."""
    account = house.ask("SELECT bank_account_id FROM bank_account WHERE last_four = '0101'")[0][0]
    with house.begin() as connection:
        stop_account(connection, account, "R02", on=MONDAY, actor=CALLER)
    assert _refusal(owner, statement) == rule


def test_a_contact_is_not_slipped_in_behind_a_request(books: Books, app: Engine) -> None:
    """The database's clock says when a contact was written down: it is not called for an older request."""
    change = ask(books)
    slipped = """
        INSERT INTO member_contact (member_id, in_use, name, telephone, email, recorded_by, recorded_on, recorded_at)
        SELECT member_id, '[2024-01-01,)', 'x', '2125550199', 'x@example.com', 'mary', '2024-01-01', '2024-01-01'
        FROM bank_account_change"""
    with app.begin() as connection:
        connection.execute(text(slipped))
    assert books.ask("SELECT call_back_number(:change)", change=change) == [(None,)]
