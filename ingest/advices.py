"""Accepted remittances into the books: advices, claim lines by COPY, PLB lines, shares, and ``advised`` entries."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection

from ingest.cases import CaseKind, open_case
from ingest.directory import Directory, unknown_payee_ids
from ingest.misfits import (
    claim_misfit,
    header_misfit,
    kept_adjustments,
    kept_ndc,
    kept_rejects,
    kept_status,
    no_period,
    plb_misfit,
)
from ingest.x12.model import Claim, PlbAdjustment, SetEnd, SetHeader
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.chart import HOUSE
from ledger.events import Share, advised
from ledger.posting import effective_date, post
from ledger.queries import Queries
from schemas.errors import CentralpayError
from schemas.findings import Finding

_QUERIES = Queries("ingest", "advices.sql")
_COPY = (
    "COPY claim_line (paid_on, advice_id, segment, owner_id, unknown_payee_id, rx_number, status, charge_cents, "
    "paid_cents, patient_cents, payer_claim_number, fill_on, ndc, quantity, adjustments, reject_codes, byte_start, "
    "byte_end) FROM STDIN"
)
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
NOBODY = "unnamed"
"""Stands for the payee of a claim that names none; its money waits in the house like any unknown payee's."""


class SplitError(CentralpayError):
    """The shares of an advice do not add up to its payment: a fault of ours; nothing of the set was taken."""


@dataclass(slots=True)
class ReceivedSet:
    """One transaction set on its way in: header, ordinal among the sets of its payment, claims not yet copied."""

    header: SetHeader | None
    ordinal_in_payment: int
    claims: list[Claim] = field(default_factory=list)
    end: SetEnd | None = None
    advice_id: int = 0
    payees: set[str] = field(default_factory=set)
    misfit: Finding | None = None
    """Of its claims, what no column can hold."""
    status: str = "quarantined"

    @property
    def verdict(self) -> SetEnd:
        """The end of the set; it is there before anything is decided."""
        if self.end is None:
            raise SplitError("A set was decided before its end.")
        return self.end

    def add_claims(self, claims: list[Claim]) -> None:
        """Take claims, unless one was met that can not be kept; the set is then quarantined at its end."""
        if self.misfit is None:
            self.misfit = next(filter(None, map(claim_misfit, claims)), None)
        if self.misfit is None:
            self.claims += claims
        else:
            self.claims = []


def findings_json(findings: Iterable[Finding]) -> str:
    """Write findings for a column; no finding holds a patient's data."""
    return json.dumps([finding.model_dump(mode="json", exclude_none=True) for finding in findings])


