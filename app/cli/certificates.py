"""Pass-through certificates: one member's (``certificate``), everybody's, the population's, and those issued before."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.certificate_files import CertificateForm, leave_all, leave_one
from app.cli.certificate_screens import listed_row, say_given, show_checks, show_figures
from app.cli.dates import month_from
from app.cli.moment import KnownAt, reading_as_known
from app.cli.screen import SCREEN, AsJson, AsUser, Bar, possible, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.session import Session, opened, out_file
from ingest.directory import find_member
from ledger.seal.checkpoints import Checkpoint, named
from payouts.certificates.bodies import Body
from payouts.certificates.checking import all_hold, checks, read_envelope
from payouts.certificates.given import GivenOut, certificate, given_out, newest_of_everybody, of_member
from payouts.certificates.issuing import Certifier
from payouts.certificates.population import proven_members, proven_population
from payouts.certificates.reading import members_months, month_ends
from payouts.people.users import OPERATORS, UserRole, require
from schemas.errors import WrongUseError

commands = typer.Typer(help="Everybody's certificates, and those that were issued.", no_args_is_help=True)

FromMonth = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM", help="First month, instead of --month.")]
ToMonth = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM", help="Last month.")]
OneMonth = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="The month.")]
Anew = Annotated[bool, typer.Option("--anew", help="Supersede what was issued, where the books say otherwise by now.")]
Number = Annotated[int, typer.Argument(metavar="ID", callback=possible, help="Of the list.")]


Form = Annotated[CertificateForm, typer.Option("--format", help="How to write it; beside a PDF the JSON is left.")]


Envelope = tuple[Body, Body]
"""A certificate and its proof."""


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("certificate")(write_certificate)
    app.add_typer(commands, name="certificates")


def write_certificate(
    member: Annotated[str, typer.Option(help="NCPDP id or member id.")],
    month: OneMonth = None,
    from_month: FromMonth = None,
    to_month: ToMonth = None,
    kind: Form = CertificateForm.JSON,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Issue it, and write it there.")] = None,
    known: KnownAt = None,
    anew: Anew = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Certify a member's month: what was owed, advised, taken by payers, paid; and that we kept the flat fee alone.

    With --out it is issued: sealed, with the proof of it in the file, and superseded only by --anew. Without, it is
    shown and nothing is issued. Exit code 4 when the books do not prove it.

    Example: centralpay certificate --member 1234567 --month 2026-11
    """
    from_on, to_on = _months(month, from_month, to_month)
    with opened(as_user, warn) as session:
        if out is None:
            with reading_as_known(session, known) as (connection, checkpoint):
                members = [find_member(connection, member, to_on)]
                (made,) = proven_members(members_months(connection, members, from_on, to_on))
            show_figures(
                made.figures,
                f"{made.member.ncpdp_id} {made.member.dba_name}",
                (from_on, to_on),
                checkpoint,
                as_json=as_json,
            )
            return
        with session.begin() as connection:
            require(connection, session.actor, tuple(UserRole))
            at = None if known is None else named(connection, known)
            member_id = find_member(connection, member, to_on)
        _warn_running(session, to_on)
        number = _certifier(session).issue_member(member_id, from_on, to_on, anew=anew, at=at)
        given = _given(session, number)
        _warn_other(given, at)
        leave_one(session, given, out, kind)
    say_given(given, out, as_json=as_json)


