-- name: lock_case
SELECT FROM exception_case WHERE exception_id = :id FOR UPDATE

-- name: end_case
UPDATE exception_case SET state = 'resolved', resolved_at = now(), resolution = :resolution WHERE exception_id = :id AND state = 'open'

-- name: approval_facts
SELECT facts FROM approval WHERE approval_id = :approval_id

-- name: pending_of_case
SELECT approval_id FROM approval WHERE state = 'pending' AND CAST(facts ->> 'case_id' AS bigint) = :case_id ORDER BY approval_id

-- name: notes
SELECT format('%s %s by %s: %s', CAST(at AS date), detail ->> 'did', actor, detail ->> 'reason') FROM activity
WHERE subject = :subject AND action = 'case_acted_on' ORDER BY activity_id

-- name: lines_by_id
SELECT b.bank_line_id, b.as_of, b.type_code, b.amount_cents, -coalesce(sum(l.amount_cents), 0)::bigint AS open_cents, b.state,
       b.bank_reference, b.customer_reference, b.description,
       (SELECT p.traces FROM bank_line_payments p WHERE p.bank_line_id = b.bank_line_id) AS traces
FROM bank_line b LEFT JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id()
    AND l.account IN ('unmatched_deposit', 'unmatched_debit', 'suspense')
WHERE b.bank_line_id = ANY (CAST(:ids AS bigint[])) GROUP BY b.bank_line_id ORDER BY b.bank_line_id

-- name: lines_of_payment
-- Open deposits that name a payment, by the name that its cases have.
SELECT b.bank_line_id, b.as_of, b.type_code, b.amount_cents, -sum(l.amount_cents)::bigint AS open_cents, b.state,
       b.bank_reference, b.customer_reference, b.description,
       (SELECT p.traces FROM bank_line_payments p WHERE p.bank_line_id = b.bank_line_id) AS traces
FROM bank_line b JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account = 'unmatched_deposit'
WHERE b.state = 'unmatched' AND EXISTS (SELECT FROM bank_line_payments p CROSS JOIN LATERAL jsonb_array_elements(p.traces) t WHERE p.bank_line_id = b.bank_line_id
      AND (t ->> 0 = :subject OR (t ->> 0) || ' of ' || (t ->> 1) = :subject))
GROUP BY b.bank_line_id HAVING sum(l.amount_cents) <> 0 ORDER BY b.bank_line_id

-- name: lines_of_amount
SELECT b.bank_line_id, b.as_of, b.type_code, b.amount_cents, -sum(l.amount_cents)::bigint AS open_cents, b.state,
       b.bank_reference, b.customer_reference, b.description,
       (SELECT p.traces FROM bank_line_payments p WHERE p.bank_line_id = b.bank_line_id) AS traces
FROM bank_line b JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account = 'unmatched_deposit'
WHERE b.state = 'unmatched' GROUP BY b.bank_line_id HAVING sum(l.amount_cents) = -CAST(:cents AS bigint) ORDER BY b.as_of DESC, b.bank_line_id LIMIT 20

-- name: advices_by_id
SELECT advice_id, payer_id, payer_name, trace_number, paid_on, payment_cents, funded_cents, state FROM advice
WHERE advice_id = ANY (CAST(:ids AS bigint[])) ORDER BY advice_id

-- name: advices_of_payment
-- The sets of a payment that stand, by the name that its cases have.
SELECT advice_id, payer_id, payer_name, trace_number, paid_on, payment_cents, funded_cents, state FROM advice
WHERE state <> 'replaced' AND :subject IN (trace_number, trace_number || ' of ' || payer_id) ORDER BY advice_id

-- name: advices_of_amount
SELECT advice_id, payer_id, payer_name, trace_number, paid_on, payment_cents, funded_cents, state FROM advice
WHERE state = 'accepted' AND payment_cents - funded_cents = :cents ORDER BY paid_on DESC, advice_id LIMIT 20

