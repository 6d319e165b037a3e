"""Write X12 835 remittances (005010X221A1) as payers do, fast enough for files of a million claims.

Nothing here invents or corrects an amount: what does not balance in the given values does not balance in the file.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import BinaryIO

from app.demo.remittance import Claim, Interchange, PayeeAdjustments, RemittanceSet, Section, Syntax
from schemas.money import text_from_cents

_BLOCK = 500
_NO_NAME_PARTS = ("", "", "", "")

Segment = tuple[str, ...]


@lru_cache(maxsize=1 << 17)
def _amount(cents: int) -> str:
    return text_from_cents(cents)


class _Output:
    """Join segments to bytes; count them; wrap lines when the syntax asks for it."""

    def __init__(self, stream: BinaryIO, syntax: Syntax) -> None:
        self._stream = stream
        self._syntax = syntax
        self._unwrapped = ""

    def put(self, segments: list[Segment]) -> int:
        syntax = self._syntax
        text = (syntax.terminator + syntax.line_end).join(map(syntax.element.join, segments))
        text += syntax.terminator + syntax.line_end
        elements = sum(map(len, segments)) - len(segments)
        if text.count(syntax.terminator) != len(segments) or text.count(syntax.element) != elements:
            raise ValueError("an element holds a delimiter of its own interchange")
        self._send(text)
        return len(segments)

    def put_interchange_header(self, interchange: Interchange) -> None:
        # The one segment whose elements may be delimiters: ISA11 and ISA16 tell them.
        syntax = self._syntax
        self._send(syntax.element.join(_isa(interchange, syntax)) + syntax.terminator + syntax.line_end)

    def finish(self) -> None:
        self._stream.write(self._unwrapped.encode("ascii"))
        self._unwrapped = ""

    def _send(self, text: str) -> None:
        self._stream.write((self._wrapped(text) if self._syntax.columns else text).encode("ascii"))

    def _wrapped(self, text: str) -> str:
        text = self._unwrapped + text
        columns = self._syntax.columns
        whole = len(text) - len(text) % columns
        self._unwrapped = text[whole:]
        return "".join(text[start : start + columns] + "\r\n" for start in range(0, whole, columns))


def write_remittance(
    stream: BinaryIO, interchange: Interchange, sets: Iterable[RemittanceSet], syntax: Syntax | None = None
) -> int:
    """Write one interchange with one functional group, in constant memory when the claims are iterators.

    Args:
        stream: takes the bytes, ASCII.
        interchange: the envelope.
        sets: the transaction sets, read once and in order.
        syntax: delimiters and wrapping; ``*:^~`` without line ends when left out.

    Returns:
        The number of claims written.

    Raises:
        ValueError: an element holds the element separator or the terminator.
    """
    syntax = syntax or Syntax()
    out = _Output(stream, syntax)
    group = str(interchange.control_number)
    out.put_interchange_header(interchange)
    out.put([_gs(interchange, group)])
    written = set_count = 0
    for remittance in sets:
        written += _write_set(out, remittance, syntax)
        set_count += 1
    out.put([("GE", str(set_count), group), ("IEA", "1", f"{interchange.control_number:09d}")])
    out.finish()
    return written


def _write_set(out: _Output, remittance: RemittanceSet, syntax: Syntax) -> int:
    segments = out.put(_set_head(remittance))
    written = 0
    for section in remittance.sections:
        segments += out.put(_section_head(section, remittance.settled_on))
        claims = iter(section.claims)
        while block := list(islice(claims, _BLOCK)):
            segments += out.put([segment for claim in block for segment in claim_segments(claim, syntax.component)])
            written += len(block)
    for adjustments in remittance.adjustments:
        segments += out.put([_plb(adjustments, syntax.component)])
    out.put([("SE", str(segments + 1), remittance.control_number)])
    return written


def _isa(interchange: Interchange, syntax: Syntax) -> Segment:
    return (
        *("ISA", "00", " " * 10, "00", " " * 10),
        *("ZZ", f"{interchange.sender_id:<15}", "ZZ", f"{interchange.receiver_id:<15}"),
        *(f"{interchange.created_on:%y%m%d}", interchange.created_at, syntax.repetition, "00501"),
        *(f"{interchange.control_number:09d}", "0", "P", syntax.component),
    )


def _gs(interchange: Interchange, group: str) -> Segment:
    return (
        *("GS", "HP", interchange.sender_id, interchange.receiver_id),
        *(f"{interchange.created_on:%Y%m%d}", interchange.created_at, group, "X", "005010X221A1"),
    )


def _set_head(remittance: RemittanceSet) -> list[Segment]:
    payer, payee = remittance.payer, remittance.payee
    day = f"{remittance.settled_on:%Y%m%d}"
    return [
        ("ST", "835", remittance.control_number),
        _bpr(remittance, day),
        ("TRN", "1", remittance.trace_number, payer.payer_id),
        ("DTM", "405", day),
        ("N1", "PR", payer.name),
        ("N3", "1 PAYMENT PLAZA"),
        ("N4", "SPRINGFIELD", "IL", "62701"),
        ("PER", "BL", "REMITTANCE SERVICES", "TE", "8005550100"),
        ("N1", "PE", payee.name, payee.qualifier, payee.identifier),
        *(("REF", qualifier, value) for qualifier, value in payee.references),
    ]


def _bpr(remittance: RemittanceSet, day: str) -> Segment:
    payer = remittance.payer
    if remittance.payment_cents == 0:
        return ("BPR", "H", "0", "C", "NON", *[""] * 11, day)
    return (
        *("BPR", "I", _amount(remittance.payment_cents), "C", "ACH", "CCP"),
        *("01", payer.routing, "DA", payer.account, payer.payer_id, ""),
        *("01", remittance.receiver_routing, "DA", remittance.receiver_account, day),
    )


def _section_head(section: Section, settled_on: date) -> list[Segment]:
    head: list[Segment] = [("LX", str(section.number))]
    if section.store_id:
        counted = (str(section.claim_count), _amount(section.charge_cents))
        head.append(("TS3", section.store_id, "01", f"{settled_on.year}1231", *counted))
    return head


def claim_segments(claim: Claim, component: str) -> Iterator[Segment]:
    """Lay out one claim as the segments of loops 2100 and 2110, in the guide's order."""
    charge, paid = _amount(claim.charge_cents), _amount(claim.paid_cents)
    share = _amount(claim.patient_cents) if claim.patient_cents else ""
    yield ("CLP", claim.rx_number, claim.status, charge, paid, share, claim.filing_code, claim.payer_claim_number)
    patient = claim.patient
    yield ("NM1", "QC", "1", patient.last_name, patient.first_name, "", "", "", "MI", patient.plan_member_id)
    if claim.store is not None:
        yield ("NM1", "82", "2", claim.store.name, *_NO_NAME_PARTS, claim.store.qualifier, claim.store.identifier)
    yield ("REF", "CE", claim.network)
    if not claim.dated_at_service:
        yield ("DTM", "232", claim.fill_date)
    yield ("SVC", f"N4{component}{claim.ndc}", charge, paid, "", claim.quantity)
    if claim.dated_at_service:
        yield ("DTM", "472", claim.fill_date)
    for group, reason, cents in claim.adjustments:
        yield ("CAS", group, reason, _amount(cents))
    for code in claim.reject_codes:
        yield ("LQ", "RX", code)


def _plb(adjustments: PayeeAdjustments, component: str) -> Segment:
    pairs = [
        part
        for pair in adjustments.pairs
        for part in (f"{pair.reason}{component}{pair.reference}", _amount(pair.cents))
    ]
    return ("PLB", adjustments.payee_id, f"{adjustments.fiscal_date:%Y%m%d}", *pairs)
