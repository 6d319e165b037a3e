"""Statements: one member's (``statement``), everybody's of a month or a year, and those that were issued.

What is written to a file is issued: it is read as known at a checkpoint, which is made first when none is named.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.leaving import leave, leaving_text
from app.cli.moment import AsOf, KnownAt, asked, reading_as_known
from app.cli.screen import SCREEN, AsJson, AsUser, possible, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.session import Session, opened, out_file
from ingest.directory import find_member
from ledger.seal import checkpoints
from ledger.seal.checkpoints import Checkpoint
from payouts.people.users import OPERATORS, require
from payouts.statements.checking import Check, check
from payouts.statements.forms import StatementForm, written
from payouts.statements.issuing import Issue, Issuer, again, issue, issued, issued_to
from payouts.statements.model import Statement
from payouts.statements.reading import statement
from payouts.statements.words import total_words
from payouts.statements.years import MemberYear, write_years, years
from schemas.errors import WrongUseError
from schemas.money import show_cents

commands = typer.Typer(help="Everybody's statements, and those that were issued.", no_args_is_help=True)

Form = Annotated[StatementForm, typer.Option("--format", help="How to write it.")]
FromDay = Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")]
ToDay = Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")]
_READS = (
    "To read one leave --out away (with --json, or --format csv); one that was issued is given by: "
    "centralpay statements again ID --out FILE"
)
"""What an auditor does, who issues nothing."""
Year = Annotated[int, typer.Option(min=2000, max=2049, help="A calendar year.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("statement")(write_statement)
    app.add_typer(commands, name="statements")


def write_statement(
    member: Annotated[str, typer.Option(help="NCPDP id or member id.")],
    from_day: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")] = None,
    year: Annotated[int | None, typer.Option(min=2000, max=2049, help="A whole year instead, with its totals.")] = None,
    payer: Annotated[str | None, typer.Option(metavar="ID", help="Of this payer's advices alone.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; else on the screen.")] = None,
    kind: Form = StatementForm.JSON,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write a member's statement: opening, advices, fee, payouts, closing; it foots. Every deduction says who took it.

    Written to a file it is issued, by an operator: what is recorded is sealed, the statement is read as known at that
    checkpoint (or at the one that --known-at names) and says so, its bytes are kept, and centralpay statements again
    gives them again. --as-of is --to by another name.

    Example: centralpay statement --member 1234567 --from 2026-11-01 --to 2026-11-30 --format csv --out s.csv
    """
    if to_day is not None and as_of is not None:
        raise WrongUseError("--to and --as-of say the same: give one of them")
    from_on, to_on = _range(from_day, to_day or as_of, year)
    with opened(as_user, warn) as session:
        if out is not None:
            known_at = _pinned(session, known_at)
        with reading_as_known(session, known_at) as (connection, checkpoint):
            member_id = find_member(connection, member, to_on)
            made = statement(connection, member_id, from_on, to_on, payer, checkpoint=checkpoint)
        if out is not None:
            save_statement(session, made, out, kind)
    if as_json:
        print_json(made.model_dump(mode="json"))
    elif out is not None:
        SCREEN.print(f"{out}: {made.ncpdp_id}, {from_on} to {to_on}", soft_wrap=True)
    elif year is not None:
        _show_year(made)
    elif kind is StatementForm.JSON:
        print_json(made.model_dump(mode="json"))
    elif kind is StatementForm.CSV:
        typer.echo(written(made, kind, session.sender).decode(), nl=False)
    else:
        raise WrongUseError(f"A statement as {kind.value} is no text for a screen: say --out FILE")


