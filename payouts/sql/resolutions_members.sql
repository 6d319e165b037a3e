-- name: named_members
-- The member that an NCPDP id (of several owners the one on that day, else the latest) or a member id names.
SELECT n.asked, (array_agg(m.member_id ORDER BY m.membership @> CAST(:day AS date) DESC, lower(m.membership) DESC))[1] AS member_id
FROM unnest(CAST(:asked AS text[])) AS n (asked) JOIN member m ON CAST(m.member_id AS text) = lower(n.asked)
    OR m.pharmacy_id = (SELECT p.pharmacy_id FROM pharmacy p WHERE p.ncpdp_id = n.asked)
GROUP BY n.asked

-- name: member_names
SELECT m.member_id, p.ncpdp_id FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = ANY (CAST(:members AS uuid[]))

-- name: asked
SELECT facts, set_hash FROM approval WHERE approval_id = :approval_id

-- name: add_rows
INSERT INTO decided_share (approval_id, place, member_id, amount_cents, claim_reference)
SELECT :approval_id, n.place, n.member_id, n.amount_cents, n.claim_reference
FROM unnest(CAST(:members AS uuid[]), CAST(:amounts AS bigint[]), CAST(:claims AS text[])) WITH ORDINALITY AS n (member_id, amount_cents, claim_reference, place)
ON CONFLICT DO NOTHING

-- name: rows
SELECT s.place, s.member_id, p.ncpdp_id, s.amount_cents, s.claim_reference
FROM decided_share s JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) WHERE s.approval_id = :approval_id ORDER BY s.place

-- name: open_line
-- A bank line with what is open of it: credits positive, debits negative.
SELECT b.bank_line_id, b.as_of, b.type_code, b.amount_cents, b.bank_reference, b.state, coalesce(-sum(l.amount_cents), 0)::bigint AS open_cents
FROM bank_line b LEFT JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account IN ('unmatched_deposit', 'unmatched_debit')
WHERE b.bank_line_id = :bank_line_id GROUP BY b.bank_line_id

-- name: lock_line
SELECT FROM bank_line WHERE bank_line_id = :bank_line_id FOR NO KEY UPDATE

-- name: payer
-- By id or name of the list of payers; one that is not listed, by the id in its advices.
SELECT payer_id, name FROM payer WHERE payer_id = :asked OR lower(name) = lower(:asked)
UNION ALL
SELECT a.payer_id, a.name FROM (SELECT payer_id, payer_name AS name FROM advice WHERE payer_id = :asked ORDER BY trace_number DESC LIMIT 1) a
WHERE NOT EXISTS (SELECT FROM payer p WHERE p.payer_id = :asked)

-- name: cover
-- What the float has, what of it is in use for negatives that are no member's, and what more members would owe after these changes.
SELECT coalesce(max(f.credit_cents - f.debit_cents), 0)::bigint AS float_cents,
       coalesce((SELECT sum(greatest(d.cents, 0)) FROM (SELECT sum(l.amount_cents) AS cents FROM line l
                 WHERE l.account = 'unknown_payee' AND l.owner_id = house_id() GROUP BY l.reference) d), 0)::bigint
       + greatest(coalesce((SELECT b.debit_cents - b.credit_cents FROM balance b
                            WHERE (b.owner_id, b.ledger, b.account) = (house_id(), 'custody', 'network_adjustment')), 0), 0)::bigint AS house_cents,
       coalesce((SELECT sum(greatest(-(coalesce(b.credit_cents - b.debit_cents, 0) + n.cents), 0) - greatest(-coalesce(b.credit_cents - b.debit_cents, 0), 0))
                 FROM unnest(CAST(:members AS uuid[]), CAST(:changes AS bigint[])) AS n (member_id, cents)
                 LEFT JOIN balance b ON b.owner_id = n.member_id AND b.ledger = 'custody' AND b.account = 'due_available'), 0)::bigint AS owed_cents
FROM balance f WHERE (f.owner_id, f.ledger, f.account) = (house_id(), 'custody', 'operating_float')

-- name: lock_cases
SELECT pg_advisory_xact_lock(hashtext('centralpay.house_cases'))

-- name: open_debits
-- Debits that nothing explains, with what of ours leaves as much and waits for its debit.
SELECT b.bank_line_id, b.as_of, b.type_code, b.bank_reference, sum(l.amount_cents)::bigint AS open_cents,
       (SELECT string_agg(w.said, ', ' ORDER BY w.said) FROM (
           SELECT 'cycle ' || c.cycle_id AS said, c.released_cents AS cents FROM cycle c WHERE c.state = 'released'
           UNION ALL
           SELECT d.kind || ' ' || d.disbursement_id, d.amount_cents FROM disbursement d WHERE d.state = 'released') w
        WHERE w.cents = sum(l.amount_cents)) AS as_much
