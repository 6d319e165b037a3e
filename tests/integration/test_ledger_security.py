"""Who may do what: rights as they are granted and as they are when tried, rows as each role sees them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from app.cluster import Cluster
from app.database import prepare, unit_of_work
from ledger.errors import FeeNotDueError, LedgerRefusedError
from tests.integration.ledger_story import Books
from tests.model import events
from tests.model.events import Fee
from tests.support.logins import Login, login, member_login
from tests.support.rights import (
    BORROWING,
    CHANGING_COLUMNS,
    HARMLESS,
    KEPT_TABLES,
    OWN_COLUMNS,
    OWN_ROWS,
    OWN_VIEWS,
    READING,
    VIEWS,
    WORKING,
    WORKING_TABLES,
)

ROLES = ("centralpay_app", "centralpay_auditor", "centralpay_member")


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger in which every member has entries, an advice share and claims of a month."""
    books = Books(app, owner)
    books.pay("1", {"A": 500_00, "B": 300_00, "C": -100_00})
    with unit_of_work(app) as connection:
        for statement in _RECEIVED:
            connection.execute(text(statement))
    return books


_RECEIVED = (
    "SELECT ensure_claim_partition('2026-01-10')",
    """INSERT INTO advice (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, file_id,
           set_ordinal, payer_name, method, paid_on, payment_cents, claim_count, claims_cents, plb_cents, byte_start,
           byte_end)
       SELECT 1, '1990000000', 'T1', '0000001', 1, sha256('x'), file_id, 1, 'Payer', 'ACH', '2026-01-10', 0, 0, 0, 0, 0,
              9
       FROM received_file""",
    """INSERT INTO advice_share (owner_id, advice_id, claim_count, claims_cents, plb_cents, lines_sha256)
       SELECT owner_id, 1, 1, 0, 0, sha256('x') FROM owner""",
    """INSERT INTO claim_line (paid_on, advice_id, segment, owner_id, rx_number, status, charge_cents, paid_cents,
           patient_cents, payer_claim_number, byte_start, byte_end)
       SELECT '2026-01-10', 1, 5, owner_id, '123', '1', 0, 0, 0, 'c', 0, 9 FROM owner""",
)


@pytest.fixture
def superuser(cluster: Cluster, database_url: str) -> Iterator[Login]:
    """Give the superuser's connection, for looking things up."""
    with login(cluster, database_url, "centralpay_admin") as connection:
        yield connection


@pytest.fixture
def member_a(cluster: Cluster, database_url: str, superuser: Login, books: Books) -> Iterator[Login]:
    """Give a login that speaks for member A."""
    with member_login(cluster, database_url, superuser, books.owners["A"]) as connection:
        yield connection


# Rights as they are granted ------------------------------------------------------------------------------------------


def _rights(superuser: Login, role: str, right: str) -> set[object]:
    """Name the tables, views and partitions on which a role has a right, on the whole or on a column."""
    rows = superuser.ask(f"""
        SELECT relname FROM pg_class c WHERE relnamespace = 'centralpay'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND has_table_privilege('{role}', oid, '{right}')""")  # noqa: S608 (our own words)
    return {name for (name,) in rows}


def test_what_the_application_may_write(superuser: Login, books: Books) -> None:
    """It inserts into its working tables, changes the columns that states live in, and removes nothing anywhere."""
    assert books.owners
    assert _rights(superuser, "centralpay_app", "INSERT") == WORKING_TABLES
    for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
        assert _rights(superuser, "centralpay_app", right) == set()
    columns = superuser.ask("""
        SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'centralpay'::regnamespace
          AND has_column_privilege('centralpay_app', c.oid, a.attnum, 'UPDATE')
        GROUP BY c.relname""")
    assert {str(table): " ".join(names) for table, names in columns if isinstance(names, list)} == CHANGING_COLUMNS


def test_who_may_only_read(superuser: Login, books: Books) -> None:
    """The auditor reads everything, the member its own tables; neither writes anything."""
    assert books.owners
    everything = superuser.names("""
        SELECT relname FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace AND relkind IN ('r', 'p', 'v')
          AND NOT relispartition""")
    assert everything == WORKING_TABLES | KEPT_TABLES | VIEWS
    assert _rights(superuser, "centralpay_auditor", "SELECT") == everything
    assert _rights(superuser, "centralpay_app", "SELECT") == everything
    assert _rights(superuser, "centralpay_member", "SELECT") == OWN_ROWS | OWN_VIEWS
    for role in ("centralpay_auditor", "centralpay_member"):
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert _rights(superuser, role, right) == set()


