"""How bank details look on the screen; an account is its last four, behind an ellipsis."""

from collections.abc import Sequence

from app.cli.screen import print_table
from payouts.accounts.history import ChangeRow, MemberBank


def show_changes(changes: Sequence[ChangeRow]) -> None:
    """Print changes: what waits, whom to call, who decides, since and until when."""
    rows = [
        [
            each.change_id,
            each.ncpdp_id,
            each.source,
            f"{each.account_type} …{each.last_four}",
            each.state,
            f"{each.requested_by} {each.requested_on}",
            _call(each),
            _decision(each),
            each.usable_from,
        ]
        for each in changes
    ]
    columns = ["id#", "NCPDP", "source", "account", "state", "asked by", "call-back", "approval", "usable from"]
    print_table("Changes of bank details", columns, rows)


def show_bank(found: MemberBank) -> None:
    """Print a member's accounts, changes, stops and contacts."""
    accounts = [
        [
            each.since,
            each.until or "open",
            each.routing_number,
            f"{each.account_type} …{each.last_four}",
            _origin(each.change_id),
        ]
        for each in found.accounts
    ]
    print_table("Accounts", ["from", "until", "bank", "account", "came with"], accounts)
    show_changes(found.changes)
    stops = [
        [f"…{each.last_four}", each.stopped_on, each.reason, each.stopped_by, each.lifted_by, each.lift_reason]
        for each in found.stops
    ]
    print_table("Stops", ["account", "from", "reason", "by", "lifted by", "because"], stops)
    contacts = [
        [each.since, each.until or "open", each.name, each.telephone, each.email, each.recorded_by]
        for each in found.contacts
    ]
    print_table("Contacts", ["from", "until", "name", "telephone", "e-mail", "recorded by"], contacts)


def _origin(change_id: int | None) -> str:
    return "roster" if change_id is None else f"change {change_id}"


def _call(change: ChangeRow) -> str:
    if change.called_by is not None:
        said = "confirmed" if change.call_confirmed else "denied"
        return f"{said}: {change.called_by} to {change.spoke_with}, {change.called_number}, {change.called_on}"
    if change.source == "bank":
        return "not needed"
    if change.state != "asked":
        return ""
    return f"call {change.number_to_call}" if change.number_to_call else "no number of before on file"


def _decision(change: ChangeRow) -> str:
    if change.approval_id is None:
        return ""
    by = f" by {change.decided_by}" if change.decided_by else ""
    return f"{change.approval_id} {change.approval_state}{by}"
