"""The model of the ledger: post or refuse, nothing in between.

The rules are the ledger's rules of posting: twelve refusals, entries that sum to zero for each owner, and an advance
that follows from every transaction which leaves a member owing.
"""

from datetime import date

from tests.model.advance import derived_entries
from tests.model.book import Book
from tests.model.chart import CHART, Refers
from tests.model.checks import Attempt, refusals
from tests.model.facts import (
    Disbursement,
    FlatFee,
    Line,
    Malformed,
    Member,
    Payout,
    Posted,
    Transaction,
    month_of,
)
from tests.model.refusals import Refusal, Refused


class Model(Book):
    """A ledger in memory. Every operation either succeeds or raises ``Refused`` and changes nothing."""

    def open_period(self, month: int) -> None:
        """Create the month YYYYMM, open; a month that is there stays as it is."""
        self.periods.setdefault(month, True)

    def close_period(self, month: int) -> None:
        """Close the month YYYYMM.

        Raises:
            Malformed: there is no such month.
        """
        if month not in self.periods:
            raise Malformed(f"there is no month {month} to close")
        self.periods[month] = False

    def add_member(self, member: Member) -> None:
        """Admit a member, whose book is empty."""
        if self.owner_kind(member.member_id) != "unknown":
            raise Malformed(f"{member.member_id} is already an owner")
        self.members[member.member_id] = member

    def add_fee(self, fee: FlatFee) -> None:
        """Agree a flat monthly fee from a day on."""
        if fee.member_id not in self.members or fee.amount_cents <= 0:
            raise Malformed("a fee needs a member and a positive amount")
        self.fees.append(fee)

    def add_bank_line(self, bank_line: str, amount_cents: int) -> None:
        """Take in a line of the bank's statement, signed as the bank signs it; it is not posted by this."""
        if bank_line in self.bank_lines or amount_cents == 0:
            raise Malformed("a bank line is taken in once and has an amount")
        self.bank_lines[bank_line] = amount_cents

    def approve_payout(self, payout: Payout, *, proposer: str, approver: str) -> None:
        """Approve a payout.

        Raises:
            Refused: NOT_APPROVED, the proposer approves.
        """
        if proposer == approver:
            raise Refused({Refusal.NOT_APPROVED})
        if payout.payout_id in self.payouts or payout.member_id not in self.members or payout.amount_cents <= 0:
            raise Malformed("a payout is approved once, for a member, with a positive amount")
        self.payouts[payout.payout_id] = payout

    def approve_disbursement(self, disbursement: Disbursement, *, proposer: str, approver: str) -> None:
        """Approve a payment to another than a member.

        Raises:
            Refused: NOT_APPROVED, the proposer approves.
        """
        if proposer == approver:
            raise Refused({Refusal.NOT_APPROVED})
        if disbursement.disbursement_id in self.disbursements or disbursement.amount_cents <= 0:
            raise Malformed("a disbursement is approved once, with a positive amount")
        self.disbursements[disbursement.disbursement_id] = disbursement

    def post(self, transaction: Transaction) -> Posted:
        """Post a transaction and the advance it makes necessary.

        Returns:
            What was created, or what the same fact with the same body created before.

        Raises:
            Refused: with all refusals that apply.
            Malformed: an owner, account or reference of which no rule speaks.
        """
        self._require_form(transaction)
        stored = self.find_fact(transaction.fact_key)
        differing = stored.transaction.differences(transaction) if stored is not None else frozenset()
        if stored is not None and not differing:
            return stored
        derived = derived_entries(self, transaction.lines)
        attempt = Attempt(transaction, derived, self.effective_on(transaction.fact_on))
        return self._create(attempt, differing)

    def reverse(self, transaction_id: int, fact_key: str, fact_on: date) -> Posted:
        """Reverse a whole transaction, its derived advance included, and post the advance that this makes necessary.

        Raises:
            Refused: REVERSAL for an unknown one, a second time or a reversal; or what ``post`` refuses.
        """
        reversal = self.reversal_of(transaction_id, fact_key, fact_on)
        if reversal is None:
            raise Refused({Refusal.REVERSAL})
        return self.post(reversal)

    def write(self, transaction: Transaction) -> Posted:
        """Write a transaction into the tables as their owner could, past ``post``: nothing is derived or re-dated.

        Raises:
            Refused: with all refusals that apply; CONFLICT for any fact that is already there.
        """
        self._require_form(transaction)
        taken = frozenset({"fact_key"}) if self.find_fact(transaction.fact_key) is not None else frozenset()
        is_open = self.periods.get(month_of(transaction.fact_on), False)
        return self._create(Attempt(transaction, (), transaction.fact_on if is_open else None), taken)

    def rewrite(self, transaction_id: int) -> None:
        """Try to change or delete what is posted; it is always refused."""
        self._require_posted(transaction_id)
        raise Refused({Refusal.REWRITTEN})

    def append(self, transaction_id: int, lines: tuple[Line, ...]) -> None:
        """Try to add lines to an entry of an earlier transaction; it is always refused."""
        del lines
        self._require_posted(transaction_id)
        raise Refused({Refusal.UNBALANCED})

    def _create(self, attempt: Attempt, differing: frozenset[str]) -> Posted:
        found = refusals(self, attempt) | ({Refusal.CONFLICT} if differing else frozenset())
        if found or attempt.effective_on is None:
            raise Refused(found, differing)
        posted = Posted(len(self.posted) + 1, attempt.transaction, attempt.effective_on, attempt.derived)
        self.posted.append(posted)
        self.take_up(posted.lines)
        return posted

    def _require_posted(self, transaction_id: int) -> None:
        if self.find(transaction_id) is None:
            raise Malformed(f"there is no transaction {transaction_id}")

    def _require_form(self, transaction: Transaction) -> None:
        for line in transaction.lines:
            if self.owner_kind(line.owner) == "unknown" or line.account not in CHART:
                raise Malformed(f"no rule speaks of {line.owner}'s account {line.account}")
            wanted = CHART[line.account].refers
            fits = {Refers.NOTHING: line.reference is None, Refers.MONTH: isinstance(line.reference, int)}
            if not fits.get(wanted, isinstance(line.reference, str)):
                raise Malformed(f"a line on {line.account} refers to {wanted}, not to {line.reference!r}")
