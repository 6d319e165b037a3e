"""What a person looks at before approving a cycle: what differs from the last one, and what could be wrong with it.

Everything is read set by set, from the cycle's frozen rows and from what holds now; nothing is written. All amounts are
in cents.
"""

from datetime import date

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.cycle.cycles import QUERIES as CYCLES
from payouts.cycle.limits import CycleLimits, limits_on
from payouts.errors import UnknownCycleError

_QUERIES = Queries("payouts", "preview.sql")
MOVERS = 10
"""How many members are shown whose payment differs most."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class Totals(_Row):
    """What a cycle pays, without what is excluded."""

    total_cents: int = 0
    members: int = 0
    """Members with a payment."""
    fee_cents: int = 0
    largest_cents: int = 0


class PayerDifference(_Row):
    """What the shares of a payer come to, in this cycle and in the last one."""

    payer_id: str
    name: str
    cents: int
    before_cents: int


class Mover(_Row):
    """A member whose payment differs from the last cycle's."""

    ncpdp_id: str
    cents: int
    before_cents: int


class Difference(_Row):
    """How the cycle differs from the last one that was released."""

    last_cycle_id: int
    before: Totals
    joined: int
    """Members that are paid now and were not then."""
    gone: int
    """Members that were paid then and are not now."""
    payers: tuple[PayerDifference, ...]
    movers: tuple[Mover, ...]


class NewAccount(_Row):
    """A member that is paid for the first time, or into another account than the last time."""

    ncpdp_id: str
    cents: int
    last_four: str
    last_four_before: str | None = None
    last_paid_on: date | None = None


class Negative(_Row):
    """A member that owed when the cycle was proposed."""

    ncpdp_id: str
    available_cents: int


class Waiting(_Row):
    """Members with money that are not paid by their schedule: for what they wait, how many, how much they have."""

    reason: str
    """``not_due``: for their day; ``below_minimum``: for their minimum."""
    members: int
    cents: int


class Held(_Row):
    """A member of which something is held now, or shall be."""

    ncpdp_id: str
    held_cents: int
    kinds: str
    review_on: date | None = None


class StoppedAccount(_Row):
    """An account that nothing is paid into."""

    ncpdp_id: str
    last_four: str
    stopped_on: date
    reason: str
    available_cents: int


class FloatCover(_Row):
    """The PSAO's own money in the account, and what it must cover before anything leaves."""

    available_cents: int
    needed_cents: int

    @property
    def missing_cents(self) -> int:
        """What is missing; zero: it covers."""
        return max(0, self.needed_cents - self.available_cents)


class AboveLimit(_Row):
    """A payout above the limit of an entry: the release drops its member."""

    ncpdp_id: str
    amount_cents: int


class Limits(_Row):
    """The limits of the cycle's day, and what they ask."""

    two_approvers_from_cents: int | None
    entry_cents: int | None
    cycle_total_cents: int | None
    approvers_needed: int
    first_approved_by: str | None
    above_entry: tuple[AboveLimit, ...]
    total_is_above: bool


class Preview(_Row):
    """All that there is to look at."""

    cycle_id: int
    state: str
    totals: Totals
    difference: Difference | None
    """None: no cycle was released before."""
    first_payments: tuple[NewAccount, ...]
    changed_accounts: tuple[NewAccount, ...]
    negatives: tuple[Negative, ...]
    waiting: tuple[Waiting, ...]
    held: tuple[Held, ...]
    stopped_accounts: tuple[StoppedAccount, ...]
    own_float: FloatCover
    limits: Limits


