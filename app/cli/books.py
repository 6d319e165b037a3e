"""The books: ``ledger balances``, ``journal``, ``trial-balance``, ``verify``, ``reverse``."""

from collections import defaultdict
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import Connection

from app.cli import exports, seal, verify
from app.cli.dates import day_from
from app.cli.moment import AsOf, KnownAt, asked
from app.cli.screen import AsJson, AsUser, possible, print_json, print_table, warn
from app.session import opened
from ingest.directory import find_member
from ledger.balances import journal, trial_balance
from ledger.chart import HOUSE
from payouts.resolutions.undo import propose_reversal
from schemas.errors import WrongUseError

books = typer.Typer(help="The books: balances, journal, proofs, the seal, exports.", no_args_is_help=True)

Owner = Annotated[str | None, typer.Option("--owner", help="NCPDP id, member id, or 'house'.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the command line."""
    app.add_typer(books, name="ledger")
    seal.register(books)
    verify.register(books)
    exports.register(books)


@books.command("trial-balance")
def show_trial_balance(
    as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None
) -> None:
    """Print every account of every owner.

    Example: centralpay ledger trial-balance --as-of 2026-11-30
    """
    with opened(as_user, warn) as session, asked(session, as_of, known_at) as (connection, moment):
        rows = trial_balance(connection, moment.as_of)
    if as_json:
        print_json(moment.facts | {"rows": [row.model_dump(mode="json") for row in rows]})
        return
    table = [
        [row.owner, row.ledger.value, row.account.value, row.debit_cents, row.credit_cents, row.balance_cents]
        for row in rows
    ]
    print_table("Trial balance", ["owner", "ledger", "account", "debit", "credit", "balance"], table)
    moment.say()


@books.command("balances")
def show_balances(
    as_of: AsOf = None, known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None
) -> None:
    """Print the accounts summed over all owners.

    Example: centralpay ledger balances
    """
    with opened(as_user, warn) as session, asked(session, as_of, known_at) as (connection, moment):
        rows = trial_balance(connection, moment.as_of)
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        total = sums[row.ledger.value, row.account.value]
        total[0] += row.debit_cents
        total[1] += row.credit_cents
    table = [
        [ledger, account, debit, credit, debit - credit] for (ledger, account), (debit, credit) in sorted(sums.items())
    ]
    if as_json:
        names = ("ledger", "account", "debit_cents", "credit_cents", "balance_cents")
        print_json(moment.facts | {"rows": [dict(zip(names, row, strict=True)) for row in table]})
        return
    print_table("Balances over all owners", ["ledger", "account", "debit", "credit", "balance"], table)
    moment.say()


@books.command("journal")
def show_journal(
    owner: Owner = None,
    from_day: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First accounting day.")] = None,
    to_day: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last accounting day.")] = None,
    most: Annotated[int, typer.Option("--most", help="How many lines at most.")] = 1000,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Print the journal's lines in their order; --as-of is --to by another name.

    Example: centralpay ledger journal --owner 1234567
    """
    if to_day is not None and as_of is not None:
        raise WrongUseError("--to and --as-of say the same: give one of them")
    from_on = None if from_day is None else day_from(from_day)
    with opened(as_user, warn) as session, asked(session, to_day or as_of, known_at) as (connection, moment):
        owner_id, to_on = _owner_id(connection, owner), moment.as_of
        rows = list(journal(connection, owner=owner_id, from_on=from_on, to_on=to_on, most=most))
    if as_json:
        print_json(moment.facts | {"lines": [row.model_dump(mode="json") for row in rows]})
        return
    table = [
        [
            row.transaction_id,
            row.entry_id,
            row.effective_on,
            row.entry_event,
            row.owner,
            row.account.value,
            row.reference and str(row.reference),
            row.amount_cents,
        ]
        for row in rows
    ]
    print_table(
        "Journal", ["transaction#", "entry#", "date", "event", "owner", "account", "reference", "amount"], table
    )
    moment.say()


@books.command("reverse")
def reverse_transaction(
    transaction_id: Annotated[
        int, typer.Argument(metavar="TRANSACTION", callback=possible, help="A number of the journal.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")],
    day: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Its date; else today.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Ask a second person to undo a whole transaction; what hangs on it follows when it is approved.

    Example: centralpay ledger reverse 12 --reason 'matched with the wrong cheque' --as olga
    """
    with opened(as_user, warn) as session, session.begin() as connection:
        on = session.today if day is None else day_from(day)
        approval_id = propose_reversal(connection, transaction_id, on, reason, session.actor)
    if as_json:
        print_json({"approval_id": approval_id, "state": "pending", "transaction": transaction_id})
        return
    row = [approval_id, "pending", transaction_id]
    print_table("Reversal", ["approval#", "state", "transaction#"], [row])


def _owner_id(connection: Connection, owner: str | None) -> UUID | None:
    if owner is None:
        return None
    return HOUSE if owner == "house" else find_member(connection, owner)
