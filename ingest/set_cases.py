"""What a person has to look at of the sets that were taken in: exception cases of sets, and of the house's shares."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from ingest.cases import CaseKind
from ingest.received_set import ReceivedSet
from ledger.chart import HOUSE
from ledger.events import Share
from ledger.queries import Queries

_QUERIES = Queries("ingest", "advices.sql")
_CASES = Queries("ingest", "cases.sql")


def open_house_cases(connection: Connection, shares: Iterable[Share]) -> None:
    """Bring the cases of the house's shares up to date, after posting: whoever posts for the house takes turns."""
    of_house = [share for share in shares if share.owner == HOUSE]
    cases = []
    network = [share.advice_id for share in of_house if share.identifier is None]
    if network:
        for row in connection.execute(_QUERIES["network_totals"], {"advice_ids": network}):
            detail = f"payer {row.payers} adjusts the network as a whole under {row.trace_number}"
            cases.append(_case(CaseKind.NETWORK_ADJUSTMENT, row.trace_number, row.cents, detail))
    named = sorted({share.identifier for share in of_house if share.identifier is not None})
    if named:
        for row in connection.execute(_QUERIES["unknown_payee_totals"], {"ids": named}):
            detail = f"{row.identifier} names no member on the date of its claims"
            cases.append(_case(CaseKind.UNKNOWN_PAYEE, row.identifier, row.cents, detail))
    _open(connection, cases)


def open_set_cases(connection: Connection, file_id: int, sets: Iterable[ReceivedSet]) -> None:
    """Open a case for each set of a file that is quarantined or in conflict."""
    cases = []
    for received in sets:
        end = received.verdict
        subject = f"file {file_id} set {end.ordinal}"
        cents = received.header.payment_cents if received.header else 0
        if received.status == "quarantined":
            first = next((finding.sentence() for finding in end.findings), "it can not be read")
            more = f" (and {len(end.findings) - 1} more findings)" if len(end.findings) > 1 else ""
            detail = f"{received.shown_trace or 'a set without trace'}: {first}{more}"
            cases.append(_case(CaseKind.SET_QUARANTINED, subject, cents, detail))
        elif received.status == "conflict":
            detail = f"{received.shown_trace}: accepted before as advice {received.advice_id} with other content"
            cases.append(_case(CaseKind.SET_CONFLICT, subject, cents, detail))
    _open(connection, cases)


def _case(kind: CaseKind, subject: str, amount_cents: int, detail: str) -> dict[str, Any]:
    return {"kind": kind.value, "subject": subject, "amount_cents": amount_cents, "detail": detail}


def _open(connection: Connection, cases: Sequence[dict[str, Any]]) -> None:
    """Open cases, or bring the open ones of their subjects up to date, without waiting for each of them."""
    if cases:
        connection.execute(_CASES["open"], cases)
