-- name: payees
-- Whom the payouts of a cycle pay that leave with money, by the name of the member's own 835.
SELECT o.payout_id, o.member_id, p.ncpdp_id, m.legal_name, m.dba_name, i.npi, o.amount_cents, a.last_four,
       count(*) OVER (PARTITION BY o.member_id) AS payouts
FROM payout o JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) JOIN bank_account a ON a.bank_account_id = o.bank_account_id
JOIN (SELECT member_id, (array_agg(value ORDER BY found_by IS NULL DESC, valid DESC) FILTER (WHERE kind = 'NPI'))[1] AS npi
      FROM member_identifier GROUP BY member_id) i ON i.member_id = o.member_id
WHERE o.cycle_id = :cycle_id AND o.state <> 'excluded' AND o.amount_cents > 0 ORDER BY p.ncpdp_id, o.payout_id

-- name: advices
SELECT a.advice_id, a.payer_id, coalesce(y.name, a.payer_name) AS payer_name, a.trace_number, a.paid_on
FROM advice a LEFT JOIN payer y USING (payer_id) WHERE a.advice_id = ANY (CAST(:advices AS bigint[]))

-- name: adjustments
-- What payers took or gave beside the claims, each as it stands in the file: of members' shares that the cycle tells, and of
-- what was found to be theirs. A share told before by another cycle stays out.
WITH found AS MATERIALIZED (
    SELECT c.owner_id, c.advice_id, f.unknown_payee_id FROM cycle_found_share c JOIN found_share f USING (found_share_id) WHERE c.cycle_id = :cycle_id
), alone AS MATERIALIZED (
    SELECT owner_id, advice_id FROM found EXCEPT SELECT owner_id, advice_id FROM cycle_share WHERE cycle_id = :cycle_id
)
SELECT p.owner_id, p.advice_id, p.segment, p.pair, p.reason, p.reference, p.amount_cents FROM plb_line p
WHERE p.advice_id = ANY (CAST(:advices AS bigint[])) AND p.owner_id <> house_id()
  AND NOT EXISTS (SELECT FROM alone a WHERE a.owner_id = p.owner_id AND a.advice_id = p.advice_id)
UNION ALL
SELECT f.owner_id, p.advice_id, p.segment, p.pair, p.reason, p.reference, p.amount_cents
FROM found f JOIN plb_line p USING (unknown_payee_id, advice_id)
ORDER BY owner_id, advice_id, segment, pair

-- name: kept
SELECT cycle_id, state, business_date, encode(notices_sha256, 'hex') AS notices_sha256 FROM cycle WHERE cycle_id = :cycle_id
