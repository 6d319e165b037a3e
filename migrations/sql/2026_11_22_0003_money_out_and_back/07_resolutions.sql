-- What people decide on money that came in: parts of an advice that were funded, advices that others replace, payees found.

-- The identity is one standing advice's: what replaces it takes it over.
ALTER TABLE advice DROP CONSTRAINT advice_identity;
CREATE UNIQUE INDEX advice_identity ON advice (payer_id, trace_number, payee_id, ordinal_in_payment) WHERE state <> 'replaced';
