-- name: due
-- Members whose contract asks a fee for the month and of whom none is assessed; the times that it was assessed and reversed.
SELECT m.member_id, due.cents, coalesce(prior.times, 0) AS times
FROM member m
CROSS JOIN LATERAL (SELECT fee_due_of_member(m.member_id, CAST(:month AS date)) AS cents) due
LEFT JOIN LATERAL (
    SELECT count(*) AS times, count(*) FILTER (WHERE r.transaction_id IS NULL) AS standing
    FROM line l JOIN entry e USING (owner_id, entry_id) LEFT JOIN journal_transaction r ON r.reverses = e.transaction_id
    WHERE l.owner_id = m.member_id AND l.account = 'fee_receivable' AND l.reference = :reference AND l.event = 'fee_assessed') prior ON true
WHERE m.membership && daterange(CAST(:month AS date), (CAST(:month AS date) + interval '1 month')::date) AND due.cents > 0
  AND coalesce(prior.standing, 0) = 0
ORDER BY m.member_id

-- name: register
SELECT p.ncpdp_id, l.owner_id AS member_id, sum(l.amount_cents) FILTER (WHERE l.event = 'fee_assessed')::bigint AS assessed_cents,
       sum(l.amount_cents)::bigint AS open_cents
FROM standing_line l JOIN member m ON m.member_id = l.owner_id JOIN pharmacy p USING (pharmacy_id)
WHERE l.account = 'fee_receivable' AND l.reference = :reference GROUP BY p.ncpdp_id, l.owner_id ORDER BY p.ncpdp_id
