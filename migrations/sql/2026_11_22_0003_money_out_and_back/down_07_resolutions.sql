DROP TRIGGER takes_its_steps ON remittance_set;
DROP TRIGGER takes_its_steps ON advice;
DROP TRIGGER is_what_is_open ON bank_line;
DROP FUNCTION set_takes_its_steps(), advice_takes_its_steps(), bank_line_is_what_is_open();
REVOKE UPDATE (status, advice_id) ON remittance_set FROM centralpay_app;
DROP TABLE advice_replacement;
ALTER TABLE advice DROP COLUMN funded_cents;
DROP INDEX advice_identity;
ALTER TABLE advice ADD CONSTRAINT advice_identity UNIQUE (payer_id, trace_number, payee_id, ordinal_in_payment);
-- What people divided, corrected and found.
DROP TRIGGER decision_undone ON journal_transaction;
DROP TRIGGER claims_free ON approval;
DROP TRIGGER rows_stay ON approval;
DROP FUNCTION cycle_set_hash(bigint);
ALTER FUNCTION cycle_core_hash(bigint) RENAME TO cycle_set_hash;
DROP TRIGGER of_what_was_found ON child_set;
ALTER TABLE child_set DROP CONSTRAINT share_stands_in_one_set, DROP CONSTRAINT child_set_member_id_advice_id_fkey,
    DROP CONSTRAINT set_names_its_share, DROP COLUMN share_advice_id, DROP COLUMN found_in,
    ADD CONSTRAINT share_stands_in_one_set UNIQUE (member_id, advice_id),
    ADD CONSTRAINT child_set_member_id_advice_id_fkey FOREIGN KEY (member_id, advice_id) REFERENCES share_to_remit (owner_id, advice_id);
DROP TABLE cycle_found_share, found_share, correction_claim, decided_share;
DROP FUNCTION decision_is_undone(), dropped_claims_are_free(), approved_rows_stay(), rows_are_of_a_proposal(), found_share_guard(),
    found_share_stays(), correction_claim_stays(), set_of_what_was_found(), decided_rows_hash(bigint), payee_shares(bigint[], bigint[]);
ALTER TABLE member_identifier DROP COLUMN found_by;
DROP INDEX claim_line_of_unknown_payee, plb_line_of_unknown_payee, line_of_network_adjustment;
