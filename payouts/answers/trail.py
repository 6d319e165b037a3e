"""Answers as people see them: the payment that was answered, what was done, and the payment by which it left again."""

from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.answers.again import may_pay_again
from payouts.answers.changes import deadline
from payouts.answers.codes import Treatment, meaning_of
from payouts.answers.errors import UnknownAnswerError

_QUERIES = Queries("payouts", "answers.sql")

ALL: Final = 1_000_000
"""More answers than anybody lists."""


class PaymentLink(BaseModel):
    """A payout as a link of a chain; cents."""

    model_config = ConfigDict(frozen=True)

    payout_id: int
    cycle_id: int
    state: str
    ach_trace: str | None
    amount_cents: int


class MoneyLink(BaseModel):
    """The bank line that moved an answer's money."""

    model_config = ConfigDict(frozen=True)

    bank_line_id: int
    booked_on: date
    bank_reference: str


class HoldLink(BaseModel):
    """The hold that keeps an answer's money; cents are what it keeps now."""

    model_config = ConfigDict(frozen=True)

    hold_id: int
    kind: str
    state: str
    held_cents: int


class AnswerRow(BaseModel):
    """A bank's answer with all that it belongs to; cents."""

    model_config = ConfigDict(frozen=True)

    answer_id: int
    kind: str
    code: str
    meaning: str
    treatment: str
    state: str
    amount_cents: int
    received_on: date
    text: str
    original_trace: str
    ncpdp_id: str | None
    original: PaymentLink | None
    """None: it answers no payout of ours."""
    money: MoneyLink | None
    hold: HoldLink | None
    about_answer_id: int | None
    asked_change_id: int | None
    apply_by: date | None
    """Of a notification that still waits: the last day on which it is applied."""
    paid_again: PaymentLink | None
    close_reason: str | None
    next_step: str | None
    """What comes next, as a sentence; None: nothing more."""


def list_answers(connection: Connection, *, everything: bool = False, most: int = ALL) -> list[AnswerRow]:
    """List the answers that something still follows from, or all; oldest first."""
    return _rows(connection, everything=everything, most=most)


def show_answer(connection: Connection, answer_id: int) -> list[AnswerRow]:
    """Give an answer and the others about the same payment, in their order.

    Raises:
        UnknownAnswerError: there is none.
    """
    found = _rows(connection, answer_id=answer_id, everything=True)
    if not found:
        raise UnknownAnswerError(answer_id)
    original = found[0].original
    return found if original is None else answers_of_payout(connection, original.payout_id)


def answers_of_payout(connection: Connection, payout_id: int) -> list[AnswerRow]:
    """Give the answers about a payout, and the returns that it paid again: the chain in both directions."""
    return _rows(connection, payout_id=payout_id, everything=True)


def _rows(
    connection: Connection,
    *,
    answer_id: int | None = None,
    payout_id: int | None = None,
    everything: bool,
    most: int = ALL,
) -> list[AnswerRow]:
    asked = {"answer_id": answer_id, "payout_id": payout_id, "everything": everything, "most": most}
    return [_row(connection, dict(row)) for row in connection.execute(_QUERIES["answers"], asked).mappings().all()]


def _row(connection: Connection, row: dict[str, Any]) -> AnswerRow:
    waits = row["kind"] == "change" and row["state"] == "open"
    original = again = money = hold = None
    if row["payout_id"] is not None:
        original = PaymentLink(
            payout_id=row["payout_id"],
            cycle_id=row["cycle_id"],
            state=row["payout_state"],
            ach_trace=row["payout_trace"],
            amount_cents=row["payout_cents"],
        )
    if row["again_payout_id"] is not None:
        again = PaymentLink(
            payout_id=row["again_payout_id"],
            cycle_id=row["again_cycle_id"],
            state=row["again_state"],
            ach_trace=row["again_trace"],
            amount_cents=row["again_cents"],
        )
    if row["bank_line_id"] is not None:
        money = MoneyLink(**{name: row[name] for name in MoneyLink.model_fields})
    if row["hold_id"] is not None:
        kept = {"held_cents": row["held_cents"], "kind": row["hold_kind"], "state": row["hold_state"]}
        hold = HoldLink(hold_id=row["hold_id"], **kept)
    plain = {name: row[name] for name in AnswerRow.model_fields.keys() & row.keys()}
    return AnswerRow(
        **plain | {"original_trace": f"{row['original_trace']:015d}"},
        meaning=meaning_of(row["code"]),
        original=original,
        money=money,
        hold=hold,
        apply_by=deadline(row["received_on"]) if waits else None,
        paid_again=again,
        next_step=_next(connection, row),
    )


def _next(connection: Connection, row: dict[str, Any]) -> str | None:
    """Say what comes next of an answer."""
    if row["state"] == "posted" and row["kind"] != "dishonored":
        return _of_the_money(connection, row)
    if row["state"] != "open":
        return None
    if row["asked_change_id"] is not None:
        return f"A second person decides on change {row['asked_change_id']} of bank details."
    return _awaited(row)


def _of_the_money(connection: Connection, row: dict[str, Any]) -> str | None:
    """Say how returned money leaves again."""
    if row["again_payout_id"] is not None:
        return None
    if row["hold_state"] != "active" or not row["held_cents"]:
        return "Lifted; the money leaves with the member's next payment."
    missing = may_pay_again(connection, row["hold_id"])
    if missing is not None:
        return missing[0].upper() + missing[1:] + "."
    return f"Lift the hold (holds lift {row['hold_id']}); a second person approves, the next cycle pays."


def _awaited(row: dict[str, Any]) -> str:
    if row["entry_kind"] != "payout" or row["kind"] == "change":
        return "A person looks at it and closes it."
    if row["treatment"] == Treatment.DISHONORED:
        return "The bank takes the return's money back; the payment then stands."
    if row["payout_state"] in {"released", "approved"}:
        return "The payment settles first, then the return's money is posted."
    if row["payout_state"] == "returned":
        return "The payment is returned already; a person looks at it."
    return "Its credit comes by a bank statement and is posted by the next match, or by a person: returns match."