class AdviceWriter:
    """Writes sets within one database transaction.

    Args:
        connection: of the unit of work that commits or forgets all of it.
        directory: who is who.
        file_id: the received file that the sets come from.
        begin: opens a unit of work, for what has to be seen by others at once.
    """

    def __init__(self, connection: Connection, directory: Directory, file_id: int, begin: Begin) -> None:
        self._connection = connection
        self._begin = begin
        self._directory = directory
        self._file_id = file_id
        self._unknown: dict[str, int] = {}

    def lock(self) -> set[int]:
        """Take the file's turn; give the ordinals of the sets that are recorded already."""
        self._connection.execute(_QUERIES["lock_file"], {"file_id": self._file_id})
        return set(self._connection.execute(_QUERIES["recorded_sets"], {"file_id": self._file_id}).scalars())

    def number(self, sets: Sequence[ReceivedSet]) -> None:
        """Give each set the advice id that it will have if it is accepted."""
        ids = self._connection.execute(_QUERIES["new_advice_ids"], {"count": len(sets)}).scalars()
        for received, advice_id in zip(sets, ids, strict=True):
            received.advice_id = advice_id

    def decide(self, received: ReceivedSet) -> None:
        """Write the advice of a set that balances, or find that it is a duplicate or in conflict."""
        end, header = received.verdict, received.header
        if header is None or not end.balances:
            return
        misfit = received.misfit or header_misfit(header) or next(filter(None, map(plb_misfit, end.plb)), None)
        if effective_date(self._connection, header.settled_on) is None:
            misfit = no_period(header.settled_on)
        if misfit is not None:
            received.end = replace(end, findings=(*end.findings, misfit))
            return
        identity = identity_of(header, received.ordinal_in_payment)
        plb_cents = sum(adjustment.amount_cents for adjustment in end.plb)
        facts = {
            "advice_id": received.advice_id,
            "content_sha256": end.content_sha256,
            "file_id": self._file_id,
            "set_ordinal": end.ordinal,
            "payer_name": header.payer_name,
            "method": header.method,
            "paid_on": header.settled_on,
            "payment_cents": header.payment_cents,
            "claim_count": end.claim_count,
            "claims_cents": end.claims_paid_cents,
            "plb_cents": plb_cents,
            "byte_start": end.byte_start,
            "byte_end": end.byte_end,
        }
        if self._connection.execute(_QUERIES["add_advice"], identity | facts).rowcount:
            received.status = "accepted"
            return
        taken = self._connection.execute(_QUERIES["taken"], identity).one()
        received.advice_id = taken.advice_id
        received.status = "duplicate" if taken.content_sha256 == end.content_sha256 else "conflict"

    def is_taken(self, received: ReceivedSet) -> bool:
        """Say whether an advice has the set's identity already: a duplicate or a conflict, which its end will tell."""
        header = received.header
        identity = identity_of(header, received.ordinal_in_payment) if header else {}
        return bool(identity) and self._connection.execute(_QUERIES["taken"], identity).first() is not None

    def copy_claims(self, sets: Sequence[ReceivedSet]) -> None:
        """Copy the claims that the sets hold, and let go of them; the partitions of their months are there."""
        if not any(received.claims for received in sets):
            return
        self._register_unknown(sets)
        driver = self._connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("COPY needs psycopg")
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            for received in sets:
                if received.claims:
                    copy.write(self._rows(received))
                    received.claims = []

    def finish(self, sets: Sequence[ReceivedSet], actor: str) -> None:
        """Write PLB lines, shares, ledger entries and cases of what was decided, and the record of every set."""
        accepted = [received for received in sets if received.status == "accepted"]
        if accepted:
            self._write_plb(accepted)
            ids = [received.advice_id for received in accepted]
            self._connection.execute(_QUERIES["add_shares"], {"advice_ids": ids})
            self._post(accepted, actor)
        for received in sets:
            self._record(received)

    def _register_unknown(self, sets: Sequence[ReceivedSet]) -> None:
        unknown: set[str] = set()
        for received in sets:
            default = received.header.settled_on.strftime("%Y%m%d") if received.header else ""
            keys = {(claim.payee or NOBODY, claim.fill_date or default) for claim in received.claims}
            received.payees.update(payee for payee, _ in keys)
            unknown.update(payee for payee, day in keys if self._directory.member(payee, day) is None)
        self._add_unknown(unknown)

    def _add_unknown(self, identifiers: Iterable[str]) -> None:
        fresh = [identifier for identifier in set(identifiers) if identifier not in self._unknown]
        if fresh:
            # Committed at once: two long loads that meet the same identifiers in another order wait for nobody.
            with self._begin() as connection:
                self._unknown.update(unknown_payee_ids(connection, fresh))

    def _rows(self, received: ReceivedSet) -> str:
        """Write the claims as rows of COPY text; the order of the columns is that of ``_COPY``."""
        header = received.header
        if header is None:
            return ""
        head = f"{header.settled_on}\t{received.advice_id}"
        default = header.settled_on.strftime("%Y%m%d")
        owners: dict[tuple[str, str], str] = {}
        rows = []
        for claim in received.claims:
            key = (claim.payee or NOBODY, claim.fill_date or default)
            owner = owners.get(key)
            if owner is None:
                owner = owners[key] = self._owner_columns(*key)
            rows.append(
                f"{head}\t{claim.segment}\t{owner}\t{_text(claim.rx_number)}\t"
                f"{_text(kept_status(claim.status))}\t"
                f"{claim.charge_cents}\t{claim.paid_cents}\t{claim.patient_cents}\t"
                f"{_text(claim.payer_claim_number)}\t{claim.fill_date or _NULL}\t{kept_ndc(claim.ndc) or _NULL}\t"
                f"{claim.quantity or _NULL}\t{kept_adjustments(claim.adjustments) or _NULL}\t"
                f"{kept_rejects(claim.reject_codes) or _NULL}\t{claim.byte_start}\t{claim.byte_end}\n"
            )
        return "".join(rows)

    def _owner_columns(self, payee: str, day: str) -> str:
        member = self._directory.member(payee, day)
        return f"{HOUSE}\t{self._unknown[payee]}" if member is None else f"{member}\t{_NULL}"

    def _write_plb(self, accepted: Sequence[ReceivedSet]) -> None:
        rows: list[dict[str, Any]] = []
        for received in accepted:
            if received.header is None:
                continue
            day = received.header.settled_on.strftime("%Y%m%d")
            for plb in received.verdict.plb:
                payee = plb.payee or NOBODY
                member = self._directory.member(payee, day)
                network = member is None and _is_network(received, plb)
                if member is None and not network:
                    self._add_unknown([payee])
                unknown = None if network or member is not None else self._unknown[payee]
                rows.append(_plb_row(received.advice_id, plb, member or HOUSE, unknown, is_network=network))
        if rows:
            self._connection.execute(_QUERIES["add_plb"], rows)

    def _post(self, accepted: Sequence[ReceivedSet], actor: str) -> None:
        shares = shares_of(self._connection, [received.advice_id for received in accepted])
        batch = Batch()
        for received in accepted:
            header = received.header
            own = shares.get(received.advice_id, [])
            if header is None or sum(share.cents for share in own) != header.payment_cents:
                raise SplitError(f"The shares of advice {received.advice_id} do not add up to its payment.")
            batch.add(advised(received.advice_id, header.settled_on, own))
        post(self._connection, batch, actor)
        self._open_cases(shares)

    def _open_cases(self, shares: Mapping[int, Sequence[Share]]) -> None:
        """Bring the cases of the house's shares up to date, after posting: whoever posts for the house takes turns."""
        network = [share.advice_id for own in shares.values() for share in own if _is_networks(share)]
        if network:
            for row in self._connection.execute(_QUERIES["network_totals"], {"advice_ids": network}):
                detail = f"payer {row.payers} adjusts the network as a whole under {row.trace_number}"
                open_case(self._connection, CaseKind.NETWORK_ADJUSTMENT, row.trace_number, row.cents, detail)
        named = {share.identifier for own in shares.values() for share in own if share.identifier is not None}
        if named:
            totals = self._connection.execute(_QUERIES["unknown_payee_totals"], {"ids": sorted(named)})
            for row in totals:
                detail = f"{row.identifier} names no member on the date of its claims"
                open_case(self._connection, CaseKind.UNKNOWN_PAYEE, row.identifier, row.cents, detail)

    def _record(self, received: ReceivedSet) -> None:
        end, header = received.verdict, received.header
        trace = header.trace_number.replace("\0", "?") if header else ""
        self._connection.execute(
            _QUERIES["add_set"],
            {
                "file_id": self._file_id,
                "set_ordinal": end.ordinal,
                "trace_number": trace,
                "payer_id": header.payer_id.replace("\0", "?") if header else "",
                "status": received.status,
                "claim_count": end.claim_count,
                "payment_cents": header.payment_cents if header else None,
                "findings": findings_json(end.findings),
                "content_sha256": end.content_sha256,
                "byte_start": end.byte_start,
                "byte_end": end.byte_end,
                "advice_id": None if received.status == "quarantined" else received.advice_id,
            },
        )
        subject = f"file {self._file_id} set {end.ordinal}"
        cents = header.payment_cents if header else 0
        if received.status == "quarantined":
            first = next((finding.sentence() for finding in end.findings), "it can not be read")
            more = f" (and {len(end.findings) - 1} more findings)" if len(end.findings) > 1 else ""
            detail = f"{trace or 'a set without trace'}: {first}{more}"
            open_case(self._connection, CaseKind.SET_QUARANTINED, subject, cents, detail)
        elif received.status == "conflict":
            detail = f"{trace}: accepted before as advice {received.advice_id} with other content"
            open_case(self._connection, CaseKind.SET_CONFLICT, subject, cents, detail)