@commands.command("issue")
def issue_all(
    from_day: FromDay,
    to_day: ToDay,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where each member's file is left.")],
    kind: Form = StatementForm.JSON,
    anew: Annotated[bool, typer.Option("--anew", help="Though it was issued: as the books are now.")] = False,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Issue everybody's statements of a range. Issued again, the files are the same bytes, whatever was posted since.

    What is recorded is sealed first, and the statements are read as known at that checkpoint, or at --known-at.

    Example: centralpay statements issue --from 2026-11-01 --to 2026-11-30 --format csv --out statements
    """
    from_on, to_on = day_from(from_day), day_from(to_day)
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS, instead=_READS)
        made = issue_statements(session, from_on, to_on, kind, out, anew=anew, known_at=known_at)
        if to_on >= session.today:
            warn(f"{to_on} is not over: what is posted until then is in another version alone, by --anew")
    if as_json:
        print_json(made.model_dump(mode="json") | {"out": str(out)})
        return
    when = f"{made.issued_at:%Y-%m-%d %H:%M}"
    row = [made.issue_id, made.from_on, made.to_on, made.form, made.version, made.members, when, made.issued_by]
    row.append(made.checkpoint_size and f"{made.checkpoint_size}")
    columns = ["id#", "from", "to", "format", "version#", "members#", "issued (UTC)", "by", "checkpoint"]
    print_table("Statements issued", columns, [row])
    SCREEN.print(f"Files: {out}", soft_wrap=True)


@commands.command("year")
def write_year(
    year: Year,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The CSV file to write.")],
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write the year of every member, one a line: claims, what payers took, the fee, what was paid, what is owed.

    Example: centralpay statements year --year 2026 --out year.csv
    """
    with (
        opened(as_user, warn) as session,
        asked(session, None, known_at) as (connection, moment),
        progress("members", None) as bar,
        leaving_text(out) as file,
    ):
        totals = write_years(_told(years(connection, year), bar.at), file)
    if as_json:
        print_json(moment.known | {"year": year, "file": str(out)} | totals)
        return
    members = totals.pop("members")
    rows = [[name.removesuffix("_cents").replace("_", " "), cents] for name, cents in totals.items()]
    print_table(f"Year {year}, {members} members: {out}", ["what", "amount"], rows)
    moment.say()


@commands.command("list")
def show_issued(
    member: Annotated[str, typer.Option(help="NCPDP id or member id.")],
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the statements that were issued to a member.

    Example: centralpay statements list --member 1234567
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = issued_to(connection, find_member(connection, member))
    if as_json:
        print_json(moment.known | {"statements": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.statement_id,
            each.from_on,
            each.to_on,
            each.form,
            each.payer_id or "all",
            each.closing_cents,
            f"{each.issued_at:%Y-%m-%d %H:%M}",
            each.issued_by,
            each.sha256[:12],
            each.checkpoint_size and f"{each.checkpoint_size}",
        ]
        for each in found
    ]
    columns = ["id#", "from", "to", "format", "payer", "closing", "issued (UTC)", "by", "SHA-256", "checkpoint"]
    print_table("Statements issued", columns, rows)
    moment.say()


@commands.command("again")
def write_again(
    statement_id: Annotated[
        int, typer.Argument(metavar="ID", callback=possible, help="Its number; see: centralpay statements list.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write a statement that was issued: the same bytes as then.

    Example: centralpay statements again 1 --out s.csv
    """
    with opened(as_user, warn) as session:
        with session.reading() as connection:
            of = issued(connection, statement_id)
        content = again(session.vault, of)
    leave(out_file(out), content)
    if as_json:
        print_json(of)
        return
    SCREEN.print(f"{out}: {of.ncpdp_id}, {of.from_on} to {of.to_on}, {of.form}, as issued", soft_wrap=True)


@commands.command("check")
def check_issued(
    statement_id: Annotated[
        int, typer.Argument(metavar="ID", callback=possible, help="Its number; see: centralpay statements list.")
    ],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Read a statement again as known at the checkpoint that it names, compare it with what was issued, and prove it.

    Exit code 4 when it says otherwise now than it did then.

    Example: centralpay statements check 1
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = check(connection, session.vault, session.sender, statement_id)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _show_check(found)
    if not found.holds:
        raise typer.Exit(ExitCode.PROOF_FAILED)


def _show_check(found: Check) -> None:
    rows: list[list[object]] = [
        ["read again at", f"checkpoint {found.known_at.size}"],
        ["its bytes", "the same" if found.same_bytes else "others"],
        ["its figures", "the same" if found.same_figures else "OTHERS"],
        ["SHA-256", found.sha256],
        ["its leaf", "not sealed yet" if found.leaf_index is None else f"{found.leaf_index}"],
        ["proven in", None if found.proven_at is None else f"checkpoint {found.proven_at.size}"],
    ]
    print_table(f"Statement {found.statement_id}", ["what", ""], rows)
    if found.leaf_index is None:
        SCREEN.print("Its digest is sealed by the next run: centralpay ledger seal")
    else:
        SCREEN.print(f"The proof: centralpay ledger proof --statement {found.statement_id}")


def _pinned(session: Session, known_at: str | None) -> str:
    """Name the checkpoint that what is given out is read at; it is made when none is asked for.

    Raises:
        RoleMissingError: who acts only reads; nothing is sealed or issued.
    """
    with session.begin() as connection:
        require(connection, session.actor, OPERATORS, instead=_READS)
    return known_at if known_at is not None else str(session.pinned().size)


def issue_statements(
    session: Session,
    from_on: date,
    to_on: date,
    kind: StatementForm,
    out: Path,
    *,
    anew: bool = False,
    known_at: str | None = None,
) -> Issue:
    """Issue everybody's statements of a range and leave them in a folder, with a bar that tells how far it is.

    Raises:
        WrongUseError: the range says nothing, or a file can not be written.
    """

    def pin() -> Checkpoint:
        if known_at is None:
            return session.pinned()
        with session.reading() as connection:
            return checkpoints.named(connection, known_at, session.now)

    issuer = Issuer(session.begin, session.reading, session.vault, session.sender, session.actor, pin)
    folder = out_file(out / "statement").parent
    with progress("statements", None) as bar:

        def tell(step: str, done: int, total: int | None) -> None:
            bar.step(step)
            bar.at(done, total)

        made = issuer.issue(from_on, to_on, kind, tell, anew=anew)
        for done, (name, content) in enumerate(issuer.files(made), 1):
            leave(folder / name, content, synced=False)
            tell("leaving files", done, made.members)
    return made


def save_statement(session: Session, made: Statement, path: Path, kind: StatementForm) -> None:
    """Issue a statement: its bytes are kept in the vault, and written to a file that only its owner can read.

    Raises:
        WrongUseError: the file can not be written; what was issued stays so, and can be given again.
    """
    content = written(made, kind, session.sender)
    place = out_file(path)
    # First what is remembered: who is killed between the two has given nothing out that nobody knows of.
    with session.begin() as connection:
        issue(connection, session.vault, made, content, form=kind, actor=session.actor)
    leave(place, content)


def _range(from_day: str | None, to_day: str | None, year: int | None) -> tuple[date, date]:
    if year is not None and from_day is None and to_day is None:
        return date(year, 1, 1), date(year, 12, 31)
    if year is not None or from_day is None or to_day is None:
        raise WrongUseError("Say --from and --to, or --year alone")
    return day_from(from_day), day_from(to_day)


def _show_year(made: Statement) -> None:
    year = made.year
    rows: list[list[object]] = [["opening balance", year.opening_cents]]
    rows += [[total_words(name), cents] for name, cents in year.parts.items() if cents]
    rows.append(["closing balance", year.closing_cents])
    print_table(f"{made.ncpdp_id} {made.dba_name}, {year.year}", ["what", "amount"], rows)
    SCREEN.print(f"Kept by us: {show_cents(made.retained_cents)}, the flat fee and nothing else")


def _told(members: Iterable[MemberYear], tell: Callable[[int], None]) -> Iterator[MemberYear]:
    for done, each in enumerate(members, 1):
        tell(done)
        yield each
