"""The matrix of posting rules, as data: which line each event may have. Copied whole from the rules of posting."""

from typing import NamedTuple

from tests.model.facts import REVERSED


class Allowed(NamedTuple):
    """One row of the matrix."""

    event: str
    ledger: str
    owner_kind: str
    account: str
    side: str


MATRIX_TEXT = """\
event,ledger,owner_kind,account,side
advance_repaid,custody,house,cash,debit
advance_repaid,custody,house,operating_float,credit
advance_repaid,custody,member,cash,credit
advance_repaid,custody,member,operating_advance,debit
advance_repaid,operating,member,advance_receivable,credit
advance_repaid,operating,member,custody_float,debit
advance_written_off,custody,member,due_available,credit
advance_written_off,custody,member,operating_advance,debit
advance_written_off,operating,member,advance_receivable,credit
advance_written_off,operating,member,bad_debt,debit
advanced,custody,house,cash,credit
advanced,custody,house,operating_float,debit
advanced,custody,member,cash,debit
advanced,custody,member,operating_advance,credit
advanced,operating,member,advance_receivable,debit
advanced,operating,member,custody_float,credit
advised,custody,house,advised,credit
advised,custody,house,advised,debit
advised,custody,house,network_adjustment_unfunded,credit
advised,custody,house,network_adjustment_unfunded,debit
advised,custody,house,unknown_payee_unfunded,credit
advised,custody,house,unknown_payee_unfunded,debit
advised,custody,member,advised,credit
advised,custody,member,advised,debit
advised,custody,member,due_unfunded,credit
advised,custody,member,due_unfunded,debit
bank_charged,custody,house,operating_float,debit
bank_charged,custody,house,unmatched_debit,credit
bank_charged,operating,house,bank_charges,debit
bank_charged,operating,house,custody_float,credit
debit_returned,custody,house,unmatched_debit,credit
debit_returned,custody,house,unmatched_deposit,debit
debited,custody,house,cash,credit
debited,custody,house,unmatched_debit,debit
deposited,custody,house,cash,debit
deposited,custody,house,unmatched_deposit,credit
escheat_released,custody,member,in_transit,credit
escheat_released,custody,member,unclaimed,debit
fee_assessed,operating,member,fee_receivable,debit
fee_assessed,operating,member,fee_revenue,credit
fee_collected,custody,member,due_available,debit
fee_collected,custody,member,fee_withheld,credit
fee_refunded,custody,house,cash,credit
fee_refunded,custody,house,operating_float,debit
fee_refunded,custody,member,cash,debit
fee_refunded,custody,member,due_available,credit
fee_refunded,operating,member,custody_float,credit
fee_refunded,operating,member,fee_waived,debit
fee_swept,custody,house,cash,debit
fee_swept,custody,house,operating_float,credit
fee_swept,custody,member,cash,credit
fee_swept,custody,member,fee_withheld,debit
fee_swept,operating,member,custody_float,debit
fee_swept,operating,member,fee_receivable,credit
fee_waived,operating,member,fee_receivable,credit
fee_waived,operating,member,fee_waived,debit
float_deposited,custody,house,operating_float,credit
float_deposited,custody,house,unmatched_deposit,debit
float_deposited,operating,house,custody_float,debit
float_deposited,operating,house,operating_cash,credit
float_withdrawn,custody,house,operating_float,debit
float_withdrawn,custody,house,unmatched_debit,credit
float_withdrawn,operating,house,custody_float,credit
float_withdrawn,operating,house,operating_cash,debit
funded,custody,house,advised,credit
funded,custody,house,advised,debit
funded,custody,house,cash,credit
funded,custody,house,cash,debit
funded,custody,house,network_adjustment,credit
funded,custody,house,network_adjustment,debit
funded,custody,house,network_adjustment_unfunded,credit
funded,custody,house,network_adjustment_unfunded,debit
funded,custody,house,unknown_payee,credit
funded,custody,house,unknown_payee,debit
funded,custody,house,unknown_payee_unfunded,credit
funded,custody,house,unknown_payee_unfunded,debit
funded,custody,house,unmatched_deposit,debit
funded,custody,member,advised,credit
funded,custody,member,advised,debit
funded,custody,member,cash,credit
funded,custody,member,cash,debit
funded,custody,member,due_available,credit
funded,custody,member,due_available,debit
funded,custody,member,due_unfunded,credit
funded,custody,member,due_unfunded,debit
held,custody,member,due_available,debit
held,custody,member,held,credit
hold_lifted,custody,member,due_available,credit
hold_lifted,custody,member,held,debit
interest_allocated,custody,house,cash,credit
interest_allocated,custody,house,interest_due,debit
interest_allocated,custody,member,cash,debit
interest_allocated,custody,member,due_available,credit
interest_earned,custody,house,interest_due,credit
interest_earned,custody,house,unmatched_deposit,debit
levied,custody,member,due_available,debit
levied,custody,member,levied,credit
levy_released,custody,member,in_transit,credit
levy_released,custody,member,levied,debit
member_corrected,custody,member,cash,credit
member_corrected,custody,member,cash,debit
member_corrected,custody,member,due_available,credit
member_corrected,custody,member,due_available,debit
member_paid,custody,house,cash,credit
member_paid,custody,house,unmatched_deposit,debit
member_paid,custody,member,cash,debit
member_paid,custody,member,due_available,credit
network_adjustment_allocated,custody,house,cash,credit
network_adjustment_allocated,custody,house,cash,debit
network_adjustment_allocated,custody,house,network_adjustment,credit
network_adjustment_allocated,custody,house,network_adjustment,debit
network_adjustment_allocated,custody,member,cash,credit
network_adjustment_allocated,custody,member,cash,debit
network_adjustment_allocated,custody,member,due_available,credit
network_adjustment_allocated,custody,member,due_available,debit
opened,custody,house,cash,credit
opened,custody,house,unmatched_deposit,debit
opened,custody,member,cash,debit
opened,custody,member,due_available,credit
operating_opened,operating,house,equity,credit
operating_opened,operating,house,operating_cash,debit
overpaid,custody,house,due_to_payer,credit
overpaid,custody,house,unmatched_deposit,debit
payee_found,custody,house,cash,credit
payee_found,custody,house,cash,debit
payee_found,custody,house,unknown_payee,credit
payee_found,custody,house,unknown_payee,debit
payee_found,custody,member,cash,credit
payee_found,custody,member,cash,debit
payee_found,custody,member,due_available,credit
payee_found,custody,member,due_available,debit
payee_found_unfunded,custody,house,advised,credit
payee_found_unfunded,custody,house,advised,debit
payee_found_unfunded,custody,house,unknown_payee_unfunded,credit
payee_found_unfunded,custody,house,unknown_payee_unfunded,debit
payee_found_unfunded,custody,member,advised,credit
payee_found_unfunded,custody,member,advised,debit
payee_found_unfunded,custody,member,due_unfunded,credit
payee_found_unfunded,custody,member,due_unfunded,debit
payer_debited,custody,house,cash,debit
payer_debited,custody,house,unmatched_debit,credit
payer_debited,custody,member,cash,credit
payer_debited,custody,member,due_available,debit
payout_released,custody,member,due_available,debit
payout_released,custody,member,in_transit,credit
payout_returned,custody,house,cash,credit
payout_returned,custody,house,unmatched_deposit,debit
payout_returned,custody,member,cash,debit
payout_returned,custody,member,held,credit
payout_settled,custody,house,cash,debit
payout_settled,custody,house,in_transit,debit
payout_settled,custody,house,unmatched_debit,credit
payout_settled,custody,member,cash,credit
payout_settled,custody,member,in_transit,debit
refund_released,custody,house,due_to_payer,debit
refund_released,custody,house,in_transit,credit
suspended,custody,house,suspense,credit
suspended,custody,house,unmatched_deposit,debit
unclaimed,custody,member,held,debit
unclaimed,custody,member,unclaimed,credit
unsuspended,custody,house,suspense,debit
unsuspended,custody,house,unmatched_deposit,credit
"""

MATRIX = frozenset(Allowed(*row.split(",")) for row in MATRIX_TEXT.split()[1:])
"""Every line that is allowed."""

DERIVED_EVENTS = ("advanced", "advance_repaid")
"""Events that are never asked for: they follow from other transactions."""

EVENTS = tuple(sorted({row.event for row in MATRIX} | {REVERSED}))
"""Every event of the ledger, the derived ones and the reversal included."""
