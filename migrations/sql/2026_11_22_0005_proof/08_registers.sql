-- How many banking days a payment to a member may take once remittance and money are both there: a limit as others are, from
-- a day on, but of days.

ALTER TABLE dated_limit ADD COLUMN days integer CHECK (days BETWEEN 1 AND 365), DROP CONSTRAINT dated_limit_name_check;
ALTER TABLE dated_limit
    ADD CONSTRAINT dated_limit_name_check CHECK (name IN ('two_approvers_from', 'entry', 'same_day_entry', 'cycle_total', 'payment_days')),
    ADD CONSTRAINT limit_is_of_its_unit CHECK (CASE name WHEN 'payment_days' THEN cents IS NULL ELSE days IS NULL END);
COMMENT ON COLUMN dated_limit.days IS 'Banking days; of payment_days alone. Null: from that day there is no limit.';
-- The trail tells the new column, too.
SELECT add_trail('dated_limit');
