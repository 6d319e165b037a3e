"""One statement of a CAMT.053 file while it is read: its pages, its balances, and whether its entries explain them.

Source: ISO 20022 message camt.053, AccountStatement: balances OPBD, PRCD and CLBD, pagination, transactions summary.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count

from ingest.bank.camt053_entry import read_entry
from ingest.bank.camt053_fields import Place
from ingest.bank.lines import shown
from ingest.bank.statement import AsOfModifier, BankItem, BankStatement, GroupStatus
from schemas.findings import Finding, Severity
from schemas.money import cents_from_text

OPENING, PREVIOUS_CLOSING, CLOSING = "OPBD", "PRCD", "CLBD"
_UNBOOKED = frozenset(("PDNG", "INFO", "FUTR"))
"""Statuses of entries that are not on the account: pending, for information, to come."""
ITEMS_LIMIT = 500_000
"""So many movements of one account are read; no day of one account comes near it."""


class StatementPage:
    """One element ``Stmt``: a statement, or a page of it.

    Args:
        place: the element, of which nothing is read yet.
    """

    def __init__(self, place: Place) -> None:
        self.path = place.path
        self.line = place.line
        self.findings = place.findings
        self.identification = ""
        self.account = ""
        self.currency = ""
        self.number: int | None = None
        self.is_last = True
        self.ends_on: date | None = None
        self.items: list[BankItem] = []
        self.unbooked: Counter[str] = Counter()
        self.balances: dict[str, tuple[int, date | None]] = {}
        self._entries = 0
        self._sums: dict[str, int] = {}

    def refuse(self, rule: str, below: str, expected: str, found: str, *, advice: str = "") -> None:
        """Say what is wrong with the statement."""
        self.findings.add(rule, f"{self.path}/{below}", expected, found, line=self.line, advice=advice)

    def take_account(self, place: Place) -> None:
        """Take whose statement it is."""
        if self.account:
            place.refuse("element_once", "", "one account", "another")
        self.account = "".join(place.text("Id/Othr/Id", "Id/IBAN").split())
        if not self.account:
            place.refuse("account", "Id", "an account number", "nothing")
        self.currency = place.text("Ccy")

    def take_page(self, place: Place) -> None:
        """Take which page of the statement it is."""
        number = place.text("PgNb")
        if number.isascii() and number.isdigit() and len(number) <= 5:
            self.number = int(number)
        else:
            place.refuse("page", "PgNb", "a number of up to five digits", shown(number))
        self.is_last = place.code("LastPgInd", "true", "false", "1", "0") in {"true", "1"}

    def take_balance(self, place: Place) -> None:
        """Take a balance; those that are neither booked opening nor booked closing ones are passed over."""
        code = place.text("Tp/CdOrPrtry/Cd")
        if code not in {OPENING, PREVIOUS_CLOSING, CLOSING}:
            return
        self.currency = self.currency or place.currency("Amt")
        cents, side = place.cents("Amt", self.currency), place.code("CdtDbtInd", "CRDT", "DBIT")
        if cents is None or not side:
            return
        if code in self.balances:
            place.refuse("balance_once", "Tp", f"one balance of type {code}", "another")
        day = place.day("Dt/Dt", "Dt/DtTm")
        self.balances[code] = (cents if side == "CRDT" else -cents, day)

    def take_summary(self, place: Place) -> None:
        """Take the bank's own sums of the entries."""
        for side, path in (("CRDT", "TtlCdtNtries/Sum"), ("DBIT", "TtlDbtNtries/Sum")):
            text = place.text(path)
            try:
                if text:
                    self._sums[side] = cents_from_text(text)
            except ValueError:
                place.refuse("amount", path, "an amount of whole cents", shown(text))

    def take_rest(self, place: Place) -> None:
        """Take what stands in the statement itself."""
        self.identification = place.text("Id")
        self.ends_on = place.day("FrToDt/ToDtTm")

    def take_entry(self, place: Place) -> None:
        """Take an entry."""
        self._entries += 1
        self.currency = self.currency or place.currency("Amt")
        entry = read_entry(place, self.currency, self._entries, len(self.items) + 1)
        if entry.status != "BOOK":
            self.unbooked[entry.status] += 1
            return
        if len(self.items) + len(entry.items) > ITEMS_LIMIT:
            place.refuse("statement_size", "", f"at most {ITEMS_LIMIT} entries", "more")
            place.findings.refuse()
        closing = self.balances.get(CLOSING)
        if entry.booked_on is not None and closing is not None and closing[1] not in {None, entry.booked_on}:
            advice = "Ask the bank for a statement of each day; nobody could say how each of them closed."
            expected = f"the day of the closing balance, {closing[1]}"
            place.refuse("statement_is_of_one_day", "BookgDt", expected, f"{entry.booked_on}", advice=advice)
        self.items.extend(entry.items)

    def check_sums(self) -> None:
        """Hold the entries against the bank's own sums, where nothing was left out of them."""
        if self.unbooked:
            return
        for side, stated in self._sums.items():
            cents = sum(item.amount_cents for item in self.items if item.is_credit is (side == "CRDT"))
            if cents != stated and not any(item.batch for item in self.items):
                advice = "The entries do not make up the bank's own total."
                self.refuse("side_total", "TxsSummry", f"{side} {cents} cents", f"{stated} cents", advice=advice)

    def warnings(self) -> Iterator[Finding]:
        """Say which entries were left out because they are not on the account yet."""
        for status, number in sorted(self.unbooked.items()):
            yield Finding(
                rule="entry_is_booked",
                element=f"{self.path}/Ntry/Sts",
                expected="BOOK",
                found=f"{number} entries of status {status if status in _UNBOOKED else shown(status)}",
                line=self.line,
                severity=Severity.WARN,
                advice="They were left out; the bank repeats them when they are booked.",
            )


