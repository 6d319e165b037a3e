"""One open bank line under its lock: what people explain debits and deposits with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from ingest.cases import Case
from ingest.free_days import free_on
from ledger.queries import Queries
from payouts.resolutions.errors import AmountError, MovedOnError, NotOpenError, SubjectMissingError
from payouts.resolutions.frame import Resolution
from payouts.resolutions.rows import QUERIES
from schemas.money import show_cents

_BANK = Queries("ingest", "bank.sql")
_SUBJECT = "bank line "


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A bank line with what is still open of it: positive cents, of a debit as of a credit."""

    bank_line_id: int
    as_of: date
    is_debit: bool
    open_cents: int

    @property
    def said(self) -> str:
        """Name it for a person."""
        return f"{'debit' if self.is_debit else 'deposit'} {self.bank_line_id} of {self.as_of}"


def open_item(connection: Connection, bank_line_id: int, *, is_debit: bool) -> OpenItem:
    """Take a bank line's turn and give what is open of it.

    Raises:
        NotOpenError: there is none, it is on the other side, it was set aside, or nothing of it is open.
    """
    connection.execute(QUERIES["lock_line"], {"bank_line_id": bank_line_id})
    row = connection.execute(QUERIES["open_line"], {"bank_line_id": bank_line_id}).first()
    name = f"bank line {bank_line_id}"
    if row is None:
        raise NotOpenError(name, "there is none of that number")
    if (row.amount_cents < 0) is not is_debit:
        raise NotOpenError(name, f"it is a {'credit' if is_debit else 'debit'}")
    if row.state == "suspended":
        raise NotOpenError(name, "it was set aside; let it be matched again first (action unsuspend)")
    if not row.open_cents:
        raise NotOpenError(name, "it is explained to the last cent")
    return OpenItem(bank_line_id, row.as_of, is_debit, abs(row.open_cents))


def day_to_post(connection: Connection, items: Sequence[OpenItem], cents: int) -> date:
    """Give the day on which the bank has booked all of them, and nothing that was reversed since uses them.

    Args:
        connection: of a unit of work that holds their turns.
        items: what is posted together.
        cents: what is posted of each.
    """
    return free_on(connection, max(item.as_of for item in items), lines={item.bank_line_id: cents for item in items})


def item_of_case(connection: Connection, case: Case, *, is_debit: bool) -> OpenItem:
    """Take the turn of the bank line that a case is about.

    Raises:
        NotOpenError: nothing of it is open any more.
    """
    number = case.subject.removeprefix(_SUBJECT)
    if not number.isdigit():
        raise SubjectMissingError("bank line", "--bank-line N")
    return open_item(connection, int(number), is_debit=is_debit)


def counterpart(connection: Connection, request: Resolution, *, is_debit: bool) -> OpenItem:
    """Take the turn of the one bank line that a request names.

    Raises:
        SubjectMissingError: it names none, or several.
        NotOpenError: nothing of it is open.
    """
    if len(request.bank_lines) != 1:
        raise SubjectMissingError("bank line brought it back or took it out", "--bank-line N, one of them")
    return open_item(connection, request.bank_lines[0], is_debit=is_debit)


def part(request: Resolution, item: OpenItem) -> int:
    """Give how much of what is open is meant: all, or the part that a request names.

    Raises:
        AmountError: it is no part of it.
    """
    cents = item.open_cents if request.amount_cents is None else request.amount_cents
    if not 0 < cents <= item.open_cents:
        raise AmountError(cents, item.open_cents, item.said)
    return cents


def still_open(connection: Connection, bank_line_id: int, cents: int, *, is_debit: bool) -> OpenItem:
    """See, under lock, that what was approved is still open of a bank line.

    Raises:
        MovedOnError: less is open.
    """
    try:
        item = open_item(connection, bank_line_id, is_debit=is_debit)
    except NotOpenError as error:
        raise MovedOnError(str(error)) from error
    if item.open_cents < cents:
        raise MovedOnError(f"{show_cents(item.open_cents)} is open of {item.said}, approved was {show_cents(cents)}")
    return item


def settle_items(connection: Connection, bank_lines: Iterable[int]) -> None:
    """Mark the bank lines matched of which nothing is open any more."""
    connection.execute(_BANK["settle_lines"], {"lines": list(bank_lines)})