FROM bank_line b JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account = 'unmatched_debit'
WHERE b.state = 'unmatched' AND b.amount_cents < 0 GROUP BY b.bank_line_id HAVING sum(l.amount_cents) <> 0 ORDER BY b.bank_line_id

-- name: touched_payees
-- Identifiers of which anything was ever found: what is left of each, and in how many advices.
SELECT u.identifier, coalesce(sum(s.claims_cents - s.plb_cents), 0)::bigint AS cents, count(s.advice_id) AS advices
FROM unknown_payee u LEFT JOIN (
    SELECT p.* FROM payee_shares(ARRAY(SELECT DISTINCT unknown_payee_id FROM found_share), NULL) p JOIN advice a USING (advice_id)
    WHERE a.state <> 'replaced' AND NOT EXISTS (SELECT FROM found_share f WHERE f.standing AND f.unknown_payee_id = p.unknown_payee_id
                                                AND f.advice_id = p.advice_id)) s USING (unknown_payee_id)
WHERE u.unknown_payee_id IN (SELECT unknown_payee_id FROM found_share) GROUP BY u.identifier ORDER BY u.identifier

-- name: touched_networks
-- Traces whose adjustments of the network were ever divided: what is left of each.
SELECT a.trace_number, string_agg(DISTINCT a.payer_id, ', ') AS payers,
       coalesce(sum((SELECT -sum(l.amount_cents) FROM line l WHERE l.account IN ('network_adjustment', 'network_adjustment_unfunded')
                     AND l.reference = a.advice_id)), 0)::bigint AS cents
FROM advice a
WHERE a.trace_number IN (SELECT o.trace_number FROM approval p JOIN advice o ON o.advice_id = CAST(p.subject AS bigint)
                         WHERE p.kind = 'network_allocation' AND p.state = 'approved')
  AND a.state <> 'replaced' GROUP BY a.trace_number ORDER BY a.trace_number

-- name: network_left
-- Funded advices of a trace with an adjustment of the network that is not divided yet; what members are to get of it, negative: to give.
SELECT a.advice_id, a.payer_id, a.paid_on, -sum(l.amount_cents)::bigint AS cents
FROM advice a JOIN line l ON l.account = 'network_adjustment' AND l.owner_id = house_id() AND l.reference = a.advice_id
WHERE a.trace_number = (SELECT trace_number FROM advice WHERE advice_id = :advice_id) OR a.trace_number = :trace
GROUP BY a.advice_id HAVING sum(l.amount_cents) <> 0 ORDER BY a.advice_id

-- name: lock_advice
SELECT advice_id, payer_id, trace_number, paid_on, state FROM advice WHERE advice_id = :advice_id FOR NO KEY UPDATE

-- name: claim_weights_of_advice
SELECT coalesce(f.owner_id, c.owner_id) AS member_id, sum(abs(c.paid_cents))::bigint AS weight_cents, count(*) AS claims
FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
LEFT JOIN found_share f ON f.unknown_payee_id = c.unknown_payee_id AND f.advice_id = c.advice_id AND f.standing
WHERE a.advice_id = :advice_id AND coalesce(f.owner_id, c.owner_id) <> house_id() GROUP BY 1 ORDER BY 1

-- name: claim_weights_of_payer
-- By what was paid through us: what its payer pays directly it adjusts directly.
SELECT coalesce(f.owner_id, c.owner_id) AS member_id, sum(abs(c.paid_cents))::bigint AS weight_cents, count(*) AS claims
FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
LEFT JOIN found_share f ON f.unknown_payee_id = c.unknown_payee_id AND f.advice_id = c.advice_id AND f.standing
WHERE c.paid_on BETWEEN :since AND :until AND a.payer_id = :payer_id AND a.state NOT IN ('replaced', 'direct')
  AND coalesce(f.owner_id, c.owner_id) <> house_id() GROUP BY 1 ORDER BY 1

-- name: lock_corrections
SELECT pg_advisory_xact_lock(hashtext('centralpay.member_correction'))

-- name: credited_claims
-- Claims named by trace, prescription and amount that a funded advice credited to a member, and what stands against each.
SELECT n.place, c.advice_id, c.segment, c.rx_number, c.paid_cents,
       k.approval_id AS corrected_by,
       EXISTS (SELECT FROM claim_reversal r JOIN advice t USING (advice_id) WHERE r.original_advice_id = c.advice_id
               AND r.original_segment = c.segment AND t.state <> 'replaced') AS was_taken_back
