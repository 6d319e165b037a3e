"""The legs of the events that a person decides on, as ``docs/ledger.md`` lists them: one builder an event.

What files and days bring by themselves is in ``ledger.events``. All amounts are positive unless it says otherwise.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from ledger.batch import Leg, Line, Transaction, merged, pair
from ledger.chart import CUSTODIAL_ACCOUNT, HOUSE, Account, Event, Ledger
from ledger.events import month_reference

_CUSTODY = Ledger.CUSTODY
_OPERATING = Ledger.OPERATING
_CASH = (Account.CASH, CUSTODIAL_ACCOUNT)
_DUE = (Account.DUE_AVAILABLE, None)


def held(fact_key: str, held_on: date, member: UUID, cents: int, hold_id: int, *, reason: str) -> Transaction:
    """Put what is available on a hold."""
    legs = pair(member, _CUSTODY, _DUE, (Account.HELD, hold_id), cents)
    return Transaction(Event.HELD, fact_key, held_on, tuple(legs), reason)


def levied(fact_key: str, levied_on: date, member: UUID, cents: int, hold_id: int, *, reason: str) -> Transaction:
    """Owe to a third party what was available, under the legal order that a hold names."""
    legs = pair(member, _CUSTODY, _DUE, (Account.LEVIED, hold_id), cents)
    return Transaction(Event.LEVIED, fact_key, levied_on, tuple(legs), reason)


def unclaimed(fact_key: str, declared_on: date, member: UUID, cents: int, hold_id: int, *, reason: str) -> Transaction:
    """Declare unclaimed property what a hold keeps."""
    legs = pair(member, _CUSTODY, (Account.HELD, hold_id), (Account.UNCLAIMED, hold_id), cents)
    return Transaction(Event.UNCLAIMED, fact_key, declared_on, tuple(legs), reason)


def levy_released(fact_key: str, released_on: date, member: UUID, item: tuple[int, int, int]) -> Transaction:
    """Let a levied amount leave for the third party (hold, disbursement, cents)."""
    return _released(Event.LEVY_RELEASED, fact_key, released_on, member, account=Account.LEVIED, item=item)


def escheat_released(fact_key: str, released_on: date, member: UUID, item: tuple[int, int, int]) -> Transaction:
    """Let unclaimed property leave for the state (hold, disbursement, cents)."""
    return _released(Event.ESCHEAT_RELEASED, fact_key, released_on, member, account=Account.UNCLAIMED, item=item)


def refund_released(fact_key: str, released_on: date, item: tuple[int, int, int]) -> Transaction:
    """Let an excess leave for the payer (bank line, disbursement, cents)."""
    return _released(Event.REFUND_RELEASED, fact_key, released_on, HOUSE, account=Account.DUE_TO_PAYER, item=item)


def _released(
    event: Event, fact_key: str, day: date, owner: UUID, *, account: Account, item: tuple[int, int, int]
) -> Transaction:
    reference, disbursement_id, cents = item
    legs = pair(owner, _CUSTODY, (account, reference), (Account.IN_TRANSIT, disbursement_id), cents)
    return Transaction(event, fact_key, day, tuple(legs))


def disbursement_settled(
    fact_key: str, settled_on: date, owner: UUID, item: tuple[int, int], *, bank_line_id: int
) -> Transaction:
    """Clear what left to another than the member (disbursement, cents) against the bank line that debited it."""
    disbursement_id, cents = item
    lines: list[Line] = [*pair(owner, _CUSTODY, (Account.IN_TRANSIT, disbursement_id), _CASH, cents)]
    lines += pair(HOUSE, _CUSTODY, _CASH, (Account.UNMATCHED_DEBIT, bank_line_id), cents)
    return Transaction(Event.PAYOUT_SETTLED, fact_key, settled_on, merged(lines))


def payee_found(
    fact_key: str, found_on: date, member: UUID, identifier: int, cents: int, *, reason: str
) -> Transaction:
    """Give a member the funded money of an unknown identifier; negative where the identifier owes."""
    lines: list[Line] = [*pair(HOUSE, _CUSTODY, (Account.UNKNOWN_PAYEE, identifier), _CASH, cents)]
    lines += pair(member, _CUSTODY, _CASH, _DUE, cents)
    return Transaction(Event.PAYEE_FOUND, fact_key, found_on, tuple(lines), reason)


def payee_found_unfunded(
    fact_key: str, found_on: date, member: UUID, identifier: int, advices: Mapping[int, int], *, reason: str
) -> Transaction:
    """Give a member what was advised for an unknown identifier and is not funded (advice to cents, either sign)."""
    lines: list[Line] = []
    for advice_id, cents in advices.items():
        advice = (Account.ADVISED, advice_id)
        lines += pair(HOUSE, _CUSTODY, (Account.UNKNOWN_PAYEE_UNFUNDED, identifier), advice, cents)
        lines += pair(member, _CUSTODY, advice, (Account.DUE_UNFUNDED, advice_id), cents)
    return Transaction(Event.PAYEE_FOUND_UNFUNDED, fact_key, found_on, merged(lines), reason)


def overpaid(fact_key: str, found_on: date, bank_line_id: int, cents: int, *, reason: str) -> Transaction:
    """Owe a payer what it deposited in excess."""
    legs = _deposit(bank_line_id), (Account.DUE_TO_PAYER, bank_line_id)
    return Transaction(Event.OVERPAID, fact_key, found_on, tuple(pair(HOUSE, _CUSTODY, *legs, cents)), reason)


def suspended(fact_key: str, set_aside_on: date, bank_line_id: int, cents: int, *, reason: str) -> Transaction:
    """Set a deposit without advice aside."""
    legs = _deposit(bank_line_id), (Account.SUSPENSE, bank_line_id)
    return Transaction(Event.SUSPENDED, fact_key, set_aside_on, tuple(pair(HOUSE, _CUSTODY, *legs, cents)), reason)


def unsuspended(fact_key: str, released_on: date, bank_line_id: int, cents: int, *, reason: str) -> Transaction:
    """Let a deposit that was set aside be matched again."""
    legs = (Account.SUSPENSE, bank_line_id), _deposit(bank_line_id)
    return Transaction(Event.UNSUSPENDED, fact_key, released_on, tuple(pair(HOUSE, _CUSTODY, *legs, cents)), reason)


def payer_debited(
    fact_key: str, debited_on: date, bank_line_id: int, takings: Iterable[tuple[UUID, int]], *, reason: str
) -> Transaction:
    """Explain a debit as a payer taking money back from members (member, cents)."""
    lines: list[Line] = []
    for member, cents in takings:
        lines += pair(member, _CUSTODY, _DUE, _CASH, cents)
        lines += pair(HOUSE, _CUSTODY, _CASH, _debit(bank_line_id), cents)
    return Transaction(Event.PAYER_DEBITED, fact_key, debited_on, merged(lines), reason)


def debit_returned(fact_key: str, found_on: date, deposit: int, debit: int, cents: int, *, reason: str) -> Transaction:
    """Explain a debit by the deposit that brought it back, or the other way round (bank lines)."""
    legs = _deposit(deposit), _debit(debit)
    return Transaction(Event.DEBIT_RETURNED, fact_key, found_on, tuple(pair(HOUSE, _CUSTODY, *legs, cents)), reason)


def bank_charged(fact_key: str, charged_on: date, bank_line_id: int, cents: int, *, reason: str) -> Transaction:
    """Explain a debit as the bank's charge: the PSAO's own expense."""
    lines: list[Line] = [*pair(HOUSE, _CUSTODY, (Account.OPERATING_FLOAT, None), _debit(bank_line_id), cents)]
    lines += pair(HOUSE, _OPERATING, (Account.BANK_CHARGES, None), (Account.CUSTODY_FLOAT, None), cents)
    return Transaction(Event.BANK_CHARGED, fact_key, charged_on, tuple(lines), reason)


def interest_earned(fact_key: str, earned_on: date, bank_line_id: int, cents: int, *, reason: str) -> Transaction:
    """Explain a deposit as the bank's interest, which belongs to the members."""
    legs = _deposit(bank_line_id), (Account.INTEREST_DUE, None)
    return Transaction(Event.INTEREST_EARNED, fact_key, earned_on, tuple(pair(HOUSE, _CUSTODY, *legs, cents)), reason)


