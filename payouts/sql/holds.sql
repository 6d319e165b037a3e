-- name: add
INSERT INTO hold (member_id, kind, reason, authority, payer_id, limit_cents, review_on, placed_on, placed_by)
VALUES (:member_id, :kind, :reason, :authority, :payer_id, :limit_cents, :review_on, :placed_on, :actor) RETURNING hold_id

-- name: payer_is_known
SELECT EXISTS (SELECT FROM payer WHERE payer_id = :payer_id) OR EXISTS (SELECT FROM advice WHERE payer_id = :payer_id)

-- name: lock
SELECT h.hold_id, h.member_id, h.kind, h.state, h.limit_cents, h.payer_id, h.review_on, h.placed_on, h.reason, h.authority
FROM hold h WHERE h.hold_id = :hold_id FOR UPDATE

-- name: lock_active
-- One takes at a time, in the order of the holds; those of returned payouts keep what came back and take nothing.
SELECT hold_id FROM hold WHERE state = 'active' AND kind <> 'returned' AND (CAST(:hold_id AS bigint) IS NULL OR hold_id = :hold_id)
ORDER BY hold_id FOR UPDATE

-- name: room
-- What each of these holds may take now of what is available to its member: the older hold first. A hold takes its limit, what
-- its payer brought since the member was last paid before it, or all; counted is what it took, lifted or not. What was lifted
-- since it was placed, from any hold, and has not left yet is the member's to be paid.
WITH own AS MATERIALIZED (
    SELECT h.hold_id, h.member_id, h.payer_id, h.limit_cents, h.reason, h.placed_at FROM hold h WHERE h.hold_id = ANY (CAST(:hold_ids AS bigint[]))
), moved AS (
    SELECT o.hold_id,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'held' AND l.reference = o.hold_id AND l.event IN ('held', 'payout_returned')), 0) AS taken,
           greatest(0, coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'due_available' AND t.recorded_at > o.placed_at
               AND l.event IN ('hold_lifted', 'payout_released', 'fee_collected', 'levied')), 0)) AS spared,
           -- With what was reversed since: the next fact has a name of its own.
           (SELECT count(*) FROM line k WHERE k.owner_id = o.member_id AND k.account = 'held' AND k.reference = o.hold_id AND k.event = 'held') AS times
    FROM own o LEFT JOIN standing_line l ON l.owner_id = o.member_id AND l.account IN ('held', 'due_available')
    LEFT JOIN journal_transaction t USING (transaction_id) GROUP BY o.hold_id, o.member_id
), brought AS (
    SELECT o.hold_id, coalesce(sum(l.amount_cents) FILTER (WHERE a.advice_id IS NOT NULL), 0) AS cents
    FROM own o
    LEFT JOIN LATERAL (
        SELECT max(p.entry_id) AS entry_id FROM standing_line p JOIN journal_transaction t USING (transaction_id)
        WHERE p.owner_id = o.member_id AND p.event = 'payout_released' AND p.account = 'due_available' AND t.recorded_at <= o.placed_at) paid ON true
    LEFT JOIN standing_line l ON l.owner_id = o.member_id AND l.event = 'funded' AND l.account = 'due_unfunded'
        AND l.entry_id > coalesce(paid.entry_id, 0)
    LEFT JOIN advice a ON a.advice_id = l.reference AND a.payer_id = o.payer_id
    WHERE o.payer_id IS NOT NULL GROUP BY o.hold_id
), room AS (
    SELECT o.*, m.spared, m.times, b.credit_cents - b.debit_cents AS available,
           greatest(0, least(coalesce(o.limit_cents - m.taken, 1000000000000000), CASE WHEN o.payer_id IS NULL THEN 1000000000000000
                                                                                      ELSE coalesce(r.cents, 0) - m.taken END)) AS cents
    FROM own o JOIN moved m USING (hold_id) LEFT JOIN brought r USING (hold_id)
    JOIN balance b ON b.owner_id = o.member_id AND b.ledger = 'custody' AND b.account = 'due_available'
)
SELECT * FROM (
    SELECT hold_id, member_id, reason, times, least(cents, available - spared - (sum(cents) OVER (PARTITION BY member_id ORDER BY hold_id) - cents))::bigint AS cents
    FROM room) t
WHERE cents > 0 ORDER BY hold_id

-- name: kept
SELECT coalesce(-sum(amount_cents), 0)::bigint FROM line
WHERE reference = :hold_id AND account = CAST(:account AS account_name) AND account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND reference IS NOT NULL

-- name: lifts
SELECT count(*) FROM line WHERE reference = :hold_id AND account = 'held' AND event = 'hold_lifted'
    AND account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND reference IS NOT NULL

-- name: end
UPDATE hold SET state = :state, approval_id = :approval_id, ended_at = now() WHERE hold_id = :hold_id AND state = 'active'

-- name: extend
UPDATE hold SET review_on = :review_on WHERE hold_id = :hold_id AND state = 'active'

