-- name: opening
SELECT coalesce(sum(amount_cents), 0)::bigint FROM statement_line WHERE owner_id = :member_id AND effective_on < :from_on

-- name: closing
SELECT coalesce(sum(amount_cents), 0)::bigint AS total_cents,
       coalesce(sum(amount_cents) FILTER (WHERE account = 'due_available'), 0)::bigint AS available_cents,
       coalesce(sum(amount_cents) FILTER (WHERE account = 'due_unfunded'), 0)::bigint AS awaiting_cents,
       coalesce(sum(amount_cents) FILTER (WHERE account = 'held'), 0)::bigint AS held_cents
FROM statement_line WHERE owner_id = :member_id AND effective_on <= :to_on

-- name: movements
-- What changed what is owed to the member, a row an event; money that only moved within what is owed is left out.
SELECT s.transaction_id, s.effective_on, s.fact_on, s.event, t.reason, t.reverses, o.event AS reversed_event, s.amount_cents
FROM (SELECT transaction_id, effective_on, fact_on, event, sum(amount_cents)::bigint AS amount_cents
      FROM statement_line WHERE owner_id = :member_id AND effective_on BETWEEN :from_on AND :to_on
      GROUP BY transaction_id, effective_on, fact_on, event HAVING sum(amount_cents) <> 0) s
JOIN journal_transaction t USING (transaction_id) LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses
WHERE s.event <> 'advised' ORDER BY s.effective_on, s.transaction_id

-- name: advices
SELECT a.advice_id, t.effective_on, a.trace_number, a.payer_id, coalesce(p.name, a.payer_name) AS payer_name, a.state,
       s.claim_count, s.claims_cents, s.plb_cents, -sum(l.amount_cents)::bigint AS amount_cents
FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
JOIN advice a ON a.advice_id = l.reference LEFT JOIN payer p USING (payer_id)
JOIN advice_share s ON s.owner_id = l.owner_id AND s.advice_id = a.advice_id
WHERE l.owner_id = :member_id AND l.event = 'advised' AND l.account = 'due_unfunded' AND l.effective_on BETWEEN :from_on AND :to_on
GROUP BY a.advice_id, t.effective_on, p.name, s.claim_count, s.claims_cents, s.plb_cents, t.transaction_id
UNION ALL
-- What the payer took whole has no entry, and is shown all the same: on the day of the advice's other shares.
SELECT a.advice_id, coalesce(t.effective_on, a.paid_on), a.trace_number, a.payer_id, coalesce(p.name, a.payer_name), a.state,
       s.claim_count, s.claims_cents, s.plb_cents, 0
FROM advice_share s JOIN advice a USING (advice_id) LEFT JOIN payer p USING (payer_id)
LEFT JOIN journal_transaction t ON t.fact_key = 'advised:' || a.advice_id
WHERE s.owner_id = :member_id AND s.claims_cents = s.plb_cents AND coalesce(t.effective_on, a.paid_on) BETWEEN :from_on AND :to_on
ORDER BY effective_on, advice_id

-- name: adjustments
SELECT p.advice_id, p.reason, p.reference, p.amount_cents FROM plb_line p
WHERE p.owner_id = :member_id AND p.advice_id = ANY (CAST(:advice_ids AS bigint[])) AND NOT p.is_network ORDER BY p.advice_id, p.segment, p.pair

-- name: payouts
SELECT o.payout_id, c.business_date, c.effective_on, o.amount_cents, o.fee_cents, o.state, o.trace_number, a.last_four
FROM payout o JOIN cycle c USING (cycle_id) LEFT JOIN bank_account a USING (bank_account_id)
WHERE o.member_id = :member_id AND o.state IN ('released', 'settled', 'returned') AND c.business_date BETWEEN :from_on AND :to_on
ORDER BY o.payout_id

-- name: member
SELECT m.member_id, p.ncpdp_id, m.legal_name, m.dba_name FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = :member_id
