-- The version of a balance was raised by one a statement; from here on it counts the lines that made the balance, as the view of the
-- past does: what counts can be counted again (proof P10). One function writes it, and stays what it is but for that.
DO $$
DECLARE
    body text := pg_get_functiondef('line_guard()'::regprocedure);
    was text[] := ARRAY['0))::bigint AS credit_cents', 'debit_cents, credit_cents, 1 FROM change', '''operating_float'', 0, 0, 1', 'b.version + 1'];
    says text[] := ARRAY['0))::bigint AS credit_cents, count(*) AS lines', 'debit_cents, credit_cents, lines FROM change',
        '''operating_float'', 0, 0, 0', 'b.version + excluded.version'];
BEGIN
    FOR i IN 1 .. cardinality(was) LOOP
        IF cardinality(string_to_array(body, was[i])) <> 2 THEN RAISE EXCEPTION 'line_guard does not say once: %', was[i]; END IF;
        body := replace(body, was[i], says[i]);
    END LOOP;
    EXECUTE body;
END $$;

ALTER TABLE balance DISABLE TRIGGER follows_lines;
UPDATE balance b SET version = n.lines
FROM (SELECT s.owner_id, s.ledger, s.account, count(l.entry_id) AS lines
      FROM balance s LEFT JOIN line l USING (owner_id, ledger, account) GROUP BY s.owner_id, s.ledger, s.account) n
WHERE (b.owner_id, b.ledger, b.account) = (n.owner_id, n.ledger, n.account) AND b.version <> n.lines;
ALTER TABLE balance ENABLE TRIGGER follows_lines;
COMMENT ON COLUMN balance.version IS 'How many lines it is the sum of.';
