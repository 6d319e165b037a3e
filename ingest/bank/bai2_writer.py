"""Write a BAI2 file as a bank would: one prior-day statement that foots. For demonstrations and tests.

Source: BAI Cash Management Balance Reporting Specifications, Version 2. Every file written here reads back, by
``ingest.bank.bai2``, as exactly what went in.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from ingest.bank.statement import AsOfModifier, is_credit_code
from schemas.errors import WrongUseError
from schemas.money import MAX_CENTS

LINE_LENGTH: Final = 80

_FIELD = re.compile(r"[!-+\-.0-~](?:[ -+\-.0-~]*[!-+\-.0-~])?")
"""Printable ASCII without comma and slash, no blank at either end."""
_TEXT = re.compile(r"[!-~](?:[ -~]*[!-~])?")


class StatementLine(NamedTuple):
    """A movement to report."""

    type_code: str
    """A BAI2 detail code: it says whether this is a credit."""
    amount_cents: int
    """Above zero."""
    bank_reference: str
    customer_reference: str
    text: str
    """As long as it likes; it is broken into continuation records."""


def write_bai2(
    *,
    account: str,
    as_of: date,
    opening_cents: int,
    items: Sequence[StatementLine | tuple[str, int, str, str, str]],
    sender: str = "071000010",
    receiver: str = "CENTRALPAY",
    file_id: str = "1",
    created_on: date | None = None,
    currency: str = "USD",
    as_of_modifier: AsOfModifier = AsOfModifier.FINAL_PREVIOUS_DAY,
) -> bytes:
    """Write the statement of one account for one day.

    Args:
        account: number of the account.
        as_of: the day that is reported.
        opening_cents: opening ledger balance; the closing one follows from the items.
        items: in the order of the statement.
        sender: routing number of the bank.
        receiver: the customer as the bank knows it.
        file_id: tells the bank's files of one day apart.
        created_on: day of the file; the day that is reported when left out.
        currency: ISO 4217.
        as_of_modifier: how final the figures are.

    Raises:
        WrongUseError: a value cannot stand in a BAI2 file; names the field.
    """
    facts = {"account": account, "sender": sender, "receiver": receiver, "file_id": file_id, "currency": currency}
    for name, value in facts.items():
        _require(_FIELD.fullmatch(value), name, "printable ASCII without comma and slash")
    _require(re.fullmatch(r"[A-Z]{3}", currency), "currency", "three capital letters")
    lines = [StatementLine(*each) for each in items]
    for line in lines:
        _check(line)
    credit, debit = (
        [line.amount_cents for line in lines if is_credit_code(line.type_code) is side] for side in (True, False)
    )
    closing_cents = opening_cents + sum(credit) - sum(debit)
    _require(abs(opening_cents) < MAX_CENTS and abs(closing_cents) < MAX_CENTS, "opening_cents", "a balance in range")
    total = opening_cents + closing_cents + 2 * (sum(credit) + sum(debit))
    records = [
        f"03,{account},{currency},010,{opening_cents},,,015,{closing_cents},,/",
        f"88,100,{sum(credit)},{len(credit)},,400,{sum(debit)},{len(debit)},/",
    ]
    for line in lines:
        records.extend(_detail(line))
    records.append(f"49,{total},{len(records) + 1}/")
    day, created = f"{as_of:%y%m%d}", f"{created_on or as_of:%y%m%d}"
    head = [
        f"01,{sender},{receiver},{created},2300,{file_id},,,2/",
        f"02,{receiver},{sender},1,{day},,{currency},{as_of_modifier}/",
    ]
    tail = [f"98,{total},1,{len(records) + 2}/", f"99,{total},1,{len(records) + 4}/"]
    return "".join(f"{record}\n" for record in (*head, *records, *tail)).encode("ascii")


def _require(holds: object, field: str, expected: str) -> None:
    if not holds:
        raise WrongUseError(f"A BAI2 file cannot be written: {field} must be {expected}.")


def _check(line: StatementLine) -> None:
    _require(is_credit_code(line.type_code) is not None, "type_code", "a detail code of a credit or a debit")
    _require(0 < line.amount_cents < MAX_CENTS, "amount_cents", "above zero and in range")
    for name in ("bank_reference", "customer_reference"):
        value = getattr(line, name)
        _require(not value or _FIELD.fullmatch(value), name, "printable ASCII without comma and slash")
    _require(not line.text or _TEXT.fullmatch(line.text), "text", "printable ASCII without a blank at either end")


def _detail(line: StatementLine) -> Iterator[str]:
    """Write a record 16, its text broken into 88s."""
    head = f"16,{line.type_code},{line.amount_cents},,{line.bank_reference},{line.customer_reference},"
    pieces = list(_pieces(line.text, LINE_LENGTH - len(head) - 1, LINE_LENGTH - len("88,") - 1))
    if pieces and all(piece.endswith("/") for piece in pieces if piece):
        # Readers take such slashes for the end of each line. With one more on each, those are the ones they take.
        pieces = [piece and f"{piece}/" for piece in pieces]
    first, *more = pieces or [""]
    yield head + (first or "/")
    for piece in more:
        yield f"88,{piece}"


def _pieces(text: str, first_room: int, room: int) -> Iterator[str]:
    """Break a text, never after a blank, because readers take blanks at the end of a line for filling.

    The first piece is empty when the first line has no room for any of it.
    """
    width, start = first_room, 0
    if text and width < 1:
        yield ""
        width = room
    while start < len(text):
        end = min(start + width, len(text))
        while end > start and text[end - 1] == " ":
            end -= 1
        if end == start:
            end = len(text) - len(text[start:].lstrip(" ")) + 1
        yield text[start:end]
        start, width = end, room
