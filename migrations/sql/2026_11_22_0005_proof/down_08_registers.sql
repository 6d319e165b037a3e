DROP VIEW posted_return;
ALTER TABLE dated_limit DISABLE TRIGGER append_only;
DELETE FROM dated_limit WHERE name = 'payment_days';
ALTER TABLE dated_limit ENABLE TRIGGER append_only;
ALTER TABLE dated_limit DROP CONSTRAINT limit_is_of_its_unit, DROP CONSTRAINT dated_limit_name_check, DROP COLUMN days;
ALTER TABLE dated_limit ADD CONSTRAINT dated_limit_name_check CHECK (name IN ('two_approvers_from', 'entry', 'same_day_entry', 'cycle_total'));
SELECT add_trail('dated_limit');
