"""The postings of answers: a returned payment is held for its member, a dishonored return is turned."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from ingest.free_days import free_on
from ledger import activity
from ledger.batch import Batch
from ledger.decided import debit_returned
from ledger.events import payout_returned
from ledger.posting import post, reverse
from ledger.queries import Queries
from payouts.answers.codes import meaning_of
from payouts.answers.credits import OpenLine
from payouts.holding.holds import HoldKind, HoldOrder, locked_hold, open_hold
from schemas.calendar import add_banking_days

_QUERIES = Queries("payouts", "answers.sql")
_BANK = Queries("ingest", "bank.sql")

REVIEW_DAYS = 5
"""Banking days after which a person looks at the money of a return that is still held."""


def post_answers(connection: Connection, rows: Sequence[Row[Any]], line: OpenLine, actor: str) -> None:
    """Post answers of which one bank line moves the money; their cycles are locked, and they may be posted.

    Args:
        connection: of a unit of work.
        rows: of the query ``waiting``; all returns and contested returns, or all dishonored returns.
        line: at least their sum is open on it.
        actor: who acts.

    Raises:
        LiabilityInDebitError: from the database; less is open on the line, or the money has left its hold.
    """
    if rows[0].kind == "dishonored":
        for row in rows:
            _take_back(connection, row, line, actor)
    else:
        _bring_back(connection, rows, line, actor)
    connection.execute(_BANK["settle_lines"], {"lines": [line.bank_line_id]})


def _bring_back(connection: Connection, rows: Sequence[Row[Any]], line: OpenLine, actor: str) -> None:
    """Hold for its member what came back; the payout is returned."""
    batch = Batch()
    made: list[dict[str, Any]] = []
    day = free_on(connection, line.as_of, lines={line.bank_line_id: sum(row.amount_cents for row in rows)})
    for row in rows:
        hold_id, key = _hold(connection, row, line.as_of, actor), _fact(connection, "payout_returned", row.answer_id)
        batch.add(payout_returned(key, day, row.member_id, row.amount_cents, line.bank_line_id, hold_id=hold_id))
        made.append({"fact_key": key, "hold_id": hold_id})
    post(connection, batch, actor)
    for row, facts in zip(rows, made, strict=True):
        named = facts | {"answer_id": row.answer_id, "bank_line_id": line.bank_line_id}
        connection.execute(_QUERIES["mark_posted"], named)
        connection.execute(_QUERIES["mark_returned"], {"payout_id": row.payout_id})
        activity.record(
            connection,
            actor,
            "payout_returned",
            f"payout {row.payout_id}",
            answer=row.answer_id,
            code=row.code,
            cents=row.amount_cents,
            bank_line=line.bank_line_id,
            hold=facts["hold_id"],
        )


def _hold(connection: Connection, row: Row[Any], day: date, actor: str) -> int:
    """Give the hold that keeps the money: the one placed when the answer came, or one for this money alone."""
    if row.hold_id is not None and locked_hold(connection, row.hold_id)["state"] == "active":
        return int(row.hold_id)
    order = HoldOrder(
        member_id=row.member_id,
        kind=HoldKind.RETURNED,
        reason=f"payout {row.payout_id} came back: {row.code}, {meaning_of(row.code)}",
        authority=f"return of the receiving bank, {row.code}",
        review_on=add_banking_days(day, REVIEW_DAYS),
        placed_on=day,
        limit_cents=row.amount_cents,
    )
    return open_hold(connection, order, actor)


def _take_back(connection: Connection, row: Row[Any], line: OpenLine, actor: str) -> None:
    """Turn the return that was dishonored: its credit and the debit that took it again explain each other.

    The database puts the payout back to settled and opens the return again; it is closed, for it did not stand.
    """
    first = connection.execute(_QUERIES["posting_of"], {"answer_id": row.about_answer_id}).one()
    key = _fact(connection, "return_dishonored", row.answer_id)
    reason = f"{row.code}, {meaning_of(row.code)}"
    reverse(connection, first.transaction_id, fact_key=key, fact_on=line.as_of, actor=actor, reason=reason)
    batch = Batch()
    cleared = _fact(connection, "debit_returned", row.answer_id)
    lines = (first.bank_line_id, line.bank_line_id)
    day = free_on(connection, line.as_of, lines=dict.fromkeys(lines, row.amount_cents))
    batch.add(debit_returned(cleared, day, *lines, row.amount_cents, reason=reason))
    post(connection, batch, actor)
    facts = {"answer_id": row.answer_id, "bank_line_id": line.bank_line_id, "fact_key": cleared}
    connection.execute(_QUERIES["mark_posted"], facts | {"hold_id": None})
    closed = {"answer_id": row.about_answer_id, "actor": actor, "reason": f"dishonored by answer {row.answer_id}"}
    connection.execute(_QUERIES["close"], closed)
    connection.execute(_QUERIES["end_hold"], {"hold_id": first.hold_id})
    connection.execute(_BANK["settle_lines"], {"lines": [first.bank_line_id]})
    subject, about = f"payout {row.payout_id}", row.about_answer_id
    activity.record(connection, actor, "return_dishonored", subject, answer=row.answer_id, about=about, code=row.code)


def _fact(connection: Connection, what: str, answer_id: int) -> str:
    """Name a posting of an answer; after a reversal the next one has a name of its own."""
    name = f"{what}:answer:{answer_id}"
    times = connection.execute(_QUERIES["postings"], {"name": name, "more": f"{name}:%"}).scalar_one()
    return name if not times else f"{name}:{times + 1}"
