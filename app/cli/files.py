"""Files in: ``ingest``, ``members``, ``payers``, and ``match``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from app.cli.acknowledgements import Acknowledged, ack_folder, acknowledge_all
from app.cli.moment import KnownAt, asked
from app.cli.screen import ERRORS, AsJson, AsUser, print_json, print_table, progress, warn
from app.exit_codes import ExitCode
from app.session import opened
from app.work import complaints, match_all, receive
from ingest.directory import list_members
from ingest.funding import MatchReport
from ingest.kinds import FileKind
from ingest.matching import Step
from ingest.receiving import FileVerdict
from ingest.waivers import Waiver
from payouts.answers.returns import Posted
from payouts.cycle.settlement import Settled

_STEPS = {
    Step.ZERO: "zero money",
    Step.EXACT: "trace and payer",
    Step.NO_PAYER: "trace, payer not named",
    Step.NORMALISED: "trace but for case, blanks, zeros",
    Step.PREFIX: "beginning of the trace",
}

Roster = Annotated[
    str, typer.Argument(metavar="ROSTER.csv", help="Its columns: docs/members-and-payers.md; '-' reads standard input.")
]
PayerList = Annotated[
    str, typer.Argument(metavar="PAYERS.csv", help="Its columns: docs/members-and-payers.md; '-' reads standard input.")
]

members = typer.Typer(help="The member pharmacies.", no_args_is_help=True)
payers = typer.Typer(help="The payers that remit.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.command("ingest")(ingest)
    app.command("match")(match)
    app.add_typer(members, name="members")
    app.add_typer(payers, name="payers")


def ingest(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Any number of files; '-' reads standard input.")],
    ack: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a TA1/999 for each 835 into this folder.")
    ] = None,
    waive: Annotated[
        str | None, typer.Option(metavar="RULE", help="Let a refused BAI2 file break this rule: another approver may.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why the rule is waived.")] = "",
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Take files in: 835s, BAI2 and CAMT.053 statements, NACHA files, rosters, payer lists; told by content.

    Every file goes to the vault first. A transaction set that does not foot is quarantined whole, the others of its
    file are taken; a file that was here before changes nothing.

    Example: centralpay ingest --ack acknowledgements remit.835 bank.bai
    """
    folder = None if ack is None else ack_folder(ack)
    waiver = None if waive is None else Waiver(waive, reason)
    with opened(as_user, warn) as session:
        verdicts = receive(session, files, waiver=waiver, show=progress)
        acks = [] if folder is None else acknowledge_all(session, verdicts, folder)
    show_verdicts(verdicts, as_json=as_json, acks=acks)


def match(as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Sweep deposits against advices, debits against what was released, and bank lines against returns.

    Example: centralpay match
    """
    with opened(as_user, warn) as session:
        report, settled, returned = match_all(session, show=progress)
    if as_json:
        document = report.model_dump(mode="json") | {"settled": [each.model_dump(mode="json") for each in settled]}
        document["returned"] = [each.model_dump(mode="json") for each in returned]
        print_json(document)
        return
    show_match(report, settled, returned)


@members.command("import")
def import_members(roster: Roster, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Take a roster over, whole or not at all.

    Example: centralpay members import roster.csv
    """
    with opened(as_user, warn) as session:
        verdicts = receive(session, [roster], expected=FileKind.ROSTER, show=progress)
    show_verdicts(verdicts, as_json=as_json)


@members.command("list")
def show_members(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the members.

    Example: centralpay members list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_members(connection)
    if as_json:
        print_json(moment.known | {"members": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.ncpdp_id,
            each.npi,
            each.legal_name,
            each.member_since,
            each.member_until or "open",
            each.monthly_fee_cents,
            f"…{each.account_last_four}" if each.account_last_four else "none",
        ]
        for each in found
    ]
    print_table("Members", ["NCPDP", "NPI", "name", "since", "until", "fee", "account"], rows)
    moment.say()


@payers.command("import")
def import_payers(payer_list: PayerList, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Take a list of payers over, whole or not at all.

    Example: centralpay payers import payers.csv
    """
    with opened(as_user, warn) as session:
        verdicts = receive(session, [payer_list], expected=FileKind.PAYERS, show=progress)
    show_verdicts(verdicts, as_json=as_json)


def show_verdicts(verdicts: Sequence[FileVerdict], *, as_json: bool, acks: Sequence[Acknowledged] = ()) -> None:
    """Print what became of files and end with the exit code that says it.

    Args:
        verdicts: of the files.
        as_json: as one document.
        acks: their acknowledgements in the same order; none when none were asked for.
    """
    acknowledged = list(zip(verdicts, acks, strict=bool(acks)))
    if as_json:
        told = [{"ack": None if ack.path is None else str(ack.path)} for ack in acks] or [{} for _ in verdicts]
        print_json({"files": [_verdict_json(each) | more for each, more in zip(verdicts, told, strict=True)]})
    else:
        rows = [[Path(each.path).name, each.kind, each.status, _summary(each)] for each in verdicts]
        print_table("Received", ["file", "kind", "status", "what"], rows)
        written = [[Path(each.path).name, str(ack.path)] for each, ack in acknowledged if ack.path is not None]
        if written:
            print_table("Acknowledged", ["file", "acknowledgement"], written)
    for verdict in verdicts:
        for sentence in complaints(verdict):
            ERRORS.print(escape(sentence), soft_wrap=True)
    for verdict, ack in acknowledged:
        if ack.reason:
            warn(f"{verdict.path}: no acknowledgement: {ack.reason}")
    if not all(verdict.is_done for verdict in verdicts):
        raise typer.Exit(ExitCode.QUARANTINED)
    if any(ack.failed for ack in acks):
        raise typer.Exit(ExitCode.FAILED)


def show_match(report: MatchReport, settled: Sequence[Settled], returned: Sequence[Posted] = ()) -> None:
    """Print what a sweep did."""
    rows = [[each.trn, each.payer_id, each.step, _STEPS[Step(each.step)], each.amount_cents] for each in report.funded]
    print_table("Funded", ["trace", "payer", "step#", "found by", "amount"], rows)
    print_table("Settled", ["cycle#", "amount"], [[each.cycle_id, each.amount_cents] for each in settled])
    if returned:
        back = [[each.answer_id, each.ncpdp_id, each.kind, each.code, each.amount_cents] for each in returned]
        print_table("Returned", ["answer#", "NCPDP", "what", "code", "amount"], back)
    print_table("Parked", ["payments#", "deposits#"], [[report.parked.advices, report.parked.deposits]])


def _summary(verdict: FileVerdict) -> str:
    return verdict.summary.removeprefix(f"{verdict.path}: ")


def _verdict_json(verdict: FileVerdict) -> dict[str, Any]:
    document = verdict.model_dump(mode="json", exclude_none=True)
    for each in document["sets"]:
        # Every finding of a set has its segment, null for those of the set as a whole.
        each["findings"] = [{"segment": None} | finding for finding in each["findings"]]
    return document
