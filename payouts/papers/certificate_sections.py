"""The tables of a certificate on paper: of a member's months, and of all members' and the bank account's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from payouts.certificates.kinds import PARTS
from payouts.papers.words import amount, counted, foldable, folded, sentence, short_day

_ALWAYS: Final = frozenset({"claims", "taken_by_payers", "flat_fee", "payouts"})
"""Changes that are told when they are nothing, too."""
_ORDER: Final = tuple(PARTS)
_PAYERS: Final = {
    "awaited_before_cents": "Awaited before",
    "claims_cents": "Claims' amount",
    "taken_cents": "Taken by it",
    "corrected_cents": "Reversed or found",
    "funded_cents": "Money arrived",
    "awaited_after_cents": "Still awaited",
}
"""What is told of a payer: the first four, less what arrived, is what is still awaited."""
_TOLD: Final = frozenset({"claims_cents", "taken_cents", "funded_cents", "awaited_after_cents"})
"""What of it is told when it is nothing, too."""
_FEES: Final = ("due", "assessed", "waived", "collected", "refunded", "open")
_ROLLS: Final = {
    "in_transit": "Released and not yet debited by the bank",
    "levied": "Levied, for who has the legal order",
    "unclaimed": "Unclaimed property, for the state",
    "fee_withheld": "Flat fee collected, on its way to our own money",
}
_OWN: Final = {
    "opening": "Our own money in the account before",
    "flat_fee": "Flat fees collected, less refunds",
    "float_in": "Put in by us",
    "float_out": "Taken out by us",
    "bank_charges": "The bank's charges, paid by us",
    "written_off": "Members' debts that we wrote off",
    "closing": "Our own money in the account after",
}
_INCOME: Final = {
    "fee_revenue": "Our income of these months, by our own books: the flat fee",
    "waived_and_refunded": "What of it we waived or refunded",
    "receivable_opening": "Fees still to be collected before",
    "receivable_closing": "Fees still to be collected after",
}
_HELD: Final = {
    "members": "For members",
    "others": "For others: not matched yet, unknown payees, payers",
    "own": "The PSAO's own money",
}


def _section(
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    rights: int = 1,
    total: Sequence[str] = (),
    note: str = "",
) -> dict[str, Any]:
    return {
        "title": title,
        "note": note,
        "heads": list(heads),
        "rights": rights,
        "rows": [list(row) for row in rows],
        "total": list(total),
    }


def _changes(body: Mapping[str, Any], from_on: date, to_on: date, title: str, whom: str) -> dict[str, Any]:
    figures = body["figures"]
    rows = [(f"{whom} at the start of {short_day(from_on)}", amount(figures["opening_cents"]))]
    rows += [
        (words, amount(figures["changes_cents"][part]))
        for part, words in sorted(body["parts"].items(), key=lambda each: _place(each[0]))
        if figures["changes_cents"][part] or part in _ALWAYS
    ]
    parts = figures["closing_parts_cents"]
    available = "available"
    if figures["advance_cents"]["closing_cents"] > 0:
        # What members owe is nothing that anybody could take out.
        available = "available, less what members owe us" if body["member"] is None else "owed to us, who lent it"
    named = {"available": available, "awaiting_payer": "awaiting payers' money", "held": "held"}
    said = ", ".join(f"{amount(parts[name])} {words}" for name, words in named.items() if parts[name])
    return _section(
        title,
        ("What", "Amount"),
        rows,
        total=(
            f"{whom} at the end of {short_day(to_on)}" + (f", of which {said}" if said else ""),
            amount(figures["closing_cents"]),
        ),
    )


def _place(part: str) -> int:
    """Say where a part stands in the order in which they are told; JSON has them by name."""
    return _ORDER.index(part) if part in _ORDER else len(_ORDER)


def _payers(body: Mapping[str, Any]) -> dict[str, Any]:
    rows = body["figures"]["payers"]
    shown = {name: words for name, words in _PAYERS.items() if name in _TOLD or any(each[name] for each in rows)}
    names = tuple(shown)
    return _section(
        "What payers advised, took and sent",
        ("Payer", "Claims", *shown.values()),
        [(folded(each["payer_name"]), f"{each['claims']:,}", *(amount(each[name]) for name in names)) for each in rows],
        rights=1 + len(names),
        total=(
            "Together",
            f"{sum(each['claims'] for each in rows):,}",
            *(amount(sum(each[name] for each in rows)) for name in names),
        ),
    )


def _rolls(body: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    figures = body["figures"]
    of = {words: figures["on_the_way_cents"].get(name) for name, words in _ROLLS.items()}
    of["Our own money lent, without interest, to cover a negative"] = figures["advance_cents"]
    names = ("opening_cents", "in_cents", "out_cents", "closing_cents")
    return [
        (words, *(amount(roll[name]) for name in names))  # type: ignore[misc]
        for words, roll in of.items()
        if roll is not None and any(roll.values())
    ]


def of_member(body: Mapping[str, Any], from_on: date, to_on: date) -> list[dict[str, Any]]:
    """Lay out a member's figures."""
    figures = body["figures"]
    moves = ("before", "came", "went", "after")
    return [
        _changes(body, from_on, to_on, "How your balance changed", "Owed to you"),
        _payers(body),
        _section(
            "Taken by payers, not by us",
            ("What", "Payer's reference", "Date", "Amount"),
            [
                (
                    folded(sentence(each["words"])),
                    foldable(each["reference"]),
                    short_day(date.fromisoformat(each["date"])),
                    amount(each["amount_cents"]),
                )
                for each in figures["taken"]
            ],
            total=("Together", "", "", amount(sum(each["amount_cents"] for each in figures["taken"]))),
        ),
        _section(
            "What else changed it, and who took it",
            ("What", "Taken by", "Date", "Amount"),
            [
                (
                    sentence(each["description"]),
                    sentence(each["taken_by"] or ""),
                    short_day(date.fromisoformat(each["date"])),
                    amount(each["amount_cents"]),
                )
                for each in figures["others"]
            ],
        ),
        _section(
            "Paid to you",
            ("Bank's trace number", "Account", "At your bank", "Amount"),
            [
                (
                    each["trace_number"] or "",
                    f"ends in {each['account_last_four']}" if each["account_last_four"] else "",
                    short_day(date.fromisoformat(each["effective_date"])),
                    amount(each["amount_cents"]),
                )
                for each in figures["payouts"]
            ],
            total=("Paid", "", "", amount(sum(each["amount_cents"] for each in figures["payouts"]))),
        ),
        _section("On its way", ("What", *map(sentence, moves)), _rolls(body), rights=4),
    ]


