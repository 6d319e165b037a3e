"""One entry of an ISO 20022 statement: the movements of money that it books.

Source: ISO 20022 message camt.053, ReportEntry and EntryTransaction. The direction is the entry's own, a reversal's
too. A batch is split into its transactions where they say their amounts; these must sum to the entry.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from ingest.bank.camt053_codes import type_code_of
from ingest.bank.camt053_fields import Place
from ingest.bank.statement import BankItem
from schemas.money import MAX_CENTS

_NOT_PROVIDED: Final = "NOTPROVIDED"
"""What stands in an end-to-end id that nobody gave."""


class ReadEntry(NamedTuple):
    """What an entry says."""

    status: str
    """``BOOK``; anything else is not on the account yet."""
    booked_on: date | None
    items: Sequence[BankItem]
    """One, or one for each transaction of a batch; none where no money moved."""


def read_entry(entry: Place, currency: str, number: int, ordinal: int) -> ReadEntry:
    """Read an entry.

    Args:
        entry: the element ``Ntry``.
        currency: of the account.
        number: of the entry within its statement, first = 1.
        ordinal: of its first item within the statement.
    """
    status = entry.text("Sts/Cd", "Sts/Prtry", "Sts")
    if not status:
        entry.refuse("status", "Sts", "BOOK, PDNG or INFO", "nothing")
    booked_on = entry.day("BookgDt/Dt", "BookgDt/DtTm")
    if status != "BOOK":
        return ReadEntry(status, booked_on, ())
    cents = entry.cents("Amt", currency)
    side = entry.code("CdtDbtInd", "CRDT", "DBIT")
    if cents is None or not side or cents >= MAX_CENTS:
        return ReadEntry(status, booked_on, ())
    details = entry.places("NtryDtls/TxDtls")
    amounts = [_signed(each, side, currency) for each in details]
    signed = cents if side == "CRDT" else -cents
    known = [each for each in amounts if each is not None]
    if known and len(known) == len(details) and sum(known) != signed:
        advice = "The details do not make up the entry; ask the bank for a correct statement."
        entry.refuse("details_sum", "NtryDtls/TxDtls/Amt", _said(signed), _said(sum(known)), advice=advice)
    if len(known) == len(details) > 1:
        pairs = [(each, amount) for each, amount in zip(details, known, strict=True) if amount]
        items = [
            _item(entry, [each], amount, ordinal + place, batch=number) for place, (each, amount) in enumerate(pairs)
        ]
        return ReadEntry(status, booked_on, items)
    items = [_item(entry, details, signed, ordinal, batch=0)] if signed else []
    return ReadEntry(status, booked_on, items)


def _signed(details: Place, side: str, currency: str) -> int | None:
    """Give a transaction's amount with its sign; None where it has none."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if details.has(path):
            cents = details.cents(path, currency)
            if details.has("CdtDbtInd"):
                side = details.code("CdtDbtInd", "CRDT", "DBIT")
            return None if cents is None else cents if side == "CRDT" else -cents
    return None


def _said(cents: int) -> str:
    return f"{'CRDT' if cents >= 0 else 'DBIT'} {abs(cents)} cents"


def _item(entry: Place, details: Sequence[Place], signed: int, ordinal: int, *, batch: int) -> BankItem:
    """Make the item of an entry, or of one transaction of it."""
    one = details[0] if len(details) == 1 else None
    remittance = [piece for each in details for text in each.texts("RmtInf/Ustrd") for piece in text]
    further = [text for each in details for path in _FURTHER for text in each.texts(path)]
    further += entry.texts("AddtlNtryInf")
    end_to_end = "" if one is None else one.text("Refs/EndToEndId")
    return BankItem(
        type_code=_type_code(entry, one, is_credit=signed > 0),
        amount_cents=abs(signed),
        is_credit=signed > 0,
        funds_type="",
        bank_reference=("" if one is None else one.text("Refs/AcctSvcrRef")) or entry.text("AcctSvcrRef", "NtryRef"),
        customer_reference="" if end_to_end == _NOT_PROVIDED else end_to_end,
        # Pieces of the remittance may be one text that was cut; what stands in other elements never goes on with it.
        text=_joined(["".join(remittance), *("".join(text) for text in further)]),
        text_spaced=_joined([*remittance, *(piece for text in further for piece in text)]),
        line=entry.line or 0,
        ordinal=ordinal,
        batch=batch,
    )


def _joined(texts: Sequence[str]) -> str:
    return " ".join(text for text in texts if text).strip()


_FURTHER: Final = ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/AddtlRmtInf", "AddtlTxInf")
"""Where else a transaction says what it is for."""


def _type_code(entry: Place, details: Place | None, *, is_credit: bool) -> str:
    """Give what kind of movement it is; the transaction's own code counts before the entry's."""
    places = [place for place in (details, entry) if place is not None and place.has("BkTxCd")]
    is_reversal = entry.text("RvslInd") in {"true", "1"}
    if not places:
        return type_code_of((), "", is_credit=is_credit, is_reversal=is_reversal)
    place = places[0]
    paths = ("BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")
    codes = tuple(code for code in (place.text(path) for path in paths) if code)
    proprietary = place.text("BkTxCd/Prtry/Cd")
    return type_code_of(codes, proprietary, is_credit=is_credit, is_reversal=is_reversal)
