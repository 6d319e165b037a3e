"""The vault's upkeep: ``vault verify``, ``vault rotate``, ``vault expire``."""

from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.session import opened
from app.work import readable
from ingest.vault import expiry as vault_expiry
from ingest.vault import keys as vault_keys
from ingest.vault import upkeep as vault_upkeep
from ingest.vault.expiry import Expiry, OldFile
from ingest.vault.keys import Rotated
from ingest.vault.report import Condition, Found, VaultCheck
from payouts.people.users import ADMINS, OPERATORS, require

vault = typer.Typer(help="Where received and issued files are kept, sealed.", no_args_is_help=True)

_ADVICE = {
    Condition.DAMAGED: "restore it from a backup, or ingest it again: that heals it",
    Condition.MISSING: "restore it from a backup, or ingest it again; is this the right CENTRALPAY_HOME?",
    Condition.KEY_MISSING: "add the master key to the key text; with all keys given, the file is damaged",
    Condition.UNNAMED: "harmless: a store that was stopped; ingest the file again",
    Condition.LETTING_GO: "run again: centralpay vault expire",
    Condition.CAME_AGAIN: "the next centralpay vault expire erases it again",
    Condition.ABANDONED: "harmless; removed by: centralpay vault verify --tidy",
    Condition.FOREIGN: "not ours; look at it and take it away",
}


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(vault, name="vault")


@vault.command("verify")
def verify(
    tidy: Annotated[
        bool, typer.Option("--tidy", help="Remove what killed commands left unfinished a day ago.")
    ] = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Read every file of the vault through and compare it with what the books name; exit code 4 when one is lost.

    Example: centralpay vault verify
    """
    with opened(as_user, warn) as session:
        if tidy:
            with session.begin() as connection:
                require(connection, session.actor, OPERATORS)
        with progress("vault", None) as bar:
            check = vault_upkeep.verify(session.reading, session.vault, session.now, tidy=tidy, progress=bar.at)
    if as_json:
        print_json(check.model_dump(mode="json", exclude_none=True) | {"holds": check.holds})
    else:
        show_check(check)
    if not check.holds:
        raise typer.Exit(ExitCode.PROOF_FAILED)


@vault.command("rotate")
def rotate(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Put every file and account number under the first master key of the key text; again, it changes nothing.

    Example: centralpay vault rotate
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, ADMINS)
        with progress("keys", None) as bar:
            rotated = vault_keys.rotate(session.begin, session.vault, session.actor, bar.at)
    if as_json:
        print_json(rotated.model_dump(mode="json") | {"old_key_ids": list(rotated.old_key_ids)})
    else:
        show_rotation(rotated)
    if rotated.unopened:
        raise typer.Exit(ExitCode.PROOF_FAILED)


@vault.command("expire")
def expire(
    before: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Files received before this day, by UTC.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go, and what has to stay.")] = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Let received files go for good once they are old enough and nothing needs them.

    Example: centralpay vault expire --before 2016-01-01 --reason 'retention plan 2026' --as anna
    """
    day = day_from(before)
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, ADMINS)
        with progress("letting go", None) as bar:
            expiry = vault_expiry.expire(
                session.begin,
                session.vault,
                before=day,
                reason=readable(reason),
                actor=session.actor,
                today=session.today,
                years=session.settings.retention_years,
                dry_run=dry_run,
                progress=bar.at,
            )
    if as_json:
        print_json(expiry)
    else:
        show_expiry(expiry)


def show_check(check: VaultCheck) -> None:
    """Print what a pass over the vault found."""
    conditions = [each for each in Condition if check.counts[each] or each is Condition.SOUND]
    columns = ["files#", "plain bytes#", *(f"{each.words}#" for each in conditions)]
    print_table("Vault", columns, [[check.files, check.plain_bytes, *(check.counts[each] for each in conditions)]])
    keys = [[each.key_id, "current" if each.is_current else "old", each.files] for each in check.keys]
    print_table("Master keys", ["key", "is", "files#"], keys)
    if check.found:
        columns = ["what", "file", "SHA-256", "lost", "first byte#", "last byte#"]
        print_table("Not as it should be", columns, [_row(each) for each in check.found])
    for condition in dict.fromkeys(each.condition for each in check.found):
        if condition is not Condition.ABANDONED or not check.tidied:
            SCREEN.print(f"{condition.words}: {_ADVICE[condition]}", soft_wrap=True)


def _row(found: Found) -> list[object]:
    last = None if found.lost_to_byte is None else max(found.lost_to_byte - 1, 0)
    chunks = f"chunk {found.first_chunk}"
    if found.last_chunk != found.first_chunk:
        chunks = f"chunks {found.first_chunk} to {found.last_chunk}"
    lost = (found.part and f"all: {found.part.words}") if found.first_chunk is None else chunks
    if found.key_id is not None:
        lost = f"all: key {found.key_id}"
    return [found.condition.words, found.names, found.sha256, lost, found.lost_from_byte, last]


def show_rotation(rotated: Rotated) -> None:
    """Print what a rotation changed, and which keys may go."""
    columns = ["files under the current key now#", "account numbers under it now#", "not opened#"]
    changed = [rotated.files_rewrapped, rotated.numbers_resealed, len(rotated.unopened)]
    print_table("Changed", columns, [changed])
    rows = [
        [each.key_id, "current" if each.is_current else "old", each.is_given, each.files, each.numbers]
        for each in rotated.keys
    ]
    print_table("Master keys in use", ["key", "is", "given", "files#", "account numbers#"], rows)
    print_table("Not opened; see centralpay vault verify", ["what"], [[each] for each in rotated.unopened])
    if rotated.old_key_ids:
        SCREEN.print(f"still in use: {', '.join(rotated.old_key_ids)}; keep them in the key text", soft_wrap=True)
    else:
        SCREEN.print("no old key is in use any more: it may be taken out of the key text", soft_wrap=True)


def show_expiry(expiry: Expiry) -> None:
    """Print what was let go, or would be, and what stays and why."""
    title = "Would be let go" if expiry.is_dry_run else "Let go"
    columns = ["file", "kind", "received", "bytes#", "SHA-256"]
    print_table(f"{title}: received before {expiry.before}", columns, [_old(each) for each in expiry.let_go])
    print_table("Kept", [*columns, "why"], [[*_old(each), each.reasons] for each in expiry.kept])
    if not expiry.is_dry_run:
        print_table("Erased", ["files#"], [[expiry.erased]])


def _old(file: OldFile) -> list[object]:
    return [file.name, file.kind, file.received_on, file.size_bytes, file.sha256]