def preview(connection: Connection, cycle_id: int) -> Preview:
    """Look at a cycle as it would leave.

    Raises:
        UnknownCycleError: there is none.
    """
    parameters = {"cycle_id": cycle_id}
    row = connection.execute(CYCLES["cycle"], parameters).first()
    if row is None:
        raise UnknownCycleError(cycle_id)
    totals = _totals(connection, cycle_id)
    accounts = [NewAccount(**each) for each in connection.execute(_QUERIES["against_the_last"], parameters).mappings()]
    limits = limits_on(connection, row.business_date)
    gate = connection.execute(CYCLES["float_gate"]).mappings().one()
    return Preview(
        cycle_id=cycle_id,
        state=row.state,
        totals=totals,
        difference=_difference(connection, cycle_id),
        first_payments=tuple(each for each in accounts if each.last_paid_on is None),
        changed_accounts=tuple(each for each in accounts if each.last_paid_on is not None),
        negatives=tuple(Negative(**each) for each in connection.execute(_QUERIES["negatives"], parameters).mappings()),
        waiting=tuple(Waiting(**each) for each in connection.execute(_QUERIES["waiting"], parameters).mappings()),
        held=tuple(Held(**each) for each in connection.execute(_QUERIES["held"]).mappings()),
        stopped_accounts=tuple(
            StoppedAccount(**each) for each in connection.execute(_QUERIES["stopped_accounts"], parameters).mappings()
        ),
        own_float=FloatCover(**gate),
        limits=_limits(connection, cycle_id, totals, limits, row.first_approved_by),
    )


def _totals(connection: Connection, cycle_id: int) -> Totals:
    return Totals(**connection.execute(_QUERIES["totals"], {"cycle_id": cycle_id}).mappings().one())


def _difference(connection: Connection, cycle_id: int) -> Difference | None:
    last = connection.execute(_QUERIES["last_released"], {"cycle_id": cycle_id}).scalar()
    if last is None:
        return None
    both = {"cycle_id": cycle_id, "before": last}
    return Difference(
        last_cycle_id=last,
        before=_totals(connection, last),
        **connection.execute(_QUERIES["compared_members"], both).mappings().one(),
        payers=tuple(
            PayerDifference(**each) for each in connection.execute(_QUERIES["compared_payers"], both).mappings()
        ),
        movers=tuple(
            Mover(**each) for each in connection.execute(_QUERIES["movers"], both | {"count": MOVERS}).mappings()
        ),
    )


def _limits(
    connection: Connection, cycle_id: int, totals: Totals, limits: CycleLimits, first_approved_by: str | None
) -> Limits:
    above: tuple[AboveLimit, ...] = ()
    if limits.entry is not None and totals.largest_cents > limits.entry:
        rows = connection.execute(_QUERIES["above"], {"cycle_id": cycle_id, "limit_cents": limits.entry})
        above = tuple(AboveLimit(**each) for each in rows.mappings())
    return Limits(
        two_approvers_from_cents=limits.two_approvers_from,
        entry_cents=limits.entry,
        cycle_total_cents=limits.cycle_total,
        approvers_needed=limits.approvers_needed(totals.total_cents),
        first_approved_by=first_approved_by,
        above_entry=above,
        total_is_above=limits.cycle_total is not None and totals.total_cents > limits.cycle_total,
    )


# What the hash covers beside the payouts, line by line ----------------------------------------------------------------


class ToldShare(_Row):
    """A member's share of a payer's advice that the cycle tells."""

    ncpdp_id: str
    payer_id: str
    payer_trace: str
    claim_count: int
    claims_cents: int
    plb_cents: int


class OwnItemLine(_Row):
    """An own item of the PSAO's in a member's remittance; positive reduces the payment, as in a PLB."""

    ncpdp_id: str
    reference: str
    reason: str
    amount_cents: int


def told_shares(connection: Connection, cycle_id: int) -> list[ToldShare]:
    """List the shares that a cycle tells."""
    rows = connection.execute(_QUERIES["share_details"], {"cycle_id": cycle_id})
    return [ToldShare(**each) for each in rows.mappings()]


def told_items(connection: Connection, cycle_id: int) -> list[OwnItemLine]:
    """List the own items that a cycle tells."""
    rows = connection.execute(_QUERIES["own_details"], {"cycle_id": cycle_id})
    return [OwnItemLine(**each) for each in rows.mappings()]
