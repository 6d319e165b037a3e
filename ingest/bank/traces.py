"""Payments that a bank's words name: the TRN of an addenda, wherever the bank broke its lines.

Source of the segment: ASC X12 005010X221, TRN; CCD healthcare EFT standard (45 CFR 162.1602).
"""

import re

from ingest.bank.statement import BankItem

Trace = tuple[str, str]
"""TRN02 and TRN03, the latter empty where the bank leaves it out."""

_TRACE = re.compile(r"TRN\*1\*([^*~\\/|^\s]{1,50})(?:\*(\d{10}))?")


def named_payments(item: BankItem) -> list[Trace]:
    """Find the payments whose TRN stands in the text of a bank item, or in one of its references."""
    references = f" {item.customer_reference} {item.bank_reference}"
    joined, spaced = (
        {(match[1], match[2] or "") for match in _TRACE.finditer(text + references)}
        for text in (item.text, item.text_spaced)
    )
    whole = [trace for trace, payer in joined | spaced if payer]
    # The same trace with and without its payer is one. So is one that only one reading of the lines has, because the
    # other cut it short; without a payer nobody can tell which reading is right, and both stay.
    found = {
        (trace, payer)
        for trace, payer in joined | spaced
        if payer
        or not any(
            other == trace or (other.startswith(trace) and (trace, payer) not in joined & spaced) for other in whole
        )
    }
    return sorted(found)


def traces_of(item: BankItem) -> list[Trace]:
    """Find the payments that a bank item may be for: those that its text names, or else its references.

    A TRN in the text counts, wherever its lines were broken; without one, the references may be a trace.
    """
    named = named_payments(item)
    if named:
        return named
    references = {item.bank_reference.strip(), item.customer_reference.strip()}
    return [(reference, "") for reference in sorted(references) if reference]


def joined_traces(known: list[Trace], added: list[Trace]) -> list[Trace]:
    """Put together what two feeds say of one line; a trace with its payer stands for the one without."""
    found = {*known, *added}
    with_payer = {trace for trace, payer in found if payer}
    return sorted((trace, payer) for trace, payer in found if payer or trace not in with_payer)
