"""Payers' 835 files to make children of, whom they are for, and two readers that we did not write to judge them."""

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from ingest.roster import AccountType
from ingest.x12.delimiters import Delimiters
from ingest.x12.model import Claim, SetEnd, SetHeader
from ingest.x12.reader import read_remittances
from ingest.x12.segments import Batch, Cutter
from payouts.children.model import DEFAULT_DELIMITERS, Child, ChildSet, Office, Receiver, Sender, Source
from payouts.children.writer import write_child
from schemas.identifiers import AbaRouting, Ncpdp, Npi, PayerId, Tin
from schemas.money import cents_from_text, text_from_cents
from tests.support.judges import judge

NPI = "1811901945"
OTHER_NPI = "1234567893"
RECEIVER = Receiver(
    ncpdp_id=Ncpdp("3312345"),
    npi=Npi(NPI),
    name="CORNER PHARMACY",
    tin=Tin("363636360"),
    routing_number=AbaRouting("011000015"),
    account_number="7654321",
    account_type=AccountType.CHECKING,
)
SENDER = Sender(
    company_id=PayerId("1363636363"),
    company_name="CENTRAL PAY",
    odfi_routing=AbaRouting("071000013"),
    office=Office(street="1 MAIN ST", city="PEORIA", state="IL", postal_code="61602", telephone="3095550100"),
)


@dataclass(frozen=True)
class Payer:
    """How a payer writes: its delimiters, what follows each terminator, and at which column lines break."""

    delimiters: Delimiters = DEFAULT_DELIMITERS
    after: str = ""
    width: int = 0
    name: str = "RUSHMORE RX"

    def lines(self, *segments: str) -> str:
        """Write segments, given with ``*`` and ``:``."""
        marks = self.delimiters
        texts = [segment.replace("*", marks.element).replace(":", marks.component) for segment in segments]
        text = "".join(text + marks.terminator + self.after for text in texts)
        return "\r\n".join(text[at : at + self.width] for at in range(0, len(text), self.width)) if self.width else text

    def file(self, *body: str, paid: str) -> bytes:
        """Write an interchange with one set, as 005010X221A1 demands it; ``body`` begins with its LX."""
        ids = f"*ZZ*{'PBM':<15}*ZZ*{'PSAO':<15}*260301*0600*"
        segments = [
            "ST*835*0001",
            f"BPR*I*{paid}*C*ACH*CCP*01*071000013*DA*24681012*1935665544**01*071000013*DA*144444*20260303",
            "TRN*1*TRACE01*1935665544",
            "DTM*405*20260302",
            f"N1*PR*{self.name}",
            "N3*1 PAYMENT PLAZA",
            "N4*RAPID CITY*SD*57701",
            "PER*BL*REMITTANCES*TE*8005550100",
            "N1*PE*CENTRAL PAY*XX*1234567893",
            "REF*TJ*363636363",
            *body,
        ]
        isa = f"ISA*00*{'':10}*00*{'':10}{ids}{self.delimiters.repetition or 'U'}*{self._version()}*000000007*0*P*:"
        group = "GS*HP*PBM*PSAO*20260301*0600*7*X*005010X221A1"
        text = self.lines(isa, group, *segments, f"SE*{len(segments) + 1}*0001", "GE*1*7", "IEA*1*000000007")
        return text.encode("latin-1")

    def _version(self) -> str:
        return "00501" if self.delimiters.repetition else "00401"


def claim(number: int, paid: str, npi: str = NPI) -> tuple[str, ...]:
    """Write a claim of 100 dollars that pays ``paid``: a copay, and the rest of the difference as CO*45."""
    rest = text_from_cents(90_00 - cents_from_text(paid))
    return (
        f"CLP*{number:07d}*1*100*{paid}*10*13*PCN{number}",
        "NM1*QC*1*DOE*JANE****MI*W99887766",
        f"NM1*82*2*CORNER PHARMACY*****XX*{npi}",
        "REF*CE*NETWORK7",
        f"SVC*N4:00093721410*100*{paid}**30",
        "DTM*472*20260209",
        "CAS*PR*3*10",
        f"CAS*CO*45*{rest}",
    )


def sources(content: bytes, *, first_id: int = 1, npi: str = NPI, plb_id: str = NPI) -> list[Source]:
    """Give the shares of one pharmacy in a payer's file, as reading finds them: one for each set."""
    found: list[Source] = []
    claims: list[Claim] = []
    header: SetHeader | None = None
    for event in read_remittances(io.BytesIO(content), "era.835"):
        if isinstance(event, SetHeader):
            header, claims = event, []
        elif isinstance(event, list):
            claims += [each for each in event if each.payee == f"NPI:{npi}"]
        elif isinstance(event, SetEnd):
            assert header is not None
            assert event.balances
            plbs = [each for each in event.plb if each.payee_id == plb_id]
            places = {(each.byte_start, each.byte_end) for each in plbs}
            found.append(
                Source(
                    advice_id=first_id + len(found),
                    delimiters=header.delimiters,
                    payer_name="AS IN THE BOOKS",
                    head=_head(content[header.byte_start :], header.delimiters),
                    claims=[content[each.byte_start : each.byte_end] for each in claims],
                    plb=tuple(content[start:end] for start, end in sorted(places)),
                    claim_count=len(claims),
                    charge_cents=sum(each.charge_cents for each in claims),
                    claims_cents=sum(each.paid_cents for each in claims),
                    plb_cents=sum(each.amount_cents for each in plbs),
                )
            )
    return found


def _head(raw: bytes, delimiters: Delimiters) -> bytes:
    """Cut the first loop off, as it came."""
    _, _, start, end = next(Batch(raw, 0, Cutter(delimiters), last=True).loops())
    return raw[start:end]


def child_of(sets: tuple[ChildSet, ...], *, receiver: Receiver = RECEIVER, control_number: int = 77) -> Child:
    """Put sets into a child of 23 November 2026."""
    return Child(
        receiver=receiver,
        sender=SENDER,
        sets=sets,
        effective_on=date(2026, 11, 24),
        made_at=datetime(2026, 11, 23, 8, 5, tzinfo=UTC),
        control_number=control_number,
    )


def written(child: Child) -> bytes:
    """Give the bytes of a child."""
    out = io.BytesIO()
    write_child(out, child)
    return out.getvalue()


@pytest.mark.parametrize("payer", [Payer(), Payer(width=80), Payer(after="\r\n")])
def test_a_payers_file_is_in_order_for_both_readers(payer: Payer) -> None:
    """What the children are made of has no faults of its own that could hide or explain theirs."""
    content = payer.file("LX*1", *claim(1, "70"), *claim(2, "-30", OTHER_NPI), f"PLB*{NPI}*20261231*WO:A*5", paid="35")
    (source,) = sources(content)
    assert (source.claim_count, source.natural_cents) == (1, 65_00)
    if not payer.width:
        result = judge("oxedi", "oxedi").parse(content)
        assert [str(each) for each in result.diagnostics] == []
