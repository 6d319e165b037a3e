"""Read the head of a transaction set: who pays whom, how much, when, under which trace number.

Source: 005010X221A1, table 1: BPR, TRN, DTM, loops 1000A (payer) and 1000B (payee). A head is usable when it says how
much (BPR02), when (BPR16) and under which number (TRN02); without these no deposit can ever be matched with it.
"""

from datetime import date
from typing import Final

from ingest.x12.delimiters import Delimiters
from ingest.x12.examination import examine_other
from ingest.x12.identity import payee_identifier
from ingest.x12.loop import Loop
from ingest.x12.model import SetHeader
from ingest.x12.values import real_date
from schemas.collecting import shown, shown_code, shown_figure
from schemas.money import text_from_cents

_PAYMENT: Final = frozenset(("BPR", "TRN"))
_HANDLING_CODES: Final = frozenset("CDHIPUX")
_METHODS: Final = frozenset(("ACH", "BOP", "CHK", "FWT", "NON"))


def read_header(loop: Loop, ordinal: int, delimiters: Delimiters) -> SetHeader | None:
    """Read a head, ST first; None when it is not usable. Findings say why, and what else is wrong with it."""
    examine_other(loop, _PAYMENT)
    payment, trace = _only(loop, "BPR"), _only(loop, "TRN")
    if payment is None or trace is None:
        return None
    payment_cents = loop.cents(payment, 2)
    settled_on = _settled_on(loop, payment)
    trace_number = loop.text(trace, 2)
    if not trace_number:
        loop.refuse("trace_number", trace, 2, "the number of the payment", "nothing")
    _check_codes(loop, payment)
    if payment_cents is not None:
        _check_payment(loop, payment, payment_cents)
    _check_payer_id(loop, payment, trace)
    _check_division(loop, payment, trace)
    _check_dates(loop)
    payer, payee = _party(loop, "PR"), _party(loop, "PE")
    if payment_cents is None or settled_on is None or not trace_number:
        return None
    return SetHeader(
        ordinal=ordinal,
        control_number=loop.text(0, 2),
        handling_code=loop.text(payment, 1),
        payment_cents=payment_cents,
        credit_debit=loop.text(payment, 3),
        method=loop.text(payment, 4),
        settled_on=settled_on,
        trace_number=trace_number,
        payer_id=loop.text(trace, 3),
        payer_name="" if payer is None else loop.text(payer, 2),
        payee_name="" if payee is None else loop.text(payee, 2),
        payee="" if payee is None else _payee(loop, payee),
        payee_id="" if payee is None else loop.text(payee, 4),
        byte_start=loop.byte_start(),
        delimiters=delimiters,
    )


def _only(loop: Loop, kind: str) -> int | None:
    """Find the one segment of a kind."""
    found = [index for index, this in enumerate(loop.kinds) if this == kind]
    if not found:
        loop.refuse("segment_missing", 0, 0, f"a {kind} before the first claim", "none")
        return None
    if len(found) > 1:
        loop.refuse("segment_repeated", found[1], 0, "one such segment in a set", str(len(found)))
    return found[0]


def _settled_on(loop: Loop, payment: int) -> date | None:
    """Read BPR16; where it is missing or impossible, the production date (DTM*405), which the payer says as well.

    The date is the accounting date of what was advised; no money is matched by it.
    """
    text = loop.text(payment, 16)
    settled_on = real_date(text)
    if settled_on is not None:
        return settled_on
    produced_on = next((day for index in _dated(loop, "405") if (day := real_date(loop.text(index, 2)))), None)
    if produced_on is None:
        loop.refuse("impossible_date", payment, 16, "a real date as CCYYMMDD", shown_figure(text))
    else:
        expected = f"a real date as CCYYMMDD; DTM*405 is taken, {produced_on}"
        loop.warn("impossible_date", payment, 16, expected, shown_figure(text))
    return produced_on


def _dated(loop: Loop, qualifier: str) -> list[int]:
    return [index for index, kind in enumerate(loop.kinds) if kind == "DTM" and loop.text(index, 1) == qualifier]


def _check_codes(loop: Loop, payment: int) -> None:
    handling, direction, method = (loop.text(payment, number) for number in (1, 3, 4))
    if handling not in _HANDLING_CODES:
        loop.warn("handling_code", payment, 1, "a handling code of the 835", shown_code(handling))
    if direction != "C":
        loop.refuse("credit_debit", payment, 3, "C, a payment to the payee", shown_code(direction))
    if method not in _METHODS:
        loop.warn("payment_method", payment, 4, "ACH, BOP, CHK, FWT or NON", shown_code(method))


def _check_payment(loop: Loop, payment: int, payment_cents: int) -> None:
    """Check that the amount is none below zero, and zero where no money is said to move."""
    found = text_from_cents(payment_cents)
    if payment_cents < 0:
        loop.refuse("payment_negative", payment, 2, "zero or more", found)
    if payment_cents and loop.text(payment, 4) == "NON":
        loop.refuse("payment_without_method", payment, 2, "0 where BPR04 says that no money moves", found)
    if payment_cents and loop.text(payment, 1) == "H":
        loop.warn("notification_with_payment", payment, 2, "0 where BPR01 says notification only", found)


def _check_payer_id(loop: Loop, payment: int, trace: int) -> None:
    originator, payer_id = loop.text(payment, 10), loop.text(trace, 3)
    if not payer_id:
        loop.warn("payer_id", trace, 3, "1 and the EIN of the payer", "nothing")
    elif originator and originator != payer_id:
        loop.warn("payer_id", trace, 3, f"the same as BPR10, {shown(originator)}", shown(payer_id))


def _check_division(loop: Loop, payment: int, trace: int) -> None:
    """Check that both elements that may tell the payer's divisions apart say the same."""
    stated, told = loop.text(payment, 11), loop.text(trace, 4)
    if stated and told and stated != told:
        loop.warn("payer_id", trace, 4, f"the same as BPR11, {shown(stated)}", shown(told))


def _check_dates(loop: Loop) -> None:
    for index, kind in enumerate(loop.kinds):
        if kind == "DTM" and real_date(loop.text(index, 2)) is None:
            loop.warn("impossible_date", index, 2, "a real date as CCYYMMDD", shown_figure(loop.text(index, 2)))


def _party(loop: Loop, entity: str) -> int | None:
    """Find the N1 of the payer (PR) or the payee (PE)."""
    for index, kind in enumerate(loop.kinds):
        if kind == "N1" and loop.text(index, 1) == entity:
            return index
    loop.warn("party_missing", 0, 0, f"an N1 with {entity} before the first claim", "none")
    return None


def _payee(loop: Loop, party: int) -> str:
    """Identify the payee by its N1 and the REFs up to the next N1."""
    references: dict[str, str] = {}
    for index in range(party + 1, len(loop.kinds)):
        if loop.kinds[index] == "N1":
            break
        if loop.kinds[index] == "REF":
            references.setdefault(loop.text(index, 1), loop.text(index, 2))
    return payee_identifier(loop.text(party, 3), loop.text(party, 4), references)
