"""Bank accounts that must not be paid into: the bank said that they are dead, or a person wants to be sure first.

A stop ends when an approver lifts it with a reason; a member's other account, once live, is not stopped by it.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import Connection, Row

from ledger import activity
from payouts.accounts.changes import QUERIES
from payouts.accounts.errors import NoAccountError, NotStoppedError, UnknownAccountError
from payouts.people.users import APPROVERS, require


def stop_account(connection: Connection, bank_account_id: UUID, reason: str, *, on: date, actor: str) -> bool:
    """Stop payments into an account; one that is stopped already stays so for its first reason, and False is given.

    Raises:
        UnknownAccountError: there is no such account.
    """
    account = _account(connection, bank_account_id)
    facts = {"bank_account_id": bank_account_id, "on": on, "reason": reason, "actor": actor}
    placed = bool(connection.execute(QUERIES["stop"], facts).rowcount)
    if placed:
        subject = f"{account.ncpdp_id} …{account.last_four}"
        activity.record(connection, actor, "bank_account_stopped", subject, reason=reason, on=on.isoformat())
    return placed


def lift_stop(connection: Connection, bank_account_id: UUID, reason: str, actor: str) -> None:
    """Let payments go into an account again.

    Raises:
        NotAUserError, RoleMissingError: who lifts is no approver.
        UnknownAccountError, NotStoppedError: there is nothing to lift.
    """
    require(connection, actor, APPROVERS)
    account = _account(connection, bank_account_id)
    if connection.execute(QUERIES["lock_stop"], {"bank_account_id": bank_account_id}).first() is None:
        raise NotStoppedError(account.last_four)
    connection.execute(QUERIES["lift"], {"bank_account_id": bank_account_id, "reason": reason, "actor": actor})
    subject = f"{account.ncpdp_id} …{account.last_four}"
    activity.record(connection, actor, "bank_account_stop_lifted", subject, reason=reason)


def account_in_use(connection: Connection, member_id: UUID) -> UUID:
    """Give the account that a member is paid into, or was last.

    Raises:
        NoAccountError: it never had one.
    """
    row = connection.execute(QUERIES["last_account"], {"member_id": member_id}).first()
    if row is None:
        raise NoAccountError(member_id)
    account: UUID = row.bank_account_id
    return account


def stopped_accounts(connection: Connection, member_id: UUID) -> list[UUID]:
    """Give the accounts of a member that are stopped, the longest first."""
    return list(connection.execute(QUERIES["stopped_accounts"], {"member_id": member_id}).scalars())


def _account(connection: Connection, bank_account_id: UUID) -> Row[tuple[UUID, str, str]]:
    row = connection.execute(QUERIES["account_member"], {"bank_account_id": bank_account_id}).first()
    if row is None:
        raise UnknownAccountError(str(bank_account_id))
    return row
