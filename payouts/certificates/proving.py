"""What a member's certificate is held to: each rule once, each fault as a sentence. Nothing here trusts a trigger."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from ledger.queries import Queries
from payouts.certificates.kinds import LEFT, OWED, PART_OF, is_known
from payouts.certificates.model import FeeMonth, Figures, Parts, Roll
from payouts.statements.model import Statement
from schemas.money import show_cents

_QUERIES: Final = Queries("payouts", "certificates.sql")

PROVEN: Final = (
    "Every line of the book in these months is of a kind that the rules of posting have for a member's book.",
    "Opening, every change and closing foot, in the advices and payouts and once more in the journal's lines.",
    "What was kept is the flat fee collected, less what was refunded; it went to the flat fee's account alone.",
    "Each month of it is the contract's flat amount and never more; what a contract asks less by now was given back.",
    "The member's cash is what is owed to it and what is on its way; no money of another stands in for it.",
)
"""What stands behind a certificate that was made."""


class Book:
    """A member's book by account and by what moved it; cents, credit positive.

    Args:
        rows: of the query ``books``: ledger, account, event, before_cents, moved_cents.
    """

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self.rows = tuple(rows)
        self._before: dict[str, int] = defaultdict(int)
        self._moved: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in rows:
            if row.ledger == "custody":
                self._before[row.account] += row.before_cents
                self._moved[row.account][row.event] += row.moved_cents

    def before(self, *accounts: str) -> int:
        """What stood in accounts before the range."""
        return sum(self._before[account] for account in accounts)

    def after(self, *accounts: str) -> int:
        """What stands in accounts at the end."""
        return self.before(*accounts) + sum(sum(self._moved[account].values()) for account in accounts)

    def moved(self, event: str, *accounts: str) -> int:
        """What an event, less its reversals, moved of accounts."""
        return sum(self._moved[account][event] for account in accounts)

    def events(self, *accounts: str) -> set[str]:
        """What moved accounts."""
        return {event for account in accounts for event in self._moved[account]}

    @property
    def parts_before(self) -> Parts:
        """Of what the opening balance consists."""
        return Parts(**{name: self.before(account) for name, account in _PARTS.items()})

    @property
    def parts_after(self) -> Parts:
        """Of what the closing balance consists."""
        return Parts(**{name: self.after(account) for name, account in _PARTS.items()})

    def roll(self, account: str) -> Roll:
        """Roll an account forward."""
        moves = self._moved[account].values()
        came, went = sum(max(cents, 0) for cents in moves), sum(max(-cents, 0) for cents in moves)
        opening = self.before(account)
        return Roll(opening_cents=opening, in_cents=came, out_cents=went, closing_cents=opening + came - went)


_PARTS: Final = {"available": "due_available", "awaiting_payer": "due_unfunded", "held": "held"}


def faults_of(connection: Connection, told: Statement, book: Book, figures: Figures) -> tuple[str, ...]:
    """Say what of a certificate the books do not prove; nothing: all of it is proven."""
    faults = [*_strange_lines(book), *_does_not_foot(told, book, figures), *_cash(book), *_fees(book, figures)]
    for fee in figures.fees:
        faults += _fee_month(fee)
        if fee.to_give_back_cents and fee.to_give_back_cents > _declared(connection, told.ncpdp_id, fee.month):
            more = show_cents(fee.to_give_back_cents)
            faults.append(f"for {fee.month} {more} more than the contract asks were assessed, and nobody declared it")
    return tuple(faults)


def _strange_lines(book: Book) -> Iterator[str]:
    for row in book.rows:
        if not is_known(row.ledger, row.event, row.account):
            cents = show_cents(row.before_cents + row.moved_cents)
            yield f"a line of {row.account} by {row.event} ({cents}) is of no kind that a member's book has"


def _does_not_foot(told: Statement, book: Book, figures: Figures) -> Iterator[str]:
    if (book.parts_before.total, book.parts_after) != (figures.opening_cents, figures.closing_parts_cents):
        told_cents = f"{show_cents(figures.opening_cents)} and closes at {show_cents(figures.closing_cents)}"
        booked_cents = f"{show_cents(book.parts_before.total)} and {show_cents(book.parts_after.total)}"
        yield f"the statement opens at {told_cents}, the journal at {booked_cents}"
    for payer in figures.payers:
        came = payer.awaited_before_cents + payer.claims_cents + payer.taken_cents + payer.corrected_cents
        if came - payer.funded_cents != payer.awaited_after_cents:
            yield f"what is awaited of {payer.payer_name} does not roll forward"
    if figures.opening_cents + sum(figures.changes_cents.values()) != figures.closing_cents:
        yield "opening and changes are not the closing balance"
    booked: dict[str, int] = defaultdict(int)
    for event in book.events(*OWED):
        booked[PART_OF.get(event, "moves within what is owed")] += book.moved(event, *OWED)
    changes = dict(figures.changes_cents)
    # The journal has an advice as one amount: claims less what the payer took in it, less what was reversed.
    changes["advices_reversed"] += changes.pop("claims") + told.adjustments_cents
    changes["taken_by_payers"] -= told.adjustments_cents
    for part in sorted({*booked, *changes}):
        if booked[part] != changes.get(part, 0):
            listed = show_cents(changes.get(part, 0))
            yield f"{part.replace('_', ' ')}: {listed} are listed, {show_cents(booked[part])} are in the journal"
    released = -sum(row.amount_cents for row in told.movements if row.event == "payout_released")
    listed_cents = sum(each.amount_cents for each in figures.payouts)
    if listed_cents != released:
        yield f"payouts of {show_cents(listed_cents)} are listed, {show_cents(released)} were released"


def _cash(book: Book) -> Iterator[str]:
    owed = ("due_available", "held", *LEFT, "operating_advance")
    for when, stood in (("before", book.before), ("after", book.after)):
        if -stood("cash") != stood(*owed):
            cash, due = show_cents(-stood("cash")), show_cents(stood(*owed))
            yield f"{when} these months the cash is {cash}, what is owed {due}"
        if -stood("advised") != stood("due_unfunded"):
            yield f"{when} these months what is advised is not what awaits payers' money"


def _fees(book: Book, figures: Figures) -> Iterator[str]:
    collected, withheld = -book.moved("fee_collected", *OWED), book.moved("fee_collected", "fee_withheld")
    refunded = book.moved("fee_refunded", *OWED)
    if collected != withheld:
        yield f"{show_cents(collected)} were taken as fee, {show_cents(withheld)} came to the fee's account"
    months = sum(fee.collected_now_cents - fee.refunded_now_cents for fee in figures.fees)
    if not collected - refunded == figures.retained_cents == -figures.changes_cents["flat_fee"] == months:
        yield (
            f"kept were {show_cents(collected - refunded)}; the statement says {show_cents(figures.retained_cents)}, "
            f"the months of the fee {show_cents(months)}"
        )


def _fee_month(fee: FeeMonth) -> Iterator[str]:
    if fee.assessed_cents < fee.due_cents and (fee.assessed_cents or fee.collected_cents):
        assessed = show_cents(fee.assessed_cents)
        yield f"for {fee.month} the contract asks {show_cents(fee.due_cents)}; assessed are {assessed}"
    if fee.collected_cents > fee.assessed_cents or fee.refunded_cents > fee.collected_cents:
        given = f"{show_cents(fee.refunded_cents)} refunded of {show_cents(fee.assessed_cents)} assessed"
        yield f"for {fee.month} {show_cents(fee.collected_cents)} were collected and {given}"


def _declared(connection: Connection, ncpdp_id: str, month: str) -> int:
    return int(connection.execute(_QUERIES["declared"], {"subject": f"{ncpdp_id} {month}"}).scalar_one())
