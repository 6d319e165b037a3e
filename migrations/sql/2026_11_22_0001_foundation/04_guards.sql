-- What the database refuses, whoever writes. Numbers are those of docs/ledger.md; SQLSTATE CP001 … CP012.
-- Set-based: one pass over the lines of a statement, aggregated by itself before it meets another table.

CREATE FUNCTION refuse(p_number integer, p_name text, p_message text, p_facts jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'CP' || lpad(p_number::text, 3, '0'), CONSTRAINT = p_name,
        MESSAGE = p_message, DETAIL = p_facts::text;
END $$;

-- Refusal 2 -------------------------------------------------------------------------------------------------------

CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(2, 'journal_is_append_only', format('%s of %s is refused: correct by reversal', TG_OP, TG_TABLE_NAME));
    RETURN NULL;
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON line
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Balances follow the lines: only the trigger on line, one level deeper, may write them.
CREATE FUNCTION balance_follows_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        PERFORM refuse(2, 'balance_follows_lines', format('%s of balance is refused: balances follow the lines', TG_OP));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER follows_lines BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON balance
    FOR EACH STATEMENT EXECUTE FUNCTION balance_follows_lines();

-- Entries: refusals 5 and 6, and the frame that the lines are checked against ------------------------------------

CREATE FUNCTION effective_date(p_fact_on date) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT CASE p.state WHEN 'open' THEN p_fact_on ELSE (SELECT min(o.month) FROM period o WHERE o.state = 'open' AND o.month > p.month) END
    FROM period p WHERE p.month = date_trunc('month', p_fact_on)::date
$$;

CREATE FUNCTION transaction_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
    -- Refusal 5. The lock holds a period open until those who post into it are done.
    PERFORM FROM period WHERE month IN (SELECT date_trunc('month', effective_on)::date FROM new_transaction) FOR SHARE;
    SELECT t.effective_on, t.fact_on, p.state INTO bad
    FROM (SELECT DISTINCT effective_on, fact_on FROM new_transaction) t
    LEFT JOIN period p ON p.month = date_trunc('month', t.effective_on)::date
    WHERE p.state IS DISTINCT FROM 'open' LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(5, 'period_is_open', format('the period of %s is %s', coalesce(bad.effective_on, bad.fact_on),
            coalesce(bad.state, 'none of ours')), jsonb_build_object('fact_on', bad.fact_on, 'effective_on', bad.effective_on, 'state', bad.state));
    END IF;
    IF EXISTS (SELECT FROM new_transaction WHERE xid <> pg_current_xact_id()) THEN
        PERFORM refuse(1, 'transaction_is_of_now', 'a transaction carries the id of the database transaction that makes it');
    END IF;
    -- Refusal 12, first half: no reversal of a reversal. The exact negation is checked when its lines are there.
    IF EXISTS (SELECT FROM new_transaction n JOIN journal_transaction o ON o.transaction_id = n.reverses
               WHERE o.event = 'reversed') THEN
        PERFORM refuse(12, 'reversal_of_a_reversal', 'a reversal can not be reversed: post the transaction anew');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON journal_transaction REFERENCING NEW TABLE AS new_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION transaction_guard();

CREATE FUNCTION entry_guard() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    transaction_ids bigint[]; events event_name[]; fact_keys text[]; dates date[];
    owners uuid[]; known bigint;
BEGIN
    IF EXISTS (SELECT FROM new_entry WHERE xid <> pg_current_xact_id()) THEN
        PERFORM refuse(1, 'entry_is_of_now', 'an entry carries the id of the database transaction that makes it');
    END IF;
    SELECT array_agg(transaction_id), array_agg(event), array_agg(fact_key), array_agg(effective_on)
    INTO transaction_ids, events, fact_keys, dates
    FROM (SELECT DISTINCT transaction_id, event, fact_key, effective_on FROM new_entry) d;
    -- An entry belongs to a transaction of this same database transaction and says the same of itself. What must agree is
    -- counted, not joined on: to the planner a condition on xid is one row, and it would read the whole table for each.
    SELECT count(*) FILTER (WHERE t.xid = pg_current_xact_id() AND t.fact_key = n.fact_key AND t.effective_on = n.effective_on
                                  AND (t.event = n.event OR n.event IN ('advanced', 'advance_repaid'))) INTO known
    FROM unnest(transaction_ids, events, fact_keys, dates) AS n (transaction_id, event, fact_key, effective_on)
    JOIN journal_transaction t USING (transaction_id);
    IF known <> coalesce(cardinality(transaction_ids), 0) THEN
        PERFORM refuse(1, 'entry_of_its_transaction', 'an entry must agree with a transaction made at the same time');
    END IF;
    SELECT array_agg(DISTINCT owner_id) INTO owners FROM new_entry;
    IF EXISTS (SELECT FROM unnest(owners) AS n (owner_id) LEFT JOIN owner o USING (owner_id) WHERE o.owner_id IS NULL) THEN
        PERFORM refuse(3, 'entry_of_an_owner', 'an entry belongs to a member or to the house');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON entry REFERENCING NEW TABLE AS new_entry
    FOR EACH STATEMENT EXECUTE FUNCTION entry_guard();

-- Lines: refusals 1, 3, 7, 8, then those of single events --------------------------------------------------------

CREATE FUNCTION line_guard() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    owners uuid[]; entries bigint[]; ledgers ledger_name[]; events event_name[]; dates date[];
    known bigint; bad record;
BEGIN
    -- 1: every entry sums to zero, has two lines or more, and was made by this database transaction.
    SELECT array_agg(g.owner_id), array_agg(g.entry_id), array_agg(g.ledger), array_agg(g.event), array_agg(g.effective_on)
    INTO owners, entries, ledgers, events, dates
    FROM (SELECT DISTINCT owner_id, entry_id, ledger, event, effective_on FROM new_line) g;
    -- What is not funded yet balances by itself (P2): no entry turns advice into payable money without cash.
    SELECT n.owner_id, n.entry_id, sum(n.amount_cents) AS total, count(*) AS lines INTO bad
    FROM new_line n GROUP BY n.owner_id, n.entry_id
    HAVING sum(n.amount_cents) <> 0 OR count(*) < 2 OR sum(n.amount_cents) FILTER (WHERE n.account IN
        ('advised', 'due_unfunded', 'unknown_payee_unfunded', 'network_adjustment_unfunded')) <> 0 LIMIT 1;
    IF FOUND AND bad.total = 0 AND bad.lines >= 2 THEN
        PERFORM refuse(1, 'unfunded_sums_to_zero', format('entry %s moves money between funded and not funded without cash', bad.entry_id),
            jsonb_build_object('owner', bad.owner_id, 'entry', bad.entry_id));
    ELSIF FOUND THEN
        PERFORM refuse(1, 'entry_sums_to_zero', format('entry %s has %s lines that sum to %s', bad.entry_id, bad.lines, bad.total),
            jsonb_build_object('owner', bad.owner_id, 'entry', bad.entry_id, 'total_cents', bad.total, 'lines', bad.lines));
    END IF;
    SELECT count(*) FILTER (WHERE e.xid = pg_current_xact_id() AND e.ledger = n.ledger AND e.event = n.event
                                  AND e.effective_on = n.effective_on) INTO known
    FROM unnest(owners, entries, ledgers, events, dates) AS n (owner_id, entry_id, ledger, event, effective_on)
    JOIN entry e USING (owner_id, entry_id);
    -- Lines that say different things of their entry make more groups than entries are found.
    IF known <> coalesce(cardinality(owners), 0) THEN
        PERFORM refuse(1, 'line_of_a_new_entry', 'lines belong to an entry of the same database transaction and agree with it');
    END IF;
    PERFORM line_obeys_matrix(array_agg((m.event, m.ledger, (CASE WHEN m.house THEN 'house' ELSE 'member' END)::owner_kind, m.account,
                                         (CASE WHEN m.debit THEN 'debit' ELSE 'credit' END)::side_name)::posting_rule))
    FROM (SELECT event, ledger, owner_id = house_id() AS house, account, amount_cents > 0 AS debit
          FROM new_line WHERE event <> 'reversed' GROUP BY 1, 2, 3, 4, 5) m;
    -- Balances: one upsert in the order of the key; what it returns is what is checked (7, 8). The guarded owners come as a
    -- parameter and not by a join: a statement without parameters keeps the plan of the first, perhaps tiny, batch.
    SELECT array_agg(DISTINCT owner_id) INTO owners FROM new_line
    WHERE account = 'due_available' AND event IN ('payout_released', 'fee_collected', 'held', 'levied');
    WITH change AS MATERIALIZED (
        SELECT owner_id, ledger, account,
               sum(greatest(amount_cents, 0))::bigint AS debit_cents, sum(greatest(-amount_cents, 0))::bigint AS credit_cents
        FROM new_line GROUP BY owner_id, ledger, account
    ), stored AS (
        INSERT INTO balance AS b (owner_id, ledger, account, debit_cents, credit_cents, version)
        SELECT owner_id, ledger, account, debit_cents, credit_cents, 1 FROM change
        UNION ALL
        -- Whoever leans on the float takes its turn on it: a withdrawal at the same moment must see what leans.
        SELECT house_id(), 'custody', 'operating_float', 0, 0, 1
        WHERE EXISTS (SELECT FROM change WHERE owner_id = house_id() AND account IN ('unknown_payee', 'network_adjustment'))
          AND NOT EXISTS (SELECT FROM change WHERE owner_id = house_id() AND account = 'operating_float')
        ORDER BY 1, 2, 3
        ON CONFLICT (owner_id, ledger, account) DO UPDATE SET debit_cents = b.debit_cents + excluded.debit_cents,
            credit_cents = b.credit_cents + excluded.credit_cents, version = b.version + 1
        RETURNING owner_id, ledger, account, debit_cents - credit_cents AS balance_cents
    )
    SELECT s.owner_id, s.account, s.balance_cents INTO bad
    FROM stored s JOIN account a USING (ledger, account)
    WHERE s.balance_cents > 0 AND a.type = 'liability'
      AND (NOT a.may_be_debit OR (s.account = 'due_available' AND s.owner_id = ANY (owners)))
    ORDER BY s.account <> 'due_available', s.owner_id, s.account LIMIT 1;
    IF FOUND AND bad.account = 'due_available' THEN
        PERFORM refuse(7, 'available_is_enough', format('%s cents more than are available', bad.balance_cents),
            jsonb_build_object('owner', bad.owner_id, 'missing_cents', bad.balance_cents));
    ELSIF FOUND THEN
        PERFORM refuse(8, 'liability_not_in_debit', format('%s would end %s cents in debit', bad.account, bad.balance_cents),
            jsonb_build_object('owner', bad.owner_id, 'account', bad.account, 'missing_cents', bad.balance_cents));
    END IF;
    -- 10: a member's advance is what it owes, after every statement.
    PERFORM advances_cover_debts(array_agg(DISTINCT owner_id)) FROM new_line
    WHERE account IN ('due_available', 'operating_advance') AND owner_id <> house_id();
    IF EXISTS (SELECT FROM new_line WHERE owner_id = house_id() AND account IN ('unknown_payee', 'network_adjustment', 'operating_float')) THEN
        PERFORM float_covers_the_house();
    END IF;
    PERFORM open_items_hold(array_agg(DISTINCT (owner_id, ledger, account, reference)::open_item)) FROM new_line
    WHERE account IN ('unmatched_debit', 'in_transit', 'fee_withheld', 'unmatched_deposit', 'suspense', 'fee_receivable');
    PERFORM fees_are_due(array_agg(DISTINCT (owner_id, event, reference)::fee_line)) FROM new_line
    WHERE event IN ('fee_assessed', 'fee_collected') AND account IN ('fee_receivable', 'fee_withheld');
    PERFORM receivable_covers_withheld(array_agg(DISTINCT (owner_id, event, reference)::fee_line)) FROM new_line
    WHERE account IN ('fee_receivable', 'fee_withheld');
    PERFORM payouts_are_approved(array_agg((owner_id, reference, -amount_cents)::payout_line)) FROM new_line
    WHERE event = 'payout_released' AND account = 'in_transit';
    RETURN NULL;
END $$;

CREATE FUNCTION line_obeys_matrix(p_combinations posting_rule[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
    SELECT c.* INTO bad FROM unnest(p_combinations) c
    LEFT JOIN posting_rule r USING (event, ledger, owner_kind, account, side) WHERE r.event IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(3, 'line_obeys_matrix', format('%s may not %s %s of the %s in the %s ledger',
            bad.event, bad.side, bad.account, bad.owner_kind, bad.ledger), to_jsonb(bad));
    END IF;
END $$;

CREATE FUNCTION advances_cover_debts(p_owners uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_owners IS NULL THEN RETURN; END IF;
    SELECT s.* INTO bad FROM (
        SELECT b.owner_id,
               greatest(coalesce(sum(b.debit_cents - b.credit_cents) FILTER (WHERE b.account = 'due_available'), 0), 0)::bigint AS owed_cents,
               coalesce(sum(b.credit_cents - b.debit_cents) FILTER (WHERE b.account = 'operating_advance'), 0)::bigint AS advance_cents
        FROM balance b
        WHERE b.owner_id = ANY (p_owners) AND b.ledger = 'custody' AND b.account IN ('due_available', 'operating_advance')
        GROUP BY b.owner_id) s
    WHERE s.owed_cents <> s.advance_cents LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(10, 'advance_covers_debt', format('the advance is %s cents where the member owes %s', bad.advance_cents, bad.owed_cents),
            to_jsonb(bad));
    END IF;
END $$;

-- 8 for the float: a negative that is no member's, of an unknown payee or of the network, is the PSAO's to cover too.
CREATE FUNCTION float_covers_the_house() RETURNS void LANGUAGE plpgsql AS $$
DECLARE available bigint; needed bigint;
BEGIN
    SELECT coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_float'), 0),
           greatest(coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'network_adjustment'), 0), 0)
    INTO available, needed FROM balance
    WHERE owner_id = house_id() AND ledger = 'custody' AND account IN ('operating_float', 'network_adjustment');
    SELECT needed + coalesce(sum(owed), 0) INTO needed FROM (
        SELECT greatest(sum(amount_cents), 0) AS owed FROM line
        WHERE account = 'unknown_payee' AND owner_id = house_id() GROUP BY reference) i;
    IF available < needed THEN
        PERFORM refuse(8, 'float_covers_the_house', format('the float of %s cents does not cover negatives of %s cents that are no member''s',
            available, needed), jsonb_build_object('owner', house_id(), 'account', 'operating_float', 'missing_cents', needed - available));
    END IF;
END $$;

-- 8 for open items: a deposit, a payout, a month's fee never ends on its wrong side.
CREATE TYPE open_item AS (owner_id uuid, ledger ledger_name, account account_name, reference bigint);

CREATE FUNCTION open_items_hold(p_items open_item[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_items IS NULL THEN RETURN; END IF;
    SELECT i.owner_id, i.account, i.reference, s.balance_cents INTO bad
    FROM unnest(p_items) i
    CROSS JOIN LATERAL (
        SELECT sum(l.amount_cents)::bigint AS balance_cents FROM line l
        WHERE l.account = i.account AND l.reference = i.reference AND l.owner_id = i.owner_id
          AND l.account IN ('unmatched_debit', 'in_transit', 'fee_withheld', 'unmatched_deposit', 'suspense', 'fee_receivable')
    ) s
    WHERE CASE WHEN i.account IN ('unmatched_debit', 'fee_receivable') THEN s.balance_cents < 0 ELSE s.balance_cents > 0 END
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(8, 'open_item_not_overdrawn', format('item %s of %s would be overdrawn by %s cents',
            bad.reference, bad.account, abs(bad.balance_cents)), to_jsonb(bad));
    END IF;
END $$;

-- 4: the fee of a month is the contract's, once; it is collected whole against what is still open.
CREATE TYPE fee_line AS (owner_id uuid, event event_name, reference bigint);

CREATE FUNCTION month_of_reference(p_reference bigint) RETURNS date LANGUAGE sql IMMUTABLE
    RETURN make_date((p_reference / 100)::integer, (p_reference % 100)::integer, 1);

CREATE FUNCTION fee_due_of_member(p_member_id uuid, p_month date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(fee_due(contract_id, p_month)), 0)::bigint FROM contract WHERE member_id = p_member_id
$$;

CREATE VIEW standing_line WITH (security_invoker) AS
    SELECT l.*, e.transaction_id FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE l.event <> 'reversed'
      AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id);
COMMENT ON VIEW standing_line IS 'Lines of transactions that were not reversed, without the reversals.';

CREATE FUNCTION fees_are_due(p_lines fee_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.owner_id, n.event, n.reference, due.cents AS due_cents, f.assessed_cents, f.times, f.open_cents, f.withheld_cents
    INTO bad
    FROM unnest(p_lines) n
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(s.amount_cents) FILTER (WHERE s.event = 'fee_assessed'), 0)::bigint AS assessed_cents,
               count(*) FILTER (WHERE s.event = 'fee_assessed') AS times,
               -- What this statement sweeps was open and withheld when it was collected.
               coalesce(sum(s.amount_cents) FILTER (WHERE s.account = 'fee_receivable' AND NOT s.swept_now), 0)::bigint AS open_cents,
               coalesce(-sum(s.amount_cents) FILTER (WHERE s.account = 'fee_withheld' AND NOT s.swept_now), 0)::bigint AS withheld_cents
        FROM (SELECT l.account, l.amount_cents, l.event,
                     l.event = 'fee_swept' AND t.xid = pg_current_xact_id() AS swept_now
              FROM standing_line l JOIN journal_transaction t USING (transaction_id)
              WHERE l.owner_id = n.owner_id AND l.reference = n.reference AND l.account IN ('fee_receivable', 'fee_withheld')) s
    ) f
    CROSS JOIN LATERAL (SELECT fee_due_of_member(n.owner_id, month_of_reference(n.reference)) AS cents) due
    WHERE CASE n.event
        WHEN 'fee_assessed' THEN f.times <> 1 OR f.assessed_cents <> due.cents
        ELSE f.open_cents <= 0 OR f.withheld_cents <> f.open_cents END
    LIMIT 1;
    IF NOT FOUND THEN RETURN; END IF;
    IF bad.event = 'fee_assessed' THEN
        PERFORM refuse(4, 'fee_is_the_contracts', format('the fee of %s is %s cents, once; assessed are %s cents in %s times',
            bad.reference, bad.due_cents, bad.assessed_cents, bad.times), to_jsonb(bad));
    END IF;
    PERFORM refuse(4, 'fee_is_collected_whole', format('open for %s are %s cents; collected would be %s',
        bad.reference, bad.open_cents, bad.withheld_cents), to_jsonb(bad));
END $$;

-- 4 for what comes after collecting: a fee that is withheld is neither waived nor its assessment reversed.
CREATE FUNCTION receivable_covers_withheld(p_lines fee_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.owner_id, n.reference, f.open_cents, f.withheld_cents INTO bad
    FROM (SELECT DISTINCT owner_id, reference FROM unnest(p_lines)) n
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.amount_cents) FILTER (WHERE l.account = 'fee_receivable'), 0)::bigint AS open_cents,
               coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'fee_withheld'), 0)::bigint AS withheld_cents
        FROM line l
        WHERE l.account IN ('fee_receivable', 'fee_withheld') AND l.owner_id = n.owner_id AND l.reference = n.reference) f
    WHERE f.withheld_cents > greatest(f.open_cents, 0) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(4, 'receivable_covers_withheld', format('for %s are %s cents withheld and only %s open',
            bad.reference, bad.withheld_cents, bad.open_cents), to_jsonb(bad));
    END IF;
