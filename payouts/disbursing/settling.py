"""A released disbursement settles when the bank debits its amount under its reference, or by two people's word."""

import re
from datetime import date

from sqlalchemy import Connection, Row

from ingest.free_days import free_on
from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.decided import disbursement_settled
from ledger.errors import LiabilityInDebitError
from ledger.posting import post
from ledger.queries import Queries
from payouts.answers.credits import single_line
from payouts.disbursing.disbursements import QUERIES, Disbursement, list_disbursements, show_disbursement
from payouts.holding.errors import DisbursementStateError, SettlementLineError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind

_BANK = Queries("ingest", "bank.sql")

SUBJECT = "disbursement "
"""How the subject of an approval begins that settles a disbursement; others are cycles."""


def settle_disbursements(begin: Begin, actor: str) -> list[Disbursement]:
    """Settle the released disbursements that exactly one open debit names, with their amount, on their day or later."""
    with begin() as connection:
        waiting = [each for each in list_disbursements(connection) if each.state == "released"]
        debits = [row for row in connection.execute(_BANK["open_lines"]) if row.amount_cents < 0] if waiting else []
    settled: list[Disbursement] = []
    for each in waiting:
        fitting = [debit for debit in debits if _fits(each, debit) and _names(each, debit)]
        if len(fitting) != 1:
            continue
        try:
            with begin() as connection:
                number, line_id = each.disbursement_id, fitting[0].bank_line_id
                settled.append(settle_disbursement(connection, number, line_id, fitting[0].as_of, actor))
        except (LiabilityInDebitError, DisbursementStateError, SettlementLineError):
            # Another process explained the debit since it was read; the next sweep sees what is left.
            continue
    return settled


def settle_disbursement(
    connection: Connection, disbursement_id: int, bank_line_id: int, on: date, actor: str
) -> Disbursement:
    """Settle a released disbursement against the open debit of its whole amount.

    Raises:
        UnknownDisbursementError, DisbursementStateError: there is none that is released.
        SettlementLineError: the bank line is no open debit of its amount.
    """
    disbursement = _released(connection, disbursement_id)
    _see_fitting(connection, disbursement, bank_line_id)
    batch = Batch()
    item = (disbursement_id, disbursement.amount_cents)
    # A settlement that was turned is another fact than the next one.
    times = int(connection.execute(QUERIES["settlements"], {"disbursement_id": disbursement_id}).scalar_one())
    key = f"disbursement_settled:{disbursement_id}:{times + 1}"
    on = free_on(connection, on, lines={bank_line_id: disbursement.amount_cents})
    batch.add(disbursement_settled(key, on, disbursement.owner_id, item, bank_line_id=bank_line_id))
    post(connection, batch, actor)
    marked = {"disbursement_id": disbursement_id, "bank_line_id": bank_line_id}
    connection.execute(QUERIES["mark_settled"], marked)
    connection.execute(_BANK["settle_lines"], {"lines": [bank_line_id]})
    activity.record(connection, actor, "disbursement_settled", str(disbursement_id), bank_line=bank_line_id)
    return show_disbursement(connection, disbursement_id)


def propose_settlement(connection: Connection, disbursement_id: int, bank_reference: str, actor: str) -> int:
    """Ask a second person to settle a disbursement against a debit that does not name it; give the approval.

    Raises:
        UnknownDisbursementError, DisbursementStateError: there is none that is released.
        BankReferenceError: no single open debit has that reference.
        SettlementLineError: the debit is not of its whole amount, or from before its day.
        AskedOtherwiseError: another debit is asked for already.
    """
    disbursement = _released(connection, disbursement_id)
    line = single_line(connection, bank_reference, sign=-1)
    _see_fitting(connection, disbursement, line.bank_line_id)
    facts = {
        "disbursement_id": disbursement_id,
        "bank_line_id": line.bank_line_id,
        "bank_reference": bank_reference,
        "amount_cents": disbursement.amount_cents,
        "as_of": line.as_of.isoformat(),
    }
    subject = f"{SUBJECT}{disbursement_id}"
    what = ("bank_line_id",)
    return approvals.propose(connection, ApprovalKind.SETTLEMENT, subject, facts, actor, alike=what)


def follow_settlement(connection: Connection, approval: Approval) -> None:
    """Settle what was approved.

    Raises:
        DisbursementStateError, SettlementLineError: the world has moved on.
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    facts = approval.facts
    number, line_id, day = facts["disbursement_id"], facts["bank_line_id"], date.fromisoformat(facts["as_of"])
    settle_disbursement(connection, number, line_id, day, approval.decided_by)


def _released(connection: Connection, disbursement_id: int) -> Disbursement:
    connection.execute(QUERIES["lock"], {"disbursement_id": disbursement_id})
    disbursement = show_disbursement(connection, disbursement_id)
    if disbursement.state != "released":
        raise DisbursementStateError(disbursement_id, disbursement.state, "released")
    return disbursement


def _see_fitting(connection: Connection, disbursement: Disbursement, bank_line_id: int) -> None:
    debits = [row for row in connection.execute(_BANK["open_lines"]) if row.bank_line_id == bank_line_id]
    if not any(_fits(disbursement, debit) for debit in debits):
        raise SettlementLineError(disbursement.disbursement_id, bank_line_id)


def _fits(disbursement: Disbursement, debit: Row[tuple[object, ...]]) -> bool:
    """Whether a debit of the whole amount is open, on the day of the release or later."""
    released = disbursement.released_on
    cents = -disbursement.amount_cents
    return bool(debit.open_cents == debit.amount_cents == cents and released is not None and debit.as_of >= released)


def _names(disbursement: Disbursement, debit: Row[tuple[object, ...]]) -> bool:
    """Whether the bank repeats the reference, as a word of its own."""
    word = re.compile(rf"(?<![A-Z0-9]){disbursement.reference}(?![0-9])")
    said = (debit.bank_reference, debit.customer_reference, debit.description)
    return any(word.search(str(text).upper()) for text in said)
