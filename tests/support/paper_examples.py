"""The papers kept in docs/examples, of invented facts: ``python -m tests.support.paper_examples`` makes them anew."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.seal.checkpoints import Checkpoint
from ledger.seal.note import CheckpointNote, SigningKey
from payouts.certificates.bodies import Body, Heading, canonical, digest, member_body
from payouts.certificates.kinds import PARTS
from payouts.certificates.model import (
    Certified,
    FeeMonth,
    Figures,
    MemberMonths,
    PaidOut,
    Parts,
    PayerMonth,
    Roll,
    Taken,
)
from payouts.fees.invoices import Invoice, InvoiceLine
from payouts.papers.certificate import certificate_data, certificate_pdf
from payouts.papers.invoice import invoice_data, invoice_pdf
from payouts.papers.notice import NoticeAdvice, PayoutNotice, notice_data, notice_item, notice_pdf
from payouts.papers.press import set_png
from payouts.papers.sender import Sender
from payouts.papers.statement import statement_data, statement_pdf
from payouts.statements.model import (
    US,
    AdviceRow,
    DirectAdvice,
    Movement,
    PayerAdjustment,
    PayoutPaid,
    RecentPayout,
    Statement,
    YearTotals,
)
from schemas.calendar import next_banking_day

FOLDER: Final = Path(__file__).parents[2] / "docs" / "examples"
SENDER: Final = Sender(
    name="Prairie Pharmacy Services",
    lines=("400 Example Avenue, Suite 12", "Springfield, IL 62701"),
    telephone="(217) 555-0142",
)
LEGAL, DBA, NCPDP, NPI = "Hollis & Daughters Drug Inc", "Corner Drug #2", "1400101", "1700001013"
HARROWGATE, TALLGRASS, LONG = (
    ("1360000001", "Harrowgate Benefit Management"),
    ("1360000002", "Tallgrass Pharmacy Benefits"),
    ("1360000003", "Northeastern States Pharmacy Benefit Management Company of America LLC"),
)
PIXELS_PER_INCH: Final = 100

_NO_YEAR: Final = dict.fromkeys((name for name in YearTotals.model_fields if name.endswith("_cents")), 0)
_OPENING = 300_00


def taken(payer: tuple[str, str], cents: int, reason: str, words: str, reference: str) -> PayerAdjustment:
    """Give an adjustment of a payer; negative takes."""
    did = "taken" if cents < 0 else "given"
    return PayerAdjustment(
        reason=reason,
        reference=reference,
        amount_cents=cents,
        label=f"{did} by payer {payer[1]}, not by us: {words} ({reason})",
        taken_by=f"payer {payer[1]}" if cents < 0 else None,
    )


def advice(
    payer: tuple[str, str],
    day: date,
    trace: str,
    claims: tuple[int, int],
    *adjustments: PayerAdjustment,
    state: str = "funded",
    paid_in: str | None = None,
) -> AdviceRow:
    """Give an advice; ``claims`` are how many and their cents."""
    return AdviceRow(
        date=day,
        payer_id=payer[0],
        payer_name=payer[1],
        trace_number=trace,
        state=state,
        claim_count=claims[0],
        claims_cents=claims[1],
        adjustments=adjustments,
        amount_cents=claims[1] + sum(each.amount_cents for each in adjustments),
        paid_in=paid_in,
    )


def movement(day: date, event: str, words: str, cents: int, taken_by: str | None = None) -> Movement:
    """Give another movement of the balance."""
    return Movement(
        date=day, event=event, reversed_event=None, description=words, amount_cents=cents, taken_by=taken_by
    )


def paid(number: int, day: date, cents: int, state: str = "settled") -> PayoutPaid:
    """Give a payout, at the bank on the next banking day."""
    return PayoutPaid(
        released_on=day,
        effective_date=next_banking_day(day),
        amount_cents=cents,
        state=state,
        trace_number=f"09100001{number:07d}",
        account_last_four="0101",
        remittance_trace=f"CP{number}P{number}",
    )


def recent(payments: Sequence[tuple[date, int]], returned: int | None = None) -> tuple[RecentPayout, ...]:
    """Give payments by their days; one of them came back."""
    return tuple(
        RecentPayout(
            business_date=day,
            effective_date=next_banking_day(day),
            amount_cents=cents,
            state="returned" if place == returned else "settled",
        )
        for place, (day, cents) in enumerate(payments)
    )


def statement_of(
    advices: tuple[AdviceRow, ...],
    movements: tuple[Movement, ...] = (),
    payouts: tuple[PayoutPaid, ...] = (),
    *,
    opening: int = _OPENING,
    held: int = 0,
    shown: tuple[RecentPayout, ...] = (),
    payer: tuple[str, str] | None = None,
    direct: tuple[DirectAdvice, ...] = (),
) -> Statement:
    """Make November's statement of these rows: balances and the year follow from them."""
    closing = opening + sum(row.amount_cents for row in advices) + sum(row.amount_cents for row in movements)
    awaiting = closing if payer else sum(row.amount_cents for row in advices if row.state == "accepted")
    fee = sum(row.amount_cents for row in movements if row.event == "fee_collected")
    out = sum(row.amount_cents for row in movements if row.event == "payout_released")
    levied = sum(row.amount_cents for row in movements if row.event == "levied")
    funded = sum(row.amount_cents for row in movements if row.event == "funded")
    shares = sum(each.amount_cents for row in advices for each in row.adjustments)
    earlier = 0 if payer else 41_870_55
    parts = _NO_YEAR | {
        "opening_cents": opening,
        "claims_cents": sum(row.claims_cents for row in advices) + 10 * earlier,
        "payer_taken_cents": shares - earlier,
        "fee_cents": fee - (0 if payer else 2_000_00),
        "paid_cents": out - 9 * earlier + (0 if payer else 2_000_00),
        "levied_cents": levied,
        "funded_cents": funded,
        "closing_cents": closing,
    }
    return Statement(
        member_id=UUID(int=1),
        ncpdp_id=NCPDP,
        legal_name=LEGAL,
        dba_name=DBA,
        payer_id=payer and payer[0],
        payer_name=payer and payer[1],
        from_date=date(2026, 11, 1),
        to_date=date(2026, 11, 30),
        opening_cents=opening,
        advices=advices,
        movements=movements,
        closing_cents=closing,
        available_cents=closing - awaiting - held,
        awaiting_payer_cents=awaiting,
        held_cents=held,
        payouts=payouts,
        recent_payouts=shown,
        year=YearTotals(year=2026, to_date=date(2026, 11, 30), **parts),
        direct=direct,
        retained_cents=-fee,
    )


