"""What the ledger refuses, as typed errors. The database decides; here, and only here, its words become ours."""

import json
from typing import Any, ClassVar

import psycopg
from sqlalchemy.exc import DBAPIError

from schemas.errors import RefusedError, WrongUseError


class LedgerRefusedError(RefusedError):
    """Base of the twelve refusals of ``docs/ledger.md``.

    Attributes:
        number: 1 to 12, as in ``docs/ledger.md``.
        rule: name of the constraint in the database.
        facts: what the database said of it: owner, amounts in cents, field.
    """

    number: ClassVar[int] = 0
    lead: ClassVar[str] = "The ledger refuses this"

    def __init__(self, rule: str, said: str, facts: dict[str, Any]) -> None:
        self.rule = rule
        self.facts = facts
        super().__init__(f"{self.lead}: {said} [{rule}]")


class EntryUnbalancedError(LedgerRefusedError):
    """1: an entry that does not sum to zero, lacks lines, or gets lines later."""

    number = 1
    lead = "An entry does not balance"


class JournalAppendOnlyError(LedgerRefusedError):
    """2: a change or removal of what is posted."""

    number = 2
    lead = "What is posted stays as it is"


class MatrixError(LedgerRefusedError):
    """3: a line that the posting matrix does not allow."""

    number = 3
    lead = "The posting matrix does not allow it"


class FeeNotDueError(LedgerRefusedError):
    """4: a fee that the contract does not ask for, twice the same month, or not collected whole."""

    number = 4
    lead = "The fee is not what the contract says"


class PeriodClosedError(LedgerRefusedError):
    """5: an entry in a period that is closed or does not exist."""

    number = 5
    lead = "The accounting period does not take it"


class FactConflictError(LedgerRefusedError):
    """6: the same business fact with another body."""

    number = 6
    lead = "The same fact was posted differently"


class InsufficientBalanceError(LedgerRefusedError):
    """7: a payout, fee, hold or levy of more than is available. ``facts['missing_cents']`` says how much is missing."""

    number = 7
    lead = "Not enough is available"


class LiabilityInDebitError(LedgerRefusedError):
    """8: a liability that would end in debit, or an open item overdrawn."""

    number = 8
    lead = "A liability would end in debit"


class FloatMissingError(LiabilityInDebitError):
    """8 for ``operating_float``: the PSAO's own money does not cover a negative. ``facts['missing_cents']``."""

    lead = "The float does not cover it"


class CashUnbalancedError(LedgerRefusedError):
    """9: a transaction that moves cash without the bank, or otherwise than the bank did."""

    number = 9
    lead = "Cash moves only with the bank"


class AdvanceWrongError(LedgerRefusedError):
    """10: an advance that is not what the member owes."""

    number = 10
    lead = "A member's advance must be what it owes"


class PayoutNotApprovedError(LedgerRefusedError):
    """11: a payout that is not, to the cent, an approved one."""

    number = 11
    lead = "Only approved payouts leave"


class ReversalError(LedgerRefusedError):
    """12: a reversal that is not the exact negation, a second one, or one of a reversal."""

    number = 12
    lead = "It can not be reversed so"


class SealRefusedError(RefusedError):
    """A leaf, a checkpoint or a signing key that would break the chain of the seal."""


class DecidedOnceError(RefusedError):
    """An approval that was decided, or whose subject would change under it."""


class MakerIsCheckerError(RefusedError):
    """The person who proposed may not decide."""


_BY_NUMBER: dict[int, type[LedgerRefusedError]] = {
    refusal.number: refusal
    for refusal in (
        EntryUnbalancedError,
        JournalAppendOnlyError,
        MatrixError,
        FeeNotDueError,
        PeriodClosedError,
        FactConflictError,
        InsufficientBalanceError,
        LiabilityInDebitError,
        CashUnbalancedError,
        AdvanceWrongError,
        PayoutNotApprovedError,
        ReversalError,
    )
}

# Refusals that a plain constraint makes, with the number they have.
_BY_CONSTRAINT = {
    "fact_is_posted_once": 6,
    "fact_is_entered_once": 6,
    "advance_is_never_asked_for": 3,
    "bank_line_is_posted_once": 9,
    "journal_transaction_bank_line_id_fkey": 9,
    "reversal_of_what_is_posted": 12,
    "transaction_is_reversed_once": 12,
    "reversal_names_its_original": 12,
    "bank_facts_name_their_line": 9,
    "amount_in_range": 1,
    "open_item_has_reference": 8,
}

_MAKER = "Another person than the one who proposed it has to decide (maker is not checker)"
_TWO_PEOPLE = {
    "maker_is_not_checker": _MAKER,
    "first_is_not_maker": _MAKER,
    "second_is_not_first": "A second approver is needed: another person than the first one has to decide",
}


def translate(error: DBAPIError | psycopg.Error) -> Exception:
    """Give the typed refusal for a driver's error, or the error itself when it is none of ours."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return error
    state = original.sqlstate or ""
    rule = original.diag.constraint_name or ""
    said = original.diag.message_primary or ""
    named = _named(state, rule, said)
    if named is not None:
        return named
    if isinstance(original, psycopg.errors.NumericValueOutOfRange):
        return WrongUseError("A number that was given is larger than any that is kept here; check it")
    number = int(state[2:]) if state.startswith("CP") else _BY_CONSTRAINT.get(rule, 0)
    kind = _BY_NUMBER.get(number)
    if kind is None:
        return error
    facts = _facts(original.diag.message_detail) if state.startswith("CP") else {}
    if number == LiabilityInDebitError.number and facts.get("account") == "operating_float":
        kind = FloatMissingError
    return kind(rule, said, facts)


def _named(state: str, rule: str, said: str) -> Exception | None:
    """Give the refusal of a guard that is none of the ledger's numbered ones, if it is one."""
    if rule in _TWO_PEOPLE:
        return MakerIsCheckerError(_TWO_PEOPLE[rule])
    if state == "CP020":
        return DecidedOnceError(said)
    return SealRefusedError(f"The seal refuses this: {said} [{rule}]") if state == "CP022" else None


def _facts(detail: str | None) -> dict[str, Any]:
    facts = json.loads(detail) if detail else {}
    return facts if isinstance(facts, dict) else {}
