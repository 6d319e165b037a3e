"""The books for others: ``ledger export``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from app.cli.dates import day_from
from app.cli.moment import KnownAt, checkpoint_facts
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.session import Session, opened
from ingest.directory import find_member
from ledger.chart import HOUSE
from ledger.export.making import Export, ExportForm, latest_checkpoint, not_sealed_yet, owner_name
from ledger.export.manifest import Manifest
from ledger.export.scope import Selection
from ledger.seal.checkpoints import named
from payouts.people.users import UserRole, require

Owner = Annotated[str | None, typer.Option("--owner", help="NCPDP id, member id, or 'house'; else everybody.")]


def register(ledger: typer.Typer) -> None:
    """Hang this command into ``ledger``."""
    ledger.command("export")(export)


def export(
    form: Annotated[ExportForm, typer.Option("--format", help="For whom: ads is the AICPA's general ledger.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder that is not there, or empty.")],
    from_day: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First accounting day.")] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last accounting day.")] = None,
    owner: Owner = None,
    known_at: KnownAt = None,
    without_seal: Annotated[bool, typer.Option("--without-seal", help="Leave out leaves, trail and verifier.")] = False,
    packed: Annotated[bool, typer.Option("--zip", help="Write one ZIP file in place of the folder.")] = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write the sealed journal for others' tools, with control totals, its seal and an offline verifier.

    What is shown is what the last checkpoint covers, or the one that --known-at names.

    Example: centralpay ledger export --format ads --from 2026-11-01 --to 2026-11-30 --out november
    """
    from_on, to_on = (None if day is None else day_from(day) for day in (from_day, to_day))
    with opened(as_user, warn) as session, _reading(session) as connection, progress("exporting", None) as bar:
        member = None if owner is None else HOUSE if owner == "house" else find_member(connection, owner)
        checkpoint = latest_checkpoint(connection) if known_at is None else named(connection, known_at, session.now)
        called = None if member is None else owner_name(connection, member)
        chosen = Selection(checkpoint.size, from_on, to_on, member, called)
        waiting = not_sealed_yet(connection) if known_at is None else 0
        if waiting:
            warn(f"{waiting} entries are not sealed yet and not in it; to seal them: centralpay ledger seal")

        def tell(what: str, done: int, total: int | None) -> None:
            bar.step(what)
            bar.at(done, total)

        asked = Export(
            form=form,
            chosen=chosen,
            company=session.settings.company_full_name or session.settings.company_name,
            made_at=session.now,
            with_seal=not without_seal,
            packed=packed,
        )
        target = out.with_name(f"{out.name}.zip") if packed and out.suffix != ".zip" else out
        manifest = asked.write(connection, target, tell)
    if as_json:
        facts = {"out": str(target), "checkpoint": checkpoint_facts(checkpoint), "not_sealed": waiting}
        facts["manifest_sha256"] = manifest.sha256
        print_json(facts | {"files": [each.model_dump(mode="json") for each in manifest.files]})
        return
    _show(manifest)
    SCREEN.print(f"{target}: as checkpoint {checkpoint.size} knows it, root {checkpoint.root}", soft_wrap=True)
    said = "tell it to whoever gets the export, by another way: verify.py --manifest"
    SCREEN.print(f"SHA-256 of manifest.json {manifest.sha256}: {said}", soft_wrap=True)


@contextmanager
def _reading(session: Session) -> Iterator[Connection]:
    """Give the books to a user, of any role: they leave the house with an export."""
    with session.begin() as connection:
        require(connection, session.actor, tuple(UserRole))
    with session.reading() as connection:
        yield connection


def _show(manifest: Manifest) -> None:
    rows = [
        [
            each.name,
            each.rows,
            each.debit_cents,
            each.credit_cents,
            each.from_on,
            each.to_on,
            each.bytes,
            each.sha256[:16],
        ]
        for each in sorted(manifest.files, key=lambda each: each.debit_cents is None)
    ]
    print_table("Exported", ["file", "rows#", "debit ", "credit ", "from", "to", "bytes#", "SHA-256"], rows)
