"""Read PLB segments: what the payer adds or takes outside of any claim.

Source: 005010X221A1, PLB: PLB01 names the provider, PLB02 is a fiscal date, then up to six pairs of a composite reason
and an amount in 03/04 to 13/14. A positive amount reduces the payment, a negative one increases it.
"""

from typing import Final

from ingest.x12.examination import examine_other
from ingest.x12.identity import bare_identifier
from ingest.x12.loop import Loop
from ingest.x12.model import PlbAdjustment
from ingest.x12.values import real_date
from schemas.collecting import shown_code, shown_figure

_REASONS: Final = frozenset(("50", "51", "72", "90", "AH", "AM", "AP", "B2", "B3", "BD", "BN", "C5", "CR", "CS")) | {
    *("CT", "CV", "CW", "DM", "E3", "FB", "FC", "GO", "HM", "IP", "IR", "IS", "J1", "L3", "L6", "LE", "LS", "OA"),
    *("OB", "PI", "PL", "RA", "RE", "SL", "TL", "WO", "WU"),
}
"""X12 element 426 as the 835 uses it in PLB03-1."""
_PAIR_ELEMENTS = range(3, 15, 2)


def read_plb(loop: Loop, component: str, byte_end: int) -> tuple[list[PlbAdjustment], bool]:
    """Read one PLB, the first segment of its loop; nothing that holds money may follow it there.

    Args:
        loop: PLB first.
        component: separates the reason from its reference.
        byte_end: offset just after the PLB's terminator.

    Returns:
        Its adjustments, and whether all its amounts could be read; one that cannot is a finding and no adjustment.
    """
    examine_other(loop, frozenset())
    provider, fiscal_date = loop.text(0, 1), loop.text(0, 2)
    if real_date(fiscal_date) is None:
        loop.warn("impossible_date", 0, 2, "a real date as CCYYMMDD", shown_figure(fiscal_date))
        fiscal_date = ""
    _check_shape(loop)
    adjustments = []
    readable = True
    for pair, number in enumerate(_PAIR_ELEMENTS, start=1):
        composite = loop.text(0, number)
        if not composite and not loop.text(0, number + 1):
            continue
        reason, _, reference = composite.partition(component)
        if reason not in _REASONS:
            loop.warn("plb_reason", 0, number, "a PLB reason", shown_code(reason))
        cents = loop.cents(0, number + 1)
        if cents is None:
            readable = False
            continue
        if cents == 0:
            loop.warn("plb_zero", 0, number + 1, "an amount other than zero", "0")
        payee = bare_identifier(provider)
        place = (loop.byte_start(), byte_end)
        adjustments.append(
            PlbAdjustment(loop.segment_of(0), pair, payee, provider, fiscal_date, reason, reference, cents, *place)
        )
    return adjustments, readable


def _check_shape(loop: Loop) -> None:
    elements = loop.elements(0)
    if not loop.text(0, 1):
        loop.warn("plb_provider", 0, 1, "the provider whose adjustment it is", "nothing")
    if not any(elements[3:15]):
        loop.warn("plb_empty", 0, 3, "a reason and an amount", "nothing")
    if any(elements[15:]):
        loop.refuse("plb_too_long", 0, 15, "at most six reasons with amounts", "more")
