"""A statement on paper: what an owner asks first at the top, then every line that makes it up."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from payouts.papers.press import set_pdf
from payouts.papers.sender import Sender
from payouts.papers.words import amount, counted, dollars, foldable, folded, frame, sentence, short_day
from payouts.statements.model import AdviceRow, Movement, Statement, YearTotals
from payouts.statements.words import total_words

_PAID: Final = "payout_released"
_FUNDED: Final = "funded"
_STATES: Final = {
    "accepted": "money awaited",
    "funded": "funded",
    "replaced": "replaced",
    "released": "on its way",
    "settled": "paid",
    "returned": "returned",
}
_ALWAYS: Final = frozenset({"claims_cents", "payer_taken_cents", "fee_cents", "paid_cents"})
"""Parts of a year that are said when they are nothing, too."""
_MILLIONS_FROM: Final = 1_000_000_000
_OF_ONE_PAYER: Final = frozenset({"claims_cents", "payer_taken_cents", "funded_cents"})


def statement_pdf(made: Statement, sender: Sender) -> bytes:
    """Set a statement as a tagged PDF of US letter pages; the same bytes for the same statement and sender."""
    return set_pdf("statement", statement_data(made, sender), made.to_date)


def statement_data(made: Statement, sender: Sender) -> dict[str, Any]:
    """Lay out what the template ``statement`` is given: texts, and the heights of the chart's bars in thousandths."""
    span = f"{short_day(made.from_date)} to {short_day(made.to_date)}"
    about = "" if made.payer_name is None else f", payer {made.payer_name}"
    names = [made.legal_name] + [made.dba_name] * (made.dba_name not in {"", made.legal_name})
    numbers = {"From": short_day(made.from_date), "to": short_day(made.to_date)}
    return frame(sender, f"Statement, {span}{about}", f"{made.legal_name}, NCPDP {made.ncpdp_id}", made.to_date) | {
        "kind": "Statement" if made.payer_name is None else "Statement of one payer",
        "to": [*map(folded, names), f"NCPDP {made.ncpdp_id}"],
        "numbers": numbers | ({"Payer": made.payer_name} if made.payer_name else {}),
        "figures": _figures(made),
        "balance": _balance(made),
        "chart": _chart(made),
        "payers": [_payer(name, list(rows)) for (name, _), rows in _by_payer(made.advices)],
        "advised_title": "What payers advised" if made.payer_id is None else "What this payer advised",
        "advised_what": "All payers" if made.payer_id is None else "Together",
        "advised": amount(sum(row.amount_cents for row in made.advices)),
        "payouts": _payouts(made),
        "payouts_told": "of which this payer's advices are a part" if made.payer_id is not None else "",
        "changes": _changes(made),
        "year_title": f"The year {made.year.year} up to {short_day(made.year.to_date)}",
        "year": _year(made.year, one_payer=made.payer_id is not None),
        "direct": _direct(made),
        "foot": _foot(made, sender),
    }


def _sum(rows: Iterable[Movement], event: str) -> int:
    return sum(row.amount_cents for row in rows if event in {row.event, row.reversed_event})


def _figures(made: Statement) -> list[dict[str, str]]:
    """Give the few numbers at the top: what came in, what payers took, what we took, what was paid."""
    taken = made.adjustments_cents + sum(
        row.amount_cents for row in made.movements if (row.taken_by or "").startswith("payer ")
    )
    payers, came = ("payers", "Payers advised") if made.payer_id is None else ("the payer", "The payer advised")
    told = f"Given by {payers}" if taken > 0 else f"Taken by {payers}, not by us"
    figures = [(came, made.claims_cents, counted(sum(row.claim_count for row in made.advices), "claim"))]
    figures.append((told, taken, "by their adjustments"))
    if made.payer_id is not None:
        figures.append(("Money that arrived", -_sum(made.movements, _FUNDED), "payable to you since"))
    else:
        figures.append(
            ("Our flat fee", -made.retained_cents, "refunded" if made.retained_cents < 0 else "all that we kept")
        )
        paid = -_sum(made.movements, _PAID)
        figures.append(("Paid to you", paid, counted(len(made.payouts), "payment")))
    return [{"what": what, "amount": dollars(cents), "more": more} for what, cents, more in figures]


def _balance(made: Statement) -> dict[str, str]:
    opening = f"It was {dollars(made.opening_cents)} when {short_day(made.from_date)} began."
    if made.payer_id is not None:
        what = f"This payer still has to send you, on {short_day(made.to_date)}"
        return {"what": what, "amount": dollars(made.closing_cents), "more": opening}
    parts = {
        "you owe from before" if made.available_cents < 0 else "available": abs(made.available_cents),
        "awaiting payers' money": made.awaiting_payer_cents,
        "held for you": made.held_cents,
    }
    said = ", ".join(f"{dollars(cents)} {name}" for name, cents in parts.items() if cents)
    what = "You owe" if made.closing_cents < 0 else "Owed to you"
    cents = abs(made.closing_cents)
    return {
        "what": f"{what} on {short_day(made.to_date)}",
        "amount": dollars(cents),
        "more": (f"Of this: {said}. " if said else "") + opening,
    }


