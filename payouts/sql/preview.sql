-- What a person looks at before approving a cycle; each statement one pass over the cycle's own rows.

-- name: last_released
SELECT cycle_id FROM cycle WHERE cycle_id < :cycle_id AND state IN ('released', 'settled') ORDER BY cycle_id DESC LIMIT 1

-- name: totals
SELECT coalesce(sum(amount_cents), 0)::bigint AS total_cents, count(DISTINCT member_id) FILTER (WHERE amount_cents > 0) AS members,
       coalesce(sum(fee_cents), 0)::bigint AS fee_cents, coalesce(max(amount_cents), 0)::bigint AS largest_cents
FROM payout WHERE cycle_id = :cycle_id AND state <> 'excluded'

-- name: compared_members
-- Who is paid now and was not in the last cycle, and the other way round.
SELECT count(*) FILTER (WHERE before_cents IS NULL) AS joined, count(*) FILTER (WHERE cents IS NULL) AS gone
FROM (SELECT member_id, sum(amount_cents) AS cents FROM payout WHERE cycle_id = :cycle_id AND state <> 'excluded' AND amount_cents > 0 GROUP BY member_id) n
FULL JOIN (SELECT member_id, sum(amount_cents) AS before_cents FROM payout WHERE cycle_id = :before AND state <> 'excluded' AND amount_cents > 0
           GROUP BY member_id) b USING (member_id)

-- name: compared_payers
-- What the shares of each payer come to, of members that are not excluded.
WITH said AS (
    SELECT s.cycle_id, a.payer_id, sum(s.cents)::bigint AS cents
    FROM (SELECT c.cycle_id, c.owner_id, c.advice_id, h.claims_cents - h.plb_cents AS cents FROM cycle_share c JOIN advice_share h USING (owner_id, advice_id)
          UNION ALL
          SELECT c.cycle_id, c.owner_id, c.advice_id, f.claims_cents - f.plb_cents FROM cycle_found_share c JOIN found_share f USING (found_share_id)) s
    JOIN advice a USING (advice_id)
    LEFT JOIN (SELECT DISTINCT cycle_id, member_id FROM payout WHERE cycle_id IN (:cycle_id, :before) AND state = 'excluded') x
        ON x.cycle_id = s.cycle_id AND x.member_id = s.owner_id
    WHERE s.cycle_id IN (:cycle_id, :before) AND x.member_id IS NULL GROUP BY s.cycle_id, a.payer_id
)
SELECT p.payer_id, coalesce(y.name, p.payer_id) AS name, p.cents, p.before_cents
FROM (SELECT payer_id, coalesce(sum(cents) FILTER (WHERE cycle_id = :cycle_id), 0)::bigint AS cents,
             coalesce(sum(cents) FILTER (WHERE cycle_id <> :cycle_id), 0)::bigint AS before_cents FROM said GROUP BY payer_id) p
LEFT JOIN payer y USING (payer_id) ORDER BY p.payer_id

-- name: movers
SELECT p.ncpdp_id, d.cents, d.before_cents
FROM (
    SELECT member_id, coalesce(n.cents, 0)::bigint AS cents, coalesce(b.cents, 0)::bigint AS before_cents
    FROM (SELECT member_id, sum(amount_cents) AS cents FROM payout WHERE cycle_id = :cycle_id AND state <> 'excluded' GROUP BY member_id) n
    FULL JOIN (SELECT member_id, sum(amount_cents) AS cents FROM payout WHERE cycle_id = :before AND state <> 'excluded' GROUP BY member_id) b
        USING (member_id)
    WHERE coalesce(n.cents, 0) <> coalesce(b.cents, 0)
    ORDER BY abs(coalesce(n.cents, 0) - coalesce(b.cents, 0)) DESC, member_id LIMIT :count) d
JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) ORDER BY abs(d.cents - d.before_cents) DESC, p.ncpdp_id