FROM unnest(CAST(:traces AS text[]), CAST(:rx_numbers AS text[]), CAST(:amounts AS bigint[]))
    WITH ORDINALITY AS n (trace_number, rx_number, amount_cents, place)
JOIN advice a ON a.trace_number = n.trace_number AND a.state = 'funded'
JOIN claim_line c ON c.advice_id = a.advice_id AND c.paid_on = a.paid_on AND c.paid_cents = n.amount_cents
    AND rx_key(c.rx_number) = rx_key(n.rx_number) AND rx_normal(c.rx_number) = rx_normal(n.rx_number)
LEFT JOIN found_share f ON f.unknown_payee_id = c.unknown_payee_id AND f.advice_id = c.advice_id AND f.standing
LEFT JOIN correction_claim k ON k.advice_id = c.advice_id AND k.segment = c.segment AND k.standing
WHERE coalesce(f.owner_id, c.owner_id) = :member_id
ORDER BY n.place, c.advice_id, c.segment

-- name: add_claims
INSERT INTO correction_claim (approval_id, place, advice_id, segment, rx_number, amount_cents)
SELECT :approval_id, n.place, n.advice_id, n.segment, n.rx_number, n.amount_cents
FROM unnest(CAST(:advices AS bigint[]), CAST(:segments AS integer[]), CAST(:rx_numbers AS text[]), CAST(:amounts AS bigint[]))
    WITH ORDINALITY AS n (advice_id, segment, rx_number, amount_cents, place)

-- name: advices_of_claims
SELECT DISTINCT advice_id FROM correction_claim WHERE approval_id = :approval_id ORDER BY advice_id

-- name: claims_moved_on
-- Claims of a correction that are the member's no more: not funded, taken back, or found to be another's.
SELECT k.place, k.rx_number FROM correction_claim k JOIN advice a USING (advice_id)
JOIN claim_line c ON c.advice_id = k.advice_id AND c.paid_on = a.paid_on AND c.segment = k.segment
LEFT JOIN found_share f ON f.unknown_payee_id = c.unknown_payee_id AND f.advice_id = c.advice_id AND f.standing
WHERE k.approval_id = :approval_id AND (a.state <> 'funded' OR coalesce(f.owner_id, c.owner_id) <> :member_id
    OR EXISTS (SELECT FROM claim_reversal r JOIN advice t USING (advice_id) WHERE r.original_advice_id = k.advice_id
               AND r.original_segment = k.segment AND t.state <> 'replaced'))
ORDER BY k.place

-- name: claims
SELECT k.place, a.trace_number, a.payer_id, k.advice_id, k.segment, k.rx_number, k.amount_cents, k.standing
FROM correction_claim k JOIN advice a USING (advice_id) WHERE k.approval_id = :approval_id ORDER BY k.place

-- name: corrections
SELECT p.approval_id, p.state, p.facts, p.proposed_by, p.decided_by, p.reason AS decision_reason, t.transaction_id, r.transaction_id AS reversed_by,
       s.ncpdp_id AS source, d.ncpdp_id AS target,
       (SELECT count(*) FROM correction_claim k WHERE k.approval_id = p.approval_id) AS claims
FROM approval p
JOIN member sm ON sm.member_id = CAST(p.facts ->> 'source' AS uuid) JOIN pharmacy s ON s.pharmacy_id = sm.pharmacy_id
JOIN member dm ON dm.member_id = CAST(p.facts ->> 'target' AS uuid) JOIN pharmacy d ON d.pharmacy_id = dm.pharmacy_id
LEFT JOIN journal_transaction t ON t.fact_key = 'member_corrected:' || p.approval_id LEFT JOIN journal_transaction r ON r.reverses = t.transaction_id
WHERE p.kind = 'member_correction' AND (CAST(:approval_id AS numeric) IS NULL OR p.approval_id = :approval_id) ORDER BY p.approval_id

-- name: interest_left
SELECT coalesce(sum(credit_cents - debit_cents), 0)::bigint FROM balance WHERE owner_id = house_id() AND ledger = 'custody' AND account = 'interest_due'

-- name: daily_balances
-- Of each member its share of the bank account, day by day and never below zero, summed over the days: cents times days.
WITH moved AS (
    SELECT owner_id, greatest(effective_on, CAST(:since AS date)) AS day, -sum(amount_cents)::bigint AS cents
    FROM line WHERE ledger = 'custody' AND owner_id <> house_id() AND effective_on <= CAST(:until AS date)
      AND account IN ('due_available', 'held', 'levied', 'in_transit', 'fee_withheld', 'unclaimed')
    GROUP BY 1, 2
), stood AS (
    SELECT owner_id, sum(cents) OVER (PARTITION BY owner_id ORDER BY day) AS cents,
           lead(day, 1, CAST(:until AS date) + 1) OVER (PARTITION BY owner_id ORDER BY day) - day AS days
    FROM moved
)
SELECT owner_id AS member_id, sum(greatest(cents, 0) * days)::bigint AS weight_cents FROM stood
GROUP BY owner_id HAVING sum(greatest(cents, 0) * days) > 0 ORDER BY owner_id