def combined() -> Statement:
    """Give a month with three payers, what two of them took, the fee and three payments, one of which came back."""
    advices = (
        advice(HARROWGATE, date(2026, 11, 2), "HBM20261102001", (214, 18_440_12), paid_in="091000010000001"),
        advice(
            TALLGRASS,
            date(2026, 11, 3),
            "0000448812",
            (61, 5_203_77),
            taken(TALLGRASS, -200_00, "WO", "overpayment recovered", "AUD-2026-0117"),
            taken(TALLGRASS, 12_50, "L6", "interest", "INT-10"),
            paid_in="091000010000001",
        ),
        advice(HARROWGATE, date(2026, 11, 9), "HBM20261109001", (198, 16_905_40), paid_in="091000010000002"),
        advice(
            LONG,
            date(2026, 11, 12),
            "ACH2026111200004471902283340019920001",
            (12, 941_08),
            taken(LONG, -1_118_20, "72", "authorized return", "RX6000412"),
            paid_in="091000010000002",
        ),
        advice(HARROWGATE, date(2026, 11, 27), "HBM20261127001", (103, 8_210_64), state="accepted"),
    )
    first, second = 23_556_39, 16_728_28
    movements = (
        movement(date(2026, 11, 4), "fee_collected", "flat monthly fee", -200_00, US),
        movement(date(2026, 11, 4), "payout_released", "payout", -first),
        movement(date(2026, 11, 13), "payout_released", "payout", -second),
    )
    payouts = (paid(1, date(2026, 11, 4), first), paid(2, date(2026, 11, 13), second, "released"))
    weeks = (14_220_10, 19_871_00, 8_440_00, 21_004_09, 17_730_55, 16_220_00, 18_115_25, 902_44, 20_433_18, 19_008_00)
    earlier = [(date(2026, 10, 28) - timedelta(weeks=9 - place), cents) for place, cents in enumerate(weeks)]
    shown = recent([*earlier, (payouts[0].released_on, first), (payouts[1].released_on, second)], returned=6)
    told = DirectAdvice(
        date=date(2026, 11, 9),
        payer_id="1360000004",
        payer_name="Lakeshore Medicaid",
        trace_number="LM0099",
        claim_count=4,
        claims_cents=198_40,
        adjustments_cents=-1_00,
        amount_cents=197_40,
    )
    return statement_of(advices, movements, payouts, shown=shown, direct=(told,))


