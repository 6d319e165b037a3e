"""The refusals that a transaction can meet, each a function that says whether it applies."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tests.model.advance import missing_advances
from tests.model.book import RELEASES, AccountKey, Book, ItemKey, Turnover
from tests.model.chart import CHART, FLOAT_LEANERS, UNFUNDED, Kind
from tests.model.facts import HOUSE, REVERSED, Entry, Ledger, Line, Reference, Transaction
from tests.model.matrix import DERIVED_EVENTS, MATRIX
from tests.model.refusals import Refusal

MAY_NOT_OVERDRAW = ("payout_released", "fee_collected", "held", "levied")
"""Events that may not take ``due_available`` into debit; only what a payer does may."""

BANK_FACTS = ("deposited", "debited")
"""Events whose custody cash is a bank line."""


@dataclass(frozen=True)
class Attempt:
    """A transaction about to be posted: its own lines, the advance derived from them, its accounting date."""

    transaction: Transaction
    derived: tuple[Entry, ...]
    effective_on: date | None

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines, derived ones last."""
        return self.transaction.lines + tuple(line for entry in self.derived for line in entry.lines)


def refusals(book: Book, attempt: Attempt) -> frozenset[Refusal]:
    """Name every refusal that applies, save the conflict of facts, which is settled before."""
    return frozenset(refusal for refusal, applies in CHECKS.items() if applies(book, attempt))


def _unbalanced(book: Book, attempt: Attempt) -> bool:
    del book
    entries = attempt.transaction.entries()
    return not entries or any(
        len(entry.lines) < 2
        or sum(line.amount_cents for line in entry.lines) != 0
        or any(line.amount_cents == 0 for line in entry.lines)
        or sum(line.amount_cents for line in entry.lines if line.account in UNFUNDED) != 0
        for entry in entries
    )


def _outside_matrix(book: Book, attempt: Attempt) -> bool:
    asked = attempt.transaction
    if asked.event in DERIVED_EVENTS:
        return True
    entries = attempt.derived if asked.event == REVERSED else asked.entries() + attempt.derived
    return any(
        (entry.event, line.ledger, book.owner_kind(line.owner), line.account, line.side) not in MATRIX
        for entry in entries
        for line in entry.lines
    )


def _wrong_fee(book: Book, attempt: Attempt) -> bool:
    event = attempt.transaction.event
    if event == "fee_assessed" and _wrongly_assessed(book, attempt):
        return True
    if (event == "fee_collected" and _wrongly_collected(book, attempt)) or _withheld_uncovered(book, attempt):
        return True
    return _refunded_uncollected(book, attempt) or _collected_in_two(book, attempt)


def _withheld_uncovered(book: Book, attempt: Attempt) -> bool:
    """Whether a month's fee would be withheld that is no longer receivable: waived or reversed after collection."""
    keys = {
        (line.owner, line.reference) for line in attempt.lines if line.account in {"fee_receivable", "fee_withheld"}
    }
    receivable, withheld = book.open_items("fee_receivable"), book.open_items("fee_withheld")
    for key in keys:
        changes = {"fee_receivable": 0, "fee_withheld": 0}
        for line in attempt.lines:
            if (line.owner, line.reference) == key and line.account in changes:
                changes[line.account] += line.amount_cents
        open_cents = receivable.get(key, 0) + changes["fee_receivable"]
        if withheld.get(key, 0) - changes["fee_withheld"] > max(0, open_cents):
            return True
    return False


def _original(book: Book, attempt: Attempt) -> str | None:
    """Name the event that is turned, when it is a reversal."""
    found = book.find(attempt.transaction.reverses) if attempt.transaction.reverses is not None else None
    return None if found is None else found.transaction.event


def _refunded_uncollected(book: Book, attempt: Attempt) -> bool:
    """Whether more of a month would be refunded than was collected and swept."""
    known, refunded, swept = book.fee_months(), Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    event, original = attempt.transaction.event, _original(book, attempt)
    if event == "fee_refunded":
        refunded.update(dict(_fee_lines(attempt, "fee_waived")))
    elif original == "fee_swept":
        swept.update(dict(_fee_lines(attempt, "fee_withheld")))
    return any(
        known[key].refunded_cents + refunded[key] > known[key].swept_cents + swept[key] for key in {*refunded, *swept}
    )


