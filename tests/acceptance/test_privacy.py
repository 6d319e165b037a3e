"""Who the patient is stays in the encrypted vault: no table, no log, no screen and no other file ever holds it.

But one: a pharmacy's own remittance, which its payer's claims are copied into word for word, and which only its owner
can read.
"""

import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.cli.commands import command_tree
from app.cluster import Cluster
from ingest.encryption import load_keyring
from ingest.vault import Vault
from tests.support.bank import own_money, paid_in, paid_out
from tests.support.looking import stored_text
from tests.support.office import CHECKER, MAKER, Office
from tests.support.planting import (
    MARKS,
    PATIENT,
    archives,
    faulty_remittances,
    faulty_statements,
    faulty_tables,
    misplaced_cells,
    other_kinds,
    with_more_of_the_patient,
)
from tests.support.trade import STRANGER, A, B, C, Part, payer_file, remittance, remittance_file, roster_file

DAY = date(2026, 11, 20)
NOT_RUN = {"demo"}
"""Commands that take no file in and show none: the demonstration writes its own."""


class _Ears:
    """Hears everything that the commands of an office print, whatever they end with."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.heard: list[str] = []
        self.commands: set[str] = set()
        self._commands = dict(_commands(command_tree()))

    def run(self, *words: str, user: str = MAKER) -> int:
        """Run a command for people and as JSON."""
        self.commands |= {name for name in self._commands if words[: len(name.split())] == tuple(name.split())}
        for form in ((), ("--json",)):
            outcome = self.office.shell.run((*words, *form), user=user)
            self.heard += [outcome.out, outcome.err]
        return outcome.code

    def ingest(self, *contents: bytes) -> None:
        """Ingest files, with an acknowledgement for each remittance."""
        paths = [str(self.office.save(content)) for content in contents]
        self.run("ingest", "--ack", str(self.office.shell.home / "acks"), *paths)

    def run_the_rest(self) -> None:
        """Run every command that was not run yet: as it is when it asks for nothing, else by its help's example."""
        for name, command in self._commands.items():
            if name in self.commands | NOT_RUN:
                continue
            if any(each.required for each in command.params):
                self.run(*_example(command.help or ""))
            else:
                self.run(*name.split())

    @property
    def silent(self) -> set[str]:
        """The commands that nobody has heard."""
        return set(self._commands) - self.commands - NOT_RUN


