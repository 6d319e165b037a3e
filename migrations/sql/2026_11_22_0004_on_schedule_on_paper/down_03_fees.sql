DROP TABLE fee_invoice_line, fee_invoice;
DROP FUNCTION invoice_is_the_next(), invoice_foots();
DROP TRIGGER fees_follow ON contract;
DROP TRIGGER fees_follow ON member;
DROP TRIGGER guard_fees ON line;
DROP FUNCTION fees_follow_contracts(), fees_given_back_hold();
DROP VIEW fee_against_contract, fee_month;
DROP INDEX line_of_fee;
REVOKE UPDATE (proration) ON contract FROM centralpay_app;

-- The flat fee that a contract asks for a month: the amount in force on the first day of membership in that month,
-- whole, or its days where the contract says so. A contract that is not the one in force on that day asks nothing.
CREATE OR REPLACE FUNCTION fee_due(p_contract_id bigint, p_month date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT CASE c.proration
            WHEN 'none' THEN c.monthly_fee_cents
            ELSE c.monthly_fee_cents * (upper(stay.days) - lower(stay.days)) / (upper(whole.days) - lower(whole.days))
        END
        FROM contract c
        JOIN member m USING (member_id)
        CROSS JOIN LATERAL (
            SELECT daterange(date_trunc('month', p_month)::date,
                             (date_trunc('month', p_month) + interval '1 month')::date) AS days) whole
        CROSS JOIN LATERAL (SELECT whole.days * m.membership AS days) stay
        WHERE c.contract_id = p_contract_id AND NOT isempty(stay.days) AND c.in_force @> lower(stay.days)
    ), 0)
$$;

CREATE OR REPLACE FUNCTION fee_due_of_member(p_member_id uuid, p_month date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(fee_due(contract_id, p_month)), 0)::bigint FROM contract WHERE member_id = p_member_id
$$;

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

DROP FUNCTION fee_asked(uuid, date), fee_of_terms(bigint, text, daterange, daterange, date, date);
