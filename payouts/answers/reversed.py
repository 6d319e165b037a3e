"""The money of reversing entries: what we asked back of a payment comes as a bank credit and is held like a return.

Nobody answers a reversing entry that is honored: the credit of its debit is the answer. Its bank line is taken as one,
of the payment that was asked back, where it names the reversing entry's trace and has its amount; else by a person.
"""

from typing import Any, Final

from sqlalchemy import Connection, Row

from ledger import activity
from ledger.queries import Queries
from payouts.answers.codes import OUR_REVERSAL, Treatment
from payouts.answers.credits import OpenLine, only_pairs, open_lines, single_line
from payouts.answers.errors import NotReversedError
from payouts.answers.returns import propose_match

_QUERIES = Queries("payouts", "answers.sql")
_TEXT: Final = "our reversing entry, honored"


def note_reversed(connection: Connection, actor: str) -> None:
    """Write down as answers the credits that name a reversing entry of ours; the sweep then posts them as returns."""
    waiting = connection.execute(_QUERIES["reversals_in_transit"], {"payout_id": None}).all()
    credited = [line for line in open_lines(connection) if line.cents > 0] if waiting else []
    pairs = ((row, line) for row in waiting for line in credited if _names(row, line))
    for row, line in only_pairs(pairs):
        _answer(connection, row, line, actor)


def propose_reversed(connection: Connection, payout_id: int, bank_reference: str, actor: str) -> int:
    """Ask a second person to take a credit as the money of a payment that was asked back; give the approval.

    Raises:
        NotReversedError: the payment was not asked back, or came back already.
        BankReferenceError, AmountDiffersError, NotReturnedYetError: as ``returns.propose_match``.
    """
    row = connection.execute(_QUERIES["reversals_in_transit"], {"payout_id": payout_id}).first()
    if row is None:
        raise NotReversedError(payout_id)
    answer_id = _answer(connection, row, single_line(connection, bank_reference, sign=1), actor)
    return propose_match(connection, answer_id, bank_reference, actor)


def _names(row: Row[Any], line: OpenLine) -> bool:
    return line.open_cents == row.amount_cents and f"{row.reversal_trace:015d}" in line.words


def _answer(connection: Connection, row: Row[Any], line: OpenLine, actor: str) -> int:
    """Write an answer down, of the statement that holds its line; the same again gives the same."""
    facts = {
        "bank_line_id": line.bank_line_id,
        "code": OUR_REVERSAL,
        "original_trace": row.original_trace,
        "answer_trace": row.reversal_trace,
        "amount_cents": row.amount_cents,
        "received_on": line.as_of,
        "text": _TEXT,
        "payout_id": row.payout_id,
        "treatment": Treatment.AGREED_WITH_BANK.value,
    }
    answer_id = connection.execute(_QUERIES["add_reversed"], facts).scalar()
    if answer_id is None:
        return int(connection.execute(_QUERIES["reversed_answer"], facts).scalar_one())
    activity.record(
        connection, actor, "answer_received", f"answer {answer_id}", code=OUR_REVERSAL, payout=row.payout_id
    )
    return int(answer_id)
