"""What a member's own login sees of a whole day: all that is its own, nothing else, and no way to see more."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import errors as states

from app.cluster import Cluster
from tests.support.command import Shell
from tests.support.logins import Login, login, member_login
from tests.support.office import Office
from tests.support.rights import OWN_COLUMNS, OWN_ROWS, OWN_VIEWS
from tests.support.trade import A, B, C, Part, remittance

DAY = date(2026, 11, 20)

_OF_MEMBER = {
    "line": "owner_id = {m}",
    "entry": "owner_id = {m}",
    "balance": "owner_id = {m}",
    "advice_share": "owner_id = {m}",
    "standing_line": "owner_id = {m}",
    "statement_line": "owner_id = {m}",
    "member_login": "member_id = {m}",
    "member": "member_id = {m}",
    "contract": "member_id = {m}",
    "payout": "member_id = {m}",
    "payout_fee": "EXISTS (SELECT FROM payout p WHERE p.payout_id = x.payout_id AND p.member_id = {m})",
    "cycle": "EXISTS (SELECT FROM payout p WHERE p.cycle_id = x.cycle_id AND p.member_id = {m})",
    "hold": "member_id = {m} AND kind = 'dispute'",
    "child_remittance": "member_id = {m}",
    "child_set": "member_id = {m}",
    "issued_statement": "member_id = {m}",
    "statement_issue": "EXISTS (SELECT FROM issued_statement s WHERE s.issue_id = x.issue_id AND s.member_id = {m})",
    "journal_transaction": (
        "EXISTS (SELECT FROM entry e WHERE e.transaction_id = x.transaction_id AND e.owner_id = {m})"
    ),
    "certificate": "member_id = {m}",
}
"""What of each table is a member's, said once more by hand; ``x`` is the table, ``{m}`` the member."""


@pytest.fixture
def day(database_url: str, quick_path: Path) -> Office:
    """Give an office after a day: A and B are paid, and some of both is held; C is owed; papers are given out."""
    office = Office(Shell(quick_path / "home", database_url), quick_path)
    office.found(A, B, C)
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("T1", DAY, Part(A, (1_000_00,)), Part(B, (2_000_00,))))
    office.remit(remittance("T2", DAY, Part(C, (700_00,))))
    for store, kind in ((A, "dispute"), (A, "fraud"), (B, "dispute")):
        why = ("--kind", kind, "--reason", "watched by the office", "--authority", "section 7", "--amount", "10.00")
        office.ask("holds", "place", store.ncpdp_id, *why, "--review-on", "2026-12-15", "--date", f"{DAY}")
    # 3,000.00 less two fees of 200.00 and three holds of 10.00.
    assert office.pay(DAY)["total_cents"] == 2_570_00
    out = ("--out", f"{office.folder / 'given'}")
    office.ask("statements", "issue", "--from", "2026-11-01", "--to", "2026-11-30", "--format", "csv", *out)
    office.ask("certificates", "issue", "--month", "2026-11", *out)
    return office


@pytest.fixture
def superuser(cluster: Cluster, database_url: str) -> Iterator[Login]:
    """Give the superuser's connection, for looking things up."""
    with login(cluster, database_url, "centralpay_admin") as connection:
        yield connection


@pytest.fixture
def member_a(cluster: Cluster, database_url: str, superuser: Login, day: Office) -> Iterator[Login]:
    """Give a login that speaks for member A."""
    assert day.folder.exists()
    with member_login(cluster, database_url, superuser, _member(superuser, A.ncpdp_id)) as connection:
        yield connection


def _member(superuser: Login, ncpdp_id: str) -> UUID:
    of = f"FROM member JOIN pharmacy USING (pharmacy_id) WHERE ncpdp_id = '{ncpdp_id}'"
    ((member,),) = superuser.ask(f"SELECT member_id {of}")
    assert isinstance(member, UUID)
    return member


def _rows(who: Login, table: str, condition: str = "true") -> list[str]:
    columns = ", ".join(OWN_COLUMNS[table].split()) if table in OWN_COLUMNS else "*"
    asked = f"SELECT {columns} FROM {table} x WHERE {condition}"  # noqa: S608 (our own words)
    return sorted(str(row) for row in who.ask(asked))


