"""The books as known at a checkpoint: what was sealed by then, and nothing that came later.

The database has a schema of views under the names of the tables (``migrations``, step 0005, file 03). They stand in
front of the tables for one transaction, so that a question of the past is the same SQL as one of the present.
"""

from sqlalchemy import Connection

from ledger.queries import Queries
from ledger.seal.checkpoints import Checkpoint
from schemas.errors import WrongUseError

_QUERIES = Queries("ledger", "known.sql")


class UnknownSizeError(WrongUseError):
    """The database has no checkpoint of that size.

    Args:
        size: leaves that the checkpoint should cover.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"These books have no checkpoint {size}; see: centralpay ledger checkpoints")


def known_at(connection: Connection, checkpoint: Checkpoint | None) -> None:
    """Let everything that this transaction reads from now on be what was sealed at a checkpoint; None: the present.

    Balances are the sums of the lines that were sealed by then; rows whose states change are as the trail of that size
    says. Nothing of it outlives the transaction. Read in a transaction that sees one moment (REPEATABLE READ), as
    ``app.database.reading`` gives it.

    Raises:
        UnknownSizeError: the checkpoint is none of this database's.
    """
    if checkpoint is None:
        connection.execute(_QUERIES["present"])
    elif connection.execute(_QUERIES["known_at"], {"size": checkpoint.size}).scalar_one() is None:
        raise UnknownSizeError(checkpoint.size)


def known_size(connection: Connection) -> int | None:
    """Give the size of the checkpoint that this transaction reads at; None: the present."""
    size = connection.execute(_QUERIES["known_size"]).scalar_one()
    return None if size is None else int(size)
