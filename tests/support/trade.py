"""Pharmacies, payers and small remittances with amounts that a test can say by heart, in the demo's own writers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO
from pathlib import Path

from app.demo.payers import write_payers
from app.demo.pharmacies import Pharmacy, write_roster
from app.demo.remittance import (
    Claim,
    Interchange,
    Patient,
    Payee,
    PayeeAdjustments,
    Payer,
    PlbPair,
    RemittanceSet,
    Section,
    ServingStore,
    Syntax,
)
from app.demo.remittance_writer import write_remittance
from schemas.identifiers import AbaRouting, Ncpdp, Npi, PayerId, Tin

BANK_ACCOUNT = "000123456789"
"""The custodial account that the settings name when nothing else is said."""
FEE_CENTS = 200_00
PATIENT = Patient("EXAMPLE", "PAT", "PLAN0001")

PAYER = Payer(
    payer_id=PayerId("1360000001"),
    name="HARROWGATE BENEFIT MANAGEMENT",
    routing=AbaRouting.from_eight("07100009"),
    account="4400110022",
    filing_code="13",
    network="HARRNET1",
)
OTHER_PAYER = replace(PAYER, payer_id=PayerId("1360000002"), name="TALLGRASS PHARMACY BENEFITS", account="4400110033")
_PSAO = Payee("EXAMPLE PHARMACY SERVICES", "XX", Npi.from_nine("188800001"))


def pharmacy(number: int, *, fee_cents: int = FEE_CENTS, since: date = date(2024, 1, 1)) -> Pharmacy:
    """Invent the pharmacy of a number; the same number is the same pharmacy."""
    return Pharmacy(
        ncpdp_id=Ncpdp(f"14{number:05d}"),
        npi=Npi.from_nine(f"1700{number:05d}"),
        dba_name=f"Example Drug {number}",
        tin=Tin(f"8300{number:05d}"),
        state="IL",
        member_since=since,
        monthly_fee_cents=fee_cents,
        routing=AbaRouting.from_eight(f"0710{number:04d}"),
        account_number=f"77{number:07d}",
        account_type="checking",
        payout_schedule="daily",
    )


A, B, C = (pharmacy(number) for number in (101, 102, 103))
STRANGER = pharmacy(999)


@dataclass(frozen=True, slots=True)
class Part:
    """A pharmacy's part of a remittance: what each claim pays (negative: taken back) and the payer's adjustments."""

    store: Pharmacy
    claims: tuple[int, ...]
    plb: tuple[tuple[str, int], ...] = ()
    """Reason and cents; positive takes, as in the file."""

    @property
    def cents(self) -> int:
        """What the pharmacy is due."""
        return sum(self.claims) - sum(cents for _, cents in self.plb)


def remittance(
    trace: str,
    day: date,
    *parts: Part,
    payer: Payer = PAYER,
    payment_cents: int | None = None,
    patient: Patient = PATIENT,
) -> RemittanceSet:
    """Lay out a set that pays each part; with ``payment_cents`` BPR02 says that instead of the parts' sum."""
    claims: list[Claim] = []
    for part in parts:
        at_claim = ServingStore(part.store.dba_name.upper(), "XX", part.store.npi)
        claims += (
            _claim(trace, len(claims) + place, cents, at_claim, day, patient) for place, cents in enumerate(part.claims)
        )
    return RemittanceSet(
        control_number="0001",
        trace_number=trace,
        payment_cents=sum(part.cents for part in parts) if payment_cents is None else payment_cents,
        settled_on=day,
        payer=payer,
        payee=_PSAO,
        receiver_routing=AbaRouting("091000019"),
        receiver_account=BANK_ACCOUNT,
        sections=(Section(1, claims),),
        adjustments=tuple(
            PayeeAdjustments(
                part.store.npi,
                date(day.year, 12, 31),
                tuple(PlbPair(reason, f"{trace}{place}", cents) for place, (reason, cents) in enumerate(part.plb)),
            )
            for part in parts
            if part.plb
        ),
    )


def _claim(trace: str, number: int, cents: int, store: ServingStore, day: date, patient: Patient) -> Claim:
    return Claim(
        rx_number=f"{6_000_000 + number}",
        status="22" if cents < 0 else "1",
        charge_cents=cents,
        paid_cents=cents,
        patient_cents=0,
        filing_code="13",
        payer_claim_number=f"{trace}{number:05d}",
        patient=patient,
        store=store,
        network="HARRNET1",
        fill_date=f"{day.replace(day=1):%Y%m%d}",
        dated_at_service=True,
        ndc="00093505698",
        quantity="30",
        adjustments=(),
    )


def remittance_file(*sets: RemittanceSet, control_number: int = 1, syntax: Syntax | None = None) -> bytes:
    """Write sets as one 835 file; their ST02 count up from 0001."""
    numbered = [replace(each, control_number=f"{place:04d}") for place, each in enumerate(sets, 1)]
    day = numbered[0].settled_on
    stream = BytesIO()
    write_remittance(stream, Interchange("HARROWGATE", "EXAMPLEPSAO", control_number, day), numbered, syntax)
    return stream.getvalue()


def roster_file(path: Path, stores: Sequence[Pharmacy]) -> Path:
    """Write the roster of these pharmacies."""
    write_roster(path, stores)
    return path


def payer_file(path: Path) -> Path:
    """Write the list of both payers."""
    write_payers(path, (PAYER, OTHER_PAYER))
    return path
