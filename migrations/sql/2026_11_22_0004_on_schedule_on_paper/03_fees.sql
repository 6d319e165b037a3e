-- The flat fee beside its contract: first and exit month, what is given back and why, invoices. Refusals are CP004.

-- The rule: what terms ask for a month, the amount in force on the first day of membership in it. Prorated 'none': whole in the
-- month in which a member joins, nothing in the one in which it leaves; who leaves on the month's last day was there all month.
-- 'daily': its days of the month, rounded down to the cent, in both. Terms that are not those in force on that first day ask
-- nothing. An expression, which is asked of twenty thousand members in one statement without a call for each.
CREATE FUNCTION fee_of_terms(p_monthly_fee_cents bigint, p_proration text, p_in_force daterange, p_membership daterange, p_first date, p_next date)
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN NOT p_membership && daterange(p_first, p_next) OR NOT p_in_force @> greatest(lower(p_membership), p_first) THEN 0
        WHEN p_proration = 'daily' THEN p_monthly_fee_cents * (least(upper(p_membership), p_next) - greatest(lower(p_membership), p_first)) / (p_next - p_first)
        WHEN upper(p_membership) < p_next THEN 0
        ELSE p_monthly_fee_cents
    END;

-- What all contracts of a member ask for a month. In FROM it becomes a part of the statement that asks.
CREATE FUNCTION fee_asked(p_member_id uuid, p_month date) RETURNS TABLE (cents bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(fee_of_terms(c.monthly_fee_cents, c.proration, c.in_force, m.membership, d.first, d.next)), 0)::bigint
    FROM (SELECT date_trunc('month', p_month::timestamp)::date AS first,
                 (date_trunc('month', p_month::timestamp) + interval '1 month')::date AS next OFFSET 0) d
    CROSS JOIN contract c JOIN member m USING (member_id) WHERE c.member_id = p_member_id
$$;

CREATE OR REPLACE FUNCTION fee_due(p_contract_id bigint, p_month date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT fee_of_terms(c.monthly_fee_cents, c.proration, c.in_force, m.membership, d.first, d.next)
        FROM contract c
        JOIN member m USING (member_id)
        CROSS JOIN (SELECT date_trunc('month', p_month::timestamp)::date AS first,
                           (date_trunc('month', p_month::timestamp) + interval '1 month')::date AS next OFFSET 0) d
        WHERE c.contract_id = p_contract_id
    ), 0)
$$;