def of_all(body: Mapping[str, Any], from_on: date, to_on: date) -> list[dict[str, Any]]:
    """Lay out the figures of all members, and of the bank account."""
    return [
        *_account(body, from_on, to_on),
        _changes(body, from_on, to_on, "How members' balances changed", "Owed to members"),
        _payers(body),
        _remitted(body),
        _fee(body, to_on),
        _section("On its way", ("What", "Before", "Came", "Went", "After"), _rolls(body), rights=4),
    ]


def _account(body: Mapping[str, Any], from_on: date, to_on: date) -> list[dict[str, Any]]:
    figures, bank = body["figures"], body["figures"]["bank"]
    held = figures["held_for_cents"]
    later = bank["closing_dated_later_cents"] or bank["opening_dated_later_cents"]
    note = "Lines that came when their month was closed are dated after it in the books." if later else ""
    return [
        _section(
            "The bank account",
            ("What", "Amount"),
            [
                (f"The bank's balance at the start of {short_day(from_on)}", amount(bank["opening_cents"])),
                ("Came in", amount(bank["in_cents"])),
                ("Went out", amount(-bank["out_cents"])),
            ],
            total=(f"The bank's balance at the end of {short_day(to_on)}", amount(bank["closing_cents"])),
            note=note,
        ),
        _section(
            "For whom the account's money is held",
            ("Whose", "Before", "Change", "After"),
            [(words, *_held(held[name])) for name, words in _HELD.items()],
            rights=3,
            total=("Together", *_held(*held.values())),
        ),
        _section(
            "Our own money in it",
            ("What", "Amount"),
            [(words, amount(figures["own_cents"][name])) for name, words in _OWN.items() if name != "closing"],
            total=(_OWN["closing"], amount(figures["own_cents"]["closing"])),
        ),
    ]


def _remitted(body: Mapping[str, Any]) -> dict[str, Any]:
    rows = body["figures"]["remitted"]
    turned = any(each["reversed_cents"] for each in rows)
    names = ("payment_cents", *(("reversed_cents",) if turned else ()), "members_cents", "others_cents")
    return _section(
        "The payers' 835s",
        ("Payer", "Advices", "Pay (BPR02)", *(("Reversed",) if turned else ()), "To members", "To others"),
        [
            (folded(each["payer_name"]), f"{each['advices']:,}", *(amount(each[name]) for name in names))
            for each in rows
        ],
        rights=1 + len(names),
        total=(
            "Together",
            f"{sum(each['advices'] for each in rows):,}",
            *(amount(sum(each[name] for each in rows)) for name in names),
        ),
    )


def _fee(body: Mapping[str, Any], to_on: date) -> dict[str, Any]:
    figures = body["figures"]
    return _section(
        "The flat fee",
        ("What", "Amount"),
        [
            *((sentence(name), amount(figures["fees_cents"][name])) for name in _FEES),
            *((words, amount(figures["income_cents"][name])) for name, words in _INCOME.items()),
        ],
        note=f"Of {counted(figures['fee_months'], 'month')} of members, as they stand on {short_day(to_on)}.",
    )


def _held(*rolls: Mapping[str, int]) -> tuple[str, str, str]:
    opening, closing = (sum(roll[name] for roll in rolls) for name in ("opening_cents", "closing_cents"))
    return amount(opening), amount(closing - opening), amount(closing)
