"""Released payouts settle when the bank debits them: a file's total at once, or entry by entry.

Nothing settles by its amount alone. A debit of the file's total must be the only one, and of no other cycle's total; a
debit of one entry must name the payout by its ACH trace, its own trace (TRN) or its pharmacy. What the rules leave open
a person decides, and a second one approves.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from ingest.free_days import free_on, lines_free_on
from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.errors import LiabilityInDebitError
from ledger.events import payout_settled
from ledger.posting import post
from ledger.queries import Queries
from payouts.answers.credits import OpenLine, only_pairs, open_lines, single_line
from payouts.answers.errors import AmountDiffersError, NothingInTransitError
from payouts.cycle.cycles import QUERIES, locked
from payouts.errors import CycleStateError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.remittances.shares import payout_trace

_QUERIES = Queries("payouts", "answers.sql")
_BANK = Queries("ingest", "bank.sql")

SETTLEMENT_CODES = frozenset({"451", "455", "466", "468", "475"})
"""BAI2 type codes under which a bank debits the total of an ACH file; which one is the bank's choice."""


class Settled(BaseModel):
    """What the bank has debited: a cycle's whole file, or ``payouts`` of its entries one by one."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    amount_cents: int
    bank_line_id: int | None
    """The debit of the file's total; None: entry by entry, each against its own debit."""
    payouts: int = 0
    """How many entries settled by themselves; 0: the file as a whole."""


def settle(begin: Begin, actor: str) -> list[Settled]:
    """Settle what open debits say: first entries that are named, then files whose total stands in exactly one debit.

    A cycle whose entries have all settled is settled. Being stopped and run again does no harm.
    """
    settled = _settle_entries(begin, actor)
    with begin() as connection:
        waiting = connection.execute(_QUERIES["cycles_in_transit"]).all()
        debits = [line for line in open_lines(connection) if line.cents < 0]
    pairs = [
        (cycle, debit)
        for cycle in waiting
        for debit in debits
        if debit.type_code in SETTLEMENT_CODES
        and debit.open_cents == -cycle.released_cents
        and debit.as_of >= cycle.business_date
        # After an entry settled by itself, the rest is no file's total.
        and cycle.in_transit_cents == cycle.released_cents
    ]
    for cycle, debit in only_pairs(pairs):
        if _try(begin, cycle.cycle_id, debit, actor):
            facts = {"cycle_id": cycle.cycle_id, "amount_cents": cycle.released_cents}
            settled.append(Settled(bank_line_id=debit.bank_line_id, **facts))
    return settled


def _try(begin: Begin, cycle_id: int, debit: OpenLine, actor: str) -> bool:
    """Settle, unless another process explained the debit since it was read; the next sweep sees what is left."""
    try:
        return _settle(begin, cycle_id, debit.bank_line_id, debit.as_of, actor)
    except LiabilityInDebitError:
        return False


def _settle(begin: Begin, cycle_id: int, bank_line_id: int, day: date, actor: str) -> bool:
    with begin() as connection:
        if locked(connection, cycle_id)["state"] != "released":
            return False
        settle_cycle(connection, cycle_id, bank_line_id, day, actor)
    return True


def settle_cycle(connection: Connection, cycle_id: int, bank_line_id: int, day: date, actor: str) -> None:
    """Settle all that is in transit of a cycle, which is locked and released, against one debit.

    It is settled on the bank's day, or from when on what explained the debit otherwise is reversed.
    """
    rows = connection.execute(QUERIES["payouts"], {"cycle_id": cycle_id})
    payouts = [(row.member_id, row.payout_id, row.amount_cents) for row in rows if row.state == "released"]
    batch = Batch()
    name = f"payout_settled:cycle:{cycle_id}"
    times = int(connection.execute(_QUERIES["postings"], {"name": name, "more": f"{name}:%"}).scalar_one())
    day = free_on(connection, day, lines={bank_line_id: sum(cents for _, _, cents in payouts)})
    batch.add(payout_settled(_fact(name, times), day, payouts, bank_line_id))
    post(connection, batch, actor)
    connection.execute(QUERIES["settle_payouts"], {"cycle_id": cycle_id})
    connection.execute(QUERIES["settle_cycle"], {"cycle_id": cycle_id, "bank_line_id": bank_line_id})
    connection.execute(_BANK["settle_lines"], {"lines": [bank_line_id]})
    activity.record(connection, actor, "cycle_settled", str(cycle_id), bank_line=bank_line_id)


