-- name: books
-- The whole of the books as one snapshot sees them. The stored balances, which proof P10 ties to the lines.
SELECT CAST(pg_current_snapshot() AS text) AS snapshot, CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS next_xid,
       (SELECT count(*) FROM journal_transaction) AS transactions,
       (SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', owner_id, ledger, account, debit_cents, credit_cents), E'\n'
                   ORDER BY owner_id, ledger, account), ''), 'UTF8')), 'hex')
        FROM balance WHERE debit_cents <> 0 OR credit_cents <> 0) AS digest

-- name: totals
SELECT ledger, account, sum(debit_cents)::bigint AS debit_cents, sum(credit_cents)::bigint AS credit_cents
FROM balance WHERE debit_cents <> 0 OR credit_cents <> 0 GROUP BY ledger, account ORDER BY ledger, account

-- name: books_at
-- The same, rebuilt from the lines of the entries that a snapshot saw: a copy may hold later ones.
WITH balances AS (
    SELECT l.owner_id, l.ledger, l.account, sum(greatest(l.amount_cents, 0))::bigint AS debit_cents,
           sum(greatest(-l.amount_cents, 0))::bigint AS credit_cents
    FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE pg_visible_in_snapshot(e.xid, CAST(:snapshot AS pg_snapshot))
    GROUP BY l.owner_id, l.ledger, l.account)
SELECT (SELECT count(*) FROM journal_transaction WHERE pg_visible_in_snapshot(xid, CAST(:snapshot AS pg_snapshot))) AS transactions,
       (SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', owner_id, ledger, account, debit_cents, credit_cents), E'\n'
                   ORDER BY owner_id, ledger, account), ''), 'UTF8')), 'hex') FROM balances) AS digest

-- name: totals_at
SELECT l.ledger, l.account, sum(greatest(l.amount_cents, 0))::bigint AS debit_cents, sum(greatest(-l.amount_cents, 0))::bigint AS credit_cents
FROM line l JOIN entry e USING (owner_id, entry_id)
WHERE pg_visible_in_snapshot(e.xid, CAST(:snapshot AS pg_snapshot))
GROUP BY l.ledger, l.account ORDER BY l.ledger, l.account

-- name: export
SELECT pg_export_snapshot()

-- name: now_next
SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text)
