-- name: pair
SELECT pair_reversals(CAST(:advice_ids AS bigint[]))

-- name: late
-- Of these advices those that come after a later payment of their payer took claims back that were not found.
SELECT a.advice_id FROM advice a WHERE a.advice_id = ANY (CAST(:advice_ids AS bigint[])) AND EXISTS (
    SELECT FROM claim_reversal r WHERE r.payer_id = a.payer_id AND r.paid_on > a.paid_on AND r.state <> 'paired')

-- name: pair_open
SELECT pair_open_reversals(CAST(:most AS integer))

-- name: choose
SELECT choose_original(CAST(:advice_id AS bigint), CAST(:segment AS integer), CAST(:original_advice_id AS bigint),
    CAST(:original_segment AS integer), :actor)

-- name: reversals
SELECT r.advice_id, r.segment, r.payer_id, coalesce(p.name, a.payer_name) AS payer_name, a.trace_number, r.paid_on, s.ncpdp_id, r.rx_number,
       r.fill_on, r.charge_cents, r.paid_cents, r.state, r.candidates AS candidate_count, r.decided_by, r.decided_at
FROM claim_reversal r JOIN advice a USING (advice_id) LEFT JOIN payer p ON p.payer_id = r.payer_id
LEFT JOIN member m ON m.member_id = r.owner_id LEFT JOIN pharmacy s USING (pharmacy_id)
WHERE a.state <> 'replaced' AND (r.state <> 'paired' OR NOT :only_open)
ORDER BY r.paid_on DESC, r.advice_id DESC, r.segment DESC LIMIT :most

-- name: originals
-- Of these reversals: the original of one that is paired, the candidates of one that has several.
WITH asked AS MATERIALIZED (
    SELECT r.* FROM unnest(CAST(:advice_ids AS bigint[]), CAST(:segments AS integer[])) AS n (advice_id, segment)
    JOIN claim_reversal r USING (advice_id, segment)
), open_one AS (
    SELECT array_agg(advice_id) AS advice_ids, array_agg(segment) AS segments FROM asked WHERE state = 'several'
), named AS (
    SELECT advice_id, segment, rx_number, payer_claim_number, original_advice_id, original_segment, original_paid_on FROM asked WHERE state = 'paired'
    UNION ALL
    SELECT c.advice_id, c.segment, r.rx_number, r.payer_claim_number, c.original_advice_id, c.original_segment, c.original_paid_on
    FROM open_one o CROSS JOIN LATERAL reversal_candidates(o.advice_ids, o.segments) c JOIN asked r USING (advice_id, segment)
)
SELECT n.advice_id AS of_advice_id, n.segment AS of_segment, n.original_advice_id AS advice_id, n.original_segment AS segment,
       n.original_paid_on AS paid_on, a.trace_number, s.ncpdp_id, c.rx_number, c.fill_on, c.charge_cents, c.paid_cents
FROM named n JOIN advice a ON a.advice_id = n.original_advice_id
JOIN claim_line c ON rx_key(c.rx_number) = rx_key(n.rx_number) AND hashtext(c.payer_claim_number) = hashtext(n.payer_claim_number)
    AND c.paid_on = n.original_paid_on AND (c.advice_id, c.segment) = (n.original_advice_id, n.original_segment)
LEFT JOIN member m ON m.member_id = c.owner_id LEFT JOIN pharmacy s USING (pharmacy_id)
ORDER BY n.original_paid_on, n.original_advice_id, n.original_segment
