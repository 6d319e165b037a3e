"""Keeping an installation alive: ``db backup``, ``db restore``, ``db backups``, ``health``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app import database
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.cli.setup import db
from app.cli.vault import show_check
from app.cli.verify import show_verdicts
from app.exit_codes import ExitCode
from app.running.backup import Made, Told, back_up, copy_keys
from app.running.backup_folder import BackupFolder
from app.running.health import Watch, health_json
from app.running.manifest import Manifest
from app.running.restore import Restored, look, put_back
from app.session import Session, acting_user, bank_clock, note_read, opened
from app.settings import PREFIX, Settings
from ingest.vault.report import Condition
from ledger.reads import ReadNotNotedError
from ledger.snapshot import Total
from payouts.people.users import OPERATORS, require
from schemas.errors import CentralpayError

Root = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of backups; not in the home.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    db.command("backup")(backup)
    db.command("backups")(backups)
    db.command("restore")(restore)
    app.command("health")(show_health)


def backup(
    root: Root,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR2", help="Copy the master keys there, apart from DIR.")
    ] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Back up the database and the vault while everybody goes on working; each time into a folder of its own in DIR.

    The vault's files are sealed and are copied once for all backups of DIR. The database is not sealed: it names
    pharmacies, and prescriptions by number, no patient. The master keys are never in DIR.

    Example: centralpay db backup ../backups --keys ../keys-elsewhere
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        kept = None if keys is None else copy_keys(session, root, keys.absolute())
        with _telling("backup") as told:
            made = back_up(session, root.absolute(), told)
        where = _where_keys_are(session, kept)
    if as_json:
        said = {"place": str(made.place), "new_vault_files": made.new_objects, "keys": str(kept) if kept else None}
        print_json(said | _manifest_json(made.manifest))
        return
    _show_backup(made)
    SCREEN.print(where, soft_wrap=True)


def backups(root: Root, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the backups in DIR that are whole, newest first.

    They are listed where the database is lost, too: then nobody can be told from an auditor, and nothing is noted.

    Example: centralpay db backups ../backups
    """
    _note_where_books_are(Settings.from_environment(), as_user)
    folder = BackupFolder(root.absolute())
    found = [folder.manifest(name) for name in folder.backups()]
    if as_json:
        print_json({"backups": [_manifest_json(each) for each in found]})
        return
    print_table("Backups", _COLUMNS, [_row(each) for each in found])


def _note_where_books_are(settings: Settings, as_user: str | None) -> None:
    if settings.database_url is None and not (settings.postgres_dir / "PG_VERSION").exists():
        return
    try:
        with database.opened(settings) as url:
            note_read(settings, url, as_user)
    except ReadNotNotedError:
        raise
    except CentralpayError as error:
        warn(f"It is not noted who asks: {error}")


