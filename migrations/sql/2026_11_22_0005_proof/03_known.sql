-- As known at a checkpoint: the same questions, answered with what was sealed by then. Schema centralpay_known has a view for each
-- table and view of the books, under the same name; whoever puts it in front of the search path reads the past with the same SQL.

-- Numbers of entries, transactions and trail rows are given before their rows commit, so they are sealed nearly in their order.
-- What one run of the sealer took lies between these; nearly every row is told by them alone, the few others by their leaf.
CREATE TABLE known_bound (
    size bigint PRIMARY KEY REFERENCES seal_checkpoint,
    first_entry bigint,
    last_entry bigint,
    first_transaction bigint,
    last_transaction bigint,
    first_trail bigint,
    last_trail bigint,
    CONSTRAINT bounds_are_in_order CHECK (first_entry <= last_entry AND first_transaction <= last_transaction AND first_trail <= last_trail),
    CONSTRAINT entries_have_transactions CHECK (num_nulls(first_entry, last_entry, first_transaction, last_transaction) IN (0, 4)
        AND num_nulls(first_trail, last_trail) IN (0, 2))
);
COMMENT ON TABLE known_bound IS 'Least and greatest numbers among the leaves of each run of the sealer; computed from them and append-only.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON known_bound FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- The last versions of one table's rows, or which of them changed since.
CREATE INDEX trail_of_table ON trail (table_name, trail_id) INCLUDE (row_key);

CREATE FUNCTION known_bounds_of(p_from bigint, p_size bigint) RETURNS known_bound LANGUAGE plpgsql STABLE
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE found known_bound;
BEGIN
    SELECT p_size, min(entry_id), max(entry_id) INTO found.size, found.first_entry, found.last_entry
    FROM seal_leaf WHERE kind = 1 AND leaf_index >= p_from AND leaf_index < p_size;
    -- A run seals its transactions in their order: the first leaf's and the last one's are the bounds.
    SELECT e.transaction_id INTO found.first_transaction FROM entry e JOIN (
        SELECT owner_id, entry_id FROM seal_leaf WHERE kind = 1 AND leaf_index >= p_from AND leaf_index < p_size
        ORDER BY leaf_index LIMIT 1) s USING (owner_id, entry_id);
    SELECT e.transaction_id INTO found.last_transaction FROM entry e JOIN (
        SELECT owner_id, entry_id FROM seal_leaf WHERE kind = 1 AND leaf_index >= p_from AND leaf_index < p_size
        ORDER BY leaf_index DESC LIMIT 1) s USING (owner_id, entry_id);
    SELECT min(trail_id), max(trail_id) INTO found.first_trail, found.last_trail
    FROM seal_leaf WHERE kind = 2 AND leaf_index >= p_from AND leaf_index < p_size;
    RETURN found;
END $$;
CREATE FUNCTION bound_what_is_sealed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
BEGIN
    INSERT INTO known_bound SELECT b.* FROM known_bounds_of(coalesce(NEW.previous_size, 0), NEW.size) b;
    RETURN NULL;
END $$;
CREATE TRIGGER bounds_what_is_sealed AFTER INSERT ON seal_checkpoint FOR EACH ROW EXECUTE FUNCTION bound_what_is_sealed();

CREATE FUNCTION known_number(p_name text) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('centralpay.known_' || p_name, true), '')::bigint;

