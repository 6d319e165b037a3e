-- name: trial_balance
-- Everything recorded: the stored balances, which proof P10 ties to the lines.
SELECT b.owner_id, b.ledger, b.account, b.debit_cents, b.credit_cents, b.debit_cents - b.credit_cents AS balance_cents,
       p.ncpdp_id
FROM balance b LEFT JOIN member m ON m.member_id = b.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE b.debit_cents <> 0 OR b.credit_cents <> 0
ORDER BY p.ncpdp_id NULLS FIRST, b.owner_id, b.ledger, b.account

-- name: trial_balance_as_of
SELECT l.owner_id, l.ledger, l.account, sum(greatest(l.amount_cents, 0))::bigint AS debit_cents,
       sum(greatest(-l.amount_cents, 0))::bigint AS credit_cents, sum(l.amount_cents)::bigint AS balance_cents, p.ncpdp_id
FROM line l LEFT JOIN member m ON m.member_id = l.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE l.effective_on <= :as_of
GROUP BY l.owner_id, l.ledger, l.account, p.ncpdp_id
ORDER BY p.ncpdp_id NULLS FIRST, l.owner_id, l.ledger, l.account

-- name: journal
SELECT t.transaction_id, t.event, t.fact_on, t.effective_on, t.recorded_at, t.actor, t.reason, t.reverses, e.entry_id, e.event AS entry_event,
       l.owner_id, p.ncpdp_id, l.ledger, l.account, l.reference, l.line_no, l.amount_cents
FROM journal_transaction t JOIN entry e USING (transaction_id) JOIN line l USING (owner_id, entry_id)
LEFT JOIN member m ON m.member_id = l.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE (CAST(:owner AS uuid) IS NULL OR l.owner_id = CAST(:owner AS uuid))
  AND (CAST(:from_on AS date) IS NULL OR t.effective_on >= CAST(:from_on AS date))
  AND (CAST(:to_on AS date) IS NULL OR t.effective_on <= CAST(:to_on AS date))
ORDER BY t.transaction_id, e.entry_id, l.line_no
LIMIT :most

-- name: owner_balance
SELECT coalesce(sum(debit_cents - credit_cents), 0)::bigint FROM balance
WHERE owner_id = :owner AND ledger = CAST(:ledger AS ledger_name) AND account = CAST(:account AS account_name)