-- name: unknown_payee
SELECT unknown_payee_id, identifier FROM unknown_payee WHERE identifier = :identifier

-- name: lock_payee
SELECT pg_advisory_xact_lock(hashtext('centralpay.unknown_payee'), CAST(:unknown_payee_id AS integer))

-- name: lock_advices
SELECT advice_id FROM advice WHERE advice_id = ANY (CAST(:advices AS bigint[])) ORDER BY advice_id FOR NO KEY UPDATE

-- name: payee_shares
-- What of advices is an identifier's and not found yet; funded when the money is there, partly when only some of it is.
SELECT s.advice_id, a.trace_number, s.claim_count, s.claims_cents, s.plb_cents, s.lines_sha256, a.state = 'funded' AS is_funded,
       a.state = 'accepted' AND a.funded_cents <> 0 AS is_part_funded
FROM payee_shares(ARRAY[CAST(:unknown_payee_id AS bigint)], CAST(:advices AS bigint[])) s JOIN advice a USING (advice_id)
WHERE a.state <> 'replaced' AND NOT EXISTS (SELECT FROM found_share f WHERE f.standing AND f.unknown_payee_id = s.unknown_payee_id
                                            AND f.advice_id = s.advice_id)
ORDER BY s.advice_id

-- name: add_found
INSERT INTO found_share (approval_id, unknown_payee_id, advice_id, owner_id, claim_count, claims_cents, plb_cents, lines_sha256, was_funded, transaction_id)
SELECT :approval_id, s.unknown_payee_id, s.advice_id, :member_id, s.claim_count, s.claims_cents, s.plb_cents, s.lines_sha256,
       n.was_funded, n.transaction_id
FROM unnest(CAST(:advices AS bigint[]), CAST(:funded AS boolean[]), CAST(:transactions AS bigint[])) AS n (advice_id, was_funded, transaction_id)
JOIN payee_shares(ARRAY[CAST(:unknown_payee_id AS bigint)], CAST(:advices AS bigint[])) s USING (advice_id) ORDER BY s.advice_id

-- name: membership
SELECT p.ncpdp_id, lower(m.membership) AS since, upper(m.membership) - 1 AS until FROM member m JOIN pharmacy p USING (pharmacy_id)
WHERE m.member_id = :member_id

-- name: named_then
-- Members that an identifier names on any of these days.
SELECT p.ncpdp_id, lower(i.valid) AS since, upper(i.valid) - 1 AS until
FROM member_identifier i JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE i.kind = :kind AND i.value = :value AND i.valid && daterange(CAST(:since AS date), CAST(:until AS date), '[]') ORDER BY i.valid

-- name: add_identifier
INSERT INTO member_identifier (kind, value, valid, member_id, found_by)
VALUES (:kind, :value, daterange(CAST(:since AS date), CAST(:until AS date), '[]'), :member_id, :approval_id)

-- name: close_case
UPDATE exception_case SET state = 'resolved', resolved_at = now(), resolution = :resolution
WHERE kind = :kind AND subject = :subject AND state = 'open'

-- name: mended_sets
-- Sets that did not foot and came again: later files brought, for each open one of a file, payer and trace, an advice that was not there before.
SELECT q.subject, min(a.advice_id) AS advice_id FROM (
    SELECT e.subject, s.file_id, s.payer_id, s.trace_number, count(*) OVER (PARTITION BY s.file_id, s.payer_id, s.trace_number) AS sets
    FROM exception_case e JOIN remittance_set s ON s.file_id = CAST(substring(e.subject FROM '^file (\d+) set \d+$') AS bigint)
        AND s.set_ordinal = CAST(substring(e.subject FROM '^file \d+ set (\d+)$') AS integer)
    WHERE e.kind = 'set_quarantined' AND e.state = 'open' AND s.trace_number <> '' AND s.payer_id <> '') q
JOIN advice a ON a.payer_id = q.payer_id AND a.trace_number = q.trace_number AND a.file_id > q.file_id AND a.state <> 'replaced'
WHERE NOT EXISTS (
    SELECT FROM advice o
    WHERE (o.payer_id, o.trace_number, o.payee_id, o.ordinal_in_payment) = (a.payer_id, a.trace_number, a.payee_id, a.ordinal_in_payment)
      AND o.file_id <= q.file_id)
GROUP BY q.subject, q.sets HAVING count(*) >= q.sets
