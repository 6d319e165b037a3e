"""The proofs that the model can give of itself; each returns its failures as sentences, none when it holds."""

from collections import defaultdict
from collections.abc import Callable

from tests.model.book import Book, ItemKey, Turnover
from tests.model.chart import MEMBER_LIABILITIES, OWED_TO_THIRD_PARTIES, UNFUNDED
from tests.model.facts import HOUSE


def _owners(book: Book) -> tuple[str, ...]:
    return (HOUSE, *book.members)


def zero_sums(book: Book) -> list[str]:
    """P1: every entry sums to zero, and so does every owner's ledger."""
    failures = []
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for posted in book.posted:
        for entry in posted.entries:
            cents = sum(line.amount_cents for line in entry.lines)
            totals[entry.owner, entry.ledger] += cents
            if cents:
                failures.append(f"P1: an entry of transaction {posted.transaction_id} sums to {cents}")
    failures += [f"P1: {owner}'s {ledger} sums to {cents}" for (owner, ledger), cents in totals.items() if cents]
    return failures


def unfunded_mirror(book: Book) -> list[str]:
    """P2: for each owner, what was advised and what is owed once funded cancel out."""
    accounts = [(key, turnover) for key, turnover in book.accounts.items() if key.account in UNFUNDED]
    sums = {
        owner: sum(turnover.balance_cents for key, turnover in accounts if key.owner == owner)
        for owner in _owners(book)
    }
    return [f"P2: {owner}'s unfunded accounts sum to {cents}" for owner, cents in sums.items() if cents]


def member_coverage(book: Book) -> list[str]:
    """P3, members: the advance is what the member owes; cash is what is owed to it, never below zero."""
    failures = []
    for owner in book.members:
        advance, owed = book.balance(owner, "operating_advance"), -book.balance(owner, "due_available")
        if advance != max(0, owed):
            failures.append(f"P3: {owner}'s advance is {advance} and it owes {owed}")
        cash = book.balance(owner, "cash")
        liabilities = sum(book.balance(owner, name) for name in MEMBER_LIABILITIES)
        if cash != liabilities or cash < 0:
            failures.append(f"P3: {owner}'s cash is {cash}, its funded liabilities {liabilities}")
    return failures


def house_coverage(book: Book) -> list[str]:
    """P3, house: its cash and unexplained debits cover what it owes to third parties.

    An unknown payee in debit is owed nothing, and takes nothing from another.
    """
    cover = book.balance(HOUSE, "cash") + book.balance(HOUSE, "unmatched_debit")
    owed = sum(book.balance(HOUSE, name) for name in OWED_TO_THIRD_PARTIES)
    owed += sum(max(0, cents) for cents in book.open_items("unknown_payee").values())
    return [f"P3: the house has {cover} and owes {owed} to third parties"] if cover < owed else []


def release_cover(book: Book) -> list[str]:
    """P3 before any release: the float covers unexplained debits and network adjustments not yet allocated."""
    adjustment = -book.balance(HOUSE, "network_adjustment")
    needed = book.balance(HOUSE, "unmatched_debit") + adjustment
    has = book.balance(HOUSE, "operating_float")
    return [f"P3: the float is {has}, a release needs {needed}"] if has < needed else []


def bank(book: Book) -> list[str]:
    """P4: custody cash over all owners is the sum of the bank lines posted."""
    lines = {posted.transaction.bank_line for posted in book.posted}
    booked = sum(book.bank_lines[line] for line in lines if line is not None)
    cash = book.total("cash")
    return [f"P4: cash is {cash}, the bank lines posted sum to {booked}"] if cash != booked else []


def fees(book: Book) -> list[str]:
    """P6: a fee is assessed as due or the rest given back; all that is not waived is collected, no more is refunded."""
    return [
        f"P6: {owner}'s fee of {month} is {fee} where {due} is due"
        for (owner, month), fee in book.fee_months().items()
        for due in [book.fee_due(owner, month) or 0]
        if 0 < fee.assessed_cents < due
        or fee.assessed_cents - due > fee.waived_cents + fee.refunded_cents
        or (fee.collected_cents and fee.collected_cents != fee.assessed_cents - fee.waived_cents)
        or fee.refunded_cents > fee.swept_cents
    ]


def mirrors(book: Book) -> list[str]:
    """P9: what custody owes to the PSAO is what the operating ledger claims from it."""
    failures = []
    for owner in book.members:
        advance, claim = book.balance(owner, "operating_advance"), book.balance(owner, "advance_receivable")
        if advance != claim:
            failures.append(f"P9: {owner}'s advance is {advance}, the operating ledger's claim {claim}")
    floated, mirror = book.balance(HOUSE, "operating_float"), book.total("custody_float")
    if floated != mirror:
        failures.append(f"P9: the float is {floated}, its mirror {mirror}")
    return failures


def rebuilt_balances(book: Book) -> list[str]:
    """P10: the balances kept are those that the lines add up to."""
    again = Book()
    for posted in book.posted:
        again.take_up(posted.lines)
    stored = {key: turnover for key, turnover in book.accounts.items() if turnover != Turnover()}
    items: dict[ItemKey, int] = {key: cents for key, cents in book.items.items() if cents}
    failures = []
    if stored != {key: turnover for key, turnover in again.accounts.items() if turnover != Turnover()}:
        failures.append("P10: the balances kept are not those of the lines")
    if items != {key: cents for key, cents in again.items.items() if cents}:
        failures.append("P10: the open items kept are not those of the lines")
    return failures


PROOFS: dict[str, Callable[[Book], list[str]]] = {
    "P1": zero_sums,
    "P2": unfunded_mirror,
    "P3 members": member_coverage,
    "P3 house": house_coverage,
    "P4": bank,
    "P6": fees,
    "P9": mirrors,
    "P10": rebuilt_balances,
}
"""Proofs of the model by name. ``release_cover`` is asked before a release only, so it is not among them."""


def failures_of(book: Book) -> list[str]:
    """Run all proofs and list what fails."""
    return [failure for proof in PROOFS.values() for failure in proof(book)]