def test_a_member_sees_its_own_of_a_day_and_nothing_else(
    cluster: Cluster, database_url: str, superuser: Login, day: Office
) -> None:
    """Two members and a stranger ask every table: each of the two gets all of its own rows, the stranger none.

    Every table has rows of both, so nothing is hidden by being empty. Of the hold for fraud its member sees nothing.
    """
    assert day.folder.exists()
    assert set(_OF_MEMBER) == OWN_ROWS | set(OWN_COLUMNS) | OWN_VIEWS
    first, second = _member(superuser, A.ncpdp_id), _member(superuser, B.ncpdp_id)
    with (
        member_login(cluster, database_url, superuser, first, "first") as login_a,
        member_login(cluster, database_url, superuser, second, "second") as login_b,
        member_login(cluster, database_url, superuser, None, "nobody") as nobody,
    ):
        for table, condition in _OF_MEMBER.items():
            for who, member in ((login_a, first), (login_b, second)):
                own = _rows(superuser, table, condition.format(m=f"'{member}'"))
                assert own, f"{table} says nothing of {member}"
                assert _rows(who, table) == own, f"{table} of {member}"
            assert _rows(nobody, table) == [], table
        assert login_a.ask("SELECT kind FROM hold") == [("dispute",)]
        assert login_a.ask("SELECT sum(amount_cents) FROM payout") == [(780_00,)]
        assert login_b.ask("SELECT sum(amount_cents) FROM payout") == [(1_790_00,)]


# Ways to see more ----------------------------------------------------------------------------------------------------

