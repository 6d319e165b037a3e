DROP INDEX advice_identity;
ALTER TABLE advice ADD CONSTRAINT advice_identity UNIQUE (payer_id, trace_number, payee_id, ordinal_in_payment);
