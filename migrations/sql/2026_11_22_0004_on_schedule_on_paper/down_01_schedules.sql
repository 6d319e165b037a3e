DROP FUNCTION cut_off_on(text, date);
DROP TABLE cut_off;
DROP INDEX journal_of_lifted_holds;
ALTER TABLE cycle_omission DROP CONSTRAINT cycle_omission_reason_check;
-- A cycle that left members out by their schedule says from now on that they had no balance to be paid: there is no word for it.
ALTER TABLE cycle_omission DISABLE TRIGGER append_only;
UPDATE cycle_omission SET reason = 'no_balance' WHERE reason IN ('not_due', 'below_minimum');
ALTER TABLE cycle_omission ENABLE TRIGGER append_only;
ALTER TABLE cycle_omission ADD CONSTRAINT cycle_omission_reason_check CHECK (reason IN
    ('negative', 'held', 'no_balance', 'no_bank_account', 'proof_fails', 'account_stopped'));
ALTER TABLE member DROP COLUMN payout_minimum_cents, DROP CONSTRAINT payout_schedule_is_one;
DROP FUNCTION payout_falls(text, date, date), is_payout_schedule(text);