CREATE OR REPLACE FUNCTION fee_due_of_member(p_member_id uuid, p_month date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT cents FROM fee_asked(p_member_id, p_month)
$$;

-- 4: the fee of a month is the contract's, once; it is collected whole against what is still open.
CREATE OR REPLACE FUNCTION fees_are_due(p_lines fee_line[]) RETURNS void LANGUAGE plpgsql
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
    CROSS JOIN LATERAL fee_asked(n.owner_id, month_of_reference(n.reference)) AS due
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

-- What has become of each member's fee of each month ----------------------------------------------------------------

-- Fees are few among the lines, and looked for by member.
CREATE INDEX line_of_fee ON line (owner_id, reference) WHERE account IN ('fee_receivable', 'fee_withheld', 'fee_waived');

CREATE VIEW fee_month WITH (security_invoker) AS
    SELECT owner_id AS member_id, reference,
           coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_assessed'), 0)::bigint AS assessed_cents,
           coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_waived' AND account = 'fee_waived'), 0)::bigint AS waived_cents,
           coalesce(-sum(amount_cents) FILTER (WHERE event = 'fee_collected'), 0)::bigint AS collected_cents,
           coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_swept' AND account = 'fee_withheld'), 0)::bigint AS swept_cents,
           coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_refunded'), 0)::bigint AS refunded_cents,
           coalesce(sum(amount_cents) FILTER (WHERE account = 'fee_receivable'), 0)::bigint AS open_cents
    FROM standing_line WHERE account IN ('fee_receivable', 'fee_withheld', 'fee_waived') GROUP BY owner_id, reference;
COMMENT ON VIEW fee_month IS 'A member''s fee of a month (YYYYMM) in the books, net of reversals; what is open is not swept and not waived.';

-- Over the contract is what was assessed above it and neither waived nor refunded. An exit that is recorded late makes some;
-- it is given back at once, and declared by a case while the float lacks the money.
CREATE VIEW fee_against_contract WITH (security_invoker) AS
    SELECT f.*, month_of_reference(f.reference) AS month, d.due_cents,
           greatest(f.assessed_cents - d.due_cents - f.waived_cents - f.refunded_cents, 0) AS over_cents,
           coalesce((SELECT e.amount_cents FROM exception_case e
                     WHERE e.kind = 'fee_over_contract' AND e.state = 'open'
                       AND e.subject = p.ncpdp_id || ' ' || to_char(month_of_reference(f.reference), 'YYYY-MM')), 0) AS declared_cents
    FROM fee_month f JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
    CROSS JOIN LATERAL fee_asked(f.member_id, month_of_reference(f.reference)) AS d (due_cents);
COMMENT ON VIEW fee_against_contract IS 'The books of a fee beside what the contract asks as it stands now.';

-- 4: what is given back is the contract's or approved --------------------------------------------------------------

-- A waiver or refund is explained by the contract, which asks less by now, or by an approval that names it: member, month,
-- amount and the fact that will be posted, and a fact is posted once. It runs after the guard of lines, whose upsert of the
-- balances makes two at once take turns. OFFSET 0: each month is looked up by itself, never the whole view to pick from.
CREATE FUNCTION fees_given_back_hold() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE owners uuid[]; entries bigint[]; events event_name[]; months bigint[]; given bigint[]; waived bigint[]; collected bigint[]; bad record;
BEGIN
    SELECT array_agg(owner_id), array_agg(entry_id), array_agg(event), array_agg(reference), array_agg(given_cents), array_agg(waived_cents),
           array_agg(collected_cents)
    INTO owners, entries, events, months, given, waived, collected
    FROM (SELECT owner_id, entry_id, event, reference,
                 coalesce(sum(amount_cents) FILTER (WHERE account = 'fee_waived'), 0)::bigint AS given_cents,
                 coalesce(-sum(amount_cents) FILTER (WHERE account = 'fee_receivable' AND event = 'fee_waived'), 0)::bigint AS waived_cents,
                 coalesce(-sum(amount_cents) FILTER (WHERE account = 'fee_withheld' AND event = 'fee_collected'), 0)::bigint AS collected_cents
          FROM new_line
          WHERE account = 'fee_waived' OR (account = 'fee_withheld' AND event IN ('fee_collected', 'reversed'))
             OR (account = 'fee_receivable' AND event = 'fee_waived')
          GROUP BY owner_id, entry_id, event, reference) n;
    IF owners IS NULL THEN RETURN NULL; END IF;
    SELECT n.owner_id AS owner, n.reference, n.collected_cents, d.cents AS due_cents INTO bad
    FROM unnest(owners, events, months, collected) AS n (owner_id, event, reference, collected_cents)
    CROSS JOIN LATERAL fee_asked(n.owner_id, month_of_reference(n.reference)) AS d
    WHERE n.event = 'fee_collected' AND n.collected_cents > d.cents LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(4, 'fee_is_within_the_contract', format('the contract asks %s cents for %s; collected would be %s', bad.due_cents,
            bad.reference, bad.collected_cents), to_jsonb(bad));
    END IF;
    SELECT n.owner_id AS owner, n.reference INTO bad FROM unnest(owners, events, months, given, waived) AS n (owner_id, event, reference, given_cents, waived_cents)
    WHERE n.event IN ('fee_waived', 'fee_refunded') AND (n.reference IS NULL OR n.given_cents <= 0 OR (n.event = 'fee_waived' AND n.waived_cents <> n.given_cents))
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(4, 'fee_is_given_back_for_its_month', 'a fee is waived or refunded for the month for which it was assessed', to_jsonb(bad));
    END IF;
    SELECT n.owner_id AS owner, n.reference, f.refunded_cents, f.swept_cents INTO bad
    FROM unnest(owners, events, months) AS n (owner_id, event, reference)
    LEFT JOIN LATERAL (SELECT * FROM fee_month m WHERE m.member_id = n.owner_id AND m.reference = n.reference OFFSET 0) f ON true
    WHERE n.event IN ('fee_refunded', 'reversed') AND f.refunded_cents > coalesce(f.swept_cents, 0) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(4, 'fee_refunded_was_collected', format('of the fee of %s were collected %s cents and refunded would be %s', bad.reference,
            bad.swept_cents, bad.refunded_cents), to_jsonb(bad));
    END IF;
    SELECT n.owner_id AS owner, n.event, n.reference, n.given_cents INTO bad
    FROM unnest(owners, entries, events, months, given) AS n (owner_id, entry_id, event, reference, given_cents)
    CROSS JOIN LATERAL (SELECT * FROM fee_month m WHERE m.member_id = n.owner_id AND m.reference = n.reference OFFSET 0) f
    WHERE n.event IN ('fee_waived', 'fee_refunded')
      AND f.waived_cents + f.refunded_cents > f.assessed_cents - fee_due_of_member(n.owner_id, month_of_reference(n.reference))
      AND NOT EXISTS (
        SELECT FROM entry e JOIN journal_transaction t USING (transaction_id)
        JOIN approval a ON a.kind = CASE n.event WHEN 'fee_waived' THEN 'fee_waiver' ELSE 'fee_refund' END
        WHERE e.owner_id = n.owner_id AND e.entry_id = n.entry_id AND a.state = 'approved' AND a.facts ->> 'fact_key' = t.fact_key
          AND a.facts ->> 'member_id' = n.owner_id::text AND a.facts ->> 'month' = to_char(month_of_reference(n.reference), 'YYYY-MM')
          AND a.facts ->> 'amount_cents' = n.given_cents::text)
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(4, 'fee_given_back_is_explained', format('%s cents of the fee of %s: neither the contract nor an approval explains them (%s)',
            bad.given_cents, bad.reference, bad.event), to_jsonb(bad));
    END IF;
    -- Undone may be what a person decided, not what the contract asks; and a fee is not collected in two parts.
    SELECT n.owner_id AS owner, n.reference, f.open_cents, f.collected_cents, f.over_cents INTO bad
    FROM unnest(owners, events, months, given) AS n (owner_id, event, reference, given_cents)
    CROSS JOIN LATERAL (SELECT * FROM fee_against_contract m WHERE m.member_id = n.owner_id AND m.reference = n.reference OFFSET 0) f
    WHERE n.event = 'reversed' AND n.given_cents < 0 AND (f.over_cents > f.declared_cents OR (f.collected_cents > 0 AND f.open_cents > 0)) LIMIT 1;
    IF FOUND AND bad.over_cents > 0 THEN
        PERFORM refuse(4, 'fee_is_within_the_contract', format('the contract asks %s cents less for %s: what was given back stays so', bad.over_cents,
            bad.reference), to_jsonb(bad));
    ELSIF FOUND THEN
        PERFORM refuse(4, 'fee_is_collected_whole', format('of the fee of %s the rest is collected: the waiver of %s cents stays', bad.reference,
            bad.open_cents), to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_fees AFTER INSERT ON line REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION fees_given_back_hold();

-- At commit, whoever changes a membership or a contract: no month that was assessed is asked more for, and what is asked less
-- for is given back, or declared. One plan for all rows: a roster brings twenty thousand, and planning is most of the work.
CREATE FUNCTION fees_follow_contracts() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE bad record;
BEGIN
    IF NOT EXISTS (SELECT FROM line WHERE owner_id = NEW.member_id AND account IN ('fee_receivable', 'fee_withheld', 'fee_waived')) THEN
        RETURN NULL;
    END IF;
    SELECT f.member_id AS owner, f.reference, f.assessed_cents, f.due_cents, f.over_cents INTO bad FROM fee_against_contract f
    WHERE f.member_id = NEW.member_id AND f.assessed_cents > 0 AND (f.assessed_cents < f.due_cents OR f.over_cents > f.declared_cents)
    ORDER BY f.reference LIMIT 1;
    IF FOUND AND bad.over_cents = 0 THEN
        PERFORM refuse(4, 'fee_stays_as_assessed', format('for %s were assessed %s cents; the contract may not ask %s afterwards', bad.reference,
            bad.assessed_cents, bad.due_cents), to_jsonb(bad));
    ELSIF FOUND THEN
        PERFORM refuse(4, 'fee_is_within_the_contract', format('for %s were assessed %s cents, the contract asks %s: give back %s', bad.reference,
            bad.assessed_cents, bad.due_cents, bad.over_cents), to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER fees_follow AFTER UPDATE OF membership ON member DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fees_follow_contracts();
CREATE CONSTRAINT TRIGGER fees_follow AFTER INSERT OR UPDATE OF in_force, monthly_fee_cents, proration ON contract DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fees_follow_contracts();

-- Invoices ---------------------------------------------------------------------------------------------------------

CREATE TABLE fee_invoice (
    -- Without a gap over all members: an auditor who has the first and the last has counted them.
    invoice_number bigint PRIMARY KEY CHECK (invoice_number > 0),
    member_id uuid NOT NULL REFERENCES member,
    issued_on date NOT NULL,
    due_on date NOT NULL,
    total_cents bigint NOT NULL CHECK (total_cents > 0),
    issued_by text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    notice_id bigint NOT NULL UNIQUE REFERENCES notice,
    CONSTRAINT invoice_is_due_later CHECK (due_on >= issued_on)
);
CREATE INDEX fee_invoice_of_member ON fee_invoice (member_id, invoice_number);
COMMENT ON TABLE fee_invoice IS 'What members were asked to send for fees that no balance could be found for; as issued, whatever was paid since.';

CREATE TABLE fee_invoice_line (
    invoice_number bigint NOT NULL REFERENCES fee_invoice DEFERRABLE INITIALLY DEFERRED,
    month date NOT NULL CHECK (month = date_trunc('month', month)::date),
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    PRIMARY KEY (invoice_number, month)
);

CREATE FUNCTION invoice_is_the_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last bigint;
BEGIN
    SELECT coalesce(max(invoice_number), 0) INTO last FROM fee_invoice;
    IF NEW.invoice_number <> last + 1 THEN
        PERFORM refuse(4, 'invoice_is_the_next', format('after invoice %s comes %s, not %s', last, last + 1, NEW.invoice_number));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER is_the_next BEFORE INSERT ON fee_invoice FOR EACH ROW EXECUTE FUNCTION invoice_is_the_next();

-- At commit: an invoice is the sum of its lines, and each line was open.
CREATE FUNCTION invoice_foots() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE bad record; listed bigint; invoice fee_invoice;
BEGIN
    SELECT * INTO invoice FROM fee_invoice WHERE invoice_number = NEW.invoice_number;
    SELECT coalesce(sum(amount_cents), 0) INTO listed FROM fee_invoice_line WHERE invoice_number = invoice.invoice_number;
    IF listed <> invoice.total_cents THEN
        PERFORM refuse(4, 'invoice_foots', format('invoice %s is over %s cents, its lines are %s', invoice.invoice_number, invoice.total_cents, listed));
    END IF;
    SELECT l.month, l.amount_cents, coalesce(f.open_cents, 0) AS open_cents INTO bad FROM fee_invoice_line l
    LEFT JOIN fee_month f ON f.member_id = invoice.member_id
        AND f.reference = extract(year FROM l.month)::bigint * 100 + extract(month FROM l.month)::bigint
    WHERE l.invoice_number = invoice.invoice_number AND l.amount_cents <> coalesce(f.open_cents, 0) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(4, 'invoice_asks_what_is_open', format('invoice %s asks %s cents for %s; open are %s', invoice.invoice_number, bad.amount_cents,
            to_char(bad.month, 'YYYY-MM'), bad.open_cents));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER foots AFTER INSERT ON fee_invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_foots();
-- No line is added to an invoice afterwards: it would not foot.
CREATE CONSTRAINT TRIGGER foots AFTER INSERT ON fee_invoice_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoice_foots();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fee_invoice FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fee_invoice_line FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

REVOKE EXECUTE ON FUNCTION fee_of_terms(bigint, text, daterange, daterange, date, date), fee_asked(uuid, date), fees_given_back_hold(), fees_follow_contracts(), invoice_is_the_next(), invoice_foots() FROM PUBLIC;
GRANT SELECT ON fee_month, fee_against_contract, fee_invoice, fee_invoice_line TO centralpay_app, centralpay_auditor;
GRANT INSERT ON fee_invoice, fee_invoice_line TO centralpay_app;
GRANT UPDATE (proration) ON contract TO centralpay_app;
GRANT EXECUTE ON FUNCTION fee_of_terms(bigint, text, daterange, daterange, date, date), fee_asked(uuid, date) TO centralpay_app, centralpay_auditor;
