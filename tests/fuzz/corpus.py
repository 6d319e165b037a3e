"""What the fuzzing starts from: sound remittances in every shape that payers send, and samples by others."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final

from app.demo.claims import ClaimBook, Dispensary, fill_dates, reversal_of
from app.demo.remittance import Interchange, Payee, PayeeAdjustments, PlbPair, RemittanceSet, Section, Syntax
from app.demo.remittance_writer import write_remittance
from tests.support.trade import BANK_ACCOUNT, OTHER_PAYER, PAYER, A, B, C, Part, remittance, remittance_file
from tests.unit.test_x12_files import enclosed, one_set

DAY: Final = date(2026, 11, 20)
SYNTAXES: Final = (
    Syntax(),
    Syntax(line_end="\n"),
    Syntax(line_end="\r\n"),
    Syntax(columns=80),
    Syntax(columns=7),
    Syntax("|", "<", "^", "\n"),
    Syntax("\x1d", "\x1f", "\x1c", "\x1e"),
    Syntax("*", "^", "!", "\r", "\n"),
    Syntax("+", ">", "U", "'", "\r\n   "),
)
"""How payers write: the usual delimiters, line ends, hard wraps, and delimiters that nobody expects."""

_SAMPLES = (
    Path(__file__).parents[3] / "shared" / "samples" / "835",
    Path(sys.prefix) / "judges" / "tests" / "files" / "edi",
)
_SERVICES = (
    "LX*7",
    "CLP*0099*2*300.5*-19.5*20*MC*PCN2**8",
    "CAS*PR*1*10**3*10.00*1*2*.00*0",
    "CAS*OA*23*100*0*94*-50*1*A1*25*2*B7*25*3*96*50*4*97*50*5",
    "NM1*QC*1*DOE*JANE****MI*W99887766",
    "NM1*74*1*ROE",
    "NM1*82*1*******SV*4012345",
    "MOA***N30",
    "DTM*050*20261101",
    "AMT*AU*12",
    "SVC*N4:00093721410*150*50**30.500",
    "DTM*150*20261030",
    "CAS*CO*45*100",
    "LQ*HE*N130",
    "SVC*HC:99211*150.50*150.50",
    "DTM*472*20261029",
    "REF*6R*1",
    "SVC*N4:00093721411*0*",
    "LQ*RX*70",
    "LX*12",
    "TS3*4012345*01*20261231*1*-100",
    "CLP*77*22*-100*-100**13*PCN3",
    "NM1*QC*1*DOE*JOHN",
    "PLB*4012345*20261231*WO:OLD1*-119.50*FB*100.00",
    "PLB*1811901945*20261231*L6*-100",
)
_PAYEE = ("N1*PE*CENTRAL PAY*FI*830000001", "REF*PQ*11861", "REF*D3*4012345")
_OTHER_KIND = ("ST*834*0002", "BGN*00*1*20261120", "INS*Y*18", "SE*4*0002")


def corpus(rng: Random) -> list[bytes]:
    """Write the inputs; the samples only as far as they are here."""
    return [*_written(rng), *_dressed(rng), *_samples()]


def _written(rng: Random) -> Iterator[bytes]:
    for syntax in SYNTAXES:
        yield _file(_chain(rng), syntax)
        yield remittance_file(*_single_stores(), syntax=syntax)
    head = ("BPR*H*0*C*NON************20261120", "TRN*1*T0*1360000001", "DTM*405*20261119", "N1*PR*PAYER", *_PAYEE)
    services = one_set(*_SERVICES, head=head)
    yield enclosed(*services)
    yield enclosed(*services, *_OTHER_KIND, *one_set(*_SERVICES, head=head, number="0003"), sets=3)


def _dressed(rng: Random) -> Iterator[bytes]:
    """Put around sound files, and between them, what really stands there."""
    chain = _file(_chain(rng), Syntax(line_end="\r\n"))
    stores = remittance_file(*_single_stores(), syntax=Syntax("|", ":", "^", "\n"))
    yield b"\xef\xbb\xbf" + chain
    yield b"FROM: LISA*MONA\r\nSUBJECT: ERA\r\n\r\n" + stores
    yield chain + b"\x1a\x00\x00"
    yield stores + b"\r\n\r\n" + chain + remittance_file(*_single_stores(), syntax=Syntax(columns=80))
    yield chain[: chain.rindex(b"GE*")]
    more = b"GE|3|1\nGS|HP|A|B|20261120|0215|2|X|005010X221A1\nGE|0|2\nIEA|2|"
    yield stores.replace(b"GE|3|1\nIEA|1|", more)


def _samples() -> Iterator[bytes]:
    for folder in _SAMPLES:
        for path in sorted(folder.glob("*")) if folder.is_dir() else ():
            if path.suffix == ".835" or path.name.startswith("X221"):
                yield path.read_bytes()


def _single_stores() -> tuple[RemittanceSet, ...]:
    """Lay out three sets: one plain, one taken back in part with a PLB, one of nothing but a balance carried on."""
    return (
        remittance("TRACE1", DAY, Part(A, (12_34, 5_00, 0))),
        remittance("TRACE1", DAY, Part(B, (40_00, -15_00)), Part(C, (7_50,), (("L6", -1_25), ("CS", 3_00)))),
        remittance("TRACE3", DAY, Part(C, (-20_00,), (("FB", -20_00),)), payer=OTHER_PAYER),
    )


def _chain(rng: Random) -> RemittanceSet:
    """Lay out one set of three stores with a TS3 for each, denials, a reversal with its correction, and PLBs."""
    book = ClaimBook(rng, PAYER, DAY, by_cost_and_fee=True)
    filled = Dispensary(fill_dates(date(2026, 11, 1), date(2026, 11, 9)), None)
    sections = []
    for number, store in enumerate((A, B, C), 1):
        paid = book.paid(filled)
        claims = [paid, book.denied(filled), reversal_of(paid), book.corrected(paid), *book.claims_of(filled, number)]
        charge_cents = sum(claim.charge_cents for claim in claims)
        sections.append(Section(number, claims, store.npi, len(claims), charge_cents))
    taken = (PlbPair("WO", "RX1", 1_00), PlbPair("72", "RX2", -1_00), PlbPair("CS", "", 15))
    return replace(
        remittance("CHAIN1", DAY, payment_cents=_paid_cents(sections) - 15 + 2_00),
        payee=Payee("EXAMPLE CHAIN", "XX", A.npi, (("D3", A.ncpdp_id), ("TJ", A.tin))),
        receiver_account=BANK_ACCOUNT,
        sections=sections,
        adjustments=(
            PayeeAdjustments(A.npi, date(2026, 12, 31), taken),
            PayeeAdjustments(B.ncpdp_id, date(2026, 12, 31), (PlbPair("L6", "", -2_00),)),
        ),
    )


def _paid_cents(sections: Sequence[Section]) -> int:
    return sum(claim.paid_cents for section in sections for claim in section.claims)


def _file(remittance_set: RemittanceSet, syntax: Syntax) -> bytes:
    stream = BytesIO()
    write_remittance(stream, Interchange("HARROWGATE", "EXAMPLEPSAO", 1, DAY), [remittance_set], syntax)
    return stream.getvalue()