def joined_pages(pages: Sequence[StatementPage], created_on: date | None) -> Iterator[BankStatement]:
    """Put the pages of each statement together, and hold its entries against its balances."""
    statements: dict[tuple[str, object], list[StatementPage]] = defaultdict(list)
    unpaged = count()
    for page in pages:
        # A statement in one piece is its own, even where another one has the same identification.
        key = next(unpaged) if page.number is None else page.identification
        statements[page.account, key].append(page)
    for parts in statements.values():
        ordered = sorted(parts, key=lambda page: page.number or 1)
        _check_pages(ordered)
        statement = _statement(ordered, created_on)
        if statement is not None:
            yield statement


def _check_pages(pages: Sequence[StatementPage]) -> None:
    """See that each page is there once, and the last one is the last."""
    first, numbers = pages[0], [page.number or 1 for page in pages]
    told = ", ".join(map(str, numbers[:20]))
    if len(set(numbers)) < len(numbers):
        first.refuse("page_once", "StmtPgntn/PgNb", "each page once", told, advice="Leave the repeated pages out.")
    elif numbers != list(range(1, len(numbers) + 1)) or not pages[-1].is_last:
        found = f"{told}{', the last' if pages[-1].is_last else ', not the last'}"
        advice = "Give all pages of a statement in one file."
        first.refuse("pages_complete", "StmtPgntn", "every page from 1 to the last", found, advice=advice)
    if any(page.is_last for page in pages[:-1]):
        first.refuse("pages_complete", "StmtPgntn/LastPgInd", "one last page", "another before it")


def _statement(pages: Sequence[StatementPage], created_on: date | None) -> BankStatement | None:
    first = pages[0]
    opening_cents = _balance(pages, OPENING, PREVIOUS_CLOSING)
    closing_cents = _balance(pages, CLOSING)
    as_of = next((page.balances[CLOSING][1] for page in pages if CLOSING in page.balances), None) or first.ends_on
    if not first.account:
        first.refuse("account", "Acct", "an account", "nothing")
    if as_of is None:
        first.refuse("date", "Bal/Dt", "the day of the closing balance", "nothing")
    items = [item for page in pages for item in page.items]
    if opening_cents is not None and closing_cents is not None:
        moved_cents = sum(item.amount_cents if item.is_credit else -item.amount_cents for item in items)
        if opening_cents + moved_cents != closing_cents:
            advice = "Opening balance, credits and debits do not make the closing balance."
            expected, found = f"{opening_cents + moved_cents} cents", f"{closing_cents} cents"
            first.refuse("balance", f"Bal {CLOSING}", expected, found, advice=advice)
    for page in pages:
        page.check_sums()
    if as_of is None:
        return None
    return BankStatement(
        account=first.account,
        currency=first.currency or "USD",
        as_of=as_of,
        as_of_modifier=AsOfModifier.FINAL_PREVIOUS_DAY,
        group_status=GroupStatus.UPDATE,
        file_created_on=created_on or as_of,
        opening_cents=opening_cents,
        closing_cents=closing_cents,
        items=tuple(items),
        line=first.line or 1,
    )


def _balance(pages: Sequence[StatementPage], *codes: str) -> int | None:
    """Give a balance that one of the pages has; several that say different amounts, or none, are a finding."""
    found = {page.balances[code][0] for page in pages for code in codes if code in page.balances}
    if len(found) > 1:
        pages[0].refuse("balance_once", "Bal", f"one amount for {' and '.join(codes)}", f"{len(found)}")
    if not found:
        advice = "Without it nobody can tell whether entries are missing; ask the bank for it."
        pages[0].refuse("balance_present", "Bal", f"a balance of type {' or '.join(codes)}", "none", advice=advice)
    return min(found, default=None)
