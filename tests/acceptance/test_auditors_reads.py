"""What an auditor reads is written down before it is answered, whatever the command; and shown to whoever asks."""

import json
from datetime import date

import psycopg
import pytest

from tests.support.command import Shell
from tests.support.looking import connect
from tests.support.office import AUDITOR, CHECKER, MAKER, Office
from tests.support.trade import A, B, Part, remittance

DAY = date(2026, 11, 20)


def _noted(office: Office, *words: str) -> list[tuple[str, str, dict[str, object]]]:
    return [(each["actor"], each["what"], each["parameters"]) for each in office.ask("audit", "reads", *words)["reads"]]


def test_every_read_of_an_auditor_is_noted(office: Office) -> None:
    """An auditor asks for balances, a statement and what he may not do; each is noted once, with what it was given.

    What operators and approvers ask is not noted. The list itself, asked for by an auditor, is a read as well.
    """
    office.fund(remittance("T1", DAY, Part(A, (1_000_00,)), Part(B, (500_00,))))
    office.trial_balance()
    office.ask("approvals", "list", user=CHECKER)
    assert _noted(office) == []

    office.ask("ledger", "journal", "--owner", A.ncpdp_id, "--from", "2026-11-20", user=AUDITOR)
    office.ask("ledger", "trial-balance", user=AUDITOR)
    office.ask("float", "deposit", "--bank-reference", "INT1", user=AUDITOR, code=5)
    noted = _noted(office)
    assert [each[:2] for each in noted] == [
        (AUDITOR, "ledger journal"),
        (AUDITOR, "ledger trial-balance"),
        (AUDITOR, "float deposit"),
    ]
    assert noted[0][2] == {"owner": A.ncpdp_id, "from_day": "2026-11-20", "most": 1000}
    assert noted[1][2] == {}
    assert noted[2][2] == {"bank_reference": "INT1"}

    listed = office.ask("audit", "reads", "--user", AUDITOR, user=AUDITOR)["reads"]
    assert [each["what"] for each in listed] == [each[1] for each in noted] + ["audit reads"]
    assert _noted(office, "--user", MAKER) == []
    assert _noted(office, "--to", "2026-01-01") == []
    assert len(_noted(office, "--from", "2026-01-01")) == 4


def test_what_lies_beside_the_books_is_noted_too(office: Office) -> None:
    """The list of registers, the schema, the backups in a folder: noted of an auditor, once each, of nobody else."""
    folder = office.folder / "backups"
    office.ask("db", "backup", str(folder))
    words = (("audit", "registers"), ("db", "status"), ("db", "backups", str(folder)))
    for user in (MAKER, AUDITOR):
        for asked in words:
            office.ask(*asked, user=user)
    assert _noted(office) == [
        (AUDITOR, "audit registers", {}),
        (AUDITOR, "db status", {}),
        (AUDITOR, "db backups", {"root": str(folder)}),
    ]
    with connect(office.shell.database_url) as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION note_read(text, text, jsonb) FROM centralpay_app")
    for asked in words:
        assert "written down first" in office.run(*asked, user=AUDITOR, code=5).err
        office.run(*asked, user=MAKER)


def test_backups_are_listed_where_the_database_is_lost(office: Office) -> None:
    """No server answers: the backups are listed all the same, and that nobody was noted is said."""
    folder = office.folder / "backups"
    made = office.ask("db", "backup", str(folder))["name"]
    lost = Office(Shell(office.shell.home, "postgresql://nobody@127.0.0.1:1/lost"), office.folder)
    outcome = lost.run("db", "backups", str(folder), "--json", user=AUDITOR)
    assert [each["name"] for each in outcome.document["backups"]] == [made]
    assert "It is not noted who asks" in outcome.err


def test_an_auditor_issues_and_runs_nothing(office: Office) -> None:
    """A statement or certificate into a file, or a job: refused with what to do instead, before anything is written.

    A statement for a file was issued, and sealed the books; a job left a run that says that it was refused.
    """
    office.fund(remittance("T1", DAY, Part(A, (1_000_00,))))
    out = office.folder / "out"
    month = ("--month", "2026-11", "--out", str(out))
    span = ("--from", "2026-11-01", "--to", "2026-11-15", "--out", str(out))
    for words, instead in (
        (("statement", "--member", A.ncpdp_id, *span), "centralpay statements again ID"),
        (("statements", "issue", *span), "centralpay statements again ID"),
        (("certificate", "--member", A.ncpdp_id, *month), "centralpay certificates again ID"),
        (("certificates", "population", *month), "centralpay certificates again ID"),
        (("certificates", "issue", *month), "centralpay certificates again ID"),
        (("jobs", "run", "match"), "this needs operator"),
    ):
        assert instead in " ".join(office.run(*words, user=AUDITOR, code=5).err.split())
    assert not out.exists()
    assert office.ask("ledger", "checkpoints")["checkpoints"] == []
    assert office.ask("jobs", "runs")["runs"] == []
    assert office.ask("certificates", "list")["certificates"] == []
    assert office.ask("statement", "--member", A.ncpdp_id, *span[:4], user=AUDITOR)["closing_cents"] == 0


