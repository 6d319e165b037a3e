"""Debits that nothing of ours explains: a payer's take-back, the bank's charge, money that came back.

The PSAO's own money leaving is explained by ``float withdraw``. While a debit is unexplained the float stands for it,
so each of these frees the float, and a charge is the PSAO's own expense.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from ingest.cases import Case, CaseKind
from ledger import activity
from ledger.batch import Batch, Transaction
from ledger.decided import bank_charged, debit_returned, payer_debited
from ledger.posting import post
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.bank_items import (
    OpenItem,
    counterpart,
    day_to_post,
    item_of_case,
    part,
    settle_items,
    still_open,
)
from payouts.resolutions.cover import see_covered
from payouts.resolutions.errors import AmountError, MovedOnError, SubjectMissingError
from payouts.resolutions.frame import Resolution, ask, carried_out, decider
from payouts.resolutions.member_errors import RowsSumError, UnknownPayerError
from payouts.resolutions.rows import QUERIES, DecidedRow, ask_rows, decided_rows, read_members, sums

# Proposals -----------------------------------------------------------------------------------------------------------


def take_back(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to explain a debit as a payer taking money back from members: ``--rows``, or ``--member`` for all of it.

    Returns:
        The approval that was asked for.

    Raises:
        RowsSumError: the rows do not come to the debit.
        UncoveredError: members would owe more than the float covers.
        UnknownPayerError, SubjectMissingError, NotOpenError: the request is not complete, or the debit is explained.
    """
    debit = item_of_case(connection, case, is_debit=True)
    payer_id, payer_name = _payer(connection, request)
    rows = _taken(connection, request, debit)
    see_covered(connection, {member: -cents for member, cents in sums(rows).items()})
    facts = {
        "bank_line_id": debit.bank_line_id,
        "amount_cents": debit.open_cents,
        "payer_id": payer_id,
        "payer": payer_name,
        "action": request.action.value,
        "case_id": case.id,
        "reason": request.reason,
    }
    return ask_rows(connection, ApprovalKind.PAYER_DEBIT, str(debit.bank_line_id), facts, rows, actor=actor)


