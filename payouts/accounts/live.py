"""Accounts that have waited go live: a member is paid into the new one from its first day, the one before has ended."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from ledger import activity
from payouts.accounts.changes import QUERIES, ChangeSource, case_subject
from payouts.people.notices import NoticeKind, tell_old_contact


class LiveAccount(BaseModel):
    """An account that a member is paid into from a day on."""

    model_config = ConfigDict(frozen=True)

    change_id: int
    ncpdp_id: str
    last_four: str
    since: date


def make_live(connection: Connection, on: date, actor: str, *, told_on: date | None = None) -> list[LiveAccount]:
    """Let accounts that are usable by a day be paid into; the account before ends the day before.

    Args:
        connection: of a unit of work.
        on: the day; a cycle gives its effective date.
        actor: who acts.
        told_on: the day of the letters about it, when it is not the same.
    """
    connection.execute(QUERIES["lock_numbers"])
    due = [row for row in connection.execute(QUERIES["due"], {"on": on}).all() if row.starts_on <= on]
    for row in due:
        facts = {"change_id": row.change_id, "member_id": row.member_id, "starts_on": row.starts_on}
        connection.execute(QUERIES["end_account"], facts)
        connection.execute(QUERIES["begin_account"], facts)
        connection.execute(QUERIES["set_state"], {"change_id": row.change_id, "state": "live"})
        _tell(connection, row, told_on or on, actor)
        since = row.starts_on.isoformat()
        activity.record(connection, actor, "bank_details_live", case_subject(row.change_id), since=since)
    return [
        LiveAccount(change_id=row.change_id, ncpdp_id=row.ncpdp_id, last_four=row.last_four, since=row.starts_on)
        for row in due
    ]


def _tell(connection: Connection, row: Row[Any], on: date, actor: str) -> None:
    former = f" and no longer into the one ending in {row.former_last_four}" if row.former_last_four else ""
    why = " Your bank asked us to do so." if row.source == ChangeSource.BANK else ""
    body = (
        f"From {row.starts_on} we pay {row.legal_name} (NCPDP {row.ncpdp_id}) into its {row.account_type} account "
        f"ending in {row.last_four}{former}.{why}\n\n"
        "If you did not ask for this, call us at once, at the number that you know of us and not at one from a letter."
    )
    subject = f"You are paid into another bank account, ending in {row.last_four}"
    kind = NoticeKind.BANK_DETAILS_CHANGED
    tell_old_contact(connection, row.member_id, kind, subject=subject, body=body, on=on, actor=actor)