END $$;

CREATE TRIGGER guard AFTER INSERT ON line REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION line_guard();

-- At commit: what a whole transaction must be. 1 (no entry without lines), 9 and 12, which span its owners -----------

CREATE FUNCTION transaction_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE cash bigint; entries bigint; empty bigint; mirrored boolean; expected bigint := 0; bad record;
BEGIN
    SELECT coalesce(sum(l.cash_cents), 0), count(*), count(*) FILTER (WHERE l.lines = 0), bool_or(l.mirrored)
    INTO cash, entries, empty, mirrored
    FROM entry e
    CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(amount_cents) FILTER (WHERE ledger = 'custody' AND account = 'cash') AS cash_cents,
                               bool_or(account IN ('operating_float', 'custody_float', 'operating_advance', 'advance_receivable')) AS mirrored
                        FROM line WHERE owner_id = e.owner_id AND entry_id = e.entry_id) l
    WHERE e.transaction_id = NEW.transaction_id;
    IF entries = 0 OR empty > 0 THEN
        PERFORM refuse(1, 'entry_has_lines', format('transaction %s has %s entries, %s of them without lines', NEW.transaction_id, entries, empty));
    END IF;
    IF NEW.bank_line_id IS NOT NULL THEN
        -- A bank fact is the whole of its own line, and opens the item of that line and of no other.
        SELECT amount_cents INTO expected FROM bank_line WHERE bank_line_id = NEW.bank_line_id;
        IF EXISTS (SELECT FROM entry e JOIN line l USING (owner_id, entry_id) WHERE e.transaction_id = NEW.transaction_id
                   AND l.account IN ('unmatched_deposit', 'unmatched_debit') AND l.reference <> NEW.bank_line_id) THEN
            expected := NULL;
        END IF;
    END IF;
    IF cash IS DISTINCT FROM expected THEN
        PERFORM refuse(9, 'cash_follows_the_bank', format('%s moves cash by %s cents, the bank by %s', NEW.event, cash, coalesce(expected, 0)),
            jsonb_build_object('transaction', NEW.transaction_id, 'cash_cents', cash, 'bank_cents', expected));
    END IF;
    -- P9 as it happens: what the custody ledger says of the PSAO's own money, its operating ledger says too.
    -- The float mirrors as a whole, an advance for its member.
    IF mirrored THEN
        SELECT m.* INTO bad FROM (
            SELECT CASE WHEN l.account IN ('operating_advance', 'advance_receivable') THEN l.owner_id ELSE house_id() END AS owner,
                   sum(l.amount_cents) AS cents
            FROM entry e JOIN line l USING (owner_id, entry_id)
            WHERE e.transaction_id = NEW.transaction_id
              AND l.account IN ('operating_float', 'custody_float', 'operating_advance', 'advance_receivable')
            GROUP BY 1) m
        WHERE m.cents <> 0 LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(9, 'mirrors_agree', format('%s moves the float or an advance in one ledger only', NEW.event), to_jsonb(bad));
        END IF;
    END IF;
    IF NEW.reverses IS NOT NULL THEN
        SELECT INTO bad * FROM (
            SELECT e.owner_id, l.ledger, l.account, l.reference,
                   sum(l.amount_cents) FILTER (WHERE l.amount_cents > 0 AND e.transaction_id = NEW.reverses) AS was_debit,
                   sum(l.amount_cents) FILTER (WHERE l.amount_cents < 0 AND e.transaction_id = NEW.reverses) AS was_credit,
                   sum(l.amount_cents) FILTER (WHERE l.amount_cents > 0 AND e.transaction_id = NEW.transaction_id) AS is_debit,
                   sum(l.amount_cents) FILTER (WHERE l.amount_cents < 0 AND e.transaction_id = NEW.transaction_id) AS is_credit
            FROM entry e JOIN line l USING (owner_id, entry_id)
            WHERE e.transaction_id = NEW.reverses OR (e.transaction_id = NEW.transaction_id AND e.event = 'reversed')
            GROUP BY e.owner_id, l.ledger, l.account, l.reference) s
        WHERE is_debit IS DISTINCT FROM -was_credit OR is_credit IS DISTINCT FROM -was_debit LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(12, 'reversal_is_the_negation', format('%s is not turned exactly', bad.account), to_jsonb(bad));
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER holds AFTER INSERT ON journal_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION transaction_holds();
