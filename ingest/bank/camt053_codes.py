"""What kind of movement an ISO 20022 statement says an entry is, in the type codes of BAI2 where one means the same.

Source: ISO 20022 external code set, bank transaction codes (domain, family, sub-family); BAI Cash Management Balance
Reporting Specifications, Version 2, appendix of uniform type codes. Banks in the United States give the BAI2 code as
the proprietary one; that is then taken as it is.
"""

from typing import Final

from ingest.bank.statement import is_credit_code

UNKNOWN: Final = "NTAV"
"""Not available: the entry says nothing about what it is."""

_CREDITS: Final = {
    ("PMNT", "RCDT"): "142",
    ("PMNT", "RRCT"): "142",
    ("PMNT", "ICDT", "RRTN"): "257",
    ("PMNT", "IRCT", "RRTN"): "257",
    ("PMNT", "RCHQ"): "115",
    ("PMNT", "LBOX"): "115",
}
"""Credit transfers received; own transfers that were returned; checks and lockbox."""
_DEBITS: Final = {
    ("PMNT", "ICDT"): "455",
    ("PMNT", "IRCT"): "455",
    ("PMNT", "RDDT"): "455",
    ("PMNT", "RCDT", "RRTN"): "557",
    ("PMNT", "ICHQ"): "475",
    ("ACMT", "MDOP", "CHRG"): "698",
    ("PMNT", "MDOP", "CHRG"): "698",
}
"""Credit transfers issued and debits received; received transfers that were returned; checks; charges."""


def type_code_of(codes: tuple[str, ...], proprietary: str, *, is_credit: bool, is_reversal: bool) -> str:
    """Give the type code of an entry: a BAI2 one, or the ISO 20022 code as ``PMNT.RCDT.ESCT``.

    Args:
        codes: domain, family and sub-family, as many as there are.
        proprietary: the bank's own code, or nothing.
        is_credit: the entry's direction.
        is_reversal: the entry takes an earlier one back.
    """
    if is_credit_code(proprietary) is is_credit:
        return proprietary
    if is_reversal and codes[:2] in {("PMNT", "ICDT"), ("PMNT", "RCDT")}:
        return "257" if is_credit else "557"
    meanings = _CREDITS if is_credit else _DEBITS
    for length in (3, 2):
        meaning = meanings.get(codes[:length]) if len(codes) >= length else None
        if meaning is not None:
            return meaning
    return ".".join(codes) or proprietary or UNKNOWN
