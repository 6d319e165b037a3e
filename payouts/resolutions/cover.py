"""What the PSAO's own money has to cover when members' balances change: said before anything is asked for.

The database refuses what the float does not cover; here a person learns at once how much is missing.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection

from payouts.resolutions.member_errors import UncoveredError
from payouts.resolutions.rows import QUERIES


def see_covered(
    connection: Connection, changes: Mapping[UUID, int], *, freed_cents: int = 0, taken_cents: int = 0
) -> None:
    """See that the float covers what members would owe after these changes.

    Args:
        connection: of a unit of work or a reader.
        changes: by member, cents that it is given; negative: taken from it.
        freed_cents: what the float covers now and would not have to any more, such as a network's negative.
        taken_cents: what the same decision takes from the float itself.

    Raises:
        UncoveredError: it does not; ``missing_cents`` says by how much.
    """
    columns = {"members": list(changes), "changes": list(changes.values())}
    row = connection.execute(QUERIES["cover"], columns).one()
    needed = row.house_cents - freed_cents + row.owed_cents + taken_cents
    if row.owed_cents + taken_cents > 0 and needed > row.float_cents:
        raise UncoveredError(needed - row.float_cents)