-- name: against_the_last
-- Members that were never paid before, or were into another account: a first payment and a changed account are where fraud shows.
WITH paid AS MATERIALIZED (
    SELECT member_id, min(payout_id) AS payout_id, sum(amount_cents)::bigint AS cents, (array_agg(bank_account_id))[1] AS bank_account_id
    FROM payout WHERE cycle_id = :cycle_id AND state <> 'excluded' AND amount_cents > 0 GROUP BY member_id
)
SELECT p.ncpdp_id, n.cents, a.last_four, o.last_four AS last_four_before, l.business_date AS last_paid_on
FROM paid n
LEFT JOIN LATERAL (
    SELECT o.bank_account_id, c.business_date FROM payout o JOIN cycle c USING (cycle_id)
    WHERE o.member_id = n.member_id AND o.payout_id < n.payout_id AND o.amount_cents > 0 AND o.state IN ('released', 'settled', 'returned')
    ORDER BY o.payout_id DESC LIMIT 1) l ON true
JOIN bank_account a ON a.bank_account_id = n.bank_account_id
LEFT JOIN bank_account o ON o.bank_account_id = l.bank_account_id
JOIN member m ON m.member_id = n.member_id JOIN pharmacy p USING (pharmacy_id)
WHERE l.bank_account_id IS DISTINCT FROM n.bank_account_id ORDER BY p.ncpdp_id

-- name: negatives
SELECT p.ncpdp_id, o.available_cents FROM cycle_omission o JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE o.cycle_id = :cycle_id AND o.reason = 'negative' ORDER BY o.available_cents, p.ncpdp_id

-- name: waiting
SELECT reason, count(*) AS members, sum(available_cents)::bigint AS cents FROM cycle_omission
WHERE cycle_id = :cycle_id AND reason IN ('not_due', 'below_minimum') GROUP BY reason ORDER BY reason DESC

-- name: held
-- What is held now of each member, and the holds that say why.
SELECT p.ncpdp_id, coalesce(b.credit_cents - b.debit_cents, 0)::bigint AS held_cents, coalesce(h.kinds, '') AS kinds, h.review_on
FROM (SELECT owner_id AS member_id, credit_cents, debit_cents FROM balance WHERE ledger = 'custody' AND account = 'held' AND credit_cents <> debit_cents) b
FULL JOIN (SELECT member_id, string_agg(DISTINCT kind, ', ' ORDER BY kind) AS kinds, min(review_on) AS review_on FROM hold
           WHERE state = 'active' GROUP BY member_id) h USING (member_id)
JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) ORDER BY p.ncpdp_id

-- name: stopped_accounts
-- Accounts that nothing is paid into, of members that had something available or are in the set.
SELECT p.ncpdp_id, a.last_four, s.stopped_on, s.reason, coalesce(o.available_cents, 0)::bigint AS available_cents
FROM bank_account_stop s JOIN bank_account a USING (bank_account_id) JOIN cycle c ON c.cycle_id = :cycle_id AND a.in_use @> c.effective_on
JOIN member m ON m.member_id = a.member_id JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN cycle_omission o ON o.cycle_id = c.cycle_id AND o.member_id = a.member_id
WHERE s.lifted_at IS NULL ORDER BY p.ncpdp_id

-- name: above
SELECT p.ncpdp_id, o.amount_cents FROM payout o JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE o.cycle_id = :cycle_id AND o.state <> 'excluded' AND o.amount_cents > :limit_cents ORDER BY p.ncpdp_id

-- name: share_details
-- What was found of an advice stands with the member's own share of it.
SELECT p.ncpdp_id, a.payer_id, a.trace_number AS payer_trace, sum(t.claim_count)::bigint AS claim_count, sum(t.claims_cents)::bigint AS claims_cents,
       sum(t.plb_cents)::bigint AS plb_cents
FROM (SELECT owner_id, advice_id, h.claim_count, h.claims_cents, h.plb_cents FROM cycle_share JOIN advice_share h USING (owner_id, advice_id)
      WHERE cycle_id = :cycle_id
      UNION ALL
      SELECT c.owner_id, c.advice_id, f.claim_count, f.claims_cents, f.plb_cents FROM cycle_found_share c JOIN found_share f USING (found_share_id)
      WHERE c.cycle_id = :cycle_id) t
JOIN advice a USING (advice_id) JOIN member m ON m.member_id = t.owner_id JOIN pharmacy p USING (pharmacy_id)
GROUP BY p.ncpdp_id, a.advice_id, a.payer_id, a.trace_number ORDER BY p.ncpdp_id, a.advice_id

-- name: own_details
SELECT p.ncpdp_id, i.reference, i.reason, i.amount_cents
FROM cycle_own_item i JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) WHERE i.cycle_id = :cycle_id ORDER BY p.ncpdp_id, i.reference
