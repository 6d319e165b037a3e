"""What a person has to look at, and what can be done about it: ``exceptions list``, ``show``, ``resolve``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.dates import day_from
from app.cli.given import cents_given, table_given
from app.cli.moment import KnownAt, asked
from app.cli.screen import SCREEN, AsJson, AsUser, possible, print_json, print_table, warn
from app.session import BANK_ZONE, opened
from ingest.cases import Case, CaseKind, find_case, list_cases
from payouts.resolutions.actions import resolve
from payouts.resolutions.endings import ENDINGS
from payouts.resolutions.errors import UnknownCaseError
from payouts.resolutions.facts import AdviceFacts, Facts, LineFacts, facts_of, possible_actions
from payouts.resolutions.frame import FITS, Action, Resolution

exceptions = typer.Typer(help="What a person has to look at, and clears.", no_args_is_help=True)

Number = Annotated[
    int, typer.Argument(metavar="ID", callback=possible, help="Its number; see: centralpay exceptions list.")
]
All = Annotated[bool, typer.Option("--all", help="Those that are done, too.")]
Kind = Annotated[CaseKind | None, typer.Option("--kind", metavar="KIND", help="Only this kind.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(exceptions, name="exceptions")


@exceptions.command("list")
def show_exceptions(
    kind: Kind = None,
    everything: All = False,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List the open exceptions, oldest first.

    Example: centralpay exceptions list --kind deposit_short
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = [
            each for each in list_cases(connection, None if everything else "open") if kind is None or each.kind is kind
        ]
    now = moment.now(session.now)
    if as_json:
        print_json(moment.known | {"exceptions": [_case_json(each, now) for each in found]})
        return
    show_cases(found, now)
    moment.say()


@exceptions.command("show")
def show_exception(case_id: Number, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """Show one exception: what stands behind it, and what can be done.

    Example: centralpay exceptions show 4
    """
    with opened(as_user, warn) as session, session.reading() as connection:
        found = find_case(connection, case_id)
        if found is None:
            raise UnknownCaseError(case_id)
        facts = facts_of(connection, found)
    now = session.now
    actions = possible_actions(found, facts)
    if as_json:
        does = [{"action": each.value, "needs_approval": FITS[each].needs_approval} for each in actions]
        print_json(_case_json(found, now) | {"facts": facts.model_dump(mode="json"), "actions": does})
        return
    _show(found, facts, now)
    rows = [[each.value, FITS[each].needs_approval, FITS[each].says] for each in actions]
    print_table("What you can do", ["action", "second person", "how"], rows)


@exceptions.command("resolve")
def resolve_exception(
    case_id: Number,
    action: Annotated[Action, typer.Option("--action", metavar="ACTION", help="See: centralpay exceptions show ID.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")],
    bank_line: Annotated[
        list[int] | None, typer.Option("--bank-line", metavar="N", callback=possible, help="A bank line.")
    ] = None,
    advice: Annotated[
        list[int] | None, typer.Option("--advice", metavar="N", callback=possible, help="An advice.")
    ] = None,
    member: Annotated[str | None, typer.Option("--member", metavar="M", help="NCPDP id or member id.")] = None,
    amount: Annotated[str | None, typer.Option("--amount", metavar="X", help="Dollars; else all that is open.")] = None,
    rows: Annotated[Path | None, typer.Option("--rows", metavar="FILE.csv", help="Members and amounts.")] = None,
    claim: Annotated[list[str] | None, typer.Option("--claim", metavar="C", help="A claim: ADVICE:SEGMENT.")] = None,
    payer: Annotated[str | None, typer.Option("--payer", metavar="P", help="Payer id or name.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day, where one is.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day, where one is.")] = None,
    payee: Annotated[str | None, typer.Option("--payee", metavar="NAME", help="Who is paid.")] = None,
    day: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Business day; else today.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Clear an exception; where a second person is needed, ask for the approval.

    Example: centralpay exceptions resolve 4 --action match --bank-line 7 --advice 3 --reason 'cheque without trace'
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        request = Resolution(
            case_id=case_id,
            action=action,
            reason=reason,
            day=session.today if day is None else day_from(day),
            bank_lines=tuple(bank_line or ()),
            advices=tuple(advice or ()),
            member=member,
            amount_cents=cents_given(amount),
            rows=table_given(rows),
            claims=tuple(claim or ()),
            payee=payee,
            payer=payer,
            since=None if since is None else day_from(since),
            until=None if until is None else day_from(until),
        )
        approval_id = resolve(connection, request, session.actor)
        after = find_case(connection, case_id)
    state = "pending" if approval_id is not None else "done"
    case_state = "open" if after is None else after.state
    if as_json:
        print_json({"exception": case_id, "approval_id": approval_id, "state": state, "case_state": case_state})
        return
    row = [case_id, action.value, state, approval_id and str(approval_id), case_state]
    print_table("Resolution", ["exception#", "action", "state", "approval", "exception is"], [row])


def show_cases(found: list[Case], now: datetime) -> None:
    """Print exception cases, with their age at a moment by the bank's clock."""
    rows = [
        [each.id, each.kind.value, each.subject, each.amount_cents, _age(each, now), each.state, each.detail]
        for each in found
    ]
    print_table("Exceptions", ["id#", "kind", "subject", "amount", "days#", "state", "detail"], rows)


def _age(case: Case, now: datetime) -> int:
    return max((now.date() - case.opened_at.astimezone(BANK_ZONE).date()).days, 0)


def _case_json(case: Case, now: datetime) -> dict[str, Any]:
    return case.model_dump(mode="json", exclude_none=True) | {"age_days": _age(case, now)}


def _show(case: Case, facts: Facts, now: datetime) -> None:
    said = [case.id, case.kind.value, case.subject, case.amount_cents, _age(case, now), case.state, case.detail]
    print_table("Exception", ["id#", "kind", "subject", "amount", "days#", "state", "detail"], [said])
    if case.resolution:
        SCREEN.print(case.resolution, markup=False)
    elif case.kind in ENDINGS:
        SCREEN.print(ENDINGS[case.kind], markup=False, soft_wrap=True)
    for note in facts.notes:
        SCREEN.print(note, markup=False)
    for approval_id in facts.pending:
        SCREEN.print(f"approval {approval_id} waits for a second person", markup=False)
    _show_lines("Bank lines", facts.bank_lines)
    _show_advices("Advices", facts.advices)
    _show_lines("Open deposits of the same amount", facts.candidate_lines)
    _show_advices("Waiting advices of the same amount", facts.candidate_advices)


def _show_lines(title: str, lines: tuple[LineFacts, ...]) -> None:
    if lines:
        rows = [
            [
                each.bank_line_id,
                each.as_of,
                each.type_code,
                each.amount_cents,
                each.open_cents,
                each.state,
                ", ".join(each.traces),
                each.description,
            ]
            for each in lines
        ]
        print_table(title, ["id#", "booked", "code", "amount", "open", "state", "names", "text"], rows)


def _show_advices(title: str, advices: tuple[AdviceFacts, ...]) -> None:
    if advices:
        rows = [
            [
                each.advice_id,
                each.payer_name,
                each.trace_number,
                each.paid_on,
                each.payment_cents,
                each.funded_cents,
                each.state,
            ]
            for each in advices
        ]
        print_table(title, ["id#", "payer", "trace", "paid on", "amount", "funded", "state"], rows)
