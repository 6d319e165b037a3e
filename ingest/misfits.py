"""What a set that balances may still hold that the books can not keep: findings that quarantine it, and codes left out.

A code is only kept as long as the guide lets it be: what is longer could be free text, and so a patient's name.
"""

import re
from datetime import date

from ingest.x12.model import Claim, PlbAdjustment, SetHeader
from schemas.findings import Finding

_LONGEST = 80
"""No identifier or number of the 835 is longer (X12 element 67, N104); a longer one is no number, and fits no index."""


_ADJUSTMENTS = re.compile(r"(?:(?:[0-9A-Z]{1,7}:-?[0-9]+)(?:;|$))*", re.ASCII)
_ADJUSTMENT = re.compile(r"[0-9A-Z]{1,7}:-?[0-9]+", re.ASCII)
_REJECTS = re.compile(r"(?:RX|HE):[0-9A-Z]{1,5}(?:;(?:RX|HE):[0-9A-Z]{1,5})*", re.ASCII)


def kept_status(code: str) -> str:
    """Keep a claim status or a PLB reason as long as the guide's; a longer one could be anything, even a name.

    What is not kept in a table is still in the vault.
    """
    return code if len(code) <= 2 else "?"


def kept_ndc(code: str) -> str:
    """Keep an NDC: digits and dashes."""
    return code if code.replace("-", "").isdigit() and len(code) <= 13 else ""


def kept_adjustments(said: str) -> str:
    """Keep adjustments whose group and reason are codes."""
    if _ADJUSTMENTS.fullmatch(said):
        return said
    return ";".join(each for each in said.split(";") if _ADJUSTMENT.fullmatch(each))


def kept_rejects(said: str) -> str:
    """Keep reject and remark codes when all of them are codes."""
    return said if _REJECTS.fullmatch(said) else ""


def claim_misfit(claim: Claim) -> Finding | None:
    """Find what of a claim can not be kept, or None."""
    words = (claim.rx_number, claim.payee, claim.payer_claim_number, claim.status, claim.ndc, claim.quantity)
    said = "".join(words)
    if len(said) <= _LONGEST and "\0" not in said + claim.adjustments + claim.reject_codes:
        return None
    for element, word in zip(("CLP01", "NM109", "CLP07", "CLP02", "SVC01", "SVC05"), words, strict=True):
        if len(word) > _LONGEST or "\0" in word:
            return _no_number(element, claim.segment)
    if "\0" in claim.adjustments or "\0" in claim.reject_codes:
        return _no_number("CAS or LQ", claim.segment)
    return None


def header_misfit(header: SetHeader) -> Finding | None:
    """Find what of a set's head can not be kept, or None."""
    words = (header.trace_number, header.payer_id, header.payee_id, header.payee, header.payer_name, header.method)
    for element, word in zip(("TRN02", "TRN03", "N104", "N104", "N102", "BPR04"), words, strict=True):
        if len(word) > _LONGEST or "\0" in word:
            return _no_number(element, None)
    return None


def plb_misfit(plb: PlbAdjustment) -> Finding | None:
    """Find what of a PLB can not be kept, or None."""
    words = (plb.payee_id, plb.reason, plb.reference)
    wrong = any(len(word) > _LONGEST or "\0" in word for word in words)
    return _no_number("PLB", plb.segment) if wrong else None


def _no_number(element: str, segment: int | None) -> Finding:
    return Finding(
        rule="element_fits",
        element=element,
        expected=f"at most {_LONGEST} characters of text",
        found="a longer one, or a null byte",
        segment=segment,
        advice="Ask the payer for a set whose elements are as long as the guide allows.",
    )


def no_period(day: date) -> Finding:
    """Say that a BPR16 lies in no accounting period."""
    return Finding(
        rule="period_exists",
        element="BPR16",
        expected="a date in an accounting period",
        found=day.isoformat(),
        advice="Ask the payer for a set with the right payment date.",
    )
