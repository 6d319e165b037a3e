"""The float: the PSAO's own money in the custodial account, what leans on it, what it lacks, what may leave it."""

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from payouts.negatives import QUERIES


class Covered(BaseModel):
    """A negative that the float covers, or lacks the money to cover; cents."""

    model_config = ConfigDict(frozen=True)

    what: str
    cents: int


class FloatCover(BaseModel):
    """The float as it stands; money in cents.

    ``float_cents`` is in the account now. Advances to members have left it already and come back as they are recovered;
    what unknown payees and the network owe and debits that nobody has explained lean on it: so much must stay.
    """

    model_config = ConfigDict(frozen=True)

    float_cents: int
    advances: tuple[Covered, ...]
    unknown_payees: tuple[Covered, ...]
    network_cents: int
    unexplained_debit_cents: int
    missing: tuple[Covered, ...]
    """By waiting payment, what the float lacks to cover its negatives, as the last match found it."""

    @property
    def advanced_cents(self) -> int:
        """What members owe to it."""
        return sum(each.cents for each in self.advances)

    @property
    def leaning_cents(self) -> int:
        """What must stay in it."""
        return sum(each.cents for each in self.unknown_payees) + self.network_cents + self.unexplained_debit_cents

    @property
    def withdrawable_cents(self) -> int:
        """What may be withdrawn."""
        return max(0, self.float_cents - self.leaning_cents)


def float_cover(connection: Connection) -> FloatCover:
    """Read what the float holds, covers and lacks."""
    row = connection.execute(QUERIES["float"]).one()
    named = {
        "advances": [Covered(what=each.owner, cents=each.cents) for each in connection.execute(QUERIES["advances"])],
        "unknown_payees": [
            Covered(what=each.identifier, cents=each.cents) for each in connection.execute(QUERIES["unknown_payees"])
        ],
        "missing": [Covered(what=each.subject, cents=each.cents) for each in connection.execute(QUERIES["missing"])],
    }
    return FloatCover(
        float_cents=row.float_cents,
        advances=tuple(named["advances"]),
        unknown_payees=tuple(named["unknown_payees"]),
        network_cents=row.network_cents,
        unexplained_debit_cents=row.debit_cents,
        missing=tuple(named["missing"]),
    )