def interest_allocated(
    fact_key: str, allocated_on: date, shares: Iterable[tuple[UUID, int]], *, reason: str
) -> Transaction:
    """Divide interest among members (member, cents)."""
    lines = _to_members((Account.INTEREST_DUE, None), shares)
    return Transaction(Event.INTEREST_ALLOCATED, fact_key, allocated_on, lines, reason)


def network_adjustment_allocated(
    fact_key: str, allocated_on: date, advice_id: int, shares: Iterable[tuple[UUID, int]], *, reason: str
) -> Transaction:
    """Divide a payer's adjustment of the network among members (member, cents; negative: taken from it)."""
    lines = _to_members((Account.NETWORK_ADJUSTMENT, advice_id), shares)
    return Transaction(Event.NETWORK_ADJUSTMENT_ALLOCATED, fact_key, allocated_on, lines, reason)


def _to_members(source: Leg, shares: Iterable[tuple[UUID, int]]) -> tuple[Line, ...]:
    lines: list[Line] = []
    for member, cents in shares:
        lines += pair(HOUSE, _CUSTODY, source, _CASH, cents)
        lines += pair(member, _CUSTODY, _CASH, _DUE, cents)
    return merged(lines)


def member_corrected(
    fact_key: str, corrected_on: date, source: UUID, target: UUID, cents: int, *, reason: str
) -> Transaction:
    """Move money from one member to another by approved correction."""
    lines: list[Line] = [*pair(source, _CUSTODY, _DUE, _CASH, cents)]
    lines += pair(target, _CUSTODY, _CASH, _DUE, cents)
    return Transaction(Event.MEMBER_CORRECTED, fact_key, corrected_on, tuple(lines), reason)


