"""When members are paid: ``members schedule``, ``cut-offs``."""

import re
from datetime import time
from typing import Annotated

import typer

from app.cli.bank_details import business_day
from app.cli.dates import day_from
from app.cli.files import members
from app.cli.moment import KnownAt, Moment, asked
from app.cli.screen import SCREEN, AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from ingest.directory import find_member
from ingest.roster import MAX_PAYOUT_MINIMUM_CENTS
from payouts.people.users import OPERATORS, require
from payouts.schedules.cut_offs import CutOff, CutOffName, list_cut_offs, set_cut_off
from payouts.schedules.errors import CutOffTimeError, MinimumError, ScheduleUnknownError
from payouts.schedules.terms import PayoutTerms, change_terms, payout_terms
from schemas.errors import WrongUseError
from schemas.money import cents_from_text, show_cents
from schemas.schedules import SCHEDULES, PayoutSchedule

cut_offs = typer.Typer(help="Times of day by the bank's clock, each from a day on.", no_args_is_help=True)

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The business date; else today.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    members.command("schedule")(schedule)
    app.add_typer(cut_offs, name="cut-offs")


def schedule(
    member: Annotated[str, typer.Argument(metavar="NCPDP", help="NCPDP id or member id.")],
    new: Annotated[str | None, typer.Option("--schedule", metavar="SCHEDULE", help=f"{SCHEDULES}.")] = None,
    minimum: Annotated[
        str | None,
        typer.Option(metavar="DOLLARS", help="The least that is paid, net of the fee; 0: whatever there is."),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is changed; it is kept.")] = "",
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Show when a member is paid and from how much on, with its next payout days; or change it, and write to it.

    Example: centralpay members schedule 1234567 --schedule weekly:fri --minimum 50.00 --reason 'asked for by letter'
    """
    wanted = None if new is None else _schedule_from(new)
    least = None if minimum is None else _minimum_from(minimum)
    if wanted is None and least is None:
        if reason:
            raise WrongUseError("A reason without a change: give --schedule or --minimum, or both")
        with opened(as_user, warn) as session, session.reading() as connection:
            member_id = find_member(connection, member)
            terms = payout_terms(connection, member_id, business_day(session, day))
    else:
        with opened(as_user, warn) as session, session.begin() as connection:
            require(connection, session.actor, OPERATORS)
            on, member_id = business_day(session, day), find_member(connection, member)
            terms = change_terms(
                connection,
                member_id,
                schedule=wanted,
                minimum_cents=least,
                reason=reason,
                on=on,
                actor=session.actor,
            )
    _show_terms(terms, as_json=as_json)


def _show_terms(terms: PayoutTerms, *, as_json: bool) -> None:
    if as_json:
        print_json(terms)
        return
    rows = [[terms.ncpdp_id, terms.legal_name, terms.schedule, terms.minimum_cents]]
    print_table("Payout schedule", ["NCPDP", "name", "schedule", "at least"], rows)
    if terms.has_left:
        SCREEN.print("The member has left: it is paid in every cycle, whatever there is.")
    print_table("Next payout days", ["date", "day"], [[day, f"{day:%A}"] for day in terms.next_days])


@cut_offs.command("list")
def show(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List the cut-offs that were ever set; of each name the last one that has begun holds.

    Example: centralpay cut-offs list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_cut_offs(connection)
    _show_cut_offs(found, moment, as_json=as_json)


@cut_offs.command("set")
def change(
    name: Annotated[CutOffName, typer.Argument(metavar="NAME", help=", ".join(CutOffName))],
    at: Annotated[str, typer.Option("--time", metavar="HH:MM", help="By the bank's clock, America/New_York.")],
    since: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The first day on which it holds.")],
    day: Day = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Set a cut-off from a day on; an approver does.

    Example: centralpay cut-offs set file_handover --time 16:30 --since 2026-12-01
    """
    local_time, first = _time_from(at), day_from(since)
    with opened(as_user, warn) as session, session.begin() as connection:
        today = business_day(session, day)
        made = set_cut_off(connection, name, local_time, first, today=today, actor=session.actor)
    _show_cut_offs([made], as_json=as_json)


def _show_cut_offs(found: list[CutOff], moment: Moment | None = None, *, as_json: bool) -> None:
    if as_json:
        known = {} if moment is None else moment.known
        print_json(known | {"cut_offs": [each.model_dump(mode="json") for each in found]})
        return
    rows = [[each.name.value, each.since, f"{each.local_time:%H:%M}", each.set_by] for each in found]
    print_table("Cut-offs by the bank's clock", ["name", "since", "time", "set by"], rows)
    if moment is not None:
        moment.say()


def _schedule_from(text: str) -> PayoutSchedule:
    try:
        return PayoutSchedule.read(text)
    except ValueError:
        raise ScheduleUnknownError(text) from None


def _minimum_from(text: str) -> int:
    try:
        return cents_from_text(text.replace(",", ""))
    except ValueError:
        raise MinimumError(text, show_cents(MAX_PAYOUT_MINIMUM_CENTS)) from None


def _time_from(text: str) -> time:
    if _TIME.fullmatch(text) is None:
        raise CutOffTimeError(text)
    return time.fromisoformat(text)
