"""The steps that a run can take: each is a value, so the same run can be taken by the model and by a real ledger."""

from dataclasses import dataclass
from datetime import date

from tests.model.facts import Disbursement, Line, Payout, Posted, Transaction
from tests.model.ledger_model import Model


@dataclass(frozen=True)
class OpenPeriod:
    """Create the month YYYYMM, open."""

    month: int


@dataclass(frozen=True)
class ClosePeriod:
    """Close the month YYYYMM."""

    month: int


@dataclass(frozen=True)
class AddBankLine:
    """Take in a bank line, signed as the bank signs it, in cents."""

    bank_line: str
    amount_cents: int


@dataclass(frozen=True)
class ApprovePayout:
    """Approve a payout that somebody proposed."""

    payout: Payout
    proposer: str
    approver: str


@dataclass(frozen=True)
class ApproveDisbursement:
    """Approve a payment to another than a member that somebody proposed."""

    disbursement: Disbursement
    proposer: str
    approver: str


@dataclass(frozen=True)
class Post:
    """Post a transaction."""

    transaction: Transaction


@dataclass(frozen=True)
class Reverse:
    """Reverse a transaction by its number in the model."""

    transaction_id: int
    fact_key: str
    fact_on: date


@dataclass(frozen=True)
class Write:
    """Write a transaction into the tables past ``post``, as their owner could."""

    transaction: Transaction


@dataclass(frozen=True)
class Rewrite:
    """Change or delete a transaction in the tables."""

    transaction_id: int


@dataclass(frozen=True)
class Append:
    """Add lines to an entry of an earlier transaction."""

    transaction_id: int
    lines: tuple[Line, ...]


Setting = OpenPeriod | ClosePeriod | AddBankLine | ApprovePayout | ApproveDisbursement
"""Steps that post nothing."""

Posting = Post | Reverse | Write | Rewrite | Append
"""Steps that post or try to."""

Step = Setting | Posting


def take(model: Model, step: Step) -> Posted | None:
    """Take a step.

    Returns:
        What was posted, or None for a step that posts nothing.

    Raises:
        Refused: the model refuses it.
    """
    match step:
        case Post():
            return model.post(step.transaction)
        case Reverse():
            return model.reverse(step.transaction_id, step.fact_key, step.fact_on)
        case Write():
            return model.write(step.transaction)
        case Rewrite():
            model.rewrite(step.transaction_id)
        case Append():
            model.append(step.transaction_id, step.lines)
        case _:
            _set(model, step)
    return None


def _set(model: Model, step: Setting) -> None:
    match step:
        case OpenPeriod():
            model.open_period(step.month)
        case ClosePeriod():
            model.close_period(step.month)
        case AddBankLine():
            model.add_bank_line(step.bank_line, step.amount_cents)
        case ApprovePayout():
            model.approve_payout(step.payout, proposer=step.proposer, approver=step.approver)
        case ApproveDisbursement():
            model.approve_disbursement(step.disbursement, proposer=step.proposer, approver=step.approver)
