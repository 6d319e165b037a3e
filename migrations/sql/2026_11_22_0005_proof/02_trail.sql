-- The trail: every version of every row that tells an action or a fact besides the journal, written by triggers in the
-- transaction that makes it. The sealer takes it into the same tree as the entries.

-- Which tables have a trail, and what of their rows it does not tell in clear.
CREATE TABLE trailed_table (
    table_name text PRIMARY KEY,
    -- Columns of which it tells one digest of all: about persons, and longer than a trail should be.
    digested text[] NOT NULL
);
COMMENT ON TABLE trailed_table IS 'The tables that have a trail. Changed by add_trail alone.';

-- The name and the value, an expression, of the one digest of some columns; none of no columns. As jsonb no value runs into the next.
CREATE FUNCTION trail_digest(p_digested text[]) RETURNS TABLE (name text, value text) LANGUAGE sql IMMUTABLE AS $$
    SELECT 'sha256 of ' || array_to_string(p_digested, ', '), format('encode(sha256(convert_to(jsonb_build_array(%s)::text, ''UTF8'')), ''hex'')',
               string_agg(format('%I::text', d.name), ', ' ORDER BY d.place))
    FROM unnest(p_digested) WITH ORDINALITY AS d (name, place) HAVING count(*) > 0
$$;

-- Content of a trail row, an expression over the columns of a table: every column as text. Bytes of a digest's length as their
-- hex, others as 'sha256:' and the hex of their SHA-256, so that nothing sealed or long travels with the trail, and bytes are not
-- told like their digest. What verifies (ledger/sql/verify.sql) says the same anew and does not ask this.
CREATE FUNCTION trail_content(p_table regclass, p_digested text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format('jsonb_object(%L::text[], ARRAY[%s])', array_agg(c.name ORDER BY c.name), string_agg(c.value, ', ' ORDER BY c.name))
    FROM (
        SELECT a.attname::text COLLATE "C" AS name, CASE a.atttypid
                   WHEN 'bytea'::regtype THEN format('CASE length(%1$I) WHEN 32 THEN encode(%1$I, ''hex'') ELSE ''sha256:'' || encode(sha256(%1$I), ''hex'') END', a.attname)
                   ELSE format('%I::text', a.attname) END AS value
        FROM pg_attribute a
        WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (p_digested)
        UNION ALL
        SELECT d.name, d.value FROM trail_digest(p_digested) d
    ) c
$$;

-- Key of a trail row, an expression likewise: the values of the primary key, '|' between them. Of a time of validity its first
-- day: it ends one day, and the row stays the same.
CREATE FUNCTION trail_key(p_table regclass) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(format(CASE WHEN t.typtype = 'r' THEN 'lower(%I)::text' ELSE '%I::text' END, a.attname), ' || ''|'' || ' ORDER BY k.place)
    FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.conrelid = p_table AND c.contype = 'p'
$$;

-- Writes what a statement made or changed. The expressions come from the trigger's definition. An update that
-- changes nothing leaves no row. Of a row that is taken away (an identifier whose finding was reversed) the trail tells that
-- it is gone: its last content is empty.
CREATE FUNCTION write_trail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp
SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
BEGIN
    EXECUTE format('INSERT INTO trail (table_name, row_key, content) ' || CASE TG_OP
            WHEN 'INSERT' THEN 'SELECT %L, %s, %s FROM new_row'
            WHEN 'UPDATE' THEN 'SELECT %L, %s, %s FROM (SELECT * FROM new_row EXCEPT SELECT * FROM old_row) n'
            ELSE 'SELECT %L, %s, ''{}'' FROM old_row' END,
        TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1]);
    RETURN NULL;
END $$;

-- The rows of a table as its trail would tell them now: what a proof compares with the last trail row of each.
CREATE FUNCTION trail_now(p_table text) RETURNS TABLE (row_key text, content jsonb) LANGUAGE plpgsql STABLE
SET search_path = centralpay, pg_temp
SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET bytea_output = 'hex' SET extra_float_digits = 1 AS $$
DECLARE told trailed_table;
BEGIN
    SELECT * INTO STRICT told FROM trailed_table t WHERE t.table_name = p_table;
    RETURN QUERY EXECUTE format('SELECT %s, %s FROM %I', trail_key(p_table::regclass),
        trail_content(p_table::regclass, told.digested), p_table);
END $$;

