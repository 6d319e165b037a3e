REVOKE SELECT ON member_login FROM centralpay_auditor;
DROP POLICY read_all ON member_login;
DROP FUNCTION note_read(text, text, jsonb);
DROP TABLE examined;

REVOKE SELECT ON statement_line, standing_line FROM centralpay_member;
REVOKE SELECT (owner_id, entry_id, transaction_id, ledger, event, effective_on) ON entry FROM centralpay_member;
GRANT SELECT ON entry TO centralpay_member;
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['member', 'contract', 'payout', 'payout_fee', 'cycle', 'hold', 'child_remittance', 'child_set', 'issued_statement',
        'statement_issue', 'journal_transaction'] LOOP
        EXECUTE format('REVOKE SELECT ON %I FROM centralpay_member', t);
        EXECUTE format('DROP POLICY own_rows ON %I', t);
        EXECUTE format('DROP POLICY read_all ON %I', t);
        EXECUTE format('DROP POLICY all_rows ON %I', t);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', t);
    END LOOP;
END $$;
GRANT USAGE ON SEQUENCE activity_activity_id_seq, pharmacy_pharmacy_id_seq, contract_contract_id_seq, unknown_payee_unknown_payee_id_seq,
    received_file_file_id_seq, bank_line_bank_line_id_seq, approval_approval_id_seq, cycle_cycle_id_seq, payout_payout_id_seq,
    exception_case_exception_id_seq TO centralpay_app;
