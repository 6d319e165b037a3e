"""The payout cycle: ``fees``, ``cycle``, ``statement``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.dates import day_from, month_from
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, progress, warn
from app.session import Session, opened, out_file
from ingest.directory import find_member
from payouts import cycles, fees
from payouts.cycles import Cycle
from payouts.release import Released
from payouts.statements import Statement, issue, statement, statement_csv
from payouts.users import OPERATORS, require
from schemas.errors import WrongUseError

fee_commands = typer.Typer(help="The flat monthly fee.", no_args_is_help=True)
cycle_commands = typer.Typer(help="Payout cycles: propose, approve by another person, release.", no_args_is_help=True)

CycleId = Annotated[int, typer.Argument(metavar="ID")]
Day = Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The banking day of the release.")]


class StatementFormat(StrEnum):
    """How a statement is written."""

    CSV = "csv"
    """Rows with a running balance, in dollars."""
    JSON = "json"
    """The whole statement, in cents."""


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(fee_commands, name="fees")
    app.add_typer(cycle_commands, name="cycle")
    app.command("statement")(write_statement)


@fee_commands.command("assess")
def assess(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Assess the month's flat fee of every contract, once.

    Example: centralpay fees assess --month 2026-11
    """
    first = month_from(month)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        assessed = fees.assess(connection, first, session.actor)
    if as_json:
        print_json(assessed)
        return
    print_table("Fees assessed", ["month", "members#", "amount"], [[month, assessed.members, assessed.amount_cents]])


