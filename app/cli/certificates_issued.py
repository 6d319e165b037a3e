"""Certificates that were issued: ``certificates list``, ``again``, ``check``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.certificate_files import CertificateForm, leave_one
from app.cli.certificate_screens import listed_row, say_given, show_checks
from app.cli.moment import KnownAt, asked
from app.cli.screen import AsJson, AsUser, possible, print_json, print_table, warn
from app.exit_codes import ExitCode
from app.session import Session, opened
from ingest.directory import find_member
from payouts.certificates.bodies import Body
from payouts.certificates.checking import all_hold, checks, read_envelope
from payouts.certificates.given import GivenOut, certificate, given_out, of_member
from schemas.errors import WrongUseError

Number = Annotated[int, typer.Argument(metavar="ID", callback=possible, help="Of the list.")]
Form = Annotated[CertificateForm, typer.Option("--format", help="How to write it; beside a PDF the JSON is left.")]
Envelope = tuple[Body, Body]
"""A certificate and its proof."""


def register(certificates: typer.Typer) -> None:
    """Hang these commands into ``certificates``."""
    certificates.command("list")(show_issued)
    certificates.command("again")(write_again)
    certificates.command("check")(check)


def show_issued(
    member: Annotated[str | None, typer.Option(help="NCPDP id or member id; else those of the population.")] = None,
    known: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the certificates that were issued to a member, or of the population.

    Example: centralpay certificates list --member 1234567
    """
    with opened(as_user, warn) as session, asked(session, None, known) as (connection, moment):
        found = of_member(connection, None if member is None else find_member(connection, member))
    if as_json:
        print_json(moment.known | {"certificates": [each.model_dump(mode="json") for each in found]})
        return
    columns = [
        *("id#", "from", "to", "version#", "superseded by", "closing", "kept: the flat fee", "known at#", "leaf"),
        *("issued (UTC)", "by", "SHA-256"),
    ]
    print_table("Certificates issued", columns, [listed_row(each) for each in found])
    moment.say()


def write_again(
    certificate_id: Number,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")],
    kind: Form = CertificateForm.JSON,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write a certificate that was issued: the same bytes as then, with its proof.

    Example: centralpay certificates again 1 --out c.json
    """
    with opened(as_user, warn) as session:
        leave_told(session, given_one(session, certificate_id), out, kind, as_json=as_json)


def check(
    what: Annotated[str, typer.Argument(metavar="FILE|ID", help="A file that was given out, or a number of the list.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Check a certificate: text, leaf, signed root, footing, and the books of then; exit code 4 when it does not hold.

    Example: centralpay certificates check 1
    """
    with opened(as_user, warn) as session:
        if what.isascii() and what.isdigit():
            possible(int(what))
            given = given_one(session, int(what))
            envelope: Envelope = (given.body, given.proof)
        else:
            envelope = read_envelope(what, _content(Path(what)))
        with session.reading() as connection:
            found = checks(connection, *envelope)
    if as_json:
        document = [each.model_dump(mode="json") for each in found]
        print_json({"certificate": what, "holds": all_hold(found), "checks": document})
    else:
        show_checks(what, found)
    if not all_hold(found):
        raise typer.Exit(ExitCode.PROOF_FAILED)


def leave_told(session: Session, given: GivenOut, out: Path, kind: CertificateForm, *, as_json: bool) -> None:
    """Leave a certificate's file, and say which it is and where."""
    leave_one(session, given, out, kind)
    say_given(given, out, as_json=as_json)


def given_one(session: Session, number: int) -> GivenOut:
    """Give out the certificate of a number, with its proof."""
    with session.reading() as connection:
        (given,) = given_out(connection, session.vault, [certificate(connection, number)])
    return given


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error
