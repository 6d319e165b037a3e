"""What a child remittance is made of: frozen values, money in cents, patients only in bytes that nobody looks into.

Source of the shapes: ASC X12 005010X221A1 (835). Every set balances when it is made: BPR02 is the sum of CLP04 less
the sum of all PLB amounts (section 1.10.2.1.3), and it is never below zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from ingest.roster import AccountType
from ingest.x12.delimiters import Delimiters
from payouts.children.errors import UnfitDelimitersError
from schemas.identifiers import AbaRouting, Ncpdp, Npi, PayerId, Tin
from schemas.money import MAX_CENTS

RESERVED_PREFIX: Final = "PSAO-"
"""Begins the reference (PLB03-2) of every adjustment that is the PSAO's and of none that is a payer's."""
OWN_REASONS: Final = frozenset(("CS", "FB"))
"""PLB03-1 that the PSAO uses: ``CS`` adjustment, such as a fee; ``FB`` forward balance, such as a hold or a carry."""
TRACE_WIDTH: Final = 30
"""TRN02 may be longer in an 835, not in the addenda of the payment that carries the same number."""
REFERENCE_WIDTH: Final = 50
"""PLB03-2."""
CONTROL_NUMBER_LIMIT: Final = 10**9
"""ISA13 has nine digits."""
DEFAULT_DELIMITERS: Final = Delimiters("*", ":", "~", "^")
"""Of a child that copies nothing from any payer."""
_OWN_MARKS: Final = frozenset("-.")
"""What amounts and our references are written with besides letters and digits, which are never delimiters."""


class Form(StrEnum):
    """How a member's money is told: which one trading partners want is configuration."""

    COMBINED = "combined"
    """One payment and one trace number; the PSAO's own items stand in a set of its own."""
    PER_ADVICE = "per_advice"
    """One payment and one trace number for each advice with money; the PSAO's own items stand in their sets."""


