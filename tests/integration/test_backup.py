"""Backups that are whole or none, and a restore that believes nothing."""

import fcntl
import json
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
import pytest

from app.cluster import Cluster
from app.database import Role, connected, downgrade, reading, unit_of_work
from app.running.backup import back_up, copy_keys
from app.running.backup_folder import BackupFolder
from app.session import Session
from app.settings import Settings
from tests.support.command import Outcome, Shell
from tests.support.killing import moments, work
from tests.support.office import MAKER, Office
from tests.support.trade import A, B, C, Part, remittance

DAY = date(2026, 11, 20)
OLDER = "2026_11_22_0003"


@dataclass(frozen=True)
class Kept:
    """A home, a backup of it, and its keys."""

    office: Office
    root: Path
    keys: Path

    @property
    def name(self) -> str:
        """The backup's name."""
        (name,) = BackupFolder(self.root).backups()
        return name

    def copy(self, to: Path) -> Path:
        """Copy the folder of backups, to be damaged."""
        shutil.copytree(self.root, to)
        return to

    def restore(self, home: Path, root: Path, *words: str, keys: Path | None = None) -> Outcome:
        """Restore into a home."""
        given = ("--keys", str(keys or self.keys))
        return Shell(home, "").run(("db", "restore", str(root), *given, *words), user=MAKER)


@pytest.fixture(scope="module")
def kept(cluster: Cluster) -> Iterator[Kept]:
    """Give an office with an embedded database and some trade, backed up once; it lies in the run's own folder."""
    folder = Path(tempfile.mkdtemp(dir=cluster.data_dir.parent))
    with Cluster(folder / "home" / "postgres").running():
        office = Office(Shell(folder / "home", ""), folder)
        office.found(A, B, C)
        office.put_in("OWN1", 1_000_00, DAY)
        office.fund(remittance("KEPT1", DAY, Part(A, (900_00,)), Part(B, (50_00,))))
        kept = Kept(office, folder / "backups", folder / "keys")
        office.ask("db", "backup", str(kept.root), "--keys", str(kept.keys))
        yield kept


def empty(home: Path) -> bool:
    """Tell whether a home is as it was before anything was restored into it."""
    return not home.exists() or not list(home.iterdir())