@commands.command("issue")
def issue_all(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where each member's file is left.")],
    month: OneMonth = None,
    from_month: FromMonth = None,
    to_month: ToMonth = None,
    kind: Form = CertificateForm.JSON,
    known: KnownAt = None,
    anew: Anew = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Issue everybody's certificates of a month. What was issued stays so; who was stopped runs it again.

    Example: centralpay certificates issue --month 2026-11 --out certificates
    """
    from_on, to_on = _months(month, from_month, to_month)
    folder = out_file(out / "certificate").parent
    with opened(as_user, warn) as session, progress("certificates", None) as bar:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            at = None if known is None else named(connection, known)
        _warn_running(session, to_on)
        issued = _certifier(session).issue_everybody(from_on, to_on, _tell(bar), anew=anew, at=at)
        with session.reading() as connection:
            of = newest_of_everybody(connection, from_on, to_on)
            sums = {
                "certificates": len(of),
                "issued": issued,
                "retained_cents": sum(each.retained_cents for each in of),
            }
            leave_all(session, given_out(connection, session.vault, of), folder, kind, bar, len(of))
    if as_json:
        print_json({"from": f"{from_on}", "to": f"{to_on}"} | sums | {"out": str(out)})
        return
    columns = ["from", "to", "certificates#", "of these new#", "kept by us: the flat fee"]
    print_table("Certificates", columns, [[from_on, to_on, *sums.values()]])
    SCREEN.print(f"Files: {out}", soft_wrap=True)


@commands.command("population")
def write_population(
    month: OneMonth = None,
    from_month: FromMonth = None,
    to_month: ToMonth = None,
    kind: Form = CertificateForm.JSON,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Issue it, and write it there.")] = None,
    known: KnownAt = None,
    anew: Anew = False,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Certify the month of all members together, tied to the bank's balance and to the payers' 835s, to the cent.

    With --out it is issued, as centralpay certificate does. Exit code 4 when the books do not prove it.

    Example: centralpay certificates population --month 2026-11
    """
    from_on, to_on = _months(month, from_month, to_month)
    with opened(as_user, warn) as session, progress("members", None) as bar:
        if out is None:
            with reading_as_known(session, known) as (connection, checkpoint):
                made = proven_population(connection, from_on, to_on, bar.at)
            show_figures(made, f"All {made.members} members", (from_on, to_on), checkpoint, as_json=as_json)
            return
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            at = None if known is None else named(connection, known)
        _warn_running(session, to_on)
        number = _certifier(session).issue_population(from_on, to_on, _tell(bar), anew=anew, at=at)
        given = _given(session, number)
        _warn_other(given, at)
        leave_one(session, given, out, kind)
    say_given(given, out, as_json=as_json)


@commands.command("list")
def show_issued(
    member: Annotated[str | None, typer.Option(help="NCPDP id or member id; else those of the population.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the certificates that were issued to a member, or of the population.

    Example: centralpay certificates list --member 1234567
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = of_member(connection, None if member is None else find_member(connection, member))
    if as_json:
        print_json({"certificates": [each.model_dump(mode="json") for each in found]})
        return
    columns = [
        *("id#", "from", "to", "version#", "superseded by", "closing", "kept: the flat fee", "known at#", "leaf"),
        *("issued (UTC)", "by", "SHA-256"),
    ]
    print_table("Certificates issued", columns, [listed_row(each) for each in found])


@commands.command("again")
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
        given = _given(session, certificate_id)
        leave_one(session, given, out, kind)
    say_given(given, out, as_json=as_json)


@commands.command("check")
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
            given = _given(session, int(what))
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


def _months(month: str | None, from_month: str | None, to_month: str | None) -> tuple[date, date]:
    if month is not None and from_month is None and to_month is None:
        first = last = month_from(month)
    elif month is None and from_month is not None and to_month is not None:
        first, last = month_from(from_month), month_from(to_month)
    else:
        raise WrongUseError("Say --month alone, or --from and --to")
    return month_ends(first, last)


def _certifier(session: Session) -> Certifier:
    sealer = session.sealer()
    return Certifier(
        begin=session.begin,
        reading=session.reading,
        vault=session.vault,
        seal=lambda: sealer.seal(session.actor, session.now),
        origin=session.settings.origin,
        company=session.sender.name,
        actor=session.actor,
    )


def _tell(bar: Bar) -> Any:  # noqa: ANN401 (a function of two arguments)
    def tell(step: str, done: int) -> None:
        bar.step(step)
        bar.at(done)

    return tell


def _warn_running(session: Session, to_on: date) -> None:
    if to_on >= session.today:
        warn(f"{to_on} is not over: what is posted until then is in another version alone, by --anew")


def _warn_other(given: GivenOut, at: Checkpoint | None) -> None:
    of = given.of
    if at is not None and at.size != of.checkpoint_size:
        warn(f"Certificate {of.certificate_id} was issued as known at checkpoint {of.checkpoint_size}: it stays so")


def _given(session: Session, number: int) -> GivenOut:
    with session.reading() as connection:
        (given,) = given_out(connection, session.vault, [certificate(connection, number)])
    return given


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error