-- name: advices_of_set
-- The advice that a set is in conflict with.
SELECT a.advice_id, a.payer_id, a.payer_name, a.trace_number, a.paid_on, a.payment_cents, a.funded_cents, a.state
FROM remittance_set s JOIN advice a USING (advice_id) WHERE format('file %s set %s', s.file_id, s.set_ordinal) = :subject

-- name: count_suspensions
-- All that ever were, reversed or not.
SELECT count(*) FROM line WHERE account = 'suspense' AND reference = :line AND event = 'suspended' AND owner_id = house_id()

-- name: payers_of_line
-- Names of the payers of the payments that a deposit names: by the payer's own number, else by who advised under that trace.
SELECT DISTINCT coalesce(p.name, a.payer_name) AS name
FROM bank_line_payments b CROSS JOIN LATERAL jsonb_array_elements(b.traces) t
LEFT JOIN payer p ON p.payer_id = t ->> 1
LEFT JOIN advice a ON a.trace_number = t ->> 0 AND t ->> 1 IN ('', a.payer_id) AND a.state <> 'replaced'
WHERE b.bank_line_id = :line AND coalesce(p.name, a.payer_name) IS NOT NULL ORDER BY name

-- name: conflicting_set
-- A set in conflict, and the advice that stands under its identity now.
SELECT s.file_id, s.set_ordinal, s.payment_cents, s.claim_count, encode(s.content_sha256, 'hex') AS content_sha256, f.name,
       encode(f.sha256, 'hex') AS sha256, encode(a.content_sha256, 'hex') AS standing_sha256, a.advice_id, a.trace_number, a.payment_cents AS old_cents
FROM remittance_set s JOIN received_file f USING (file_id) JOIN advice o USING (advice_id)
JOIN advice a ON (a.payer_id, a.trace_number, a.payee_id, a.ordinal_in_payment) = (o.payer_id, o.trace_number, o.payee_id, o.ordinal_in_payment)
    AND a.state <> 'replaced'
WHERE format('file %s set %s', s.file_id, s.set_ordinal) = :subject AND s.status = 'conflict'

-- name: lock_cycles
SELECT pg_advisory_xact_lock(hashtext('centralpay.cycle'))

-- name: lock_advice
SELECT advice_id, state, trace_number FROM advice WHERE advice_id = :advice_id FOR NO KEY UPDATE

-- name: told_by
-- The cycle that told a share of an advice to its member, or tells it as it stands.
SELECT c.cycle_id, c.state FROM cycle c WHERE c.cycle_id IN (
    SELECT cycle_id FROM share_to_remit WHERE advice_id = :advice_id AND cycle_id IS NOT NULL
    UNION ALL SELECT s.cycle_id FROM cycle_share s JOIN cycle o USING (cycle_id) WHERE s.advice_id = :advice_id AND o.state IN ('proposed', 'approved')
    UNION ALL SELECT cycle_id FROM found_share WHERE advice_id = :advice_id AND cycle_id IS NOT NULL)
ORDER BY c.state NOT IN ('proposed', 'approved'), c.cycle_id LIMIT 1

-- name: standing_of_advice
-- What stands of an advice in the books, the fundings first.
SELECT DISTINCT l.transaction_id, l.event FROM standing_line l
WHERE l.account = 'advised' AND l.event IN ('advised', 'funded') AND l.reference = :advice_id ORDER BY l.event DESC, l.transaction_id DESC

-- name: mark_replaced
UPDATE advice SET state = 'replaced' WHERE advice_id = :advice_id AND state IN ('accepted', 'direct')

-- name: mark_standing
-- As it stood before: what its payer paid directly is not paid through us because it was replaced for a while.
UPDATE advice SET state = CASE WHEN direct_pay_id IS NULL THEN 'accepted' ELSE 'direct' END WHERE advice_id = :advice_id AND state = 'replaced'

-- name: direct_advice
-- An advice that is paid directly, and the enrolment that is in force for it on its day, if any is.
SELECT a.advice_id, a.state, a.trace_number, a.paid_on, a.payment_cents, a.payer_id, p.ncpdp_id,
       (SELECT d.direct_pay_id FROM direct_pay d WHERE d.member_id = o.member_id AND d.payer_id = o.payer_id AND d.in_force @> a.paid_on) AS in_force