def test_nobody_else_may_read_a_backup_and_no_key_is_in_it(kept: Kept) -> None:
    """Folders are 0700 and files 0600, apart from the keys' too; the key's text is in no file of the backup."""
    paths = [kept.root, kept.keys, *kept.root.rglob("*"), *kept.keys.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    key = (kept.office.shell.home / "keys" / "master.key").read_bytes().strip()
    assert (kept.keys / "master.key").read_bytes().strip() == key
    assert [path for path in kept.root.rglob("*") if path.is_file() and key in path.read_bytes()] == []


def test_the_manifest_says_what_the_backup_is(kept: Kept) -> None:
    """Release, server, schema step, place in the log, the sizes and hashes of files, and the trial balance's totals."""
    (said,) = kept.office.ask("db", "backups", str(kept.root))["backups"]
    assert said["name"] == kept.name
    assert (said["made_by"], said["release"], said["kind"]) == (MAKER, "0.1.0", "base_backup")
    assert said["schema_step"] == kept.office.ask("db", "status")["current"]
    assert said["start_lsn"] != said["end_lsn"]
    assert {each["name"] for each in said["pieces"]} == {
        "backup_manifest",
        "base.tar.gz",
        "pg_wal.tar.gz",
        "vault.list",
    }
    totals = {(each["ledger"], each["account"]): each for each in said["books"]["totals"]}
    cash = totals["custody", "cash"]
    assert cash["debit_cents"] - cash["credit_cents"] == 1_950_00


@pytest.mark.parametrize("file", ["base.tar.gz", "pg_wal.tar.gz", "backup_manifest", "vault.list", "manifest.json"])
def test_a_changed_byte_is_found_before_anything_is_restored(kept: Kept, quick_path: Path, file: str) -> None:
    """Whichever file it is in: exit code 3, the file is named, the home stays empty."""
    root, home = kept.copy(quick_path / "copy"), quick_path / "home"
    path = root / kept.name / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    outcome = kept.restore(home, root)
    assert outcome.code == 3, outcome.err
    assert file in outcome.err
    assert "Nothing was restored" in outcome.err
    assert empty(home)


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_damaged_file_of_the_vault_is_found(kept: Kept, quick_path: Path, damage: str) -> None:
    """A stored file that is another, or is not there: exit code 3, the home stays empty."""
    root, home = kept.copy(quick_path / "copy"), quick_path / "home"
    path = max((root / "objects").rglob("*"), key=lambda each: each.stat().st_size if each.is_file() else 0)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.unlink()
    if damage == "changed":
        path.write_bytes(content)
    outcome = kept.restore(home, root)
    assert outcome.code == 3, outcome.err
    assert path.name in outcome.err
    assert empty(home)


def test_a_file_that_is_missing_is_found(kept: Kept, quick_path: Path) -> None:
    """Without its database a backup is none."""
    root = kept.copy(quick_path / "copy")
    (root / kept.name / "base.tar.gz").unlink()
    outcome = kept.restore(quick_path / "home", root)
    assert outcome.code == 3
    assert "no such file" in outcome.err


def test_another_key_does_not_open_it(kept: Kept, quick_path: Path) -> None:
    """A key that is not the backup's is refused by its id before anything is restored; so is none."""
    home, other = quick_path / "home", quick_path / "keys"
    other.mkdir()
    (other / "master.key").write_text("A" * 43 + "=\n", encoding="ascii")
    outcome = kept.restore(home, kept.root, keys=other)
    assert outcome.code == 2
    (said,) = kept.office.ask("db", "backups", str(kept.root))["backups"]
    assert said["key_ids"][0] in outcome.err
    assert empty(home)
    outcome = Shell(home, "").run(("db", "restore", str(kept.root)), user=MAKER)
    assert outcome.code == 2
    assert "--keys" in outcome.err
    assert empty(home)


def test_nothing_is_ever_written_over(kept: Kept, quick_path: Path) -> None:
    """A home with anything in it is refused: exit code 5; empty folders are nothing."""
    home = quick_path / "home"
    (home / "vault").mkdir(parents=True)
    (home / "vault" / "mine").touch()
    outcome = kept.restore(home, kept.root)
    assert outcome.code == 5
    assert "not empty (vault)" in outcome.err
    assert (home / "vault" / "mine").exists()
    (home / "vault" / "mine").unlink()
    assert kept.restore(home, kept.root).code == 0


def test_a_restore_that_was_killed_is_begun_again(kept: Kept, quick_path: Path) -> None:
    """What it left is cleared away: it had begun in an empty home, and the database takes its name last."""
    home = quick_path / "home"
    building = home / "restoring"
    (building / "vault").mkdir(parents=True)
    (building / "begun-in-an-empty-home").touch()
    (home / "keys").mkdir()
    (home / "keys" / "master.key").touch()
    assert kept.restore(home, kept.root).code == 0
    assert not building.exists()


@pytest.mark.parametrize(
    ("backups", "keys"), [("home/backups", "keys"), ("backups", "backups/keys"), ("safe/backups", "safe")]
)
def test_backups_keys_and_home_stay_apart(kept: Kept, quick_path: Path, backups: str, keys: str) -> None:
    """Neither in the home, nor one in the other; nothing is made."""
    home = kept.office.shell.home
    places = [home.parent / backups if backups.startswith("home") else quick_path / backups, quick_path / keys]
    outcome = kept.office.run("db", "backup", str(places[0]), "--keys", str(places[1]), code=2)
    assert "home" in outcome.err
    assert not places[0].exists()


def test_keys_that_lie_there_already_are_kept(kept: Kept, quick_path: Path) -> None:
    """A folder with the key of older backups gets the current one in front of it."""
    older = "A" * 43 + "="
    (quick_path / "keys").mkdir()
    (quick_path / "keys" / "master.key").write_text(older + "\n", encoding="ascii")
    kept.office.run("db", "backup", str(quick_path / "backups"), "--keys", str(quick_path / "keys"))
    current = (kept.keys / "master.key").read_text(encoding="ascii")
    assert (quick_path / "keys" / "master.key").read_text(encoding="ascii") == current + older + "\n"


def test_only_one_backup_is_made_at_a_time(kept: Kept, quick_path: Path) -> None:
    """The second is refused with a sentence: exit code 5."""
    root = quick_path / "backups"
    root.mkdir()
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another backup" in kept.office.run("db", "backup", str(root), code=5).err
    assert kept.office.ask("db", "backup", str(root))["new_vault_files"] > 0


def test_an_older_backup_survives_a_rotation(quick_path: Path) -> None:
    """A file under another master key is another object: both backups of the folder restore, each with its key."""
    home, root = quick_path / "home", quick_path / "backups"
    with Cluster(home / "postgres").running():
        office = Office(Shell(home, ""), quick_path)
        office.found(A)
        office.remit(remittance("TURN1", DAY, Part(A, (1_00,))))
        office.ask("db", "backup", str(root), "--keys", str(quick_path / "old"))
        key = home / "keys" / "master.key"
        old = key.read_text(encoding="ascii")
        key.write_text("B" * 42 + "A=\n" + old, encoding="ascii")
        office.run("vault", "rotate")
        key.write_text("B" * 42 + "A=\n", encoding="ascii")
        second = office.ask("db", "backup", str(root), "--keys", str(quick_path / "new"))
        assert second["new_vault_files"] == second["vault_files"] > 0
    newest, oldest = BackupFolder(root).backups()
    for name, keys in ((oldest, "old"), (newest, "new")):
        shell = Shell(quick_path / f"home-{keys}", "")
        words = ("db", "restore", str(root), "--name", name, "--keys", str(quick_path / keys), "--json")
        assert shell.run(words, user=MAKER).document["vault"]["counts"]["sound"] == second["vault_files"]


def test_a_killed_backup_is_never_taken_for_a_good_one(kept: Kept, quick_path: Path) -> None:
    """Killed at four moments: what is listed is whole, what was left is cleared away by the next, which succeeds."""
    root = quick_path / "backups"
    words = ("db", "backup", str(root))
    shell = Shell(kept.office.shell.home, "")
    watched = Shell(shell.home, Cluster(shell.home / "postgres").url("centralpay"))
    _, duration_s = _timed(shell, watched, words)
    for number, moment in enumerate(moments(20261122, 4, duration_s)):
        before = BackupFolder(root).backups()
        _, _ = _timed(shell, watched, words, kill_after_s=moment)
        for name in set(BackupFolder(root).backups()) - set(before):
            outcome = kept.restore(quick_path / f"home-{number}", root, "--name", name)
            assert outcome.code == 0, outcome.err
    assert shell.run(words, user=MAKER).code == 0
    assert not list(root.glob("*.making"))
    home = quick_path / "home"
    assert kept.restore(home, root).code == 0


def _timed(
    shell: Shell, watched: Shell, words: tuple[str, ...], kill_after_s: float | None = None
) -> tuple[Outcome, float]:
    """Run a command of an embedded home, killed or not; it is watched by its server's own address."""

    class Both(Shell):
        def environment(self, user: str | None) -> dict[str, str]:
            return shell.environment(user)

    try:
        return work(Both(shell.home, watched.database_url), words, kill_after_s)
    except psycopg.OperationalError as error:
        # The server is held by this process and has to be there: its own last words say what ended it.
        error.add_note((shell.home / "postgres" / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:])
        raise


def test_another_server_is_copied_as_rows_and_put_back_in_a_home_or_a_server(
    database_url: str, quick_path: Path
) -> None:
    """A dump by URL, restored into an embedded home, and into the empty database of a second server.

    The transaction numbers of both go on after those that the rows name, so no old entry can pass for a new one.
    """
    office = Office(Shell(quick_path / "home", database_url), quick_path)
    office.found(A, B, C)
    office.put_in("OWN1", 1_000_00, DAY)
    office.fund(remittance("ROWS1", DAY, Part(A, (900_00,)), Part(B, (50_00,))))
    before = office.trial_balance()
    root, keys = quick_path / "backups", quick_path / "keys"
    made = office.ask("db", "backup", str(root), "--keys", str(keys))
    assert made["kind"] == "dump"

    home = quick_path / "embedded"
    embedded = Office(Shell(home, ""), quick_path, office.bank, 100)
    restored = embedded.ask("db", "restore", str(root), "--keys", str(keys))
    assert (restored["same_books"], all(each["holds"] for each in restored["proofs"])) == (True, True)
    with Cluster(home / "postgres").running():
        url = Cluster(home / "postgres").url("centralpay")
        _see_numbers(url, made)
        assert _rights(url) == _rights(database_url)
        assert embedded.trial_balance() == before
        embedded.fund(remittance("ROWS2", DAY, Part(C, (700_00,))))
        embedded.prove()

    second = Cluster(quick_path / "second", throwaway=True)
    try:
        url = second.start()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE other")
        other = Shell(quick_path / "other-home", second.url("other"))
        outcome = other.run(("db", "restore", str(root), "--keys", str(keys), "--json"), user=MAKER)
        assert outcome.code == 0, outcome.err
        assert outcome.document["same_books"] is True
        _see_numbers(second.url("other"), made)
        assert _rights(second.url("other")) == _rights(database_url)
        again = Shell(quick_path / "third-home", second.url("other"))
        outcome = again.run(("db", "restore", str(root), "--keys", str(keys)), user=MAKER)
        assert (outcome.code, "has a schema" in outcome.err) == (5, True)
    finally:
        second.discard()


def _see_numbers(url: str, made: dict[str, dict[str, int]]) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)").fetchone()
        newest = connection.execute("SELECT max(CAST(CAST(xid AS text) AS bigint)) FROM centralpay.entry").fetchone()
    assert row is not None
    assert newest is not None
    assert row[0] >= made["books"]["next_xid"] > newest[0]


