-- name: due
-- Members whose contract asks a fee for the month and of whom none is assessed; the times that it was assessed and reversed.
SELECT m.member_id, due.cents, coalesce(prior.times, 0) AS times
FROM member m
CROSS JOIN LATERAL fee_asked(m.member_id, CAST(:month AS date)) AS due
LEFT JOIN LATERAL (
    SELECT count(*) AS times, count(*) FILTER (WHERE r.transaction_id IS NULL) AS standing
    FROM line l JOIN entry e USING (owner_id, entry_id) LEFT JOIN journal_transaction r ON r.reverses = e.transaction_id
    WHERE l.owner_id = m.member_id AND l.account = 'fee_receivable' AND l.reference = :reference AND l.event = 'fee_assessed') prior ON true
WHERE m.membership && daterange(CAST(:month AS date), (CAST(:month AS date) + interval '1 month')::date) AND due.cents > 0
  AND coalesce(prior.standing, 0) = 0
ORDER BY m.member_id

-- name: lock
-- One at a time who assesses fees, gives them back, or changes what contracts ask.
SELECT pg_advisory_xact_lock(hashtext('centralpay.fees'))

-- name: fee_of
-- A member's fee of a month: what of it can be waived, and what can be refunded.
SELECT p.ncpdp_id, CASE WHEN f.collected_cents = f.swept_cents THEN f.open_cents ELSE 0 END AS open_cents,
       coalesce(f.swept_cents - f.refunded_cents, 0) AS kept_cents
FROM member m JOIN pharmacy p USING (pharmacy_id) LEFT JOIN fee_month f ON f.member_id = m.member_id AND f.reference = :reference
WHERE m.member_id = :member_id

-- name: times_asked
SELECT count(*) FROM approval WHERE kind = :kind AND subject = :subject AND state <> 'pending'

-- name: over_contract
-- Months assessed beyond the contract. Only who left, has more contracts than one, or pays by day can have any.
SELECT f.member_id, p.ncpdp_id, f.reference, f.month, f.due_cents, f.over_cents, f.open_cents, f.collected_cents - f.swept_cents AS withheld_cents,
       (SELECT count(DISTINCT l.entry_id) FROM line l WHERE l.owner_id = f.member_id AND l.reference = f.reference AND l.account = 'fee_waived') AS times
FROM fee_against_contract f JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE f.over_cents > 0 AND f.member_id = ANY (ARRAY(
    SELECT member_id FROM member WHERE NOT upper_inf(membership)
    UNION SELECT member_id FROM contract GROUP BY member_id HAVING count(*) > 1 OR bool_or(proration = 'daily')))
ORDER BY f.reference, p.ncpdp_id, f.member_id

-- name: set_proration
UPDATE contract SET proration = :proration WHERE member_id = :member_id AND proration <> :proration

-- name: settle_paid
UPDATE exception_case e SET state = 'resolved', resolved_at = now(), resolution = :resolution
WHERE e.kind = 'fee_unpaid' AND e.state = 'open' AND NOT EXISTS (
    SELECT FROM pharmacy p JOIN member m USING (pharmacy_id) JOIN line l ON l.owner_id = m.member_id AND l.account = 'fee_receivable'
    WHERE p.ncpdp_id = e.subject GROUP BY l.owner_id, l.reference HAVING sum(l.amount_cents) > 0)