-- From here to the end of the transaction its statements read what was sealed at the checkpoint of that size. A floor is the least
-- number that was not sealed by then, a ceiling the greatest that was: below the floor everything is known, above the ceiling nothing.
CREATE FUNCTION known_at(p_size bigint) RETURNS bigint LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE sealed record; later record; waiting record;
BEGIN
    PERFORM FROM centralpay.seal_checkpoint WHERE size = p_size;
    IF NOT FOUND THEN RETURN NULL; END IF;
    SELECT coalesce(max(last_entry), 0) AS entry, coalesce(max(last_transaction), 0) AS transaction, coalesce(max(last_trail), 0) AS trail
    INTO sealed FROM centralpay.known_bound WHERE size <= p_size;
    SELECT min(first_entry) AS entry, min(first_transaction) AS transaction, min(first_trail) AS trail
    INTO later FROM centralpay.known_bound WHERE size > p_size;
    SELECT (SELECT min(e.entry_id) FROM centralpay.seal_pending p JOIN centralpay.entry e ON e.transaction_id = p.id WHERE p.kind = 1) AS entry,
           (SELECT min(p.id) FROM centralpay.seal_pending p WHERE p.kind = 1) AS transaction,
           (SELECT min(p.id) FROM centralpay.seal_pending p WHERE p.kind = 2) AS trail INTO waiting;
    PERFORM set_config('centralpay.known_' || n.name, n.value::text, true) FROM (VALUES
        ('size', p_size),
        ('entry_floor', least(later.entry, waiting.entry, sealed.entry + 1)), ('entry_ceiling', sealed.entry),
        ('transaction_floor', least(later.transaction, waiting.transaction, sealed.transaction + 1)), ('transaction_ceiling', sealed.transaction),
        ('trail_floor', least(later.trail, waiting.trail, sealed.trail + 1)), ('trail_ceiling', sealed.trail),
        -- Whether anything came since: where nothing did, a row is what it is.
        ('entries_since', num_nonnulls(later.entry, waiting.entry)::bigint), ('trail_since', num_nonnulls(later.trail, waiting.trail)::bigint)
    ) AS n (name, value);
    PERFORM set_config('search_path', 'centralpay_known, centralpay, pg_temp', true);
    RETURN p_size;
END $$;

-- A statement that is given out names the checkpoint that it was read at; what was issued before there was a seal names none.
ALTER TABLE statement_issue ADD COLUMN checkpoint_size bigint REFERENCES seal_checkpoint;
ALTER TABLE statement_issue ADD CONSTRAINT issue_names_its_checkpoint CHECK (checkpoint_size IS NOT NULL) NOT VALID;
SELECT add_trail('statement_issue');

