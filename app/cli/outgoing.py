"""What was sent to the bank: ``ach``, and ``cycle reverse-payout``."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.cycle import cycle_commands
from app.cli.dates import day_from
from app.cli.moment import KnownAt, asked
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from payouts.ach.outgoing import leave_file
from payouts.ach.reversals import PayoutReversal, ReversalReason, reverse_payout, send_reversal
from payouts.ach.sent import SentFile, entries_of, find_entry, sent_file, sent_files
from payouts.people.users import OPERATORS, require
from schemas.errors import WrongUseError

ach = typer.Typer(help="NACHA files and entries that were sent to the bank.", no_args_is_help=True)

Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The business day; else today.")]
FileId = Annotated[int, typer.Argument(metavar="ID", help="Its number; see: centralpay ach list.")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the file is left.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(ach, name="ach")
    cycle_commands.command("reverse-payout")(take_back)


@ach.command("list")
def show_files(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the files that were sent.

    Example: centralpay ach list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = sent_files(connection)
    if as_json:
        print_json(moment.known | {"files": [each.model_dump(mode="json", exclude_none=True) for each in found]})
        return
    _show_files(found)
    moment.say()


@ach.command("show")
def show_file(ach_file_id: FileId, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the entries of a file that was sent: for whom, how much, under which trace number, for which payout.

    Example: centralpay ach show 3
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        file, entries = sent_file(connection, ach_file_id), entries_of(connection, ach_file_id)
    if as_json:
        listed = [each.model_dump(mode="json", exclude_none=True) for each in entries]
        print_json(moment.known | {"file": file.model_dump(mode="json", exclude_none=True), "entries": listed})
        return
    _show_files([file])
    rows = [
        [
            f"{each.trace_number:015d}",
            each.kind,
            each.ncpdp_id,
            _number(each.payout_id),
            _number(each.change_id),
            each.amount_cents,
        ]
        for each in entries
    ]
    print_table("Its entries", ["trace", "kind", "NCPDP", "payout", "change", "amount"], rows)
    moment.say()


@ach.command("write")
def write_again(ach_file_id: FileId, out: Out, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Leave a file that was sent in a folder again, byte for byte.

    Example: centralpay ach write 3 --out out
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            file = sent_file(connection, ach_file_id)
        path = leave_file(session.vault, file, out)
    if as_json:
        print_json({"file": file.model_dump(mode="json", exclude_none=True), "nacha_file": str(path)})
        return
    SCREEN.print(f"{path}", soft_wrap=True)


@ach.command("find")
def show_entry(
    trace: Annotated[str, typer.Argument(metavar="TRACE", help="15 digits, as the bank's answer names them.")],
    day: Day = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Find what was sent under a trace number in the year before a day.

    Example: centralpay ach find 091000010000041 --date 2026-11-20
    """
    if not (trace.isascii() and trace.isdigit() and len(trace) == 15):
        raise WrongUseError("A trace number has 15 digits")
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        on = moment.day(session.today) if day is None else day_from(day)
        found = find_entry(connection, trace, on)
    if found is None:
        raise WrongUseError(f"Nothing was sent under trace number {trace} in the year before {on}")
    if as_json:
        print_json(moment.known | found.model_dump(mode="json", exclude_none=True))
        return
    columns = ["kind", "payout", "change", "amount", "sent", "effective", "file#"]
    row = [found.kind, _number(found.payout_id), _number(found.change_id), found.amount_cents]
    row += [found.sent_on, found.effective_on]
    print_table(f"Entry {trace}", columns, [[*row, found.ach_file_id]])
    moment.say()


def take_back(
    payout_id: Annotated[int, typer.Argument(metavar="PAYOUT", help="Its number; see: centralpay ach show FILE.")],
    reason: Annotated[ReversalReason, typer.Option(help="Why; the rules know no other reasons.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the file is left, once approved.")] = None,
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask a payment back from its bank: first another person approves, then the same again leaves the reversal's file.

    Only for a duplicate, a wrong amount, receiver or date, and within five banking days of settlement. Nothing is
    posted: the bank's credit, or its refusal, says what became of it.

    Example: centralpay cycle reverse-payout 17 --reason duplicate --out out --date 2026-11-20
    """
    with opened(as_user, warn) as session:
        on = session.today if day is None else day_from(day)
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            told = reverse_payout(connection, payout_id, reason, business_date=on, actor=session.actor)
            if told.state == "approved" and out is not None:
                courier = session.courier(connection)
                told = send_reversal(connection, courier, session.keyring, payout_id, business_date=on)
        path = leave_file(session.vault, told.file, out) if told.file is not None and out is not None else None
    if as_json:
        print_json(told.model_dump(mode="json", exclude_none=True) | {"nacha_file": str(path) if path else None})
        return
    _show_reversal(told, path)


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _show_reversal(told: PayoutReversal, path: Path | None) -> None:
    columns = ["payout#", "NCPDP", "amount", "reason", "state", "approval#", "last day", "file"]
    row = [told.payout_id, told.ncpdp_id, told.amount_cents, told.reason, told.state, told.approval_id, told.last_day]
    print_table("Payment asked back", columns, [[*row, path or ""]])
    if told.state == "approved":
        warn("It is approved and not sent yet: give --out DIR")


def _show_files(found: list[SentFile]) -> None:
    columns = ["id#", "kind", "date", "effective", "modifier", "name", "entries#", "credits", "debits", "made by"]
    rows = [
        [
            each.ach_file_id,
            each.kind.value,
            each.business_date,
            each.effective_on,
            each.id_modifier,
            each.name,
            each.entries,
            each.credit_cents,
            each.debit_cents,
            each.made_by,
        ]
        for each in found
    ]
    print_table("Sent to the bank", columns, rows)