-- Puts a table under the trail, and takes down the rows that it has already. Asked once more, after a column was added to it,
-- it tells the rows anew that the trail would now tell otherwise; what was told by a digest stays so where nothing else is said.
CREATE FUNCTION add_trail(p_table regclass, p_digest text[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name text;
    row_key text := trail_key(p_table);
    digest text[];
    content text;
    unknown text;
BEGIN
    SELECT relname INTO name FROM pg_class WHERE oid = p_table;
    digest := coalesce(p_digest, (SELECT t.digested FROM trailed_table t WHERE t.table_name = name), '{}');
    content := trail_content(p_table, digest);
    SELECT c INTO unknown FROM unnest(digest) c
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = p_table AND a.attname = c AND a.attnum > 0) LIMIT 1;
    IF unknown IS NOT NULL THEN RAISE EXCEPTION 'table % has no column %', name, unknown; END IF;
    IF row_key IS NULL THEN RAISE EXCEPTION 'table % has no primary key: its rows have no name in the trail', name; END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER trail_of_new AFTER INSERT ON %I REFERENCING NEW TABLE AS new_row
        FOR EACH STATEMENT EXECUTE FUNCTION write_trail(%L, %L)', name, row_key, content);
    EXECUTE format('CREATE OR REPLACE TRIGGER trail_of_change AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_row NEW TABLE AS new_row
        FOR EACH STATEMENT EXECUTE FUNCTION write_trail(%L, %L)', name, row_key, content);
    EXECUTE format('CREATE OR REPLACE TRIGGER trail_of_removal AFTER DELETE ON %I REFERENCING OLD TABLE AS old_row
        FOR EACH STATEMENT EXECUTE FUNCTION write_trail(%L)', name, row_key);
    EXECUTE format('CREATE OR REPLACE TRIGGER trail_keeps_rows BEFORE TRUNCATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()', name);
    INSERT INTO trailed_table VALUES (name, digest) ON CONFLICT (table_name) DO UPDATE SET digested = EXCLUDED.digested;
    INSERT INTO trail (table_name, row_key, content)
    SELECT name, n.row_key, n.content FROM trail_now(name) n
    WHERE n.content IS DISTINCT FROM (SELECT t.content FROM trail t WHERE t.table_name = name AND t.row_key = n.row_key ORDER BY t.trail_id DESC LIMIT 1)
    ORDER BY n.row_key;
END $$;

REVOKE EXECUTE ON FUNCTION trail_digest(text[]), trail_content(regclass, text[]), trail_key(regclass), write_trail(), trail_now(text),
    add_trail(regclass, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trail_digest(text[]), trail_content(regclass, text[]), trail_key(regclass), trail_now(text) TO centralpay_app, centralpay_auditor;
GRANT SELECT ON trailed_table TO centralpay_app, centralpay_auditor;

-- Which, and why the others are not among them: docs/security.md.
SELECT add_trail('trailed_table');

-- Who acted, who decided, who signs, and by which rules.
SELECT add_trail('activity');
SELECT add_trail('approval');
SELECT add_trail('app_user');
SELECT add_trail('seal_key');
SELECT add_trail('period');
SELECT add_trail('account');
SELECT add_trail('posting_rule');
SELECT add_trail('dated_limit');
SELECT add_trail('same_day_window');
SELECT add_trail('cut_off');
SELECT add_trail('dormancy_rule');

-- Whose the money is. A tax number may be a person's own, and of a thousand million numbers the one of a digest is soon found:
-- so its digest is made with something that nobody can guess, and that leaves the house with nothing.
ALTER TABLE member ADD COLUMN tin_salt uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN member.tin_salt IS 'Drawn at random, for the digest of the tax number in the trail. It is shown to nobody outside.';
SELECT add_trail('owner');
SELECT add_trail('pharmacy');
SELECT add_trail('member', '{tin,tin_salt}');
SELECT add_trail('member_identifier');
SELECT add_trail('member_contact', '{name,telephone,email,postal_address}');
SELECT add_trail('contract');
SELECT add_trail('bank_account');
SELECT add_trail('bank_account_change', '{called_number,spoke_with}');
SELECT add_trail('bank_account_stop');
SELECT add_trail('payer');
SELECT add_trail('unknown_payee');

-- What came in, and how it was found.
SELECT add_trail('received_file', '{findings}');
SELECT add_trail('custodial_account');
SELECT add_trail('bank_statement');
SELECT add_trail('bank_line');
SELECT add_trail('statement_waiver');
SELECT add_trail('advice');
SELECT add_trail('advice_share');
SELECT add_trail('advice_replacement');
SELECT add_trail('direct_pay');
SELECT add_trail('vault_expiry');
SELECT add_trail('exception_case');

-- What people decided on it.
SELECT add_trail('decided_share');
SELECT add_trail('correction_claim');
SELECT add_trail('found_share');

-- What went out, and what stood in its way.
SELECT add_trail('cycle');
SELECT add_trail('ach_file');
SELECT add_trail('ach_answer');
SELECT add_trail('disbursement');
SELECT add_trail('hold');
SELECT add_trail('levy');
SELECT add_trail('release_order');
SELECT add_trail('owner_heard');
SELECT add_trail('unclaimed_letter');
SELECT add_trail('notice', '{recipient,subject,body}');
SELECT add_trail('statement_issue');
SELECT add_trail('issued_statement');
SELECT add_trail('fee_invoice');
SELECT add_trail('fee_invoice_line');
