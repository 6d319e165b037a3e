"""The PLB adjustments of a set as rows of COPY text, and whose they are: a member's, a stranger's, the network's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.claim_rows import NOBODY, Owner, copy_text, owner_columns
from ingest.directory import Directory
from ingest.misfits import kept_status
from ingest.received_set import ReceivedSet
from ingest.x12.model import PlbAdjustment
from ledger.chart import HOUSE

COPY_PLB: Final = (
    "COPY plb_line (advice_id, owner_id, unknown_payee_id, is_network, segment, pair, payee_id, fiscal_date, reason, "
    "reference, amount_cents, byte_start, byte_end) FROM STDIN"
)
_BLOCK: Final = 2000


@dataclass(frozen=True, slots=True)
class PlbRows:
    """The adjustments of one set with whose each of them is."""

    advice_id: int
    adjustments: tuple[PlbAdjustment, ...]
    owners: tuple[Owner, ...]
    """In the same order; the house itself for what adjusts the network as a whole."""

    @classmethod
    def of(cls, received: ReceivedSet, directory: Directory) -> "PlbRows":
        """Say whose the adjustments are: of who has their PLB01 on the day of payment."""
        plb = received.verdict.plb
        return cls(received.advice_id, plb, tuple(_owner(received, each, directory) for each in plb))

    @property
    def unknown(self) -> set[str]:
        """The identifiers among the owners that name no member."""
        return {owner for owner in self.owners if isinstance(owner, str)}

    def blocks(self, unknown: Mapping[str, int]) -> Iterator[str]:
        """Give the rows as COPY text, some thousand at a time.

        Args:
            unknown: numbers of the identifiers in ``unknown``.
        """
        for start in range(0, len(self.adjustments), _BLOCK):
            adjustments, owners = self.adjustments[start : start + _BLOCK], self.owners[start : start + _BLOCK]
            yield "".join(
                f"{self.advice_id}\t{owner_columns(owner, unknown)}\t{'t' if owner == HOUSE else 'f'}\t"
                f"{plb.segment}\t{plb.pair}\t{copy_text(plb.payee_id)}\t{plb.fiscal_date}\t"
                f"{copy_text(kept_status(plb.reason))}\t{copy_text(plb.reference)}\t{plb.amount_cents}\t"
                f"{plb.byte_start}\t{plb.byte_end}\n"
                for plb, owner in zip(adjustments, owners, strict=True)
            )


def _owner(received: ReceivedSet, plb: PlbAdjustment, directory: Directory) -> Owner:
    header, payee = received.header, plb.payee or NOBODY
    day = header.settled_on.strftime("%Y%m%d") if header else ""
    member = directory.member(payee, day)
    if member is not None:
        return member
    return HOUSE if _is_network(received, plb) else payee


def _is_network(received: ReceivedSet, plb: PlbAdjustment) -> bool:
    """Say whether a PLB adjusts the network: it names the set's payee, and no claim of the set is the payee's own.

    PLB01 has no qualifier, so it names the payee when it is its N104, whatever N103 says of that.
    """
    header, rows = received.header, received.rows
    if header is None or rows is None or not plb.payee_id or header.payee in rows.payees:
        return False
    return plb.payee_id == header.payee_id or plb.payee == header.payee
