"""The bank's interest: it belongs to the members, all of it, and is divided among them to the cent.

A deposit is taken as interest by a second person's word; later what has gathered is divided by each member's average
daily balance, or as a person worked it out. The house keeps nothing of it.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from ingest.cases import Case
from ledger import activity
from ledger.batch import Batch
from ledger.decided import interest_allocated, interest_earned
from ledger.posting import post
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.bank_items import item_of_case, part, settle_items, still_open
from payouts.resolutions.errors import AmountError, MovedOnError, NotOpenError, ReasonMissingError, SubjectMissingError
from payouts.resolutions.frame import Resolution, Table, ask, carried_out, day_of, decider
from payouts.resolutions.member_errors import NothingToDivideByError, RowsSumError
from payouts.resolutions.network import Method, divide
from payouts.resolutions.rows import QUERIES, DecidedRow, ask_rows, decided_rows, read_members, sums
from schemas.money import show_cents

DIVISION = "division"
"""Subject of the proposal that divides: one at a time. That of a deposit is its bank line."""


def earn(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask to take a deposit, or the part of it that is named, as the bank's interest.

    Returns:
        The approval that was asked for.

    Raises:
        NotOpenError, AmountError: the deposit is matched, or the amount is no part of it.
    """
    deposit = item_of_case(connection, case, is_debit=False)
    facts = {"bank_line_id": deposit.bank_line_id, "amount_cents": part(request, deposit)}
    return ask(connection, ApprovalKind.INTEREST, str(deposit.bank_line_id), request, facts, actor=actor)


def propose_division(
    connection: Connection,
    *,
    day: date,
    reason: str,
    actor: str,
    rows: Table | None = None,
    period: tuple[date, date] | None = None,
) -> int:
    """Ask to divide all interest that has gathered: by rows, or by the average daily balance of a period.

    Args:
        connection: of a unit of work.
        day: the business day on which it is posted.
        reason: why and for what time; it is kept.
        actor: who asks.
        rows: a file ``member,amount,claim``; its sum is the interest, to the cent.
        period: first and last day; the balance is the member's share of the bank account at the end of each day.

    Returns:
        The approval that was asked for.

    Raises:
        SubjectMissingError: neither or both of rows and period are given, or the period ends before it begins.
        NotOpenError: there is no interest to divide.
        RowsSumError, AmountError: the rows do not come to it, or take something.
        NothingToDivideByError: no member had a balance.
    """
    if not reason.strip():
        raise ReasonMissingError
    if (rows is None) is (period is None):
        raise SubjectMissingError("way of dividing", "--rows FILE.csv, or --by-balance --from D --to D")
    cents = _gathered(connection)
    if not cents:
        raise NotOpenError("Interest", "none has gathered that is not divided")
    facts: dict[str, Any] = {"amount_cents": cents, "day": day.isoformat(), "reason": reason}
    if rows is not None:
        decided = _given(connection, rows, day, cents)
        facts |= {"method": Method.ROWS.value}
    else:
        since, until = period or (day, day)
        decided = _by_balance(connection, cents, since, until)
        facts |= {"method": Method.BALANCES.value, "since": since.isoformat(), "until": until.isoformat()}
    return ask_rows(connection, ApprovalKind.INTEREST, DIVISION, facts, decided, actor=actor)


def _gathered(connection: Connection) -> int:
    return int(connection.execute(QUERIES["interest_left"]).scalar_one())


def _given(connection: Connection, table: Table, day: date, cents: int) -> list[DecidedRow]:
    rows = read_members(connection, table, day)
    for row in rows:
        if row.cents < 0:
            raise AmountError(row.cents, cents, "interest")
    total = sum(row.cents for row in rows)
    if total != cents:
        raise RowsSumError(table.name, total, cents, "the interest that is not divided")
    return rows


def _by_balance(connection: Connection, cents: int, since: date, until: date) -> list[DecidedRow]:
    if until < since:
        raise SubjectMissingError("period", "--from D --to D, the first day first")
    period = {"since": since, "until": until}
    rows = connection.execute(QUERIES["daily_balances"], period)
    weights: dict[UUID, int] = {row.member_id: row.weight_cents for row in rows}
    if not weights:
        raise NothingToDivideByError(f"a balance from {since} to {until}")
    return [DecidedRow(member, part) for member, part in divide(cents, weights).items()]


def follow_interest(connection: Connection, approval: Approval) -> None:
    """Post what was approved: a deposit as interest, on the bank's day, or the division, on its business day.

    Raises:
        MovedOnError: the deposit is not open as it was, or other interest has gathered than was divided.
    """
    if approval.state != "approved":
        return
    actor, batch = decider(approval), Batch()
    cents, reason = approval.facts["amount_cents"], approval.facts["reason"]
    if approval.subject != DIVISION:
        line_id = approval.facts["bank_line_id"]
        deposit = still_open(connection, line_id, cents, is_debit=False)
        key = f"interest_earned:{approval.approval_id}"
        batch.add(interest_earned(key, deposit.as_of, line_id, cents, reason=reason))
        post(connection, batch, actor)
        settle_items(connection, [line_id])
        if deposit.open_cents == cents:
            carried_out(connection, approval)
        activity.record(connection, actor, "interest_earned", f"bank line {line_id}", cents=cents)
        return
    shares = sums(decided_rows(connection, approval.approval_id))
    if sum(shares.values()) != cents:
        raise MovedOnError(f"The rows of approval {approval.approval_id} do not come to the interest")
    key = f"interest_allocated:{approval.approval_id}"
    batch.add(interest_allocated(key, day_of(approval), shares.items(), reason=reason))
    post(connection, batch, actor)
    # Asked after posting: the balance is locked by then.
    left = _gathered(connection)
    if left:
        raise MovedOnError(f"{show_cents(left + cents)} of interest is to be divided, approved was {show_cents(cents)}")
    activity.record(connection, actor, "interest_allocated", f"approval {approval.approval_id}", cents=cents)
