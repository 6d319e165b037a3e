-- Who decides and who is told: more that needs a second person, two approvers by amount, dated limits, contacts, notices.

ALTER TABLE approval DROP CONSTRAINT approval_kind_check;
ALTER TABLE approval ADD CONSTRAINT approval_kind_check CHECK (kind IN (
    'cycle', 'float_deposit', 'float_withdrawal', 'bank_details', 'hold_lift', 'disbursement', 'write_off', 'unclaimed', 'manual_match',
    'short_funding', 'return_to_payer', 'payee_found', 'advice_replacement', 'payer_debit', 'bank_charge', 'debit_returned', 'network_allocation',
    'member_correction', 'member_payment', 'interest', 'unsuspension', 'reversal', 'settlement', 'returned_credit', 'ach_reversal', 'limit'));

-- What is large takes two people beside the one who proposed it.
ALTER TABLE approval
    ADD COLUMN approvers_needed smallint NOT NULL DEFAULT 1 CHECK (approvers_needed IN (1, 2)),
    ADD COLUMN first_approved_by text REFERENCES app_user,
    ADD COLUMN first_approved_at timestamptz,
    ADD CONSTRAINT first_is_not_maker CHECK (first_approved_by <> proposed_by),
    ADD CONSTRAINT second_is_not_first CHECK (state <> 'approved' OR decided_by <> first_approved_by),
    ADD CONSTRAINT two_approve CHECK (state <> 'approved' OR approvers_needed = 1 OR first_approved_by IS NOT NULL),
    ADD CONSTRAINT first_has_a_time CHECK ((first_approved_by IS NULL) = (first_approved_at IS NULL));

CREATE OR REPLACE FUNCTION approval_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'pending' OR (NEW.kind, NEW.subject, NEW.set_hash, NEW.facts, NEW.proposed_by, NEW.proposed_at, NEW.approvers_needed)
        IS DISTINCT FROM (OLD.kind, OLD.subject, OLD.set_hash, OLD.facts, OLD.proposed_by, OLD.proposed_at, OLD.approvers_needed)
        OR (OLD.first_approved_by IS NOT NULL AND NEW.first_approved_by IS DISTINCT FROM OLD.first_approved_by) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP020', CONSTRAINT = 'approval_is_decided_once',
            MESSAGE = format('approval %s is %s and stays so', OLD.approval_id, OLD.state);
    END IF;
    RETURN NEW;
END $$;

-- Limits of money, in force from a day until a later row of the same name.
CREATE TABLE dated_limit (
    name text NOT NULL CHECK (name IN ('two_approvers_from', 'entry', 'same_day_entry', 'cycle_total')),
    since date NOT NULL,
    -- Null: from that day there is none.
    cents bigint CHECK (cents > 0),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, since)
);
-- The operators' limit of a same-day entry.
INSERT INTO dated_limit (name, since, cents, set_by) VALUES ('same_day_entry', '2022-03-18', 100000000, 'system');

CREATE FUNCTION limit_on(p_name text, p_day date) RETURNS bigint LANGUAGE sql STABLE
    RETURN (SELECT cents FROM dated_limit WHERE name = p_name AND since <= p_day ORDER BY since DESC LIMIT 1);

CREATE TABLE member_contact (
    member_id uuid NOT NULL REFERENCES member,
    in_use daterange NOT NULL,
    name text NOT NULL,
    telephone text NOT NULL CHECK (telephone ~ '^[0-9]{10}$'),
    email text NOT NULL,
    postal_address text NOT NULL DEFAULT '',
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_contact_on_a_date PRIMARY KEY (member_id, in_use WITHOUT OVERLAPS)
);
COMMENT ON TABLE member_contact IS 'Whom to call and write to at a member; the history stays, for a change of bank details is told to the old contact.';

CREATE TABLE notice (
    notice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    kind text NOT NULL CHECK (kind IN ('contact_changed', 'bank_details_asked', 'bank_details_changed', 'payment_returned', 'hold_placed', 'levy_received',
        'unclaimed_property', 'negative_balance')),
    -- To whom, as the contact was then; empty where none is known.
    recipient text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    made_on date NOT NULL,
    made_by text NOT NULL,
    -- Null: not handed over yet.
    written_at timestamptz
);
CREATE INDEX notice_waiting ON notice (notice_id) WHERE written_at IS NULL;
COMMENT ON TABLE notice IS 'Letters to members; they say what changed, never a whole account number.';

ALTER TABLE exception_case DROP CONSTRAINT exception_case_kind_check;
ALTER TABLE exception_case ADD CONSTRAINT exception_case_kind_check CHECK (kind IN (
    'set_quarantined', 'set_conflict', 'advice_without_deposit', 'deposit_without_advice', 'deposit_short', 'deposit_over', 'unknown_payee',
    'float_missing', 'negative_member', 'network_adjustment', 'payout_dropped', 'match_suggested', 'debit_unexplained', 'return_without_money',
    'answer_unknown', 'change_notified', 'bank_details_asked', 'prenote_failed', 'hold_review', 'unclaimed_due', 'feeds_differ'));

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dated_limit FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
REVOKE EXECUTE ON FUNCTION limit_on(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION limit_on(text, date) TO centralpay_app, centralpay_auditor;
GRANT SELECT ON dated_limit, member_contact, notice TO centralpay_app, centralpay_auditor;
GRANT INSERT ON dated_limit, member_contact, notice TO centralpay_app;
GRANT UPDATE (in_use) ON member_contact TO centralpay_app;
GRANT UPDATE (written_at) ON notice TO centralpay_app;
GRANT UPDATE (first_approved_by, first_approved_at) ON approval TO centralpay_app;
