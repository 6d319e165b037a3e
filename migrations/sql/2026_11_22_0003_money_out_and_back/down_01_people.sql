DROP FUNCTION limit_on(text, date);
DROP TABLE notice, member_contact, dated_limit;
REVOKE UPDATE (first_approved_by, first_approved_at) ON approval FROM centralpay_app;
ALTER TABLE approval DROP COLUMN approvers_needed, DROP COLUMN first_approved_by, DROP COLUMN first_approved_at;
ALTER TABLE approval DROP CONSTRAINT approval_kind_check;
ALTER TABLE approval ADD CONSTRAINT approval_kind_check CHECK (kind IN ('cycle', 'float_deposit', 'float_withdrawal', 'bank_details'));
ALTER TABLE exception_case DROP CONSTRAINT exception_case_kind_check;
ALTER TABLE exception_case ADD CONSTRAINT exception_case_kind_check CHECK (kind IN ('set_quarantined', 'set_conflict', 'advice_without_deposit',
    'deposit_without_advice', 'deposit_short', 'deposit_over', 'unknown_payee', 'float_missing', 'negative_member', 'network_adjustment',
    'payout_dropped'));
CREATE OR REPLACE FUNCTION approval_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'pending' OR (NEW.kind, NEW.subject, NEW.set_hash, NEW.facts, NEW.proposed_by, NEW.proposed_at)
        IS DISTINCT FROM (OLD.kind, OLD.subject, OLD.set_hash, OLD.facts, OLD.proposed_by, OLD.proposed_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP020', CONSTRAINT = 'approval_is_decided_once',
            MESSAGE = format('approval %s is %s and stays so', OLD.approval_id, OLD.state);
    END IF;
    RETURN NEW;
END $$;