def shares_of(connection: Connection, advice_ids: Sequence[int]) -> dict[int, list[Share]]:
    """Give the shares of advices by advice, as they are posted."""
    shares: dict[int, list[Share]] = {}
    for row in connection.execute(_QUERIES["shares"], {"advice_ids": list(advice_ids)}):
        share = Share(row.owner_id, row.advice_id, row.cents, row.identifier)
        shares.setdefault(row.advice_id, []).append(share)
    return shares


def make_partition(connection: Connection, month: date) -> None:
    """Make the partition of a month's claims, where there is an accounting period; it is there or made.

    It waits for whoever writes claims and keeps others out: call it in a unit of work of its own.
    """
    # The turn first, by itself: only the statement after it is sure to see what another process has just made.
    connection.execute(_QUERIES["lock_partitions"])
    if effective_date(connection, month) is not None:
        connection.execute(_QUERIES["ensure_partition"], {"paid_on": month})


def identity_of(header: SetHeader, ordinal_in_payment: int) -> dict[str, Any]:
    """Give what names an advice for ever: TRN03, TRN02, N104 of the payee, ordinal among the sets of the payment."""
    return {
        "payer_id": header.payer_id,
        "trace_number": header.trace_number,
        "payee_id": header.payee_id,
        "ordinal_in_payment": ordinal_in_payment,
    }


def _is_network(received: ReceivedSet, plb: PlbAdjustment) -> bool:
    """Say whether a PLB adjusts the network: it names the set's payee, and no claim of the set is the payee's own.

    PLB01 has no qualifier, so it names the payee when it is its N104, whatever N103 says of that.
    """
    header = received.header
    if header is None or not plb.payee_id or header.payee in received.payees:
        return False
    return plb.payee_id == header.payee_id or plb.payee == header.payee


def _is_networks(share: Share) -> bool:
    return share.owner == HOUSE and share.identifier is None


def _plb_row(
    advice_id: int, plb: PlbAdjustment, owner: UUID, unknown: int | None, *, is_network: bool
) -> dict[str, Any]:
    return {
        "advice_id": advice_id,
        "segment": plb.segment,
        "pair": plb.pair,
        "owner_id": owner,
        "unknown_payee_id": unknown,
        "is_network": is_network,
        "payee_id": plb.payee_id,
        "fiscal_date": plb.fiscal_date,
        "reason": kept_status(plb.reason),
        "reference": plb.reference,
        "amount_cents": plb.amount_cents,
    }


def _text(value: str) -> str:
    return value if value.isalnum() else value.translate(_ESCAPES)