def _collected_in_two(book: Book, attempt: Attempt) -> bool:
    """Whether what was waived would be open again though the rest of it is collected."""
    if _original(book, attempt) != "fee_waived":
        return False
    known = book.fee_months()
    return any(known[key].collected_cents > 0 for key, _ in _fee_lines(attempt, "fee_receivable"))


def _fee_lines(attempt: Attempt, account: str) -> list[tuple[tuple[str, int], int]]:
    return [
        ((line.owner, line.reference), line.amount_cents)
        for line in attempt.transaction.lines
        if line.account == account and isinstance(line.reference, int)
    ]


def _twice(lines: list[tuple[tuple[str, int], int]]) -> bool:
    return any(count > 1 for count in Counter(key for key, _ in lines).values())


def _wrongly_assessed(book: Book, attempt: Attempt) -> bool:
    lines = _fee_lines(attempt, "fee_receivable")
    known = book.fee_months()
    return _twice(lines) or any(
        cents != book.fee_due(*key) or (key in known and known[key].assessed_cents != 0) for key, cents in lines
    )


def _wrongly_collected(book: Book, attempt: Attempt) -> bool:
    lines = _fee_lines(attempt, "fee_withheld")
    known = book.fee_months()
    receivable = book.open_items("fee_receivable")
    return _twice(lines) or any(
        -cents != receivable.get(key, 0) or (key in known and known[key].collected_cents != 0) for key, cents in lines
    )


def _no_open_period(book: Book, attempt: Attempt) -> bool:
    del book
    return attempt.effective_on is None


def _overdrawn(book: Book, attempt: Attempt) -> bool:
    if attempt.transaction.event not in MAY_NOT_OVERDRAW:
        return False
    taken: dict[str, int] = defaultdict(int)
    for line in attempt.transaction.lines:
        if line.account == "due_available":
            taken[line.owner] += line.amount_cents
    return any(cents > 0 and book.balance(owner, "due_available") < cents for owner, cents in taken.items())


def _on_wrong_side(book: Book, attempt: Attempt) -> bool:
    accounts: dict[AccountKey, int] = defaultdict(int)
    items: dict[ItemKey, int] = defaultdict(int)
    for line in attempt.lines:
        key = AccountKey(line.owner, line.ledger, line.account)
        accounts[key] += line.amount_cents
        items[ItemKey(*key, line.reference)] += line.amount_cents
    for key, change in accounts.items():
        known = key.account in CHART and CHART[key.account].kind is Kind.LIABILITY
        if known and book.accounts.get(key, Turnover()).balance_cents + change > 0:
            return True
    for item, change in items.items():
        if item.account in CHART and CHART[item.account].open_item:
            sign = 1 if CHART[item.account].kind is Kind.ASSET else -1
            if sign * (book.items.get(item, 0) + change) < 0:
                return True
    return _float_too_small(book, attempt.lines)


def _float_too_small(book: Book, lines: tuple[Line, ...]) -> bool:
    """Say whether negatives that are no member's, an unknown payee's or the network's, would exceed the float."""
    leaning = [line for line in lines if line.owner == HOUSE and line.account in FLOAT_LEANERS]
    if not leaning:
        return False
    debits: dict[tuple[str, Reference], int] = defaultdict(int)
    known = [(key, cents) for key, cents in book.items.items() if key.owner == HOUSE and key.account in FLOAT_LEANERS]
    for account, reference, cents in [(key.account, key.reference, cents) for key, cents in known] + [
        (line.account, line.reference, line.amount_cents) for line in leaning
    ]:
        # The network is one; of the unknown payees none stands in for another.
        debits[account, reference if account == "unknown_payee" else None] += cents
    needed = sum(max(0, cents) for (account, _), cents in debits.items() if account != "operating_float")
    return -debits["operating_float", None] < needed


