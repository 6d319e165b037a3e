"""How an approved account is tried: a prenote, and three banking days in which its bank may send it back.

A prenote is an entry of nothing by which the receiving bank looks whether it has the account; live entries may follow
from the third banking day after its settlement (Nacha Operating Rules, prenotification). It is sent anew at every
change of bank details, and a return or a correction of it ends the change.
"""

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.cases import CaseKind, open_case
from ingest.encryption import Keyring
from ingest.models import bank_account_context
from ledger import activity
from payouts.accounts.changes import QUERIES, case_subject, locked, see_state
from payouts.accounts.stops import stop_account
from payouts.ach.outgoing import Courier, OutgoingEntry, SentFile, write_prenotes
from schemas.calendar import add_banking_days

BANKING_DAYS_AFTER_PRENOTE = 3
"""From the third banking day after a prenote's settlement the account may be paid into."""


class Prenoted(BaseModel):
    """An account that a prenote tries, and the first day on which it may be paid into."""

    model_config = ConfigDict(frozen=True)

    change_id: int
    ncpdp_id: str
    last_four: str
    settles_on: date
    usable_from: date


def send_prenotes(courier: Courier, keyring: Keyring, business_date: date) -> tuple[SentFile | None, list[Prenoted]]:
    """Send one file of prenotes for all approved changes; none are there: no file. A bank's own words need none.

    Args:
        courier: hands the file over, in its unit of work.
        keyring: opens the account numbers for the file.
        business_date: the banking day of handing over; they settle on the next one.

    Raises:
        HandoverError, FilesOfDayError, TracesInUseError, NachaError: the file can not be sent so; nothing is changed.
    """
    connection = courier.connection
    waiting = connection.execute(QUERIES["to_prenote"]).all()
    if not waiting:
        return None, []
    entries = [
        OutgoingEntry(
            routing_number=row.routing_number,
            account_number=keyring.open(bytes(row.sealed_number), bank_account_context(row.bank_account_id)).decode(),
            account_type=row.account_type,
            ncpdp_id=row.ncpdp_id,
            receiver_name=row.legal_name,
            change_id=row.change_id,
        )
        for row in waiting
    ]
    sending = write_prenotes(courier, entries, business_date=business_date)
    for ncpdp_id in sending.cut_names:
        activity.record(connection, courier.actor, "receiver_name_cut", f"prenotes {sending.file.name} {ncpdp_id}")
    settles_on = sending.file.effective_on
    return sending.file, [
        Prenoted(
            change_id=row.change_id,
            ncpdp_id=row.ncpdp_id,
            last_four=row.last_four,
            settles_on=settles_on,
            usable_from=mark_prenoted(connection, row.change_id, settles_on, courier.actor),
        )
        for row in waiting
    ]


def mark_prenoted(connection: Connection, change_id: int, settles_on: date, actor: str) -> date:
    """Write down that a prenote of a change was sent, and give the first day on which it may be paid into.

    Raises:
        UnknownChangeError, ChangeStateError: there is no approved change to try.
    """
    change = locked(connection, change_id)
    see_state(change, "approved")
    usable: date = max(change["cooling_until"], add_banking_days(settles_on, BANKING_DAYS_AFTER_PRENOTE))
    connection.execute(QUERIES["prenoted"], {"change_id": change_id, "settles_on": settles_on, "usable_from": usable})
    activity.record(connection, actor, "bank_details_prenoted", case_subject(change_id), usable_from=usable.isoformat())
    return usable


def prenote_failed(connection: Connection, change_id: int, code: str, actor: str, *, on: date) -> None:
    """End a change whose prenote came back, or was corrected, with its code; the account in use stays.

    When it came so late that the account is live, the account is stopped instead: the next payment waits for a person.

    Raises:
        UnknownChangeError, ChangeStateError: no prenote of that change was sent.
    """
    change = locked(connection, change_id)
    see_state(change, "prenoted", "live", "withdrawn", "failed")
    if change["state"] in {"withdrawn", "failed"}:
        return
    if change["state"] == "live":
        account: UUID = change["bank_account_id"]
        stop_account(connection, account, f"{code} to its prenote", on=on, actor=actor)
        said = "came back after the account went live; the account is stopped"
    else:
        connection.execute(QUERIES["set_state"], {"change_id": change_id, "state": "failed"})
        said = "came back; payments go on into the account before"
    detail = f"{change['ncpdp_id']}: the prenote to the account ending in {change['last_four']} {said}; code {code}"
    open_case(connection, CaseKind.PRENOTE_FAILED, case_subject(change_id), 0, detail)
    activity.record(connection, actor, "prenote_failed", case_subject(change_id), code=code)
