-- What a member's own login may read, and the record of what auditors read.

-- A member's rows, wherever they are. Columns are named where a row says more than is the member's: what an office noted for itself,
-- who in it acted, what concerns others as well. A key of a fact may name another member.
DO $$
DECLARE
    shown record;
BEGIN
    FOR shown IN
        SELECT * FROM (VALUES
            ('member', 'member_id = member_of_login()', NULL),
            ('contract', 'member_id = member_of_login()', NULL),
            ('payout', 'member_id = member_of_login()',
                'payout_id, cycle_id, member_id, amount_cents, fee_cents, bank_account_id, state, trace_number, advice_id'),
            ('payout_fee', 'payout_id IN (SELECT p.payout_id FROM payout p WHERE p.member_id = member_of_login())', NULL),
            ('cycle', 'cycle_id IN (SELECT p.cycle_id FROM payout p WHERE p.member_id = member_of_login())',
                'cycle_id, business_date, effective_on'),
            -- Of orders of courts and of suspicions a member is not told by us: a person decides (payouts/holding/holds.py).
            ('hold', 'member_id = member_of_login() AND kind NOT IN (''legal'', ''fraud'')',
                'hold_id, member_id, kind, authority, payer_id, limit_cents, review_on, placed_on, state, ended_at'),
            ('child_remittance', 'member_id = member_of_login()', NULL),
            ('child_set', 'member_id = member_of_login()', NULL),
            ('issued_statement', 'member_id = member_of_login()', NULL),
            ('statement_issue', 'issue_id IN (SELECT s.issue_id FROM issued_statement s WHERE s.member_id = member_of_login())',
                'issue_id, from_on, to_on, form, version, payer_id, issued_at'),
            -- Asked once for all own entries: a transaction may have those of twenty thousand others.
            ('journal_transaction', 'transaction_id IN (SELECT e.transaction_id FROM entry e WHERE e.owner_id = member_of_login())',
                'transaction_id, event, fact_on, effective_on, recorded_at, reverses')
        ) AS t (name, own, columns)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', shown.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', shown.name);
        EXECUTE format('CREATE POLICY all_rows ON %I TO centralpay_owner, centralpay_app USING (true) WITH CHECK (true)', shown.name);
        EXECUTE format('CREATE POLICY read_all ON %I FOR SELECT TO centralpay_auditor USING (true)', shown.name);
        EXECUTE format('CREATE POLICY own_rows ON %I FOR SELECT TO centralpay_member USING (%s)', shown.name, shown.own);
        EXECUTE format('GRANT SELECT %s ON %I TO centralpay_member', coalesce('(' || shown.columns || ')', ''), shown.name);
    END LOOP;
END $$;
REVOKE SELECT ON entry FROM centralpay_member;
GRANT SELECT (owner_id, entry_id, transaction_id, ledger, event, effective_on) ON entry TO centralpay_member;
GRANT SELECT ON statement_line, standing_line TO centralpay_member;
-- Who may see whose rows is itself an action that people ask about.
SELECT add_trail('member_login');
-- The trail tells it to auditors; a verifier compares both.
CREATE POLICY read_all ON member_login FOR SELECT TO centralpay_auditor USING (true);
GRANT SELECT ON member_login TO centralpay_auditor;

-- What auditors asked of the books, written before they are answered.
CREATE TABLE examined (
    read_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    -- The database login that wrote it.
    login text NOT NULL DEFAULT session_user,
    -- The command, and what it was given.
    what text NOT NULL CHECK (what <> ''),
    parameters jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object')
);
CREATE INDEX examined_at ON examined (at);
COMMENT ON TABLE examined IS 'What auditors read: who, when, what, with which parameters. Append-only, written by note_read before the answer.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON examined FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
SELECT add_trail('examined');

CREATE FUNCTION note_read(p_actor text, p_what text, p_parameters jsonb) RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
    INSERT INTO examined (actor, what, parameters) VALUES (p_actor, p_what, p_parameters) RETURNING read_id
$$;
REVOKE EXECUTE ON FUNCTION note_read(text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_read(text, text, jsonb) TO centralpay_app, centralpay_auditor;
GRANT SELECT ON examined TO centralpay_app, centralpay_auditor;

-- Of the numbers that the first step let the application draw, it draws these alone by itself (a disbursement takes a payout's
-- number); the others come with their rows.
REVOKE USAGE ON ALL SEQUENCES IN SCHEMA centralpay FROM centralpay_app;
GRANT USAGE ON SEQUENCE advice_advice_id_seq, payout_payout_id_seq, ach_trace TO centralpay_app;
