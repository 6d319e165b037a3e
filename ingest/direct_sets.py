"""Which sets are copies of what a payer paid a member directly, and which send through us what should be paid directly.

A set is direct when its payee (N1*PE of the 835, 005010X221A1) is the pharmacy itself, that member is on direct pay
with the payer on the date of payment (BPR16), and all its claims and provider level adjustments are that member's. Any
other set is paid through us as ever; where a member on direct pay has a share of it a person hears of it, for the payer
does not do what was agreed.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from ingest.cases import CaseKind, open_case
from ingest.claim_rows import Owner
from ingest.direct_pay import QUERIES
from ingest.directory import Directory
from ingest.plb_rows import PlbRows
from ingest.received_set import ReceivedSet


def mark_direct(connection: Connection, directory: Directory, sets: Sequence[ReceivedSet]) -> None:
    """Say of sets that balance whether they are direct, before they are written.

    Who enrols a member meanwhile waits for the end of the transaction.
    """
    headers = [received.header for received in sets if received.header is not None]
    if not headers:
        return
    connection.execute(QUERIES["lock_shared"])
    days = [header.settled_on for header in headers]
    asked = {"payer_ids": sorted({header.payer_id for header in headers}), "first": min(days), "last": max(days)}
    rows = connection.execute(QUERIES["enrolled"], asked).all()
    for received in sets if rows else ():
        header = received.header
        if header is None:
            continue
        enrolled = {
            row.member_id: row.direct_pay_id
            for row in rows
            if row.payer_id == header.payer_id
            and row.since <= header.settled_on
            and (row.until is None or header.settled_on <= row.until)
        }
        _mark(received, enrolled, directory)


def open_direct_pay_cases(connection: Connection, sets: Sequence[ReceivedSet]) -> None:
    """Open a case for each booked set in which a member has a share that its payer should pay directly."""
    named = [(received.advice_id, member) for received in sets for member in sorted(received.sent_through_us)]
    if not named:
        return
    asked = {"advice_ids": [advice for advice, _ in named], "member_ids": [member for _, member in named]}
    for row in connection.execute(QUERIES["sent_through_us"], asked).all():
        detail = f"{row.payer_name} sends through us under {row.trace_number} what it should pay {row.stores} directly"
        open_case(connection, CaseKind.DIRECT_PAY_DIFFERS, f"advice {row.advice_id}", row.cents, detail)


def _mark(received: ReceivedSet, enrolled: Mapping[UUID, int], directory: Directory) -> None:
    header, rows = received.header, received.rows
    if not enrolled or header is None or rows is None:
        return
    owners: set[Owner] = rows.owners | set(PlbRows.of(received, directory).owners)
    payee = directory.member(header.payee, header.settled_on.strftime("%Y%m%d"))
    if payee is not None and payee in enrolled and owners <= {payee}:
        received.direct_pay_id = enrolled[payee]
    else:
        received.sent_through_us = frozenset(owner for owner in owners if isinstance(owner, UUID) and owner in enrolled)