def _commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (typer's own copy of click)
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command
    else:
        for name, each in inner.items():
            yield from _commands(each, *path, name)


def _example(help_text: str) -> list[str]:
    """Give the words of the example that a command's help ends with, about our own members."""
    text = help_text.partition("Example: centralpay ")[2].partition("\n\n")[0]
    members = {"1234567": A.ncpdp_id, "2345678": B.ncpdp_id}
    return [str(members.get(word, word)) for word in shlex.split(text)]


def _take_in(ears: _Ears) -> None:
    """Take in what names patients: sound, unbalanced, in conflict, faulty, of strangers, packed, of other kinds."""
    office = ears.office
    parts = Part(A, (100_00, 400_00)), Part(B, (-30_00,), (("WO", 5_00),)), Part(STRANGER, (7_00,))
    sound = with_more_of_the_patient(remittance_file(remittance("PRIVATE1", DAY, *parts, patient=PATIENT)))
    unbalanced = remittance_file(remittance("PRIVATE2", DAY, Part(C, (1_00,)), patient=PATIENT, payment_cents=2_00))
    conflict = remittance_file(remittance("PRIVATE1", DAY, Part(C, (1_00,)), patient=PATIENT))
    ears.ingest(sound, unbalanced, conflict)
    # Each of the others is a payment of its own: what stands in it is judged, not that it was here before.
    others = [*faulty_remittances(sound), *other_kinds(sound)]
    ears.ingest(*(each.replace(b"PRIVATE1", b"FAULTY%02d" % number) for number, each in enumerate(others)))
    ears.ingest(*archives(sound.replace(b"PRIVATE1", b"PRIVATE3")))
    roster, payers = roster_file(office.folder / "r.csv", (A, B, C)), payer_file(office.folder / "p.csv")
    ears.ingest(*faulty_tables(roster.read_bytes()), *faulty_tables(payers.read_bytes()))
    booked = office.bank.statement(DAY, own_money("OWN1", 500_00), paid_in("PRIVATE1", 472_00))
    assert office.receive(booked)["status"] == "accepted"
    ears.ingest(*faulty_statements(booked))
    letter = str(office.save(other_kinds(sound)[0]))
    ears.run("members", "import", letter)
    ears.run("payers", "import", letter)


def _live(ears: _Ears) -> None:
    """Pay the day, and look at all of it."""
    office, home = ears.office, ears.office.shell.home
    office.accept_own_money("OWN1")
    ears.run("match")
    ears.run("fees", "assess", "--month", "2026-11")
    ears.run("cycle", "propose", "--date", f"{DAY}")
    ears.run("cycle", "approve", "1", user=CHECKER)
    ears.run("cycle", "release", "1", "--out", str(home / "out"))
    office.book(date(2026, 11, 23), paid_out("OUT1", 1))
    ears.run("users", "add", "olga", "--role", "operator")
    ears.run("members", "remittance", A.ncpdp_id, "--form", "per_advice")
    ears.run("float", "deposit", "--bank-reference", "INPRIVATE1")
    ears.run("float", "withdraw", "--bank-reference", "OUT1")
    ears.run("approvals", "approve", "1", user=CHECKER)
    ears.run("approvals", "reject", "99", "--reason", "no", user=CHECKER)
    statement = ("statement", "--member", A.ncpdp_id, "--from", "2026-11-01", "--to", "2026-11-30")
    ears.run(*statement, "--out", str(home / "out" / "statement.csv"), "--format", "csv")
    ears.run("reversals", "pair", "1", "1", "--with", "1", "2")
    whom = ("--name", "Ada Owner", "--telephone", "3125550100", "--email", "ada@example.com")
    ears.run("members", "contact", A.ncpdp_id, *whom)
    details = ("--routing", "091000022", "--type", "checking", "--reason", "other bank", "--account-file", "none.txt")
    ears.run("bank", "ask", A.ncpdp_id, *details)
    ears.run("bank", "call-back", "1", "--number", "3125550100", "--spoke-with", "Ada Owner", "--confirmed")
    ears.run("bank", "withdraw", "1", "--reason", "no")
    ears.run("bank", "close", "1", "--reason", "seen")
    ears.run("bank", "show", A.ncpdp_id)
    ears.run("bank", "stop", A.ncpdp_id, "--reason", "closed")
    ears.run("bank", "lift", A.ncpdp_id, "--reason", "open")
    ears.run("bank", "prenotes", "--out", str(home / "out"))
    ears.run("notices", "write", "--out", str(home / "out"))
    ears.run("ach", "show", "1")
    ears.run("ach", "write", "1", "--out", str(home / "out"))
    ears.run("ach", "find", "091000010000001", "--date", f"{DAY}")
    ears.run("cycle", "reverse-payout", "1", "--reason", "duplicate", "--date", f"{DAY}")
    ears.run("exceptions", "resolve", "1", "--action", "replace", "--reason", "as the payer says")
    ears.run("exceptions", "resolve", "1", "--action", "wait", "--reason", "asked the payer")
    ears.run("ledger", "reverse", "1", "--reason", "wrong")
    ears.run("vault", "expire", "--before", "2015-01-01", "--reason", "retention", "--dry-run")
    for words in (
        statement,
        ("exceptions", "list", "--all"),
        ("exceptions", "show", "1"),
        ("approvals", "list", "--all"),
        ("claim", "find", "--rx", "6000000"),
        ("cycle", "show", "1"),
        ("ledger", "verify"),
        ("vault", "verify", "--tidy"),
    ):
        assert ears.run(*words) == 0, words
    # Damage is told, and what is lost is not.
    stored = max((home / "vault").rglob("*.vault"), key=lambda each: each.stat().st_size)
    sealed = stored.read_bytes()
    stored.write_bytes(sealed[:-40] + b"DAMAGE" + sealed[-34:])
    assert ears.run("vault", "verify") == 4
    stored.write_bytes(sealed)
    _by_the_clock(ears)
    ears.run_the_rest()


def _by_the_clock(ears: _Ears) -> None:
    """Let the scheduler take a sound file and a faulty one from the inbox, and clear them away as a person does."""
    ears.run("users", "add", "scheduler", "--role", "operator")
    inbox = ears.office.shell.home / "inbox"
    inbox.mkdir(mode=0o700)
    for trace, payment_cents in (("PRIVATE8", 5_00), ("PRIVATE9", 6_00)):
        told = remittance(trace, DAY, Part(A, (5_00,)), patient=PATIENT, payment_cents=payment_cents)
        path = inbox / trace
        path.write_bytes(with_more_of_the_patient(remittance_file(told)))
        # Written a while ago and renamed now: it is whole.
        os.utime(path, (1_700_000_000, 1_700_000_000))
    ears.run("jobs", "run", "inbox")
    ears.run("scheduler", "--once")
    assert {each.relative_to(inbox).parts[0] for each in inbox.rglob("PRIVATE?")} == {"done", "refused"}
    shutil.rmtree(inbox)


def test_no_patient_leaves_the_vault(
    office: Office, cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a day of files full of patients, what names them is in the vault's plain bytes and in no other place.

    Every command is heard, for people and as JSON; every table is read, every file of the home and of the system's
    folder for temporary files. The members' own 835s name their patients, and are their owner's alone.
    """
    temporary = office.folder / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(office.shell.home)
    ears = _Ears(office)
    with caplog.at_level(0):
        _take_in(ears)
        _live(ears)
    office.prove()
    assert ears.silent == set(), "these commands need an example in their help, or words of their own here"
    said = "\n".join(ears.heard) + caplog.text
    assert "PRIVATE1" in said
    assert [mark for mark in MARKS if mark in said] == []
    _see_the_tables(office)
    _see_the_files(office, temporary)
    log = cluster.data_dir / "server.log"
    assert [mark for mark in MARKS if mark in log.read_text(errors="replace")] == []
    assert set(MARKS) <= _kept_in_the_vault(office)


def test_a_cell_of_a_table_is_not_repeated(office: Office) -> None:
    """A name in a cell where a code belongs is refused by its place, and shown by nobody."""
    roster, payers = roster_file(office.folder / "r.csv", (A, B, C)), payer_file(office.folder / "p.csv")
    ears = _Ears(office)
    ears.ingest(*misplaced_cells(roster.read_bytes()), *misplaced_cells(payers.read_bytes()))
    said = "\n".join([*ears.heard, *(text for _, text in stored_text(office.shell.database_url))])
    assert "quarantined" in said
    assert [mark for mark in MARKS if mark in said] == []


def _see_the_tables(office: Office) -> None:
    """See that no row of any table names a patient, in any schema that is not the server's own."""
    rows = list(stored_text(office.shell.database_url))
    assert any("PRIVATE1" in text for _, text in rows)
    assert {"activity", "received_file", "remittance_set", "exception_case", "claim_line_2026_11"} <= {
        table for table, _ in rows
    }
    assert [(table, mark) for table, text in rows for mark in MARKS if mark in text] == []
    with psycopg.connect(office.shell.database_url) as connection:
        others = connection.execute("""
            SELECT schemaname, relname FROM pg_stat_user_tables WHERE schemaname <> 'centralpay'""").fetchall()
    assert others == []


def _see_the_files(office: Office, temporary: Path) -> None:
    """See that no file names a patient but the members' own 835s, and that those can be read by their owner only."""
    home = office.shell.home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {".ach", ".csv", ".vault", ".999"} <= {path.suffix for path in files}
    told = [path for path in files if any(mark.encode() in path.read_bytes() for mark in MARKS)]
    assert told
    assert {path.parent for path in told} == {home / "out" / "835"}
    assert {path.suffix for path in told} == {".835"}
    kept = [path for path in files if path.suffix != ".key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


def _kept_in_the_vault(office: Office) -> set[str]:
    """Give the marks that the vault's decrypted files hold: nothing was lost either."""
    keyring = load_keyring(environment_key=None, key_file=None, home_keys=office.shell.home / "keys")
    vault = Vault(office.shell.home / "vault", keyring)
    plain = b"".join(vault.open(digest).read() for digest in vault.folder.digests())
    return {mark for mark in MARKS if mark.encode() in plain}
