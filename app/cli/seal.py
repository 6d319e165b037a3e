"""The seal: ``ledger seal``, ``checkpoints``, ``proof``, ``seal-key``."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import Connection

from app.cli.leaving import leave
from app.cli.moment import checkpoint_facts
from app.cli.people import show_approval
from app.cli.screen import SCREEN, AsJson, AsUser, possible, print_json, print_table, progress, warn
from app.session import opened
from ingest.directory import find_member
from ledger.chart import HOUSE
from ledger.seal import checkpoints
from ledger.seal.checkpoints import Checkpoint, SealKey
from ledger.seal.evidence import (
    Evidence,
    evidence,
    leaf_of_entry,
    leaf_of_journal,
    leaf_of_row,
    leaf_of_trail,
)
from payouts.people.users import ADMINS, OPERATORS, require
from payouts.seal_keys import propose_key, recorded_keys
from schemas.errors import WrongUseError

seal_keys = typer.Typer(help="The keys that verify checkpoints.", no_args_is_help=True)

_STATEMENTS = "issued_statement"


def register(ledger: typer.Typer) -> None:
    """Hang these commands into ``ledger``."""
    ledger.command("seal")(seal)
    ledger.command("checkpoints")(list_checkpoints)
    ledger.command("proof")(prove)
    ledger.add_typer(seal_keys, name="seal-key")


def seal(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Seal what is recorded: number it, sign the tree over all of it, publish the checkpoint. Nobody who posts waits.

    Example: centralpay ledger seal
    """
    with opened(as_user, warn) as session:
        keys = session.settings.seal_keys
        is_first = keys.is_ours and not keys.path.exists()
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        with progress("sealing", None) as bar:
            made = session.sealer().seal(session.actor, session.now, bar.at)
        if is_first and keys.path.exists():
            warn(
                f"A signing key was made: {keys.path}. Without it no further checkpoint can be signed: keep a copy of "
                "it elsewhere, and give auditors what stands in the file vkey beside the published checkpoints."
            )
        with session.reading() as connection:
            last = made or checkpoints.latest(connection)
    if as_json:
        print_json({"checkpoint": _document(last), "sealed": made is not None})
        return
    if made is None:
        SCREEN.print("Nothing new to seal.")
    print_table("Checkpoint", _COLUMNS, [_row(last)] if last else [])
    if last is not None:
        SCREEN.print(f"Published in {session.settings.checkpoints_folder}", soft_wrap=True)


def list_checkpoints(
    most: Annotated[int, typer.Option("--most", min=1, max=1_000_000, help="The newest, so many.")] = 50,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the checkpoints, the newest first, and what waits to be sealed.

    Example: centralpay ledger checkpoints --most 10
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found, waiting = checkpoints.newest(connection, most), checkpoints.waiting(connection)
        keys = checkpoints.keys(connection)
    if as_json:
        document = {"checkpoints": [_document(each) for each in found], "waiting": waiting}
        print_json(document | {"keys": [each.model_dump(mode="json") for each in keys]})
        return
    print_table("Checkpoints", _COLUMNS, [_row(each) for each in found])
    SCREEN.print(f"{waiting:,} transactions and trail rows wait to be sealed")


def prove(
    journal: Annotated[int | None, typer.Option("--journal", callback=possible, help="A journal number.")] = None,
    entry: Annotated[
        str | None,
        typer.Option("--entry", metavar="OWNER/ENTRY", help="NCPDP id, member id or 'house', and the entry."),
    ] = None,
    statement: Annotated[
        int | None, typer.Option("--statement", callback=possible, help="An issued statement: its bytes' digest.")
    ] = None,
    trail: Annotated[int | None, typer.Option("--trail", callback=possible, help="A row of the trail.")] = None,
    known: Annotated[
        str,
        typer.Option(
            "--known-at",
            metavar="CHECKPOINT|INSTANT",
            help="The checkpoint to prove it in: its size, 'latest', or an instant that is over.",
        ),
    ] = "latest",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the proof into a file.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Prove that an entry, an issued statement or a row of the trail is under a signed checkpoint.

    Printed is a C2SP tlog-proof with the leaf's data; --json gives the same with the facts in words. Both can be
    checked without this system.

    Example: centralpay ledger proof --journal 1
    """
    if sum(each is not None for each in (journal, entry, statement, trail)) != 1:
        raise WrongUseError("Give one of --journal, --entry, --statement and --trail")
    with opened(as_user, warn) as session, session.reading() as connection:
        checkpoint = checkpoints.named(connection, known, session.now)
        if journal is not None:
            place = leaf_of_journal(connection, journal)
        elif entry is not None:
            place = leaf_of_entry(connection, *_entry(connection, entry))
        elif statement is not None:
            place = leaf_of_row(connection, _STATEMENTS, str(statement), checkpoint)
        else:
            place = leaf_of_trail(connection, trail or 0)
        found = evidence(connection, place, checkpoint)
    _show_evidence(found, out, as_json=as_json)


@seal_keys.command("show")
def show_keys(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show the keys that verify the checkpoints, each with the sizes that it signed; give them to auditors.

    Example: centralpay ledger seal-key show
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = checkpoints.keys(connection)
    if as_json:
        print_json({"keys": [each.model_dump(mode="json") for each in found]})
        return
    columns = ["verifier key", "from above#", "to#", "recorded", "by"]
    print_table("Keys", columns, [_key_row(each) for each in found])


@seal_keys.command("rotate")
def rotate(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Make another signing key and ask a second person to let it sign; old checkpoints stay verifiable by the old one.

    Example: centralpay ledger seal-key rotate
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, ADMINS)
            recorded_keys(connection)
        verifier = session.settings.seal_keys.make_next()
        with session.begin() as connection:
            approval_id = propose_key(connection, verifier, session.actor)
    if not as_json:
        SCREEN.print(f"Verifier key: {verifier}", soft_wrap=True)
        show_approval(approval_id, "pending", as_json=False)
        return
    print_json({"approval_id": approval_id, "state": "pending", "vkey": str(verifier)})


_COLUMNS = ["checkpoint#", "entries#", "root", "sealed", "by", "continues#"]


def _row(each: Checkpoint) -> list[object]:
    moment = f"{each.sealed_at:%Y-%m-%d %H:%M:%S}"
    return [each.size, each.journal_size, f"{each.root[:16]}…", moment, each.sealed_by, each.previous_size]


def _document(each: Checkpoint | None) -> dict[str, object] | None:
    if each is None:
        return None
    facts = {"journal_size": each.journal_size, "previous_size": each.previous_size, "sealed_by": each.sealed_by}
    return (checkpoint_facts(each) or {}) | facts | {"note": each.note}


def _key_row(each: SealKey) -> list[object]:
    return [each.vkey, each.since_size, each.until_size, f"{each.recorded_at:%Y-%m-%d %H:%M:%S}", each.recorded_by]


def _entry(connection: Connection, text: str) -> tuple[UUID, int]:
    owner, _, number = text.rpartition("/")
    if not owner or not number.isdecimal() or len(number) > len(str(1 << 62)):
        raise WrongUseError(f"{text!r} names no entry: OWNER/ENTRY, such as 1234567/42")
    return HOUSE if owner == "house" else find_member(connection, owner), int(number)


def _show_evidence(found: Evidence, out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        leave(out, (found.model_dump_json(indent=2) if as_json else found.text()).encode())
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif out is None:
        SCREEN.out(found.text(), end="", highlight=False)
    else:
        SCREEN.print(f"{out}: leaf {found.leaf_index} in checkpoint {found.size}, {len(found.proof)} hashes")
