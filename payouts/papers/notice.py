"""The notice of a payout: what is inside this payment, line by line, to the cent.

It says what the member's own 835 of the same payment says (005010X221A1, section 1.10.2.1.3: the amounts of a
remittance sum to the payment) and what stands in the payment's entry at the bank (Nacha Operating Rules: individual
amount, trace number), in words for an owner.
"""

from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, model_validator

from payouts.papers.own_words import fee_month, own_words
from payouts.papers.press import set_pdf
from payouts.papers.sender import Sender
from payouts.papers.words import amount, counted, dollars, foldable, folded, frame, long_day, sentence, short_day
from payouts.statements.model import PayerAdjustment

_LINE: Final = 32
"""Characters that surely fit in a line beside the columns of figures."""
_WIDE_LINE: Final = 56
"""The same where only the amount stands beside it."""
_LINES: Final = 12
"""Lines of the table that surely fit on a page with all else."""


class NoticeAdvice(BaseModel):
    """What one payer's advice adds to the payment: claims less the payer's own adjustments. Cents."""

    model_config = ConfigDict(frozen=True)

    payer_id: str
    payer_name: str
    trace_number: str
    date: date
    """The payer's payment date."""
    claim_count: int
    claims_cents: int
    adjustments: tuple[PayerAdjustment, ...]
    """Each as the payer named it; negative takes from the pharmacy."""
    amount_cents: int


class NoticeItem(BaseModel):
    """What is the PSAO's own between the advices and the payment: a month of fee, a hold, a balance. Cents."""

    model_config = ConfigDict(frozen=True)

    reference: str
    """As in the member's own 835, such as ``PSAO-FEE-2026-11``."""
    label: str
    amount_cents: int
    """Negative lessens the payment."""


class PayoutNotice(BaseModel):
    """What is inside one payment to a member. It can only be made when its lines sum to the amount."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    payout_id: int
    name: str
    """Of its file, without ``.pdf``."""
    ncpdp_id: str
    npi: str
    legal_name: str
    dba_name: str
    business_date: date
    effective_date: date
    amount_cents: int
    trace_number: str
    """Of the entry at the bank: 15 digits."""
    remittance_trace: str
    """TRN02 of the member's own 835 and of the payment's addenda."""
    account_last_four: str
    advices: tuple[NoticeAdvice, ...]
    items: tuple[NoticeItem, ...]

    @model_validator(mode="after")
    def _foots(self) -> "PayoutNotice":
        for each in self.advices:
            if each.claims_cents + sum(taken.amount_cents for taken in each.adjustments) != each.amount_cents:
                raise ValueError(f"advice {each.trace_number} of the notice does not foot")
        inside = sum(each.amount_cents for each in self.advices) + sum(each.amount_cents for each in self.items)
        if inside != self.amount_cents:
            raise ValueError(f"{inside} cents are inside a payment of {self.amount_cents}")
        return self

    @property
    def fee_cents(self) -> int:
        """The months of flat fee that it collects, positive."""
        return -sum(each.amount_cents for each in self.items if fee_month(each.reference) is not None)


def notice_item(reference: str, reduces_cents: int) -> NoticeItem:
    """Make the line of an own item of the remittance, where what reduces the payment is positive."""
    cents = -reduces_cents
    return NoticeItem(reference=reference, label=own_words(reference, cents), amount_cents=cents)


def notice_pdf(notice: PayoutNotice, sender: Sender) -> bytes:
    """Set a notice as a tagged PDF of US letter pages; the same bytes for the same notice and sender."""
    return set_pdf("notice", notice_data(notice, sender), notice.business_date)


def notice_data(notice: PayoutNotice, sender: Sender) -> dict[str, Any]:
    """Lay out what the template ``notice`` is given: texts only."""
    names = [notice.legal_name] + [notice.dba_name] * (notice.dba_name not in {"", notice.legal_name})
    day = notice.business_date
    arrives = (
        f"to your account ending in {notice.account_last_four}; your bank should have it on "
        f"{long_day(notice.effective_date)}."
    )
    rows = [*_advice_rows(notice), *_item_rows(notice)]
    return frame(sender, f"Payment notice, {short_day(day)}", f"{notice.legal_name}, NCPDP {notice.ncpdp_id}", day) | {
        "kind": "Payment notice",
        "to": [*map(folded, names), f"NCPDP {notice.ncpdp_id}, NPI {notice.npi}"],
        "numbers": {
            "Released": short_day(day),
            "Trace number at the bank": notice.trace_number,
            "Number of your remittance (835)": notice.remittance_trace,
        },
        "amount": dollars(notice.amount_cents),
        "arrives": arrives,
        "rows": rows,
        "single": _is_one_page(names, rows),
        "foot": _foot(notice),
    }


def _is_one_page(names: list[str], rows: list[dict[str, str]]) -> bool:
    """Say whether a notice surely fits on one page; one that may not has its pages counted."""
    wide = {"payer": _LINE}
    lines = sum(1 + (len(row["what"]) + len(row["more"])) // wide.get(row["kind"], _WIDE_LINE) for row in rows)
    return lines <= _LINES and all(len(name) <= _LINE for name in names)


def _advice_rows(notice: PayoutNotice) -> list[dict[str, str]]:
    rows = []
    for each in notice.advices:
        rows.append(
            {
                "kind": "payer",
                "what": folded(each.payer_name),
                "more": foldable(each.trace_number),
                "date": short_day(each.date),
                "claims": f"{each.claim_count:,}",
                "amount": amount(each.claims_cents),
            }
        )
        rows += [_row("taken", sentence(one.label), one.reference, one.amount_cents) for one in each.adjustments]
    return rows


def _item_rows(notice: PayoutNotice) -> list[dict[str, str]]:
    return [_row("own", each.label, "", each.amount_cents) for each in notice.items]


def _row(kind: str, what: str, more: str, cents: int) -> dict[str, str]:
    return {"kind": kind, "what": what, "more": more, "amount": amount(cents)}


def _foot(notice: PayoutNotice) -> str:
    claims = counted(sum(each.claim_count for each in notice.advices), "claim")
    fee = notice.fee_cents
    kept = (
        f"Of this payment we kept our flat fee of {dollars(fee)} and nothing else"
        if fee
        else "Of this payment we kept nothing"
    )
    return f"{kept}. The {claims} stand in your remittance (835) {notice.remittance_trace}."