def bank_charge(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to take a debit as the bank's charge, which the PSAO pays from its own money.

    Returns:
        The approval that was asked for.

    Raises:
        UncoveredError: the float has not as much.
        NotOpenError, AmountError: the debit is explained, or the amount is no part of it.
    """
    debit = item_of_case(connection, case, is_debit=True)
    cents = part(request, debit)
    see_covered(connection, {}, taken_cents=cents)
    facts = {"bank_line_id": debit.bank_line_id, "amount_cents": cents}
    return ask(connection, ApprovalKind.BANK_CHARGE, str(debit.bank_line_id), request, facts, actor=actor)


def return_debit(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to take a debit and a deposit for the same money, out and back, up to the smaller of the two.

    The case is about one of them, ``--bank-line`` names the other.

    Returns:
        The approval that was asked for.

    Raises:
        NotOpenError, SubjectMissingError, AmountError: one of them has nothing open, none is named, or the amount is
            more than either has open.
    """
    about_debit = case.kind is CaseKind.DEBIT_UNEXPLAINED
    own = item_of_case(connection, case, is_debit=about_debit)
    other = counterpart(connection, request, is_debit=not about_debit)
    smaller = min(own, other, key=lambda item: item.open_cents)
    cents = part(request, smaller)
    debit, deposit = (own, other) if about_debit else (other, own)
    facts = {
        "bank_line_id": own.bank_line_id,
        "debit": debit.bank_line_id,
        "deposit": deposit.bank_line_id,
        "amount_cents": cents,
    }
    return ask(connection, ApprovalKind.DEBIT_RETURNED, str(debit.bank_line_id), request, facts, actor=actor)


def _payer(connection: Connection, request: Resolution) -> tuple[str, str]:
    if request.payer is None:
        raise SubjectMissingError("payer took it", "--payer ID")
    found = connection.execute(QUERIES["payer"], {"asked": request.payer}).all()
    if len(found) != 1:
        raise UnknownPayerError(request.payer)
    return found[0].payer_id, found[0].name


def _taken(connection: Connection, request: Resolution, debit: OpenItem) -> Sequence[DecidedRow]:
    """Give from whom it was taken: all of it, to the cent, from each more than nothing."""
    if request.rows is None:
        if request.member is None:
            raise SubjectMissingError("members it was taken from", "--rows FILE.csv, or --member M")
        named = connection.execute(QUERIES["named_members"], {"asked": [request.member], "day": request.day}).first()
        if named is None:
            raise SubjectMissingError("member it was taken from", f"{request.member} is none")
        return [DecidedRow(named.member_id, debit.open_cents)]
    rows = read_members(connection, request.rows, request.day)
    for row in rows:
        if row.cents < 0:
            raise AmountError(row.cents, debit.open_cents, debit.said)
    total = sum(row.cents for row in rows)
    if total != debit.open_cents:
        raise RowsSumError(request.rows.name, total, debit.open_cents, f"what is open of {debit.said}")
    return rows


# Carrying out --------------------------------------------------------------------------------------------------------


def follow_take_back(connection: Connection, approval: Approval) -> None:
    """Post an approved take-back on the bank's day, in the payer's name.

    Raises:
        MovedOnError: the debit is not open as it was.
        FloatMissingError: the float does not cover what members owe now.
    """
    if approval.state != "approved":
        return
    facts = approval.facts
    line_id, cents = facts["bank_line_id"], facts["amount_cents"]
    debit = still_open(connection, line_id, cents, is_debit=True)
    taken = sums(decided_rows(connection, approval.approval_id))
    if sum(taken.values()) != cents:
        raise MovedOnError(f"The rows of approval {approval.approval_id} do not come to the debit")
    reason = f"taken back by payer {facts['payer_id']}: {facts['reason']}"
    key = f"payer_debited:{approval.approval_id}"
    day = day_to_post(connection, [debit], cents)
    _post(connection, approval, payer_debited(key, day, line_id, taken.items(), reason=reason), [line_id])


def follow_bank_charge(connection: Connection, approval: Approval) -> None:
    """Post an approved charge on the bank's day.

    Raises:
        MovedOnError: the debit is not open as it was.
        FloatMissingError: the float has not as much any more.
    """
    if approval.state != "approved":
        return
    facts = approval.facts
    line_id, cents = facts["bank_line_id"], facts["amount_cents"]
    debit = still_open(connection, line_id, cents, is_debit=True)
    key = f"bank_charged:{approval.approval_id}"
    day = day_to_post(connection, [debit], cents)
    _post(connection, approval, bank_charged(key, day, line_id, cents, reason=facts["reason"]), [line_id])


def follow_return(connection: Connection, approval: Approval) -> None:
    """Post an approved pair of debit and deposit on the later of the bank's two days.

    Raises:
        MovedOnError: one of them is not open as it was.
    """
    if approval.state != "approved":
        return
    facts = approval.facts
    cents = facts["amount_cents"]
    # In the order of their numbers, as everybody locks bank lines.
    sides = sorted(((facts["debit"], True), (facts["deposit"], False)))
    items = [still_open(connection, line_id, cents, is_debit=is_debit) for line_id, is_debit in sides]
    key = f"debit_returned:{approval.approval_id}"
    day = day_to_post(connection, items, cents)
    transaction = debit_returned(key, day, facts["deposit"], facts["debit"], cents, reason=facts["reason"])
    _post(connection, approval, transaction, [item.bank_line_id for item in items])


def _post(connection: Connection, approval: Approval, transaction: Transaction, bank_lines: Sequence[int]) -> None:
    actor = decider(approval)
    batch = Batch()
    batch.add(transaction)
    post(connection, batch, actor)
    settle_items(connection, bank_lines)
    subject = "bank line " + " and ".join(str(each) for each in bank_lines)
    activity.record(connection, actor, transaction.event.value, subject, cents=approval.facts["amount_cents"])
    # The case of a line ends when nothing of it is left; that of the other side at the next match.
    about = connection.execute(QUERIES["open_line"], {"bank_line_id": approval.facts["bank_line_id"]}).one()
    if not about.open_cents:
        carried_out(connection, approval)