-- Payouts have no trail: twenty thousand move at once, and what is said of them is their cycle's and the books'. All but one thing.
CREATE TABLE payout_exclusion (
    payout_id bigint PRIMARY KEY REFERENCES payout,
    reason text NOT NULL,
    excluded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE payout_exclusion IS 'Payouts that were left out of their cycle, and why. Written by the trigger on payout alone.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_exclusion FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE FUNCTION keep_exclusion() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
BEGIN
    INSERT INTO payout_exclusion (payout_id, reason) VALUES (NEW.payout_id, NEW.reason);
    RETURN NULL;
END $$;
CREATE TRIGGER keeps_exclusion AFTER UPDATE ON payout FOR EACH ROW WHEN (NEW.state = 'excluded' AND OLD.state <> 'excluded')
    EXECUTE FUNCTION keep_exclusion();
INSERT INTO payout_exclusion (payout_id, reason) SELECT payout_id, reason FROM payout WHERE state = 'excluded' ORDER BY payout_id;
SELECT add_trail('payout_exclusion');

-- The columns of a table that a version of the trail may tell otherwise than the row does now: what the application may update, what
-- is generated from that, and what triggers and functions with the owner's rights do; of identifiers, which are taken away and may
-- be found to be another's, all. What it tells by a digest is read from the row.
CREATE FUNCTION known_columns(p_table regclass) RETURNS TABLE (place integer, name text, type text, is_changing boolean)
LANGUAGE sql STABLE SET search_path = centralpay, pg_temp AS $$
    SELECT a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
           a.attname <> ALL (t.digested) AND (has_column_privilege('centralpay_app', p_table, a.attname, 'UPDATE')
               OR (t.table_name, a.attname::text) IN (('period', 'state'), ('trailed_table', 'digested'), ('found_share', 'standing'), ('correction_claim', 'standing'),
                   ('advice', 'direct_pay_id')) OR a.attgenerated <> '' OR c.relname = 'member_identifier')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN trailed_table t ON t.table_name = c.relname
    WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
$$;

-- The view of a table with a trail: a row that did not change since is what it is, another is what its last version of then says.
-- What was taken away since is what its last version says, too; an empty one says that it was gone by then.
CREATE INDEX trail_of_what_is_gone ON trail (table_name, row_key) WHERE content = '{}';
CREATE FUNCTION known_view_of(p_name text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = centralpay, pg_temp AS $$
DECLARE
    -- The columns of the key bear the alias of the row.
    row_key text := (SELECT string_agg(format(CASE WHEN t.typtype = 'r' THEN 'lower(x.%I)::text' ELSE 'x.%I::text' END, a.attname), ' || ''|'' || ' ORDER BY k.place)
        FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.conrelid = p_name::regclass AND c.contype = 'p');
    changed text := format('((SELECT known_number(''trail_since'')) > 0 AND EXISTS (SELECT FROM centralpay_known.later_trail t
        WHERE t.table_name = %L AND t.row_key = %s))', p_name, row_key);
    version text := format('FROM centralpay_known.trail t WHERE t.table_name = %L AND t.row_key = %s', p_name, row_key);
    told trailed_table := (SELECT t FROM trailed_table t WHERE t.table_name = p_name);
    -- Of what was digested the trail can tell whether it is what it was; what it was then it can not tell, and nobody is told.
    digest text := (SELECT format('jsonb_build_object(%L, %s)', d.name, d.value) FROM trail_digest(told.digested) d);
    is_other text := format('%s AND NOT (SELECT t.content %s ORDER BY t.trail_id DESC LIMIT 1) @> %s', changed, version, digest);
    columns text := (SELECT string_agg(CASE WHEN c.is_changing
            THEN format('CASE WHEN %s THEN (SELECT %s %s ORDER BY t.trail_id DESC LIMIT 1) ELSE x.%I END AS %I', changed,
                CASE c.type WHEN 'bytea' THEN format('decode(t.content ->> %L, ''hex'')', c.name) ELSE format('(t.content ->> %L)::%s', c.name, c.type) END,
                version, c.name, c.name)
            WHEN c.name = ANY (told.digested) THEN format('CASE WHEN NOT (%s) THEN x.%I END AS %I', is_other, c.name, c.name)
            ELSE format('x.%I', c.name) END, ', ' ORDER BY c.place) FROM known_columns(p_name::regclass) c);
    gone text := CASE WHEN p_name = 'member_identifier' THEN format('
        UNION ALL SELECT (jsonb_populate_record(NULL::centralpay.%1$I, v.content)).*
        FROM (SELECT DISTINCT g.row_key FROM centralpay.trail g WHERE g.table_name = %1$L AND g.content = ''{}'') g
        CROSS JOIN LATERAL (SELECT t.content FROM centralpay_known.trail t WHERE t.table_name = %1$L AND t.row_key = g.row_key
            ORDER BY t.trail_id DESC LIMIT 1) v
        WHERE v.content <> ''{}'' AND NOT EXISTS (SELECT FROM centralpay.%1$I x WHERE g.row_key = %2$s)', p_name, row_key) END;
BEGIN
    RETURN format('CREATE VIEW centralpay_known.%I WITH (security_invoker) AS SELECT %s FROM centralpay.%I x
        WHERE CASE WHEN %s THEN (SELECT t.content <> ''{}'' %s ORDER BY t.trail_id DESC LIMIT 1) ELSE true END %s',
        p_name, columns, p_name, changed, version, gone);
END $$;

-- What came with a row of the trail, and has none itself: it is known when that is.
CREATE TABLE known_with (
    table_name text PRIMARY KEY,
    condition text NOT NULL
);
COMMENT ON TABLE known_with IS 'Tables without a trail: which row of another table, as known, each of their rows (x) came with.';
INSERT INTO known_with (table_name, condition) VALUES
    ('plb_line', 'FROM centralpay_known.advice o WHERE o.advice_id = x.advice_id'),
    ('claim_line', 'FROM centralpay_known.advice o WHERE o.advice_id = x.advice_id'),
    ('remittance_set', 'FROM centralpay_known.received_file o WHERE o.file_id = x.file_id'),
    ('bank_line_detail', 'FROM centralpay_known.received_file o WHERE o.file_id = x.file_id'),
    ('received_entry', 'FROM centralpay_known.received_file o WHERE o.file_id = x.file_id'),
    ('ach_entry', 'FROM centralpay_known.ach_file o WHERE o.ach_file_id = x.ach_file_id'),
    ('cycle_omission', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id'),
    ('cycle_own_item', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id'),
    ('cycle_remittance', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id'),
    ('cycle_share', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id'),
    ('cycle_found_share', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id'),
    ('payout_fee', 'FROM centralpay.payout p JOIN centralpay_known.cycle o USING (cycle_id) WHERE p.payout_id = x.payout_id'),
    -- They are made when the cycle is released.
    ('child_set', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id AND o.state IN (''released'', ''settled'')'),
    ('child_remittance', 'FROM centralpay_known.cycle o WHERE o.cycle_id = x.cycle_id AND o.state IN (''released'', ''settled'')');

-- Builds the schema of the views anew; the last file of every step that makes or changes tables calls it.
CREATE FUNCTION make_known_views() RETURNS void LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $make$
DECLARE r record;
BEGIN
    FOR r IN SELECT format('DROP VIEW IF EXISTS centralpay_known.%I CASCADE', viewname) AS statement FROM pg_views
             WHERE schemaname = 'centralpay_known'
    LOOP EXECUTE r.statement; END LOOP;

    CREATE VIEW centralpay_known.trail WITH (security_invoker) AS
        SELECT t.* FROM centralpay.trail t
        WHERE t.trail_id < (SELECT known_number('trail_floor')) OR (t.trail_id <= (SELECT known_number('trail_ceiling')) AND
            (SELECT s.leaf_index FROM seal_leaf s WHERE s.kind = 2 AND s.trail_id = t.trail_id) < (SELECT known_number('size')));
    CREATE VIEW centralpay_known.later_trail WITH (security_invoker) AS
        SELECT t.* FROM centralpay.trail t
        WHERE t.trail_id >= known_number('trail_floor') AND (t.trail_id > (SELECT known_number('trail_ceiling')) OR
            coalesce((SELECT s.leaf_index FROM seal_leaf s WHERE s.kind = 2 AND s.trail_id = t.trail_id) >= (SELECT known_number('size')), true));
    COMMENT ON VIEW centralpay_known.later_trail IS 'What the trail tells of later than the checkpoint.';

    CREATE VIEW centralpay_known.entry WITH (security_invoker) AS
        SELECT e.* FROM centralpay.entry e
        WHERE e.entry_id < (SELECT known_number('entry_floor')) OR (e.entry_id <= (SELECT known_number('entry_ceiling')) AND
            (SELECT s.leaf_index FROM seal_leaf s WHERE s.kind = 1 AND s.owner_id = e.owner_id AND s.entry_id = e.entry_id)
                < (SELECT known_number('size')));
    CREATE VIEW centralpay_known.line WITH (security_invoker) AS
        SELECT l.* FROM centralpay.line l
        WHERE l.entry_id < (SELECT known_number('entry_floor')) OR (l.entry_id <= (SELECT known_number('entry_ceiling')) AND
            (SELECT s.leaf_index FROM seal_leaf s WHERE s.kind = 1 AND s.owner_id = l.owner_id AND s.entry_id = l.entry_id)
                < (SELECT known_number('size')));
    -- One run of the sealer takes all entries of a transaction: any one of them tells.
    CREATE VIEW centralpay_known.journal_transaction WITH (security_invoker) AS
        SELECT t.* FROM centralpay.journal_transaction t
        WHERE t.transaction_id < (SELECT known_number('transaction_floor')) OR (t.transaction_id <= (SELECT known_number('transaction_ceiling')) AND
            (SELECT s.leaf_index FROM centralpay.entry e JOIN seal_leaf s ON s.kind = 1 AND s.owner_id = e.owner_id AND s.entry_id = e.entry_id
             WHERE e.transaction_id = t.transaction_id LIMIT 1) < (SELECT known_number('size')));
    CREATE VIEW centralpay_known.balance WITH (security_invoker) AS
        SELECT l.owner_id, l.ledger, l.account, coalesce(sum(l.amount_cents) FILTER (WHERE l.amount_cents > 0), 0)::bigint AS debit_cents,
               coalesce(-sum(l.amount_cents) FILTER (WHERE l.amount_cents < 0), 0)::bigint AS credit_cents, count(*) AS version
        FROM centralpay_known.line l GROUP BY l.owner_id, l.ledger, l.account;

    FOR r IN SELECT table_name FROM trailed_table ORDER BY table_name LOOP
        EXECUTE known_view_of(r.table_name);
    END LOOP;
    FOR r IN SELECT * FROM known_with ORDER BY table_name LOOP
        EXECUTE format('CREATE VIEW centralpay_known.%I WITH (security_invoker) AS SELECT x.* FROM centralpay.%I x WHERE EXISTS (SELECT %s)',
            r.table_name, r.table_name, r.condition);
    END LOOP;

    -- As its cycle was and as the books were: what is released is in transit, what is settled no longer is.
    CREATE VIEW centralpay_known.payout WITH (security_invoker) AS
        SELECT p.payout_id, p.cycle_id, p.member_id, p.amount_cents, p.fee_cents, p.bank_account_id,
               CASE WHEN (SELECT known_number('entries_since') + known_number('trail_since')) = 0 OR c.state = 'void' THEN p.state
                    WHEN EXISTS (SELECT FROM centralpay_known.payout_exclusion x WHERE x.payout_id = p.payout_id) THEN 'excluded'
                    WHEN c.state IN ('proposed', 'approved') THEN c.state
                    WHEN p.amount_cents = 0 THEN CASE WHEN EXISTS (SELECT FROM centralpay_known.trail t WHERE t.table_name = 'cycle'
                        AND t.row_key = p.cycle_id::text AND t.content ->> 'state' = 'settled') THEN 'settled' ELSE 'released' END
                    WHEN (SELECT -sum(l.amount_cents) FROM centralpay_known.line l WHERE l.account = 'in_transit' AND l.reference = p.payout_id
                            AND l.owner_id = p.member_id) = p.amount_cents THEN 'released'
                    WHEN EXISTS (SELECT FROM centralpay_known.ach_answer a JOIN centralpay_known.journal_transaction t ON t.fact_key = a.fact_key
                                 WHERE a.payout_id = p.payout_id AND t.event = 'payout_returned'
                                   AND NOT EXISTS (SELECT FROM centralpay_known.journal_transaction r WHERE r.reverses = t.transaction_id)) THEN 'returned'
                    ELSE 'settled' END AS state,
               CASE WHEN c.state IN ('released', 'settled') THEN p.trace_number END AS trace_number,
               CASE WHEN p.state = 'excluded' AND EXISTS (SELECT FROM centralpay_known.payout_exclusion x WHERE x.payout_id = p.payout_id)
                    THEN p.reason END AS reason,
               p.advice_id
        FROM centralpay.payout p JOIN centralpay_known.cycle c USING (cycle_id);
    CREATE VIEW centralpay_known.share_to_remit WITH (security_invoker) AS
        SELECT x.owner_id, x.advice_id, (SELECT c.cycle_id FROM centralpay_known.cycle c WHERE c.cycle_id = x.cycle_id
                                             AND c.state IN ('released', 'settled')) AS cycle_id
        -- What was the payer's own to tell became ours to tell only when it was paid through us after all.
        FROM centralpay.share_to_remit x WHERE EXISTS (SELECT FROM centralpay_known.advice a WHERE a.advice_id = x.advice_id AND a.direct_pay_id IS NULL);

    -- The views of the present, word for word over the views of the past.
    FOR r IN SELECT c.relname, pg_get_viewdef(c.oid) AS definition FROM pg_class c
             WHERE c.relnamespace = 'centralpay'::regnamespace AND c.relkind = 'v' ORDER BY c.oid
    LOOP
        PERFORM set_config('search_path', 'centralpay_known, centralpay, pg_temp', true);
        EXECUTE format('CREATE VIEW centralpay_known.%I WITH (security_invoker) AS %s', r.relname, r.definition);
        PERFORM set_config('search_path', 'centralpay, pg_temp', true);
    END LOOP;
    GRANT SELECT ON ALL TABLES IN SCHEMA centralpay_known TO centralpay_app, centralpay_auditor;
END $make$;

-- Functions that are bound to the tables that they were written over, bound to no schema.
CREATE FUNCTION centralpay_known.limit_on(p_name text, p_day date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT cents FROM dated_limit WHERE name = p_name AND since <= p_day ORDER BY since DESC LIMIT 1
$$;
CREATE FUNCTION centralpay_known.cut_off_on(p_name text, p_day date) RETURNS time LANGUAGE sql STABLE AS $$
    SELECT local_time FROM cut_off WHERE name = p_name AND since <= p_day ORDER BY since DESC LIMIT 1
$$;

REVOKE EXECUTE ON FUNCTION known_bounds_of(bigint, bigint), bound_what_is_sealed(), known_number(text), known_at(bigint), keep_exclusion(),
    known_columns(regclass), known_view_of(text), make_known_views(), centralpay_known.limit_on(text, date), centralpay_known.cut_off_on(text, date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION known_bounds_of(bigint, bigint), known_number(text), known_at(bigint), known_columns(regclass),
    centralpay_known.limit_on(text, date), centralpay_known.cut_off_on(text, date) TO centralpay_app, centralpay_auditor;
GRANT SELECT ON known_bound, known_with, payout_exclusion TO centralpay_app, centralpay_auditor;