def restore(
    root: Root,
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR2", help="The folder that the master keys were copied to.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Which backup; else the newest.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Put a backup into an empty CENTRALPAY_HOME, start it, prove it, and compare its books with the backup's.

    The schema is left at the step that it has. Exit code 4: something does not hold.

    Example: centralpay db restore ../backups --keys ../keys-elsewhere
    """
    settings = Settings.from_environment()
    with _telling("restore") as told:
        manifest = put_back(settings, root.absolute(), name, keys and keys.absolute(), told)
        restored = look(settings, manifest, acting_user(settings, as_user), bank_clock(), told)
    if as_json:
        print_json(_restored_json(restored))
    else:
        _show_restored(settings, restored)
    if not (restored.is_same and (restored.holds or restored.schema.pending)):
        raise typer.Exit(ExitCode.PROOF_FAILED)


def show_health(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Say whether the installation is well, as /healthz does. Exit code 4: a proof fails; 1: anything else.

    Example: centralpay health
    """
    with opened(as_user, warn) as session:
        seen = Watch(session).health()
    if as_json:
        print_json(health_json(seen))
    else:
        rows = [[each.name.value, "well" if each.ok else "NOT WELL", each.value, each.limit] for each in seen.checks]
        print_table("Health", ["what", "is", "found", "limit"], rows)
    if seen.failing_proofs:
        raise typer.Exit(ExitCode.PROOF_FAILED)
    if not seen.ok:
        raise typer.Exit(ExitCode.FAILED)


@contextmanager
def _telling(label: str) -> Iterator[Told]:
    """Show a bar that says what is in hand."""
    with progress(label, None) as bar:

        def told(step: str, done: int, total: int) -> None:
            bar.step(step)
            bar.at(done, total)

        yield told


def _where_keys_are(session: Session, kept: Path | None) -> str:
    if kept is not None:
        return f"The master keys are in {kept}. Keep them apart from the backup; without them it can not be read."
    settings = session.settings
    if settings.master_key is not None:
        place = f"only in {PREFIX}MASTER_KEY"
    elif settings.master_key_file is not None:
        place = str(settings.master_key_file)
    else:
        place = str(settings.keys_dir)
    return f"The master keys are not in the backup, and without them it is useless. They are in {place}: keep a copy."


_COLUMNS = ["backup", "made by", "kind", "schema", "transactions#", "database bytes#", "vault files#", "vault bytes#"]


def _row(each: Manifest) -> list[object]:
    sizes = [each.database_bytes, each.vault_files, each.vault_bytes]
    return [each.name, each.made_by, each.kind.value, each.schema_step, each.books.transactions, *sizes]


def _show_backup(made: Made) -> None:
    print_table("Backup", _COLUMNS, [_row(made.manifest)])
    SCREEN.print(f"{made.place}: whole; {made.new_objects} files of the vault were new", soft_wrap=True)


def _show_restored(settings: Settings, restored: Restored) -> None:
    manifest = restored.manifest
    print_table("Restored", _COLUMNS, [_row(manifest)])
    if restored.verdicts is None:
        behind = f"{restored.schema.current}, {len(restored.schema.pending)} steps behind this release"
        SCREEN.print(
            f"The schema is at {behind}; it was left so. Run: centralpay db upgrade, then centralpay ledger verify "
            "and centralpay vault verify",
            soft_wrap=True,
        )
    else:
        show_verdicts(list(restored.verdicts))
    if restored.vault is not None:
        show_check(restored.vault)
    then = {(each.ledger, each.account): each for each in manifest.books.totals}
    now = {(each.ledger, each.account): each for each in restored.books.totals}
    rows = [[*key, _balance(then.get(key)), _balance(now.get(key))] for key in sorted({*then, *now})]
    print_table("Trial balance over all owners", ["ledger", "account", "backed up", "restored"], rows)
    words = "the same, owner by owner" if restored.is_same else "NOT THE SAME"
    later = restored.transactions - manifest.books.transactions
    said = f"trial balance: {words}; {later} transactions more were posted while the backup was made"
    SCREEN.print(said, soft_wrap=True)
    if restored.vault is not None and restored.vault.counts[Condition.UNNAMED]:
        SCREEN.print(
            "Unnamed files came into the vault after the copy of the database: look at them before anything is "
            "received or paid again. A payment file among them was made, and may have been sent.",
            soft_wrap=True,
        )
    SCREEN.print(f"restored into {settings.home}, schema {restored.schema.current}", soft_wrap=True)


def _balance(total: Total | None) -> int:
    return 0 if total is None else total.debit_cents - total.credit_cents


def _manifest_json(manifest: Manifest) -> dict[str, Any]:
    return manifest.model_dump(mode="json") | {"database_bytes": manifest.database_bytes}


def _restored_json(restored: Restored) -> dict[str, Any]:
    proofs = None
    if restored.verdicts is not None:
        proofs = [{"id": each.proof.name, "holds": each.holds, "detail": each.detail} for each in restored.verdicts]
    return {
        "backup": restored.manifest.name,
        "schema": restored.schema.current,
        "pending": list(restored.schema.pending),
        "same_books": restored.is_same,
        "transactions": restored.transactions,
        "books": restored.books.model_dump(mode="json"),
        "proofs": proofs,
        "vault": None if restored.vault is None else restored.vault.model_dump(mode="json", exclude_none=True),
    }
