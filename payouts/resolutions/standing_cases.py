"""Cases that stand as long as what they are about does: debits without a reason, sets not mended, what the house keeps.

Payees and adjustments of the network get their cases when a file brings them; here they follow what people decided and
what was reversed since.
"""

from sqlalchemy import Connection

from ingest.cases import CaseKind, open_case, settle_cases
from payouts.resolutions.rows import QUERIES


def settle_standing_cases(connection: Connection) -> None:
    """Bring these cases to what stands now; call it after deposits were matched and debits settled."""
    connection.execute(QUERIES["lock_cases"])
    debits = {
        f"bank line {row.bank_line_id}": (row.open_cents, _debit(row.as_of, row.type_code, row.as_much))
        for row in connection.execute(QUERIES["open_debits"])
    }
    settle_cases(connection, CaseKind.DEBIT_UNEXPLAINED, debits, "explained since")
    for row in connection.execute(QUERIES["touched_payees"]):
        if row.advices:
            detail = f"{row.identifier} names no member on the date of its claims"
            open_case(connection, CaseKind.UNKNOWN_PAYEE, row.identifier, row.cents, detail)
        else:
            _close(connection, CaseKind.UNKNOWN_PAYEE, row.identifier, "nothing of it waits any more")
    for row in connection.execute(QUERIES["touched_networks"]):
        if row.cents:
            detail = f"payer {row.payers} adjusts the network as a whole under {row.trace_number}"
            open_case(connection, CaseKind.NETWORK_ADJUSTMENT, row.trace_number, row.cents, detail)
        else:
            _close(connection, CaseKind.NETWORK_ADJUSTMENT, row.trace_number, "divided among members")
    for row in connection.execute(QUERIES["mended_sets"]):
        _close(
            connection, CaseKind.SET_QUARANTINED, row.subject, f"came again and was accepted: advice {row.advice_id}"
        )


def _debit(as_of: object, type_code: str, as_much: str | None) -> str:
    said = f"booked {as_of}, code {type_code}; nothing of ours explains it, and the float stands for it"
    return said if as_much is None else f"{said}. As much is to be debited for {as_much}"


def _close(connection: Connection, kind: CaseKind, subject: str, resolution: str) -> None:
    facts = {"kind": kind.value, "subject": subject, "resolution": resolution}
    connection.execute(QUERIES["close_case"], facts)
