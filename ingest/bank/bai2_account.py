"""One account of a BAI2 file while it is read: records 03 and 16, and whether they explain each other."""

import re
from typing import Final

from ingest.bank.bai2_records import FUNDS_PARTS, Record, amount_of, detail, parts_after, parts_hold
from ingest.bank.lines import shown
from ingest.bank.statement import NON_MONETARY, TOTAL_CREDITS, TOTAL_DEBITS, BankItem, is_credit_code
from schemas.collecting import FileFindings

OPENING_LEDGER: Final = "010"
CLOSING_LEDGER: Final = "015"

_GLUED = re.compile(r"/\s*(?:01|02|03|16|49|88|98|99),")


class Account:
    """What the records of one account add up to.

    Args:
        record: its record 03.
        fields: the fields of that record.
        findings: where to say what is wrong.
    """

    def __init__(self, record: Record, fields: list[str], findings: FileFindings) -> None:
        self._findings = findings
        self._summary: dict[str, int] = {}
        self._credits_cents = self._debits_cents = 0
        self._details = 0
        self.number = fields[1]
        self.line = record.line
        self.lines = 1 + len(record.more)
        """Lines so far, as record 49 counts them."""
        self.total = 0
        """Sum of all amounts so far, as record 49 has it."""
        self.items: list[BankItem] = []
        if not self.number:
            findings.add("account", "record 03 field 2", "an account number", "nothing", line=record.line)
        self._read_summary(fields)

    @property
    def opening_cents(self) -> int | None:
        """Opening ledger balance, when the bank gives it."""
        return self._summary.get(OPENING_LEDGER)

    @property
    def closing_cents(self) -> int | None:
        """Closing ledger balance, when the bank gives it."""
        return self._summary.get(CLOSING_LEDGER)

    def _read_summary(self, fields: list[str]) -> None:
        """Read balances and totals: type code, amount, number of items, funds type and what belongs to that."""
        place = 3
        while place < len(fields):
            code, amount, _, funds_type = (fields[place : place + 4] + [""] * 3)[:4]
            element = f"record 03 field {place + 2}"
            if amount:
                cents = amount_of(amount, self.line, element, self._findings)
                self.total += cents
                if self._summary.setdefault(code, cents) != cents:
                    self._findings.add("summary_once", element, f"one amount for {shown(code)}", "two", line=self.line)
            if (code or amount) and not (len(code) == 3 and code.isascii() and code.isdigit()):
                element = f"record 03 field {place + 1}"
                self._findings.add("type_code", element, "three digits", shown(code), line=self.line)
            place += 4
            parts = parts_after(funds_type, fields[place : place + 1])
            if parts is None:
                expected = "0, 1, 2, S, V, D with the number of its parts, or Z"
                self._findings.add(
                    "funds_type", f"record 03 field {place}", expected, shown(funds_type), line=self.line
                )
                return
            if not parts_hold(funds_type, fields[place : place + parts]):
                element = f"record 03 field {place + 1}"
                self._findings.add("funds_parts", element, FUNDS_PARTS, "another", line=self.line)
                return
            place += parts

    def add(self, record: Record) -> None:
        """Take a record 16."""
        self._details += 1
        self.lines += 1 + len(record.more)
        fields = detail(record, self._findings)
        if fields is None:
            return
        type_code, amount, funds_type, bank_reference, customer_reference, pieces = fields
        if type_code == NON_MONETARY and not amount:
            return
        cents = amount_of(amount, record.line, "record 16 field 3", self._findings)
        self.total += cents
        is_credit = is_credit_code(type_code)
        if is_credit is None:
            if type_code != NON_MONETARY:
                expected = "the code of a credit (100-399) or debit (400-699)"
                self._findings.add("type_code", "record 16 field 2", expected, shown(type_code), line=record.line)
            return
        if cents <= 0:
            # Nothing moved, as with a zero-dollar entry that only carries remittance; less than nothing cannot be.
            if cents < 0:
                advice = "Ask the bank whether this is a correction."
                self._findings.add(
                    "amount", "record 16 field 3", "no sign", amount[:1], line=record.line, advice=advice
                )
            return
        if is_credit:
            self._credits_cents += cents
        else:
            self._debits_cents += cents
        text = "".join(pieces)
        spaced = text if len(pieces) < 2 else " ".join(pieces)
        line, ordinal = record.line, self._details
        item = BankItem(
            type_code, cents, is_credit, funds_type, bank_reference, customer_reference, text, spaced, line, ordinal
        )
        self.items.append(item)

    def check_balance(self, line: int) -> bool:
        """Hold the items against the totals and balances that the bank gives.

        An account that is reported without any detail is held against its totals alone.

        Args:
            line: of the record 49.
        """
        holds = True
        sides = ((TOTAL_CREDITS, self._credits_cents), (TOTAL_DEBITS, self._debits_cents))
        if self._details:
            for code, cents in sides:
                stated = self._summary.get(code, cents)
                if stated != cents:
                    advice = "The details do not make up the bank's own total."
                    self._findings.add(
                        "side_total", f"type code {code}", str(cents), str(stated), line=line, advice=advice
                    )
                    holds = False
            credits_cents, debits_cents = self._credits_cents, self._debits_cents
        else:
            credits_cents, debits_cents = (self._summary.get(code, 0) for code, _ in sides)
        if self.opening_cents is None or self.closing_cents is None:
            return holds
        closing_cents = self.opening_cents + credits_cents - debits_cents
        if closing_cents != self.closing_cents:
            advice = "Opening balance, credits and debits do not make the closing balance."
            found = str(self.closing_cents)
            self._findings.add(
                "balance", f"type code {CLOSING_LEDGER}", str(closing_cents), found, line=line, advice=advice
            )
            holds = False
        return holds

    def look_for_glued_records(self) -> None:
        """Say where a text looks as if it had swallowed another record; asked only when the account does not foot."""
        for item in self.items:
            if _GLUED.search(f"{item.bank_reference},{item.customer_reference},{item.text_spaced}"):
                advice = "Several records seem to stand on one line; ask the bank for one record on each."
                self._findings.add(
                    "one_record_a_line",
                    "record 16",
                    "the end of the line",
                    "another record",
                    line=item.line,
                    advice=advice,
                )
