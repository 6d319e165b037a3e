-- How many banking days a payment to a member may take once remittance and money are both there: a limit as others are, from
-- a day on, but of days.

ALTER TABLE dated_limit ADD COLUMN days integer CHECK (days BETWEEN 1 AND 365), DROP CONSTRAINT dated_limit_name_check;
ALTER TABLE dated_limit
    ADD CONSTRAINT dated_limit_name_check CHECK (name IN ('two_approvers_from', 'entry', 'same_day_entry', 'cycle_total', 'payment_days')),
    ADD CONSTRAINT limit_is_of_its_unit CHECK (CASE name WHEN 'payment_days' THEN cents IS NULL ELSE days IS NULL END);
COMMENT ON COLUMN dated_limit.days IS 'Banking days; of payment_days alone. Null: from that day there is no limit.';
-- The trail tells the new column, too.
SELECT add_trail('dated_limit');

-- Postings of what banks sent back: the payout, by which answer, and from which accounting day on it was turned, null: it stands.
-- A return that stands on a day is one from no later day that was not turned by then.
CREATE VIEW posted_return WITH (security_invoker) AS
    SELECT a.payout_id, a.code, t.transaction_id, t.effective_on, r.effective_on AS turned_on
    FROM journal_transaction t JOIN ach_answer a ON a.answer_id = split_part(t.fact_key, ':', 3)::bigint
    LEFT JOIN journal_transaction r ON r.reverses = t.transaction_id
    WHERE t.event = 'payout_returned' AND t.fact_key ~ '^payout_returned:answer:[0-9]+';
COMMENT ON VIEW posted_return IS 'Returns of payouts as they were posted, and when they were turned.';
GRANT SELECT ON posted_return TO centralpay_app, centralpay_auditor;