def per_payer() -> Statement:
    """Give the same month of one payer alone: what it advised, what arrived, what it still has to send."""
    rows = tuple(row for row in combined().advices if row.payer_id == HARROWGATE[0])
    words = "the payer's money arrived: payable to you"
    arrived = tuple(
        movement(row.date + timedelta(days=1), "funded", words, -row.amount_cents) for row in rows if row.paid_in
    )
    whole = combined()
    return statement_of(rows, arrived, whole.payouts, opening=0, shown=whole.recent_payouts, payer=HARROWGATE)


def notice() -> PayoutNotice:
    """Give the notice of the first of these payments."""
    advices = tuple(
        NoticeAdvice(
            payer_id=row.payer_id,
            payer_name=row.payer_name,
            trace_number=row.trace_number,
            date=row.date,
            claim_count=row.claim_count,
            claims_cents=row.claims_cents,
            adjustments=row.adjustments,
            amount_cents=row.amount_cents,
        )
        for row in combined().advices[:2]
    )
    return PayoutNotice(
        cycle_id=1,
        payout_id=1,
        name="1400101-2026-11-04-cycle-1",
        ncpdp_id=NCPDP,
        npi=NPI,
        legal_name=LEGAL,
        dba_name=DBA,
        business_date=date(2026, 11, 4),
        effective_date=date(2026, 11, 5),
        amount_cents=23_556_39,
        trace_number="091000010000001",
        remittance_trace="CP1P1",
        account_last_four="0101",
        advices=advices,
        items=(notice_item("PSAO-FEE-2026-11", 200_00), notice_item("PSAO-BALANCE", -300_00)),
    )


def invoice() -> Invoice:
    """Give an invoice of two months."""
    months = (date(2026, 9, 1), date(2026, 10, 1))
    return Invoice(
        invoice_number=17,
        member_id=UUID(int=1),
        ncpdp_id=NCPDP,
        legal_name=LEGAL,
        issued_on=date(2026, 11, 16),
        due_on=date(2026, 12, 16),
        lines=tuple(InvoiceLine(month=month, amount_cents=200_00) for month in months),
        total_cents=400_00,
    )


def certified() -> MemberMonths:
    """Give the figures of the same month as they are certified."""
    made = combined()
    fee = made.retained_cents
    payers = {row.payer_id: row.payer_name for row in made.advices}
    changes = dict.fromkeys(PARTS, 0) | {
        "claims": made.claims_cents,
        "taken_by_payers": made.adjustments_cents,
        "flat_fee": -fee,
        "payouts": sum(row.amount_cents for row in made.movements if row.event == "payout_released"),
    }
    none = Roll(opening_cents=0, in_cents=0, out_cents=0, closing_cents=0)
    second = made.payouts[1].amount_cents
    first = -changes["payouts"] - second
    out = Roll(opening_cents=0, in_cents=first + second, out_cents=first, closing_cents=second)
    ways = {
        "levied": none,
        "in_transit": out,
        "unclaimed": none,
        "fee_withheld": Roll(opening_cents=0, in_cents=fee, out_cents=fee, closing_cents=0),
    }
    figures = Figures(
        opening_cents=made.opening_cents,
        opening_parts_cents=Parts(available=made.opening_cents, awaiting_payer=0, held=0),
        changes_cents=changes,
        closing_cents=made.closing_cents,
        closing_parts_cents=Parts(
            available=made.available_cents, awaiting_payer=made.awaiting_payer_cents, held=made.held_cents
        ),
        retained_cents=fee,
        fees=(_fee_month(fee),),
        on_the_way_cents=ways,
        advance_cents=none,
        payers=tuple(_payer_month(made, payer_id, name) for payer_id, name in sorted(payers.items())),
        taken=tuple(
            Taken(
                date=row.date,
                payer_id=row.payer_id,
                payer_name=row.payer_name,
                trace_number=row.trace_number,
                reason=each.reason,
                reference=each.reference,
                words=each.label,
                amount_cents=each.amount_cents,
            )
            for row in made.advices
            for each in row.adjustments
        ),
        others=(),
        payouts=tuple(PaidOut(**each.model_dump(include=set(PaidOut.model_fields))) for each in made.payouts),
    )
    who = Certified(member_id=made.member_id, ncpdp_id=NCPDP, legal_name=LEGAL, dba_name=DBA)
    return MemberMonths(member=who, figures=figures, faults=())