# Entry by entry ------------------------------------------------------------------------------------------------------


def _settle_entries(begin: Begin, actor: str) -> list[Settled]:
    """Settle the entries that debits name, cycle by cycle."""
    with begin() as connection:
        debits = [line for line in open_lines(connection) if line.cents < 0 and line.type_code in SETTLEMENT_CODES]
        amounts = sorted({-line.open_cents for line in debits})
        waiting = connection.execute(_QUERIES["payouts_in_transit"], {"amounts": amounts}).all() if amounts else []
    found: dict[int, list[tuple[Row[Any], OpenLine]]] = defaultdict(list)
    for payout, debit in _named(waiting, debits):
        found[payout.cycle_id].append((payout, debit))
    settled = []
    for cycle_id, pairs in sorted(found.items()):
        try:
            with begin() as connection:
                done = _settle_named(connection, cycle_id, pairs, actor)
        except LiabilityInDebitError:
            continue
        if done:
            cents = sum(payout.amount_cents for payout in done)
            settled.append(Settled(cycle_id=cycle_id, amount_cents=cents, bank_line_id=None, payouts=len(done)))
    return settled


def _named(payouts: Sequence[Row[Any]], debits: Sequence[OpenLine]) -> Iterator[tuple[Row[Any], OpenLine]]:
    """Pair debits with the payouts of their amount that they name: by trace, then by pharmacy; never a choice."""
    left, open_debits = list(payouts), list(debits)
    for names in (_traces, _pharmacy):
        index: dict[tuple[str, int], list[Row[Any]]] = defaultdict(list)
        for payout in left:
            for name in names(payout):
                index[name, payout.amount_cents].append(payout)
        pairs = only_pairs(
            (payout, debit)
            for debit in open_debits
            for payout in _fitting(index, debit)
            if debit.as_of >= payout.business_date
        )
        yield from pairs
        done = {payout.payout_id for payout, _ in pairs}, {debit.bank_line_id for _, debit in pairs}
        left = [payout for payout in left if payout.payout_id not in done[0]]
        open_debits = [debit for debit in open_debits if debit.bank_line_id not in done[1]]


def _fitting(index: Mapping[tuple[str, int], Sequence[Row[Any]]], debit: OpenLine) -> list[Row[Any]]:
    """Give the payouts that a debit names, each once."""
    named = (payout for word in debit.words for payout in index.get((word, -debit.open_cents), ()))
    return list({payout.payout_id: payout for payout in named}.values())


def _traces(payout: Row[Any]) -> tuple[str, ...]:
    return payout.trace_number, payout_trace(payout.cycle_id, payout.payout_id)


def _pharmacy(payout: Row[Any]) -> tuple[str, ...]:
    return (payout.ncpdp_id,)