def _rights(url: str) -> list[tuple[object, ...]]:
    """List everything of the schema with its owner, its rights and its guards."""
    with psycopg.connect(url, options="-c search_path=centralpay") as connection:
        return connection.execute(_RIGHTS).fetchall()


_RIGHTS = """
SELECT 'function', p.oid::regprocedure::text, p.proowner::regrole::text, p.prosecdef,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a)
FROM pg_proc p WHERE p.pronamespace = 'centralpay'::regnamespace
UNION ALL
SELECT 'relation', c.oid::regclass::text, c.relowner::regrole::text, c.relforcerowsecurity,
       (SELECT array_agg(a::text ORDER BY a::text)
        FROM unnest(coalesce(c.relacl,
                 acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a)
FROM pg_class c WHERE c.relnamespace = 'centralpay'::regnamespace
UNION ALL
SELECT 'trigger', t.tgrelid::regclass || ' ' || t.tgname, t.tgenabled::text, false, NULL
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'centralpay'::regnamespace AND NOT t.tgisinternal
UNION ALL
SELECT 'constraint', c.conrelid::regclass || ' ' || c.conname, pg_get_constraintdef(c.oid), c.convalidated, NULL
FROM pg_constraint c WHERE c.connamespace = 'centralpay'::regnamespace
ORDER BY 1, 2, 3
"""