-- name: register
-- By member and month: what the contract asks beside the books, net of reversals, as of a day. Who should have been assessed and was
-- not is in it, and what was assessed though no contract asks it. With :since also other months whose fee was moved from that day on.
WITH month AS (
    SELECT d::date AS month, extract(year FROM d)::bigint * 100 + extract(month FROM d)::bigint AS reference
    FROM generate_series(CAST(:from_month AS date), CAST(:to_month AS date), interval '1 month') d
), moved AS MATERIALIZED (
    SELECT l.owner_id AS member_id, l.reference, l.account, l.event, CASE WHEN l.event = 'reversed' THEN l.entry_id END AS entry_id,
           sum(l.amount_cents) AS cents, coalesce(sum(l.amount_cents) FILTER (WHERE l.effective_on >= :since), 0) AS since_cents,
           coalesce(bool_or(l.effective_on >= :since), false) AS is_since
    FROM line l
    WHERE l.account IN ('fee_receivable', 'fee_withheld', 'fee_waived') AND l.reference IS NOT NULL
      AND (CAST(:member_ids AS uuid[]) IS NULL OR l.owner_id = ANY (CAST(:member_ids AS uuid[])))
      AND (CAST(:as_of AS date) IS NULL OR l.effective_on <= :as_of)
      AND (CAST(:since AS date) IS NOT NULL OR l.reference = ANY (ARRAY(SELECT reference FROM month)))
    GROUP BY 1, 2, 3, 4, 5
), booked AS (
    SELECT m.member_id, m.reference,
           coalesce(sum(m.cents) FILTER (WHERE k.event = 'fee_assessed'), 0)::bigint AS assessed_cents,
           coalesce(sum(m.cents) FILTER (WHERE k.event = 'fee_waived' AND m.account = 'fee_waived'), 0)::bigint AS waived_cents,
           coalesce(-sum(m.cents) FILTER (WHERE k.event = 'fee_collected'), 0)::bigint AS collected_cents,
           coalesce(sum(m.cents) FILTER (WHERE k.event = 'fee_swept' AND m.account = 'fee_withheld'), 0)::bigint AS swept_cents,
           coalesce(sum(m.cents) FILTER (WHERE k.event = 'fee_refunded'), 0)::bigint AS refunded_cents,
           coalesce(sum(m.cents) FILTER (WHERE m.account = 'fee_receivable'), 0)::bigint AS open_cents,
           coalesce(-sum(m.since_cents) FILTER (WHERE k.event = 'fee_collected'), 0)::bigint AS collected_since_cents,
           coalesce(sum(m.since_cents) FILTER (WHERE k.event = 'fee_refunded'), 0)::bigint AS refunded_since_cents,
           bool_or(m.is_since) AS is_since
    FROM moved m LEFT JOIN entry e ON e.owner_id = m.member_id AND e.entry_id = m.entry_id
    LEFT JOIN journal_transaction t ON t.transaction_id = e.transaction_id
    LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses
    CROSS JOIN LATERAL (SELECT coalesce(o.event, m.event) AS event) k
    GROUP BY m.member_id, m.reference
), asked AS (
    SELECT m.member_id, n.reference FROM member m JOIN month n ON m.membership && daterange(n.month, (n.month + interval '1 month')::date)
    WHERE CAST(:member_ids AS uuid[]) IS NULL OR m.member_id = ANY (CAST(:member_ids AS uuid[]))
    UNION
    SELECT member_id, reference FROM booked WHERE is_since OR reference = ANY (ARRAY(SELECT reference FROM month))
), beside AS (
    SELECT a.member_id, a.reference, month_of_reference(a.reference) AS month, d.cents AS due_cents,
           coalesce(b.assessed_cents, 0) AS assessed_cents, coalesce(b.waived_cents, 0) AS waived_cents,
           coalesce(b.collected_cents, 0) AS collected_cents, coalesce(b.swept_cents, 0) AS swept_cents,
           coalesce(b.refunded_cents, 0) AS refunded_cents, coalesce(b.open_cents, 0) AS open_cents,
           coalesce(b.collected_since_cents, 0) AS collected_since_cents, coalesce(b.refunded_since_cents, 0) AS refunded_since_cents
    FROM asked a LEFT JOIN booked b USING (member_id, reference)
    CROSS JOIN LATERAL fee_asked(a.member_id, month_of_reference(a.reference)) AS d
), compared AS (
    SELECT r.*, CASE WHEN r.assessed_cents < r.due_cents THEN r.assessed_cents - r.due_cents
                     ELSE greatest(r.assessed_cents - r.due_cents - r.waived_cents - r.refunded_cents, 0) END AS difference_cents
    FROM beside r WHERE r.due_cents > 0 OR r.assessed_cents > 0
)
SELECT p.ncpdp_id, r.member_id, r.month, c.contract_id, c.monthly_fee_cents, c.proration, lower(c.in_force) AS contract_from,
       upper(c.in_force) - 1 AS contract_until, r.due_cents, r.assessed_cents, r.waived_cents, r.collected_cents, r.swept_cents,
       r.refunded_cents, coalesce(i.amount_cents, 0) AS invoiced_cents, i.invoice_number, r.open_cents, r.difference_cents,
       r.collected_since_cents, r.refunded_since_cents
FROM compared r JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
-- The contract whose terms the month is asked by: the one in force on the first day of membership in it.
LEFT JOIN LATERAL (SELECT c.* FROM contract c WHERE c.member_id = r.member_id AND c.in_force @> greatest(lower(m.membership), r.month)
                   AND m.membership && daterange(r.month, (r.month + interval '1 month')::date) LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT v.amount_cents, v.invoice_number FROM fee_invoice f JOIN fee_invoice_line v USING (invoice_number)
                   WHERE f.member_id = r.member_id AND v.month = r.month AND (CAST(:as_of AS date) IS NULL OR f.issued_on <= :as_of)
                   ORDER BY v.invoice_number DESC LIMIT 1) i ON true
