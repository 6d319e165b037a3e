-- name: waiting_payments
-- Payments not funded yet: the sets that share a trace are one payment.
SELECT payer_id, trace_number, min(payer_name) AS payer_name, array_agg(advice_id ORDER BY advice_id) AS advice_ids,
       sum(payment_cents)::bigint AS cents, max(paid_on) AS paid_on
FROM advice WHERE state = 'accepted' GROUP BY payer_id, trace_number ORDER BY payer_id, trace_number

-- name: lock_cases
SELECT pg_advisory_xact_lock(hashtext('centralpay.matching_cases'))

-- name: funded_payments
SELECT payer_id, trace_number, sum(payment_cents)::bigint AS cents FROM advice
WHERE state = 'funded' AND trace_number = ANY (CAST(:traces AS text[])) GROUP BY payer_id, trace_number

-- name: lock_advices
-- Not against those who only refer to them: a loader that pairs reversals holds balances by then, and both would wait in a circle.
SELECT advice_id FROM advice WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND state = 'accepted' ORDER BY advice_id FOR NO KEY UPDATE

-- name: mark_funded
UPDATE advice SET state = 'funded' WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND state = 'accepted'

-- name: negative_members
-- Two owners of one store may both owe.
SELECT CASE WHEN count(*) OVER (PARTITION BY p.ncpdp_id) = 1 THEN p.ncpdp_id ELSE concat_ws(' ', p.ncpdp_id, b.owner_id) END AS subject,
       (b.credit_cents - b.debit_cents)::bigint AS cents
FROM balance b LEFT JOIN member m ON m.member_id = b.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE b.ledger = 'custody' AND b.account = 'operating_advance' AND b.credit_cents > b.debit_cents