def _settle_named(
    connection: Connection, cycle_id: int, pairs: Sequence[tuple[Row[Any], OpenLine]], actor: str
) -> list[Row[Any]]:
    """Settle payouts of a cycle each against its own debit; give those that were still on their way."""
    if locked(connection, cycle_id)["state"] != "released":
        return []
    ids = [payout.payout_id for payout, _ in pairs]
    still = set(connection.execute(_QUERIES["still_released"], {"payout_ids": ids}).scalars())
    now = [(payout, debit) for payout, debit in pairs if payout.payout_id in still]
    before = {row.payout_id: row.times for row in connection.execute(_QUERIES["settlements"], {"payout_ids": ids})}
    free = lines_free_on(connection, {debit.bank_line_id: payout.amount_cents for payout, debit in now})
    batch = Batch()
    for payout, debit in now:
        item = (payout.member_id, payout.payout_id, payout.amount_cents)
        key = _fact(f"payout_settled:payout:{payout.payout_id}", before.get(payout.payout_id, 0))
        day = max(debit.as_of, free[debit.bank_line_id])
        batch.add(payout_settled(key, day, [item], debit.bank_line_id))
    post(connection, batch, actor)
    settled = [payout.payout_id for payout, _ in now]
    connection.execute(_QUERIES["settle_these"], {"payout_ids": settled})
    connection.execute(_BANK["settle_lines"], {"lines": [debit.bank_line_id for _, debit in now]})
    activity.record(connection, actor, "payouts_settled", f"cycle {cycle_id}", payouts=len(now))
    _finish(connection, cycle_id, actor)
    return [payout for payout, _ in now]


def _finish(connection: Connection, cycle_id: int, actor: str) -> None:
    """Settle a cycle of which nothing is on its way any more."""
    left = connection.execute(_QUERIES["left_in_transit"], {"cycle_id": cycle_id}).scalar_one()
    if not left:
        connection.execute(QUERIES["settle_payouts"], {"cycle_id": cycle_id})
        connection.execute(QUERIES["settle_cycle"], {"cycle_id": cycle_id, "bank_line_id": None})
        activity.record(connection, actor, "cycle_settled", str(cycle_id))


def _fact(name: str, times: int) -> str:
    """Name a settlement; after a reversal the next one has a name of its own."""
    return name if not times else f"{name}:{times + 1}"


# By a person ---------------------------------------------------------------------------------------------------------


def propose_settlement(connection: Connection, cycle_id: int, bank_reference: str, actor: str) -> int:
    """Ask a second person to settle a cycle against a debit that the rules can not tell; give the approval.

    Raises:
        UnknownCycleError, CycleStateError: there is no such cycle, or it is not released.
        BankReferenceError: no single open debit has that reference.
        AmountDiffersError: the debit is not what is in transit of the cycle.
        AskedOtherwiseError: another debit is asked for already.
    """
    cycle = locked(connection, cycle_id)
    if cycle["state"] != "released":
        raise CycleStateError(cycle_id, cycle["state"], "released")
    line = single_line(connection, bank_reference, sign=-1)
    cents = _in_transit(connection, cycle_id)
    if cents != -line.open_cents:
        raise AmountDiffersError(f"of cycle {cycle_id} are in transit", cents, -line.open_cents)
    facts = {
        "cycle_id": cycle_id,
        "bank_line_id": line.bank_line_id,
        "bank_reference": bank_reference,
        "amount_cents": cents,
        "as_of": line.as_of.isoformat(),
    }
    subject, what = f"cycle {cycle_id}", ("bank_line_id",)
    return approvals.propose(connection, ApprovalKind.SETTLEMENT, subject, facts, actor, alike=what)


def follow_settlement(connection: Connection, approval: Approval) -> None:
    """Settle the cycle that was approved.

    Raises:
        CycleStateError, AmountDiffersError: the world moved since the proposal.
        LiabilityInDebitError: the debit was explained otherwise (from the database).
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    facts = approval.facts
    cycle_id, line_id = facts["cycle_id"], facts["bank_line_id"]
    cycle = locked(connection, cycle_id)
    if cycle["state"] != "released":
        raise CycleStateError(cycle_id, cycle["state"], "released")
    cents = _in_transit(connection, cycle_id)
    if cents != facts["amount_cents"]:
        raise AmountDiffersError(f"of cycle {cycle_id} are in transit now", cents, facts["amount_cents"])
    settle_cycle(connection, cycle_id, line_id, date.fromisoformat(facts["as_of"]), approval.decided_by)


def _in_transit(connection: Connection, cycle_id: int) -> int:
    cents = int(connection.execute(_QUERIES["left_in_transit"], {"cycle_id": cycle_id}).scalar_one())
    if not cents:
        raise NothingInTransitError(cycle_id)
    return cents