_REFUSED = {
    "become the application": "SET ROLE centralpay_app",
    "become the auditor": "SET ROLE centralpay_auditor",
    "become the owner": "SET ROLE centralpay_owner",
    "be another session": "SET SESSION AUTHORIZATION centralpay_app",
    "switch guards off": "SET session_replication_role = replica",
    "look past the policies": "SET row_security = off; SELECT count(*) FROM line",
    "read the past of all": "SET search_path = public; SELECT count(*) FROM centralpay_known.line",
    "set the past": "SELECT known_at(1)",
    "read statistics": "SELECT * FROM pg_statistic",
    "read statistics of several columns": "SELECT * FROM pg_statistic_ext_data",
    "read passwords": "SELECT * FROM pg_authid",
    "read the server's files": "SELECT pg_read_file('PG_VERSION')",
    "list the server's files": "SELECT * FROM pg_ls_waldir()",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "write a file": "COPY line TO '/tmp/line'",
    "make a table of ours": "CREATE TABLE centralpay.own (x int)",
    "make a function for others": "CREATE FUNCTION public.house_id() RETURNS int LANGUAGE sql RETURN 1",
    "make a trigger": (
        "CREATE TRIGGER own BEFORE UPDATE ON line FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "make a policy": "CREATE POLICY own ON line FOR SELECT USING (true)",
    "make a view of ours": "CREATE VIEW centralpay.own AS SELECT 1 AS one",
    "take a policy away": "DROP POLICY own_rows ON line",
    "speak for another": "INSERT INTO member_login VALUES (session_user, house_id())",
    "note reads of others": "SELECT note_read('x', 'y', '{}')",
    "see the trail": "SELECT * FROM trail",
    "see a key that names others": "SELECT fact_key FROM entry",
    "see who acted": "SELECT actor, reason FROM journal_transaction",
    "see why the office holds": "SELECT reason FROM hold",
    "log in anew with more": "ALTER ROLE CURRENT_USER BYPASSRLS",
    "join a group": "GRANT centralpay_auditor TO CURRENT_USER",
}


@pytest.mark.parametrize("way", _REFUSED)
def test_a_member_finds_no_way_to_more(cluster: Cluster, database_url: str, superuser: Login, way: str) -> None:
    """What would widen what a member sees is refused for lack of rights."""
    with member_login(cluster, database_url, superuser, None) as tried:
        _refused(tried, way)


def _refused(tried: Login, way: str) -> None:
    *before, last = _REFUSED[way].split("; ")
    for statement in before:
        tried.connection.execute(statement.encode())
    with pytest.raises(states.InsufficientPrivilege):
        tried.connection.execute(last.encode())


def test_settings_change_nothing(member_a: Login) -> None:
    """Settings that our own functions read, and the path of names, leave a member with its own rows."""
    own = {table: _rows(member_a, table) for table in _OF_MEMBER}
    for name in ("known_size", "known_entry_floor", "known_entry_ceiling", "member_id"):
        member_a.connection.execute(f"SET centralpay.{name} = '999999'".encode())
    for path in ("pg_temp, centralpay", "public, centralpay", "centralpay_known, centralpay"):
        member_a.connection.execute(f"SET search_path = {path}".encode())
        assert {table: _rows(member_a, table) for table in _OF_MEMBER} == own, path


def test_own_objects_that_look_like_ours_change_nothing(member_a: Login) -> None:
    """Temporary tables and functions under our names are a member's own affair: no policy and no view uses them."""
    own = _rows(member_a, "line")
    make = (
        "CREATE TEMP TABLE member_login (role_name name, member_id uuid)",
        "CREATE TEMP TABLE entry AS SELECT gen_random_uuid() AS owner_id, 1::bigint AS transaction_id",
        "CREATE FUNCTION pg_temp.member_of_login() RETURNS uuid LANGUAGE sql RETURN gen_random_uuid()",
    )
    for statement in make:
        member_a.connection.execute(statement.encode())
    member_a.connection.execute("SET search_path = pg_temp, centralpay")
    assert _rows(member_a, "line") == own
    assert member_a.ask("SELECT count(*) FROM centralpay.statement_line") != [(0,)]


def test_a_condition_sees_no_rows_of_others(member_a: Login, superuser: Login) -> None:
    """A function that tells what it is given, as cheap as can be, and a cast that fails, are given own rows alone."""
    member_a.connection.execute("""
        CREATE FUNCTION pg_temp.tell(uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$""")
    told: set[str] = set()
    member_a.connection.add_notice_handler(lambda notice: told.add(str(notice.message_primary)))
    mine = f"{_member(superuser, A.ncpdp_id)}"
    columns = {"line": "owner_id", "payout": "member_id", "hold": "member_id", "member": "member_id"}
    for table, column in columns.items():
        failing = f"CAST(CASE {column}::text WHEN '{mine}' THEN '1' ELSE 'x' END AS int) = 1"
        for condition in (f"pg_temp.tell({column})", failing):
            member_a.ask(f"SELECT count(*) FROM {table} WHERE {condition}")  # noqa: S608 (our own words)
    assert told == {mine}


def test_the_catalogue_tells_nothing_of_rows(
    member_a: Login, superuser: Login, cluster: Cluster, database_url: str
) -> None:
    """Common values, histograms and others' running statements are not shown to a member; its own tables have them."""
    superuser.connection.execute("ANALYZE")
    ours = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname LIKE 'centralpay%'"
    assert superuser.names(ours) >= {"line", "entry", "payout", "member"}
    assert member_a.names(ours) == set()
    with login(cluster, database_url, "centralpay_app") as other:
        other.ask("SELECT count(*) FROM member")
        seen = member_a.names("SELECT query FROM pg_stat_activity WHERE usename = 'centralpay_app'")
    assert seen == {"<insufficient privilege>"}


def test_numbers_of_others_can_not_be_probed(member_a: Login, superuser: Login) -> None:
    """Keys, unique values and references are probed by writing: a member can write nothing, so nothing answers."""
    assert superuser.ask("SELECT count(*) FROM payout") == [(2,)]
    for probe in (
        "INSERT INTO payout (cycle_id, member_id, amount_cents, fee_cents) VALUES (1, house_id(), 0, 0)",
        "INSERT INTO payout_fee VALUES (1, '2026-11-01', 1) ON CONFLICT DO NOTHING",
        "UPDATE payout SET state = state",
        "DELETE FROM payout",
        "SELECT payout_id FROM payout FOR UPDATE",
        "MERGE INTO payout USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            member_a.connection.execute(probe.encode())
