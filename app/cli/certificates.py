"""Pass-through certificates: one member's (``certificate``), everybody's, the population's."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import certificates_issued
from app.cli.certificate_files import CertificateForm, leave_all
from app.cli.certificate_screens import show_figures
from app.cli.certificates_issued import Form, given_one, leave_told
from app.cli.dates import month_from
from app.cli.moment import KnownAt, reading_as_known
from app.cli.screen import SCREEN, AsJson, AsUser, Bar, print_json, print_table, progress, warn
from app.session import Session, opened, out_file
from ingest.directory import find_member
from ledger.seal.checkpoints import Checkpoint, named
from payouts.certificates.given import GivenOut, given_out, newest_of_everybody
from payouts.certificates.issuing import Certifier
from payouts.certificates.population import proven_members, proven_population
from payouts.certificates.reading import members_months, month_ends
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError

commands = typer.Typer(help="Everybody's certificates, and those that were issued.", no_args_is_help=True)

FromMonth = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM", help="First month, instead of --month.")]
ToMonth = Annotated[str | None, typer.Option("--to", metavar="YYYY-MM", help="Last month.")]
OneMonth = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="The month.")]
Anew = Annotated[bool, typer.Option("--anew", help="Supersede what was issued, where the books say otherwise by now.")]


_READS = (
    "To read one leave --out away (with --json for its figures); one that was issued is given by: "
    "centralpay certificates again ID --out FILE"
)
"""What an auditor does, who issues nothing."""


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("certificate")(write_certificate)
    certificates_issued.register(commands)
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
            whose = f"{made.member.ncpdp_id} {made.member.dba_name}"
            show_figures(made.figures, whose, (from_on, to_on), checkpoint, as_json=as_json)
            return

        def issue(certifier: Certifier, at: Checkpoint | None) -> int:
            with session.reading() as connection:
                member_id = find_member(connection, member, to_on)
            return certifier.issue_member(member_id, from_on, to_on, anew=anew, at=at)

        given = _issued(session, known, to_on, issue)
    leave_told(session, given, out, kind, as_json=as_json)


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
    with opened(as_user, warn) as session, progress("certificates", None) as bar:
        at = _see_issuer(session, known, to_on)
        folder = out_file(out / "certificate").parent
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

        def issue(certifier: Certifier, at: Checkpoint | None) -> int:
            return certifier.issue_population(from_on, to_on, _tell(bar), anew=anew, at=at)

        given = _issued(session, known, to_on, issue)
    leave_told(session, given, out, kind, as_json=as_json)


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


def _see_issuer(session: Session, known: str | None, to_on: date) -> Checkpoint | None:
    """See that who acts may issue, before anything is read or sealed for it; give the checkpoint that is asked for.

    Raises:
        RoleMissingError: who acts only reads.
        WrongUseError: there is no such checkpoint.
    """
    with session.begin() as connection:
        require(connection, session.actor, OPERATORS, instead=_READS)
        at = None if known is None else named(connection, known, session.now)
    if to_on >= session.today:
        warn(f"{to_on} is not over: what is posted until then is in another version alone, by --anew")
    return at


def _issued(
    session: Session, known: str | None, to_on: date, issue: Callable[[Certifier, Checkpoint | None], int]
) -> GivenOut:
    """Issue a certificate as known at the checkpoint that is asked for, and give it out."""
    at = _see_issuer(session, known, to_on)
    given = given_one(session, issue(_certifier(session), at))
    of = given.of
    if at is not None and at.size != of.checkpoint_size:
        warn(f"Certificate {of.certificate_id} was issued as known at checkpoint {of.checkpoint_size}: it stays so")
    return given
