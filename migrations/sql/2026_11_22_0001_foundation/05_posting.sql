-- The one way in: post(batch). A batch is transactions and their primary lines as parallel arrays; the entries, the
-- effective dates and the advances that belong to a transaction are derived here. Either all of it is posted or none.

-- The lines of a batch with the advances that they make necessary: after a transaction a member's advance is what it owes.
-- p_ids: transaction ids by ordinal in the batch, null where the fact is already posted.
-- p_due_owners: the members whose due_available or operating_advance the batch moves; their balances are locked.
CREATE FUNCTION with_advances(
    p_ids bigint[], p_events event_name[], p_line_transaction integer[], p_line_owner uuid[], p_line_ledger ledger_name[],
    p_line_account account_name[], p_line_amount bigint[], p_line_reference bigint[], p_due_owners uuid[]
) RETURNS TABLE (ordinal integer, owner_id uuid, ledger ledger_name, event event_name, account account_name,
                 amount_cents bigint, reference bigint, place bigint)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
    WITH given AS MATERIALIZED (
        SELECT g.ordinal, g.owner_id, g.ledger, g.account, g.amount_cents, g.reference, g.place
        FROM unnest(p_line_transaction, p_line_owner, p_line_ledger, p_line_account, p_line_amount, p_line_reference)
            WITH ORDINALITY AS g (ordinal, owner_id, ledger, account, amount_cents, reference, place)
        WHERE p_ids[g.ordinal] IS NOT NULL
    ), moved AS (
        SELECT g.ordinal, g.owner_id,
               sum(g.amount_cents) FILTER (WHERE g.account = 'due_available') AS due_cents,
               sum(-g.amount_cents) FILTER (WHERE g.account = 'operating_advance') AS advance_cents
        FROM given g
        WHERE g.account IN ('due_available', 'operating_advance') AND g.owner_id <> house_id()
        GROUP BY g.ordinal, g.owner_id
    ), stored AS (
        SELECT b.owner_id,
               sum(b.debit_cents - b.credit_cents) FILTER (WHERE b.account = 'due_available') AS due_cents,
               sum(b.credit_cents - b.debit_cents) FILTER (WHERE b.account = 'operating_advance') AS advance_cents
        FROM balance b
        WHERE b.owner_id = ANY (p_due_owners) AND b.ledger = 'custody'
          AND b.account IN ('due_available', 'operating_advance')
        GROUP BY b.owner_id
    ), needed AS (
        SELECT m.ordinal, m.owner_id, coalesce(m.advance_cents, 0) AS own_cents, coalesce(s.advance_cents, 0) AS before_cents,
               greatest(coalesce(s.due_cents, 0) + sum(coalesce(m.due_cents, 0))
                        OVER (PARTITION BY m.owner_id ORDER BY m.ordinal), 0) AS needed_cents
        FROM moved m LEFT JOIN stored s USING (owner_id)
    ), delta AS (
        SELECT n.ordinal, n.owner_id, (n.needed_cents - n.own_cents - coalesce(
                   lag(n.needed_cents) OVER (PARTITION BY n.owner_id ORDER BY n.ordinal), n.before_cents))::bigint AS cents
        FROM needed n
    ), advance AS (
        SELECT d.ordinal, d.owner_id, (CASE WHEN d.cents > 0 THEN 'advanced' ELSE 'advance_repaid' END)::event_name AS event, d.cents
        FROM delta d WHERE d.cents <> 0
    ), house AS (
        SELECT a.ordinal, a.event, sum(a.cents)::bigint AS cents FROM advance a GROUP BY a.ordinal, a.event
    )
    SELECT g.ordinal, g.owner_id, g.ledger, p_events[g.ordinal], g.account, g.amount_cents, g.reference, g.place FROM given g
    UNION ALL
    SELECT a.ordinal, a.owner_id, l.ledger, a.event, l.account, a.cents * l.sign, l.reference, l.place
    FROM advance a CROSS JOIN (VALUES
        ('custody'::ledger_name, 'cash'::account_name, 1, 1::bigint, 1::bigint),
        ('custody', 'operating_advance', -1, NULL, 2),
        ('operating', 'advance_receivable', 1, NULL, 1),
        ('operating', 'custody_float', -1, NULL, 2)) AS l (ledger, account, sign, reference, place)
    UNION ALL
    SELECT h.ordinal, house_id(), 'custody', h.event, l.account, h.cents * l.sign, l.reference, l.place
    FROM house h CROSS JOIN (VALUES
        ('operating_float'::account_name, 1, NULL::bigint, 1::bigint),
        ('cash', -1, 1, 2)) AS l (account, sign, reference, place)
$$;

