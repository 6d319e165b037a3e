-- When members are paid: the words of a schedule and the days that they mean, the least amount that is paid, and the bank's
-- cut-offs as data.

-- The words of a schedule: daily; weekly:mon to weekly:fri; monthly (the last day), monthly:10; twice_monthly (the 15th and the
-- last day), twice_monthly:1-16 with the earlier day first. Python says the same in schemas.schedules.
CREATE FUNCTION is_payout_schedule(p_schedule text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN p_schedule ~ '^(daily|weekly:(mon|tue|wed|thu|fri)|monthly(:([1-9]|[12][0-9]|3[01]))?|twice_monthly(:([1-9]|[12][0-9]|3[01])-([1-9]|[12][0-9]|3[01]))?)$'
        AND (p_schedule !~ '-' OR substring(p_schedule FROM ':(\d+)-')::integer < substring(p_schedule FROM '-(\d+)$')::integer);

-- Whether a day of the schedule lies after one day, up to and including another: the last such day up to the other is asked for.
-- Days that a month does not have are its last one. A daily one is due in every cycle, two of one day included.
CREATE FUNCTION payout_falls(p_schedule text, p_after date, p_through date) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE split_part(p_schedule, ':', 1)
        WHEN 'daily' THEN true
        WHEN 'weekly' THEN p_through - (extract(isodow FROM p_through)::integer + 7
            - array_position(ARRAY['mon', 'tue', 'wed', 'thu', 'fri'], split_part(p_schedule, ':', 2))) % 7 > p_after
        ELSE (
            SELECT max(d.day) > p_after
            FROM unnest(string_to_array(CASE p_schedule WHEN 'monthly' THEN '31' WHEN 'twice_monthly' THEN '15-31'
                                                        ELSE split_part(p_schedule, ':', 2) END, '-')::integer[]) AS n (day_of_month)
            CROSS JOIN generate_series(0, 1) AS g (months_before)
            CROSS JOIN LATERAL (SELECT (date_trunc('month', p_through::timestamp) - make_interval(months => g.months_before))::date AS first) m
            CROSS JOIN LATERAL (SELECT least(m.first + n.day_of_month - 1, (m.first + interval '1 month')::date - 1) AS day) d
            WHERE d.day <= p_through)
    END;

ALTER TABLE member
    ADD CONSTRAINT payout_schedule_is_one CHECK (is_payout_schedule(payout_schedule)),
    -- Less than this is not paid, but waits; what a member is left with that has left is paid whatever it is.
    ADD COLUMN payout_minimum_cents bigint NOT NULL DEFAULT 0 CHECK (payout_minimum_cents BETWEEN 0 AND 100000000);

ALTER TABLE cycle_omission DROP CONSTRAINT cycle_omission_reason_check;
ALTER TABLE cycle_omission ADD CONSTRAINT cycle_omission_reason_check CHECK (reason IN
    ('negative', 'held', 'no_balance', 'no_bank_account', 'proof_fails', 'account_stopped', 'not_due', 'below_minimum'));

-- Whose hold was lifted since a cycle is asked at every proposal.
CREATE INDEX journal_of_lifted_holds ON journal_transaction (transaction_id) WHERE event = 'hold_lifted';

-- Times of day by the bank's clock, each in force from a day until a later row of its name.
CREATE TABLE cut_off (
    name text NOT NULL CHECK (name IN ('cycle_proposal', 'file_handover')),
    since date NOT NULL,
    -- In America/New_York, daylight saving time included.
    local_time time(0) NOT NULL CHECK (local_time < '24:00'),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, since),
    -- Between one and three is a time that some days have twice and others not at all; no job begins then.
    CONSTRAINT cycle_is_proposed_once_a_day CHECK (name <> 'cycle_proposal' OR local_time < '01:00' OR local_time >= '03:00')
);
COMMENT ON TABLE cut_off IS 'Times of day in America/New_York: when a day''s cycle is proposed, until when its file may be handed over to the bank.';
INSERT INTO cut_off (name, since, local_time, set_by) VALUES ('cycle_proposal', '2000-01-01', '15:00', 'system'), ('file_handover', '2000-01-01', '17:00', 'system');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cut_off FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

CREATE FUNCTION cut_off_on(p_name text, p_day date) RETURNS time LANGUAGE sql STABLE
    RETURN (SELECT local_time FROM cut_off WHERE name = p_name AND since <= p_day ORDER BY since DESC LIMIT 1);

GRANT SELECT ON cut_off TO centralpay_app, centralpay_auditor;
GRANT INSERT ON cut_off TO centralpay_app;
GRANT UPDATE (payout_minimum_cents) ON member TO centralpay_app;
REVOKE EXECUTE ON FUNCTION is_payout_schedule(text), payout_falls(text, date, date), cut_off_on(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_payout_schedule(text), payout_falls(text, date, date), cut_off_on(text, date) TO centralpay_app, centralpay_auditor;
