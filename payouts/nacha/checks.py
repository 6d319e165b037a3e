"""What the entries of a batch must satisfy once they are read: codes, amounts, traces, addenda.

Source: Nacha Operating Rules, Appendix Three, and the operators' edits of Appendix Two; CCD healthcare EFT standard
(45 CFR 162.1602) for the TRN.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from payouts.nacha.answers import answer_layout, answer_line
from payouts.nacha.codes import (
    ADDENDA_CODES,
    CREDIT_CODES,
    DEBIT_CODES,
    HEALTH_CARE_PAYMENT,
    LIVE_CODES,
    NO_MONEY_CODES,
    OWN_ENTRY_CLASS,
    SINGLE_ADDENDA_CLASSES,
    AddendaType,
    ServiceClass,
)
from payouts.nacha.findings import refusal
from payouts.nacha.records import ANSWERS, Addenda, BatchHeader, Entry
from payouts.nacha.trn import trn_parts
from schemas.findings import Finding
from schemas.identifiers import AbaRouting

_ALL_CODES = CREDIT_CODES | DEBIT_CODES
_CODES_OF: Final[dict[str, frozenset[str]]] = {
    ServiceClass.MIXED: _ALL_CODES,
    ServiceClass.CREDITS: CREDIT_CODES,
    ServiceClass.DEBITS: DEBIT_CODES,
}


def entry_findings(header: BatchHeader, entries: tuple[Entry, ...]) -> Iterator[Finding]:
    """Check the entries of a batch in their order."""
    allowed = _CODES_OF.get(header.service_class, _ALL_CODES)
    needs_trn = header.entry_class == OWN_ENTRY_CLASS and header.entry_description.upper() == HEALTH_CARE_PAYMENT
    # In a batch of both directions the debit is an offset: it pays nobody.
    paying = LIVE_CODES & CREDIT_CODES if header.service_class == ServiceClass.MIXED else LIVE_CODES
    before = ""
    for entry in entries:
        yield from _value_findings(entry, allowed)
        trace = entry.trace_number
        if trace <= before:
            yield refusal("trace_order", "entry trace_number", f"above {before}", trace, entry.line)
        before = trace
        if entry.expects_addenda or entry.addenda:
            yield from _addenda_findings(entry, header.entry_class)
        if entry.is_answer:
            continue
        if not trace.startswith(header.odfi):
            yield refusal("trace_odfi", "entry trace_number", f"{header.odfi} and seven digits", trace, entry.line)
        if needs_trn and entry.transaction_code in paying and not _has_trn(entry):
            yield refusal("trn_present", "addenda text", "one TRN segment", "none", entry.line)


def _value_findings(entry: Entry, allowed: frozenset[str]) -> Iterator[Finding]:
    code = entry.transaction_code
    if code not in allowed:
        expected = "a code of the batch's service class" if code in _ALL_CODES else "a transaction code"
        yield refusal("transaction_code", "entry transaction_code", expected, code, entry.line)
    elif not entry.amount_cents and code in LIVE_CODES:
        yield refusal("amount_positive", "entry amount", "above zero for a live entry", 0, entry.line)
    elif entry.amount_cents and code in NO_MONEY_CODES:
        expected = "zero for a prenote or zero-dollar entry"
        yield refusal("amount_zero", "entry amount", expected, entry.amount_cents, entry.line)
    problem = _routing_problem(entry.routing)
    if problem is not None:
        yield refusal("routing_number", "entry routing", AbaRouting.shape, entry.routing, entry.line)
    if not entry.account_number.strip(" 0"):
        yield refusal("account_number", "entry account_number", "an account number", "blanks or zeros", entry.line)


def _addenda_findings(entry: Entry, entry_class: str) -> Iterator[Finding]:
    if not entry.addenda:
        yield refusal("addenda_indicator", "entry addenda_indicator", "an addenda after the entry", "none", entry.line)
    elif not entry.expects_addenda:
        yield refusal("addenda_unsaid", "entry addenda_indicator", 1, 0, entry.line)
    remittances = 0
    for addenda in entry.addenda:
        if addenda.type_code not in ADDENDA_CODES:
            yield refusal("addenda_type", "addenda type_code", "a known addenda type", addenda.type_code, addenda.line)
        if addenda.type_code in ANSWERS:
            yield from _answer_findings(addenda)
        if addenda.type_code != AddendaType.PAYMENT:
            continue
        remittances += 1
        if int(addenda.sequence) != remittances:
            yield refusal("addenda_sequence", "addenda sequence", remittances, addenda.sequence, addenda.line)
        if addenda.trace != entry.trace_number[8:]:
            yield refusal("addenda_trace", "addenda trace", entry.trace_number[8:], addenda.trace, addenda.line)
    if remittances > 1 and entry_class in SINGLE_ADDENDA_CLASSES:
        yield refusal("addenda_count", "entry", f"one addenda at most in {entry_class}", remittances, entry.line)


def _answer_findings(addenda: Addenda) -> Iterator[Finding]:
    layout, line = answer_layout(addenda.type_code, addenda.text[:3]), answer_line(addenda)
    if layout.split(line) is None:
        yield from layout.findings(addenda.line, line)


def _has_trn(entry: Entry) -> bool:
    return len(entry.addenda) == 1 and trn_parts(entry.addenda[0].text) is not None


@lru_cache(maxsize=1 << 15)
def _routing_problem(routing: str) -> str | None:
    return AbaRouting.problem(routing)
