"""Exception cases: what a person has to look at. One open case for a kind and subject."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger.queries import Queries

_QUERIES = Queries("ingest", "cases.sql")


class CaseKind(StrEnum):
    """Why a case is open; the subject is what it is about."""

    SET_QUARANTINED = "set_quarantined"
    """A transaction set that does not foot; kept, not posted."""
    SET_CONFLICT = "set_conflict"
    """A set with the identity of an accepted advice and other content."""
    ADVICE_WITHOUT_DEPOSIT = "advice_without_deposit"
    """Advised, no money yet; subject: the trace number."""
    DEPOSIT_WITHOUT_ADVICE = "deposit_without_advice"
    """Money whose remittance is missing; subject: the bank line."""
    DEPOSIT_SHORT = "deposit_short"
    """Less money under an advice's trace than it says; held."""
    DEPOSIT_OVER = "deposit_over"
    """More money under an advice's trace than it says; the rest is parked."""
    UNKNOWN_PAYEE = "unknown_payee"
    """Money for an identifier that is no member's; subject: the identifier."""
    FLOAT_MISSING = "float_missing"
    """The float can not cover a negative; the advice waits. The amount is what is missing."""
    NEGATIVE_MEMBER = "negative_member"
    """A member that owes; the float covers it."""
    NETWORK_ADJUSTMENT = "network_adjustment"
    """A payer's adjustment of the network as a whole, to be allocated."""
    PAYOUT_DROPPED = "payout_dropped"
    """An approved payout or remittance that was not released, with its reason."""
    MATCH_SUGGESTED = "match_suggested"
    """A deposit without a trace that only one advice fits, and that fits only it; a person decides."""
    DEBIT_UNEXPLAINED = "debit_unexplained"
    """Money left the account and nothing of ours says why; subject: the bank line."""
    RETURN_WITHOUT_MONEY = "return_without_money"
    """A bank returned a payment, and its credit is not there or not told apart; subject: the answer."""
    ANSWER_UNKNOWN = "answer_unknown"
    """A bank's answer with a code that is not known, or to an entry that is none of ours."""
    CHANGE_NOTIFIED = "change_notified"
    """A bank corrects a member's bank details; a second person decides before the deadline."""
    BANK_DETAILS_ASKED = "bank_details_asked"
    """A change of bank details waits for its call-back and a second person; subject: the change."""
    PRENOTE_FAILED = "prenote_failed"
    """A member's bank refused the entry that tried its new account."""
    HOLD_REVIEW = "hold_review"
    """The day has come on which a person looks at a hold again; subject: the hold."""
    UNCLAIMED_DUE = "unclaimed_due"
    """Money of a member that the state will ask for, or a letter about it."""
    FEEDS_DIFFER = "feeds_differ"
    """Two statements of one bank day that do not say the same; subject: the day."""
    DIRECT_PAY_DIFFERS = "direct_pay_differs"
    """A payer that should pay a member directly sent its money, or part of its claims, through us."""
    FEE_UNPAID = "fee_unpaid"
    """Months of fee of a member that never has a balance to collect from; subject: the store."""
    FEE_OVER_CONTRACT = "fee_over_contract"
    """A fee above what the contract asks now, which the float can not give back; subject: store and month."""
    FILE_REFUSED = "file_refused"
    """A file of the inbox that could not be taken in; subject: its name."""
    JOB_FAILED = "job_failed"
    """A job of the scheduler that failed as often as it is tried; subject: job and time."""
    PROOF_FAILED = "proof_failed"
    """A proof that does not hold; no money leaves for its owners. Subject: the proof."""
    SEAL_FAILED = "seal_failed"
    """The books can not be sealed, or their checkpoints not be published. Subject: ``seal``."""


class Case(BaseModel):
    """An exception case; money in cents."""

    model_config = ConfigDict(frozen=True)

    id: int
    kind: CaseKind
    subject: str
    amount_cents: int
    detail: str
    opened_at: datetime
    state: str
    resolution: str | None = None


def open_case(connection: Connection, kind: CaseKind, subject: str, amount_cents: int, detail: str) -> None:
    """Open a case, or bring the open one of that subject up to date."""
    facts = {"kind": kind.value, "subject": subject, "amount_cents": amount_cents, "detail": detail}
    connection.execute(_QUERIES["open"], facts)


def settle_cases(
    connection: Connection, kind: CaseKind, standing: Mapping[str, tuple[int, str]], resolution: str
) -> None:
    """Make the open cases of a kind those that stand: subject to (cents, detail); the others are resolved."""
    cases = [
        {"kind": kind.value, "subject": subject, "amount_cents": amount_cents, "detail": detail}
        for subject, (amount_cents, detail) in standing.items()
    ]
    if cases:
        connection.execute(_QUERIES["open"], cases)
    facts = {"kind": kind.value, "subjects": list(standing), "resolution": resolution}
    connection.execute(_QUERIES["close_others"], facts)


def list_cases(connection: Connection, state: str | None = "open") -> list[Case]:
    """List the cases of a state, or all, oldest first."""
    return [Case(**row) for row in connection.execute(_QUERIES["list"], {"state": state}).mappings()]


def find_case(connection: Connection, case_id: int) -> Case | None:
    """Give one case, or None."""
    row = connection.execute(_QUERIES["show"], {"id": case_id}).mappings().first()
    return None if row is None else Case(**row)
