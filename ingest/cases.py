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
    for subject, (amount_cents, detail) in standing.items():
        open_case(connection, kind, subject, amount_cents, detail)
    facts = {"kind": kind.value, "subjects": list(standing), "resolution": resolution}
    connection.execute(_QUERIES["close_others"], facts)


def list_cases(connection: Connection, state: str | None = "open") -> list[Case]:
    """List the cases of a state, or all, oldest first."""
    return [Case(**row) for row in connection.execute(_QUERIES["list"], {"state": state}).mappings()]


def find_case(connection: Connection, case_id: int) -> Case | None:
    """Give one case, or None."""
    row = connection.execute(_QUERIES["show"], {"id": case_id}).mappings().first()
    return None if row is None else Case(**row)
