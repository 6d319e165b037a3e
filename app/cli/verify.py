"""``ledger verify``: all proofs, the seal among them, also against checkpoints that are kept outside."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.session import Session, opened
from ledger import activity
from ledger.proofs import Verdict, verify
from ledger.seal import checkpoints
from ledger.seal.forsaken import forsake
from ledger.seal.note import VerifierKey
from ledger.seal.outside import Outside, kept_note, kept_notes
from payouts.people.users import ADMINS, require

Since = Annotated[
    int,
    typer.Option(
        "--since",
        metavar="SIZE",
        min=0,
        help="Hash only rows above this checkpoint anew: quick, and a value that was changed below it is not found.",
    ),
]
Kept = Annotated[
    list[Path] | None,
    typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept elsewhere; may be repeated."),
]
KeptFolder = Annotated[
    Path | None, typer.Option("--checkpoints", metavar="DIR", help="A folder of checkpoints that were kept elsewhere.")
]
VKeys = Annotated[
    list[str] | None,
    typer.Option("--vkey", metavar="KEY", help="Trust this key and not those that the database records; repeatable."),
]


def register(ledger: typer.Typer) -> None:
    """Hang this command into ``ledger``."""
    ledger.command("verify")(show_proofs)
    ledger.command("forsake")(forsake_checkpoints)


def show_proofs(
    since: Since = 0,
    checkpoint: Kept = None,
    checkpoints_dir: KeptFolder = None,
    vkey: VKeys = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Run all proofs; exit code 4 when one fails.

    P11 computes the seal anew from the rows and names every row that is not what was sealed: the first 20 of each kind,
    all are counted. A checkpoint that was kept elsewhere shows a restored backup or rewritten books.

    Example: centralpay ledger verify
    """
    with opened(as_user, warn) as session:
        outside = _outside(session, checkpoint or [], checkpoints_dir, vkey or [])
        with session.reading() as connection, progress("proofs", None) as bar:
            if since:
                checkpoints.of_size(connection, since)
            verdicts = verify(connection, outside, since=since, told=bar.step)
    if as_json:
        print_json({"proofs": [verdict_json(each) for each in verdicts]})
    else:
        show_verdicts(verdicts)
    if not all(each.holds for each in verdicts):
        raise typer.Exit(ExitCode.PROOF_FAILED)


def forsake_checkpoints(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Leave the published checkpoints behind that restored books lack. They are moved aside, and verify tells of them.

    The books must go on under another name (CENTRALPAY_SEAL_NAME, ledger seal-key rotate), which a second person
    approved.

    Example: centralpay ledger forsake --reason 'restored from the backup of the 20th'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, ADMINS)
        done = forsake(connection, session.settings.published)
        first, last = done.sizes[0], done.sizes[-1]
        facts: dict[str, str | int | None] = {"first": first, "last": last, "number": len(done.sizes), "reason": reason}
        activity.record(connection, session.actor, "checkpoints_forsaken", str(done.since), **facts)
    if as_json:
        print_json({"since": done.since, "sizes": list(done.sizes), "place": str(done.place)})
        return
    said = f"{len(done.sizes)} checkpoints, {first} to {last}, are in {done.place}; the books go on from {done.since}"
    SCREEN.print(said, soft_wrap=True, markup=False)


def _outside(session: Session, kept: list[Path], folder: Path | None, vkeys: list[str]) -> Outside:
    notes = [kept_note(path) for path in kept] + ([] if folder is None else list(kept_notes(folder)))
    keys = tuple(VerifierKey.parse(each) for each in vkeys)
    return replace(session.outside, kept=tuple(notes), vkeys=keys)


def show_verdicts(verdicts: list[Verdict]) -> None:
    """Print the proofs, and of P11 each row that it names."""
    rows = [
        [each.proof.name, "holds" if each.holds else "FAILS", each.proof.value, each.checked, each.failing, each.detail]
        for each in verdicts
    ]
    print_table("Proofs", ["id", "verdict", "what", "checked#", "failing#", "first failure"], rows)
    for each in verdicts:
        if each.findings:
            named = [[found.table, found.key, found.said] for found in each.findings]
            print_table(f"{each.proof.name}: what is not as it was sealed", ["table", "row", "what"], named)
        for note in each.notes:
            SCREEN.print(f"{each.proof.name}: {note}", soft_wrap=True, markup=False)


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Give a proof as commands print it."""
    return {
        "id": verdict.proof.name,
        "holds": verdict.holds,
        "checked": verdict.checked,
        "failing": verdict.failing,
        "detail": verdict.detail or verdict.proof.value,
        "findings": [each.model_dump(mode="json") for each in verdict.findings],
        "notes": list(verdict.notes),
    }