ORDER BY r.difference_cents = 0, r.month, p.ncpdp_id, r.member_id

-- name: first_month
SELECT date_trunc('month', lower(membership))::date FROM member WHERE member_id = :member_id

-- name: first_assessed
-- The first month for which these books assessed a fee of anybody.
SELECT month_of_reference(min(reference)) FROM standing_line WHERE account = 'fee_receivable' AND event = 'fee_assessed'

-- name: unpaid
-- Months of fee open longer than so many days, of members of whom nothing was collected in that time either; with them all
-- that is open of those members by the day, and whether their last invoice asks the same.
WITH open_fee AS (
    SELECT l.owner_id AS member_id, l.reference, sum(l.amount_cents)::bigint AS cents FROM line l
    WHERE l.account = 'fee_receivable' AND month_of_reference(l.reference) <= CAST(:as_of AS date)
    GROUP BY l.owner_id, l.reference HAVING sum(l.amount_cents) > 0
), late AS (
    SELECT DISTINCT f.member_id FROM open_fee f
    WHERE month_of_reference(f.reference) < CAST(:as_of AS date) - CAST(:older_than AS integer)
      AND NOT EXISTS (SELECT FROM standing_line s WHERE s.owner_id = f.member_id AND s.account = 'fee_withheld' AND s.event = 'fee_collected'
                      AND s.effective_on >= CAST(:as_of AS date) - CAST(:older_than AS integer))
)
SELECT f.member_id, p.ncpdp_id, m.legal_name, array_agg(month_of_reference(f.reference) ORDER BY f.reference) AS months,
       array_agg(f.cents ORDER BY f.reference) AS cents,
       coalesce((SELECT array_agg((v.month, v.amount_cents) ORDER BY v.month) FROM fee_invoice_line v
                 WHERE v.invoice_number = (SELECT max(i.invoice_number) FROM fee_invoice i WHERE i.member_id = f.member_id))
                = array_agg((month_of_reference(f.reference), f.cents) ORDER BY f.reference), false) AS is_invoiced
FROM open_fee f JOIN late USING (member_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
GROUP BY f.member_id, p.ncpdp_id, m.legal_name ORDER BY p.ncpdp_id, f.member_id

-- name: next_invoice
SELECT coalesce(max(invoice_number), 0) + 1 FROM fee_invoice

-- name: add_invoices
-- In the order of their numbers, each with what was done.
WITH issued AS (
    SELECT n.invoice_number, n.member_id, n.total_cents, n.notice_id
    FROM unnest(CAST(:numbers AS bigint[]), CAST(:member_ids AS uuid[]), CAST(:totals AS bigint[]), CAST(:notice_ids AS bigint[]))
        AS n (invoice_number, member_id, total_cents, notice_id)
), recorded AS (
    INSERT INTO activity (actor, action, subject, detail)
    SELECT :actor, 'fee_invoiced', p.ncpdp_id, jsonb_build_object('invoice', i.invoice_number, 'cents', i.total_cents)
    FROM issued i JOIN member USING (member_id) JOIN pharmacy p USING (pharmacy_id) ORDER BY i.invoice_number
)
INSERT INTO fee_invoice (invoice_number, member_id, issued_on, due_on, total_cents, issued_by, notice_id)
SELECT invoice_number, member_id, :issued_on, :due_on, total_cents, :actor, notice_id FROM issued ORDER BY invoice_number

-- name: add_invoice_lines
INSERT INTO fee_invoice_line (invoice_number, month, amount_cents)
SELECT n.invoice_number, n.month, n.cents
FROM unnest(CAST(:numbers AS bigint[]), CAST(:months AS date[]), CAST(:cents AS bigint[])) AS n (invoice_number, month, cents)

-- name: invoices
SELECT i.invoice_number, i.member_id, p.ncpdp_id, m.legal_name, i.issued_on, i.due_on, i.total_cents,
       array_agg(l.month ORDER BY l.month) AS months, array_agg(l.amount_cents ORDER BY l.month) AS cents
FROM fee_invoice i JOIN fee_invoice_line l USING (invoice_number) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE (CAST(:member_id AS uuid) IS NULL OR i.member_id = :member_id) AND (CAST(:invoice_number AS numeric) IS NULL OR i.invoice_number = :invoice_number)
GROUP BY i.invoice_number, i.member_id, i.issued_on, i.due_on, i.total_cents, p.ncpdp_id, m.legal_name ORDER BY i.invoice_number

-- name: open_of_member
SELECT coalesce(sum(amount_cents), 0)::bigint FROM line WHERE account = 'fee_receivable' AND owner_id = :member_id