-- name: list
SELECT h.hold_id, h.member_id, p.ncpdp_id, h.kind, h.reason, h.authority, h.payer_id, h.limit_cents, h.review_on, h.placed_on, h.placed_by, h.state,
       coalesce(s.held, 0)::bigint AS held_cents, coalesce(s.levied, 0)::bigint AS levied_cents, coalesce(s.unclaimed, 0)::bigint AS unclaimed_cents
FROM hold h JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN LATERAL (
    SELECT -sum(l.amount_cents) FILTER (WHERE l.account = 'held') AS held, -sum(l.amount_cents) FILTER (WHERE l.account = 'levied') AS levied,
           -sum(l.amount_cents) FILTER (WHERE l.account = 'unclaimed') AS unclaimed
    FROM line l WHERE l.reference = h.hold_id AND l.account IN ('held', 'levied', 'unclaimed') AND l.owner_id = h.member_id
      AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL) s ON true
WHERE (CAST(:member_id AS uuid) IS NULL OR h.member_id = :member_id) AND (CAST(:hold_id AS numeric) IS NULL OR h.hold_id = :hold_id)
  AND (:everything OR h.state = 'active' OR coalesce(s.held, 0) > 0)
  AND (CAST(:review_by AS date) IS NULL OR h.review_on <= :review_by)
ORDER BY h.hold_id

-- name: lock_levies
-- Two who receive the same order at once would receive it twice.
SELECT pg_advisory_xact_lock(hashtext('centralpay.levies'))

-- name: same_levy
-- The same order, received before: it is active, or something is levied under it.
SELECT h.hold_id FROM hold h JOIN levy v USING (hold_id) WHERE h.member_id = :member_id AND h.authority = :authority
    AND h.limit_cents = :amount_cents AND v.payee = :payee AND (h.state = 'active' OR EXISTS (SELECT FROM standing_line l WHERE l.reference = h.hold_id AND l.account = 'levied'
        AND l.event = 'levied' AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL)) ORDER BY h.hold_id LIMIT 1

-- name: add_levy
INSERT INTO levy (hold_id, payee) VALUES (:hold_id, :payee)

-- name: levy
SELECT payee FROM levy WHERE hold_id = :hold_id

-- name: levied_ever
-- What was levied under a hold and stands, and how often it was tried.
SELECT coalesce(-sum(s.amount_cents), 0)::bigint AS cents,
       (SELECT count(*) FROM line l WHERE l.reference = :hold_id AND l.account = 'levied' AND l.event = 'levied'
            AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL) AS times
FROM standing_line s WHERE s.reference = :hold_id AND s.account = 'levied' AND s.event = 'levied'
    AND s.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND s.reference IS NOT NULL

-- name: takings
-- The transactions that levied under an order and stand, and the lifts that fed them: those of one database transaction.
SELECT s.transaction_id, s.event FROM (
    SELECT l.transaction_id, l.event FROM standing_line l WHERE l.reference = :hold_id AND l.account = 'levied' AND l.event = 'levied'
        AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL
    UNION
    SELECT l.transaction_id, l.event FROM standing_line l JOIN journal_transaction t USING (transaction_id)
    WHERE l.reference = :hold_id AND l.account = 'held' AND l.event = 'hold_lifted'
        AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL
        AND t.xid IN (SELECT o.xid FROM standing_line k JOIN journal_transaction o USING (transaction_id)
                      WHERE k.reference = :hold_id AND k.account = 'levied' AND k.event = 'levied'
                        AND k.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND k.reference IS NOT NULL)) s
ORDER BY s.transaction_id DESC

-- name: levies
SELECT h.hold_id, p.ncpdp_id, h.authority, v.payee, h.limit_cents AS amount_cents, h.placed_on AS received_on, h.review_on, h.state,
       coalesce(s.held, 0)::bigint AS held_cents, coalesce(s.taken, 0)::bigint AS taken_cents, coalesce(d.paid, 0)::bigint AS paid_cents
FROM levy v JOIN hold h USING (hold_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN LATERAL (
    -- A transaction and its reversal are both left out, or neither: the balance is the same.
    SELECT -sum(l.amount_cents) FILTER (WHERE l.account = 'held') AS held,
           -sum(l.amount_cents) FILTER (WHERE l.account = 'levied' AND l.event = 'levied') AS taken
    FROM standing_line l WHERE l.reference = h.hold_id AND l.account IN ('held', 'levied') AND l.owner_id = h.member_id
      AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL) s ON true
LEFT JOIN LATERAL (
    SELECT sum(amount_cents) AS paid FROM disbursement WHERE kind = 'levy' AND subject = h.hold_id::text AND state IN ('released', 'settled')) d ON true
WHERE (CAST(:hold_id AS bigint) IS NULL OR h.hold_id = :hold_id) AND (:everything OR coalesce(d.paid, 0) < h.limit_cents)
ORDER BY h.hold_id

-- name: member
SELECT p.ncpdp_id, m.legal_name FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = :member_id
