DROP TABLE bank_account_stop;
ALTER TABLE ach_entry DROP CONSTRAINT ach_entry_change_id_fkey;
DROP TABLE bank_account_change;
REVOKE UPDATE (in_use) ON bank_account FROM centralpay_app;
