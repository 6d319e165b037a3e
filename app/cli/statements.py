"""Statements: one member's (``statement``), everybody's of a month or a year, and those that were issued."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.screen import SCREEN, AsJson, AsUser, possible, print_json, print_table, progress, warn
from app.session import Session, opened, out_file
from ingest.directory import find_member
from payouts.people.users import OPERATORS, UserRole, require
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
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write a member's statement: opening, advices, fee, payouts, closing; it foots. Every deduction says who took it.

    Written to a file it is issued, by a user: its bytes are kept, and centralpay statements again gives them again.

    Example: centralpay statement --member 1234567 --from 2026-11-01 --to 2026-11-30 --format csv --out s.csv
    """
    from_on, to_on = _range(from_day, to_day, year)
    with opened(as_user, warn) as session:
        with session.reading() as connection:
            made = statement(connection, find_member(connection, member, to_on), from_on, to_on, payer)
        if out is not None:
            with session.begin() as connection:
                require(connection, session.actor, tuple(UserRole))
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
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Issue everybody's statements of a range. Issued again, the files are the same bytes, whatever was posted since.

    Example: centralpay statements issue --from 2026-11-01 --to 2026-11-30 --format csv --out statements
    """
    from_on, to_on = day_from(from_day), day_from(to_day)
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        made = issue_statements(session, from_on, to_on, kind, out, anew=anew)
        if to_on >= session.today:
            warn(f"{to_on} is not over: what is posted until then is in another version alone, by --anew")
    if as_json:
        print_json(made.model_dump(mode="json") | {"out": str(out)})
        return
    when = f"{made.issued_at:%Y-%m-%d %H:%M}"
    row = [made.issue_id, made.from_on, made.to_on, made.form, made.version, made.members, when, made.issued_by]
    columns = ["id#", "from", "to", "format", "version#", "members#", "issued (UTC)", "by"]
    print_table("Statements issued", columns, [row])
    SCREEN.print(f"Files: {out}", soft_wrap=True)


@commands.command("year")
def write_year(
    year: Year,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The CSV file to write.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write the year of every member, one a line: claims, what payers took, the fee, what was paid, what is owed.

    Example: centralpay statements year --year 2026 --out year.csv
    """
    part = out_file(out).with_name(f".{out.name}.part")
    with opened(as_user, warn) as session, session.reading() as connection, progress("members", None) as bar:
        try:
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)
            with part.open("w", encoding="utf-8", newline="") as file:
                totals = write_years(_told(years(connection, year), bar.at), file)
            part.replace(out)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise WrongUseError(f"{out}: {error.strerror}") from error
    if as_json:
        print_json({"year": year, "file": str(out)} | totals)
        return
    members = totals.pop("members")
    rows = [[name.removesuffix("_cents").replace("_", " "), cents] for name, cents in totals.items()]
    print_table(f"Year {year}, {members} members: {out}", ["what", "amount"], rows)


@commands.command("list")
def show_issued(
    member: Annotated[str, typer.Option(help="NCPDP id or member id.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the statements that were issued to a member.

    Example: centralpay statements list --member 1234567
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = issued_to(connection, find_member(connection, member))
    if as_json:
        print_json({"statements": [each.model_dump(mode="json") for each in found]})
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
        ]
        for each in found
    ]
    columns = ["id#", "from", "to", "format", "payer", "closing", "issued (UTC)", "by", "SHA-256"]
    print_table("Statements issued", columns, rows)


@commands.command("again")
def write_again(
    statement_id: Annotated[int, typer.Argument(metavar="ID", callback=possible)],
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
    _leave(out_file(out), content)
    if as_json:
        print_json(of)
        return
    SCREEN.print(f"{out}: {of.ncpdp_id}, {of.from_on} to {of.to_on}, {of.form}, as issued", soft_wrap=True)


def issue_statements(
    session: Session, from_on: date, to_on: date, kind: StatementForm, out: Path, *, anew: bool = False
) -> Issue:
    """Issue everybody's statements of a range and leave them in a folder, with a bar that tells how far it is.

    Raises:
        WrongUseError: the range says nothing, or a file can not be written.
    """
    issuer = Issuer(session.begin, session.reading, session.vault, session.sender, session.actor)
    folder = out_file(out / "statement").parent
    with progress("statements", None) as bar:

        def tell(step: str, done: int, total: int | None) -> None:
            bar.step(step)
            bar.at(done, total)

        made = issuer.issue(from_on, to_on, kind, tell, anew=anew)
        for done, (name, content) in enumerate(issuer.files(made), 1):
            _leave(folder / name, content)
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
    _leave(place, content)


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


def _leave(path: Path, content: bytes) -> None:
    """Write a file for its owner's eyes; it is whole or not there."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise WrongUseError(f"{path}: {error.strerror}") from error
