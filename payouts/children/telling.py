"""Read child remittances back: what each set tells its pharmacy, to be held against the books before anything leaves.

The reader is the one that reads the payers' files, so a child is judged as strictly as what it was made from: every
service, claim and set balances, counts and control numbers agree (005010X221A1, section 1.10.2; X12.5, X12.6).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from ingest.x12.model import FileEnd, PlbAdjustment, SetEnd
from ingest.x12.reader import read_remittances
from payouts.children.errors import ChildUnsoundError
from payouts.children.model import OwnItem
from schemas.findings import Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSet:
    """What one set of a child says."""

    ordinal: int
    """Number of the set in the stream, first = 1."""
    byte_start: int
    """Offset of its ST in the stream."""
    byte_end: int
    """Offset just after its SE."""
    trace_number: str
    payment_cents: int
    method: str
    """BPR04, one of ``Method`` in what we write."""
    settled_on: date
    payer_id: str
    """TRN03: in a child the company that pays, the PSAO."""
    payer_name: str
    """N102 of N1*PR: whose set it is."""
    payee: str
    """Whose remittance it is, ``NPI:1234567893``."""
    claim_payees: frozenset[str]
    """Whom its claims name, each as its claim does or else as the set; one pharmacy, unless a claim strayed."""
    claim_count: int
    charge_cents: int
    """Sum of CLP03."""
    claims_cents: int
    """Sum of CLP04."""
    plb_cents: int
    """Sum of all PLB amounts, the payer's and the PSAO's."""
    own: tuple[OwnItem, ...]
    """The adjustments with reserved reference, in the order of the file."""
    content_sha256: bytes
    """Over ST to SE without delimiters and control numbers."""
    findings: tuple[Finding, ...]
    """Warnings only; most are about what was copied."""

    @property
    def own_plb_cents(self) -> int:
        """Sum of the PSAO's own adjustments: positive reduces the payment."""
        return sum(item.amount_cents for item in self.own)

    @property
    def payer_plb_cents(self) -> int:
        """Sum of the payer's adjustments."""
        return self.plb_cents - self.own_plb_cents


def read_back(stream: BinaryIO, name: str) -> Iterator[ToldSet]:
    """Read the children in a stream, which may hold any number of them one after the other; in constant memory.

    Args:
        stream: whole interchanges; read to its end.
        name: what to call it in an error.

    Yields:
        Each set in the order of the file, once all of it is read and sound.

    Raises:
        ChildUnsoundError: a set does not balance, has another refusal or no head; the envelopes do not agree. What was
            handed on before is then not to be used either.
        UnreadableError: there is no interchange at all.
    """
    charge_cents, payees = 0, set[str]()
    for event in read_remittances(stream, name):
        if isinstance(event, list):
            charge_cents += sum([claim.charge_cents for claim in event])
            payees.update([claim.payee for claim in event])
        elif isinstance(event, SetEnd):
            yield _told(event, name, charge_cents, frozenset(payees))
            charge_cents, payees = 0, set()
        elif isinstance(event, FileEnd):
            against = _refusals(event.findings)
            if against:
                raise ChildUnsoundError(name, None, against)


def _told(end: SetEnd, name: str, charge_cents: int, claim_payees: frozenset[str]) -> ToldSet:
    header = end.header
    against = _refusals(end.findings)
    if header is None or against:
        raise ChildUnsoundError(name, end.ordinal, against or end.findings)
    own = tuple([item for plb in end.plb if (item := _own_item(plb)) is not None])
    return ToldSet(
        ordinal=end.ordinal,
        byte_start=end.byte_start,
        byte_end=end.byte_end,
        trace_number=header.trace_number,
        payment_cents=header.payment_cents,
        method=header.method,
        settled_on=header.settled_on,
        payer_id=header.payer_id,
        payer_name=header.payer_name,
        payee=header.payee,
        claim_payees=claim_payees,
        claim_count=end.claim_count,
        charge_cents=charge_cents,
        claims_cents=end.claims_paid_cents,
        plb_cents=sum(plb.amount_cents for plb in end.plb),
        own=own,
        content_sha256=end.content_sha256,
        findings=end.findings,
    )


def _own_item(plb: PlbAdjustment) -> OwnItem | None:
    """Take an adjustment as the PSAO's if it could be; whatever else has a reserved reference is the payer's."""
    try:
        return OwnItem(reason=plb.reason, reference=plb.reference, amount_cents=plb.amount_cents)
    except ValueError:
        return None


def _refusals(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple([finding for finding in findings if finding.severity is Severity.REFUSE])