def member_paid(
    fact_key: str, paid_on: date, member: UUID, bank_line_id: int, cents: int, *, reason: str
) -> Transaction:
    """Take a deposit as a member paying back what it owes."""
    lines: list[Line] = [*pair(HOUSE, _CUSTODY, _deposit(bank_line_id), _CASH, cents)]
    lines += pair(member, _CUSTODY, _CASH, _DUE, cents)
    return Transaction(Event.MEMBER_PAID, fact_key, paid_on, tuple(lines), reason)


def advance_written_off(fact_key: str, lost_on: date, member: UUID, cents: int, *, reason: str) -> Transaction:
    """Give up what covers a member's negative: the PSAO's loss."""
    lines: list[Line] = [*pair(member, _CUSTODY, (Account.OPERATING_ADVANCE, None), _DUE, cents)]
    lines += pair(member, _OPERATING, (Account.BAD_DEBT, None), (Account.ADVANCE_RECEIVABLE, None), cents)
    return Transaction(Event.ADVANCE_WRITTEN_OFF, fact_key, lost_on, tuple(lines), reason)


def fee_refunded(fact_key: str, refunded_on: date, fee: tuple[UUID, date, int], *, reason: str) -> Transaction:
    """Give a collected fee back (member, month, cents)."""
    member, month, cents = fee
    lines: list[Line] = []
    lines += pair(
        member, _OPERATING, (Account.FEE_WAIVED, month_reference(month)), (Account.CUSTODY_FLOAT, None), cents
    )
    lines += pair(HOUSE, _CUSTODY, (Account.OPERATING_FLOAT, None), _CASH, cents)
    lines += pair(member, _CUSTODY, _CASH, _DUE, cents)
    return Transaction(Event.FEE_REFUNDED, fact_key, refunded_on, tuple(lines), reason)


def _deposit(bank_line_id: int) -> Leg:
    return Account.UNMATCHED_DEPOSIT, bank_line_id


def _debit(bank_line_id: int) -> Leg:
    return Account.UNMATCHED_DEBIT, bank_line_id