def _chart(made: Statement) -> dict[str, Any]:
    """Give the last payments as bars, the oldest first, and the same in words for who can not see them."""
    most = max((each.amount_cents for each in made.recent_payouts), default=0)
    bars = [
        {
            "height": each.amount_cents * 1000 // most if most else 0,
            "amount": _bar_amount(each.amount_cents),
            "day": f"{each.business_date:%b} {each.business_date.day}",
            "year": f"{each.business_date.year}",
            "returned": each.state == "returned",
        }
        for each in made.recent_payouts
    ]
    said = "; ".join(
        f"{short_day(each.business_date)} {dollars(each.amount_cents)}" + ", returned" * (each.state == "returned")
        for each in made.recent_payouts
    )
    title = (
        f"Your last {counted(len(bars), 'payment')}, in dollars" if len(bars) > 1 else "Your last payment, in dollars"
    )
    return {"title": title, "bars": bars, "alt": f"Bar chart. {title}: {said}."}


def _bar_amount(cents: int) -> str:
    """Write whole dollars, or millions where dollars would be wider than a bar's place."""
    whole = (cents + 50) // 100
    return f"{whole:,}" if whole < _MILLIONS_FROM else f"{(whole + 500_000) // 1_000_000:,} M"


def _payer_key(row: AdviceRow) -> tuple[str, str]:
    return row.payer_name, row.payer_id


def _by_payer(advices: Iterable[AdviceRow]) -> Iterable[tuple[tuple[str, str], Iterable[AdviceRow]]]:
    return groupby(sorted(advices, key=_payer_key), key=_payer_key)


def _payer(name: str, rows: list[AdviceRow]) -> dict[str, Any]:
    taken = [sum(each.amount_cents for each in row.adjustments) for row in rows]
    return {
        "name": folded(name),
        "claims": f"{sum(row.claim_count for row in rows):,}",
        "claimed": amount(sum(row.claims_cents for row in rows)),
        "taken": amount(sum(taken)),
        "amount": amount(sum(row.amount_cents for row in rows)),
        "rows": [
            {
                "date": short_day(row.date),
                "trace": foldable(row.trace_number),
                "state": _state(row),
                "claims": f"{row.claim_count:,}",
                "claimed": amount(row.claims_cents),
                "taken": amount(cents) if row.adjustments else "",
                "amount": amount(row.amount_cents),
                "adjustments": [
                    {"what": sentence(each.label), "more": each.reference, "amount": amount(each.amount_cents)}
                    for each in row.adjustments
                ],
            }
            for row, cents in zip(rows, taken, strict=True)
        ],
    }


def _state(row: AdviceRow) -> str:
    return "in a payment to you" if row.paid_in is not None else _STATES.get(row.state, row.state)


def _payouts(made: Statement) -> dict[str, Any]:
    return {
        "rows": [
            {
                "released": short_day(each.released_on),
                "effective": short_day(each.effective_date),
                "trace": each.trace_number or "",
                "account": f"ends in {each.account_last_four}" if each.account_last_four else "",
                "remittance": each.remittance_trace or "",
                "state": _STATES.get(each.state, each.state),
                "amount": amount(each.amount_cents),
            }
            for each in made.payouts
        ],
        "total": amount(sum(each.amount_cents for each in made.payouts)),
    }


def _changes(made: Statement) -> dict[str, Any]:
    """Give what else changed the balance: all that is neither an advice nor a payment out."""
    rows = [row for row in made.movements if row.event != _PAID]
    return {
        "rows": [
            {
                "date": short_day(row.date),
                "what": sentence(row.description),
                "who": sentence(row.taken_by or ""),
                "amount": amount(row.amount_cents),
            }
            for row in rows
        ],
        "total": amount(sum(row.amount_cents for row in rows)),
    }


def _year(year: YearTotals, *, one_payer: bool) -> list[dict[str, str]]:
    always = _OF_ONE_PAYER if one_payer else _ALWAYS
    rows = [(sentence(total_words(part)), cents) for part, cents in year.parts.items() if cents or part in always]
    owed = "Still to come from this payer" if one_payer else "Owed to you"
    first, last = (
        (f"{owed} when the year began", year.opening_cents),
        (f"{owed} on {short_day(year.to_date)}", year.closing_cents),
    )
    return [{"what": what, "amount": amount(cents)} for what, cents in (first, *rows, last)]


def _direct(made: Statement) -> list[dict[str, str]]:
    return [
        {
            "date": short_day(row.date),
            "payer": row.payer_name,
            "trace": foldable(row.trace_number),
            "claims": f"{row.claim_count:,}",
            "taken": amount(row.adjustments_cents),
            "amount": amount(row.amount_cents),
        }
        for row in made.direct
    ]


def _foot(made: Statement, sender: Sender) -> str:
    known = f" Read at {made.known_at.words}." if made.known_at is not None else ""
    call = f" at {sender.telephone}" if sender.telephone else ""
    ask = f"Is anything here not as you know it? Call {sender.name}{call}, and have this statement at hand."
    if made.payer_id is not None:
        return ask + known
    fee = made.retained_cents
    kept = f"{dollars(fee)}: our flat fee and nothing else" if fee > 0 else "nothing"
    took = "Whatever payers took, ask the payer that is named."
    return f"Of your money we kept in this period {kept}. {took} {ask}{known}"
