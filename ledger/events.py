"""The legs of each event, as ``docs/ledger.md`` lists them: one builder an event.

A builder gives a ``Transaction``; the advance that it may make necessary is derived by the database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.batch import Line, Transaction, merged, pair
from ledger.chart import CUSTODIAL_ACCOUNT, HOUSE, Account, Event, Ledger

_CUSTODY = Ledger.CUSTODY
_OPERATING = Ledger.OPERATING
_CASH = (Account.CASH, CUSTODIAL_ACCOUNT)


def month_reference(month: date) -> int:
    """Name a month as the reference of fee lines: YYYYMM."""
    return month.year * 100 + month.month


@dataclass(frozen=True, slots=True)
class Share:
    """What an advice gives an owner.

    For the house, ``identifier`` names the unknown payee; without one it is an adjustment of the network as a whole.
    """

    owner: UUID
    advice_id: int
    cents: int
    identifier: int | None = None

    @property
    def unfunded(self) -> tuple[Account, int | None]:
        """Account and reference until the money is there."""
        if self.owner != HOUSE:
            return Account.DUE_UNFUNDED, self.advice_id
        if self.identifier is not None:
            return Account.UNKNOWN_PAYEE_UNFUNDED, self.identifier
        return Account.NETWORK_ADJUSTMENT_UNFUNDED, self.advice_id

    @property
    def funded(self) -> tuple[Account, int | None]:
        """Account and reference once the money is there."""
        if self.owner != HOUSE:
            return Account.DUE_AVAILABLE, None
        if self.identifier is not None:
            return Account.UNKNOWN_PAYEE, self.identifier
        return Account.NETWORK_ADJUSTMENT, self.advice_id


def bank_booked(bank_line_id: int, booked_on: date, cents: int) -> Transaction:
    """Take a bank line over: ``deposited`` for a credit (positive), ``debited`` for a debit; never refused."""
    if cents > 0:
        event = Event.DEPOSITED
        legs = pair(HOUSE, _CUSTODY, _CASH, (Account.UNMATCHED_DEPOSIT, bank_line_id), cents)
    else:
        event = Event.DEBITED
        legs = pair(HOUSE, _CUSTODY, (Account.UNMATCHED_DEBIT, bank_line_id), _CASH, -cents)
    return Transaction(event, f"bank_line:{bank_line_id}", booked_on, tuple(legs), bank_line_id=bank_line_id)


def advised(advice_id: int, paid_on: date, shares: Iterable[Share], *, again: int = 0) -> Transaction:
    """Say what each owner is due of one advice: its claims less the payer's PLBs.

    ``again`` counts how often it was advised before, and reversed since.
    """
    lines = merged(
        line
        for share in shares
        for line in pair(share.owner, _CUSTODY, (Account.ADVISED, share.advice_id), share.unfunded, share.cents)
    )
    return Transaction(Event.ADVISED, f"advised:{advice_id}" + (f":{again}" if again else ""), paid_on, lines)


def funded(fact_key: str, funded_on: date, shares: Iterable[Share], deposits: Mapping[int, int]) -> Transaction:
    """Turn what is owed into what is payable, with the money of the deposits (bank line to cents; zero money: none)."""
    lines: list[Line] = []
    for share in shares:
        lines += pair(share.owner, _CUSTODY, _CASH, (Account.ADVISED, share.advice_id), share.cents)
        lines += pair(share.owner, _CUSTODY, share.unfunded, share.funded, share.cents)
    for bank_line_id, cents in deposits.items():
        lines += pair(HOUSE, _CUSTODY, (Account.UNMATCHED_DEPOSIT, bank_line_id), _CASH, cents)
    return Transaction(Event.FUNDED, fact_key, funded_on, merged(lines))


def fee_assessed(fact_key: str, month: date, fees: Iterable[tuple[UUID, int]]) -> Transaction:
    """Make the flat fee of a month receivable from each member (member, cents)."""
    reference = month_reference(month)
    legs = (Account.FEE_RECEIVABLE, reference), (Account.FEE_REVENUE, reference)
    lines = tuple(line for member, cents in fees for line in pair(member, _OPERATING, *legs, cents))
    return Transaction(Event.FEE_ASSESSED, fact_key, month, lines)


def fee_waived(fact_key: str, waived_on: date, fee: tuple[UUID, date, int], reason: str) -> Transaction:
    """Give a receivable fee up (member, month, cents)."""
    member, month, cents = fee
    reference = month_reference(month)
    legs = pair(member, _OPERATING, (Account.FEE_WAIVED, reference), (Account.FEE_RECEIVABLE, reference), cents)
    return Transaction(Event.FEE_WAIVED, fact_key, waived_on, tuple(legs), reason)


def fee_collected(fact_key: str, collected_on: date, fees: Iterable[tuple[UUID, date, int]]) -> Transaction:
    """Take whole months of fee from what is available (member, month, cents)."""
    lines = merged(
        line
        for member, month, cents in fees
        for line in pair(
            member, _CUSTODY, (Account.DUE_AVAILABLE, None), (Account.FEE_WITHHELD, month_reference(month)), cents
        )
    )
    return Transaction(Event.FEE_COLLECTED, fact_key, collected_on, lines)


def fee_swept(fact_key: str, swept_on: date, fees: Iterable[tuple[UUID, date, int]]) -> Transaction:
    """Move collected fees to the float (member, month, cents)."""
    lines: list[Line] = []
    for member, month, cents in fees:
        reference = month_reference(month)
        lines += pair(member, _CUSTODY, (Account.FEE_WITHHELD, reference), _CASH, cents)
        lines += pair(HOUSE, _CUSTODY, _CASH, (Account.OPERATING_FLOAT, None), cents)
        lines += pair(member, _OPERATING, (Account.CUSTODY_FLOAT, None), (Account.FEE_RECEIVABLE, reference), cents)
    return Transaction(Event.FEE_SWEPT, fact_key, swept_on, merged(lines))


def payout_released(fact_key: str, released_on: date, payouts: Iterable[tuple[UUID, int, int]]) -> Transaction:
    """Let approved payouts leave (member, payout, cents)."""
    lines = tuple(
        line
        for member, payout_id, cents in payouts
        for line in pair(member, _CUSTODY, (Account.DUE_AVAILABLE, None), (Account.IN_TRANSIT, payout_id), cents)
    )
    return Transaction(Event.PAYOUT_RELEASED, fact_key, released_on, lines)


def payout_settled(
    fact_key: str, settled_on: date, payouts: Iterable[tuple[UUID, int, int]], bank_line_id: int
) -> Transaction:
    """Clear released payouts against the bank line that debited them (member, payout, cents)."""
    lines: list[Line] = []
    total = 0
    for member, payout_id, cents in payouts:
        lines += pair(member, _CUSTODY, (Account.IN_TRANSIT, payout_id), _CASH, cents)
        total += cents
    lines += pair(HOUSE, _CUSTODY, _CASH, (Account.UNMATCHED_DEBIT, bank_line_id), total)
    return Transaction(Event.PAYOUT_SETTLED, fact_key, settled_on, merged(lines))


def payout_returned(
    fact_key: str, returned_on: date, member: UUID, cents: int, bank_line_id: int, *, hold_id: int | None = None
) -> Transaction:
    """Take a payout back that could not be delivered: the money is held for its member, on the hold that is named."""
    lines = [*pair(HOUSE, _CUSTODY, (Account.UNMATCHED_DEPOSIT, bank_line_id), _CASH, cents)]
    lines += pair(member, _CUSTODY, _CASH, (Account.HELD, hold_id), cents)
    return Transaction(Event.PAYOUT_RETURNED, fact_key, returned_on, tuple(lines))


def hold_lifted(
    fact_key: str, lifted_on: date, member: UUID, cents: int, reason: str, *, hold_id: int | None = None
) -> Transaction:
    """Make available what a hold kept; without a number, what stands under no hold."""
    legs = pair(member, _CUSTODY, (Account.HELD, hold_id), (Account.DUE_AVAILABLE, None), cents)
    return Transaction(Event.HOLD_LIFTED, fact_key, lifted_on, tuple(legs), reason)


def float_deposited(fact_key: str, deposited_on: date, bank_line_id: int, cents: int) -> Transaction:
    """Take a deposit as the PSAO's own money."""
    lines = [*pair(HOUSE, _CUSTODY, (Account.UNMATCHED_DEPOSIT, bank_line_id), (Account.OPERATING_FLOAT, None), cents)]
    lines += pair(HOUSE, _OPERATING, (Account.CUSTODY_FLOAT, None), (Account.OPERATING_CASH, None), cents)
    return Transaction(Event.FLOAT_DEPOSITED, fact_key, deposited_on, tuple(lines))


def float_withdrawn(fact_key: str, withdrawn_on: date, bank_line_id: int, cents: int) -> Transaction:
    """Explain a debit as the PSAO taking its own money out."""
    lines = [*pair(HOUSE, _CUSTODY, (Account.OPERATING_FLOAT, None), (Account.UNMATCHED_DEBIT, bank_line_id), cents)]
    lines += pair(HOUSE, _OPERATING, (Account.OPERATING_CASH, None), (Account.CUSTODY_FLOAT, None), cents)
    return Transaction(Event.FLOAT_WITHDRAWN, fact_key, withdrawn_on, tuple(lines))
