-- name: add_rule
INSERT INTO dormancy_rule (state, property, months, letter_from_days, letter_until_days, since, source, imported_by)
VALUES (:state, :property, :months, :letter_from_days, :letter_until_days, :since, :source, :actor)
ON CONFLICT (state, property, since) DO NOTHING

-- name: rules
SELECT state, property, months, letter_from_days, letter_until_days, since, source FROM dormancy_rule
WHERE CAST(:state AS text) IS NULL OR state = :state ORDER BY state, property, since

-- name: candidates
-- Money that may become unclaimed: kept of returned payouts, and of members that are gone, but for what a legal order keeps: that
-- waits for its court, not for its owner; by hold, with the last day on which
-- anything was heard of its owner: the money came into the hold, a payment reached it, it asked for another account, it gave
-- a contact, or a person wrote down that it was heard of. What was declared already stands beside it.
SELECT h.hold_id, h.member_id, p.ncpdp_id, m.state, h.kind, k.held_cents, k.unclaimed_cents, a.last_activity
FROM hold h JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
CROSS JOIN LATERAL (
    SELECT coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'held'), 0)::bigint AS held_cents,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'unclaimed'), 0)::bigint AS unclaimed_cents
    FROM line l WHERE l.reference = h.hold_id AND l.owner_id = h.member_id AND l.account IN ('held', 'unclaimed')
      AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL AND l.effective_on <= :as_of
) k
CROSS JOIN LATERAL (
    SELECT greatest(
        (SELECT max(l.effective_on) FROM standing_line l WHERE l.owner_id = h.member_id AND l.account = 'held' AND l.reference = h.hold_id
            AND l.event IN ('held', 'payout_returned') AND l.effective_on <= :as_of),
        (SELECT max(l.effective_on) FROM standing_line l WHERE l.owner_id = h.member_id AND l.account = 'in_transit'
            AND l.event = 'payout_settled' AND l.effective_on <= :as_of
            AND NOT EXISTS (SELECT FROM disbursement d WHERE d.disbursement_id = l.reference)),
        (SELECT max(c.requested_on) FROM bank_account_change c WHERE c.member_id = h.member_id AND c.source = 'member' AND c.requested_on <= :as_of),
        (SELECT max(c.recorded_on) FROM member_contact c WHERE c.member_id = h.member_id AND c.recorded_on <= :as_of),
        (SELECT max(o.heard_on) FROM owner_heard o WHERE o.hold_id = h.hold_id AND o.heard_on <= :as_of)) AS last_activity
) a
WHERE (h.kind = 'returned' OR (h.kind <> 'legal' AND upper(m.membership) <= :as_of)) AND (k.held_cents > 0 OR k.unclaimed_cents > 0) AND a.last_activity IS NOT NULL
  AND (CAST(:hold_id AS bigint) IS NULL OR h.hold_id = :hold_id)
ORDER BY h.hold_id

-- name: add_heard
INSERT INTO owner_heard (hold_id, heard_on, said, recorded_by) VALUES (:hold_id, :heard_on, :said, :actor)

-- name: letters
SELECT u.hold_id, u.dormant_on, n.made_on, n.notice_id FROM unclaimed_letter u JOIN notice n USING (notice_id)
WHERE n.made_on <= :as_of ORDER BY u.hold_id, u.dormant_on

-- name: add_letter
INSERT INTO unclaimed_letter (hold_id, dormant_on, notice_id) VALUES (:hold_id, :dormant_on, :notice_id)

-- name: lock_letters
-- Two who write letters at once would write them twice.
SELECT pg_advisory_xact_lock(hashtext('centralpay.unclaimed_letters'))

-- name: declarations
-- The transactions that declared what a hold kept unclaimed, and that stand.
SELECT transaction_id FROM standing_line WHERE reference = :hold_id AND account = 'unclaimed' AND event = 'unclaimed'
    AND account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND reference IS NOT NULL ORDER BY transaction_id
