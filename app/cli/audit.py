"""For an examiner: ``audit registers``, ``audit register``, ``audit tests``."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli.dates import day_from
from app.cli.leaving import leave
from app.cli.moment import AsOf, KnownAt, asked, checkpoint_facts, checkpoint_words
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.session import opened
from ledger.journal_tests import Finding, JournalTestResult, journal_tests
from ledger.seal.checkpoints import Checkpoint
from payouts.registers.catalogue import FEES, REGISTERS, RegisterKind, kind_of
from payouts.registers.forms import RegisterForm, heading, register_csv, register_xlsx
from payouts.registers.model import Cell, Register, RegisterDaysError, Span, Unit
from payouts.registers.reading import read_register
from payouts.spreadsheet import plain_cell
from schemas.errors import WrongUseError
from schemas.money import show_cents, text_from_cents

audit = typer.Typer(help="For an examiner: registers, routine tests, what auditors read.", no_args_is_help=True)

_SHOWN = 500
"""Rows of a register that a screen shows; a file has all."""

FromDay = Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First accounting day.")]
ToDay = Annotated[
    str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last accounting day; else today, or the checkpoint's.")
]
OutFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there; else on the screen.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(audit, name="audit")


@audit.command("registers")
def list_registers(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the registers that there are, what each says, and what it is tied to.

    Example: centralpay audit registers
    """
    with opened(as_user, warn) as session, session.reading():
        pass  # Nothing is read for it; that an auditor asks is noted.
    fees = [FEES, "by month", "each fee beside its contract: centralpay fees register"]
    spans = {Span.RANGE: "--from --to", Span.DAY: "--as-of"}
    rows = [*([kind.name, spans[kind.span], kind.says] for kind in REGISTERS.values()), fees]
    if as_json:
        names = ("name", "of", "says")
        print_json({"registers": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    print_table("Registers", ["name", "of", "what it lists"], rows)


@audit.command("register")
def show_register(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See: centralpay audit registers.")],
    from_day: FromDay = None,
    to_day: ToDay = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    kind: Annotated[RegisterForm | None, typer.Option("--format", help="How to write the file.")] = None,
    out: OutFile = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Print a register of days, or as of a day, and whether its totals agree with the books; exit code 4 when not.

    Example: centralpay audit register 835 --from 2026-11-01 --to 2026-11-30
    """
    with (
        opened(as_user, warn) as session,
        progress("reading", None),
        asked(session, None, known_at) as (connection, moment),
    ):
        from_on, to_on = _days(kind_of(name), from_day, to_day, as_of, moment.day(session.today))
        made, checkpoint = read_register(connection, name, from_on, to_on), moment.checkpoint
    if out is not None:
        leave(out, _written(made, checkpoint, _form(kind, out)))
    if as_json or (out is None and kind is RegisterForm.JSON):
        print_json(_document(made, checkpoint))
    elif out is None and kind is RegisterForm.CSV:
        typer.echo(register_csv(made), nl=False)
    elif out is None and kind is RegisterForm.XLSX:
        raise WrongUseError("A workbook is no text for a screen: say --out FILE")
    else:
        _show(made, checkpoint, out)
    if not made.agrees:
        raise typer.Exit(ExitCode.PROOF_FAILED)


@audit.command("tests")
def show_tests(
    from_day: FromDay = None,
    to_day: ToDay = None,
    known_at: KnownAt = None,
    listed: Annotated[str | None, typer.Option("--list", metavar="NAME", help="All that one test finds.")] = None,
    out: OutFile = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Run the journal-entry tests that auditors run as a routine; exit code 4 when one finds what must not be.

    Example: centralpay audit tests --from 2026-11-01 --to 2026-11-30
    """
    with (
        opened(as_user, warn) as session,
        progress("testing", None),
        asked(session, None, known_at) as (connection, moment),
    ):
        to_on = moment.day(session.today) if to_day is None else day_from(to_day)
        from_on = date(to_on.year, 1, 1) if from_day is None else day_from(from_day)
        most = None if listed is not None or out is not None else 5
        results, checkpoint = journal_tests(connection, from_on, to_on, name=listed, most=most), moment.checkpoint
    if out is not None:
        leave(out, _findings_csv(results).encode())
    if as_json:
        said = [each.model_dump(mode="json") | {"fails": each.fails} for each in results]
        days = {"from": f"{from_on}", "to": f"{to_on}", "known_at": checkpoint_facts(checkpoint)}
        print_json(days | {"tests": said, "fails": any(each.fails for each in results)})
    elif listed is not None and out is None:
        _show_findings(results[0])
    else:
        _show_results(results, from_on, to_on, checkpoint)
        if out is not None:
            SCREEN.print(f"All findings: {out}", soft_wrap=True)
    if any(each.fails for each in results):
        raise typer.Exit(ExitCode.PROOF_FAILED)


def _days(
    kind: RegisterKind, from_day: str | None, to_day: str | None, as_of: str | None, today: date
) -> tuple[date | None, date]:
    """Read the days that a register is asked for.

    Raises:
        RegisterDaysError: it is of days, and no first one is given; or of one day.
    """
    if kind.span is Span.DAY:
        if from_day is not None or to_day is not None:
            raise RegisterDaysError(kind.name, "it is as of a day: --as-of YYYY-MM-DD, and no --from or --to")
        return None, today if as_of is None else day_from(as_of)
    if from_day is None or (as_of is not None and to_day is not None):
        raise RegisterDaysError(kind.name, "it is of days: --from YYYY-MM-DD --to YYYY-MM-DD")
    last = to_day or as_of
    return day_from(from_day), today if last is None else day_from(last)


def _form(kind: RegisterForm | None, out: Path) -> RegisterForm:
    if kind is not None:
        return kind
    ending = out.suffix.removeprefix(".").lower()
    return RegisterForm(ending) if ending in set(RegisterForm) else RegisterForm.CSV


def _document(made: Register, checkpoint: Checkpoint | None) -> dict[str, object]:
    return made.document() | {"known_at": checkpoint_facts(checkpoint)}


def _written(made: Register, checkpoint: Checkpoint | None, kind: RegisterForm) -> bytes:
    if kind is RegisterForm.XLSX:
        return register_xlsx(made)
    if kind is RegisterForm.CSV:
        return register_csv(made).encode()
    return (json.dumps(_document(made, checkpoint), indent=2, default=str) + "\n").encode()


def _show(made: Register, checkpoint: Checkpoint | None, out: Path | None) -> None:
    days = f"as of {made.to_on}" if made.from_on is None else f"{made.from_on} to {made.to_on}"
    if out is None:
        _show_rows(made, f"{made.title}, {days}")
    else:
        SCREEN.print(f"{out}: {made.title}, {days}, {len(made.rows)} rows", soft_wrap=True)
    if made.figures:
        words = [[name.replace("_", " "), "none" if each is None else str(each)] for name, each in made.figures.items()]
        print_table("Figures", ["what", "figure"], words)
    ties = [
        [tie.what, "yes" if tie.agrees else "NO"]
        + [
            show_cents(each) if tie.unit is Unit.CENTS else f"{each:,}"
            for each in (tie.register_total, tie.books_total, tie.difference)
        ]
        for tie in made.ties
    ]
    print_table("Agrees with the books", ["what", "agrees", "register", "books", "difference"], ties)
    if checkpoint is not None:
        words_of = checkpoint_words(checkpoint)
        SCREEN.print(words_of[0].upper() + words_of[1:], soft_wrap=True)


def _show_rows(made: Register, title: str) -> None:
    hidden = REGISTERS[made.name].hidden
    columns = [column for column in made.columns if column not in hidden]
    rows = [[_shown(column, getattr(row, column)) for column in columns] for row in made.rows[:_SHOWN]]
    if rows:
        total: list[Cell] = [made.totals.get(column) for column in columns]
        total[0] = "total"
        rows.append(total)
    print_table(title, [_label(made, column) for column in columns], rows)
    if len(made.rows) > _SHOWN:
        SCREEN.print(f"The first {_SHOWN} of {len(made.rows)} rows; all of them: --out FILE.csv", soft_wrap=True)


def _shown(column: str, cell: Cell) -> Cell:
    """Give a cell for the screen: numbers of things are names there, digests short."""
    if column.endswith("_id") and cell is not None:
        return str(cell)
    return cell[:12] if column.endswith("_sha256") and isinstance(cell, str) else cell


def _label(made: Register, column: str) -> str:
    """Name a column; one of counts ends in ``#``, as ``print_table`` asks for it."""
    words = heading(column).removesuffix("_id").replace("_", " ")
    if column.endswith(("_cents", "_id")):
        return words
    is_count = any(type(getattr(row, column)) is int for row in made.rows)
    return f"{words}#" if is_count else words


def _show_results(results: list[JournalTestResult], from_on: date, to_on: date, checkpoint: Checkpoint | None) -> None:
    rows = [
        [
            each.name,
            each.looks_for,
            each.looked_at,
            each.among,
            each.found,
            ("FAILS" if each.fails else "holds") if each.must_be_zero else "to look at" if each.found else "none",
            "; ".join(_words(finding) for finding in each.first[:2]),
        ]
        for each in results
    ]
    columns = ["test", "looks for", "looked at#", "of", "found#", "verdict", "the first"]
    print_table(f"Journal tests, {from_on} to {to_on}", columns, rows)
    if checkpoint is not None:
        SCREEN.print(f"K{checkpoint_words(checkpoint)[1:]}", soft_wrap=True)


def _show_findings(result: JournalTestResult) -> None:
    rows = [
        [
            str(each.transaction_id or ""),
            str(each.journal_no or ""),
            each.effective_on,
            each.entered_at,
            each.actor,
            each.owner,
            each.account,
            each.amount_cents,
            each.detail,
        ]
        for each in result.first
    ]
    columns = ["transaction", "journal", "date", "entered", "by", "owner", "account", "amount ", "what"]
    print_table(f"{result.name}: {result.looks_for}", columns, rows)


def _words(finding: Finding) -> str:
    where = f"transaction {finding.transaction_id}" if finding.transaction_id else finding.account or ""
    amount = "" if finding.amount_cents is None else show_cents(finding.amount_cents)
    return " ".join(each for each in (where, finding.owner, amount, finding.detail) if each)


def _findings_csv(results: list[JournalTestResult]) -> str:
    """Write all findings, one a line, behind the name of their test; amounts in dollars."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = list(Finding.model_fields)
    writer.writerow(["test", "must_be_zero", *(heading(name) for name in names)])
    for result in results:
        for each in result.first:
            amount = "" if each.amount_cents is None else text_from_cents(each.amount_cents)
            cells = [amount if name == "amount_cents" else _cell(getattr(each, name)) for name in names]
            writer.writerow([result.name, "yes" if result.must_be_zero else "no", *cells])
    return text.getvalue()


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    return plain_cell(value) if isinstance(value, str) else str(value)
