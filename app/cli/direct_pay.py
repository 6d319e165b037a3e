"""Who is paid by its payer directly: ``members direct-pay``."""

from typing import Annotated

import typer

from app.cli.bank_details import Reason, see_reason
from app.cli.dates import day_from
from app.cli.files import members
from app.cli.moment import KnownAt, asked
from app.cli.screen import AsJson, AsUser, print_json, print_table, warn
from app.session import opened
from app.work import readable
from ingest.direct_pay import DirectPay, accepted_before, begin_direct_pay, end_direct_pay, list_direct_pay
from payouts.people.users import OPERATORS, require

direct_pay = typer.Typer(
    help="Members that a payer pays directly: its remittances are recorded, not paid by us.", no_args_is_help=True
)

Store = Annotated[str, typer.Argument(metavar="NCPDP", help="NCPDP id, or member id.")]
PayerName = Annotated[str, typer.Argument(metavar="PAYER", help="Payer id or name, as in the list of payers.")]


def register(app: typer.Typer) -> None:
    """Hang these commands into the group of the members, which hangs in the command line."""
    del app
    members.add_typer(direct_pay, name="direct-pay")


@direct_pay.command("list")
def show(known_at: KnownAt = None, as_json: AsJson = False, as_user: AsUser = None) -> None:
    """List who is or was on direct pay, with what was recorded by it.

    Example: centralpay members direct-pay list
    """
    with opened(as_user, warn) as session, asked(session, None, known_at) as (connection, moment):
        found = list_direct_pay(connection)
    if as_json:
        print_json(moment.known | {"direct_pay": [each.model_dump(mode="json") for each in found]})
        return
    rows = [
        [
            each.ncpdp_id,
            each.legal_name,
            each.payer_name,
            each.since,
            _until(each),
            each.advices,
            each.recorded_cents,
            each.reason if each.end_reason is None else each.end_reason,
        ]
        for each in found
    ]
    columns = ["NCPDP", "name", "payer", "since", "until", "advices#", "paid directly", "reason"]
    print_table("Direct pay", columns, rows)
    moment.say()


@direct_pay.command("begin")
def begin(
    member: Store,
    payer: PayerName,
    since: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="First date of payment that is paid directly.")],
    reason: Reason,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """Put a member on direct pay with a payer: what that payer pays it from then on is recorded, not paid by us.

    Example: centralpay members direct-pay begin 1234567 1360000001 --since 2026-12-01 --reason 'the payer wrote'
    """
    see_reason(reason)
    first = day_from(since)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        begun = begin_direct_pay(
            connection, readable(member), readable(payer), first, reason=readable(reason), actor=session.actor
        )
        waiting = len(accepted_before(connection, direct_pay_id=begun.direct_pay_id))
    if waiting:
        what = f"{waiting} advices" if waiting > 1 else "1 advice"
        warn(f"{what} of days from {first} on came before: accepted, not paid yet, and paid by us when the money comes")
    if as_json:
        print_json(begun.model_dump(mode="json"))
        return
    row = [begun.ncpdp_id, begun.legal_name, begun.payer_name, begun.since]
    print_table("Direct pay", ["NCPDP", "name", "payer", "since"], [row])


@direct_pay.command("end")
def end(
    member: Store,
    payer: PayerName,
    until: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Last date of payment that is paid directly.")],
    reason: Reason,
    as_json: AsJson = False,
    as_user: AsUser = None,
) -> None:
    """End a member's direct pay with a payer; advices that were recorded stay recorded.

    Example: centralpay members direct-pay end 1234567 1360000001 --until 2026-12-31 --reason 'the payer wrote'
    """
    see_reason(reason)
    last = day_from(until)
    with opened(as_user, warn) as session, session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        ended = end_direct_pay(
            connection, readable(member), readable(payer), last, reason=readable(reason), actor=session.actor
        )
    if ended.advices_after:
        several = ended.advices_after > 1
        what = f"{ended.advices_after} advices" if several else "1 advice"
        warn(f"{what} paid after {ended.until} {'stay' if several else 'stays'} as recorded, not paid by us")
    if as_json:
        print_json(ended.model_dump(mode="json"))
        return
    until_shown = "never held" if ended.until < ended.since else ended.until
    print_table("Direct pay", ["NCPDP", "since", "until"], [[member, ended.since, until_shown]])


def _until(each: DirectPay) -> object:
    if each.until is None:
        return "open"
    return "never held" if each.until < each.since else each.until