def _cash_astray(book: Book, attempt: Attempt) -> bool:
    return _against_the_bank(book, attempt) or _in_one_ledger_only(attempt.lines)


def _in_one_ledger_only(lines: tuple[Line, ...]) -> bool:
    """Say whether the PSAO's own money moves in one ledger and not in its mirror; advances mirror for each member."""
    floats = sum(line.amount_cents for line in lines if line.account in ("operating_float", "custody_float"))
    advances: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.account in ("operating_advance", "advance_receivable"):
            advances[line.owner] += line.amount_cents
    return floats != 0 or any(advances.values())


def _against_the_bank(book: Book, attempt: Attempt) -> bool:
    asked = attempt.transaction
    net = sum(line.amount_cents for line in attempt.lines if (line.ledger, line.account) == (Ledger.CUSTODY, "cash"))
    if asked.event not in BANK_FACTS:
        return net != 0 or asked.bank_line is not None
    if asked.bank_line is None or asked.bank_line not in book.bank_lines or book.is_posted(asked.bank_line):
        return True
    items = {line.reference for line in asked.lines if line.account in ("unmatched_deposit", "unmatched_debit")}
    return net != book.bank_lines[asked.bank_line] or not items <= {asked.bank_line}


def _advance_missing(book: Book, attempt: Attempt) -> bool:
    asked_for = attempt.transaction.event in DERIVED_EVENTS
    return asked_for or _gives_away(attempt) or bool(missing_advances(book, attempt.lines))


def _gives_away(attempt: Attempt) -> bool:
    """Say whether a write-off makes an advance at the same time: the member would get the PSAO's money."""
    if attempt.transaction.event != "advance_written_off":
        return False
    owners = {line.owner for line in attempt.transaction.lines if line.account == "operating_advance"}
    return any(entry.event == "advanced" and entry.owner in owners for entry in attempt.derived)


def _not_approved(book: Book, attempt: Attempt) -> bool:
    event = attempt.transaction.event
    if event not in RELEASES:
        return False
    lines = [line for line in attempt.transaction.lines if line.account == "in_transit"]
    gone = book.released_payouts()
    seen = Counter(line.reference for line in lines)
    for line in lines:
        if not _is_as_approved(book, event, line):
            return True
        if line.reference in gone or seen[line.reference] > 1:
            return True
    return False


def _is_as_approved(book: Book, event: str, line: Line) -> bool:
    """Say whether a line in transit is what was approved: a member's payout, or a disbursement of this event."""
    if event == "payout_released":
        payout = book.payouts.get(str(line.reference))
        return payout is not None and (payout.member_id, payout.amount_cents) == (line.owner, -line.amount_cents)
    found = book.disbursements.get(str(line.reference))
    return found is not None and (found.event, found.owner, found.amount_cents) == (
        event,
        line.owner,
        -line.amount_cents,
    )


def _false_reversal(book: Book, attempt: Attempt) -> bool:
    asked = attempt.transaction
    if asked.event != REVERSED:
        return asked.reverses is not None
    original = book.find(asked.reverses) if asked.reverses is not None else None
    if original is None or original.transaction.event == REVERSED:
        return True
    again = any(posted.transaction.reverses == asked.reverses for posted in book.posted)
    return again or Counter(asked.lines) != Counter(line.turned() for line in original.lines)


CHECKS: dict[Refusal, Callable[[Book, Attempt], bool]] = {
    Refusal.UNBALANCED: _unbalanced,
    Refusal.MATRIX: _outside_matrix,
    Refusal.FEE: _wrong_fee,
    Refusal.PERIOD: _no_open_period,
    Refusal.OVERDRAWN: _overdrawn,
    Refusal.WRONG_SIDE: _on_wrong_side,
    Refusal.CASH: _cash_astray,
    Refusal.ADVANCE: _advance_missing,
    Refusal.NOT_APPROVED: _not_approved,
    Refusal.REVERSAL: _false_reversal,
}
"""All that a posting can meet; 2 belongs to rewriting, 6 to the key of the fact."""