@cycle_commands.command("propose")
def propose(day: Day, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Propose to pay what is available by a day.

    Example: centralpay cycle propose --date 2026-11-20
    """
    business_date = day_from(day)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        cycle = cycles.propose(connection, business_date, session.originator, session.actor)
    show_cycle(cycle, as_json=as_json)


@cycle_commands.command("show")
def show(cycle_id: CycleId, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show a cycle with every payout.

    Example: centralpay cycle show 1
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        cycle = cycles.show(connection, cycle_id)
    show_cycle(cycle, as_json=as_json)


@cycle_commands.command("approve")
def approve(cycle_id: CycleId, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Approve a cycle that another person proposed.

    Example: centralpay cycle approve 1 --as anna
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        cycle = cycles.approve(connection, cycle_id, session.actor)
    if as_json:
        print_json({"approval_id": cycle.approval_id, "state": "approved", "cycle": cycle_json(cycle)})
        return
    show_cycle(cycle, as_json=False)


@cycle_commands.command("release")
def release(
    cycle_id: CycleId,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the NACHA file and the members' 835s are left.")],
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Release an approved cycle; again gives the same files and pays nothing twice.

    DIR gets the NACHA file; DIR/835 each member's own 835, and a CSV that lists what they say.

    Example: centralpay cycle release 1 --out out
    """
    with opened(as_user, warn) as session:
        with session.begin() as connection:
            require(connection, session.actor, OPERATORS)
        released = release_showing(session, cycle_id, out)
    if as_json:
        print_json(released.model_dump(mode="json"))
        return
    show_release(released)


@cycle_commands.command("list")
def show_all(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the cycles.

    Example: centralpay cycle list
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = cycles.list_cycles(connection)
    if as_json:
        print_json({"cycles": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [each.cycle_id, each.business_date, each.effective_on, each.state, each.payouts, each.total_cents]
        for each in found
    ]
    print_table("Cycles", ["id#", "date", "effective", "state", "payouts#", "total"], rows)


def release_showing(session: Session, cycle_id: int, out: Path) -> Released:
    """Release a cycle with a bar that tells how far it is."""
    with progress("releasing", None) as bar:

        def tell(step: str, done: int, total: int) -> None:
            bar.step(step)
            bar.at(done, total)

        return session.releaser().release(cycle_id, out, tell)


def write_statement(
    member: Annotated[str, typer.Option(help="NCPDP id or member id.")],
    from_day: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")],
    to_day: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; else on the screen.")] = None,
    kind: Annotated[StatementFormat, typer.Option("--format", help="How to write it.")] = StatementFormat.JSON,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Write a member's statement: opening, advices, fee, payouts, closing; it foots.

    Example: centralpay statement --member 1234567 --from 2026-11-01 --to 2026-11-30 --format csv --out s.csv
    """
    from_on, to_on = day_from(from_day), day_from(to_day)
    with opened(as_user, warn) as session:
        with session.reading() as connection:
            made = statement(connection, find_member(connection, member, to_on), from_on, to_on)
        if out is not None:
            save_statement(session, made, out, kind)
    if as_json or (out is None and kind is StatementFormat.JSON):
        print_json(made.model_dump(mode="json"))
    elif out is None:
        typer.echo(statement_csv(made), nl=False)
    else:
        SCREEN.print(f"{out}: {made.ncpdp_id}, {from_on} to {to_on}")


def save_statement(session: Session, made: Statement, path: Path, kind: StatementFormat) -> None:
    """Issue a statement: its bytes are kept in the vault, and written to a file that only its owner can read.

    Raises:
        WrongUseError: the file can not be written.
    """
    text = statement_csv(made) if kind is StatementFormat.CSV else made.model_dump_json(indent=2) + "\n"
    content = text.encode()
    target = out_file(path)
    try:
        target.touch(mode=0o600)
        target.write_bytes(content)
    except OSError as error:
        raise WrongUseError(f"{path}: {error.strerror}") from error
    with session.begin() as connection:
        issue(connection, session.vault, made, content, session.actor)


def cycle_json(cycle: Cycle) -> dict[str, Any]:
    """Give a cycle as its JSON document; a payout of nothing is one that the fee took whole, listed apart."""
    document = cycle.model_dump(mode="json", exclude={"payouts", "omitted"})
    paid = [each for each in cycle.payouts if each.amount_cents]
    taken = [
        {
            "member_id": str(each.member_id),
            "ncpdp_id": each.ncpdp_id,
            "available_cents": each.fee_cents,
            "fee_cents": each.fee_cents,
            "reason": "fee_takes_all",
        }
        for each in cycle.payouts
        if not each.amount_cents
    ]
    return document | {
        "payouts": [each.model_dump(mode="json", exclude_none=True) for each in paid],
        "omitted": [each.model_dump(mode="json") for each in cycle.omitted] + taken,
    }


def show_cycle(cycle: Cycle, *, as_json: bool) -> None:
    """Print a cycle, its payouts, and the members left out."""
    if as_json:
        print_json(cycle_json(cycle))
        return
    print_table(
        f"Cycle {cycle.cycle_id}",
        ["date", "effective", "state", "approval#", "payouts#", "fees", "total"],
        [
            [
                cycle.business_date,
                cycle.effective_date,
                cycle.state,
                cycle.approval_id or 0,
                len(cycle.payouts),
                cycle.fee_cents,
                cycle.total_cents,
            ]
        ],
    )
    rows = [
        [each.ncpdp_id, each.amount_cents, each.fee_cents, each.state, each.payer_trace, each.reason]
        for each in cycle.payouts
    ]
    print_table("Payouts", ["NCPDP", "amount", "fee", "state", "for", "reason"], rows)
    print_table(
        "Not paid",
        ["NCPDP", "available", "reason"],
        [[each.ncpdp_id, each.available_cents, each.reason] for each in cycle.omitted],
    )
    SCREEN.print(f"set hash {cycle.set_hash}")


def show_release(released: Released) -> None:
    """Print what a release sent."""
    print_table(
        f"Cycle {released.cycle_id} {released.state}",
        ["effective", "payouts#", "fees", "total", "NACHA file", "835s#", "their sets#"],
        [
            [
                released.effective_date,
                released.payouts,
                released.fee_cents,
                released.total_cents,
                released.nacha_file or "none",
                released.children.files,
                released.children.sets,
            ]
        ],
    )
    if released.children.folder is not None:
        SCREEN.print(f"The members' own 835s and their list: {released.children.folder}", soft_wrap=True)
    print_table("Dropped", ["NCPDP", "reason"], [[each.ncpdp_id, each.reason] for each in released.dropped])
