"""The claims of one set as rows of COPY text: written when they are read, kept small until they are copied.

A row as text takes a fifth of the room of the claim. What the rows of an owner share, the number of the advice above
all, is not known yet when a claim is read; it is put before them when they are copied.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID

from ingest.directory import Directory
from ingest.misfits import claim_misfit, kept_adjustments, kept_ndc, kept_rejects, kept_status
from ingest.x12.model import Claim
from ingest.x12.values import CLAIM_STATUSES
from ledger.chart import HOUSE
from schemas.findings import Finding

COPY_CLAIMS: Final = (
    "COPY claim_line (paid_on, advice_id, owner_id, unknown_payee_id, segment, rx_number, status, charge_cents, "
    "paid_cents, patient_cents, payer_claim_number, fill_on, ndc, quantity, adjustments, reject_codes, byte_start, "
    "byte_end) FROM STDIN"
)
NOBODY: Final = "unnamed"
"""Stands for the payee of a claim that names none; its money waits in the house like any unknown payee's."""
NULL: Final = "\\N"
REVERSAL: Final = "22"
"""CLP02 of a claim that takes an earlier payment back (005010X221A1, loop 2100)."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ndc = lru_cache(maxsize=4096)(kept_ndc)  # the same drugs again and again

Owner = UUID | str
"""Whose a claim is: a member, or the identifier that names none."""


def copy_text(value: str) -> str:
    """Write a text as COPY reads it."""
    return value if value.isalnum() else value.translate(_ESCAPES)


def owner_columns(owner: Owner, unknown: Mapping[str, int]) -> str:
    """Write ``owner_id`` and ``unknown_payee_id``; what names no member is the house's, under its number."""
    return f"{owner}\t{NULL}" if isinstance(owner, UUID) else f"{HOUSE}\t{unknown[owner]}"


class ClaimRows:
    """The rows that are not copied yet, by whose they are.

    Args:
        paid_on: BPR16 of the set; a claim without a date of its own is the store's owner's on that day.
        directory: who is who.
    """

    def __init__(self, paid_on: date, directory: Directory) -> None:
        self._paid_on = paid_on
        self._default_day = paid_on.strftime("%Y%m%d")
        self._directory = directory
        self._rows: dict[Owner, list[str]] = {}
        # Claims come store by store, so only one store's days are remembered.
        self._payee: str | None = None
        self._rows_by_day: dict[str, list[str]] = {}
        self.count = 0
        """Rows that wait to be copied."""
        self.payees: set[str] = set()
        """All that were named, copied or not."""
        self.owners: set[Owner] = set()
        """Whose the claims are, copied or not."""
        self.has_reversal = False
        """Whether any claim, copied or not, takes an earlier payment back."""

    @property
    def unknown(self) -> Iterator[str]:
        """The identifiers among the owners of waiting rows that name no member."""
        return (owner for owner in self._rows if isinstance(owner, str))

    def add(self, claims: list[Claim]) -> Finding | None:
        """Write rows for claims; or say what of one of them no column can hold, and write none."""
        misfit = next(filter(None, map(claim_misfit, claims)), None)
        if misfit is None:
            self._write(claims)
            self.count += len(claims)
        return misfit

    def clear(self) -> None:
        """Let go of the rows."""
        self._rows, self._payee, self.count = {}, None, 0

    def take(self, advice_id: int, unknown: Mapping[str, int]) -> str:
        """Give the rows as COPY text, and let go of them.

        Args:
            advice_id: whose claims they are.
            unknown: numbers of the identifiers in ``unknown``.
        """
        rows = self._rows
        self.clear()
        pieces = []
        for owner, of_owner in rows.items():
            shared = f"{self._paid_on}\t{advice_id}\t{owner_columns(owner, unknown)}\t"
            pieces.append(shared + shared.join(of_owner))
        return "".join(pieces)

    def _write(self, claims: list[Claim]) -> None:
        """Write the rows; the order of the columns is that of ``COPY_CLAIMS`` from ``segment`` on."""
        current, rows_by_day = self._payee, self._rows_by_day
        for (
            segment,
            payee,
            rx_number,
            status,
            charge_cents,
            paid_cents,
            patient_cents,
            payer_claim_number,
            fill_date,
            ndc,
            quantity,
            adjustments,
            rejects,
            byte_start,
            byte_end,
        ) in claims:
            if payee != current:
                current, rows_by_day = payee, {}
            rows = rows_by_day.get(fill_date)
            if rows is None:
                rows = rows_by_day[fill_date] = self._rows_of(payee or NOBODY, fill_date or self._default_day)
            if status == REVERSAL:
                self.has_reversal = True
            rows.append(
                f"{segment}\t{copy_text(rx_number)}\t"
                f"{status if status in CLAIM_STATUSES else copy_text(kept_status(status))}\t"
                f"{charge_cents}\t{paid_cents}\t{patient_cents}\t{copy_text(payer_claim_number)}\t"
                f"{fill_date or NULL}\t{_ndc(ndc) or NULL}\t{quantity or NULL}\t"
                f"{kept_adjustments(adjustments) or NULL}\t{(rejects and kept_rejects(rejects)) or NULL}\t"
                f"{byte_start}\t{byte_end}\n"
            )
        self._payee, self._rows_by_day = current, rows_by_day

    def _rows_of(self, payee: str, day: str) -> list[str]:
        owner = self._directory.member(payee, day) or payee
        self.payees.add(payee)
        self.owners.add(owner)
        return self._rows.setdefault(owner, [])