def test_nothing_is_granted_on_partitions(superuser: Login, books: Books) -> None:
    """A partition is reached through its table only, with that one's rights."""
    assert books.owners
    partitions = superuser.ask("SELECT relname, relacl FROM pg_class WHERE relispartition AND relkind = 'r'")
    assert partitions == [("claim_line_2026_01", None)]
    for role in ROLES:
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert "claim_line_2026_01" not in _rights(superuser, role, right)


def test_functions_that_borrow_rights_pin_their_path(superuser: Login) -> None:
    """A function that works with its owner's rights names its schema, and temporary objects come last."""
    rows = superuser.ask("""
        SELECT proname, proconfig, pg_get_userbyid(proowner) FROM pg_proc
        WHERE pronamespace = 'centralpay'::regnamespace AND prosecdef ORDER BY proname""")
    assert {name for name, _, _ in rows} == BORROWING
    for _, configuration, proprietor in rows:
        assert isinstance(configuration, list)
        assert "search_path=centralpay, pg_temp" in configuration
        assert proprietor == "centralpay_owner"


def test_guards_pin_their_path(superuser: Login) -> None:
    """Every trigger function names its schema, temporary objects last: what it reads its caller can not put before."""
    rows = superuser.ask("""
        SELECT proname, 'search_path=centralpay, pg_temp' = ANY (proconfig) FROM pg_proc
        WHERE pronamespace = 'centralpay'::regnamespace AND prorettype = 'trigger'::regtype""")
    assert len(rows) > 80
    assert [name for name, is_pinned in rows if not is_pinned] == []


def test_what_tables_ask_is_bound(superuser: Login) -> None:
    """Checks, indexes, policies, defaults and conditions of triggers, at any depth, call what no path leads astray."""
    rows = superuser.ask("""
        WITH RECURSIVE asked AS (
            SELECT d.refobjid AS oid FROM pg_depend d
            LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
            WHERE d.refclassid = 'pg_proc'::regclass AND t.tgfoid IS DISTINCT FROM d.refobjid
              AND d.classid IN ('pg_constraint'::regclass, 'pg_class'::regclass, 'pg_policy'::regclass,
                                'pg_attrdef'::regclass, 'pg_trigger'::regclass)
            UNION SELECT d.refobjid FROM asked a JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = a.oid
            WHERE d.refclassid = 'pg_proc'::regclass)
        SELECT p.proname,
               p.prosqlbody IS NOT NULL OR coalesce('search_path=centralpay, pg_temp' = ANY (p.proconfig), false)
        FROM asked JOIN pg_proc p USING (oid) WHERE p.pronamespace = 'centralpay'::regnamespace""")
    assert {name for name, _ in rows} >= {"member_of_login", "is_payout_schedule", "rx_key", "rx_normal"}
    assert [name for name, is_bound in rows if not is_bound] == []


def _callable(superuser: Login, role: str) -> set[object]:
    rows = superuser.ask(f"""
        SELECT proname FROM pg_proc WHERE pronamespace = 'centralpay'::regnamespace
          AND has_function_privilege('{role}', oid, 'EXECUTE')""")  # noqa: S608 (our own words)
    return {name for (name,) in rows}


def test_who_may_call_what(superuser: Login) -> None:
    """PUBLIC may call nothing, a member what is harmless, the auditor what reads, the application what posts."""
    public = superuser.ask("""
        SELECT proname FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) a
        WHERE pronamespace = 'centralpay'::regnamespace AND a.grantee = 0""")
    assert public == []
    assert _callable(superuser, "centralpay_member") == HARMLESS
    assert _callable(superuser, "centralpay_auditor") == READING
    assert _callable(superuser, "centralpay_app") == WORKING


def test_public_has_no_way_in(superuser: Login) -> None:
    """PUBLIC may neither use our schema nor make anything in any; our roles cannot make anything in ours."""
    rows = superuser.ask("""
        SELECT has_schema_privilege('public', 'centralpay', 'USAGE'),
               has_schema_privilege('public', 'public', 'CREATE'),
               bool_or(has_schema_privilege(role, 'centralpay', 'CREATE'))
        FROM unnest(ARRAY['centralpay_app', 'centralpay_auditor', 'centralpay_member']) AS r (role)""")
    assert rows == [(False, False, False)]


def test_roles_have_no_power_over_the_server(superuser: Login) -> None:
    """None of our roles is a superuser, passes row-level security, or may make roles; the owner does not log in."""
    rows = superuser.ask("""
        SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication, rolcanlogin
        FROM pg_roles WHERE rolname LIKE 'centralpay\\_%' AND rolname <> 'centralpay_admin' ORDER BY 1""")
    assert rows == [
        ("centralpay_app", False, True),
        ("centralpay_auditor", False, True),
        ("centralpay_member", False, False),
        ("centralpay_owner", False, False),
    ]
    owners = superuser.ask("""
        SELECT bool_or(pg_has_role(role, 'centralpay_owner', 'MEMBER'))
        FROM unnest(ARRAY['centralpay_app', 'centralpay_auditor', 'centralpay_member']) AS r (role)""")
    assert owners == [(False,)]