class Method(StrEnum):
    """BPR04: whether money moves."""

    ACH = "ACH"
    """It moves, by the payment that carries the trace number."""
    NON = "NON"
    """None moves under this trace number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A member's share of one advice: what to copy from the payer's set, and what the books say that it comes to.

    Raises:
        ValueError: the claim count is below zero.
        UnfitDelimitersError: in the payer's delimiters no amount or reference of ours could be written.
    """

    advice_id: int
    delimiters: Delimiters
    """Of the interchange that the payer's set came in."""
    payer_name: str
    """What the books call the payer; used only when the head names none."""
    head: bytes = field(repr=False)
    """The payer's set from its ST up to its first LX, CLP, PLB or SE, line wrapping inside."""
    claims: Iterable[bytes] = field(repr=False, compare=False)
    """Each claim of the member in the order of the file: its CLP to its last segment, line wrapping inside. Read once,
    while the child is written, so that it may be a generator and memory stays constant."""
    plb: tuple[bytes, ...] = field(default=(), repr=False)
    """Each PLB segment of the payer that is the member's, line wrapping inside."""
    claim_count: int
    charge_cents: int
    """Sum of CLP03."""
    claims_cents: int
    """Sum of CLP04."""
    plb_cents: int
    """Sum of the payer's PLB amounts: positive reduces the payment."""

    def __post_init__(self) -> None:
        if self.claim_count < 0:
            raise ValueError(f"advice {self.advice_id} has {self.claim_count} claims")
        if not _OWN_MARKS.isdisjoint(self.delimiters.text):
            raise UnfitDelimitersError(self.advice_id, self.delimiters.text)

    @property
    def natural_cents(self) -> int:
        """What the payer owes the member by this advice; negative when it takes back more than it pays."""
        return self.claims_cents - self.plb_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnItem:
    """An adjustment that is the PSAO's: one pair of a PLB.

    Raises:
        ValueError: another reason, a reference without the reserved prefix or too long, or an amount that is zero or
            beyond limits.
    """

    reason: str
    """One of ``OWN_REASONS``."""
    reference: str
    """Such as ``PSAO-FEE-2026-11``: ``RESERVED_PREFIX`` and what it is about."""
    amount_cents: int
    """As in a PLB: positive reduces the payment, negative increases it. Never zero."""

    def __post_init__(self) -> None:
        if self.reason not in OWN_REASONS:
            raise ValueError(f"{self.reason!r} is no reason of the PSAO's own")
        if not self.reference.startswith(RESERVED_PREFIX):
            raise ValueError(f"{self.reference!r} does not begin with {RESERVED_PREFIX}")
        if len(self.reference) > REFERENCE_WIDTH:
            raise ValueError(f"a reference has up to {REFERENCE_WIDTH} characters, not {len(self.reference)}")
        if not 0 < abs(self.amount_cents) < MAX_CENTS:
            raise ValueError(f"{self.reference} of {self.amount_cents} cents is no amount of a PLB")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSet:
    """One ST of a child: a payer's set, or the PSAO's own.

    Raises:
        ValueError: it does not balance, pays less than nothing or pays without a method, says nothing at all, or its
            trace number does not fit.
    """

    source: Source | None
    """None for the PSAO's own set, which has no claims."""
    own: tuple[OwnItem, ...] = ()
    payment_cents: int
    """BPR02."""
    trace_number: str
    """TRN02: of the payment that carries the money, up to ``TRACE_WIDTH`` characters."""
    method: Method

    def __post_init__(self) -> None:
        natural_cents = 0 if self.source is None else self.source.natural_cents
        due_cents = natural_cents - sum(item.amount_cents for item in self.own)
        if self.payment_cents != due_cents:
            raise ValueError(f"set {self.trace_number} pays {self.payment_cents} cents, its parts make {due_cents}")
        if not 0 <= self.payment_cents < MAX_CENTS:
            raise ValueError(f"set {self.trace_number} pays {self.payment_cents} cents")
        if self.payment_cents and self.method is Method.NON:
            raise ValueError(f"set {self.trace_number} pays {self.payment_cents} cents without a payment")
        if not 1 <= len(self.trace_number) <= TRACE_WIDTH:
            raise ValueError(f"a trace number has 1 to {TRACE_WIDTH} characters, not {len(self.trace_number)}")
        if self.source is None and not self.own:
            raise ValueError(f"set {self.trace_number} says nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The pharmacy: N1*PE of every set, and where its money goes. The bank fields are None when no money goes."""

    ncpdp_id: Ncpdp
    npi: Npi
    name: str
    tin: Tin = field(repr=False)
    routing_number: AbaRouting | None = None
    account_number: str | None = field(default=None, repr=False)
    account_type: AccountType | None = None

    def account(self) -> tuple[AbaRouting, AccountType, str]:
        """Give routing number, kind and number of the account that the money goes to.

        Raises:
            ValueError: one of them is missing.
        """
        if self.routing_number is None or self.account_type is None or self.account_number is None:
            raise ValueError(f"money goes to {self.ncpdp_id}, but to no account")
        return self.routing_number, self.account_type, self.account_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Where the PSAO is and whom to ask about its own set: N3, N4 and PER*BL, which the guide demands of a payer."""

    street: str
    city: str
    state: str
    """Two letters."""
    postal_code: str
    """Five or nine digits."""
    telephone: str
    """Ten digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The PSAO as it pays: BPR10 and TRN03, N1*PR of its own set, and the bank that sends the money (BPR07)."""

    company_id: PayerId
    company_name: str
    odfi_routing: AbaRouting
    office: Office | None = None
    """Without it the PSAO's own set has no N3, N4 and PER: most readers accept that, a strict one says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """All sets of one member in one cycle: an interchange for each set of delimiters among their sources.

    Raises:
        ValueError: there is no set, money goes but to no account, the moment has no time zone, or the control numbers
            leave the nine digits that they have.
    """

    receiver: Receiver
    sender: Sender
    sets: tuple[ChildSet, ...]
    effective_on: date
    """BPR16: when the money settles."""
    made_at: datetime
    """ISA09, ISA10, GS04, GS05, in its own time zone."""
    control_number: int
    """ISA13 and GS06 of the first interchange; each further one takes the next."""

    def __post_init__(self) -> None:
        if not self.sets:
            raise ValueError("a child remittance has at least one set")
        if self.made_at.tzinfo is None:
            raise ValueError("the moment at which a remittance is made has a time zone")
        if not 1 <= self.control_number <= CONTROL_NUMBER_LIMIT - self.interchange_count:
            raise ValueError(f"control number {self.control_number} is not within nine digits")
        if any(each.method is Method.ACH for each in self.sets):
            self.receiver.account()

    @property
    def interchange_count(self) -> int:
        """How many control numbers the child takes."""
        return len(self.by_delimiters())

    def by_delimiters(self) -> dict[Delimiters, list[ChildSet]]:
        """Give the sets of each interchange, in order; the PSAO's own go with the first."""
        known = [each.source.delimiters for each in self.sets if each.source is not None]
        first = known[0] if known else DEFAULT_DELIMITERS
        interchanges: dict[Delimiters, list[ChildSet]] = {delimiters: [] for delimiters in known or [first]}
        for each in self.sets:
            interchanges[first if each.source is None else each.source.delimiters].append(each)
        return interchanges