FROM advice a JOIN direct_pay o USING (direct_pay_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE a.advice_id = :advice_id FOR NO KEY UPDATE OF a

-- name: pay_through_us
UPDATE advice SET state = 'accepted' WHERE advice_id = :advice_id AND state = 'direct'

-- name: tell_shares
-- Its member is told by us now.
INSERT INTO share_to_remit (owner_id, advice_id) SELECT owner_id, advice_id FROM advice_share WHERE advice_id = :advice_id AND owner_id <> house_id()

-- name: replaced_by
-- The replacement that an advice is, with the set that it was read from.
SELECT r.replaces, r.approval_id, s.file_id, s.set_ordinal, a.trace_number, a.payment_cents FROM advice_replacement r JOIN advice a USING (advice_id)
JOIN remittance_set s USING (file_id, set_ordinal) WHERE r.advice_id = :advice_id

-- name: set_in_conflict
UPDATE remittance_set SET status = 'conflict', advice_id = :replaces WHERE file_id = :file_id AND set_ordinal = :set_ordinal

-- name: count_advised
SELECT count(*) FROM journal_transaction WHERE fact_key = 'advised:' || CAST(:advice_id AS bigint) OR fact_key LIKE 'advised:' || CAST(:advice_id AS bigint) || ':%'

-- name: transaction
SELECT t.transaction_id, t.event, t.fact_key, t.fact_on, t.effective_on, t.bank_line_id, t.reason,
       (SELECT r.transaction_id FROM journal_transaction r WHERE r.reverses = t.transaction_id) AS reversed_by
FROM journal_transaction t WHERE t.transaction_id = :transaction_id

-- name: amount_of_transaction
-- What it moved, in one direction.
SELECT coalesce(sum(l.amount_cents) FILTER (WHERE l.amount_cents > 0), 0)::bigint
FROM entry e JOIN line l USING (owner_id, entry_id) WHERE e.transaction_id = :transaction_id

-- name: touched_lines
-- The bank lines that a transaction opened, closed or set aside.
SELECT DISTINCT l.reference FROM entry e JOIN line l USING (owner_id, entry_id)
WHERE e.transaction_id = :transaction_id AND l.account IN ('unmatched_deposit', 'unmatched_debit', 'suspense') ORDER BY l.reference

-- name: touched_advices
SELECT DISTINCT l.reference FROM entry e JOIN line l USING (owner_id, entry_id)
WHERE e.transaction_id = :transaction_id AND l.account = 'advised' ORDER BY l.reference

-- name: lock_advices
SELECT advice_id FROM advice WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) ORDER BY advice_id FOR NO KEY UPDATE

-- name: payer_names
SELECT payer_id, aliases || ach_company_ids AS names FROM payer WHERE aliases || ach_company_ids <> '{}' ORDER BY payer_id

-- name: unnamed_deposits
-- Open deposits whose text holds no trace, and whose references are no advice's.
SELECT b.bank_line_id, b.as_of, b.description, -sum(l.amount_cents)::bigint AS open_cents
FROM bank_line b JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account = 'unmatched_deposit'
WHERE b.state = 'unmatched' AND b.amount_cents > 0 AND b.description NOT LIKE '%TRN*1*%'
  AND NOT EXISTS (SELECT FROM bank_line_payments p CROSS JOIN LATERAL jsonb_array_elements(p.traces) t JOIN advice a ON a.trace_number = t ->> 0
                  WHERE p.bank_line_id = b.bank_line_id)
GROUP BY b.bank_line_id HAVING sum(l.amount_cents) < 0 ORDER BY b.bank_line_id

-- name: refused_suggestions
SELECT DISTINCT subject FROM exception_case WHERE kind = 'match_suggested' AND state = 'resolved' AND resolution LIKE 'refuse by %'
