"""What a reader of X12 835 remittances hands on: frozen values in cents, dates and raw identifiers.

Source of the shapes: ASC X12 005010X221A1, Health Care Claim Payment/Advice (835). A reader yields, for each
transaction set, one ``SetHeader`` when the set has a usable one, lists of ``Claim``, then one ``SetEnd``; and one
``FileEnd`` after everything. No value holds a patient's name, member id, birth date or address.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ingest.x12.delimiters import Delimiters
from schemas.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class SetHeader:
    """Who pays whom, how much and when: the head of one transaction set (table 1 of the 835)."""

    ordinal: int
    """Number of the ST in the file, first = 1."""
    control_number: str
    """ST02."""
    handling_code: str
    """BPR01: ``I`` remittance information only, ``H`` notification only, and others."""
    payment_cents: int
    """BPR02."""
    credit_debit: str
    """BPR03: ``C`` credit to the payee, ``D`` debit."""
    method: str
    """BPR04: ``ACH``, ``CHK``, ``FWT``, ``BOP``, or ``NON`` when no money moves."""
    settled_on: date
    """BPR16: when the money moves, or the date of the check; DTM*405 where BPR16 is no date."""
    trace_number: str
    """TRN02: number of the electronic payment or check, never empty."""
    payer_id: str
    """TRN03: the digit 1 and the payer's EIN; empty when absent."""
    payer_name: str
    """N102 of N1*PR."""
    payee_name: str
    """N102 of N1*PE."""
    payee: str
    """Qualified identifier of the payee, such as ``NPI:1234567893``; empty when the set names none."""
    payee_id: str
    """N104 of N1*PE as received; empty when absent."""
    byte_start: int
    """Offset of the ST in the decompressed stream."""
    delimiters: Delimiters
    """Of the interchange that the set came in: whoever copies its segments needs them."""


class Claim(NamedTuple):
    """One claim payment (loop 2100 with its 2110s): what money needs, and where its segments stand."""

    segment: int
    """Position of its CLP within the set, ST = 1."""
    payee: str
    """Whose claim it is: NM1*82, else TS301 of its LX, else the set's payee; empty when none is named."""
    rx_number: str
    """CLP01 as received."""
    status: str
    """CLP02, such as ``1`` processed as primary, ``4`` denied, ``22`` reversal."""
    charge_cents: int
    """CLP03."""
    paid_cents: int
    """CLP04; negative in a reversal."""
    patient_cents: int
    """CLP05, 0 when absent."""
    payer_claim_number: str
    """CLP07."""
    fill_date: str
    """``CCYYMMDD``, always a real date; empty when the claim has none."""
    ndc: str
    """SVC01 of the first service when qualified N4; otherwise empty."""
    quantity: str
    """SVC05 of the first service, decimal text; empty when absent."""
    adjustments: str
    """``GROUP REASON:CENTS`` run together and joined with semicolons, ``CO45:1234;PR3:-500``, in file order."""
    reject_codes: str
    """LQ segments with qualifier RX or HE, ``RX:70;HE:N30``, in file order."""
    byte_start: int
    """Offset of the CLP in the decompressed stream."""
    byte_end: int
    """Offset just after the terminator of its last segment."""


class PlbAdjustment(NamedTuple):
    """One adjustment that belongs to no claim: a reason and an amount of a PLB segment."""

    segment: int
    """Position of the PLB within the set, ST = 1."""
    pair: int
    """Which of the six pairs: 1 for PLB03/04 to 6 for PLB13/14."""
    payee: str
    """Qualified identifier from PLB01."""
    payee_id: str
    """PLB01 as received."""
    fiscal_date: str
    """PLB02 as ``CCYYMMDD``, or empty when it is no real date."""
    reason: str
    """First component of the reason, such as ``WO`` or ``FB``."""
    reference: str
    """What follows the reason in its composite; empty when absent."""
    amount_cents: int
    """As in the file: positive reduces the payment, negative increases it."""
    byte_start: int
    """Offset of the PLB segment, all its pairs, in the decompressed stream."""
    byte_end: int
    """Offset just after its terminator."""


@dataclass(frozen=True, slots=True)
class SetEnd:
    """The verdict on one transaction set, after its last claim."""

    header: SetHeader | None
    """None when the set has no usable header; its claims are then not handed on."""
    ordinal: int
    """Number of the ST in the file, first = 1."""
    kind: str
    """ST01 as received: ``835``, or what else stands there."""
    control_number: str
    """ST02 as received."""
    claim_count: int
    """All CLPs met, readable or not."""
    claims_paid_cents: int
    """Sum of CLP04 over the claims that could be read."""
    plb: tuple[PlbAdjustment, ...]
    findings: tuple[Finding, ...]
    """At most 1,000, then one ``findings_cut`` that tells how many more and how much the worst of them weighs."""
    content_sha256: bytes
    """Over ST to SE without line breaks, delimiters and control numbers: the same content has the same digest."""
    byte_start: int
    byte_end: int

    @property
    def balances(self) -> bool:
        """Whether nothing speaks against taking the set over."""
        return all(finding.severity is not Severity.REFUSE for finding in self.findings)


class Flaw(NamedTuple):
    """A rule that an envelope broke; the finding that says where and how stands in ``FileEnd``."""

    rule: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class GroupRead:
    """One functional group as it was met. Elements are as received, cut after 35 characters; ``""`` when absent."""

    is_headed: bool
    """Whether it has a GS; False for sets that stand outside of any group, whose elements are all empty."""
    kind: str
    """GS01: ``HP`` for remittances."""
    sender: str
    """GS02."""
    receiver: str
    """GS03."""
    control_number: str
    """GS06."""
    version: str
    """GS08."""
    stated_sets: str
    """GE01."""
    sets: range
    """Ordinals of its sets."""
    flaws: tuple[Flaw, ...]
    """Each rule once."""


@dataclass(frozen=True, slots=True)
class InterchangeRead:
    """One interchange as it was met. Elements are as received, cut after 35 characters; ``""`` when absent."""

    sender_qualifier: str
    """ISA05."""
    sender: str
    """ISA06, with its padding."""
    receiver_qualifier: str
    """ISA07."""
    receiver: str
    """ISA08, with its padding."""
    date: str
    """ISA09, ``YYMMDD``."""
    time: str
    """ISA10, ``HHMM``."""
    control_number: str
    """ISA13."""
    acknowledgement_requested: str
    """ISA14: ``1`` when the sender wants a TA1 whatever happens."""
    usage: str
    """ISA15: ``P`` production, ``T`` test."""
    groups: tuple[GroupRead, ...]
    flaws: tuple[Flaw, ...]
    """Each rule once; those of its groups are theirs."""


@dataclass(frozen=True, slots=True)
class FileEnd:
    """What the envelopes say, after the last set: ISA/IEA, GS/GE and text outside of them."""

    interchanges: int
    groups: int
    sets: int
    """All STs met, of whatever kind."""
    findings: tuple[Finding, ...]
    envelopes: tuple[InterchangeRead, ...] = field(default=(), compare=False, repr=False)
    """What was met of each interchange, for the acknowledgement; the findings above are the verdict."""