-- 6: a fact that is posted already is the first result when its body is the same, else a conflict that names the field.
CREATE FUNCTION same_fact_or_conflict(
    p_transaction_id bigint, p_event event_name, p_fact_on date, p_reverses bigint, p_bank_line_id bigint,
    p_owners uuid[], p_ledgers ledger_name[], p_accounts account_name[], p_amounts bigint[], p_references bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE stored journal_transaction; field text; was text; given text; difference record;
BEGIN
    SELECT * INTO STRICT stored FROM journal_transaction WHERE transaction_id = p_transaction_id;
    SELECT f.name, f.was, f.given INTO field, was, given FROM (VALUES
        ('event', stored.event::text, p_event::text),
        ('fact_on', stored.fact_on::text, p_fact_on::text),
        ('reverses', stored.reverses::text, p_reverses::text),
        ('bank_line', stored.bank_line_id::text, p_bank_line_id::text)) AS f (name, was, given)
    WHERE f.was IS DISTINCT FROM f.given LIMIT 1;
    IF field IS NULL THEN
        WITH posted AS (
            SELECT l.owner_id, l.ledger, l.account, l.reference, l.amount_cents, count(*) AS times
            FROM entry e JOIN line l USING (owner_id, entry_id)
            WHERE e.transaction_id = p_transaction_id AND e.event NOT IN ('advanced', 'advance_repaid') GROUP BY 1, 2, 3, 4, 5
        ), asked AS (
            SELECT a.owner_id, a.ledger, a.account, a.reference, a.amount_cents, count(*) AS times
            FROM unnest(p_owners, p_ledgers, p_accounts, p_references, p_amounts)
                AS a (owner_id, ledger, account, reference, amount_cents) GROUP BY 1, 2, 3, 4, 5
        )
        SELECT coalesce(p.account, a.account) AS account, p.amount_cents AS was, a.amount_cents AS given INTO difference
        FROM posted p FULL JOIN asked a ON (p.owner_id, p.ledger, p.account, p.amount_cents, p.times)
            = (a.owner_id, a.ledger, a.account, a.amount_cents, a.times) AND p.reference IS NOT DISTINCT FROM a.reference
        WHERE p.times IS NULL OR a.times IS NULL ORDER BY 1, 2, 3 LIMIT 1;
        IF NOT FOUND THEN RETURN; END IF;
        field := 'lines'; was := difference.account || ' ' || coalesce(difference.was::text, 'nothing');
        given := difference.account || ' ' || coalesce(difference.given::text, 'nothing');
    END IF;
    PERFORM refuse(6, 'fact_is_posted_once', format('%s is posted with another %s: stored %s, given %s',
        stored.fact_key, field, coalesce(was, 'none'), coalesce(given, 'none')),
        jsonb_build_object('fact_key', stored.fact_key, 'field', field, 'stored', was, 'given', given,
                           'transaction', p_transaction_id));
END $$;

CREATE FUNCTION post(
    p_actor text, p_events event_name[], p_fact_keys text[], p_fact_on date[], p_reasons text[], p_reverses bigint[],
    p_bank_lines bigint[], p_line_transaction integer[], p_line_owner uuid[], p_line_ledger ledger_name[],
    p_line_account account_name[], p_line_amount bigint[], p_line_reference bigint[]
) RETURNS TABLE (fact_key text, transaction_id bigint, replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ids bigint[]; fresh bigint[]; posted bigint; ord integer; dates date[]; due_owners uuid[];
BEGIN
    IF cardinality(p_events) IS DISTINCT FROM cardinality(p_fact_keys)
       OR (SELECT count(DISTINCT k) FROM unnest(p_fact_keys) k) <> cardinality(p_fact_keys) THEN
        PERFORM refuse(6, 'fact_is_posted_once', 'a batch names each of its facts once');
    END IF;
    IF (SELECT bool_or(o IS NULL OR o NOT BETWEEN 1 AND cardinality(p_events)) FROM unnest(p_line_transaction) o) THEN
        PERFORM refuse(1, 'line_of_a_new_entry', 'a line names a transaction that the batch does not hold');
    END IF;
    -- A date that no open period takes stays as it is: the guard refuses it, unless the fact is posted already.
    WITH day AS MATERIALIZED (SELECT d, coalesce(effective_date(d), d) AS effective_on FROM (SELECT DISTINCT unnest(p_fact_on) AS d) u)
    SELECT array_agg(day.effective_on ORDER BY f.n) INTO dates FROM unnest(p_fact_on) WITH ORDINALITY AS f (d, n) LEFT JOIN day USING (d);
    ids := array(SELECT nextval('transaction_number') FROM generate_series(1, cardinality(p_events)));
    WITH made AS (
        INSERT INTO journal_transaction (transaction_id, event, fact_key, fact_on, effective_on, actor, reason, bank_line_id, reverses)
        SELECT n.id, n.event, n.fact_key, n.fact_on, n.effective_on, p_actor, n.reason, n.bank_line, n.reverses
        FROM unnest(ids, p_events, p_fact_keys, p_fact_on, dates, p_reasons, p_bank_lines, p_reverses)
            AS n (id, event, fact_key, fact_on, effective_on, reason, bank_line, reverses)
        -- In one order for everybody: two batches of the same facts wait for each other, never in a circle.
        ORDER BY n.fact_key
        ON CONFLICT (fact_key) DO NOTHING RETURNING transaction_id
    )
    SELECT array_agg(CASE WHEN m.transaction_id IS NULL THEN NULL ELSE i.id END ORDER BY i.n) INTO fresh
    FROM unnest(ids) WITH ORDINALITY AS i (id, n) LEFT JOIN made m ON m.transaction_id = i.id;
    FOR ord IN SELECT n FROM unnest(fresh) WITH ORDINALITY AS f (id, n) WHERE f.id IS NULL ORDER BY n LOOP
        SELECT t.transaction_id INTO STRICT posted FROM journal_transaction t WHERE t.fact_key = p_fact_keys[ord];
        PERFORM same_fact_or_conflict(posted, p_events[ord], p_fact_on[ord], p_reverses[ord], p_bank_lines[ord],
            array_agg(l.owner_id), array_agg(l.ledger), array_agg(l.account), array_agg(l.amount_cents), array_agg(l.reference))
        FROM unnest(p_line_transaction, p_line_owner, p_line_ledger, p_line_account, p_line_amount, p_line_reference)
            AS l (ordinal, owner_id, ledger, account, amount_cents, reference) WHERE l.ordinal = ord;
        ids[ord] := posted;
    END LOOP;
    -- Whoever changes what is available takes its turn first, in the order of the owners: the advance depends on it.
    SELECT array_agg(DISTINCT l.owner_id) INTO due_owners FROM unnest(p_line_owner, p_line_account) AS l (owner_id, account)
    WHERE l.account IN ('due_available', 'operating_advance') AND l.owner_id <> house_id();
    PERFORM FROM balance b WHERE b.owner_id = ANY (due_owners) AND b.ledger = 'custody' AND b.account = 'due_available'
    ORDER BY b.owner_id FOR NO KEY UPDATE;
    WITH lines AS MATERIALIZED (
        SELECT * FROM with_advances(fresh, p_events, p_line_transaction, p_line_owner, p_line_ledger, p_line_account,
                                    p_line_amount, p_line_reference, due_owners)
    ), entries AS MATERIALIZED (
        SELECT d.*, nextval('entry_number') AS entry_id
        FROM (SELECT DISTINCT ordinal, owner_id, ledger, event FROM lines ORDER BY ordinal, owner_id, ledger, event) d
    ), written AS (
        INSERT INTO entry (owner_id, entry_id, transaction_id, ledger, event, fact_key, effective_on)
        SELECT e.owner_id, e.entry_id, fresh[e.ordinal], e.ledger, e.event, p_fact_keys[e.ordinal], dates[e.ordinal] FROM entries e
    )
    INSERT INTO line (owner_id, entry_id, line_no, event, ledger, account, amount_cents, reference, effective_on)
    SELECT e.owner_id, e.entry_id, row_number() OVER (PARTITION BY e.entry_id ORDER BY l.place), l.event, l.ledger, l.account,
           l.amount_cents, l.reference, dates[l.ordinal]
    FROM lines l JOIN entries e USING (ordinal, owner_id, ledger, event);
    -- What is due at commit is asked now, so that a refusal names this batch and not the commit.
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN QUERY SELECT n.fact_key, n.id, n.fresh IS NULL FROM unnest(p_fact_keys, ids, fresh) AS n (fact_key, id, fresh);
END $$;

-- A reversal: every entry of the original with its signs turned, and the advance that this makes necessary.
CREATE FUNCTION reverse_transaction(p_actor text, p_transaction_id bigint, p_fact_key text, p_fact_on date, p_reason text)
RETURNS TABLE (fact_key text, transaction_id bigint, replayed boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
    SELECT r.* FROM (
        SELECT array_agg(l.owner_id) AS owners, array_agg(l.ledger) AS ledgers, array_agg(l.account) AS accounts,
               array_agg(-l.amount_cents) AS amounts, array_agg(l.reference) AS references_,
               array_agg(1) AS ordinals
        FROM entry e JOIN line l USING (owner_id, entry_id) WHERE e.transaction_id = p_transaction_id
    ) o CROSS JOIN LATERAL post(p_actor, ARRAY['reversed']::event_name[], ARRAY[p_fact_key], ARRAY[p_fact_on], ARRAY[p_reason],
        ARRAY[p_transaction_id], ARRAY[NULL]::bigint[], o.ordinals, o.owners, o.ledgers, o.accounts, o.amounts, o.references_) r
$$;
