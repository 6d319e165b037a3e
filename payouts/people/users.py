"""Who may act: users with one role each. The first one who acts is an admin and may add others."""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.errors import NotAUserError, RoleMissingError, UserExistsError, UserNameError

_QUERIES = Queries("payouts", "people.sql")
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


class UserRole(StrEnum):
    """What a user may do."""

    OPERATOR = "operator"
    """Takes files in, matches, assesses fees, proposes and releases."""
    APPROVER = "approver"
    """The same, and decides on what others propose."""
    AUDITOR = "auditor"
    """Reads."""
    ADMIN = "admin"
    """The same as an approver, and adds users."""


OPERATORS = (UserRole.OPERATOR, UserRole.APPROVER, UserRole.ADMIN)
APPROVERS = (UserRole.APPROVER, UserRole.ADMIN)
ADMINS = (UserRole.ADMIN,)


class User(BaseModel):
    """A user, by the name that stands in every record of what was done."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: UserRole
    added_by: str


def require(connection: Connection, actor: str, roles: tuple[UserRole, ...], *, instead: str = "") -> None:
    """See that who acts has one of these roles; the first to act at all becomes admin.

    Args:
        connection: of a unit of work.
        actor: who acts.
        roles: any of them will do.
        instead: what who has none of them may do in its place, as a sentence of the refusal.

    Raises:
        NotAUserError, RoleMissingError: who acts may not.
        UserNameError: who acts has a name that no user can have.
    """
    role = connection.execute(_QUERIES["role_of"], {"actor": actor}).scalar()
    if role is None:
        _check_name(actor)
        # Of two who act first at the same moment one is first.
        connection.execute(_QUERIES["lock_users"])
        connection.execute(_QUERIES["first_user"], {"actor": actor})
        role = connection.execute(_QUERIES["role_of"], {"actor": actor}).scalar()
    if role is None:
        raise NotAUserError(actor)
    if role not in roles:
        raise RoleMissingError(actor, role, [each.value for each in roles], instead)


def add_user(connection: Connection, name: str, role: UserRole, actor: str) -> User:
    """Add a user; adding the same again changes nothing.

    Raises:
        UserExistsError: the user has another role.
        UserNameError: no user can have this name.
    """
    require(connection, actor, ADMINS)
    _check_name(name)
    if connection.execute(_QUERIES["add_user"], {"name": name, "role": role.value, "actor": actor}).rowcount:
        activity.record(connection, actor, "user_added", name, role=role.value)
    stored = connection.execute(_QUERIES["role_of"], {"actor": name}).scalar_one()
    if stored != role.value:
        raise UserExistsError(name, stored)
    return User(name=name, role=role, added_by=actor)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise UserNameError(name)


def list_users(connection: Connection) -> list[User]:
    """List all users in the order they were added."""
    return [User(**row) for row in connection.execute(_QUERIES["list_users"]).mappings()]
