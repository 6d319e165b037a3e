-- What people are asked to approve and look at, as far as the seal and closed months add to it.

ALTER TABLE approval DROP CONSTRAINT approval_kind_check;
ALTER TABLE approval ADD CONSTRAINT approval_kind_check CHECK (kind IN (
    'cycle', 'float_deposit', 'float_withdrawal', 'bank_details', 'hold_lift', 'disbursement', 'write_off', 'unclaimed', 'manual_match',
    'short_funding', 'return_to_payer', 'payee_found', 'advice_replacement', 'payer_debit', 'bank_charge', 'debit_returned', 'network_allocation',
    'member_correction', 'member_payment', 'interest', 'unsuspension', 'reversal', 'settlement', 'returned_credit', 'ach_reversal', 'limit',
    'fee_waiver', 'fee_refund', 'reopening', 'seal_key'));

ALTER TABLE exception_case DROP CONSTRAINT exception_case_kind_check;
ALTER TABLE exception_case ADD CONSTRAINT exception_case_kind_check CHECK (kind IN (
    'set_quarantined', 'set_conflict', 'advice_without_deposit', 'deposit_without_advice', 'deposit_short', 'deposit_over', 'unknown_payee',
    'float_missing', 'negative_member', 'network_adjustment', 'payout_dropped', 'match_suggested', 'debit_unexplained', 'return_without_money',
    'answer_unknown', 'change_notified', 'bank_details_asked', 'prenote_failed', 'hold_review', 'unclaimed_due', 'feeds_differ',
    'direct_pay_differs', 'fee_unpaid', 'fee_over_contract', 'file_refused', 'job_failed', 'proof_failed', 'seal_failed'));
