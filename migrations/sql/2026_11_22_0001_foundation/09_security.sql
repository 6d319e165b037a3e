-- Who may do what. The application posts by function and writes its working tables; nobody writes the ledger.

CREATE TABLE member_login (
    role_name name PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member
);
COMMENT ON TABLE member_login IS 'Which database login speaks for which member: the login decides, never a variable that it can set.';

CREATE FUNCTION member_of_login() RETURNS uuid LANGUAGE sql STABLE
    RETURN (SELECT member_id FROM member_login WHERE role_name = session_user);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON activity
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON advice_share
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plb_line
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['entry', 'line', 'balance', 'advice_share'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        -- FORCE binds the owner too: the functions that guard must see every row, or they guard nothing.
        EXECUTE format('CREATE POLICY all_rows ON %I TO centralpay_owner, centralpay_app USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY read_all ON %I FOR SELECT TO centralpay_auditor USING (true)', t);
        EXECUTE format('CREATE POLICY own_rows ON %I FOR SELECT TO centralpay_member USING (owner_id = member_of_login())', t);
        EXECUTE format('GRANT SELECT ON %I TO centralpay_member', t);
    END LOOP;
END $$;
ALTER TABLE member_login ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_login FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON member_login TO centralpay_owner, centralpay_app USING (true) WITH CHECK (true);
CREATE POLICY own_login ON member_login FOR SELECT TO centralpay_member USING (role_name = session_user);
GRANT SELECT ON member_login TO centralpay_member;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA centralpay FROM PUBLIC;
GRANT USAGE ON SCHEMA centralpay TO centralpay_app, centralpay_auditor, centralpay_member;
GRANT SELECT ON ALL TABLES IN SCHEMA centralpay TO centralpay_app, centralpay_auditor;
REVOKE SELECT ON member_login FROM centralpay_auditor;
GRANT EXECUTE ON FUNCTION house_id(), month_of_reference(bigint), member_of_login() TO centralpay_app, centralpay_auditor, centralpay_member;
GRANT EXECUTE ON FUNCTION fee_due(bigint, date), fee_due_of_member(uuid, date), effective_date(date), advice_shares(bigint[]),
    cycle_set_hash(bigint) TO centralpay_app, centralpay_auditor;
GRANT EXECUTE ON FUNCTION
    post(text, event_name[], text[], date[], text[], bigint[], bigint[], integer[], uuid[], ledger_name[], account_name[], bigint[], bigint[]),
    reverse_transaction(text, bigint, text, date, text), ensure_claim_partition(date) TO centralpay_app;
GRANT EXECUTE ON FUNCTION journal_is_append_only(), claim_line_is_append_only(), approval_is_decided_once(), refuse(integer, text, text, jsonb)
    TO centralpay_app;

GRANT INSERT ON app_user, activity, owner, pharmacy, member, member_identifier, contract, bank_account, payer, unknown_payee,
    received_file, advice, remittance_set, claim_line, plb_line, advice_share, custodial_account, bank_statement, bank_line,
    approval, cycle, payout, payout_fee, cycle_omission, exception_case TO centralpay_app;
GRANT UPDATE (name, ach_company_ids, aliases) ON payer TO centralpay_app;
GRANT UPDATE (membership, legal_name, dba_name, state, payout_schedule) ON member TO centralpay_app;
GRANT UPDATE (valid) ON member_identifier TO centralpay_app;
GRANT UPDATE (in_force) ON contract TO centralpay_app;
GRANT UPDATE (status, findings) ON received_file TO centralpay_app;
GRANT UPDATE (state) ON advice, bank_line TO centralpay_app;
GRANT UPDATE (state, decided_by, decided_at, reason) ON approval TO centralpay_app;
GRANT UPDATE (state, approval_id, released_by, nacha_name, nacha_sha256, released_cents, settled_by_bank_line) ON cycle TO centralpay_app;
GRANT UPDATE (state, trace_number, reason) ON payout TO centralpay_app;
GRANT UPDATE (state, resolved_at, resolution, amount_cents, detail) ON exception_case TO centralpay_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA centralpay TO centralpay_app;
REVOKE USAGE ON SEQUENCE transaction_number, entry_number FROM centralpay_app;
