COMMENT ON COLUMN balance.version IS NULL;
DO $$
DECLARE
    body text := pg_get_functiondef('line_guard()'::regprocedure);
BEGIN
    body := replace(body, ' AS credit_cents, count(*) AS lines', ' AS credit_cents');
    body := replace(body, 'debit_cents, credit_cents, lines FROM change', 'debit_cents, credit_cents, 1 FROM change');
    body := replace(body, '''operating_float'', 0, 0, 0', '''operating_float'', 0, 0, 1');
    EXECUTE replace(body, 'b.version + excluded.version', 'b.version + 1');
END $$;