def test_a_note_tells_of_no_person_outside(office: Office) -> None:
    """Whom an auditor named as a contact or as spoken with, and what was left empty, is in no note of the question."""
    whom = ("--name", "Ada Owner", "--telephone", "312-555-0100", "--email", "ada@example.com", "--address", "1 Elm St")
    office.run("members", "contact", A.ncpdp_id, *whom, user=AUDITOR, code=5)
    spoken = ("--number", "312-555-0100", "--spoke-with", "Ada Owner", "--confirmed")
    office.run("bank", "call-back", "1", *spoken, user=AUDITOR, code=5)
    office.shell.run(("close", "--month", "2026-11", "--check"), user=AUDITOR)
    contact, call, close = _noted(office)
    hidden = "***"
    assert contact[1:] == (
        "members contact",
        {"member": A.ncpdp_id, "name": hidden, "telephone": hidden, "email": hidden, "address": hidden},
    )
    assert call[1:] == (
        "bank call-back",
        {"change_id": 1, "number": hidden, "spoke_with": hidden, "confirmed": True},
    )
    assert close[1:] == ("close", {"month": "2026-11", "check": True})


def test_the_screen_shows_them(office: Office) -> None:
    """For people there is a table: when by the bank's clock, who, what, with which parameters."""
    office.run("ledger", "journal", "--owner", A.ncpdp_id, user=AUDITOR)
    shown = office.run("audit", "reads").out
    assert AUDITOR in shown
    assert "ledger journal" in shown
    assert A.ncpdp_id in shown


def test_what_can_not_be_noted_is_not_answered(office: Office) -> None:
    """Where the note can not be written, the auditor gets a refusal and no figure; others go on working."""
    office.fund(remittance("T1", DAY, Part(A, (1_234_00,))))
    with connect(office.shell.database_url) as connection:
        connection.execute("REVOKE EXECUTE ON FUNCTION note_read(text, text, jsonb) FROM centralpay_app")
    refused = office.run("ledger", "trial-balance", "--json", user=AUDITOR, code=5)
    error = json.loads(refused.out)["error"]
    assert error["kind"] == "ReadNotNotedError"
    assert "1234" not in refused.out.replace("1,234", "1234").replace("123400", "1234")
    assert office.trial_balance()


def test_a_read_that_was_noted_stays(office: Office) -> None:
    """Neither the application nor the tables' owner changes or removes a note, and it is a version of the trail."""
    office.ask("ledger", "trial-balance", user=AUDITOR)
    with connect(office.shell.database_url) as connection:
        for change in ("UPDATE examined SET what = 'nothing'", "DELETE FROM examined", "TRUNCATE examined"):
            with pytest.raises(psycopg.DatabaseError, match="of examined is refused"), connection.transaction():
                connection.execute(change.encode())
        told = connection.execute(
            "SELECT content ->> 'what', content ->> 'actor' FROM trail WHERE table_name = 'examined'"
        )
        assert told.fetchall() == [("ledger trial-balance", AUDITOR)]


def test_whether_an_auditors_sql_is_logged_is_said(office: Office) -> None:
    """``db status`` names each login that reads as an auditor, and says of which the server logs nothing.

    What is set for the login in this database comes before what is set for the login.
    """
    assert office.ask("db", "status")["auditor_logins"] == []
    with connect(office.shell.database_url) as connection:
        (database,) = connection.execute("SELECT current_database()::text").fetchone() or ("",)
        assert isinstance(database, str)
        named = [f"{name}_{database}" for name in ("jane", "kate", "lena")]
        for name in named:
            connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE centralpay_auditor".encode())
        connection.execute(f"ALTER ROLE {named[0]} SET log_statement = 'all'".encode())
        connection.execute(f"ALTER ROLE {named[2]} SET log_statement = 'all'".encode())
        connection.execute(f"ALTER ROLE {named[2]} IN DATABASE {database} SET log_statement = 'ddl'".encode())
        connection.commit()
        try:
            said = {each["name"]: each["is_logged"] for each in office.ask("db", "status")["auditor_logins"]}
            shown = office.run("db", "status").out
        finally:
            for name in named:
                connection.execute(f"DROP ROLE {name}".encode())
            connection.commit()
    assert {name: said[name] for name in named} == {named[0]: True, named[1]: False, named[2]: False}
    assert "NOT LOGGED" in shown