def _fee_month(cents: int) -> FeeMonth:
    return FeeMonth(
        month="2026-11",
        contract_id=1,
        monthly_fee_cents=cents,
        proration="none",
        due_cents=cents,
        assessed_cents=cents,
        waived_cents=0,
        collected_cents=cents,
        refunded_cents=0,
        open_cents=0,
        collected_now_cents=cents,
        refunded_now_cents=0,
        given_back_later_cents=0,
        to_give_back_cents=0,
    )


def _payer_month(made: Statement, payer_id: str, name: str) -> PayerMonth:
    rows = [row for row in made.advices if row.payer_id == payer_id]
    return PayerMonth(
        payer_id=payer_id,
        payer_name=name,
        advices=len(rows),
        claims=sum(row.claim_count for row in rows),
        awaited_before_cents=0,
        claims_cents=sum(row.claims_cents for row in rows),
        taken_cents=sum(each.amount_cents for row in rows for each in row.adjustments),
        corrected_cents=0,
        funded_cents=sum(row.amount_cents for row in rows if row.state == "funded"),
        awaited_after_cents=sum(row.amount_cents for row in rows if row.state == "accepted"),
    )


def certificate() -> tuple[Body, Body, str]:
    """Give the month's certificate with its proof, and the SHA-256 of its text; the key is an example's."""
    key = SigningKey("centralpay/1999999999", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    sealed_at = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
    root = bytes(range(32))
    note = key.sign(CheckpointNote(key.name, 51_207, root, sealed_at, "mary").text())
    checkpoint = Checkpoint(
        size=51_204,
        journal_size=40_113,
        root=root.hex(),
        previous_size=None,
        sealed_at=sealed_at,
        sealed_by="mary",
        note=note,
    )
    heading = Heading(
        origin=key.name,
        company=SENDER.name,
        from_on=date(2026, 11, 1),
        to_on=date(2026, 11, 30),
        checkpoint=checkpoint,
    )
    body = member_body(heading, certified(), 1, None)
    proof = {"index": 51_205, "size": 51_207, "hashes": [], "note": note, "vkey": str(key.verifier)}
    return body, proof, digest(canonical(body))


def examples() -> dict[str, bytes]:
    """Make every example: the bytes of each file by its name."""
    papers = {
        "statement-combined": ("statement", statement_pdf(combined(), SENDER), statement_data(combined(), SENDER)),
        "statement-per-payer": ("statement", statement_pdf(per_payer(), SENDER), statement_data(per_payer(), SENDER)),
        "notice": ("notice", notice_pdf(notice(), SENDER), notice_data(notice(), SENDER)),
        "certificate": (
            "certificate",
            certificate_pdf(*certificate(), SENDER),
            certificate_data(*certificate(), SENDER),
        ),
        "invoice": ("invoice", invoice_pdf(invoice(), SENDER), invoice_data(invoice(), SENDER)),
    }
    files = {f"{name}.pdf": pdf for name, (_, pdf, _) in papers.items()}
    for name, (template, _, data) in papers.items():
        files[f"{name}.png"] = set_png(template, data, pixels_per_inch=PIXELS_PER_INCH)[0]
    return files


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in examples().items():
        (FOLDER / name).write_bytes(content)
