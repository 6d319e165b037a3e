"""A released cycle settles when a bank file shows the file's total debited."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row

from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.errors import LiabilityInDebitError
from ledger.events import payout_settled
from ledger.posting import post
from ledger.queries import Queries
from payouts.cycles import QUERIES, locked

_BANK = Queries("ingest", "bank.sql")

SETTLEMENT_CODES = frozenset({"451", "455", "466", "468", "475"})
"""BAI2 type codes under which a bank debits the total of an ACH file; which one is the bank's choice."""


class Settled(BaseModel):
    """A cycle that the bank has debited."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    amount_cents: int
    bank_line_id: int


def settle(begin: Begin, actor: str) -> list[Settled]:
    """Settle the released cycles whose total stands in exactly one open debit, and no other cycle's does."""
    with begin() as connection:
        waiting = connection.execute(QUERIES["awaiting_settlement"]).all()
        debits = [row for row in connection.execute(_BANK["open_lines"]) if row.amount_cents < 0]
    pairs = [
        (cycle, debit)
        for cycle in waiting
        for debit in debits
        if debit.type_code in SETTLEMENT_CODES
        and debit.open_cents == -cycle.released_cents
        and debit.as_of >= cycle.business_date
    ]
    settled = []
    for cycle, debit in pairs:
        only = sum(each is cycle for each, _ in pairs) == sum(each is debit for _, each in pairs) == 1
        if only and _try(begin, cycle.cycle_id, debit, actor):
            facts = {"cycle_id": cycle.cycle_id, "amount_cents": cycle.released_cents}
            settled.append(Settled(bank_line_id=debit.bank_line_id, **facts))
    return settled


def _try(begin: Begin, cycle_id: int, debit: Row[Any], actor: str) -> bool:
    """Settle, unless another process explained the debit since it was read; the next sweep sees what is left."""
    try:
        return _settle(begin, cycle_id, debit.bank_line_id, debit.as_of, actor)
    except LiabilityInDebitError:
        return False


def _settle(begin: Begin, cycle_id: int, bank_line_id: int, day: date, actor: str) -> bool:
    with begin() as connection:
        if locked(connection, cycle_id)["state"] != "released":
            return False
        rows = connection.execute(QUERIES["payouts"], {"cycle_id": cycle_id})
        payouts = [(row.member_id, row.payout_id, row.amount_cents) for row in rows if row.state == "released"]
        batch = Batch()
        batch.add(payout_settled(f"payout_settled:cycle:{cycle_id}", day, payouts, bank_line_id))
        post(connection, batch, actor)
        connection.execute(QUERIES["settle_payouts"], {"cycle_id": cycle_id})
        connection.execute(QUERIES["settle_cycle"], {"cycle_id": cycle_id, "bank_line_id": bank_line_id})
        connection.execute(_BANK["settle_lines"], {"lines": [bank_line_id]})
        activity.record(connection, actor, "cycle_settled", str(cycle_id), bank_line=bank_line_id)
    return True
