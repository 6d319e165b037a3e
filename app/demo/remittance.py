"""The parts of an X12 835 remittance (005010X221A1) as values, from the interchange down to the claim.

Money is integer cents everywhere; the writer alone turns it into decimal text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from schemas.identifiers import AbaRouting, PayerId


@dataclass(frozen=True, slots=True)
class Syntax:
    """The delimiters of an interchange, and how its segments lie in lines."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    terminator: str = "~"
    line_end: str = ""
    """Written after every terminator, such as LF."""
    columns: int = 0
    """Hard wrap: CR LF after so many characters wherever that falls, 0 = none. Many mainframes send 80."""


class Adjustment(NamedTuple):
    """One adjustment of a service line (CAS): positive cents lower what is paid."""

    group: str
    reason: str
    cents: int


class Patient(NamedTuple):
    """Whom the prescription was for; in generated files an invented person."""

    last_name: str
    first_name: str
    plan_member_id: str


class ServingStore(NamedTuple):
    """The pharmacy named at the claim (NM1*82)."""

    name: str
    qualifier: str
    """``XX`` for an NPI, ``SV`` for an NCPDP id."""
    identifier: str


class Claim(NamedTuple):
    """One prescription claim with its one service line; amounts in cents, negative in a reversal."""

    rx_number: str
    status: str
    charge_cents: int
    paid_cents: int
    patient_cents: int
    filing_code: str
    payer_claim_number: str
    patient: Patient
    store: ServingStore | None
    network: str
    fill_date: str
    """CCYYMMDD."""
    dated_at_service: bool
    """The fill date is DTM*472 of the service, else DTM*232 of the claim."""
    ndc: str
    quantity: str
    adjustments: tuple[Adjustment, ...]
    reject_codes: tuple[str, ...] = ()
    """NCPDP reject codes (LQ*RX)."""


class PlbPair(NamedTuple):
    """One adjustment of a payment (PLB03 and PLB04): positive cents lower the payment."""

    reason: str
    reference: str
    cents: int


@dataclass(frozen=True, slots=True)
class PayeeAdjustments:
    """One PLB segment: up to six adjustments of the store that PLB01 names."""

    payee_id: str
    fiscal_date: date
    pairs: tuple[PlbPair, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """An LX loop. With a store id it gets a TS3 with the count and charges given here, as they precede the claims."""

    number: int
    claims: Iterable[Claim]
    store_id: str = ""
    claim_count: int = 0
    charge_cents: int = 0


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: named in N1*PR, BPR06-10 and TRN03."""

    payer_id: PayerId
    name: str
    routing: AbaRouting
    account: str
    filing_code: str
    network: str


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid: N1*PE with its reference numbers."""

    name: str
    qualifier: str
    """``XX`` with an NPI, ``FI`` with a tax number."""
    identifier: str
    references: tuple[tuple[str, str], ...] = ()
    """REF segments below it, such as ``("D3", NCPDP id)``."""


@dataclass(frozen=True, slots=True)
class RemittanceSet:
    """One ST. ``payment_cents`` is written to BPR02 as given, so that the claims may be streamed behind it."""

    control_number: str
    trace_number: str
    payment_cents: int
    settled_on: date
    payer: Payer
    payee: Payee
    receiver_routing: AbaRouting
    receiver_account: str
    sections: Iterable[Section]
    adjustments: tuple[PayeeAdjustments, ...] = ()


@dataclass(frozen=True, slots=True)
class Interchange:
    """The envelope: ISA and GS with their closing segments; ids of at most 15 characters."""

    sender_id: str
    receiver_id: str
    control_number: int
    created_on: date
    created_at: str = "0215"
    """HHMM."""