def test_views_use_the_rights_of_who_asks(superuser: Login) -> None:
    """Every view is a security invoker's: none shows a row that its reader could not read."""
    rows = superuser.ask("""
        SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace AND relkind = 'v'""")
    assert {name for name, _ in rows} == VIEWS
    for _, options in rows:
        assert isinstance(options, list)
        assert options[0] in ("security_invoker=true", "security_invoker=on")


# Rights as they are when tried ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["centralpay_app", "centralpay_auditor"])
def test_tables_of_the_ledger_are_closed(cluster: Cluster, database_url: str, books: Books, role: str) -> None:
    """No login writes, empties or locks the ledger's tables, directly or by a partition, or switches a guard off."""
    assert books.owners
    with login(cluster, database_url, role) as session:
        for table in ("journal_transaction", "entry", "line", "balance", "period", "posting_rule", "account"):
            assert session.is_denied(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 0")  # noqa: S608 (our own words)
            assert session.is_denied(f"DELETE FROM {table}")  # noqa: S608 (our own words)
            assert session.is_denied(f"TRUNCATE {table} CASCADE")
            assert session.is_denied(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            assert session.is_denied(f"DROP TABLE {table}")
        assert session.is_denied("UPDATE line SET amount_cents = 1")
        assert session.is_denied("INSERT INTO claim_line_2026_01 SELECT * FROM claim_line LIMIT 0")
        assert session.is_denied("SELECT FROM claim_line_2026_01")
        assert session.is_denied("SET session_replication_role = replica")
        assert session.is_denied("SET ROLE centralpay_owner")
        assert session.is_denied("CREATE TABLE centralpay.own (x int)")
        assert session.is_denied("CREATE FUNCTION public.house_id() RETURNS int LANGUAGE sql RETURN 1")


def test_nobody_who_works_makes_temporary_tables(
    cluster: Cluster, database_url: str, member_a: Login, owner: Engine
) -> None:
    """Only a step of the schema may: a table of one's own would stand before those of the books, and fill the disk."""
    prepare(database_url)  # what an upgrade does first; a database that is copied has none of its rights
    own = "CREATE TEMP TABLE entry (owner_id uuid)"
    assert member_a.is_denied(own)
    for role in ("centralpay_app", "centralpay_auditor"):
        with login(cluster, database_url, role) as session:
            assert session.is_denied(own)
            assert session.is_denied("CREATE FUNCTION pg_temp.house_id() RETURNS int LANGUAGE sql RETURN 1")
    with unit_of_work(owner) as connection:
        connection.execute(text(own))


def test_auditor_reads_and_posts_nothing(cluster: Cluster, database_url: str, books: Books) -> None:
    """The auditor sees every owner's lines and can call nothing that posts."""
    with login(cluster, database_url, "centralpay_auditor") as auditor:
        assert {owner for (owner,) in auditor.ask("SELECT DISTINCT owner_id FROM line")} == set(books.owners.values())
        assert auditor.is_denied("SELECT reverse_transaction('x', 1, 'k', '2026-01-10', 'r')")
        assert auditor.is_denied("SELECT refuse(1, 'a', 'b')")


# Rows as a member sees them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["entry", "line", "balance", "advice_share"])
def test_member_sees_its_own_rows_only(member_a: Login, superuser: Login, books: Books, table: str) -> None:
    """A member's login sees all rows of its own book, and none of another's however it asks."""
    mine, theirs = books.owners["A"], books.owners["B"]
    own = superuser.ask(f"SELECT count(*) FROM {table} WHERE owner_id = '{mine}'")  # noqa: S608 (our own words)
    assert own != [(0,)]
    assert superuser.ask(f"SELECT count(*) FROM {table} WHERE owner_id = '{theirs}'") != [(0,)]  # noqa: S608 (our own words)
    assert member_a.ask(f"SELECT count(*) FROM {table}") == own  # noqa: S608 (our own words)
    assert member_a.ask(f"SELECT DISTINCT owner_id FROM {table}") == [(mine,)]  # noqa: S608 (our own words)
    assert member_a.ask(f"SELECT owner_id FROM {table} WHERE owner_id = '{theirs}'") == []  # noqa: S608 (our own words)
    # An error of division would tell that the other's rows are there; the policy is asked before it.
    is_theirs = f"CASE WHEN owner_id = '{theirs}' THEN 0 ELSE 1 END"
    assert member_a.ask(f"SELECT count(*) FROM {table} WHERE 1 / ({is_theirs}) = 1") == own  # noqa: S608 (our own words)


def test_member_can_not_become_another(member_a: Login, books: Books) -> None:
    """The login decides who a member is: no setting, role or table that it can reach makes it another."""
    mine = books.owners["A"]
    assert member_a.ask("SELECT member_of_login()") == [(mine,)]
    for name in ("centralpay.member_id", "app.member_id", "role.member"):
        member_a.connection.execute(f"SET {name} = '{books.owners['B']}'".encode())
    assert member_a.ask("SELECT DISTINCT owner_id FROM line") == [(mine,)]
    assert member_a.is_denied("SET SESSION AUTHORIZATION centralpay_app")
    assert member_a.is_denied("SET ROLE centralpay_app")
    assert member_a.is_denied("UPDATE member_login SET member_id = member_id")
    assert member_a.is_denied("INSERT INTO member_login VALUES ('x', house_id())")
    assert len(member_a.ask("SELECT * FROM member_login")) == 1
    assert member_a.is_denied("CREATE TEMP TABLE member_login (role_name name, member_id uuid); SELECT FROM claim_line")
    member_a.connection.execute("SET ROLE centralpay_member")
    assert member_a.ask("SELECT DISTINCT owner_id FROM line") == [(mine,)]


def test_member_reads_nothing_else(member_a: Login, superuser: Login) -> None:
    """Everything but its own tables is closed to a member: other tables, views, partitions, and all that posts."""
    names = superuser.names("""
        SELECT relname FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace AND relkind IN ('r', 'p', 'v')""")
    closed = names - OWN_ROWS - set(OWN_COLUMNS) - OWN_VIEWS
    assert {"trail", "approval", "claim_line", "claim_line_2026_01", "bank_account"} <= closed
    for name in closed:
        assert member_a.is_denied(f"SELECT FROM {name}")
    assert member_a.is_denied("SELECT reverse_transaction('x', 1, 'k', '2026-01-10', 'r')")
    assert member_a.is_denied("SELECT fee_due_of_member(house_id(), '2026-01-01')")
    assert member_a.is_denied("SELECT ensure_claim_partition('2026-01-01')")


def test_login_of_no_member_sees_nothing(cluster: Cluster, database_url: str, superuser: Login, books: Books) -> None:
    """A login that is in the members' group and stands for nobody sees no row."""
    assert books.owners
    with member_login(cluster, database_url, superuser, None, "nobody") as nobody:
        for table in OWN_ROWS | OWN_VIEWS:
            assert nobody.ask(f"SELECT * FROM {table}") == []  # noqa: S608 (our own words)
        for table, columns in OWN_COLUMNS.items():
            assert nobody.ask(f"SELECT {columns.replace(' ', ', ')} FROM {table}") == []  # noqa: S608 (our own words)


# Guards that read ----------------------------------------------------------------------------------------------------


def test_row_level_security_is_forced(superuser: Login) -> None:
    """The tables that members read are under row-level security that binds their owner too."""
    rows = superuser.ask("""
        SELECT relname FROM pg_class WHERE relnamespace = 'centralpay'::regnamespace
          AND relrowsecurity AND relforcerowsecurity""")
    assert {name for (name,) in rows} == OWN_ROWS | set(OWN_COLUMNS)


def test_guards_see_the_rows_that_they_guard(books: Books) -> None:
    """A guard works as the owner under forced row-level security; one that saw no rows would let a second fee pass."""
    fee = Fee("A", 202601, 200_00)
    books.post(events.fee_assessed(books.fact(), [fee]))
    for way in (books.post, books.write):
        with pytest.raises(FeeNotDueError):
            way(events.fee_assessed(books.fact(), [fee]))


def test_blind_guards_refuse_everything(superuser: Login, books: Books) -> None:
    """Were the owner's policy lost, the guards would see no line; they then let nothing pass, rather than anything."""
    fee = Fee("A", 202601, 200_00)
    books.post(events.fee_assessed(books.fact(), [fee]))
    superuser.connection.execute("ALTER POLICY all_rows ON line TO centralpay_app")
    superuser.connection.execute("CREATE POLICY blind ON line FOR INSERT TO centralpay_owner WITH CHECK (true)")
    with unit_of_work(books.owner) as connection:
        assert connection.execute(text("SELECT count(*) FROM line")).scalar_one() == 0
    for asked in (events.fee_assessed(books.fact(), [fee]), events.held(books.fact(), "A", 1)):
        with pytest.raises(LedgerRefusedError):
            books.post(asked)
