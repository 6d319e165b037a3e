"""``audit reads``: what auditors asked of the books."""

from datetime import datetime, time, timedelta
from typing import Annotated

import typer

from app.cli.audit import audit
from app.cli.dates import day_from
from app.cli.moment import KnownAt, asked
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from ledger.reads import Read, reads
from schemas.calendar import BANK_ZONE


def register(app: typer.Typer) -> None:
    """Hang this command into the group ``audit``, which is in the command line already."""
    del app
    audit.command("reads")(list_reads)


def list_reads(
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Of this auditor alone.")] = None,
    from_day: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")] = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """List what auditors read: who, when, what, with which parameters. Days are those of the bank's clock.

    Example: centralpay audit reads --from 2026-11-01
    """
    since = None if from_day is None else _begins(from_day)
    before = None if to_day is None else _begins(to_day, days=1)
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = reads(connection, actor=user, since=since, before=before)
    if as_json:
        print_json(moment.known | {"reads": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [f"{each.at.astimezone(BANK_ZONE):%Y-%m-%d %H:%M:%S}", each.actor, each.what, _said(each)] for each in found
    ]
    print_table("Read by auditors", ["when", "who", "what", "with"], rows)
    moment.say()


def _begins(text: str, days: int = 0) -> datetime:
    return datetime.combine(day_from(text) + timedelta(days=days), time(), BANK_ZONE)


def _said(read: Read) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(read.parameters.items()))
