"""A certificate on paper: what was kept first, then every figure behind it, and how anybody checks it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from payouts.certificates.kinds import PARTS
from payouts.papers.press import set_pdf
from payouts.papers.sender import Sender
from payouts.papers.words import amount, counted, dollars, foldable, folded, frame, month_words, sentence, short_day

_ALWAYS: Final = frozenset({"claims", "taken_by_payers", "flat_fee", "payouts"})
"""Changes that are told when they are nothing, too."""
_ORDER: Final = tuple(PARTS)
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


def certificate_pdf(body: Mapping[str, Any], proof: Mapping[str, Any], sha256: str, sender: Sender) -> bytes:
    """Set a certificate as a tagged PDF of US letter pages; the same bytes for the same certificate and sender.

    Args:
        body: what it says (``payouts.certificates.bodies``).
        proof: of its leaf.
        sha256: of the body's canonical bytes, hex.
        sender: stands at its head.
    """
    return set_pdf("certificate", certificate_data(body, proof, sha256, sender), date.fromisoformat(body["to"]))


def certificate_data(body: Mapping[str, Any], proof: Mapping[str, Any], sha256: str, sender: Sender) -> dict[str, Any]:
    """Lay out what the template ``certificate`` is given: texts and rows of texts."""
    from_on, to_on = (date.fromisoformat(body[name]) for name in ("from", "to"))
    span = month_words(from_on)
    if to_on.replace(day=1) != from_on:
        span += f" to {month_words(to_on)}"
    member = body["member"]
    names = ["All members"]
    whom = f"All {counted(body['figures']['members'], 'member')}" if member is None else ""
    if member is not None:
        whom = f"{member['legal_name']}, NCPDP {member['ncpdp_id']}"
        names = [member["legal_name"]] + [member["dba_name"]] * (member["dba_name"] not in {"", member["legal_name"]})
        names = [*map(folded, names), f"NCPDP {member['ncpdp_id']}"]
    else:
        names = [whom, "and the custodial bank account"]
    version = str(body["version"]) + (f", instead of certificate {body['supersedes']}" if body["supersedes"] else "")
    sections = _of_all(body, from_on, to_on) if member is None else _of_member(body, from_on, to_on)
    return frame(sender, f"Pass-through certificate, {span}", whom, to_on) | {
        "kind": "Pass-through certificate",
        "to": names,
        "numbers": {
            "For": span,
            "Version": version,
            "Books as sealed at": f"checkpoint {body['checkpoint']['size']:,}",
        },
        "kept": _kept(body),
        "says": _says(body, span),
        "sections": [section for section in sections if section["rows"]],
        "proven": {"title": "What was proven before this was issued", "points": body["proven"]},
        "seal": _seal(proof, sha256, certificate_name(body)),
    }


def certificate_name(body: Mapping[str, Any]) -> str:
    """Name a certificate's file, without what it ends in."""
    months = body["from"][:7] + ("" if body["from"][:7] == body["to"][:7] else f"-to-{body['to'][:7]}")
    return f"{'population' if body['member'] is None else body['member']['ncpdp_id']}-{months}"


def _kept(body: Mapping[str, Any]) -> dict[str, str]:
    figures = body["figures"]
    cents = figures["retained_cents"]
    if body["member"] is None:
        more = f"{counted(figures['members'], 'member')}, {counted(figures['fee_months'], 'month')} of fee."
    else:
        more = " ".join(_fee_words(each) for each in figures["fees"]) or "No fee was due."
    what = (
        "What we gave back of the flat fee, more than we kept" if cents < 0 else f"What we kept: {body['retained_is']}"
    )
    return {"what": what, "amount": dollars(abs(cents)), "more": more}


def _fee_words(fee: Mapping[str, Any]) -> str:
    """Say of a month of fee what the contract asks and what became of it."""
    month = month_words(date.fromisoformat(f"{fee['month']}-01"))
    said = [f"{month}: the contract asks {dollars(fee['due_cents'])}"]
    for name, words in (
        ("collected_now_cents", "collected"),
        ("waived_cents", "waived"),
        ("refunded_now_cents", "refunded"),
    ):
        if fee[name]:
            said.append(f"{words} {dollars(fee[name])}")
    if fee["given_back_later_cents"] or fee["to_give_back_cents"]:
        over = fee["given_back_later_cents"] + fee["to_give_back_cents"]
        when = "given back after these months" if not fee["to_give_back_cents"] else "still to be given back"
        said.append(f"{dollars(over)} of it {when}, because the contract was changed since")
    return ", ".join(said) + "."


def _says(body: Mapping[str, Any], span: str) -> str:
    whose = "your money" if body["member"] is not None else "members' money"
    return (
        f"{body['company']} certifies that of {whose} that went through its custodial account in {span} it kept "
        f"{dollars(body['figures']['retained_cents'])}: {body['retained_is']}. "
        "No share of what payers reimburse was kept; whatever payers took is told below with the payer's name, and was "
        "taken by them."
    )


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


