"""What a cycle tells each member: its shares of the payers' advices, and what stands between them and its payment.

A remittance must come to what is paid (005010X221A1, section 1.10.2.1.3; one payment has one remittance and one trace
number: CAQH CORE 370). A member's shares rarely do: a fee is taken, something is held, a balance was left from before.
So a cycle's proposal freezes, and its approval covers, beside the payouts:

* the **shares** that it tells: of advices that are funded by the business date and that no cycle has told, of every
  member, paid or not;
* the PSAO's **own items**, each a PLB with a reserved reference:

  1. each month of the flat fee that the cycle collects: ``CS`` ``PSAO-FEE-2026-11``;
  2. each kind of event that moved the member's available money by the business date and is no advice funded, no fee
     and no payout, such as ``FB`` ``PSAO-HELD`` or ``CS`` ``PSAO-MEMBER-CORRECTED``: all that the member's book holds
     of it, less what earlier remittances told of it, so that in the end everything is told once. A reversal counts
     with what it turned;
  3. what is left: ``FB`` ``PSAO-BALANCE``, a balance brought forward (negative) or carried forward (positive); for a
     member who is told and not paid it is ``PSAO-CARRY``.

Item 3 is the shares less the items before it and less what is paid. So the sum is exact by construction, whatever was
found under 2. An item is positive where it lessens the payment, as in every PLB.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from ledger import activity
from ledger.queries import Queries
from payouts.children.composing import compose
from payouts.children.model import DEFAULT_DELIMITERS, ChildSet, Form, OwnItem, Source

_QUERIES = Queries("payouts", "remittances.sql")


def payout_trace(cycle_id: int, payout_id: int) -> str:
    """Give the trace number of a payout: TRN02 in the addenda of its payment and in its remittance."""
    return f"CP{cycle_id}P{payout_id}"


def unpaid_trace(cycle_id: int, number: int) -> str:
    """Give the trace number of what is told without a payment: one for ever, for no cycle has the number of another."""
    return f"CP{cycle_id}N{number}"


def tell(connection: Connection, cycle_id: int, business_date: date, seen: str) -> None:
    """Freeze the own items of a cycle whose members and shares are there, and split what is paid for each advice.

    ``seen`` is the database's snapshot by which the payouts were found: what was committed since is another cycle's.
    """
    parameters = {"cycle_id": cycle_id, "business_date": business_date, "seen": seen}
    connection.execute(_QUERIES["tell_events"], parameters)
    connection.execute(_QUERIES["tell_balances"], parameters)
    _split(connection, cycle_id)


def own_items(connection: Connection, cycle_id: int) -> dict[UUID, list[OwnItem]]:
    """Give the own items of a cycle by member, in the one order in which they are composed."""
    items: dict[UUID, list[OwnItem]] = defaultdict(list)
    for row in connection.execute(_QUERIES["own_items"], {"cycle_id": cycle_id}):
        items[row.member_id].append(OwnItem(reason=row.reason, reference=row.reference, amount_cents=row.amount_cents))
    return items


def untellable(connection: Connection, cycle_id: int) -> dict[UUID, str]:
    """Find the members whose remittance can no longer be what was approved, or not be written, each with the reason."""
    rows = connection.execute(_QUERIES["untellable"], {"cycle_id": cycle_id})
    return {row.member_id: row.reason for row in rows}


def untold_members(connection: Connection, cycle_id: int, stopped: Iterable[UUID]) -> dict[UUID, str]:
    """Give the NCPDP id of those stopped members that the cycle would have told something and paid nothing."""
    rows = connection.execute(_QUERIES["untold_members"], {"cycle_id": cycle_id, "stopped": list(stopped)})
    return {row.member_id: row.ncpdp_id for row in rows}


def count_children(connection: Connection, cycle_id: int) -> tuple[int, int]:
    """Count the files and the sets that a cycle's release wrote."""
    row = connection.execute(_QUERIES["children"], {"cycle_id": cycle_id}).one()
    return int(row.files), int(row.sets)


def set_form(connection: Connection, member_id: UUID, form: Form, actor: str) -> None:
    """Choose how a member is paid and told from the next proposal on; choosing the same again changes nothing."""
    parameters = {"member_id": member_id, "form": form.value}
    before = connection.execute(_QUERIES["form"], parameters).one()
    if connection.execute(_QUERIES["set_form"], parameters).rowcount:
        activity.record(
            connection, actor, "remittance_form_set", before.ncpdp_id, form=form.value, before=before.remittance_form
        )


def _split(connection: Connection, cycle_id: int) -> None:
    """Make the payouts of members that are paid for each advice: one for each set with money."""
    members = connection.execute(_QUERIES["unsplit"], {"cycle_id": cycle_id}).all()
    if not members:
        return
    ids = [row.member_id for row in members]
    rows = connection.execute(_QUERIES["natural_shares"], {"cycle_id": cycle_id, "members": ids})
    shares = {member_id: list(each) for member_id, each in groupby(rows, key=lambda row: row.member_id)}
    items = own_items(connection, cycle_id)
    payouts: list[tuple[UUID, int | None, int, int, UUID]] = []
    for row in members:
        sets = _composed(shares.get(row.member_id, ()), items.get(row.member_id, ()), row.paid_cents)
        payouts += _payouts(row, [each for each in sets if each.payment_cents])
    names = ("members", "advices", "amounts", "fees", "accounts")
    columns: Mapping[str, Any] = dict(zip(names, map(list, zip(*payouts, strict=True)), strict=True))
    connection.execute(_QUERIES["add_payouts"], {"cycle_id": cycle_id, **columns})
    connection.execute(_QUERIES["add_payout_fees"], {"cycle_id": cycle_id, "members": ids})


def _composed(shares: Iterable[Row[Any]], items: Sequence[OwnItem], paid_cents: int) -> Sequence[ChildSet]:
    """Compose a member's sets by their amounts alone; what they copy is of no matter yet."""
    sources = [
        Source(
            advice_id=row.advice_id,
            delimiters=DEFAULT_DELIMITERS,
            payer_name="",
            head=b"",
            claims=(),
            claim_count=row.claim_count,
            charge_cents=0,
            claims_cents=row.claims_cents,
            plb_cents=row.plb_cents,
        )
        for row in shares
    ]
    return compose(sources, items, paid_cents=paid_cents, form=Form.PER_ADVICE, trace_number=str)


def _payouts(member: Row[Any], sets: Sequence[ChildSet]) -> Iterable[tuple[UUID, int | None, int, int, UUID]]:
    """Give member, advice, amount, fee and account of each payout; the fee stands with the largest."""
    largest = max(sets, key=lambda each: each.payment_cents)
    for each in sets:
        advice_id = None if each.source is None else each.source.advice_id
        fee_cents = member.fee_cents if each is largest else 0
        yield member.member_id, advice_id, each.payment_cents, fee_cents, member.bank_account_id