def test_a_base_backup_is_not_put_into_another_server(kept: Kept, quick_path: Path) -> None:
    """It is a whole server's files; said plainly, and nothing is restored."""
    second = Cluster(quick_path / "second", throwaway=True)
    try:
        second.start()
        shell = Shell(quick_path / "home", second.url())
        outcome = shell.run(("db", "restore", str(kept.root), "--keys", str(kept.keys)), user=MAKER)
        assert outcome.code == 2
        assert "byte by byte" in outcome.err
        assert empty(quick_path / "home")
    finally:
        second.discard()


def test_a_manifest_of_somebody_else_is_refused(kept: Kept, quick_path: Path) -> None:
    """A manifest that was edited, with the same form, is not the one that was written."""
    root = kept.copy(quick_path / "copy")
    path = root / kept.name / "manifest.json"
    document = json.loads(path.read_bytes())
    document["manifest"] = document["manifest"].replace('"made_by": "mary"', '"made_by": "eve"')
    path.write_text(json.dumps(document), encoding="utf-8")
    outcome = kept.restore(quick_path / "home", root)
    assert outcome.code == 3
    assert empty(quick_path / "home")


def test_a_backup_of_an_older_release_is_put_back_at_its_own_step(quick_path: Path) -> None:
    """The schema is left as it is; the books are compared, the proofs wait for ``db upgrade``; then all holds.

    The backup is made as an older release would have made it: the commands of this one bring a home up to date first.
    """
    home, root, keys = quick_path / "home", quick_path / "backups", quick_path / "keys"
    cluster = Cluster(home / "postgres")
    with cluster.running():
        office = Office(Shell(home, ""), quick_path)
        office.found(A)
        office.fund(remittance("OLD1", DAY, Part(A, (1_00,))))
        url = cluster.url("centralpay")
        downgrade(url, OLDER)
        settings = Settings(home=home)
        with connected(url, Role.APP) as app, connected(url, Role.AUDITOR) as auditor:
            session = Session(
                settings, MAKER, partial(unit_of_work, app), partial(reading, auditor), settings.keyring()
            )
            made = back_up(session, root, lambda *_: None)
            copy_keys(session, root, keys)
    assert made.manifest.schema_step == OLDER
    restored = Shell(quick_path / "new", "").run(
        ("db", "restore", str(root), "--keys", str(keys), "--json"), user=MAKER
    )
    assert restored.code == 0, restored.err
    assert restored.document["schema"] == OLDER
    assert restored.document["pending"]
    assert (restored.document["same_books"], restored.document["proofs"]) == (True, None)
    office = Office(Shell(quick_path / "new", ""), quick_path)
    assert office.ask("db", "status")["current"] == OLDER
    assert office.ask("db", "upgrade")["pending"] == []
    office.prove()