def _changes(body: Mapping[str, Any], from_on: date, to_on: date, whom: str) -> dict[str, Any]:
    figures = body["figures"]
    rows = [(f"{whom} when {short_day(from_on)} began", amount(figures["opening_cents"]))]
    rows += [
        (words, amount(figures["changes_cents"][part]))
        for part, words in sorted(body["parts"].items(), key=lambda each: _place(each[0]))
        if figures["changes_cents"][part] or part in _ALWAYS
    ]
    parts = figures["closing_parts_cents"]
    named = {"available": "available", "awaiting_payer": "awaiting payers' money", "held": "held"}
    said = ", ".join(f"{amount(parts[name])} {words}" for name, words in named.items() if parts[name])
    return _section(
        "How what is owed changed",
        ("What", "Amount"),
        rows,
        total=(f"{whom} on {short_day(to_on)}" + (f": {said}" if said else ""), amount(figures["closing_cents"])),
    )


def _place(part: str) -> int:
    """Say where a part stands in the order in which they are told; JSON has them by name."""
    return _ORDER.index(part) if part in _ORDER else len(_ORDER)


def _payers(body: Mapping[str, Any]) -> dict[str, Any]:
    rows = body["figures"]["payers"]
    names = ("claims_cents", "taken_cents", "funded_cents", "awaited_after_cents")
    return _section(
        "What payers advised, took and sent",
        ("Payer", "Claims", "Claims' amount", "Taken by it", "Money arrived", "Still awaited"),
        [(folded(each["payer_name"]), f"{each['claims']:,}", *(amount(each[name]) for name in names)) for each in rows],
        rights=5,
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


def _of_member(body: Mapping[str, Any], from_on: date, to_on: date) -> list[dict[str, Any]]:
    figures = body["figures"]
    moves = ("before", "came", "went", "after")
    return [
        _changes(body, from_on, to_on, "Owed to you"),
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


def _of_all(body: Mapping[str, Any], from_on: date, to_on: date) -> list[dict[str, Any]]:
    figures, bank = body["figures"], body["figures"]["bank"]
    held = figures["held_for_cents"]
    later = bank["closing_dated_later_cents"] or bank["opening_dated_later_cents"]
    note = "Lines that came when their month was closed are dated after it in the books." if later else ""
    return [
        _section(
            "The bank account",
            ("What", "Amount"),
            [
                (f"The bank's balance when {short_day(from_on)} began", amount(bank["opening_cents"])),
                ("Came in", amount(bank["in_cents"])),
                ("Went out", amount(-bank["out_cents"])),
            ],
            total=(f"The bank's balance on {short_day(to_on)}", amount(bank["closing_cents"])),
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
        _changes(body, from_on, to_on, "Owed to members"),
        _payers(body),
        _section(
            "The payers' 835s",
            ("Payer", "Advices", "Pay (BPR02)", "To members", "To others"),
            [
                (
                    folded(each["payer_name"]),
                    f"{each['advices']:,}",
                    *(amount(each[name]) for name in ("payment_cents", "members_cents", "others_cents")),
                )
                for each in figures["remitted"]
            ],
            rights=4,
            total=(
                "Together",
                f"{sum(each['advices'] for each in figures['remitted']):,}",
                *(
                    amount(sum(each[name] for each in figures["remitted"]))
                    for name in ("payment_cents", "members_cents", "others_cents")
                ),
            ),
        ),
        _section(
            "The flat fee",
            ("What", "Amount"),
            [
                *((sentence(name), amount(figures["fees_cents"][name])) for name in _FEES),
                *((words, amount(figures["income_cents"][name])) for name, words in _INCOME.items()),
            ],
            note=f"Of {counted(figures['fee_months'], 'month')} of members, as they stand on {short_day(to_on)}.",
        ),
        _section("On its way", ("What", "Before", "Came", "Went", "After"), _rolls(body), rights=4),
    ]


def _held(*rolls: Mapping[str, int]) -> tuple[str, str, str]:
    opening, closing = (sum(roll[name] for roll in rolls) for name in ("opening_cents", "closing_cents"))
    return amount(opening), amount(closing - opening), amount(closing)


def _seal(proof: Mapping[str, Any], sha256: str, name: str) -> dict[str, Any]:
    lines = proof["note"].split("\n")
    rows = [
        ("SHA-256 of its text", sha256),
        (
            "Sealed as leaf",
            f"{proof['index']} of checkpoint {proof['size']} of {lines[0]}, {lines[3].removeprefix('time ')}",
        ),
        ("Signed root", lines[2]),
        ("Verifier key", folded(proof["vkey"])),
    ]
    how = (
        f"To check it without us: python verify.py --proof {name}.json --vkey KEY, with the file that goes with this "
        "paper, the program of any of our exports, and our verifier key as it was published. It holds the text against "
        "the signed root."
    )
    return {"title": "Seal", "rows": rows, "how": how}
