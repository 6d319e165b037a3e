"""A roster with other bank details asks for a change like anybody else; what was asked or refused is not repeated.

An exit that it records late makes some fee more than the contract asks: that is given back with the import.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from ingest.details_desk import Answer, DetailsDesk
from ingest.encryption import Keyring
from ingest.roster import RosterRow
from payouts.accounts.changes import QUERIES, ChangeRequest, ChangeSource, ask_change, is_same
from payouts.fees.truing_up import true_up


def roster_desk(
    keyring: Keyring, actor: str, on: date, *, cooling_days: int, new_accounts_wait: bool = False
) -> DetailsDesk:
    """Give the desk for the rosters of a day.

    Args:
        keyring: seals and opens account numbers.
        actor: who imports; asks for the changes, so another person calls back and another approves.
        on: the business date of the import.
        cooling_days: banking days between call-back and first payment.
        new_accounts_wait: whether a new member's first account goes the same way.
    """

    def ask(connection: Connection, member_id: UUID, row: RosterRow) -> Answer:
        request = ChangeRequest(
            member_id=member_id,
            routing=row.routing_number,
            account_number=row.account_number,
            account_type=row.account_type,
            source=ChangeSource.ROSTER,
            reason="a roster has other bank details than those on file",
            requested_on=on,
            cooling_days=cooling_days,
        )
        waiting = connection.execute(QUERIES["open_change"], {"member_id": member_id}).first()
        if waiting is not None:
            return Answer.STANDS if is_same(waiting, request, keyring) else Answer.WAITS
        refused = connection.execute(QUERIES["refused_by_roster"], {"member_id": member_id})
        if any(is_same(each, request, keyring) for each in refused):
            return Answer.STANDS
        ask_change(connection, request, keyring, actor)
        return Answer.ASKED

    def follow(connection: Connection) -> None:
        true_up(connection, actor, on)

    return DetailsDesk(ask, new_accounts_wait, follow)
